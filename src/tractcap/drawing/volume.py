"""The voxels that streamlines pass through."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.chunks import Chunk

VOXEL = 2.0
"""mm along a voxel of the grid, whose faces lie at even coordinates: the same grid for everyone."""

_BITS = 5
_SIDE = 1 << _BITS
"""Voxels along a block; only blocks that something passes through are held."""

_MOST_BLOCKS = 256
"""A head takes less than a hundred. Where more would be needed, voxels are twice as long, until so many are enough."""

_FEW = 2**16
"""Blocks in the box around points up to which a table of these is quicker than sorting."""

_MOST_STEPS = 128
"""Along a segment; one of over a quarter of a metre is no fibre's, and is followed more coarsely."""

_STEPPED = 2**16
"""Points between those of the file that are marked at once."""


class VisitedVolume:
    """Takes chunks in any order. ``voxel`` is mm along a voxel."""

    def __init__(self) -> None:
        self.voxel = VOXEL
        self._blocks: dict[tuple[int, int, int], int] = {}  # the number of each, by its place
        self._cells = np.zeros((_MOST_BLOCKS, _SIDE, _SIDE, _SIDE), bool)

    def add(self, chunk: Chunk) -> None:
        """Mark the voxels that a chunk's streamlines pass through."""
        self.mark(chunk.columns.T)
        across = chunk.steps.T
        x, y, z = np.abs(chunk.steps)
        farthest = np.maximum(np.maximum(x, y), z)
        steps = np.minimum(np.ceil(farthest / np.float32(VOXEL)), _MOST_STEPS).astype(np.int64)
        long = np.flatnonzero(steps > 1)
        upto = np.cumsum(steps[long])
        for number in range(int(upto[-1]) // _STEPPED + 1 if len(long) else 0):
            part = long[slice(*np.searchsorted(upto, (number * _STEPPED, (number + 1) * _STEPPED), side="right"))]
            if len(part):
                self.mark(points_between(chunk.points[part], across[part], steps[part]))

    @property
    def volume(self) -> float:
        """In mm³."""
        return float(np.count_nonzero(self._cells[: len(self._blocks)]) * self.voxel**3)

    @property
    def centers(self) -> NDArray[np.float64]:
        """The middles of the voxels, (N, 3) in mm."""
        numbers, *within = np.nonzero(self._cells[: len(self._blocks)])
        places = np.array(list(self._blocks), np.int64).reshape(-1, 3)
        voxels = places[numbers] * _SIDE + np.stack(within, axis=1)
        return np.asarray((voxels + 0.5) * self.voxel, np.float64)

    def volumes(self, other: "VisitedVolume") -> tuple[float, float, float]:
        """Volumes in mm³, on the coarser of both grids: of this one, of the other, and of what both pass through."""
        voxel = max(self.voxel, other.voxel)
        ours, theirs = self._coarsened(voxel), other._coarsened(voxel)
        both = sum(
            np.count_nonzero(ours._cells[number] & theirs._cells[theirs._blocks[place]])
            for place, number in ours._blocks.items()
            if place in theirs._blocks
        )
        return ours.volume, theirs.volume, float(both * voxel**3)

    def mark(self, points: NDArray[np.floating]) -> None:
        """Mark the voxels of points (N, 3) in mm."""
        places, which, within = self._blocks_of(points)
        while len(self._blocks | dict.fromkeys(places)) > _MOST_BLOCKS:
            self._coarsen()
            places, which, within = self._blocks_of(points)
        numbers = np.array([self._blocks.setdefault(place, len(self._blocks)) for place in places], np.int32)
        self._cells.reshape(-1)[numbers[which] << 3 * _BITS | within] = True

    def _blocks_of(
        self, points: NDArray[np.floating]
    ) -> tuple[list[tuple[int, int, int]], NDArray[np.int64], NDArray[np.int32]]:
        """The places of the blocks that points are in; for each point which of them, and its voxel's number there."""
        x, y, z = (np.floor(column * np.float32(1 / self.voxel)).astype(np.int32) for column in points.T)
        within = ((x & _SIDE - 1) << _BITS | y & _SIDE - 1) << _BITS | z & _SIDE - 1
        blocks = [axis >> _BITS for axis in (x, y, z)]
        first = [int(axis.min()) for axis in blocks]
        counts = [int(axis.max()) - low + 1 for axis, low in zip(blocks, first, strict=True)]
        x, y, z = (axis - low for axis, low in zip(blocks, first, strict=True))
        numbers, size = (x * counts[1] + y) * counts[2] + z, int(np.prod(counts))
        if size > _FEW:
            distinct, which = np.unique(numbers, return_inverse=True)
        else:
            there = np.zeros(size, bool)
            there[numbers] = True
            distinct, which = np.flatnonzero(there), (np.cumsum(there) - 1)[numbers]
        places = [(i, j, k) for i, j, k in (np.transpose(np.unravel_index(distinct, counts)) + first).tolist()]
        return places, which, within

    def _coarsen(self) -> None:
        """Make voxels twice as long."""
        fine, blocks, half = self._cells, self._blocks, _SIDE // 2
        self.voxel *= 2
        self._blocks, self._cells = {}, np.zeros(fine.shape, bool)
        for place, number in blocks.items():
            block = fine[number].reshape(half, 2, half, 2, half, 2).any(axis=(1, 3, 5))
            x, y, z = place
            i, j, k = (slice(half * (side & 1), half * (side & 1) + half) for side in place)
            self._cells[self._blocks.setdefault((x >> 1, y >> 1, z >> 1), len(self._blocks)), i, j, k] = block

    def _coarsened(self, voxel: float) -> Self:
        """Itself if its voxels are as long, else a copy whose voxels are."""
        if self.voxel == voxel:
            return self
        copy = type(self)()
        copy.voxel, copy._blocks, copy._cells = self.voxel, self._blocks, self._cells
        while copy.voxel < voxel:
            copy._coarsen()
        return copy


def points_between(
    begin: NDArray[np.float32], across: NDArray[np.float32], parts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Points at equal distances along segments, (sum of parts, 3), from the begin of each on.

    Parameters
    ----------
    begin, across : (N, 3) where each segment begins, and the way to its end. parts : (N,) of how many parts it is.
    """
    place = np.repeat(np.cumsum(parts) - parts, parts)
    share = ((np.arange(len(place)) - place) / np.repeat(parts, parts)).astype(np.float32)[:, None]
    points: NDArray[np.float32] = np.repeat(begin, parts, axis=0) + share * np.repeat(across, parts, axis=0)
    return points
