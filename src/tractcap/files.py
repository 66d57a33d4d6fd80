"""Files that are either whole or not there."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Ending of a file that is being written. Its writer holds a lock on it: one without is left over from a death."""


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file beside its final name and rename it into place, so that no half of it is ever seen.

    Raises
    ------
    OSError
        When it can't be written; nothing is left behind then.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(handle)
            write(file)
            file.flush()
            os.fchmod(handle, 0o666 & ~_UMASK)
            os.fsync(handle)
            part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk doesn't say which file
            error.filename = str(path)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 by :func:`write_whole`; a name's bytes that are no UTF-8 are escaped, as JSON has them."""

    def write(file: BinaryIO) -> None:
        file.write(text.encode(errors="backslashreplace"))

    write_whole(path, write)


def clear_parts(folder: Path, stem: str) -> None:
    """Remove what writers that died left of the files whose names begin with ``stem``; a living one's stays."""
    for part in folder.glob(f".*{PART}"):
        if part.name.startswith(f".{stem}"):
            _clear(part)


def _clear(part: Path) -> None:
    try:
        with part.open("rb+") as file:
            if _lock(file.fileno()):
                part.unlink(missing_ok=True)
    except OSError:
        return  # gone, or another user's


def _lock(handle: int) -> bool:
    """Lock a file for as long as it is open; False when another has it, or when this file system knows no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_UMASK = _umask()
