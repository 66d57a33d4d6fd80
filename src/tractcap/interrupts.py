"""Signals that ask to stop, and the moments at which they must wait."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """A signal asked to stop. Not an error that anything may catch on the way; ``exit_code`` is the shell's for it."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


class _State:
    deferring = 0
    pending = 0


def install() -> None:
    """Let SIGINT and SIGTERM raise :class:`Interrupted` in the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _handle)


@contextmanager
def deferred() -> Iterator[None]:
    """Let signals wait while something is done that must not be left half done, such as starting a process."""
    _State.deferring += 1
    try:
        yield
    finally:
        _State.deferring -= 1
    if _State.pending and not _State.deferring:
        raise Interrupted(_State.pending)


def _handle(number: int, _frame: FrameType | None) -> None:
    _State.pending = number
    if not _State.deferring:
        raise Interrupted(number)
