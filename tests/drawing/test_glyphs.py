"""Glyphs: in the voxels of a slice, in the slice, along what the file says, as large as there is room, and counted."""

import warnings
from pathlib import Path

import numpy as np
import phantoms
import pytest
from dipy.core.sphere import Sphere
from dipy.reconst.shm import sf_to_sh
from fiber_images import mrtrix_coefficients, save_nifti, turned
from scenes import drawn, rest

from tractcap.color_names import Color
from tractcap.drawing import glyphs
from tractcap.drawing.glyphs import Glyphs
from tractcap.drawing.overlays import OverlayMesh, joined
from tractcap.drawing.views import VIEWS, Frame, turntable
from tractcap.records.options import ODF, PEAKS, Overlay
from tractcap.records.tractogram_sidecar import OverlayRecord

FRAME = Frame((-8, -10, -12), (8, 10, 12))
AT = (0.4, -0.3, 0.2)
SHAPE = (9, 11, 13)
SIZE = 400
GRIDS = [("RAS", 0), ("LAS", 0), ("PSR", 0), ("RAS", 35), ("LPS", 20)]
DIRECTION = np.array([0.8, -0.36, 0.48])
FACING = {0: "left", 1: "anterior", 2: "superior"}


def filled(values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values.astype(np.float32), (*SHAPE, *values.shape)).copy()


def load(kind: str, path: Path, *, within: Frame = FRAME, size: int = SIZE, axes: str = "", basis: str = "") -> Glyphs:
    header = glyphs.inspect(Overlay(kind, "model", str(path), frame=axes, basis=basis))
    record = OverlayRecord(
        kind=kind, name="model", path=str(path), frame=header.frame, basis=header.basis, note=header.note
    )
    return glyphs.load(record, within, AT, size)


def whole(found: Glyphs, axis: int) -> OverlayMesh:
    """All that the view along a world axis shows."""
    meshes = list(found.meshes(VIEWS[FACING[axis]]))
    return joined(meshes) if len(meshes) > 1 else meshes[0]


def longest(mesh: OverlayMesh, center: np.ndarray) -> np.ndarray:
    """The way from a glyph's middle to its farthest point."""
    away = mesh.points - center
    near = np.linalg.norm(away, axis=1) < 1.01
    return np.asarray(away[near][np.argmax(np.linalg.norm(away[near], axis=1))])


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
@pytest.mark.parametrize("axis", range(3))
def test_glyphs_lie_in_the_slice_in_the_middle_of_their_voxels(
    tmp_path: Path, order: str, degrees: float, axis: int
) -> None:
    affine = turned(order, degrees)
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(DIRECTION), affine))
    centers = found.slices[axis].centers
    assert len(centers) > 60
    assert centers[:, axis] == pytest.approx(AT[axis], abs=1e-5)
    voxels = (np.linalg.inv(affine) @ np.column_stack([centers, np.ones(len(centers))]).T)[:3].T
    from_middle = voxels - np.rint(voxels)
    across = affine[axis, :3] / np.linalg.norm(affine[axis, :3])
    # what is left is along the line of sight alone
    assert np.abs(from_middle - np.outer(from_middle @ across, across)).max() < 1e-4
    mesh = whole(found, axis)
    assert np.abs(mesh.points[:, axis] - AT[axis]).max() == pytest.approx(abs(DIRECTION[axis]), abs=1e-3)


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
def test_peaks_are_drawn_to_both_sides_in_the_colour_of_their_direction(
    tmp_path: Path, order: str, degrees: float
) -> None:
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(0.3 * DIRECTION), turned(order, degrees)))
    mesh = whole(found, 2)
    assert mesh.segments is not None
    assert len(mesh.segments) == len(found.slices[2].centers)
    ends = mesh.points[mesh.segments]
    assert ends.mean(axis=1) == pytest.approx(found.slices[2].centers, abs=1e-4)
    assert ends[:, 1] - ends[:, 0] == pytest.approx(np.tile(2 * DIRECTION, (len(ends), 1)), abs=1e-4)
    assert (mesh.colors == [204, 92, 122]).all()


def test_the_longest_peaks_fill_their_room_and_others_are_shorter_in_proportion(tmp_path: Path) -> None:
    values = filled(np.concatenate([0.4 * DIRECTION, [0, 0, 0.1], [np.nan] * 3]))
    mesh = whole(load(PEAKS, save_nifti(tmp_path / "p.nii", values, turned())), 0)
    ends = mesh.points[mesh.segments]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    assert sorted(set(lengths.round(3))) == [0.5, 2.0]


