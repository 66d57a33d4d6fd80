"""Position along a bundle: where on its core line each point lies nearest, in percent from one end to the other.

The core is the mean of a sample of streamlines, each resampled to as many points and turned so that it runs along
with the others (as the centroids of Garyfallidis et al., Front Neurosci 6:175, 2012).
"""

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.bounds import BoundsMeter
from tractcap.drawing.density import CHUNK
from tractcap.drawing.lines import StreamlineCounts, drawable
from tractcap.drawing.point_values import PointValues, Report
from tractcap.inputs.tractograms import Chunk, Tractogram

POINTS = 100
"""Of the core."""

_SAMPLE = 500
"""Streamlines that the core is taken from; at most twice as many are held."""

_ROUNDS = 5

_ENDS = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))


class Position(PointValues):
    """Percent along the core, which begins at its left, posterior or inferior end; ``words`` name both ends."""

    def __init__(self, tractogram: Tractogram, report: Report) -> None:
        from scipy.spatial import cKDTree

        super().__init__("position along the bundle")
        self.unit = "%"
        self.core = core(sample(tractogram, report))
        across = self.core[-1] - self.core[0]
        self.words = _ENDS[int(np.argmax(np.abs(across)))]
        self._tree = cKDTree(self.core)

    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """See :class:`PointValues`."""
        _, nearest = self._tree.query(chunk.points.astype(np.float64))
        percent: NDArray[np.float32] = (nearest * (100 / (POINTS - 1))).astype(np.float32)
        return percent


def sample(tractogram: Tractogram, report: Report) -> NDArray[np.float64]:
    """Some streamlines, evenly spread over the file, (S, POINTS, 3) in mm.

    Those longer than a chunk are left aside, and a few far away that pictures don't frame.
    """
    kept: list[NDArray[np.float64]] = []
    step, number, tally, bounds = 1, 0, StreamlineCounts(), BoundsMeter()
    for chunk in tractogram.chunks(CHUNK):
        good = drawable(chunk, tally)
        for place in range(int(good.head), len(good.offsets) - 1 - good.tail):
            if number % step == 0:
                kept.append(resampled(good.points[good.offsets[place] : good.offsets[place + 1]]))
            number += 1
            if len(kept) >= 2 * _SAMPLE:
                kept, step = kept[::2], step * 2
        if len(good.points):
            bounds.add(good)
        report(tally.points)
    if not kept:
        return np.zeros((1, POINTS, 3))
    streamlines, boxes = np.array(kept), bounds.boxes()
    low, high = (np.array(corner) for corner in (boxes.framed_low, boxes.framed_high))
    framed = ((streamlines > low - 1) & (streamlines < high + 1)).all(axis=(1, 2))
    return streamlines[framed] if framed.any() else streamlines


def resampled(points: NDArray[np.float32], count: int = POINTS) -> NDArray[np.float64]:
    """A streamline as so many points at equal distances along it, (count, 3)."""
    exact = points.astype(np.float64)
    along = np.concatenate([[0], np.cumsum(np.sqrt((np.diff(exact, axis=0) ** 2).sum(axis=1)))])
    places = np.linspace(0, along[-1], count)
    return np.stack([np.interp(places, along, exact[:, axis]) for axis in range(3)], axis=1)


def core(streamlines: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean line (POINTS, 3) of streamlines (S, POINTS, 3), from its left, posterior or inferior end."""
    lengths = np.sqrt((np.diff(streamlines, axis=1) ** 2).sum(axis=2)).sum(axis=1)
    middle: NDArray[np.float64] = streamlines[np.argsort(lengths, kind="stable")[len(lengths) // 2]]
    for _ in range(_ROUNDS):
        ahead, back = (np.abs(turned - middle).sum(axis=(1, 2)) for turned in (streamlines, streamlines[:, ::-1]))
        middle = np.where((back < ahead)[:, None, None], streamlines[:, ::-1], streamlines).mean(axis=0)
    across = middle[-1] - middle[0]
    return middle if across[np.argmax(np.abs(across))] >= 0 else middle[::-1]
