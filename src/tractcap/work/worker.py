"""A worker process: ``python -m tractcap.work.worker DATA_LIMIT SUPERVISOR``, told what to do by JSON on stdin.

It limits itself before it imports anything heavy, dies with its supervisor, and answers each line with any
number of ``{"progress": points}`` and one ``{"done": …}`` or ``{"failed": sentence}``.
"""

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from tractcap.errors import TractcapError
from tractcap.limits.rlimit import limit_data

_PR_SET_PDEATHSIG = 1
_PROGRESS_SECONDS = 0.3


def main() -> None:
    """Serve until stdin ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[2]):
        return  # the supervisor died before this could be asked for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches all: the supervisor decides
    limit_data(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    for line in sys.stdin.buffer:
        _answer(answers, _do(json.loads(line), _Reporter(answers)))
        ctypes.CDLL(None).malloc_trim(0)  # so that the next job starts from the same memory


def _do(order: dict[str, Any], report: Callable[[int], None]) -> dict[str, Any]:
    try:
        from tractcap.work.actions import ACTIONS

        return {"done": ACTIONS[order.pop("action")](**order, report=report)}
    except TractcapError as error:
        return {"failed": str(error)}
    except MemoryError:
        return {"failed": "it needs more memory than its worker may take"}
    except OSError as error:
        return {"failed": f"{error.filename or 'a file'} can't be read or written: {error.strerror or error}."}
    except Exception as error:
        traceback.print_exc()
        return {"failed": f"an unexpected error, which is a defect of tractcap: {type(error).__name__}: {error}"}


def _answer(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")


class _Reporter:
    """Tells the supervisor of progress, a few times a second."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers, self._last = answers, time.monotonic()

    def __call__(self, points: int) -> None:
        if (now := time.monotonic()) - self._last >= _PROGRESS_SECONDS:
            self._last = now
            _answer(self._answers, {"progress": points})


if __name__ == "__main__":
    main()
