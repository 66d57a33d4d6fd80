"""Colours and styles: exact where they are known, the same whatever the chunks, ordered as in space."""

from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms
import pytest
from scenes import drawn, rest

from tractcap.drawing.colors import values_of
from tractcap.drawing.extent import measure
from tractcap.drawing.position_along_bundle import core
from tractcap.drawing.views import VIEWS, Frame, turntable
from tractcap.inputs.images import ImageFile
from tractcap.inputs.tractograms import Chunk, open_tractogram
from tractcap.records.options import Coloring

FRAME = Frame((-90, -120, -70), (90, 80, 110))
SIZE = 200


def silent(_points: int) -> None:
    """No one listens."""


def line(path: Path, *ends: tuple[tuple[float, ...], tuple[float, ...]], points: int = 40) -> Path:
    return phantoms.raw_tck(path, [np.linspace(a, b, points).astype(np.float32) for a, b in ends])


def whole(path: Path) -> Chunk:
    (chunk,) = open_tractogram(path).chunks(10**6)
    return chunk


@pytest.fixture
def tangle(tmp_path: Path) -> Path:
    """Streamlines of all lengths, one much longer than a chunk."""
    long = np.cumsum(np.random.default_rng(3).normal(0, 2, (700, 3)), axis=0)
    return phantoms.save(tmp_path / "tangle.trk", [*[s * 3 for s in phantoms.ragged(80)], long.astype(np.float32)])


@pytest.mark.parametrize("kind", ["endpoints", "position", "density"])
@pytest.mark.parametrize("max_points", [9, 100])
def test_colors_do_not_depend_on_the_chunk(tangle: Path, kind: str, max_points: int) -> None:
    coloring = Coloring(kind, limits=(0.0, 8.0) if kind == "density" else None)
    pictures = [
        rest(tangle, FRAME, views=("left",), coloring=coloring, max_points=most) for most in (50_000, max_points)
    ]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("max_points", [16, 64])
