"""One worker process, seen from the supervisor: a line of JSON goes in, lines of JSON come out."""

import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, cast

from tractcap import python_interpreter
from tractcap.records.worker_requests import Message, Request, parse_message

log = logging.getLogger("tractcap")

_LAST_WORDS = 20
"""Lines of a worker's stderr that are kept to explain its death."""

_ENDING_SECONDS = 5.0
"""How long a killed worker may take to end. One that waits for a dead file server or disk may never do."""

_OWN_DOING = (
    signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS,
)  # fmt: skip
"""Signals that a program brings upon itself."""


@cache
def _say(*names: str) -> None:
    """Say once what workers are not handed."""
    if names:
        log.info("not handed to workers, since pictures could depend on them: %s", ", ".join(names))


@dataclass(frozen=True)
class Death:
    """A worker's end, by its exit ``status``: None of one that closed its pipe and can't even be killed."""

    status: int | None


class Process:
    """A worker, started at once."""

    def __init__(self, environment: Mapping[str, str], data_limit: int) -> None:
        _say(*left_out(os.environ))
        command = [*python_interpreter.command(), "-P", "-m", "tractcap.work.worker", str(data_limit), str(os.getpid())]
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(  # noqa: S603  our own interpreter and module
            command, stdin=pipe, stdout=pipe, stderr=pipe, env={**inherited(os.environ), **environment}
        )
        self.pid = self._child.pid
        streams = self._child.stdin, self._child.stdout, self._child.stderr
        self.into, self.out, self.err = (cast("IO[bytes]", stream) for stream in streams)  # pipes: none is None
        for stream in (self.into, self.out, self.err):  # nobody waits for a worker that doesn't go on
            os.set_blocking(stream.fileno(), False)
        self.heard = time.monotonic()
        self._partial, self._unsent = b"", b""
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    def send(self, request: Request[Any], data_limit: int, threads: int) -> bool:
        """Give the worker something to do; returns whether all of it was sent, as :meth:`send_rest` does.

        Parameters
        ----------
        data_limit : bytes of private memory that it may take from now on. threads : those that it draws with.
        """
        self.heard = time.monotonic()
        message = {
            "action": request.action, "request": request.plain(), "data_limit": data_limit, "threads": threads
        }  # fmt: skip
        self._unsent = json.dumps(message).encode() + b"\n"
        return self.send_rest()

    def send_rest(self) -> bool:
        """Send what the pipe takes without waiting. A worker that has died is noticed when its end is read."""
        try:
            self._unsent = self._unsent[os.write(self.into.fileno(), self._unsent) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._unsent = b""
        return not self._unsent

    def messages(self) -> Iterator[Message | Death]:
        """Messages that have come in; the last one is its death once the worker is gone."""
        data, self.heard = os.read(self.out.fileno(), 2**16), time.monotonic()
        *lines, self._partial = (self._partial + data).split(b"\n")
        yield from (parse_message(json.loads(line)) for line in lines)
        if not data:
            if (status := self._wait()) is None:
                self.kill()
                status = self._wait()
            yield Death(status)

    def listen(self) -> bool:
        """Take in what the worker wrote to stderr; False once it has closed it."""
        try:
            data = os.read(self.err.fileno(), 2**16)
        except BlockingIOError:
            return True
        self._last_words.extend(line for line in data.decode(errors="replace").splitlines() if line.strip())
        return bool(data)

    def silent_for(self) -> float:
        """Seconds since the worker was last heard, or was given something to do."""
        return time.monotonic() - self.heard

    def last_words(self) -> str:
        """The last line that the worker wrote to stderr."""
        return self._last_words[-1].strip() if self._last_words else ""

    def kill(self) -> None:
        """Ask the kernel to end the worker."""
        if not self.ended:
            self._child.kill()

    def stop(self) -> bool:
        """End the worker at once, and wait for that for a while; False if it doesn't end."""
        self.kill()
        ended = self._wait() is not None
        for stream in (self.into, self.out, self.err):
            stream.close()
        return ended

    @property
    def ended(self) -> bool:
        """Whether the worker is gone."""
        return self._child.poll() is not None

    def _wait(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._child.wait(_ENDING_SECONDS)
        return None


# variables that decide how libraries draw: those that workers are not given, and those that may be why one died

_STEERING = re.compile(
    "(MESA|GALLIUM|GALLIVM|LP|DRAW|SOFTPIPE|NIR|TGSI|PP|LIBGL|EGL|VTK|__GLX|__GL)_.*|ST_DEBUG|pp_.*"
    "|MPLBACKEND|MATPLOTLIBRC"
)
"""Of Mesa, Gallium and its drivers, EGL, VTK and matplotlib. Modules of a cluster's ParaView set them, and Jupyter."""

_PLACES = re.compile("LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|LIBGL_DRIVERS_PATH|GBM_BACKENDS_PATH|__EGL_.*")
"""Where libraries are: they may be needed, and they may lead to such as can't draw."""


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What workers are handed of the supervisor's variables."""
    dropped = left_out(environ)
    return {name: value for name, value in environ.items() if name not in dropped}


def left_out(environ: Mapping[str, str]) -> list[str]:
    """Names of variables that would change pictures, or break them."""
    return [name for name in sorted(environ) if _STEERING.fullmatch(name) and not _PLACES.fullmatch(name)]


def library_hint(environ: Mapping[str, str]) -> str:
    """What leads workers to other libraries, of which one may have died, in brackets; or nothing."""
    named = [f"{name}={environ[name]}" for name in sorted(environ) if _PLACES.fullmatch(name) and environ[name]]
    if not named:
        return ""
    return (
        f" (perhaps of a library from elsewhere, since {' and '.join(named)} {'is' if len(named) == 1 else 'are'} set)"
    )


# how a worker died


def own_doing(status: int | None) -> bool:
    """Whether a process with this exit status died of what it did itself, such as reading what is damaged."""
    return status is not None and -status in _OWN_DOING


def cause_of_death(status: int | None, oom_killed: bool | None, environ: Mapping[str, str] = os.environ) -> str:
    """Why a worker ended, as the end of a sentence.

    Parameters
    ----------
    status : the exit status (below zero: the signal that ended it), None if it isn't known.
    oom_killed : whether the kernel counted a kill for want of memory meanwhile; None where it doesn't say.
    environ : the worker's variables: some may be why it ended.
    """
    if status is None:
        return "the worker closed its pipe, and could not be ended"
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
