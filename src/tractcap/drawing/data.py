"""Data stored in the file, beside the points: read as one value a point, its range, and its colours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.tractograms import Chunk, Tractogram

_SAMPLE = 200_000
"""Values, evenly spread over the file, that its range is taken from."""

_ROBUST = (2, 98)
"""Percentiles that a range reaches from and to: a few odd values shall not wash out all others."""

_VIRIDIS = np.array(
    [
        (68, 1, 84), (72, 40, 120), (62, 73, 137), (49, 104, 142), (38, 130, 142),
        (31, 158, 137), (53, 183, 121), (110, 206, 88), (181, 222, 43), (253, 231, 37),
    ],
    np.float32,
)  # fmt: skip
"""Ten evenly spaced colours of viridis (Smith and van der Walt, SciPy 2015; CC0): perceptually uniform."""

NO_VALUE = (128, 128, 128)
"""The colour of a point whose value is not a number."""


@dataclass(frozen=True)
class Scale:
    """Colours for the values ``name``, from ``low`` to ``high``; what lies beyond has the colours of the ends."""

    name: str
    low: float
    high: float


def values(chunk: Chunk, name: str) -> NDArray[np.float32]:
    """The value of each of a chunk's points, (N,); data of a streamline is that of all its points."""
    if name in chunk.per_point:
        found = chunk.per_point[name]
    else:
        found = np.repeat(chunk.per_streamline[name], np.diff(chunk.offsets), axis=0)
    return np.asarray(found, np.float32).reshape(len(chunk.points), -1)[:, 0]


def check(tractogram: Tractogram, name: str) -> None:
    """See that a file holds the data.

    Raises
    ------
    InputError
    """
    there = (*tractogram.header.per_point, *tractogram.header.per_streamline)
    if name not in there:
        names = f"it has {', '.join(there)}" if there else "it has none"
        raise InputError(f"{tractogram.path} has no data {name!r} to colour by: {names}.")


def colors(found: NDArray[np.float32], scale: Scale) -> NDArray[np.uint8]:
    """Colours of values, (N,) to (N, 3) uint8 RGB."""
    span = scale.high - scale.low or 1.0
    place = np.clip((found - np.float32(scale.low)) / np.float32(span), 0, 1) * (len(_VIRIDIS) - 1)
    known = ~np.isnan(place)
    place = np.where(known, place, 0)
    below = np.minimum(place.astype(np.int64), len(_VIRIDIS) - 2)
    share = (place - below)[:, None]
    mixed = _VIRIDIS[below] * (1 - share) + _VIRIDIS[below + 1] * share
    return np.where(known[:, None], mixed + np.float32(0.5), NO_VALUE).astype(np.uint8)


class Range:
    """The robust range of data, of which a sample is kept that doesn't depend on the chunks.

    Parameters
    ----------
    points : the most that there may be, for the distance between the points of the sample.
    """

    def __init__(self, name: str, points: int) -> None:
        self._name, self._step, self._seen = name, max(1, points // _SAMPLE), 0
        self._sample: list[NDArray[np.float32]] = []
        self.without = 0

    def add(self, chunk: Chunk) -> None:
        """Take in the values of a chunk's own points."""
        found = values(chunk, self._name)[chunk.new]
        self.without += int(np.isnan(found).sum())
        self._sample.append(found[-self._seen % self._step :: self._step].copy())
        self._seen += len(found)

    def ends(self) -> tuple[float, float]:
        """From where to where it reaches; 0 to 1 where no value is a number."""
        sample = np.concatenate(self._sample)
        sample = sample[np.isfinite(sample)]
        if not len(sample):
            return 0.0, 1.0
        low, high = np.percentile(sample.astype(np.float64), _ROBUST)
        return float(low), float(high)