def test_tubes_and_layers_do_not_depend_on_the_chunk(tangle: Path, max_points: int) -> None:
    for look in ({"style": "tubes"}, {"opacity": 0.3}):
        first, other = (
            rest(tangle, FRAME, views=("left",), max_points=most, **look) for most in (50_000, max_points * 8)
        )
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize(("axis", "color"), [(0, (255, 0, 0)), (1, (0, 255, 0)), (2, (0, 0, 255))])
def test_the_color_of_a_known_direction_is_exact(tmp_path: Path, axis: int, color: tuple[int, ...]) -> None:
    """Lines in the frontmost plane, where nothing shades: to the last bit, in both directions' colours."""
    step = np.zeros(3)
    step[axis] = 50
    view = next(name for name in ("anterior", "superior") if not VIEWS[name].seen_from[axis])
    near = np.array(FRAME.center) + (FRAME.depth / 2 - 0.01) * np.array(VIEWS[view].seen_from)
    path = line(tmp_path / "a.tck", (tuple(near - step), tuple(near + step)))
    for kind in ("direction", "endpoints"):
        picture = rest(path, FRAME, views=(view,), coloring=Coloring(kind), width=4.0)
        assert tuple(picture[SIZE // 2, SIZE // 2]) == color


def test_end_to_end_of_an_arch_is_the_way_between_its_ends(tmp_path: Path) -> None:
    t = np.linspace(0, np.pi, 60)
    arch = np.stack([0 * t, 40 * np.cos(t), 60 * np.sin(t)], axis=1).astype(np.float32)
    path = phantoms.raw_tck(tmp_path / "arch.tck", [arch])
    picture = rest(path, FRAME, views=("left",), coloring=Coloring("endpoints"), width=3.0)
    drawn_pixels = picture[picture.any(axis=2)]
    assert drawn_pixels[:, [0, 2]].max() == 0
    assert drawn_pixels[:, 1].max() > 150


def ramp(path: Path, order: str) -> Path:
    """A map whose values are y in mm, rounded to nothing: known everywhere, in any orientation."""
    matrix = phantoms.affine(order, 4.0, (46, 55, 46))
    grid = np.stack(np.meshgrid(*map(np.arange, (46, 55, 46)), indexing="ij"), axis=-1)
    nib.Nifti1Image((grid @ matrix[:3, :3].T + matrix[:3, 3])[..., 1].astype("f4"), matrix).to_filename(path)
    return path


@pytest.mark.parametrize("order", ["RAS", "LPI"])
def test_a_map_is_sampled_trilinearly_in_any_orientation(tmp_path: Path, order: str) -> None:
    volume = ImageFile(ramp(tmp_path / "y.nii", order)).values()
    path = phantoms.raw_tck(tmp_path / "a.tck", [np.array([[1, 2.5, 3], [-7, -33.3, 9], [0, 500, 0]], np.float32)])
    shown = values_of(Coloring("scalar", "y"), open_tractogram(path), volume, silent)
    assert shown is not None
    found = shown.at(whole(path))
    assert found[:2] == pytest.approx([2.5, -33.3], abs=1e-3)
    assert np.isnan(found[2]), "outside the map there is no value"
    extent = measure(open_tractogram(path), 100, silent, Coloring("scalar", "y"), volume)
    assert extent.without == 1


def test_position_goes_from_end_to_end_whichever_way_streamlines_were_stored(tmp_path: Path) -> None:
    straight = [np.linspace([x, -60, 0], [x, 40, 0], 50).astype(np.float32) for x in range(10)]
    turned = [s[::-1] if n % 2 else s for n, s in enumerate(straight)]
    for bundle in (straight, turned):
        path = phantoms.raw_tck(tmp_path / "a.tck", bundle)
        shown = values_of(Coloring("position"), open_tractogram(path), None, silent)
        assert shown is not None
        assert shown.words == ("posterior", "anterior")  # type: ignore[attr-defined]
        chunk = whole(path)
        assert shown.at(chunk) == pytest.approx(chunk.points[:, 1] + 60, abs=2)


def test_the_core_of_parallel_lines_is_their_mean() -> None:
    lines = np.array([np.linspace([x, 0, 0], [x, 0, 99], 100) for x in (-2, 0, 2)])
    lines[1] = lines[1][::-1]
    np.testing.assert_allclose(core(lines), np.linspace([0, 0, 0], [0, 0, 99], 100), atol=1e-9)


def test_density_counts_streamlines(tmp_path: Path) -> None:
    """Five streamlines on one way and one on another; sparse points, so that voxels lie between them."""
    ends = [((0.0, -40.0, 0.0), (0.0, 40.0, 0.0))] * 5 + [((30.0, -40.0, 0.0), (30.0, 40.0, 0.0))]
    path = line(tmp_path / "a.tck", *ends, points=3)
    shown = values_of(Coloring("density"), open_tractogram(path), None, silent)
    assert shown is not None
    found = shown.at(whole(path)).reshape(6, 3)
    assert (found[:5] == 5).all()
    assert (found[5] == 1).all()


def test_opacity_lets_what_is_behind_shine_through_as_much_as_asked(tmp_path: Path) -> None:
    """A red line before a blue one at the front: one layer of each, mixed by weight."""
    near = np.array(FRAME.center) + (FRAME.depth / 2 - 0.01) * np.array([0, 1, 0])
    across, up = np.array([40, 0, 0]), np.array([0, 0, 40])
    path = line(
        tmp_path / "a.tck", (tuple(near - across), tuple(near + across)), (tuple(near - up), tuple(near + up)), points=2
    )
    picture = rest(path, FRAME, views=("anterior",), width=6.0, opacity=0.5)
    alone, crossing = picture[SIZE // 2, SIZE // 2 + 30].astype(int), picture[SIZE // 2, SIZE // 2].astype(int)
    assert alone == pytest.approx([127.5, 0, 0], abs=2)
    assert crossing == pytest.approx([0.75 * 127.5, 0, 0.75 * 127.5], abs=3)


def test_layers_before_and_behind_a_slice_stay_there(tmp_path: Path) -> None:
    head = phantoms.save_head(tmp_path / "head.nii")
    shades = []
    for y in (20.0, -60.0):
        path = line(tmp_path / "a.tck", ((-40, y, 18), (40, y, 18)), points=2)
        picture = rest(
            path,
            FRAME,
            views=("anterior",),
            reference=head,
            at=(0.0, -18.0, 18.0),
            anatomy=("slices",),
            width=6.0,
            opacity=0.9,
        )
        shades.append(picture[SIZE // 2 + 1, SIZE // 2].astype(int))
    before, behind = shades
    assert before[1] < 12 < 28 < behind[1]


@pytest.mark.parametrize("width", [2.0, 8.0])
@pytest.mark.parametrize("style", ["lines", "tubes"])
def test_width_is_in_mm(tmp_path: Path, width: float, style: str) -> None:
    path = line(tmp_path / "a.tck", ((-50, 0, 20), (50, 0, 20)))
    column = rest(path, FRAME, views=("anterior",), style=style, width=width, size=800)[:, 400].any(axis=1)
    assert column.sum() == pytest.approx(width * 800 / FRAME.width, abs=1.5)


def test_tubes_are_lit_from_the_eye_and_bend_without_gaps(tmp_path: Path) -> None:
    t = np.linspace(0, np.pi, 9)
    arch = np.stack([50 * np.cos(t), 0 * t, 50 * np.sin(t)], axis=1).astype(np.float32)
    path = phantoms.raw_tck(tmp_path / "arch.tck", [arch])
    frame = Frame((-60, -10, -10), (60, 10, 60))
    picture = rest(path, frame, views=("anterior",), style="tubes", width=8.0, size=400, color=(200, 200, 200))
    radius = np.hypot(
        *np.meshgrid((np.arange(400) - 199.5) * frame.width / 400, (199.5 - np.arange(400)) * frame.width / 400 + 25)
    )
    height = ((199.5 - np.arange(400)) * frame.width / 400 + 25)[:, None]
    core_, rim = (np.abs(radius - 50) < 1) & (height > 3), (np.abs(np.abs(radius - 50) - 3.4) < 0.2) & (height > 3)
    assert picture[core_].min() > 100, "no gap along the middle"
    assert picture[core_].mean() > 1.3 * picture[rim].mean()


def test_a_turntable_goes_around_evenly_and_its_last_frame_leads_on_to_the_first() -> None:
    sides = np.array([view.seen_from for view in turntable(36)])
    steps = (sides * np.roll(sides, -1, axis=0)).sum(axis=1)
    assert steps == pytest.approx(np.cos(np.deg2rad(10)))
    assert turntable(36)[0].seen_from == VIEWS["anterior"].seen_from
    assert turntable(36)[9].seen_from == VIEWS["left"].seen_from
    assert turntable(36)[9].letters == VIEWS["left"].letters
    assert "".join(turntable(8)[1].letters[:2]) in ("RAPL"[0:2] + "LP", "RALP", "ARPL", "RAPL")


def test_frames_of_a_turntable_are_the_views_they_pass(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle())
    shown = drawn(path, FRAME, views=("left", "anterior"), animation=("gif",), frames=4, frame_size=SIZE)
    np.testing.assert_array_equal(shown["turn-000"], shown["anterior"])
    np.testing.assert_array_equal(shown["turn-001"], shown["left"])


def test_frames_are_the_same_in_a_pass_of_their_own(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle())
    how = {"views": ("left",), "animation": ("gif",), "frames": 3, "frame_size": 64}
    together, apart = drawn(path, FRAME, **how), drawn(path, FRAME, passes=(1, 2, 1), **how)
    for name, picture in together.items():
        np.testing.assert_array_equal(picture, apart[name], name)
