"""What a sample of streamlines says about all: a figure, and the interval that the whole bundle's lies in.

The samples are simple random ones, each streamline with the same chance. Each interval is to hold the figure that all
streamlines have in 99 of 100 samples; where the sample is all of them it is the figure itself. Where a sample is too
small, there is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.records.check_sidecar import HIGH, LOW, Value

FEWEST = 20
"""Streamlines that a sample must have to say something about the others."""

NORMAL = 2.5758
"""Standard errors on both sides that hold 99 of 100 values of a normal distribution."""

_GROUPS = 20
_STUDENT = 2.8609
"""The same of Student's distribution with one degree of freedom less than there are groups."""


@dataclass(frozen=True)
class Estimate:
    """The ``value`` of a figure, which lies between ``low`` and ``high`` for all streamlines; None where none is."""

    value: float | None
    low: float | None
    high: float | None

    def within(self, low: float, high: float) -> "Estimate":
        """The same, with no end of the interval beyond what is possible."""
        if self.value is None or self.low is None or self.high is None:
            return self
        return Estimate(self.value, max(low, min(self.low, self.value)), min(high, max(self.high, self.value)))

    def over(self, total: float) -> "Estimate":
        """As a share of a total that is known."""
        value, low, high = (None if end is None else end / total for end in (self.value, self.low, self.high))
        return Estimate(value, low, high)

    def measures(self, key: str, digits: int = 6) -> dict[str, Value]:
        """As measures of a check."""
        named = {key: self.value, f"{key}{LOW}": self.low, f"{key}{HIGH}": self.high}
        return {name: None if value is None else round(value, digits or None) for name, value in named.items()}


NONE = Estimate(None, None, None)


def about(value: float, margin: float) -> Estimate:
    """A figure that is off by so much at most, on both sides; none, where one of both is not a number."""
    if not np.isfinite(value + margin):
        return NONE
    return Estimate(value, value - margin, value + margin)


def _tells(count: int, fraction: float) -> bool:
    return count > 0 and (fraction >= 1 or count >= FEWEST)


def ratio(tops: NDArray[np.floating], bottoms: NDArray[np.floating], fraction: float) -> Estimate:
    """The sum of ``tops`` over that of ``bottoms``, of each streamline one (S,), such as a mean over all points.

    Its error is that of Cochran, Sampling Techniques (1977), section 2.11. ``fraction`` is the share of streamlines
    that the sample has, from 0 to 1.
    """
    count, total = len(tops), float(bottoms.sum())
    if not _tells(count, fraction) or total <= 0:
        return NONE
    value = float(tops.sum()) / total
    rest = (tops - value * bottoms) / (total / count)
    return about(value, NORMAL * float(np.sqrt((1 - fraction) * (rest**2).sum() / max(1, count - 1) / count)))


def mean(values: NDArray[np.floating], fraction: float) -> Estimate:
    """The mean of values, of each streamline one (S,)."""
    return ratio(values, np.ones(len(values)), fraction)


def deviation(values: NDArray[np.floating], fraction: float) -> Estimate:
    """The standard deviation of values, of each streamline one (S,)."""
    value = float(values.std()) if len(values) else 0.0
    if not value:
        return mean(values * 0.0, fraction)
    spread = mean(((values - values.mean()) ** 2 / value - value) / 2, fraction)
    return NONE if spread.high is None else about(value, spread.high).within(0, np.inf)


def median(values: NDArray[np.floating], fraction: float) -> Estimate:
    """The median of values, of each streamline one (S,); whatever their distribution, between two of them."""
    count = len(values)
    if not _tells(count, fraction):
        return NONE
    value, ordered = float(np.median(values)), np.sort(values)
    away = NORMAL * np.sqrt(count * (1 - fraction)) / 2
    if not away:
        return about(value, 0.0)
    low, high = int(count / 2 - away) - 1, int(np.ceil(count / 2 + away))
    return Estimate(value, float(ordered[max(0, low)]), float(ordered[min(count - 1, high)]))


def share(value: float, count: int, fraction: float) -> Estimate:
    """A share of streamlines, or the mean of a share that each of them has, from 0 to 1, of ``count`` of them.

    Wilson's interval, which holds where none of the sample has it (Brown, Cai and DasGupta 2001, Stat Sci 16, 101-133,
    doi:10.1214/ss/1009213286); for shares between 0 and 1 it is wider than need be.
    """
    if not _tells(count, fraction):
        return NONE
    if fraction >= 1:
        return about(value, 0.0)
    many = count / (1 - fraction)
    middle = (value + NORMAL**2 / (2 * many)) / (1 + NORMAL**2 / many)
    away = NORMAL * np.sqrt(value * (1 - value) / many + NORMAL**2 / (4 * many**2)) / (1 + NORMAL**2 / many)
    return Estimate(value, float(middle - away), float(middle + away)).within(0, 1)


def average(first: Estimate, second: Estimate) -> Estimate:
    """The mean of two figures of samples that don't know of each other."""
    ends = [
        np.array([getattr(estimate, end) for estimate in (first, second)], float) for end in ("value", "low", "high")
    ]
    value, low, high = ends  # what there is none of is not a number
    middle = float(value.mean())
    below, above = (float(np.hypot(*(end - value))) / 2 for end in (low, high))
    return Estimate(middle, middle - below, middle + above) if np.isfinite(middle) else NONE


def extreme(several: Sequence[Estimate], pick: Callable[[list[float]], float]) -> Estimate:
    """The lowest or the highest of several figures, as ``min`` or ``max`` picks it.

    Which of them that is needn't be the same for all streamlines, so its interval is between the extremes of their
    ends.
    """
    ends = [[getattr(estimate, end) for estimate in several] for end in ("value", "low", "high")]
    value, low, high = (None if None in values else float(pick(values)) for values in ends)
    return Estimate(value, low, high)


def margins(
    figures: Callable[[NDArray[np.int64]], NDArray[np.float64]], count: int, fraction: float
) -> NDArray[np.float64]:
    """How far figures (F,) of a sample may be from all streamlines', on both sides, (F,), however they are calculated.

    The jackknife: they are calculated anew without each of 20 groups of streamlines (Efron and Stein 1981, Ann Stat 9,
    586-596, doi:10.1214/aos/1176345462). Not a number where the sample is too small.

    Parameters
    ----------
    figures : calculates them for streamlines of such numbers (S,), from 0 up to ``count``.
    """
    everyone = np.arange(count)
    if fraction >= 1 or count < FEWEST:
        return np.full(len(figures(everyone)), 0.0 if fraction >= 1 else np.nan)
    group = np.random.default_rng(0).permutation(count) % _GROUPS
    without = np.array([figures(everyone[group != left_out]) for left_out in range(_GROUPS)])
    away = ((without - without.mean(axis=0)) ** 2).sum(axis=0) * (_GROUPS - 1) / _GROUPS
    return np.asarray(_STUDENT * np.sqrt((1 - fraction) * away))
