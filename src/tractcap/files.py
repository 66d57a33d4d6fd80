"""Files that are either whole or not there."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Ending of a file that is being written. Its writer holds a lock on it: one without is left over from a death."""

_LOCK = "lock"
"""The file in a folder of such files that is locked."""


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


@contextmanager
def all_together(folder: Path, stem: str) -> Iterator[Path]:
    """Yield a folder for files that are moved into ``folder`` when all are there; what is left is removed with it.

    Its name begins like those of the files, so that :func:`clear_parts` clears it away after a death.
    """
    part = Path(tempfile.mkdtemp(prefix=f".{stem}_", suffix=PART, dir=folder))
    try:
        with (part / _LOCK).open("wb") as file:
            _lock(file.fileno())
            yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def clear_parts(folder: Path, stem: str) -> None:
    """Remove what writers that died left of the files whose names begin with ``stem``; a living one's stays."""
    for part in folder.glob(f".*{PART}"):
        if part.name.startswith(f".{stem}"):
            _clear(part)


def _clear(part: Path) -> None:
    try:
        with (part / _LOCK if part.is_dir() else part).open("rb+") as file:
            if not _lock(file.fileno()):
                return
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
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
