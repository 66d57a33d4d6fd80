"""What samples tell of all: intervals that hold the whole figure in 99 of 100 samples, and are no wider than needed."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tractcap.checks.common import estimate
from tractcap.checks.common.estimate import NONE, Estimate

ALL, SOME, TIMES = 4_000, 400, 600
RANDOM = np.random.default_rng(3)
SKEWED = RANDOM.lognormal(0, 0.8, ALL)
POINTS = RANDOM.integers(5, 80, ALL).astype(float)
OUTSIDE = np.round(POINTS * RANDOM.beta(0.3, 3, ALL))
CURVES = SKEWED[:, None] * np.sin(np.linspace(0, 3, 5)) + POINTS[:, None] / 40

Draw = Callable[[NDArray[np.int64], float], Estimate]
"""Estimates a figure from streamlines of such numbers, a share of all."""


def curves(some: NDArray[np.int64], fraction: float) -> Estimate:
    """The highest point of the mean curve: of noisy ones the highest is too high."""
    chosen = CURVES[some]
    away = estimate.margins(lambda few: chosen[few].mean(axis=0), len(some), fraction)
    each = [estimate.about(*pair) for pair in zip(chosen.mean(axis=0).tolist(), away.tolist(), strict=True)]
    return estimate.extreme(each, max)


FIGURES: dict[str, tuple[Draw, float]] = {
    "mean": (lambda some, part: estimate.mean(SKEWED[some], part), SKEWED.mean()),
    "ratio": (lambda some, part: estimate.ratio(OUTSIDE[some], POINTS[some], part), OUTSIDE.sum() / POINTS.sum()),
    "deviation": (lambda some, part: estimate.deviation(POINTS[some], part), POINTS.std()),
    "median": (lambda some, part: estimate.median(SKEWED[some], part), float(np.median(SKEWED))),
    "half": (lambda some, part: estimate.share(float((SKEWED[some] > 1).mean()), len(some), part), (SKEWED > 1).mean()),
    "few": (lambda some, part: estimate.share(float((SKEWED[some] > 6).mean()), len(some), part), (SKEWED > 6).mean()),
    "highest": (curves, CURVES.mean(axis=0).max()),
}


def samples(count: int = SOME) -> list[NDArray[np.int64]]:
    random = np.random.default_rng(5)
    return [random.permutation(ALL)[:count] for _ in range(TIMES)]


@pytest.mark.parametrize("name", FIGURES)
def test_intervals_hold_the_whole_s_figure_in_99_of_100_samples(name: str) -> None:
    """A little less where what is sampled is skewed; and the interval of all of them is the figure itself."""
    draw, known = FIGURES[name]
    found = [draw(some, SOME / ALL) for some in samples()]
    held = np.mean([one.low <= known <= one.high for one in found])
    assert held >= 0.975
    assert all(one.low <= one.value <= one.high for one in found)
    values, widths = np.array([one.value for one in found]), np.array([one.high - one.low for one in found])
    assert values.mean() == pytest.approx(known, abs=0.15 * values.std() + 1e-9)
    assert np.median(widths) < 2 * 2.5758 * values.std() * 1.4
    whole = draw(np.arange(ALL), 1.0)
    assert (whole.value, whole.low, whole.high) == pytest.approx((known, known, known))


@pytest.mark.parametrize("name", FIGURES)
def test_a_tiny_sample_tells_nothing_but_a_whole_tiny_bundle_does(name: str) -> None:
    draw, _ = FIGURES[name]
    few = np.arange(estimate.FEWEST - 1)
    assert draw(few, 0.5) == NONE
    assert draw(np.arange(estimate.FEWEST), 0.5) != NONE
    whole = draw(few, 1.0)
    assert whole.low == whole.value == whole.high


def test_nothing_has_no_figure() -> None:
    nothing = np.zeros(0)
    for found in (
        estimate.mean(nothing, 1.0), estimate.median(nothing, 1.0), estimate.share(0.0, 0, 1.0),
        estimate.deviation(nothing, 1.0), estimate.ratio(np.ones(3), np.zeros(3), 1.0), estimate.about(np.nan, 0.0),
        estimate.average(NONE, estimate.about(1, 0.1)), estimate.extreme([NONE, estimate.about(1, 0.1)], min),
    ):  # fmt: skip
        assert found == NONE
    assert NONE.measures("A") == {"A": None, "ALow": None, "AHigh": None}


def test_what_none_of_a_sample_has_some_of_all_may_have() -> None:
    """Of 400, none: less than 7 in 400 of all, by the binomial distribution (0.99 ** 400 is 0.018)."""
    none, all_ = estimate.share(0.0, 400, 0.1), estimate.share(1.0, 400, 0.1)
    assert (none.low, all_.high) == (0, 1)
    assert 0.011 < none.high < 0.02
    assert 1 - all_.low == pytest.approx(none.high)


def test_the_mean_of_two_figures() -> None:
    """Errors of two samples that don't know of each other add up by their squares; 3, 4 and 5."""
    found = estimate.average(Estimate(1.0, 0.7, 1.6), Estimate(2.0, 1.6, 2.8))
    assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.5 - 0.25, 1.5 + 0.5))


