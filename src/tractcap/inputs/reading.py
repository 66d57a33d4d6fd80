"""Files read from front to back, without filling the page cache.

What a container reads is charged to it until the kernel takes it back. A file that is larger than some
64 MB is dropped from the cache behind the reader, so that the container's usage does not grow with the file.
"""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

_KEPT = 64 * 2**20
"""Bytes up to which a file may stay in the cache: it is read twice, once to measure and once to draw."""

_STEP = 8 * 2**20
"""Bytes after which what was read is dropped."""


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
