"""A piece of a tractogram's pictures, for a worker or a shard to draw.

Pieces part the pictures first: who draws half of them from the whole file takes half of the time, but for the reading.
Points are parted where there are more pieces than pictures: what hides what is seen the later, the fewer are drawn.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.files import MAX_BYTES
from tractcap.records.json_record import JsonRecord

TOLD = "told.json"
"""Within a piece's file."""


@dataclass(frozen=True)
class Piece(JsonRecord, keys=str):
    """The ``index``-th of ``count`` pieces, from 0 on, of a tractogram of which there shall be so many ``pictures``.

    ``count`` is a multiple of ``pictures`` where it is more.
    """

    index: int
    count: int
    pictures: int = 1

    @property
    def drawn(self) -> range:
        """The numbers of the pictures that it draws."""
        at = self.index // self._parts
        first, last = (self.pictures * group // self._groups for group in (at, at + 1))
        return range(first, last)

    def bounds(self, points: int) -> tuple[float, float]:
        """From which point on it draws them, and up to which, of a tractogram of at most so many."""
        at = self.index % self._parts
        first, last = (points * part // self._parts for part in (at, at + 1))
        return first, last if at + 1 < self._parts else float("inf")

    @property
    def _groups(self) -> int:
        """How many groups of pictures there are, each drawn by as many pieces: see :func:`pieces`."""
        return min(self.count, self.pictures)

    @property
    def _parts(self) -> int:
        return self.count // self._groups


WHOLE = Piece(0, 1)


def pieces(count: int, pictures: int) -> tuple[Piece, ...]:
    """At least so many pieces, as many for each picture where there are more than pictures."""
    several = count if count <= pictures else -(-count // pictures) * pictures
    return tuple(Piece(index, several, pictures) for index in range(several))


def read_told(path: Path) -> dict[str, Any]:
    """What is told of a piece.

    Raises
    ------
    OSError, ValueError, KeyError, zipfile.BadZipFile
        When it isn't there, or no piece.
    """
    with zipfile.ZipFile(path) as archive, archive.open(TOLD) as packed:
        text = packed.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ValueError("it tells more than any piece")
        told: dict[str, Any] = json.loads(text)
        return told
