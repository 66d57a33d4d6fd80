"""Lengths of streamlines, counted as they pass: however many there are, they take the same memory."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import QUANTA, quanta
from tractcap.inputs.tractograms.chunks import Chunk

FINE = 10
"""Lengths counted apart, to a mm; the median is as exact as that."""

_DENSE = 10_000 * FINE
"""Of them in an array; ones of over ten metres are rare, and are kept by their numbers."""

_BINS = 30
_WIDTHS = (1, 2, 5, 10, 20, 50, 100)
"""Of the bins of a histogram, in tenths of a mm, and beyond these by powers of ten."""


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

    def told(self) -> dict[str, Any]:
        """As the JSON file beside the pictures has it."""
        shown = {name.capitalize(): value for name, value in asdict(self).items()}
        start, width, counts = (shown.pop(name) for name in ("Start", "Width", "Counts"))
        return {**shown, "Histogram": {"Start": start, "BinWidth": width, "Counts": list(counts)}}


class LengthMeter:
    """Takes chunks in their order; a streamline's pieces in several of them are one streamline."""

    def __init__(self) -> None:
        self._counts = np.zeros(_DENSE, np.int64)
        self._long: Counter[int] = Counter()
        self._open: int | None = None
        self._sum, self._least, self._most = 0, 2**62, 0

    def add(self, chunk: Chunk) -> None:
        """Count the streamlines that end in a chunk."""
        if not chunk.head:
            self._close()
        if len(chunk.offsets) < 2:
            return
        each = quanta(chunk)
        each[0] += self._open or 0
        self._open = int(each[-1]) if chunk.tail else None
        self._count(each[:-1] if chunk.tail else each)

    def _close(self) -> None:
        """The piece that waited for another was the last: the others could not be drawn."""
        if self._open is not None:
            self._count(np.array([self._open]))
        self._open = None

    def _count(self, each: NDArray[np.int64]) -> None:
        if not len(each):
            return
        self._sum += int(each.sum())
        self._least, self._most = min(self._least, int(each.min())), max(self._most, int(each.max()))
        fine = each * FINE // QUANTA
        np.add.at(self._counts, fine[fine < _DENSE], 1)
        self._long += Counter(fine[fine >= _DENSE].tolist())

    def summary(self) -> LengthSummary:
        """What was counted, of at least one streamline."""
        self._close()
        fine = np.concatenate([np.flatnonzero(self._counts), np.array(sorted(self._long), np.int64)])
        counts = np.array([*self._counts[self._counts > 0], *(self._long[key] for key in sorted(self._long))])
        first, width = _bins(int(fine[0]), int(fine[-1]))
        binned = np.bincount(fine // width - first, counts).astype(np.int64)
        low, high = self._least / QUANTA, self._most / QUANTA
        return LengthSummary(
            mean=round(self._sum / QUANTA / int(counts.sum()), 3),
            median=round(min(high, max(low, _median(fine, counts))), 3),
            minimum=round(low, 3),
            maximum=round(high, 3),
            start=first * width / FINE,
            width=width / FINE,
            counts=tuple(int(one) for one in binned),
        )


def _median(fine: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """In mm, the middle of the tenth of a mm that it lies in."""
    upto, total = np.cumsum(counts), int(counts.sum())
    below, above = (fine[np.searchsorted(upto, place, side="right")] for place in ((total - 1) // 2, total // 2))
    return float(below + above + 1) / 2 / FINE


def _bins(low: int, high: int) -> tuple[int, int]:
    """The number of the first bin and the width of each, in tenths of a mm, so that there are not too many."""
    scale = 1
    while True:
        for width in (one * scale for one in _WIDTHS):
            if high // width - low // width < _BINS:
                return low // width, width
        scale *= _WIDTHS[-1]
