"""The plan's arithmetic."""

from dataclasses import replace

import pytest

from tractcap.limits import MB
from tractcap.work import plan

MANY = 10**9
CONTENT = plan.Content(6, 800, MANY)


def need(shape: plan.Shape, **changed: int) -> int:
    return plan.need(replace(CONTENT, **changed), shape)


def test_more_of_anything_needs_more() -> None:
    base = need(plan.Shape(50_000, 6))
    assert base < need(plan.Shape(50_000, 6), size=1000)
    assert base < need(plan.Shape(50_000, 6), loaded=MB)
    assert base > need(plan.Shape(50_000, 5))
    assert base > need(plan.Shape(20_000, 6))
    assert base > need(plan.Shape(50_000, 6, 1))
    assert base > need(plan.Shape(50_000, 6), points=1000)


def test_a_job_gets_smaller_chunks_then_fewer_views_a_pass_and_loses_its_smoothing_last() -> None:
    order = list(plan.shapes(6))
    assert order[:3] == [plan.Shape(50_000, 6), plan.Shape(20_000, 6), plan.Shape(50_000, 5)]
    assert [shape.sampling for shape in order] == [2] * 12 + [1] * 12
    assert plan.fit(CONTENT, need(order[0])) == order[0]
    assert plan.fit(CONTENT, need(order[0]) - 1) == order[1]
    assert plan.fit(CONTENT, need(plan.Shape(20_000, 1))) == plan.Shape(20_000, 1)
    assert plan.fit(CONTENT, need(plan.Shape(20_000, 1)) - 1) == plan.Shape(20_000, 3, 1)
    last = plan.Shape(20_000, 1, 1)
    assert plan.fit(CONTENT, need(last)) == last
    assert plan.fit(CONTENT, need(last) - 1) is None


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
