"""Values at the points of a tractogram, which colours stand for: the file's own data, a map, position, density."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk

Report = Callable[[int], None]
"""Called with the number of points read so far."""


class PointValues(ABC):
    """One value a point.

    ``data`` names what of the file's own data they need; ``words``, where not empty, name the ends of their range.
    """

    unit = ""
    data = ""
    words = ("", "")

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """The value of each of a chunk's points, (N,); not a number where there is none."""


class FileData(PointValues):
    """Data stored in the file; of a streamline, it is that of all its points; of several columns, the first."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.data = name

    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """See :class:`PointValues`."""
        if self.name in chunk.per_point:
            values = chunk.per_point[self.name]
        else:
            values = np.repeat(chunk.per_streamline[self.name], np.diff(chunk.offsets), axis=0)
        return np.asarray(values, np.float32).reshape(len(chunk.points), -1)[:, 0]


class ScalarMapValues(PointValues):
    """A scalar map, sampled trilinearly."""

    def __init__(self, name: str, volume: Volume) -> None:
        super().__init__(name)
        self._volume, self.unit = volume, volume.unit

    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """See :class:`PointValues`."""
        return self._volume.at(chunk.points)


_SAMPLE = 200_000
"""Values that a range is taken from at least, and twice as many at most; of a file that has no more, all of them."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The golden ratio's part of 2^64: its multiples lie evenly, whatever stride a file's values repeat in (Weyl, 1916)."""

_ROBUST = (2, 98)
"""Percentiles that a range reaches from and to: a few odd values shall not wash out all others."""


class Range:
    """The robust range of values, of which a sample is kept that depends on their order alone.

    Each value has a rank by its place. Those of the lower ranks are kept, of half as many ranks whenever they are too
    many. ``seen`` counts all values, ``without`` those of them that are not a number.
    """

    def __init__(self) -> None:
        self.seen = self.without = 0
        self._ranks, self._sample = np.empty(0, np.uint64), np.empty(0, np.float32)
        self._highest = np.uint64(2**64 - 1)

    @property
    def sampled(self) -> int:
        """How many values are kept."""
        return len(self._sample)

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in values, one after the other."""
        self.without += int(np.isnan(values).sum())
        ranks = np.arange(self.seen, self.seen + len(values), dtype=np.uint64) * _GOLDEN
        self.seen += len(values)
        kept = ranks <= self._highest
        self._ranks = np.concatenate([self._ranks, ranks[kept]])
        self._sample = np.concatenate([self._sample, values[kept]])
        while len(self._sample) > 2 * _SAMPLE:
            self._highest >>= np.uint64(1)
            kept = self._ranks <= self._highest
            self._ranks, self._sample = self._ranks[kept], self._sample[kept]

    def ends(self) -> tuple[float, float]:
        """Its low and its high end; 0 and 1 where no value is a number."""
        finite = self._sample[np.isfinite(self._sample)]
        if not len(finite):
            return 0.0, 1.0
        low, high = np.percentile(finite.astype(np.float64), _ROBUST)
        return float(low), float(high)
