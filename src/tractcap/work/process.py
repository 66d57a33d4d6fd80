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
from tractcap.work.environment import inherited, left_out, library_hint

log = logging.getLogger("tractcap")

_LAST_WORDS = 20
"""Lines of a worker's stderr that are kept to explain its death."""

_ENDING_SECONDS = 5.0
"""How long a killed worker may take to end. One that waits for a dead file server or disk may never do."""

_OWN_DOING = (
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGILL,
    signal.SIGFPE,
    signal.SIGTRAP,
    signal.SIGSYS,
)
"""Signals that a program brings upon itself."""


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
        self.into, self.out, self.err = map(_pipe, (self._child.stdin, self._child.stdout, self._child.stderr))
        for stream in (self.into, self.out, self.err):  # nobody waits for a worker that doesn't go on
            os.set_blocking(stream.fileno(), False)
        self.heard = time.monotonic()
        self._partial, self._unsent = b"", b""
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    def send(self, action: str, arguments: Mapping[str, Any]) -> bool:
        """Give the worker something to do; returns whether all of it was sent, as :meth:`send_rest` does."""
        self.heard = time.monotonic()
        self._unsent = json.dumps({"action": action, **arguments}).encode() + b"\n"
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

    def messages(self) -> Iterator[dict[str, Any]]:
        """Messages that have come in; the last one is ``{"ended": status}`` once the worker is gone.

        The status is None of one that closed its pipe and doesn't end, even if it is killed.
        """
        data, self.heard = os.read(self.out.fileno(), 2**16), time.monotonic()
        *lines, self._partial = (self._partial + data).split(b"\n")
        yield from (json.loads(line) for line in lines)
        if not data:
            if (status := self._wait()) is None:
                self.kill()
                status = self._wait()
            yield {"ended": status}

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


def own_doing(status: int | None) -> bool:
    """Whether a process with this exit status died of what it did itself, such as reading what is damaged."""
    return status is not None and -status in _OWN_DOING


def cause_of_death(status: int | None, oom_killed: bool | None, environ: Mapping[str, str] = os.environ) -> str:
    """Why a worker ended, as the end of a sentence.

    Parameters
    ----------
    status : the exit status (below zero: the signal that ended it), None if it can't be told.
    oom_killed : whether the kernel counted a kill for want of memory meanwhile; None where it doesn't tell.
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


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
