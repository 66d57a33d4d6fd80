"""What streamlines pass through, as a volume."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.chunks import Chunk

VOXEL = 2.0
"""mm along a voxel of the grid, whose faces lie at even coordinates: the same grid for everyone."""

_BITS, _FAR_BITS = 8, 20
_REACH = 1 << (_BITS - 1)
"""Voxels from the origin that the grid's array holds; what lies farther out is kept by its numbers."""

_STEP = VOXEL
"""mm between the points that are looked at."""

_MOST_STEPS = 512
"""Of one segment; one of over half a metre is no fibre's, and is looked at more coarsely."""

_BLOCK = 2**16
"""Points that are looked at together."""


class Territory:
    """Takes chunks in any order."""

    def __init__(self) -> None:
        self._near = np.zeros(1 << 3 * _BITS, bool)
        self._far: NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, chunk: Chunk) -> None:
        """Mark the voxels that a chunk's streamlines pass through, as points a voxel apart tell."""
        self.mark(chunk.points)
        for points in _between(chunk):
            self.mark(points)

    @property
    def volume(self) -> float:
        """In mm³."""
        return float((np.count_nonzero(self._near) + len(self._far)) * VOXEL**3)

    @property
    def centers(self) -> NDArray[np.float64]:
        """The middles of the voxels, (N, 3) in mm."""
        numbered = ((np.flatnonzero(self._near), _BITS), (self._far, _FAR_BITS))
        return np.concatenate([_middles(numbers, bits) for numbers, bits in numbered])

    def shared(self, other: "Territory") -> float:
        """The volume in mm³ that both have."""
        return float(
            (np.count_nonzero(self._near & other._near) + len(np.intersect1d(self._far, other._far))) * VOXEL**3
        )

    def mark(self, points: NDArray[np.float32]) -> None:
        """Mark the voxels of points (N, 3) in mm."""
        edge = np.float32(_REACH * VOXEL)
        if points.min() < -edge or points.max() >= edge:
            near = ((points >= -edge) & (points < edge)).all(axis=1)
            self._far = np.union1d(self._far, _numbered(points[~near], np.int64, _FAR_BITS))
            points = points[near]
        self._near[_numbered(points, np.int32, _BITS)] = True


def _numbered(points: NDArray[np.float32], kind: type[np.signedinteger], bits: int) -> NDArray[np.signedinteger]:
    """The voxel of each point (N, 3) as one number; all coordinates are less than half of 2^bits voxels."""
    scale, middle = np.float32(1 / VOXEL), np.float32(1 << (bits - 1))
    x, y, z = ((points[:, axis] * scale + middle).astype(kind) for axis in range(3))  # above zero: cutting is flooring
    numbers: NDArray[np.signedinteger] = ((x << bits | y) << bits) | z
    return numbers


def _middles(numbers: NDArray[np.int64], bits: int) -> NDArray[np.float64]:
    voxels = np.stack([(numbers >> shift) & (1 << bits) - 1 for shift in (2 * bits, bits, 0)], axis=1)
    middles: NDArray[np.float64] = (voxels - (1 << (bits - 1)) + 0.5) * VOXEL
    return middles


def _between(chunk: Chunk) -> Iterator[NDArray[np.float32]]:
    """Points (N, 3) on the segments that are longer than a step."""
    across = np.diff(chunk.points, axis=0)
    across[chunk.offsets[1:-1] - 1] = 0
    x, y, z = np.ascontiguousarray(np.abs(across).T)  # faster; and maxima over strides have crashed emulated machines
    farthest = np.maximum(np.maximum(x, y), z)
    steps = np.minimum(np.ceil(farthest / np.float32(_STEP)), _MOST_STEPS).astype(np.int64)
    long = np.flatnonzero(steps > 1)
    upto = np.cumsum(steps[long])
    for number in range(int(upto[-1]) // _BLOCK + 1 if len(long) else 0):
        part = long[slice(*np.searchsorted(upto, (number * _BLOCK, (number + 1) * _BLOCK), side="right"))]
        if len(part):
            yield _stepped(chunk.points[part], across[part], steps[part])


def _stepped(begin: NDArray[np.float32], across: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.float32]:
    place = np.repeat(np.cumsum(steps) - steps, steps)
    share = ((np.arange(len(place)) - place) / np.repeat(steps, steps)).astype(np.float32)[:, None]
    points: NDArray[np.float32] = np.repeat(begin, steps, axis=0) + share * np.repeat(across, steps, axis=0)
    return points