def test_as_measures() -> None:
    one = Estimate(2.0 / 3, 0.5, 1.0)
    assert one.measures("A", 3) == {"A": 0.667, "ALow": 0.5, "AHigh": 1.0}
    assert Estimate(6.2, 5.1, 7.7).measures("A", 0) == {"A": 6, "ALow": 5, "AHigh": 8}
    assert Estimate(6, 5, 8).over(10) == Estimate(0.6, 0.5, 0.8)
    assert Estimate(0.2, -0.1, 1.3).within(0, 1) == Estimate(0.2, 0, 1)


HALF = np.array([0.0, 1.0] * 10)
"""Of 20 streamlines, of 40; the variance of one is 0.25 · 20 / 19."""


def test_the_interval_of_a_mean_is_the_textbook_s() -> None:
    """2.5758 standard errors of a mean of 20 of 40: √(0.5 · s² / 20)."""
    away = 2.5758 * np.sqrt(0.5 * 0.25 * 20 / 19 / 20)
    found = estimate.mean(HALF, 0.5)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5 - away, 0.5 + away), abs=1e-12)


def test_the_interval_of_a_ratio_is_that_of_its_rests() -> None:
    """Sums of 1 · 10 + 2 · 10 over 2 · 10 + 4 · 10 leave no rest; of 1 : 1 and 0 : 1 that is a mean."""
    tops = np.array([1.0, 2.0] * 10)
    exact = estimate.ratio(tops, 2 * tops, 0.5)
    assert (exact.value, exact.low, exact.high) == pytest.approx((0.5, 0.5, 0.5))
    assert estimate.ratio(3 * HALF, np.full(20, 3.0), 0.5).high == pytest.approx(estimate.mean(HALF, 0.5).high)


def test_the_interval_of_a_median_is_between_two_values() -> None:
    """Of 100 of very many, ranks 50 ± 2.5758 · √100 / 2: the 37th of them to the 63rd and one beyond."""
    values = np.arange(1.0, 101.0)[::-1]
    found = estimate.median(values, 1e-9)
    assert (found.value, found.low, found.high) == (50.5, 37, 64)
    half = estimate.median(values, 0.5)  # 50 ± 9.1
    assert (half.low, half.high) == (40, 61)


def test_the_interval_of_a_share_is_wilsons() -> None:
    """Its ends are where the share is 2.5758 of its standard errors away: (p − x)² = z² · x · (1 − x) / n."""
    found = estimate.share(0.3, 50, 0.5)
    for end in (found.low, found.high):
        assert (0.3 - end) ** 2 == pytest.approx(2.5758**2 * end * (1 - end) / 100)
    assert found.low < 0.3 < found.high


def test_the_interval_of_a_standard_deviation() -> None:
    """Values of which each is as far from the mean leave no doubt; else it is about that of the chi-square."""
    found = estimate.deviation(HALF, 0.5)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    normal = estimate.deviation(np.random.default_rng(0).normal(0, 3, 4_000), 1e-9)
    assert (normal.high - normal.low) / 2 == pytest.approx(2.5758 * normal.value / np.sqrt(8_000), rel=0.1)
    assert estimate.deviation(np.full(30, 7.0), 0.5) == Estimate(0, 0, 0)


def test_the_jackknife_of_a_mean_is_the_mean_s_own() -> None:
    """2.8609 is what Student's distribution has for 20 groups where the normal one has 2.5758."""
    ratios = []
    for seed in range(200):
        values = np.random.default_rng(seed).normal(0, 1, 200)
        (away,) = estimate.margins(lambda some, held=values: held[some].mean(keepdims=True), 200, 0.25)
        own = estimate.mean(values, 0.25)
        ratios.append(away / 2.8609 / ((own.high - own.low) / 2 / 2.5758))
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)
    assert estimate.margins(lambda some: np.ones(3), 50, 1.0).tolist() == [0, 0, 0]
