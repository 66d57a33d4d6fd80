"""Files read from front to back, without filling the page cache.

What a container reads is charged to it until the kernel takes it back. A file that is larger than some
64 MB is dropped from the cache behind the reader, so that the container's usage does not grow with the file.
"""

import errno
import gzip
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from tractcap.errors import DamagedError, InputError, MissingError, TractcapError

_T = TypeVar("_T")

_KEPT = 64 * 2**20
"""Bytes up to which a file may stay in the cache: it is read twice, once to measure and once to draw."""

_STEP = 8 * 2**20
"""Bytes after which what was read is dropped."""

DEFLATE_RATIO = 1032
"""Deflate can't shrink anything further than this (zlib's technical note)."""

_PACKED = (".gz", ".mgz")
"""Endings of files that are compressed with it as a whole."""

_GET = "get it first (datalad get, git annex get)"
_POINTERS = b"/annex/objects/", b"version https://git-lfs"
"""How the small files begin that git-annex and Git LFS leave in place of files that weren't fetched."""

_MOST_WORDS = 300
"""Characters of what a library says of a file."""


def check_file(path: Path, wanted: str) -> None:
    """Check that there is a file to be read, so that nothing is waited for that never comes.

    Parameters
    ----------
    wanted : ends the sentence about what is no file: what to give instead.

    Raises
    ------
    InputError
        Where nothing is, a link to nothing, a folder, a device, or what stands for a file that wasn't fetched.
    """
    with reading(path):
        if path.is_symlink() and not path.exists():
            raise MissingError(f"{path} is a link to a file that isn't there: {_GET}.")
        if not path.exists():
            raise MissingError(f"{path} doesn't exist: {wanted}.")
        there = path.stat()
        if not stat.S_ISREG(there.st_mode):
            raise InputError(f"{path} is no regular file: {wanted}.")
        if there.st_size < 1024 and path.read_bytes().startswith(_POINTERS):
            raise MissingError(f"{path} only stands for a file that isn't there: {_GET}.")


@contextmanager
def reading(path: Path, kind: str = "") -> Iterator[None]:
    """Blame the file for whatever goes wrong while it is read: its reader's errors become an InputError.

    Libraries raise nearly any exception where a file is damaged. Only MemoryError passes, for it may be the machine's:
    compare what a header claims with the length of its file before taking memory for it. Where a library dies of a
    file, nothing is raised: a listener (:func:`listen`) knows which it was.

    Parameters
    ----------
    kind : what the file should be, such as ``"an image"``.
    """
    before = _Read.path
    _Read.begin(str(path))
    try:
        yield
    except (TractcapError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            raise
        if isinstance(error, FileNotFoundError):
            raise MissingError(f"{path} can't be read: {error.strerror or error}.") from error
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path} can't be read: {error.strerror}.") from error
        raise DamagedError(f"{path} can't be read{f' as {kind}' * bool(kind)}: {_words(error)}.") from error
    finally:
        _Read.begin(before)


def each(path: Path, kind: str, values: Iterator[_T]) -> Iterator[_T]:
    """The values that an iterator reads from a file; what is done between two of them isn't reading."""
    nothing = object()
    while True:
        with reading(path, kind):
            value = next(values, nothing)
        if value is nothing:
            return
        yield cast(_T, value)


def listen(listener: Callable[[str], None]) -> None:
    """Let a listener hear the path of each file as its reading begins, and ``""`` when nothing is read any more."""
    _Read.listener = listener


class _Read:
    """What is being read."""

    path = ""
    listener: Callable[[str], None] | None = None

    @classmethod
    def begin(cls, path: str) -> None:
        cls.path = path
        if cls.listener:
            cls.listener(path)


def not_whole(path: Path, kind: str, what: str) -> InputError:
    """The error for a file that is not what it should be; ``kind`` is its format, ``what`` ends the sentence."""
    return DamagedError(f"{path} is not a whole {kind} file: {what}.")


def size_bound(path: Path) -> int:
    """The most bytes that the file can hold once it is unpacked."""
    size = path.stat().st_size
    return size * DEFLATE_RATIO if path.name.lower().endswith(_PACKED) else size


def _words(error: Exception) -> str:
    """What an exception says, in one line; its kind too where that alone says little, as a missing key does."""
    words = " ".join(str(error).split())[:_MOST_WORDS].rstrip(".")
    return words if " " in words else f"{type(error).__name__} {words}".strip()


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, through gzip where its name ends in ``.gz``."""
    with open_plain(path) as plain:
        if not path.name.lower().endswith(".gz"):
            yield plain
            return
        with gzip.GzipFile(fileobj=plain, mode="rb") as unpacked:
            yield cast(BinaryIO, unpacked)


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading as it is."""
    raw = _Forgetful(path) if path.stat().st_size > _KEPT else io.FileIO(path)
    return cast(BinaryIO, io.BufferedReader(raw, 2**16))


class _Forgetful(io.FileIO):
    """A file whose pages leave the cache once they have been read."""

    _seen = 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = super().readinto(buffer)
        self._seen += count
        if self._seen >= _STEP or not count:
            os.posix_fadvise(self.fileno(), 0, self.tell(), os.POSIX_FADV_DONTNEED)
            self._seen = 0
        return count