def coefficients(basis: str, own: np.ndarray) -> np.ndarray:
    """Of one fibre."""
    if basis == "mrtrix":
        return mrtrix_coefficients(own)
    random = np.random.default_rng(0).normal(size=(2000, 3))
    directions = random / np.linalg.norm(random, axis=1, keepdims=True)
    name, _, legacy = basis.partition("_")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asarray(
            sf_to_sh(
                (directions @ own) ** 8, Sphere(xyz=directions), sh_order_max=8, basis_type=name, legacy=bool(legacy)
            )
        )


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
@pytest.mark.parametrize("basis", ["mrtrix", "tournier07", "tournier07_legacy", "descoteaux07", "descoteaux07_legacy"])
def test_an_odf_of_one_fibre_is_longest_along_it(tmp_path: Path, basis: str, order: str, degrees: float) -> None:
    """As near as two points of the sphere that it is drawn on; bases of DIPY's have the image's axes."""
    affine = turned(order, degrees)
    own = DIRECTION if basis == "mrtrix" else affine[:3, :3].T @ DIRECTION / 2
    path = save_nifti(tmp_path / "odf.nii", filled(coefficients(basis, own)), affine)
    given = {"axes": "world", "basis": "tournier07"} if basis == "mrtrix" else {"axes": "voxel", "basis": basis}
    found = load(ODF, path, **given)
    for axis in range(3):
        mesh, centers = whole(found, axis), found.slices[axis].centers
        way = longest(mesh, centers[len(centers) // 2])
        assert np.linalg.norm(way) == pytest.approx(1.0, abs=0.01)
        assert abs(way @ DIRECTION) > np.cos(np.radians(6))
        (tip,) = np.flatnonzero((mesh.points == centers[len(centers) // 2] + way).all(axis=1))[:1]
        assert mesh.colors[tip] == pytest.approx(np.abs(way) * 255, abs=4)


def test_an_odf_is_a_closed_surface_that_light_falls_on_from_outside(tmp_path: Path) -> None:
    """Of an ODF that is alike in all directions it is a sphere."""
    found = load(ODF, save_nifti(tmp_path / "odf.nii", filled(np.array([1.0, 0, 0, 0, 0, 0])), turned()))
    mesh, centers = whole(found, 1), found.slices[1].centers
    assert mesh.normals is not None
    own = np.repeat(centers, len(mesh.points) // len(centers), axis=0)
    away = mesh.points - own
    assert np.linalg.norm(away, axis=1) == pytest.approx(np.ones(len(away)), abs=1e-5)
    assert (mesh.normals * away).sum(axis=1).min() > 0.995
    assert mesh.colors == pytest.approx(np.abs(away) * 255, abs=1)
    edges = np.sort(np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]], mesh.triangles[:, [2, 0]]]))
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_where_an_odf_is_below_0_it_is_not_drawn_to_the_other_side(tmp_path: Path) -> None:
    """One that is negative around its fibre: nothing sticks out there."""
    found = load(ODF, save_nifti(tmp_path / "odf.nii", filled(-mrtrix_coefficients(DIRECTION)), turned()))
    centers = found.slices[0].centers
    away = whole(found, 0).points.reshape(len(centers), -1, 3)[0] - centers[0]
    lengths = np.linalg.norm(away, axis=1)
    assert lengths.max() == pytest.approx(1.0, abs=1e-4)
    assert (np.abs(away @ DIRECTION)[lengths > 0.1] / lengths[lengths > 0.1]).max() < 0.95
    assert np.count_nonzero(lengths < 1e-5) > 50


def test_one_long_glyph_doesnt_make_all_others_small_and_is_said_to_be_longer(tmp_path: Path) -> None:
    """It is one voxel, which all three slices lead through."""
    values = filled(DIRECTION)
    values[4, 5, 6] *= 10
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", values, turned()), axes="world")
    ends = np.concatenate([whole(found, axis).points.reshape(-1, 2, 3) for axis in range(3)])
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    assert np.percentile(lengths, 90) == pytest.approx(2.0, abs=1e-4)
    assert lengths.max() == pytest.approx(4.0, abs=1e-3)
    assert found.shown.notes == ("3 of 359 glyphs of model are longer than they are drawn",)
    values[4, 5, 6] *= 0.19
    almost = load(PEAKS, save_nifti(tmp_path / "p.nii", values, turned()), axes="world")
    ends = np.concatenate([whole(almost, axis).points.reshape(-1, 2, 3) for axis in range(3)])
    assert np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).max() == pytest.approx(3.8, abs=1e-3)
    assert almost.shown.notes == ()


# how many


def test_glyphs_are_so_far_apart_that_they_can_be_seen_and_are_counted(tmp_path: Path) -> None:
    """A voxel of 2 mm is 29 pixels here, or 7: then every second voxel along each axis has a glyph of 14 pixels."""
    path = save_nifti(tmp_path / "p.nii", filled(DIRECTION), turned("LAS"))
    large, small = load(PEAKS, path), load(PEAKS, path, size=100)
    assert large.shown.glyphs == large.shown.glyphs_in_slices == 9 * 11 + 9 * 13 + 11 * 13
    assert small.shown.glyphs_in_slices == large.shown.glyphs_in_slices
    assert small.shown.glyphs == 4 * 5 + 4 * 6 + 5 * 6
    apart = np.unique(small.slices[2].centers[:, 0].round(3))
    assert np.diff(apart) == pytest.approx(np.full(len(apart) - 1, 4.0), abs=0.01)
    ends = whole(small, 2).points.reshape(-1, 2, 3)
    assert np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) == pytest.approx(np.full(len(ends), 4.0), abs=0.01)


