"""Leaves out points of streamlines whose absence nobody can see.

Of each two, and then of each four segments the points between the ends are left out where one straight line, with one
even change of colour, stands for them. These runs begin at every fourth point of a streamline, so that each is judged
by its own points alone, all at once; the method of Douglas and Peucker (Cartographica 10:112, 1973) needs the whole
streamline.
"""

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.chunks import RUN, Chunk

SAMPLE_SHARE = 0.25
"""Of a sample: how far from its place a point may be shown."""

HUE = 3
"""Of 255: by how much a colour, or a part of a tangent of that length, may change."""

Floats = NDArray[np.float32]


def needed(chunk: Chunk, looks: Floats, tolerance: float) -> NDArray[np.bool_]:
    """Which points must be drawn, (N,): lines between these show all others where they are, and as they look.

    Parameters
    ----------
    looks : (3, N) float32 from 0 to 255, on which the points' colours depend.
    tolerance : mm that a point may lie beside the line that is drawn without it.
    """
    values = np.concatenate([chunk.columns, looks])
    begins = chunk.offsets[:-1].copy()
    begins[0] += chunk.head
    place = np.arange(len(chunk.points), dtype=np.int32)
    place -= np.repeat(begins.astype(np.int32), np.diff(chunk.offsets))
    between = place & 1 == 1
    between[chunk.offsets[1:] - 1] = False
    between[0] = False
    beside, off = np.zeros((2, len(place)), np.float32)
    beside[1:-1], off[1:-1] = _deviations(values[:, :-2], values[:, 1:-1], values[:, 2:])
    kept: NDArray[np.bool_] = ~(between & (beside <= tolerance) & (off <= HUE))
    # of four segments, of which each two are one by now, the points between may add up what they deviate
    (begin,) = np.nonzero(~kept & (place & RUN - 1 == 1))
    begin = begin[begin + 3 < len(place)] - 1
    begin = begin[~kept[begin + 3]]
    # taken so that rows are contiguous: NumPy gathers strided ones by AVX2, which crashes where QEMU 7.2 emulates it
    runs = (values.take(begin + at, axis=1) for at in (0, 2, RUN))
    farther, further = _deviations(*runs)
    farther += np.maximum(beside[begin + 1], beside[begin + 3])
    further += np.maximum(off[begin + 1], off[begin + 3])
    kept[begin[(farther <= tolerance) & (further <= HUE)] + 2] = False
    return kept


def thinned(chunk: Chunk, kept: NDArray[np.int64]) -> Chunk:
    """A chunk of the points of these numbers alone, without values; its context points must be among them."""
    offsets = np.searchsorted(kept, chunk.offsets)
    return Chunk(chunk.points.take(kept, axis=0), offsets, head=chunk.head, tail=chunk.tail)


def _deviations(begin: Floats, middle: Floats, end: Floats) -> tuple[Floats, Floats]:
    """How far points (6, M) lie beside the lines from ``begin`` to ``end``, and look other than these."""
    across, to = end - begin, middle - begin
    square = across[0] * across[0] + across[1] * across[1] + across[2] * across[2]
    share = across[0] * to[0] + across[1] * to[1] + across[2] * to[2]
    np.divide(share, square, out=share, where=square > 0)
    np.clip(share, 0, 1, out=share)
    across *= share
    to -= across
    np.abs(to, out=to)
    return np.sqrt(to[0] * to[0] + to[1] * to[1] + to[2] * to[2]), np.maximum(np.maximum(to[3], to[4]), to[5])
