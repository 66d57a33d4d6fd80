"""A worker process: ``python -m tractcap.work.worker DATA_LIMIT SUPERVISOR``, which takes requests as JSON on stdin.

It limits itself before it imports anything heavy, dies with its supervisor, and answers each line, as lines of JSON,
with any number of :class:`~tractcap.records.worker_requests.Progress`, ``Reading`` and ``LoggedWarning``, and one
``TaskEnded``.
"""

import contextlib
import ctypes
import errno
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from tractcap.errors import NO_MEMORY, DrawingError, OverlayError, TractcapError, defect
from tractcap.inputs.reading import listen
from tractcap.limits.usage import PrivatePeak, private_memory
from tractcap.limits.worker_limits import draw_with, limit_data
from tractcap.records.worker_requests import REQUESTS, LoggedWarning, Message, Progress, Reading, TaskEnded

_log = logging.getLogger("tractcap")

_PR_SET_PDEATHSIG = 1
_PROGRESS_SECONDS = 0.3


def main() -> None:
    """Serve until stdin ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[2]):
        return  # the supervisor died before this could be asked for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches all: the supervisor decides
    with contextlib.suppress(OSError):  # if the kernel must kill, let it be a worker: its job can be done again
        Path("/proc/self/oom_score_adj").write_bytes(b"500")
    inherited = resource.getrlimit(resource.RLIMIT_DATA)
    limit_data(int(sys.argv[1]), inherited)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    _log.addHandler(_Warnings(answers))
    listen(lambda path: _send(answers, Reading(path)))
    for line in sys.stdin.buffer:
        with contextlib.suppress(OSError):  # peaks are those of all jobs yet without it: proc_pid_clear_refs(5)
            Path("/proc/self/clear_refs").write_bytes(b"5")
        peak, message = PrivatePeak(), json.loads(line)
        limit_data(message["data_limit"], inherited)
        draw_with(message["threads"])
        ended = _carry_out(message, _Reporter(answers, peak))
        peak.update()
        ctypes.CDLL(None).malloc_trim(0)  # so that the next task starts from the same memory
        _send(answers, replace(ended, peak=peak.bytes, resting=private_memory()))


def _carry_out(message: Mapping[str, Any], report: Callable[[int], None]) -> TaskEnded:
    end = partial(TaskEnded, peak=0, resting=0)
    try:
        from tractcap.work.worker_actions import ACTIONS

        request = REQUESTS[message["action"]].parse(message["request"])
        return end(done=ACTIONS[request.action](request, report).plain())
    except OverlayError as error:
        return end(failed=str(error), status=error.status, again=error.again, overlay=error.path)
    except TractcapError as error:
        return end(failed=str(error), status=error.status, again=isinstance(error, DrawingError))
    except MemoryError:
        return end(failed=f"it {NO_MEMORY}", again=True)
    except OSError as error:
        sentence = f"{error.filename or 'a file'} can't be read or written: {error.strerror or error}."
        return end(failed=sentence, again=error.errno == errno.ENOMEM)
    except Exception as error:
        traceback.print_exc()
        return end(failed=defect(error))


_sending = threading.Lock()
"""Warnings come from threads that read, too."""


def _send(answers: BinaryIO, message: Message) -> None:
    with _sending:
        answers.write(json.dumps(message.plain()).encode() + b"\n")


class _Warnings(logging.Handler):
    """Lets the supervisor log what is logged here."""

    def __init__(self, answers: BinaryIO) -> None:
        super().__init__(logging.WARNING)
        self._answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        _send(self._answers, LoggedWarning(record.getMessage()))


class _Reporter:
    """Sends progress and looks at the memory, a few times a second."""

    def __init__(self, answers: BinaryIO, peak: PrivatePeak) -> None:
        self._answers, self._peak, self._last = answers, peak, time.monotonic()

    def __call__(self, points: int) -> None:
        if (now := time.monotonic()) - self._last >= _PROGRESS_SECONDS:
            self._last = now
            self._peak.update()
            _send(self._answers, Progress(points))


if __name__ == "__main__":
    main()
