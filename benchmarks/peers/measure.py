"""Run one command and print, as JSON, how long it took and what it held: a small process, so that it measures no other.

python measure.py LOG SECONDS COMMAND...    LOG takes what the command prints; after SECONDS it is ended.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_EVERY = 0.03
"""Seconds between two looks at the memory."""


def main() -> None:
    """Measure the command of the command line."""
    log, patience, *command = sys.argv[1:]
    # where memory runs out, the kernel is to choose the command, not what else this machine does
    Path("/proc/self/oom_score_adj").write_text("1000")
    begun = time.perf_counter()
    with Path(log).open("wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=file)  # noqa: S603
        private = _watch(child, begun + float(patience))
    seconds = time.perf_counter() - begun
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    late = seconds >= float(patience)
    told = {"seconds": seconds, "private": private, "largest": largest, "code": child.returncode, "late": late}
    print(json.dumps(told))  # noqa: T201


def _watch(child: subprocess.Popen[bytes], end: float) -> int:
    """Wait for a process, or end it in time; return the most private bytes that it and its children held together."""
    highest = 0
    while child.poll() is None:
        tree = _tree(child.pid)
        highest = max(highest, sum(map(_private, tree)))
        if time.perf_counter() >= end:
            _end(tree)
        time.sleep(_EVERY)
    return highest


def _end(tree: list[int]) -> None:
    for pid in tree:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _tree(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [one for child in path.read_text().split() for one in _tree(int(child))]
    return found


def _private(pid: int) -> int:
    """Bytes that a process holds beside pages of files: what tractcap's own journal counts."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
    return 0


if __name__ == "__main__":
    main()
