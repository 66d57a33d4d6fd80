"""Lines bend where corners would be seen, and only there; what is drawn is where the streamlines are."""

from pathlib import Path

import numpy as np
import phantoms
import pytest
from scenes import drawn, rest

from tractcap.drawing import canvas
from tractcap.drawing.lines import DrawableLines, StreamlineCounts
from tractcap.drawing.views import Frame
from tractcap.records.options import SIX

FRAME = Frame((-60, -60, -60), (60, 60, 60))
SIZE = 400
PIXEL = FRAME.width / SIZE
RADIUS = 45


def circle(points: int) -> phantoms.Streamlines:
    """Around the y axis, as the front view sees it."""
    turn = np.linspace(0, 2 * np.pi, points)
    return [np.stack([RADIUS * np.cos(turn), 0 * turn, RADIUS * np.sin(turn)], axis=1).astype(np.float32)]


def places(picture: np.ndarray) -> np.ndarray:
    """Of the pixels that are drawn, (N, 2), how far they lie to the right of and above the middle, in mm."""
    rows, columns = np.nonzero(picture.any(axis=2))
    return np.stack([columns - (SIZE - 1) / 2, (SIZE - 1) / 2 - rows], axis=1) * PIXEL


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points are handed to the canvas each time."""
    points: list[int] = []
    real = canvas.Canvas.draw

    def draw(self: canvas.Canvas, lines: DrawableLines) -> None:
        points.append(len(lines.points))
        real(self, lines)

    monkeypatch.setattr(canvas.Canvas, "draw", draw)
    return points


@pytest.mark.parametrize("style", ["lines", "tubes"])
@pytest.mark.parametrize("points", [13, 25])
def test_a_circle_of_few_points_is_round(tmp_path: Path, points: int, style: str) -> None:
    """A polygon of 12 corners would lie 1.5 mm, five pixels, inside of it. The half without the ends is looked at."""
    path = phantoms.raw_tck(tmp_path / "a.tck", circle(points))
    there = places(rest(path, FRAME, views=("anterior",), size=SIZE, width=2 * PIXEL, style=style))
    beside = np.abs(np.hypot(*there[there[:, 0] > 0].T) - RADIUS)
    assert len(beside) > 500
    assert beside.max() < 2.5 * PIXEL


@pytest.mark.parametrize(("points", "most"), [(600, 1.0), (41, 2.0), (13, 8.0), (3, 8.0)])
def test_points_are_put_in_only_where_a_corner_would_be_seen(
    tmp_path: Path, counted: list[int], points: int, most: float
) -> None:
    """Densely sampled streamlines cost nothing more, and none more than eight times as much. All count as they are."""
    streamlines, tally = circle(points), StreamlineCounts()
    drawn(phantoms.raw_tck(tmp_path / "a.tck", streamlines), FRAME, size=SIZE, tally=tally, exact=True)
    assert points <= sum(counted) <= most * points
    assert (sum(counted) > points) == (most > 1)
    assert tally.points == points
    length = np.linalg.norm(np.diff(streamlines[0], axis=0), axis=1).sum()
    assert tally.mean_length == pytest.approx(length, rel=1e-3)


def test_larger_pictures_of_the_same_have_finer_parts(tmp_path: Path, counted: list[int]) -> None:
    path = phantoms.raw_tck(tmp_path / "a.tck", circle(21))
    totals = []
    for size in (50, 200, 800):
        counted.clear()
        drawn(path, FRAME, size=size, views=("anterior",))
        totals.append(sum(counted))
    assert totals[0] < totals[1] < totals[2]


@pytest.mark.parametrize("style", ["lines", "tubes"])
def test_uneven_steps_make_no_loops(tmp_path: Path, style: str) -> None:
    """As compressed streamlines have them: half a mm askew between two steps of 40 mm."""
    bent = np.array([[-40, 0, 0], [0, 0, 0], [0.4, 0, 0.4], [40, 0, 0.4]], np.float32)
    path = phantoms.raw_tck(tmp_path / "a.tck", [bent])
    high = places(rest(path, FRAME, views=("anterior",), size=SIZE, width=2 * PIXEL, style=style))[:, 1]
    assert len(high) > 200
    assert -1.5 < high.min() < high.max() < 1.9


def zigzag() -> phantoms.Streamlines:
    """Corners everywhere, in streamlines of two to 600 points."""
    rng = np.random.default_rng(8)
    return [
        np.clip(np.cumsum(rng.normal(0, 6, (count, 3)), axis=0), -60, 60).astype(np.float32)
        for count in (2, 3, 4, 5, 600, 12, 250, 2, 7)
    ]


@pytest.mark.parametrize("style", ["lines", "tubes"])
@pytest.mark.parametrize("max_points", [7, 8, 63, 600])
def test_corners_are_the_same_whatever_the_chunk(
    tmp_path: Path, counted: list[int], max_points: int, style: str
) -> None:
    path = phantoms.save(tmp_path / "a.trk", zigzag())
    whole = drawn(path, FRAME, size=150, style=style)
    counted.clear()
    cut = drawn(path, FRAME, size=150, style=style, max_points=max_points, passes=(1, 5))
    assert max(counted) <= max_points + 2 * 8, "points that are put in are bounded as those of the file are"
    for name in SIX:
        assert whole[name].any()
        np.testing.assert_array_equal(whole[name], cut[name], name)
