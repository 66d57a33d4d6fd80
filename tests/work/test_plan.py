"""The plan's arithmetic."""

from dataclasses import replace

import pytest

from tractcap.limits import MB
from tractcap.records.options import RenderSettings
from tractcap.work import memory_plan

MANY = 10**9
CONTENT = memory_plan.Workload(6, (800,) * 6, MANY)
ONE, EACH = (6,), (1,) * 6


def need(shape: RenderSettings, **changed: object) -> int:
    return memory_plan.need(replace(CONTENT, **changed), shape)


def test_more_of_anything_needs_more() -> None:
    base = need(RenderSettings(50_000, ONE))
    assert base < need(RenderSettings(50_000, ONE), sizes=(1000,) * 6)
    assert base < need(RenderSettings(50_000, ONE), loaded=MB)
    assert base < need(RenderSettings(50_000, ONE), extra=MB)
    assert base < need(RenderSettings(50_000, ONE), sums=2)
    assert base < need(RenderSettings(50_000, (7,)), sizes=(*CONTENT.sizes, 400))
    assert base > need(RenderSettings(50_000, (5, 1)))
    assert base > need(RenderSettings(20_000, ONE))
    assert base > need(RenderSettings(50_000, ONE, 1))
    assert base > need(RenderSettings(50_000, ONE), points=1000)


