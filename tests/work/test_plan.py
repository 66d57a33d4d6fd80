"""The plan's arithmetic."""

from dataclasses import replace

import pytest

from tractcap.limits import MB
from tractcap.work import plan

MANY = 10**9
CONTENT = plan.Content(6, (800,) * 6, MANY)
ONE, EACH = (6,), (1,) * 6


def need(shape: plan.Shape, **changed: object) -> int:
    return plan.need(replace(CONTENT, **changed), shape)


def test_more_of_anything_needs_more() -> None:
    base = need(plan.Shape(50_000, ONE))
    assert base < need(plan.Shape(50_000, ONE), sizes=(1000,) * 6)
    assert base < need(plan.Shape(50_000, ONE), loaded=MB)
    assert base < need(plan.Shape(50_000, ONE), extra=MB)
    assert base < need(plan.Shape(50_000, ONE), sums=2)
    assert base < need(plan.Shape(50_000, (7,)), sizes=(*CONTENT.sizes, 400))
    assert base > need(plan.Shape(50_000, (5, 1)))
    assert base > need(plan.Shape(20_000, ONE))
    assert base > need(plan.Shape(50_000, ONE, 1))
    assert base > need(plan.Shape(50_000, ONE), points=1000)


def test_a_job_gets_smaller_chunks_then_more_passes_and_loses_its_smoothing_last() -> None:
    order = list(plan.shapes(CONTENT.sizes))
    assert order[:3] == [plan.Shape(50_000, ONE), plan.Shape(20_000, ONE), plan.Shape(50_000, (5, 1))]
    assert all(sum(shape.passes) == 6 for shape in order)
    assert [shape.sampling for shape in order] == [2] * (len(order) // 2) + [1] * (len(order) // 2)
    assert plan.fit(CONTENT, need(order[0])) == order[0]
    assert plan.fit(CONTENT, need(order[0]) - 1) == order[1]
    assert plan.fit(CONTENT, need(plan.Shape(20_000, EACH))) == plan.Shape(20_000, EACH)
    rough = plan.fit(CONTENT, need(plan.Shape(20_000, EACH)) - 1)
    assert rough is not None
    assert rough.sampling == 1
    last = plan.Shape(20_000, EACH, 1)
    assert plan.fit(CONTENT, need(last)) == last
    assert plan.fit(CONTENT, need(last) - 1) is None


def test_a_turntable_is_one_pass_and_parted_from_the_views_before_it_is_parted_itself() -> None:
    film = plan.Content(6, (800,) * 6 + (400,) * 36, MANY)
    shapes = [shape.passes for shape in plan.shapes(film.sizes)]
    assert shapes[0] == (42,)
    two = next(passes for passes in shapes if len(passes) == 2)
    assert sum(two) == 42
    assert two[0] >= 6


def test_a_job_that_failed_is_tried_again_with_half_as_much_in_a_pass() -> None:
    assert plan.smaller(CONTENT, plan.Shape(50_000, ONE)) == plan.Shape(20_000, (2, 2, 2))
    assert plan.smaller(CONTENT, plan.Shape(50_000, EACH, 1)) == plan.Shape(20_000, EACH, 1)


def test_the_least_budget_is_enough_and_no_more_than_needed() -> None:
    least = plan.least(CONTENT, 0.2)
    assert plan.fit(CONTENT, plan.usable(least, 0.2)) is not None
    assert plan.fit(CONTENT, plan.usable(least - 3 * MB, 0.2)) is None


@pytest.mark.parametrize(
    ("asked", "cpus", "needs", "room", "workers", "bound_by", "warned"),
    [
        (-1, 8, [100] * 20, 10_000, 8, "the processors", False),
        (-1, 8, [100] * 3, 10_000, 3, "the number of jobs", False),
        (-1, 8, [100] * 20, 350, 3, "memory", True),
        (4, 2, [100] * 20, 10_000, 4, "--nprocs", False),
        (4, 8, [100] * 20, 350, 3, "memory", True),
        (1, 8, [100] * 20, 10_000, 1, "--nprocs", False),
        (-1, 8, [300, 100], 350, 1, "memory", True),
        (-1, 8, [300, 100], 400, 2, "the number of jobs", False),
        (-1, 8, [300, 100, 100], 400, 2, "memory", True),
    ],
)
def test_the_least_bound_sets_the_number_of_workers(
    asked: int, cpus: int, needs: list[int], room: int, workers: int, bound_by: str, warned: bool
) -> None:
    crew = plan.crew(asked, cpus, [need * MB for need in needs], room * MB)
    assert (crew.workers, crew.bound_by) == (workers, bound_by)
    assert bool(crew.warning) == warned
    if warned:
        assert f"{max(needs)} MB" in crew.warning
        assert f"{room} MB" in crew.warning


def test_threads_share_the_processors() -> None:
    assert plan.crew(2, 8, [1, 1], 10).threads == 4
    assert plan.crew(8, 2, [1] * 8, 10).threads == 1
