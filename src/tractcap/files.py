"""Files that are either whole or not there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Ending of a file that is being written; one that is left over belongs to a run that was killed."""


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file beside its final name and rename it into place, so that no half of it is ever seen.

    Raises
    ------
    OSError
        When it can't be written; nothing is left behind then.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 by :func:`write_whole`."""

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    write_whole(path, write)
