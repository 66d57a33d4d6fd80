"""Streamline density: how many streamlines visit each voxel of a grid (Calamante et al., NeuroImage 53:1233, 2010)."""

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.bounds import BoundsMeter
from tractcap.drawing.lines import StreamlineCounts, drawable
from tractcap.drawing.point_values import PointValues, Report
from tractcap.drawing.volume import points_between
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram

SPACING = 2.0
"""mm along a voxel, as long as the grid has not too many."""

MOST_CELLS = 128
"""Along each axis; the voxels of a tractogram that reaches farther are larger."""

CHUNK = 20_000
"""Points that are read at once."""


class Density(PointValues):
    """Streamlines that visit a voxel, sampled trilinearly. It reads the file twice to count them."""

    def __init__(self, tractogram: Tractogram, report: Report) -> None:
        super().__init__("density")
        # the grid fills the box that pictures frame: were it wider for a few streamlines far away, voxels would be too
        # large for all others
        bounds, tally = BoundsMeter(), StreamlineCounts()
        for chunk in tractogram.chunks(CHUNK):
            kept = drawable(chunk, tally)
            if len(kept.points):
                bounds.add(kept)
            report(tally.points)
        low, high = np.zeros(3), np.zeros(3)
        if tally.drawn:
            boxes = bounds.boxes()
            low, high = np.array(boxes.framed_low), np.array(boxes.framed_high)
        self.spacing = max(SPACING, float((high - low).max()) / MOST_CELLS)
        self.unit = f"streamlines per ({self.spacing:.3g} mm)³"
        affine = np.diag([self.spacing, self.spacing, self.spacing, 1.0])
        affine[:3, 3] = low
        sides = np.floor((high - low) / self.spacing + 0.5).astype(np.int64) + 1

        # a streamline that leaves a voxel and comes back visits it twice
        visits, tally = np.zeros(int(np.prod(sides)), np.float32), StreamlineCounts()
        for chunk in tractogram.chunks(CHUNK):
            kept = drawable(chunk, tally)
            if len(kept.points):
                visits += np.bincount(_entered(kept, affine, sides), minlength=len(visits))
            report(tally.points)
        self._volume = Volume(visits.reshape(sides), affine)

    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """See :class:`PointValues`."""
        return self.sampled(chunk.points)

    def sampled(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """The density at points (N, 3) in mm; not a number outside the box that its pictures frame."""
        return self._volume.at(points)


def _entered(chunk: Chunk, affine: NDArray[np.float64], sides: NDArray[np.int64]) -> NDArray[np.int64]:
    """The voxels that a chunk's streamlines enter, one after the other, each as one number."""
    first, last = int(chunk.head), len(chunk.points) - chunk.tail
    points = chunk.points[first:last]
    owner = np.repeat(np.arange(len(chunk.offsets) - 1), np.diff(chunk.offsets))[first:last]
    across = np.zeros_like(points)
    across[:-1] = points[1:] - points[:-1]
    across[:-1][owner[1:] != owner[:-1]] = 0
    # streamlines are followed in steps of half a voxel at most
    parts = np.maximum(1, np.ceil(np.abs(across).max(axis=1) / np.float32(affine[0, 0] / 2))).astype(np.int64)
    parts = np.minimum(parts, MOST_CELLS * 4)
    points, owner = points_between(points, across, parts), np.repeat(owner, parts)
    indices = np.floor((points - affine[:3, 3].astype(np.float32)) / np.float32(affine[0, 0]) + np.float32(0.5))
    inside: NDArray[np.bool_] = ((indices >= 0) & (indices < sides)).all(axis=1)
    x, y, z = indices.astype(np.int64).T
    cells: NDArray[np.int64] = np.where(inside, (x * sides[1] + y) * sides[2] + z, -1)
    entered = inside.copy()
    entered[1:] &= (cells[1:] != cells[:-1]) | (owner[1:] != owner[:-1])
    if chunk.head:
        entered[0] = False  # the piece before has counted where this one goes on from
    return cells[entered]
