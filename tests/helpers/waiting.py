"""Waiting for what others do: by looking again until it is so, up to a deadline, and never for a time alone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = 120) -> T:
    """Look again and again until there is something to see, and return it.

    Raises
    ------
    AssertionError
        When the deadline has passed: it says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} seconds for {what}"
        time.sleep(0.1)
    return seen


def processes(*marks: bytes) -> list[str]:
    """The command lines of the processes of this machine whose environment or command line holds all the marks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = ((folder / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            continue  # gone meanwhile, or another user's
        if all(mark in command + environment for mark in marks):
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found
