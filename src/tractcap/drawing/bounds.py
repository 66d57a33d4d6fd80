"""Where streamlines lie: the box around all of them, and the one that pictures frame, which a few far away don't widen.

A wrong warp or a damaged file throws streamlines metres away; were they framed, all others would be dots. How many
streamlines end at each mm of each side is counted, so that the boxes don't depend on the chunks, and no file is too
large.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import FARTHEST, QUANTA, StreamlineCounts
from tractcap.drawing.views import Frame, Vector
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
class _Open:
    """The streamline that goes on in the next chunk, as far as it was seen.

    Its corners (3,), how many points it has, and their sums in quanta (3,).
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    points: int
    sums: NDArray[np.int64]


class BoundsMeter:
    """Takes chunks of drawable streamlines in their order; a streamline's pieces in several of them are one."""

    def __init__(self) -> None:
        self._low, self._high = np.full(3, np.inf, np.float32), np.full(3, -np.inf, np.float32)
        # for each axis and each mm: how many streamlines end there on the low and on the high side, and of those whose
        # mean lies there, how many points they have and what their coordinates sum up to
        self._lows, self._highs, self._points, self._sums = (np.zeros((3, _PLACES), np.int64) for _ in range(4))
        self._open: _Open | None = None

    def add(self, chunk: Chunk) -> None:
        """Count the streamlines that end in a chunk."""
        if not chunk.head:
            self._close()
        columns = chunk.columns
        lows, highs = (extreme.reduceat(columns, chunk.offsets[:-1], axis=1) for extreme in (np.minimum, np.maximum))
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
        self._open = _Open(lows[:, -1], highs[:, -1], int(counts[-1]), sums[:, -1]) if chunk.tail else None
        ended = slice(0, len(counts) - chunk.tail)
        self._count(lows[:, ended], highs[:, ended], counts[ended], sums[:, ended])

    def _close(self) -> None:
        """The open streamline has ended: the rest of it could not be drawn."""
        if last := self._open:
            self._count(last.low[:, None], last.high[:, None], np.array([last.points]), last.sums[:, None])
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
        """The boxes around what was counted, which must be one streamline or more."""
        self._close()
        total = int(self._lows[0].sum())
        few = min(total // _MOST_OF, max(_FEWEST, total // _FEW))
        # the same is done on both sides, by mirroring the low one
        ends = np.concatenate([self._lows[:, ::-1], self._highs])
        whole = np.concatenate([-self._low, self._high]).astype(np.float64)
        # the mm at which the farthest streamlines end, if a few are left aside
        most = np.array([_MIDDLE - np.searchsorted(np.cumsum(side[::-1]), few, side="right") for side in ends])
        most = np.minimum(most, whole)
        limits = most + max(_FAR, _WIDER * float((most[:3] + most[3:]).max()))
        # where the farthest of those end that don't reach beyond the limit
        framed = np.array(
            [
                edge if edge <= limit else np.flatnonzero(side[: math.floor(limit) + _MIDDLE + 1])[-1] - _MIDDLE
                for side, edge, limit in zip(ends, whole, limits, strict=True)
            ]
        )
        center = []
        for axis, (low, high) in enumerate(zip(np.floor(-framed[:3]), np.floor(framed[3:]), strict=True)):
            inside = slice(int(low) + _MIDDLE, int(high) + _MIDDLE + 1)
            sums, points = int(self._sums[axis, inside].sum()), int(self._points[axis, inside].sum())
            center.append(round(sums / QUANTA / max(1, points), 3))
        return Bounds(*_corners(whole), *_corners(most), *_corners(framed), (center[0], center[1], center[2]))


def _corners(sides: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """The low and the high corner, from the mirrored low sides and the high ones."""
    x, y, z = (-float(side) + 0.0 for side in sides[:3])
    right, front, top = (float(side) for side in sides[3:])
    return (x, y, z), (right, front, top)


class CroppedStreamlines:
    """Counts the streamlines that reach beyond the edges of a frame's pictures.

    It takes chunks of drawable streamlines in their order; pieces of a streamline in several chunks count once.
    """

    def __init__(self, frame: Frame) -> None:
        self._center, self._reach = frame.center, frame.reach
        self._counted = False  # whether the streamline that goes on in the next chunk has been counted

    def count(self, chunk: Chunk, tally: StreamlineCounts) -> None:
        """Add those of a chunk."""
        columns = [np.abs(column - np.float32(at)) for column, at in zip(chunk.columns, self._center, strict=True)]
        farthest = max(float(column.max()) for column in columns) - self._reach
        counted = self._counted and chunk.head
        self._counted = chunk.tail and counted and len(chunk.offsets) == 2
        if farthest <= 0:
            return
        tally.farthest = max(tally.farthest, farthest)
        each = np.maximum.reduceat(np.maximum.reduce(columns), chunk.offsets[:-1]) > self._reach
        tally.beyond += int(each.sum()) - bool(counted and each[0])
        self._counted |= bool(chunk.tail and each[-1])


def cropping_notes(tally: StreamlineCounts) -> Iterator[str]:
    """What a viewer must know of streamlines that are not shown whole: sentences without a full stop."""
    if tally.beyond:
        which = "1 streamline lies" if tally.beyond == 1 else f"{tally.beyond:,} streamlines lie"
        yield f"{which} wholly or partly outside of the picture, up to {math.ceil(tally.farthest):,} mm away"
