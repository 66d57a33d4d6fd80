"""Small files: written whole or not at all, and read whatever lies in their place.

What a run reads may be a folder, a pipe, another program's file or half a file: each is refused by a sentence.
"""

import errno
import fcntl
import json
import logging
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from tractcap.errors import RecordError

log = logging.getLogger("tractcap")

MAX_BYTES = 16 * 2**20
"""Bytes of the largest file that is read; the record of an overview of 10,000 bundles has a quarter of that."""

PART = ".part"
"""Ending of a file that is being written. Its writer holds a lock on it: one without is left over from a death."""

_LOCK = "lock"
"""The file in a folder of such files that is locked."""


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file next to its final name and rename it into place, so that no half of it is ever seen.

    What a writer left of it that died is cleared away first.

    Raises
    ------
    OSError
        When it can't be written; nothing is left behind then.
    """
    clear_parts(path.parent, f"{path.name}.")
    with _begun(path.parent, f"{path.name}.", _create) as (file, part):
        try:
            write(file)
            file.flush()
            _if_known(os.fchmod, file.fileno(), 0o666 & ~UMASK)
            _if_known(os.fsync, file.fileno())
            _rename(part, path)
        except OSError as error:
            if error.filename is None:  # a full disk doesn't say which file
                error.filename = str(path)
            raise


def _if_known(call: Callable[..., None], *arguments: int) -> None:
    """Call what some file systems don't know, such as those of FUSE; it is left out there."""
    try:
        call(*arguments)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            raise


_PAUSES = 0.1, 1.0
"""Seconds after which a name is asked for again that a server of files has lost sight of."""


def _rename(source: Path, target: Path) -> None:
    """Rename a file, also where the server has done so, but its answer was lost, or has lost sight of it (ESTALE)."""
    state = source.stat()
    for pause in (*_PAUSES, None):
        try:
            source.replace(target)
        except OSError as error:
            if error.errno == errno.ENOENT and target.exists() and os.path.samestat(state, target.stat()):
                return
            if error.errno != errno.ESTALE or pause is None:
                raise
            time.sleep(pause)
        else:
            return


def move(source: Path, target: Path) -> None:
    """Rename a file into another folder; where the folders are on different servers (EXDEV), it is copied whole.

    Raises
    ------
    OSError
    """
    try:
        _rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with source.open("rb") as file:
            write_whole(target, partial(shutil.copyfileobj, file))


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 by :func:`write_whole`; a name's bytes that are no UTF-8 are escaped, as JSON has them."""

    def write(file: BinaryIO) -> None:
        file.write(text.encode(errors="backslashreplace"))

    write_whole(path, write)


def sync_folder(folder: Path) -> None:
    """Have the names of a folder's files on the disk, so that a file renamed into place is there after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems don't know of it, and keep names by themselves
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def taking_turns(path: Path) -> Iterator[None]:
    """Wait for the lock on a file, which is made for it; where a file system knows no locks, nobody waits."""
    file: BinaryIO
    try:
        file = path.open("ab")
    except PermissionError:
        file = path.open("rb")  # another user's, who made it first
    with file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def all_together(folder: Path, stem: str) -> Iterator[Path]:
    """Yield a folder for files that are moved into ``folder`` when all are there; what is left is removed with it.

    Its name begins like those of the files, so that :func:`clear_parts` clears it away after a death.
    """
    with _begun(folder, f"{stem}_", _create_folder) as (_, part):
        yield part


def clear_parts(folder: Path, stem: str) -> None:
    """Remove what writers that died left of the files whose names begin with ``stem``; those of living writers stay.

    Where the file system knows no locks nobody can tell which these are: all stay, which is logged.
    """
    for part in folder.glob(f".*{PART}"):
        if not part.name.startswith(f".{stem}"):
            continue
        is_folder = part.is_dir()
        lock = part / _LOCK if is_folder else part
        try:
            with lock.open("rb+") as file:
                left_over = lock_open_file(file.fileno())
                if left_over:
                    lock.unlink()  # as long as it is locked: see _begun
        except OSError:
            continue  # gone, or another user's
        if left_over is None:
            log.warning("%s stays: remove it if no run is at work there. This file system has no locks that say", part)
        elif left_over and is_folder:  # after the lock was closed: a network file system keeps what is open
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _begun(folder: Path, prefix: str, create: Callable[[Path], int]) -> Iterator[tuple[BinaryIO, Path]]:
    """A part that is locked by the file that ``create`` opens, and removed at the end if it still has its name.

    It is begun again where :func:`clear_parts`, before it was locked, took it for left over. Its name is known before
    it is there, so that a signal leaves nothing behind, whenever it comes.
    """
    while True:
        part = folder / f".{prefix}{secrets.token_hex(4)}{PART}"
        try:
            with os.fdopen(create(part), "wb") as file:
                locked = lock_open_file(file.fileno()) is not False
                if locked and (part / _LOCK if part.is_dir() else part).exists():
                    yield file, part
                    return
        finally:
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)


def _create(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)


def _create_folder(path: Path) -> int:
    path.mkdir(0o700)
    return _create(path / _LOCK)


def lock_open_file(handle: int, kind: int = fcntl.LOCK_EX) -> bool | None:
    """Lock a file for as long as it is open; False when another has it, None when this file system knows no locks."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


UMASK = os.umask(0)  # which can only be read by setting it
os.umask(UMASK)


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it can't be read, or holds something else.
    """
    text = read_text(path)
    try:
        content = _DECODER.decode(text)
    except RecursionError:
        raise RecordError(path, "it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise RecordError(
            path, f"it is no whole JSON (line {error.lineno})" if text.strip() else "it is empty"
        ) from None
    except _ConstantError as error:
        raise RecordError(path, str(error)) from None
    except ValueError:
        raise RecordError(path, "it holds a number of thousands of digits") from None
    if not isinstance(content, dict):
        raise RecordError(path, "it holds no JSON object")
    return content


class _ConstantError(ValueError):
    """A JSON file holds NaN or Infinity, which Python would take."""


def _refuse_constant(word: str) -> NoReturn:
    raise _ConstantError(f"it holds {word}, which is no number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it is no file that can be read whole, or no text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(path, f"its byte {error.start:,} is no UTF-8 text") from None


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it is no file that can be read whole.
    """
    data = read_start(path, MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise RecordError(path, f"it has more than {MAX_BYTES // 2**20} MB, as none that tractcap writes")
    return data


def read_start(path: Path, count: int) -> bytes:
    """The first bytes of a file, at most ``count``. A named pipe isn't waited for.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    RecordError
        When it is no file that can be read.
    """
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise RecordError(path, "it is a pipe or device, not a file")
            return file.read(min(state.st_size, count))
    except FileNotFoundError:
        if path.is_symlink():
            raise RecordError(path, "it is a link to a file that isn't there") from None
        raise
    except OSError as error:
        raise RecordError(path, f"it can't be read ({error.strerror or error})") from None
    except ValueError:
        raise RecordError(path, "its name can't be that of a file") from None
