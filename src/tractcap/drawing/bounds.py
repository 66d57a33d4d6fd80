"""Where streamlines lie: the box around all of them, and the one that pictures frame, which a few far away don't widen.

A wrong warp or a damaged file throws streamlines metres away; were they framed, all others would be dots. How many end
where is counted to a mm on each side, so that the boxes don't depend on the chunks, and no file is too large.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import FARTHEST, QUANTA
from tractcap.drawing.views import Vector
from tractcap.inputs.tractograms.chunks import Chunk

_FEW, _FEWEST, _MOST_OF = 200, 3, 10
"""A few streamlines are one in 200; in small bundles up to three, if they are no more than one in ten."""

_FAR = 150.0
_WIDER = 0.5
"""Far away is more than so many mm, and so many times the extent of all others, beyond these: no brain is as large."""

_MIDDLE = int(FARTHEST)
_PLACES = 2 * _MIDDLE + 1
"""Whole mm from the one end to the other along an axis."""


@dataclass(frozen=True)
class Bounds:
    """Corners in RAS+ mm.

    ``low`` and ``high`` are around all streamlines, ``most_low`` and ``most_high`` around all but a few on each side,
    and ``framed_low`` and ``framed_high`` around all but a few that lie far away: what pictures show.
    ``center`` is the mean of the points, without those of streamlines whose own mean lies outside of what is framed.
    """

    low: Vector
    high: Vector
    most_low: Vector
    most_high: Vector
    framed_low: Vector
    framed_high: Vector
    center: Vector


@dataclass
class _Piece:
    """Of a streamline, or the part of one that was seen: corners (3,), how many points, their sums in quanta (3,)."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    points: int
    sums: NDArray[np.int64]


class BoundsMeter:
    """Takes chunks of drawable streamlines in their order; a streamline's pieces in several of them are one."""

    def __init__(self) -> None:
        self._low, self._high = np.full(3, np.inf, np.float32), np.full(3, -np.inf, np.float32)
        self._lows, self._highs = (
            np.zeros((3, _PLACES), np.int64) for _ in range(2)
        )  # streamlines that end at each mm
        self._points, self._sums = (np.zeros((3, _PLACES), np.int64) for _ in range(2))  # by each one's mean
        self._open: _Piece | None = None

    def add(self, chunk: Chunk) -> None:
        """Count the streamlines that end in a chunk."""
        if not chunk.head:
            self._close()
        columns = np.ascontiguousarray(chunk.points.T)
        lows, highs = (one.reduceat(columns, chunk.offsets[:-1], axis=1) for one in (np.minimum, np.maximum))
        quanta = np.rint(columns * np.float32(QUANTA)).astype(np.int64)
        quanta[:, : chunk.new.start] = quanta[:, chunk.new.stop :] = 0
        sums = np.add.reduceat(quanta, chunk.offsets[:-1], axis=1)
        counts = np.diff(chunk.offsets)
        counts[0] -= chunk.new.start
        counts[-1] -= len(chunk.points) - chunk.new.stop
        if self._open:
            lows[:, 0] = np.minimum(lows[:, 0], self._open.low)
            highs[:, 0] = np.maximum(highs[:, 0], self._open.high)
            sums[:, 0] += self._open.sums
            counts[0] += self._open.points
        self._open = _Piece(lows[:, -1], highs[:, -1], int(counts[-1]), sums[:, -1]) if chunk.tail else None
        ended = slice(0, len(counts) - chunk.tail)
        self._count(lows[:, ended], highs[:, ended], counts[ended], sums[:, ended])

    def _close(self) -> None:
        """The piece that waited for another was the last: the others could not be drawn."""
        if piece := self._open:
            self._count(piece.low[:, None], piece.high[:, None], np.array([piece.points]), piece.sums[:, None])
        self._open = None

    def _count(
        self, lows: NDArray[np.float32], highs: NDArray[np.float32], counts: NDArray[np.int64], sums: NDArray[np.int64]
    ) -> None:
        if not len(counts):
            return
        self._low = np.minimum(self._low, lows.min(axis=1))
        self._high = np.maximum(self._high, highs.max(axis=1))
        means = sums // (counts * QUANTA)
        for axis in range(3):
            np.add.at(self._lows[axis], np.floor(lows[axis]).astype(np.int64) + _MIDDLE, 1)
            np.add.at(self._highs[axis], np.ceil(highs[axis]).astype(np.int64) + _MIDDLE, 1)
            np.add.at(self._points[axis], means[axis] + _MIDDLE, counts)
            np.add.at(self._sums[axis], means[axis] + _MIDDLE, sums[axis])

    def boxes(self) -> Bounds:
        """Around what was counted, of at least one streamline."""
        self._close()
        total = int(self._lows[0].sum())
        few = min(total // _MOST_OF, max(_FEWEST, total // _FEW))
        # the same is done on both sides, by mirroring the low one
        ends = np.concatenate([self._lows[:, ::-1], self._highs])
        whole = np.concatenate([-self._low, self._high]).astype(np.float64)
        most = np.array([_farthest(one, few) for one in ends])
        most = np.minimum(most, whole)
        limit = most + max(_FAR, _WIDER * float((most[:3] + most[3:]).max()))
        framed = np.array([_within(one, edge, far) for one, edge, far in zip(ends, whole, limit, strict=True)])
        low, high = -framed[:3], framed[3:]
        return Bounds(*_corners(whole), *_corners(most), *_corners(framed), self._center(np.floor(low), np.floor(high)))

    def _center(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> Vector:
        x, y, z = (
            int(self._sums[axis, inside].sum()) / QUANTA / max(1, int(self._points[axis, inside].sum()))
            for axis, inside in enumerate(
                slice(int(one) + _MIDDLE, int(other) + _MIDDLE + 1) for one, other in zip(low, high, strict=True)
            )
        )
        return round(x, 3), round(y, 3), round(z, 3)


def _farthest(ends: NDArray[np.int64], few: int) -> int:
    """The mm at which the farthest streamlines end, if a few are left aside."""
    beyond = np.cumsum(ends[::-1])
    return _MIDDLE - int(np.searchsorted(beyond, few, side="right"))


def _within(ends: NDArray[np.int64], whole: float, limit: float) -> float:
    """Where the farthest of streamlines end that don't reach beyond a limit."""
    if whole <= limit:
        return whole
    return float(np.flatnonzero(ends[: math.floor(limit) + _MIDDLE + 1])[-1] - _MIDDLE)


def _corners(sides: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """The low and the high corner, from the mirrored low sides and the high ones."""
    x, y, z = (-float(side) + 0.0 for side in sides[:3])
    right, front, top = (float(side) for side in sides[3:])
    return (x, y, z), (right, front, top)
