"""The plan's arithmetic."""

import pytest

from tractcap.limits import MB
from tractcap.work import plan


def test_more_of_anything_needs_more() -> None:
    base = plan.need(6, 800, 0, plan.Shape(50_000, 6))
    assert base < plan.need(6, 1000, 0, plan.Shape(50_000, 6))
    assert base < plan.need(6, 800, MB, plan.Shape(50_000, 6))
    assert base > plan.need(6, 800, 0, plan.Shape(50_000, 5))
    assert base > plan.need(6, 800, 0, plan.Shape(20_000, 6))


def test_a_job_gets_fewer_views_a_pass_before_smaller_chunks() -> None:
    most = plan.need(6, 800, 0, plan.Shape(50_000, 6))
    assert plan.fit(6, 800, 0, most) == plan.Shape(50_000, 6)
    assert plan.fit(6, 800, 0, most - 1) == plan.Shape(50_000, 5)
    one = plan.need(6, 800, 0, plan.Shape(50_000, 1))
    assert plan.fit(6, 800, 0, one - 1) == plan.Shape(20_000, 2)
    assert plan.fit(6, 800, 0, plan.need(6, 800, 0, plan.Shape(20_000, 1)) - 1) is None


def test_the_least_budget_is_enough_and_no_more_than_needed() -> None:
    least = plan.least(6, 800, 0, 0.2)
    assert plan.fit(6, 800, 0, plan.usable(least, 0.2)) is not None
    assert plan.fit(6, 800, 0, plan.usable(least - 3 * MB, 0.2)) is None


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
