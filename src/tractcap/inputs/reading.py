"""Files read from front to back, without filling the page cache.

What a container reads counts as its memory until the kernel takes it back. A file larger than 64 MB is dropped from the
cache behind the reader, so that the container's usage does not grow with the file.
"""

import errno
import gzip
import io
import os
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from tractcap.errors import DamagedError, InputError, MissingError, TractcapError

_T = TypeVar("_T")

_MOST_CACHED = 64 * 2**20
"""Bytes up to which a file may stay in the cache: it is read twice, once to measure and once to draw."""

_DROPPED_AFTER = 8 * 2**20
"""Bytes read after which the cache is dropped."""

DEFLATE_RATIO = 1032
"""Deflate can't shrink anything by more than this (zlib's technical note)."""

_PACKED = (".gz", ".mgz")
"""Endings of files that are compressed with it as a whole."""

_GET = "get it first (datalad get, git annex get)"
_POINTERS = b"/annex/objects/", b"version https://git-lfs"
"""How the small files begin that git-annex and Git LFS leave in place of files that weren't fetched."""

_NOT_A_ZIP = "File is not a zip file"
"""What zipfile says of a file whose end isn't a zip's: other faults are told of with their place."""

_MOST_WORDS = 300
"""Characters of a library's message that are quoted."""


def check_file(path: Path, wanted: str) -> None:
    """Check that there is a regular file, so that reading never waits for a pipe.

    Parameters
    ----------
    wanted : what to give instead, which ends the error's sentence.

    Raises
    ------
    InputError
        For nothing, a link to nothing, a folder, a device, or a stand-in for a file that wasn't fetched.
    """
    with reading(path):
        if path.is_symlink() and not path.exists():
            raise MissingError(f"{path} is a link to a file that isn't there: {_GET}.")
        if not path.exists():
            raise MissingError(f"{path} doesn't exist: {wanted}.")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file: {wanted}.")
        if status.st_size < 1024 and path.read_bytes().startswith(_POINTERS):
            raise MissingError(f"{path} only stands for a file that isn't there: {_GET}.")


@contextmanager
def reading(path: Path, kind: str = "") -> Iterator[None]:
    """Blame the file for whatever goes wrong while it is read: its reader's errors become an InputError.

    Libraries raise nearly any exception for a damaged file. Only MemoryError passes, since it may be the machine's:
    compare what a header claims with the length of its file before taking memory for it. If a library crashes on a
    file, nothing is raised: a listener (:func:`listen`) knows which file it was.

    Parameters
    ----------
    kind : what the file should be, such as ``"an image"``.
    """
    try:
        with announced(path):
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
        raise DamagedError(f"{path} can't be read{f' as {kind}' * bool(kind)}: {_cause(error)}.") from error


@contextmanager
def announced(path: Path) -> Iterator[None]:
    """Let the listener know that a file is being read, or is waited for while another thread reads it."""
    before = _Read.path
    _Read.begin(str(path))
    try:
        yield
    finally:
        _Read.begin(before)


def _cause(error: Exception) -> str:
    """Why a file can't be read, in words of ours for what libraries say of themselves rather than of it."""
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile) or str(error) == _NOT_A_ZIP:
        return "what it holds can't be unpacked, since it is cut off, damaged or not compressed as its name says"
    if isinstance(error, ExpatError | ParseError):
        return "its XML is cut off or damaged"
    if isinstance(error, ValueError) and "cannot reshape" in str(error):  # NumPy's
        return "it holds more or fewer values than it promises"
    words = " ".join(str(error).split())[:_MOST_WORDS].rstrip(".")
    return words if " " in words else f"{type(error).__name__} {words}".strip()  # a missing key is all that some say


def each(path: Path, kind: str, values: Iterator[_T]) -> Iterator[_T]:
    """The values that an iterator reads from a file; errors between two of them are not blamed on the file."""
    nothing = object()
    while True:
        with reading(path, kind):
            value = next(values, nothing)
        if value is nothing:
            return
        yield cast(_T, value)


def listen(listener: Callable[[str], None]) -> None:
    """Call a listener with the path of each file as its reading begins, and with ``""`` once nothing is being read."""
    _Read.listener = listener


class _Read:
    """The file that is being read, as far as the main thread knows: what others read beside it, it may wait for."""

    path = ""
    listener: Callable[[str], None] | None = None

    @classmethod
    def begin(cls, path: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        cls.path = path
        if cls.listener:
            cls.listener(path)


def not_whole(path: Path, kind: str, what: str) -> InputError:
    """The error for a file that is damaged; ``kind`` is its format, ``what`` ends the sentence."""
    return DamagedError(f"{path} is not a whole {kind} file: {what}.")


def size_bound(path: Path) -> int:
    """The most bytes that the file can hold once unpacked."""
    size = path.stat().st_size
    return size * DEFLATE_RATIO if path.name.lower().endswith(_PACKED) else size


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
    """Open a file for reading, without unpacking it."""
    raw = _UncachedFile(path) if path.stat().st_size > _MOST_CACHED else io.FileIO(path)
    return cast(BinaryIO, io.BufferedReader(raw, 2**16))


class _UncachedFile(io.FileIO):
    """A file whose pages leave the cache once they have been read."""

    _seen = 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = super().readinto(buffer)
        self._seen += count
        if self._seen >= _DROPPED_AFTER or not count:
            os.posix_fadvise(self.fileno(), 0, self.tell(), os.POSIX_FADV_DONTNEED)
            self._seen = 0
        return count
