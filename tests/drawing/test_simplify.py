"""Points whose absence can't be seen aren't drawn: what is drawn is where the points are, in their colours."""

from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from scenes import drawn
from similarity import similarity

from tractcap.drawing import canvas
from tractcap.drawing.lines import DrawableLines
from tractcap.drawing.views import Frame
from tractcap.records.options import DATA, Coloring

FRAME = Frame((-90, -120, -70), (90, 80, 110))
SIZE = 200
SAMPLE = FRAME.width / SIZE / 2


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[DrawableLines]:
    """What is handed to the canvas."""
    lines: list[DrawableLines] = []
    real = canvas.Canvas.draw

    def draw(self: canvas.Canvas, some: DrawableLines) -> None:
        lines.append(some)
        real(self, some)

    monkeypatch.setattr(canvas.Canvas, "draw", draw)
    return lines


def waves(count: int = 60, points: int = 301) -> phantoms.Streamlines:
    """Densely sampled, from straight to strongly bent, uneven in their steps."""
    rng = np.random.default_rng(5)
    streamlines = []
    for number in range(count):
        along = np.sort(rng.uniform(-60, 60, points))
        bends = number / count
        places = [along, 20 * bends * np.sin(along / 12) - 10, 12 * bends * np.cos(along / 9) + number / 3]
        streamlines.append(np.stack(places, axis=1).astype(np.float32))
    return streamlines


def save(folder: Path, streamlines: phantoms.Streamlines) -> Path:
    return phantoms.raw_tck(folder / "a.tck", streamlines)


def beside(points: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far points (N, 3) lie from the nearest segment of a line (M, 3), which segment that is, and where in it."""
    begin, across = line[:-1], np.diff(line, axis=0)
    to = points[:, None] - begin
    share = np.clip((to * across).sum(axis=2) / (across**2).sum(axis=1), 0, 1)
    far = np.linalg.norm(to - share[..., None] * across, axis=2)
    nearest, every = far.argmin(axis=1), np.arange(len(points))
    return far[every, nearest], nearest, share[every, nearest]


def test_no_point_lies_farther_than_a_quarter_of_a_sample_beside_what_is_drawn(
    tmp_path: Path, given: list[DrawableLines]
) -> None:
    streamlines = waves()
    drawn(save(tmp_path, streamlines), FRAME, size=SIZE)
    (lines,) = given
    assert len(lines.points) < 0.7 * sum(map(len, streamlines)), "many points are left out"
    for streamline, start, stop in zip(streamlines, lines.offsets, lines.offsets[1:], strict=False):
        far, _, _ = beside(streamline.astype(float), lines.points[start:stop].astype(float))
        assert far.max() <= 0.25 * SAMPLE + 1e-4


def test_colors_between_points_that_are_drawn_are_those_of_the_points(
    tmp_path: Path, given: list[DrawableLines]
) -> None:
    """Values that rise evenly need no points between, and a single one that is another does."""
    line = np.linspace((-50, 0, 0), (50, 0, 0), 101).astype(np.float32)
    values = np.linspace(0, 1, 101, dtype=np.float32)
    values[42] = 1
    path = phantoms.save(tmp_path / "a.trk", [line], data_per_point={"md": [values[:, None]]})
    coloring = Coloring(DATA, "md", limits=(0.0, 1.0), colormap="gray")
    drawn(path, FRAME, size=SIZE, coloring=coloring)
    (thinned,) = given
    given.clear()
    drawn(path, FRAME, size=SIZE, coloring=coloring, exact=True)
    (whole,) = given
    assert len(whole.points) == 101
    assert len(thinned.points) < 40
    far, at, share = beside(whole.points.astype(float), thinned.points.astype(float))
    colors = thinned.colors.astype(float)
    shown = colors[at] + share[:, None] * (colors[at + 1] - colors[at])
    assert far.max() < 1e-3
    assert np.abs(shown - whole.colors).max() <= 3


BUNDLES: dict[str, tuple[phantoms.Streamlines, dict[str, Any]]] = {
    "thin": (waves(3), {}),
    "dense": (waves(1500), {}),
    "tubes": (waves(60), {"style": "tubes", "width": 3.0}),
    "thin tubes": (waves(60), {"style": "tubes"}),
    "far": ([line * np.float32(0.2) for line in waves(60)], {}),
    "see-through": (waves(60), {"opacity": 0.3}),
    "few points": (phantoms.asymmetric_bundle(60), {}),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_pictures_look_like_those_of_all_points(tmp_path: Path, given: list[DrawableLines], name: str) -> None:
    streamlines, look = BUNDLES[name]
    path = save(tmp_path, streamlines)
    thinned = drawn(path, FRAME, size=SIZE, **look)
    fewer = sum(len(lines.points) for lines in given)
    given.clear()
    whole = drawn(path, FRAME, size=SIZE, exact=True, **look)
    assert fewer < sum(len(lines.points) for lines in given)
    for view, picture in whole.items():
        among_drawn = similarity(thinned[view], picture)
        covered = picture.any(axis=2).mean()
        assert 1 - covered * (1 - among_drawn) >= 0.995, view
        assert among_drawn >= 0.95, view


@pytest.mark.parametrize("style", ["lines", "tubes"])
@pytest.mark.parametrize("max_points", [7, 8, 9, 10, 64, 1000])
def test_the_same_points_are_left_out_whatever_the_chunk(tmp_path: Path, max_points: int, style: str) -> None:
    path = save(tmp_path, [*waves(6), *phantoms.ragged(15)])
    whole = drawn(path, FRAME, size=SIZE, style=style)
    cut = drawn(path, FRAME, size=SIZE, style=style, max_points=max_points, passes=(2, 4))
    for view, picture in whole.items():
        assert picture.any()
        np.testing.assert_array_equal(cut[view], picture, view)


def test_what_cannot_be_told_apart_depends_on_the_scale(tmp_path: Path, given: list[DrawableLines]) -> None:
    path, points = save(tmp_path, waves()), []
    for size in (64, 200, 800):
        given.clear()
        drawn(path, FRAME, size=size, views=("left",))
        points.append(sum(len(lines.points) for lines in given))
    assert points[0] < points[1] < points[2]


def test_points_that_coincide_and_streamlines_that_turn_back_are_drawn(tmp_path: Path) -> None:
    """Turning back, a point lies on the line, but not between its neighbours."""
    there = np.linspace((0, 0, -40), (0, 0, 40), 9)
    back = np.concatenate([there, there[:4:-1], np.repeat(there[5:6], 5, axis=0), [[0, 60, 0]]]).astype(np.float32)
    path = save(tmp_path, [back, np.zeros((6, 3), np.float32)])
    thinned, whole = (drawn(path, FRAME, size=SIZE, exact=exact) for exact in (False, True))
    for view, picture in whole.items():
        assert similarity(thinned[view], picture) > 0.99, view