def test_a_job_gets_smaller_chunks_then_more_passes_and_loses_its_smoothing_last() -> None:
    order = list(memory_plan.candidates(CONTENT.sizes))
    assert order[:3] == [RenderSettings(50_000, ONE), RenderSettings(20_000, ONE), RenderSettings(50_000, (5, 1))]
    assert all(sum(shape.passes) == 6 for shape in order)
    assert [shape.sampling for shape in order] == [2] * (len(order) // 2) + [1] * (len(order) // 2)
    assert memory_plan.fit(CONTENT, need(order[0])) == order[0]
    assert memory_plan.fit(CONTENT, need(order[0]) - 1) == order[1]
    assert memory_plan.fit(CONTENT, need(RenderSettings(20_000, EACH))) == RenderSettings(20_000, EACH)
    rough = memory_plan.fit(CONTENT, need(RenderSettings(20_000, EACH)) - 1)
    assert rough is not None
    assert rough.sampling == 1
    last = RenderSettings(20_000, EACH, 1)
    assert memory_plan.fit(CONTENT, need(last)) == last
    assert memory_plan.fit(CONTENT, need(last) - 1) is None


def test_a_turntable_is_one_pass_and_parted_from_the_views_before_it_is_parted_itself() -> None:
    film = memory_plan.Workload(6, (800,) * 6 + (400,) * 36, MANY)
    shapes = [shape.passes for shape in memory_plan.candidates(film.sizes)]
    assert shapes[0] == (42,)
    two = next(passes for passes in shapes if len(passes) == 2)
    assert sum(two) == 42
    assert two[0] >= 6


def test_a_job_that_failed_is_tried_again_with_half_as_much_in_a_pass() -> None:
    assert memory_plan.smaller(CONTENT, RenderSettings(50_000, ONE)) == RenderSettings(20_000, (2, 2, 2))
    assert memory_plan.smaller(CONTENT, RenderSettings(50_000, EACH, 1)) == RenderSettings(20_000, EACH, 1)


def test_the_least_budget_is_enough_and_no_more_than_needed() -> None:
    least = memory_plan.least(CONTENT, 0.2)
    assert memory_plan.fit(CONTENT, memory_plan.usable(least, 0.2)) is not None
    assert memory_plan.fit(CONTENT, memory_plan.usable(least - 3 * MB, 0.2)) is None


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
    crew = memory_plan.crew(asked, cpus, [need * MB for need in needs], room * MB)
    assert (crew.workers, crew.bound_by) == (workers, bound_by)
    assert bool(crew.warning) == warned
    if warned:
        assert f"{max(needs)} MB" in crew.warning
        assert f"{room} MB" in crew.warning


def test_threads_share_the_processors() -> None:
    assert memory_plan.crew(2, 8, [1, 1], 10).threads == 4
    assert memory_plan.crew(8, 2, [1] * 8, 10).threads == 1


PICTURE = 800**2 * 14
"""A finished picture of 800 pixels, its labelled copy, and what writes it."""

MOSAIC = 6 * 800**2 * 9
LINES = 80 * MB + PICTURE + MOSAIC
SIX_LINES, FOUR_LINES, LINE = 50_000 * (800 + 6 * 50), 50_000 * (800 + 4 * 50), 50_000 * (800 + 50)
"""Of points that are drawn at once, into so many pictures."""

NEEDS = {
    "six views at once, smoothed": ({}, RenderSettings(50_000, ONE), LINES + SIX_LINES + 6 * 800**2 * 4 * 8),
    "not smoothed": ({}, RenderSettings(50_000, ONE, 1), LINES + SIX_LINES + 6 * 800**2 * 8),
    "two passes: the larger counts": ({}, RenderSettings(50_000, (4, 2)), LINES + FOUR_LINES + 4 * 800**2 * 4 * 8),
    "two passes, the larger last": ({}, RenderSettings(50_000, (2, 4)), LINES + FOUR_LINES + 4 * 800**2 * 4 * 8),
    "with two sums": ({"sums": 2}, RenderSettings(50_000, EACH), LINES + LINE + 800**2 * 4 * (8 + 2 * 16)),
    "held whole": ({"loaded": 5}, RenderSettings(50_000, EACH), LINES + LINE + 800**2 * 4 * 8 + 5),
    "images beside": ({"extra": 7}, RenderSettings(50_000, EACH), LINES + LINE + 800**2 * 4 * 8 + 7),
    "few points, which become eight each": (
        {"points": 10}, RenderSettings(50_000, EACH), LINES + 80 * (800 + 50) + 800**2 * 4 * 8
    ),
    "large pictures are copied smaller into the mosaic": (
        {"views": 2, "sizes": (1600, 1600)},
        RenderSettings(50_000, (1, 1)),
        80 * MB + LINE + 1600**2 * 14 + 2 * 1024**2 * 9 + 1600**2 * 4 * 8,
    ),
    "two frames of 400 pixels": (
        {"views": 1, "sizes": (800, 400, 400)},
        RenderSettings(50_000, (1, 2)),
        80 * MB + 50_000 * (800 + 2 * 50) + PICTURE + 800**2 * 9 + 800**2 * 4 * 8
        + 2 * 400**2 * 5 + 24 * MB + 400**2 * 70,
    ),
    "tubes, half as many points at once": (
        {"tubes": True}, RenderSettings(50_000, EACH), LINES + 25_000 * (1000 + 560) + 800**2 * 4 * 8
    ),
    "tubes in three views": (
        {"tubes": True}, RenderSettings(50_000, (3, 3)), LINES + 25_000 * (1000 + 3 * 560) + 3 * 800**2 * 4 * 8
    ),
    "tubes in more than six pictures": (
        {"tubes": True, "sizes": (800,) * 8, "views": 8},
        RenderSettings(50_000, (8,)),
        LINES + 25_000 * (1000 + 6 * 560) + 2 * 800**2 * 9 + 8 * 800**2 * 4 * 8,
    ),
    "tubes of few points, which become eight each": (
        {"tubes": True, "points": 1000},
        RenderSettings(50_000, EACH),
        LINES + 8000 * (1000 + 560) + 800**2 * 4 * 8,
    ),
}  # fmt: skip
"""Bytes, as docs/memory.md counts them."""


@pytest.mark.parametrize("name", NEEDS)
def test_what_a_job_needs(name: str) -> None:
    changed, shape, expected = NEEDS[name]
    assert memory_plan.need(replace(CONTENT, **changed), shape) == expected


def test_what_images_take() -> None:
    science, anatomy = 34 * MB, 16 * MB
    assert memory_plan.images(None, None) == 0
    assert memory_plan.images((10, 20, 30), None) == science + anatomy + 6000
    assert memory_plan.images((1000, 1000, 1000), None) == science + anatomy + 320**3, "a larger one is thinned out"
    assert memory_plan.images(None, (10, 20, 30)) == science + 4 * 6000
    assert memory_plan.images((10, 20, 30), (10, 20, 30)) == science + anatomy + 5 * 6000


def test_workers_may_take_the_budget_less_margin_and_supervisor() -> None:
    assert memory_plan.usable(1000 * MB, 0.2) == 768 * MB
    assert memory_plan.usable(1000 * MB, 0.0) == 968 * MB
    assert memory_plan.usable(32 * MB, 0.0) == 0
    assert memory_plan.usable(40 * MB, 0.2) == 0


def test_what_is_too_little_is_said_with_what_would_do() -> None:
    alone = memory_plan.need(CONTENT, RenderSettings(20_000, EACH, 1))
    assert memory_plan.least(CONTENT, 0.0) == alone + 33 * MB
    assert memory_plan.least(CONTENT, 0.5) == 2 * (alone + 32 * MB) + MB


@pytest.mark.parametrize(
    ("points", "workers", "pieces"),
    [
        ([20_000_000, 1_000_000, 1_000_000], 8, [4, 1, 1]),
        ([20_000_000, 20_000_000], 4, [1, 1]),
        ([30_000_000, 20_000_000], 4, [2, 1]),
        ([30_000_000, 20_000_000], 3, [1, 1]),
        ([5_000_000], 8, [1]),  # fewer points aren't worth it
        ([5_000_001], 8, [4]),
        ([6_000_000], 2, [1]),  # one worker uses two processors
        ([6_000_000], 1, [1]),
        ([10_000_000, 8_000_000], 7, [2, 2]),
        ([0], 8, [1]),
    ],
)
def test_a_tractogram_is_drawn_in_pieces_if_it_is_more_than_two_workers_share(
    points: list[int], workers: int, pieces: list[int]
) -> None:
    assert memory_plan.counts(points, workers) == pieces


FILM = memory_plan.Workload(6, (800,) * 6 + (400,) * 36, MANY)


@pytest.mark.parametrize(
    ("pictures", "views", "passes"),
    [
        (range(3), 3, (3,)),
        (range(4, 6), 2, (2,)),
        (range(5, 8), 1, (3,)),
        (range(6, 42), 0, (36,)),
        (range(42), 6, (18, 24)),  # six views and twelve frames take what 36 frames take
    ],
)
def test_a_piece_draws_its_pictures_in_passes_of_the_same_size(
    pictures: range, views: int, passes: tuple[int, ...]
) -> None:
    content, shape = memory_plan.of_piece(FILM, RenderSettings(50_000, (4, 2, 36)), pictures)
    assert (content.views, content.sizes) == (views, FILM.sizes[pictures.start : pictures.stop])
    assert shape == RenderSettings(20_000, passes, 2), "chunks are the same in all pieces, whatever memory each has"


def test_pieces_are_fitted_by_the_one_that_takes_most() -> None:
    drawn = [range(4), range(4, 6)]
    best = RenderSettings(50_000, ONE)
    most = max(memory_plan.need(*memory_plan.of_piece(CONTENT, best, pictures)) for pictures in drawn)
    assert memory_plan.fit_pieces(CONTENT, 2, drawn, most) == (best, most)
    less = memory_plan.fit_pieces(CONTENT, 2, drawn, most - 1)
    assert less is not None
    assert less[0].sampling == 2
    assert less[1] < most
    assert memory_plan.fit_pieces(CONTENT, 2, drawn, 100 * MB) is None, "smoothing is not given up for it"
    rough = memory_plan.fit_pieces(CONTENT, 1, drawn, most)
    assert rough is not None
    assert rough[0] == RenderSettings(50_000, ONE, 1)


def test_pieces_are_merged_picture_by_picture() -> None:
    assert memory_plan.merging(CONTENT, RenderSettings(50_000, ONE, 1)) == RenderSettings(20_000, EACH, 1)


def test_passes_hold_as_much_as_fits_and_get_more_one_by_one() -> None:
    assert list(dict.fromkeys(shape.passes for shape in memory_plan.candidates((800,) * 3))) == [
        (3,),
        (2, 1),
        (1, 1, 1),
    ]
    mixed = [shape.passes for shape in memory_plan.candidates((800, 800, 400, 400))]
    assert list(dict.fromkeys(mixed)) == [(4,), (3, 1), (1, 2, 1)]


def test_a_retry_takes_half_of_what_the_largest_pass_took() -> None:
    assert memory_plan.smaller(CONTENT, RenderSettings(50_000, (2, 2, 2))) == RenderSettings(20_000, EACH)
    assert memory_plan.smaller(CONTENT, RenderSettings(50_000, (3, 3))) == RenderSettings(20_000, EACH), (
        "two views are more than half"
    )
    five = memory_plan.Workload(5, (800,) * 5, MANY)
    assert memory_plan.smaller(five, RenderSettings(50_000, (5,))) == RenderSettings(20_000, (2, 2, 1))
    pair = memory_plan.Workload(2, (800, 800), MANY)
    assert memory_plan.smaller(pair, RenderSettings(50_000, (2,), 1)) == RenderSettings(20_000, (1, 1), 1)


def test_what_bounds_the_workers_is_said_in_figures() -> None:
    assert memory_plan.crew(-1, 8, [100 * MB] * 20, 350 * MB).warning == (
        "memory allows 3 workers at once instead of 8: a job may need 100 MB, and 350 MB are there for all of them"
    )
    assert memory_plan.crew(-1, 8, [100 * MB, 300 * MB], 399 * MB).warning == (
        "memory allows 1 worker at once instead of 2: a job may need 100 to 300 MB, and 399 MB are there "
        "for all of them"
    )
    assert memory_plan.crew(-1, 8, [500 * MB], 100 * MB).workers == 1, "one at least"
    assert memory_plan.crew(2, 7, [1, 1, 1], 10).threads == 3
