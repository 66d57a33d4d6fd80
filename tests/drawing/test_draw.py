"""Measured properties of pictures: where things are, how large, in which colour, in front of what."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from scenes import drawn

from tractcap.color_names import Color
from tractcap.drawing.extent import measure
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import VIEWS, Frame
from tractcap.errors import EmptyError, InputError
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import SIX

FRAME = Frame((-90, -120, -70), (90, 80, 110))
SIZE = 200


def pictures(path: Path, frame: Frame = FRAME, **how: Any) -> dict[str, np.ndarray]:
    """All six views as (size, size, 3) arrays, without labels; lines, unless another style is asked for."""
    return drawn(path, frame, **{"size": SIZE, **how})


def lines(path: Path, *ends: tuple[tuple[float, ...], tuple[float, ...]]) -> Path:
    """Straight lines between given points, 20 points each."""
    return phantoms.raw_tck(path, [np.linspace(a, b, 20).astype(np.float32) for a, b in ends])


def box(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Left, right, top and bottom of what is not background, right and bottom exclusive."""
    rows, columns = np.flatnonzero(picture.any(axis=(1, 2))), np.flatnonzero(picture.any(axis=(0, 2)))
    return columns[0], columns[-1] + 1, rows[0], rows[-1] + 1


@pytest.fixture(scope="module")
def tangle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many short streamlines on top of each other, and a few long ones across: every tie that there can be."""
    streamlines = [s * 3 for s in phantoms.ragged(400)] + [
        np.linspace([-60, -60, -60], [60, 60, 60], 3000, dtype=np.float32)
    ] * 2
    return phantoms.save(tmp_path_factory.mktemp("tangle") / "a.trk", streamlines)


@pytest.mark.parametrize("max_points", [13, 100, 1777])
def test_the_same_pixels_whatever_the_chunk(tangle: Path, max_points: int) -> None:
    whole, cut = pictures(tangle), pictures(tangle, max_points=max_points)
    for name in SIX:
        assert whole[name].any()
        np.testing.assert_array_equal(whole[name], cut[name], name)


@pytest.mark.parametrize("passes", [(1,) * 6, (4, 2)])
def test_the_same_pixels_however_many_views_a_pass(tangle: Path, passes: tuple[int, ...]) -> None:
    together, tally = pictures(tangle), StreamlineCounts()
    apart = pictures(tangle, passes=passes, tally=tally)
    assert tally.drawn == 402, "counted once, not once a pass"
    for name in SIX:
        np.testing.assert_array_equal(together[name], apart[name], name)


def test_left_is_left_in_every_format_and_order(tmp_path: Path) -> None:
    """A bundle in the left hemisphere that rises at its front; coordinates that every transform keeps exactly."""
    bundle = [np.round(s * 4) / 4 for s in phantoms.asymmetric_bundle()]
    files = [phantoms.save(tmp_path / f"{order}.trk", bundle, order) for order in ("RAS", "LAS", "LPS")]
    files += [phantoms.save(tmp_path / f"a.{ending}", bundle) for ending in ("tck", "trx", "vtp")]
    files.append(phantoms.save_vtk(tmp_path / "lps.vtk", [s * np.float32([-1, -1, 1]) for s in bundle], "SPACE=LPS"))
    first = pictures(files[0])
    for other, name in itertools.product(files[1:], SIX):
        np.testing.assert_array_equal(first[name], pictures(other)[name], f"{other.name} {name}")
    middle = SIZE / 2
    for name, (left, right, top, bottom) in ((name, box(picture)) for name, picture in first.items()):
        letters = VIEWS[name].letters
        if "L" in letters:  # the bundle lies on the side that bears the letter L
            assert right < middle if letters[0] == "L" else left > middle, name
        if "A" in letters[:2]:  # its high end lies on the side that bears the letter A
            columns = np.flatnonzero(first[name][top : top + 5].any(axis=(0, 2)))
            assert (columns.mean() < (left + right) / 2) == (letters[0] == "A"), name
        assert bottom - top > 10


def test_letters_are_the_anatomy() -> None:
    """Left, right, top, bottom; one looks at the side that names the view."""
    assert {name: "".join(view.letters) for name, view in VIEWS.items() if name in SIX} == {
        "left": "APSI",
        "right": "PASI",
        "anterior": "RLSI",
        "posterior": "LRSI",
        "superior": "LRAP",
        "inferior": "RLAP",
    }


def test_extent_in_pixels_is_extent_in_mm_times_the_scale(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.tck", ((-50, 0, 0), (50, 0, 0)), ((0, -60, 10), (0, 60, 10)), ((0, 0, -40), (0, 0, 40)))
    scale = SIZE / FRAME.width
    for name, picture in pictures(path).items():
        left, right, top, bottom = box(picture)
        across = 120 if "A" in VIEWS[name].letters[:2] else 100
        upright = 120 if "A" in VIEWS[name].letters[2:] else 80
        assert right - left == pytest.approx(across * scale, abs=2.5), name
        assert bottom - top == pytest.approx(upright * scale, abs=2.5), name
        # the frame's center (0, -20, 20) is the picture's: y = 0 is 20 mm in front, z = 0 is 20 mm below
        if name == "superior":
            assert (top + bottom) / 2 == pytest.approx(SIZE / 2 - 20 * scale, abs=1.5)
        if name == "left":
            assert (left + right) / 2 == pytest.approx(SIZE / 2 - 20 * scale, abs=1.5)


@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize("near_first", [True, False])
def test_what_is_nearer_hides_what_is_behind(tmp_path: Path, name: str, near_first: bool) -> None:
    view = VIEWS[name]
    center, toward = np.array(FRAME.center), 20 * np.array(view.seen_from)
    across, up = 40 * np.array(view.rightwards), 40 * np.array(view.up)
    near, far = (center + toward - across, center + toward + across), (center - toward - up, center - toward + up)
    path = lines(tmp_path / "a.tck", *((near, far) if near_first else (far, near)))
    middle = pictures(path, max_points=25)[name][SIZE // 2, SIZE // 2]
    seen = np.argmax(np.abs(view.rightwards))
    assert middle[seen] > 100
    assert np.delete(middle, seen).max() == 0, "the line in front is of one colour, and nothing shines through"


@pytest.mark.parametrize("size", [64, 101, 333])
def test_any_size(tmp_path: Path, size: int) -> None:
    path = lines(tmp_path / "a.tck", ((0, -60, 10), (0, 60, 10)))
    left, right, *_ = box(pictures(path, size=size)["left"])
    assert right - left == pytest.approx(120 * size / FRAME.width, abs=2.5)


def test_edges_are_smooth(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.tck", ((-60, -20, 0), (60, -20, 37)))
    red = np.unique(pictures(path)["anterior"][..., 0])
    assert len(red) > 4, "besides background and line there are steps between them"


def test_depth_darkens(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.tck", ((-50, 70, 40), (50, 70, 40)), ((-50, -110, 0), (50, -110, 0)))
    front = pictures(path)["anterior"]
    near, far = (front[rows].max() for rows in (slice(0, SIZE // 2), slice(SIZE // 2, SIZE)))
    assert near > far + 20


def test_a_line_before_others_is_set_off_by_their_shade(tmp_path: Path) -> None:
    """A sheet of lines, and one 10 mm before it: the sheet is darker beside that one than elsewhere."""
    sheet = [((x, 0.0, -40.0), (x, 0.0, 80.0)) for x in np.arange(-40, 40, 0.5)]
    path = lines(tmp_path / "a.tck", *sheet, ((0.0, 10.0, -40.0), (0.0, 10.0, 80.0)))
    row = pictures(path, width=2 * FRAME.width / SIZE)["anterior"][SIZE // 2, :, 2].astype(int)
    center = SIZE // 2
    beside = row[[center - 3, center + 3]].max()
    elsewhere = np.median(row[center - 30 : center - 15])
    assert beside < 0.8 * elsewhere


def test_what_cannot_be_drawn_is_counted_and_left_out(tmp_path: Path) -> None:
    good = phantoms.ragged(10)
    nan, far = good[0].copy(), good[1].copy()
    nan[len(nan) // 2, 1] = np.nan
    far[0, 0] = 1e20
    streamlines = [*good, nan, good[0][:1], far]
    mixed, plain = (phantoms.save(tmp_path / f"{n}.trk", s) for n, s in (("a", streamlines), ("b", good)))
    for max_points in (50_000, 20):
        tally = StreamlineCounts()
        shown = pictures(mixed, max_points=max_points, tally=tally)
        assert tally.streamlines == 13
        assert tally.drawn == 10
        assert sorted(tally.left_out.values()) == [1, 2]
        for name, picture in pictures(plain).items():
            np.testing.assert_array_equal(shown[name], picture, name)


@pytest.mark.parametrize(
    ("streamlines", "error", "why"),
    [
        ([], EmptyError, "holds no streamlines"),
        ([np.zeros((1, 3), np.float32)], InputError, "nothing to draw"),
        ([np.full((5, 3), np.nan, np.float32)], InputError, "nothing to draw"),
    ],
)
def test_nothing_to_draw_is_an_error_that_says_why(
    tmp_path: Path, streamlines: list[np.ndarray], error: type[Exception], why: str
) -> None:
    path = phantoms.save(tmp_path / "a.trk", streamlines)
    with pytest.raises(error, match=why):
        measure(open_tractogram(path), 1000, lambda points: None)


def test_measure(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", [np.array([[1, 2, 3], [-4, 5, 6.5]], np.float32)] * 3)
    extent = measure(open_tractogram(path), 4, lambda points: None)
    assert (extent.low, extent.high) == ((-4, 2, 3), (1, 5, 6.5))
    assert (extent.tally.streamlines, extent.tally.points) == (3, 6)


@pytest.mark.parametrize("background", [(255, 255, 255), (30, 60, 90)])
def test_a_background_is_where_nothing_is_drawn_and_edges_blend_into_it(tmp_path: Path, background: Color) -> None:
    path = lines(tmp_path / "a.tck", ((0, -80, 20), (0, 60, 20)))
    on_black, on_other = (pictures(path, background=color)["left"].astype(int) for color in ((0, 0, 0), background))
    free = (on_black == 0).all(axis=2)
    assert 0 < (~free).sum() < free.sum()
    assert (on_other[free] == background).all()
    brightest = on_black[..., 1] == on_black[..., 1].max()
    assert (on_other[brightest] == on_black[brightest]).all(), "a pixel that is covered whole shows no background"


def test_one_color_for_all_lines(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle())
    picture = pictures(path, color=(250, 125, 0))["left"].astype(int)
    drawn = picture[picture.any(axis=2)]
    assert (drawn[:, 2] == 0).all()
    assert np.abs(drawn[:, 0] - 2 * drawn[:, 1]).max() <= 2, "shading changes brightness, not the hue"
    assert drawn[:, 0].max() > 150
