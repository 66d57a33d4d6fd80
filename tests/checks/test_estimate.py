"""What samples tell of all: intervals that hold the whole figure in 99 of 100 samples, and are no wider than needed."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tractcap.checks.kit import estimate
from tractcap.checks.kit.estimate import NONE, Estimate

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
