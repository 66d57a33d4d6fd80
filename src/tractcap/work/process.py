"""One worker process, seen from the supervisor: a line of JSON goes in, lines of JSON come out."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache
from typing import IO, Any

from tractcap import interpreter
from tractcap.work.variables import inherited, left_out, library_hint

log = logging.getLogger("tractcap")

_LAST_WORDS = 20
"""Lines of a worker's stderr that are kept to explain its death."""


@cache
def _say(*names: str) -> None:
    """Say once what workers are not handed."""
    if names:
        log.info("not handed to workers, since pictures could depend on them: %s", ", ".join(names))


class Process:
    """A worker, started at once."""

    def __init__(self, environment: Mapping[str, str], data_limit: int) -> None:
        _say(*left_out(os.environ))
        command = [*interpreter.command(), "-m", "tractcap.work.worker", str(data_limit), str(os.getpid())]
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(  # noqa: S603  our own interpreter and module
            command, stdin=pipe, stdout=pipe, stderr=pipe, env={**inherited(os.environ), **environment}
        )
        self.pid = self._child.pid
        self.out, self.err = _pipe(self._child.stdout), _pipe(self._child.stderr)
        self.heard = time.monotonic()
        self._partial = b""
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    def send(self, action: str, arguments: Mapping[str, Any]) -> None:
        """Give the worker something to do. A worker that has died is noticed when its end is read."""
        stdin, self.heard = _pipe(self._child.stdin), time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps({"action": action, **arguments}).encode() + b"\n")
            stdin.flush()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Messages that have come in; the last one is ``{"ended": status}`` once the worker is gone."""
        data, self.heard = os.read(self.out.fileno(), 2**16), time.monotonic()
        *lines, self._partial = (self._partial + data).split(b"\n")
        yield from (json.loads(line) for line in lines)
        if not data:
            yield {"ended": self._child.wait()}

    def listen(self) -> bool:
        """Take in what the worker wrote to stderr; False once it has closed it."""
        data = os.read(self.err.fileno(), 2**16)
        self._last_words.extend(line for line in data.decode(errors="replace").splitlines() if line.strip())
        return bool(data)

    def silent_for(self) -> float:
        """Seconds since the worker was last heard, or was given something to do."""
        return time.monotonic() - self.heard

    def last_words(self) -> str:
        """The last line that the worker wrote to stderr."""
        return self._last_words[-1].strip() if self._last_words else ""

    def stop(self) -> None:
        """End the worker at once and wait for it."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            with contextlib.suppress(BrokenPipeError):
                _pipe(stream).close()


def cause_of_death(status: int, oom_killed: bool | None, environ: Mapping[str, str] = os.environ) -> str:
    """Why a worker ended, as the end of a sentence.

    Parameters
    ----------
    status : the exit status (below zero: the signal that ended it).
    oom_killed : whether the kernel counted a kill for want of memory meanwhile; None where it doesn't tell.
    environ : the worker's variables: some may be why it ended.
    """
    if status >= 0:
        return f"the worker ended with status {status}{library_hint(environ)}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    hint = _HINTS.get(-status, {}).get(oom_killed, "")
    return f"the worker was ended by {name}{hint}{library_hint(environ) if -status != signal.SIGKILL else ''}"


_HINTS: dict[int, dict[bool | None, str]] = {
    signal.SIGKILL: {
        True: ": the kernel's OOM killer, for want of memory",
        False: ", sent by someone: the kernel counted no kill for want of memory",
        None: ", perhaps by the kernel for want of memory",
    },
    signal.SIGABRT: dict.fromkeys(
        (True, False, None), ", as libraries do when they can't go on, often for want of memory"
    ),
}


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
