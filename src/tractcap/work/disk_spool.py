"""Values on disk, by key: what is known of a whole dataset, without holding it in memory."""

import pickle
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_IN_MEMORY = 2**18
"""Bytes up to which there is no file: most runs are small."""

_NONE = -1


class Spool(Generic[T]):
    """Lists of values by key, in a file that has no name and is gone with its process.

    Of each key its place in the file alone is held in memory. Values are written as they come, those of one key that
    come one after the other together.

    Parameters
    ----------
    folder : where the file is; where there is none, it is in the system's folder of temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        where = str(folder) if folder and folder.is_dir() else None
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=where)  # noqa: SIM115  as long as the spool
        self._last: dict[str, int] = {}
        self._key = ""
        self._coming: list[T] = []

    def add(self, key: str, values: Iterable[T]) -> None:
        """Add values behind those that a key has."""
        if key != self._key:
            self._write()
        self._key = key
        self._last.setdefault(key, _NONE)
        self._coming += values

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order in which they came."""
        return iter(list(self._last))

    def __len__(self) -> int:
        return len(self._last)

    def of(self, key: str) -> list[T]:
        """The values of a key, in the order in which they came."""
        self._write()
        at, parts = self._last.get(key, _NONE), []
        while at != _NONE:
            self._file.seek(at)
            size = int.from_bytes(self._file.read(8), "little")
            at, values = pickle.loads(zlib.decompress(self._file.read(size)))  # noqa: S301  written here
            parts.append(values)
        return [value for part in reversed(parts) for value in part]

    def __del__(self) -> None:
        self._file.close()

    def _write(self) -> None:
        if not self._coming:
            return
        data = zlib.compress(pickle.dumps((self._last[self._key], self._coming)), 1)
        self._last[self._key] = self._file.seek(0, 2)
        self._file.write(len(data).to_bytes(8, "little") + data)
        self._coming = []
