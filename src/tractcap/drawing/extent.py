"""How far a tractogram reaches, which decides the frame of its pictures, and what else is measured in the same pass.

Headers can't be trusted with this: many give the grid of another image, or a grid of one voxel.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.ahead import ahead
from tractcap.drawing.bounds import Bounds, BoundsMeter
from tractcap.drawing.colors import values_of
from tractcap.drawing.lines import QUANTA, StreamlineCounts, drawable, quanta
from tractcap.drawing.point_values import Range
from tractcap.drawing.volume import VisitedVolume
from tractcap.errors import EmptyError, InputError
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram
from tractcap.records.options import Coloring


@dataclass(frozen=True)
class LengthSummary:
    """Lengths in mm. ``counts`` are of bins of ``width``, the first from ``start`` on."""

    mean: float
    median: float
    minimum: float
    maximum: float
    start: float
    width: float
    counts: tuple[int, ...]

    def dump(self) -> dict[str, Any]:
        """As it stands in the JSON file of a tractogram's pictures."""
        fields = {name.capitalize(): value for name, value in asdict(self).items()}
        start, width, counts = (fields.pop(name) for name in ("Start", "Width", "Counts"))
        return {**fields, "Histogram": {"Start": start, "BinWidth": width, "Counts": list(counts)}}


@dataclass(frozen=True)
class Extent(Bounds):
    """Where the streamlines lie that can be drawn, and what was counted on the way.

    ``lengths`` are theirs; ``volume`` in mm³ is what they pass through, on a grid of voxels of ``voxel`` mm. ``values``
    is the range of what they are coloured by, of ``sampled`` of all ``valued`` points; at ``without`` of these it is
    not a number.
    """

    tally: StreamlineCounts
    lengths: LengthSummary
    volume: float
    voxel: float
    values: tuple[float, float] | None = None
    valued: int = 0
    sampled: int = 0
    without: int = 0


def measure(
    tractogram: Tractogram,
    max_points: int,
    report: Callable[[int], None],
    coloring: Coloring | None = None,
    volume: Volume | None = None,
) -> Extent:
    """Read a tractogram once for its extent, and for the range of what it is coloured by (density: twice more).

    Raises
    ------
    EmptyError
        When it holds no streamlines.
    InputError
        When it is damaged, has no such data, or holds no streamline that can be drawn.
    """
    values = values_of(coloring, tractogram, volume, report) if coloring and coloring.measured else None
    bounds, value_range, tally = BoundsMeter(), Range(), StreamlineCounts()
    lengths, visited = LengthMeter(), VisitedVolume()

    def read() -> Generator[Chunk, None, None]:
        for chunk in tractogram.chunks(max_points, values.data if values else ""):
            kept = drawable(chunk, tally)
            if len(kept.points):
                bounds.add(kept)
                lengths.add(kept)
            yield kept

    with closing(ahead(read(), tractogram, max_points)) as chunks:
        for kept in chunks:
            if len(kept.points):
                visited.add(kept)
                if values:
                    value_range.add(values.at(kept)[kept.new])
            report(tally.points)
    if not tally.streamlines:
        raise EmptyError(f"{tractogram.path} holds no streamlines.")
    if not tally.drawn:
        reasons = " and ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items() if count)
        raise InputError(
            f"{tractogram.path} holds only streamlines that can't be drawn ({reasons}): there is nothing to draw."
        )
    summary = lengths.summary()
    tally.quanta = lengths.quanta
    return Extent(
        **asdict(bounds.boxes()),
        tally=tally,
        lengths=summary,
        volume=visited.volume,
        voxel=visited.voxel,
        values=value_range.ends() if values else None,
        valued=value_range.seen,
        sampled=value_range.sampled,
        without=value_range.without,
    )


_FINE = 10
"""Lengths are counted in steps of so many to a mm; the median is as exact as that."""

_DENSE = 10_000 * _FINE
"""Steps that are counted in an array; lengths of over ten metres are rare, and are kept by their numbers."""

_BINS = 30
_WIDTHS = (1, 2, 5, 10, 20, 50, 100)
"""At most so many bins has a histogram, and these are their widths in steps, and beyond these times powers of 100."""


class LengthMeter:
    """Counts lengths: however many streamlines there are, it takes the same memory.

    It takes chunks of drawable streamlines in their order; a streamline's pieces in several of them are one. ``quanta``
    is the sum of those that have ended.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_DENSE, np.int64)
        self._long: Counter[int] = Counter()
        self._open: int | None = None  # length so far of the streamline that goes on in the next chunk
        self.quanta, self._least, self._most = 0, 2**62, 0

    def add(self, chunk: Chunk) -> None:
        """Count the streamlines that end in a chunk."""
        if not chunk.head:
            self._close()
        if len(chunk.offsets) < 2:
            return
        lengths = quanta(chunk)
        lengths[0] += self._open or 0
        self._open = int(lengths[-1]) if chunk.tail else None
        self._count(lengths[:-1] if chunk.tail else lengths)

    def _close(self) -> None:
        """The open streamline has ended: the rest of it could not be drawn."""
        if self._open is not None:
            self._count(np.array([self._open]))
        self._open = None

    def _count(self, lengths: NDArray[np.int64]) -> None:
        if not len(lengths):
            return
        self.quanta += int(lengths.sum())
        self._least, self._most = min(self._least, int(lengths.min())), max(self._most, int(lengths.max()))
        steps = lengths * _FINE // QUANTA
        np.add.at(self._counts, steps[steps < _DENSE], 1)
        self._long += Counter(steps[steps >= _DENSE].tolist())

    def summary(self) -> LengthSummary:
        """The summary of what was counted, which must be one streamline or more."""
        self._close()
        steps = np.concatenate([np.flatnonzero(self._counts), np.array(sorted(self._long), np.int64)])
        counts = np.array([*self._counts[self._counts > 0], *(self._long[key] for key in sorted(self._long))])
        total, upto = int(counts.sum()), np.cumsum(counts)
        # the median lies in the middle of its step
        below, above = (steps[np.searchsorted(upto, at, side="right")] for at in ((total - 1) // 2, total // 2))
        low, high = self._least / QUANTA, self._most / QUANTA
        lowest, highest = int(steps[0]), int(steps[-1])
        widths = (width * _WIDTHS[-1] ** power for power in itertools.count() for width in _WIDTHS)
        width = next(width for width in widths if highest // width - lowest // width < _BINS)
        first = lowest // width
        return LengthSummary(
            mean=round(self.quanta / QUANTA / total, 3),
            median=round(min(high, max(low, float(below + above + 1) / 2 / _FINE)), 3),
            minimum=round(low, 3),
            maximum=round(high, 3),
            start=first * width / _FINE,
            width=width / _FINE,
            counts=tuple(int(count) for count in np.bincount(steps // width - first, counts)),
        )
