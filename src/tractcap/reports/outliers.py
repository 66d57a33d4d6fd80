"""Which values lie far from the others: by the median and the median absolute deviation.

Leys et al. 2013, Journal of Experimental Social Psychology 49:764: neither is moved by the outliers themselves, as the
mean and the standard deviation are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

DEVIATIONS = 3.0
NORMAL = 1.4826
"""Times the MAD is the standard deviation where values are distributed normally."""
FEWEST = 5
"""Of fewer values nothing is marked."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of ``count`` values, and how far they lie about it."""

    count: int
    median: float
    mad: float

    @property
    def marks(self) -> bool:
        """Whether it can tell outliers: there are enough values, and they differ."""
        return self.count >= FEWEST and self.mad > _ROUNDING * abs(self.median)

    def distance(self, value: float) -> float | None:
        """How many robust standard deviations a value lies above the median; None where that can't be told."""
        return (value - self.median) / (NORMAL * self.mad) if self.marks else None

    def outlying(self, value: float) -> bool:
        """Whether |value - median| > 3 x 1.4826 x MAD."""
        distance = self.distance(value)
        return distance is not None and abs(distance) > DEVIATIONS


def spread(values: Iterable[float]) -> Spread | None:
    """Median and MAD; None of no values."""
    known = list(values)
    if not known:
        return None
    middle = median(known)
    return Spread(len(known), middle, median(abs(value - middle) for value in known))
