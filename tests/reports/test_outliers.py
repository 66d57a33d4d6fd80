"""The rule by which outliers are marked."""

from statistics import NormalDist

import pytest

from tractcap.reports.outliers import spread


def test_the_median_and_the_deviation_are_those_of_the_values():
    about = spread([1, 2, 3, 4, 100])
    assert (about.count, about.median, about.mad) == (5, 3, 1)


def test_a_value_is_marked_beyond_three_deviations_and_not_at_them():
    about = spread([1, 2, 3, 4, 100])
    limit = 3 * 1.4826 * 1
    assert about.outlying(3 + limit + 1e-6)
    assert about.outlying(3 - limit - 1e-6)
    assert not about.outlying(3 + limit - 1e-6)
    assert not about.outlying(3 - limit + 1e-6)


def test_the_distance_is_counted_in_robust_deviations():
    about = spread([10, 12, 14, 16, 18])
    assert about.distance(14 + 2 * 1.4826 * 2) == pytest.approx(2)
    assert about.distance(12) < 0


def test_outliers_do_not_hide_each_other():
    about = spread([10, 11, 12, 13, 14, 1000, 1000])
    assert about.outlying(1000)


@pytest.mark.parametrize(("values", "marks"), [([1, 2, 3, 4], False), ([1, 2, 3, 4, 5], True)])
def test_five_values_are_needed(values, marks):
    about = spread(values)
    assert about.marks is marks
    assert about.outlying(1000) is marks
    assert (about.distance(1000) is not None) is marks


def test_nothing_is_marked_where_the_deviation_is_zero():
    about = spread([5, 5, 5, 5, 5, 900])
    assert about.mad == 0
    assert not about.outlying(900)
    assert about.distance(900) is None


def test_what_only_rounding_sets_apart_is_the_same():
    about = spread([0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2, 0.3, 0.1 + 0.2, 0.31])
    assert not about.outlying(0.31)


def test_no_values_have_no_spread():
    assert spread([]) is None


def test_the_limit_rises_with_the_number_of_values():
    """So that normally distributed values are hardly ever marked, however many there are."""
    normal = [NormalDist().inv_cdf((at + 0.5) / 10_000) for at in range(10_000)]
    about = spread(normal)
    assert sum(abs(about.distance(value)) > 3 for value in normal) > 20
    assert not any(map(about.outlying, normal))
    assert spread(normal[::1000]).limit == 3


def test_few_of_those_marked_are_marked_by_chance():
    """As Benjamini and Hochberg's procedure marks them, followed here to the letter."""
    normal = [NormalDist().inv_cdf((at + 0.5) / 2000) for at in range(2000)]
    values = [*normal, *(4 + at / 100 for at in range(60))]
    about = spread(values)
    ranked = sorted(values, key=lambda value: -abs(about.distance(value)))
    chances = [2 * NormalDist().cdf(-abs(about.distance(value))) for value in ranked]
    last = max(at for at, chance in enumerate(chances, 1) if chance <= 0.05 * at / len(values))
    assert [value for value in ranked if about.outlying(value)] == ranked[:last]
    assert len(set(ranked[:last]) & set(normal)) <= 0.05 * last


def test_many_true_outliers_lower_the_limit_to_three_and_no_further():
    about = spread([*(NormalDist().inv_cdf((at + 0.5) / 900) for at in range(900)), *[50.0] * 100])
    assert about.limit == 3


def test_quantiles_are_interpolated():
    assert spread(range(101)).quantiles == (0, 1, 5, 25, 50, 75, 95, 99, 100)
    assert spread([1, 2]).quantiles[3:6] == (1.25, 1.5, 1.75)
    assert set(spread([7]).quantiles) == {7}