def test_odfs_take_more_pixels_than_peaks(tmp_path: Path) -> None:
    """A voxel of 2 mm is 15 pixels here: enough for lines."""
    peaks = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(DIRECTION), turned()), size=200)
    odfs = load(ODF, save_nifti(tmp_path / "o.nii", filled(np.ones(6)), turned()), size=200)
    assert peaks.shown.glyphs == peaks.shown.glyphs_in_slices == odfs.shown.glyphs_in_slices
    assert odfs.shown.glyphs == 4 * 5 + 4 * 6 + 5 * 6


def test_voxels_without_peaks_and_those_outside_the_pictures_arent_counted(tmp_path: Path) -> None:
    values = filled(DIRECTION)
    values[:4] = np.nan
    values[4] = 0
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", values, turned()))
    assert found.shown.glyphs_in_slices == found.shown.glyphs == 4 * 11 + 4 * 13
    assert found.shown.notes == ("model: the file doesn't say its peaks' axes: the scanner's are taken, as by MRtrix",)
    near = Frame((-4, -4, -4), (4, 4, 4))
    assert load(PEAKS, tmp_path / "p.nii", within=near).shown.glyphs_in_slices == 2 * 5 + 2 * 5


def test_odfs_with_values_that_arent_finite_have_no_glyph_and_are_said(tmp_path: Path) -> None:
    values = filled(mrtrix_coefficients(DIRECTION, 4))
    values[4, 5, :, 7] = np.inf
    values[4, :, 6, 3] = np.nan
    path = save_nifti(tmp_path / "odf.nii", values, turned())
    found = load(ODF, path, axes="world", basis="tournier07")
    bad = (13 + 11 - 1) + 13 + 11
    assert found.shown.glyphs_in_slices == 9 * 11 + 9 * 13 + 11 * 13 - bad
    assert found.shown.notes == (f"{bad} voxels of model hold values that aren't finite, and show no glyph",)
    for axis in range(3):
        assert np.isfinite(whole(found, axis).points).all()


def test_infinite_peaks_are_said_and_the_others_of_their_voxel_drawn(tmp_path: Path) -> None:
    values = filled(np.concatenate([DIRECTION, DIRECTION]))
    values[4, 5, :, 3:] = np.inf
    values[6, 5, :, 3:] = np.nan  # no peak
    shown = load(PEAKS, save_nifti(tmp_path / "p.nii", values, turned()), axes="world").shown
    assert shown.glyphs_in_slices == 9 * 11 + 9 * 13 + 11 * 13
    assert shown.notes == (f"{13 + 13 + 1} peaks of model are infinite, and aren't drawn",)


def test_odfs_that_are_nowhere_above_0_arent_counted_and_are_said(tmp_path: Path) -> None:
    values = filled(np.array([1.0, 0, 0, 0, 0, 0]))
    good = load(ODF, save_nifti(tmp_path / "good.nii", values, turned())).shown.glyphs or 0
    values[: SHAPE[0] // 2] *= -1
    shown = load(ODF, save_nifti(tmp_path / "odf.nii", values, turned())).shown
    below = good - (shown.glyphs or 0)
    assert 0 < below < good
    assert f"{below:,} glyphs of model are nowhere above 0, and aren't drawn" in shown.notes


@pytest.mark.parametrize("kind", [PEAKS, ODF])
def test_an_image_of_zeros_shows_nothing_and_says_so(tmp_path: Path, kind: str) -> None:
    path = save_nifti(tmp_path / "zeros.nii", np.zeros((*SHAPE, 6), np.float32), turned())
    found = load(kind, path, axes="world", basis="tournier07" if kind == ODF else "")
    assert found.shown.glyphs == 0
    assert found.shown.notes == ("model shows nothing in the slices through 0.4, -0.3, 0.2 mm",)
    for axis in range(3):
        assert list(found.meshes(VIEWS[FACING[axis]])) == []


def test_slices_beside_the_image_show_nothing_and_it_is_said(tmp_path: Path) -> None:
    affine = turned()
    affine[:3, 3] += 500
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(DIRECTION), affine), axes="world")
    assert found.shown.glyphs == 0
    assert found.shown.notes[-1] == "model shows nothing in the slices through 0.4, -0.3, 0.2 mm"


