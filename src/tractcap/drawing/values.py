"""Values at the points of a tractogram, which colours stand for: the file's own data, a map, position, density."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.look import DATA, DENSITY, POSITION, SCALAR, Coloring
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram

Report = Callable[[int], None]


class Values(ABC):
    """One value a point. ``data`` names what of the file's own data they need."""

    unit = ""
    data = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """The value of each of a chunk's points, (N,); not a number where there is none."""


class FileData(Values):
    """Data stored in the file; of a streamline, it is that of all its points; of several columns, the first."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.data = name

    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """See :class:`Values`."""
        if self.name in chunk.per_point:
            found = chunk.per_point[self.name]
        else:
            found = np.repeat(chunk.per_streamline[self.name], np.diff(chunk.offsets), axis=0)
        return np.asarray(found, np.float32).reshape(len(chunk.points), -1)[:, 0]


class MapValues(Values):
    """A scalar map, sampled trilinearly."""

    def __init__(self, name: str, volume: Volume) -> None:
        super().__init__(name)
        self._volume, self.unit = volume, volume.unit

    def at(self, chunk: Chunk) -> NDArray[np.float32]:
        """See :class:`Values`."""
        return self._volume.at(chunk.points)


def values(coloring: Coloring, tractogram: Tractogram, volume: Volume | None, report: Report) -> Values | None:
    """What a colouring shows; None for colours that stand for no values. Density and position read the file first.

    Raises
    ------
    InputError
        When the file turns out to be damaged.
    """
    if coloring.kind == DATA:
        return FileData(coloring.name)
    if coloring.kind == SCALAR and volume:
        return MapValues(coloring.name, volume)
    if coloring.kind == DENSITY:
        from tractcap.drawing.density import Density

        return Density(tractogram, report)
    if coloring.kind == POSITION:
        from tractcap.drawing.position import Position

        return Position(tractogram, report)
    return None


_SAMPLE = 200_000
"""Values, evenly spread over the file, that its range is taken from."""

_ROBUST = (2, 98)
"""Percentiles that a range reaches from and to: a few odd values shall not wash out all others."""


class Range:
    """The robust range of values, of which a sample is kept that doesn't depend on the chunks.

    Parameters
    ----------
    points : the most that there may be, for the distance between the points of the sample.
    """

    def __init__(self, points: int) -> None:
        self._step, self._seen = max(1, points // _SAMPLE), 0
        self._sample: list[NDArray[np.float32]] = []
        self.without = 0

    def add(self, found: NDArray[np.float32]) -> None:
        """Take in values, one after the other."""
        self.without += int(np.isnan(found).sum())
        self._sample.append(found[-self._seen % self._step :: self._step].copy())
        self._seen += len(found)

    def ends(self) -> tuple[float, float]:
        """From where to where it reaches; 0 to 1 where no value is a number."""
        sample = np.concatenate(self._sample) if self._sample else np.empty(0, np.float32)
        sample = sample[np.isfinite(sample)]
        if not len(sample):
            return 0.0, 1.0
        low, high = np.percentile(sample.astype(np.float64), _ROBUST)
        return float(low), float(high)
