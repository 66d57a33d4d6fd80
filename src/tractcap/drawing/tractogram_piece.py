"""Pieces of a tractogram, drawn by several workers and merged by depth: the same pixels as drawn at once.

Pieces of the same picture hold chunks that follow each other, so that where lines are equally near, the later piece's
stays, as it does where one worker draws them all. A piece's file is a zip of bands of rows, of colour and depth, and of
what was counted.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.colors import ColorScale
from tractcap.drawing.lines import StreamlineCounts
from tractcap.records.tractogram_piece import TOLD

if TYPE_CHECKING:
    from tractcap.drawing.canvas import Canvas

_BAND_SAMPLES = 2**16
_HELD = 8
"""Bands that are held, since shading reads the rows around each band again."""

_PIXEL = np.dtype([("color", np.uint8, 3), ("depth", np.float32)])


def _rows(size: int) -> int:
    """How many rows of a picture of this size are a band."""
    return max(1, _BAND_SAMPLES // size)


class PieceWriter:
    """Writes a piece's shots, and at last what is known of it. Use it in a ``with`` block."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._zip.close()

    def write_shot(self, canvas: "Canvas", place: int, number: int) -> None:
        """Write the canvas' shot at a place as the picture of a number."""
        size = canvas.shots[place].size
        for first in range(0, size, _rows(size)):
            rows, columns = range(first, min(first + _rows(size), size)), range(size)
            band = np.empty((len(rows), size), _PIXEL)
            band["color"], band["depth"] = canvas.colors(place, rows, columns), canvas.raw_depths(place, rows, columns)
            self._zip.writestr(f"{number}/{first}", band.tobytes())

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Write values that JSON holds, for :func:`tractcap.records.tractogram_piece.read_told`."""
        self._zip.writestr(TOLD, json.dumps(facts))


class MergedPieces:
    """The pieces' shots, to be read like those of a canvas; ``first`` is the number of the first.

    Only bands are held in memory, whatever the size of the pictures.
    """

    def __init__(self, files: Sequence[zipfile.ZipFile], canvas: "Canvas", first: int) -> None:
        self.shots, self.frame = canvas.shots, canvas.frame
        self._files, self._first = files, first
        self._band = lru_cache(_HELD)(self._merge)

    def touched(self, shot: int) -> tuple[range, range]:
        """All rows and columns: what pieces drew isn't known before it is read."""
        return range(self.shots[shot].size), range(self.shots[shot].size)

    def colors(self, shot: int, rows: range, columns: range) -> NDArray[np.uint8]:
        """See :meth:`tractcap.drawing.canvas.Canvas.colors`."""
        colors: NDArray[np.uint8] = self._read(shot, rows, columns)["color"]
        return colors

    def depths(self, shot: int, rows: range, columns: range) -> NDArray[np.float32]:
        """See :meth:`tractcap.drawing.canvas.Canvas.depths`."""
        return self.shots[shot].in_mm(np.ascontiguousarray(self._read(shot, rows, columns)["depth"]))

    def sums(self, shot: int, rows: range, columns: range) -> list[NDArray[np.float32]]:
        """None: sums of layers round otherwise in another order, so they aren't drawn in pieces."""
        del shot, rows, columns
        return []

    def _read(self, shot: int, rows: range, columns: range) -> NDArray[Any]:
        step = _rows(self.shots[shot].size)
        start = rows.start - rows.start % step
        bands = [self._band(shot, row)[:, columns.start : columns.stop] for row in range(start, rows.stop, step)]
        return np.concatenate(bands)[rows.start - start : rows.stop - start]

    def _merge(self, shot: int, row: int) -> NDArray[Any]:
        """What is nearest of all pieces, in the band that begins with a row; of what is equally near, the last."""
        size, name = self.shots[shot].size, f"{self._first + shot}/{row}"
        packed = (file.read(name) for file in self._files if name in file.NameToInfo)
        bands = (np.frombuffer(band, _PIXEL).reshape(-1, size) for band in packed)
        nearest = next(bands).copy()
        for band in bands:
            nearer = band["depth"] <= nearest["depth"]
            nearest[nearer] = band[nearer]
        return nearest


@dataclass
class PieceFacts:
    """What is known of streamlines once they are drawn: counts, what the colours stand for, and their reach.

    ``reach`` (3,) is the longest way along each axis, in mm, from a streamline's begin to its end. The facts of a piece
    are of all that was read up to its end: those of the last piece are of everything.
    """

    tally: StreamlineCounts
    scale: ColorScale | None = None
    reach: NDArray[np.float32] = field(default_factory=lambda: np.zeros(3, np.float32))

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        scale = asdict(self.scale) if self.scale else None
        return {"tally": vars(self.tally), "scale": scale, "reach": self.reach.tolist()}

    @classmethod
    def load(cls, values: Mapping[str, Any]) -> Self:
        """From the values of :meth:`dump`, read from JSON."""
        tally = values["tally"] | {"left_out": Counter(values["tally"]["left_out"])}
        scale = values["scale"] and ColorScale(**values["scale"] | {"words": tuple(values["scale"]["words"])})
        return cls(StreamlineCounts(**tally), scale, np.array(values["reach"], np.float32))