def test_a_turntable_goes_around_the_bundle_without_glyphs(tmp_path: Path) -> None:
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(DIRECTION), turned()))
    assert all(list(found.meshes(view)) == [] for view in turntable(8))


def test_many_glyphs_are_drawn_some_at_a_time(tmp_path: Path) -> None:
    """All of them, each once."""
    path = save_nifti(tmp_path / "o.nii", np.ones((30, 30, 30, 6), np.float32), turned())
    found = load(ODF, path, axes="world", basis="tournier07", within=Frame((-30, -30, -30), (60, 60, 60)), size=1600)
    meshes = list(found.meshes(VIEWS["superior"]))
    assert len(meshes) > 3
    assert sum(len(mesh.points) for mesh in meshes) == 900 * 724
    assert max(len(mesh.points) for mesh in meshes) <= 2**16
    middles = np.concatenate([mesh.points.reshape(-1, 724, 3).mean(axis=1) for mesh in meshes])
    assert middles == pytest.approx(found.slices[2].centers, abs=1e-3)


# in pictures


def test_glyphs_are_seen_before_and_behind_streamlines_as_they_lie(tmp_path: Path) -> None:
    """Peaks along z, in the slice at x = 0.4 mm, seen from both sides of a line to its left."""
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(np.array([0, 0, 1.0])), turned()), axes="world")
    line = np.linspace([-4, -9, 0.2], [-4, 9, 0.2], 20).astype(np.float32)
    path = phantoms.raw_tck(tmp_path / "line.tck", [line])
    colors: dict[str, Color] = {}
    for view in ("left", "right"):
        picture = rest(path, FRAME, size=SIZE, views=(view,), color=(255, 255, 255), at=AT, overlays=[found])
        pixel = FRAME.width / SIZE
        row = round(SIZE / 2 - (0.2 - FRAME.center[2]) / pixel)
        side = 1 if view == "right" else -1
        column = round(SIZE / 2 + side * (-0.2 - FRAME.center[1]) / pixel)
        colors[view] = picture[row, column]
        assert (picture[row + 12, column][:2] < 20).all(), "a peak above and below the line"
        assert picture[row + 12, column][2] > 80
    assert colors["left"].min() > 120, "the line is before the peaks"
    assert colors["right"][2] > 80
    assert colors["right"][0] < 20, "and behind them"


def test_glyphs_are_in_the_views_that_face_their_slice_alone(tmp_path: Path) -> None:
    """An image with peaks in one voxel of the slice at x = 0.4 mm, which is in no other."""
    values = np.full((*SHAPE, 3), np.nan, np.float32)
    values[4, 8, 9] = [0, 1, 0]
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", values, turned()), axes="world")
    path = phantoms.raw_tck(tmp_path / "far.tck", [np.array([[-7, -9, -11], [-6.9, -9, -11]], np.float32)])
    views = ("left", "anterior", "superior", "right", "sagittal", "coronal", "axial")
    for view, picture in drawn(path, FRAME, size=SIZE, views=views, color=(255, 0, 0), at=AT, overlays=[found]).items():
        green = (picture[..., 1] > 60) & (picture[..., 0] < 20)
        assert green.any() == (view in ("left", "right", "sagittal")), view
        if green.any():
            rows, columns = np.nonzero(green)
            pixel = FRAME.width / SIZE
            y = FRAME.center[1] + (1 if view == "right" else -1) * (columns.mean() + 0.5 - SIZE / 2) * pixel
            z = FRAME.center[2] + (SIZE / 2 - rows.mean() - 0.5) * pixel
            assert (y, z) == (pytest.approx(-0.2 + 3 * 2, abs=pixel), pytest.approx(0.1 + 3 * 2, abs=pixel))
            assert (columns.max() - columns.min()) * pixel == pytest.approx(2.0, abs=3 * pixel)


def test_it_is_known_how_many_lie_outside_the_reference(tmp_path: Path) -> None:
    from tractcap.drawing.anatomy import Anatomy
    from tractcap.inputs.images import ImageFile

    head = phantoms.save_head(tmp_path / "head.nii.gz")
    anatomy = Anatomy(ImageFile(head))
    found = load(PEAKS, save_nifti(tmp_path / "p.nii", filled(DIRECTION), turned()))
    assert found.on(anatomy).shown.outside_reference == 0
    zeros = load(PEAKS, save_nifti(tmp_path / "z.nii", 0 * filled(DIRECTION), turned()))
    assert zeros.on(anatomy).shown.outside_reference is None
