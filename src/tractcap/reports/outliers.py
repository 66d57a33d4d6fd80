"""Which values lie far from the others: by the median and the median absolute deviation, and few of them by chance.

Leys et al. 2013, Journal of Experimental Social Psychology 49:764: neither is moved by the outliers themselves, as the
mean and the standard deviation are. Of many values some lie beyond any fixed limit by chance: the limit grows with
their number, so that the false discovery rate stays below :data:`FALSE` if values are distributed normally (Benjamini
and Hochberg 1995, Journal of the Royal Statistical Society B 57:289).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist, median

DEVIATIONS = 3.0
NORMAL = 1.4826
"""Times the MAD is the standard deviation where values are distributed normally."""
FEWEST = 5
"""Of fewer values nothing is marked."""
FALSE = 0.05
"""Share of the marked values that may be marked by chance."""
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of ``count`` values, how far they lie about it, and their QUANTILES.

    Values further from the median than ``limit`` robust standard deviations are outliers.
    """

    count: int
    median: float
    mad: float
    limit: float = DEVIATIONS
    quantiles: tuple[float, ...] = ()

    @property
    def marks(self) -> bool:
        """Whether it can tell outliers: there are enough values, and they differ."""
        return self.count >= FEWEST and self.mad > _ROUNDING * abs(self.median)

    def distance(self, value: float) -> float | None:
        """How many robust standard deviations a value lies above the median; None where that can't be told."""
        return (value - self.median) / (NORMAL * self.mad) if self.marks else None

    def outlying(self, value: float) -> bool:
        """Whether |value - median| > limit x 1.4826 x MAD."""
        distance = self.distance(value)
        return distance is not None and abs(distance) > self.limit


def spread(values: Iterable[float]) -> Spread | None:
    """Median, MAD, the limit and the quantiles; None of no values."""
    known = sorted(values)
    if not known:
        return None
    middle = median(known)
    mad = median(abs(value - middle) for value in known)
    about = Spread(len(known), middle, mad, quantiles=_quantiles(known))
    if not about.marks:
        return about
    distances = sorted((abs(value - middle) / (NORMAL * mad) for value in known), reverse=True)
    return Spread(about.count, middle, mad, _limit(distances), about.quantiles)


def _limit(distances: Sequence[float]) -> float:
    """The limit by Benjamini and Hochberg, 3 at least, of the sorted ``distances``, the largest first."""
    many, far = len(distances), sum(distance > DEVIATIONS for distance in distances)
    ranked = enumerate(distances[:far], 1)
    marked = max((rank for rank, distance in ranked if erfc(distance / sqrt(2)) <= rank * FALSE / many), default=1)
    return max(DEVIATIONS, -NormalDist().inv_cdf(marked * FALSE / many / 2))


def _quantiles(known: Sequence[float]) -> tuple[float, ...]:
    """Those of sorted values, interpolated."""
    found = []
    for share in QUANTILES:
        low, part = divmod(share * (len(known) - 1), 1)
        high = known[min(int(low) + 1, len(known) - 1)]
        found.append(known[int(low)] + part * (high - known[int(low)]))
    return tuple(found)
