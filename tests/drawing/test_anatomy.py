"""The reference image: in its place whatever its orientation, before, behind and between streamlines as it is."""

import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms
import pytest
from scenes import drawn, rest

from tractcap.drawing.anatomy import Anatomy, outside
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import VIEWS, Frame
from tractcap.errors import InputError
from tractcap.inputs.images import ImageFile

FRAME = Frame((-90, -120, -70), (90, 80, 110))
SIZE = 200


def line(path: Path, *ends: tuple[tuple[float, ...], tuple[float, ...]]) -> Path:
    return phantoms.raw_tck(path, [np.linspace(a, b, 20).astype(np.float32) for a, b in ends])


def pixel(view: str, point: tuple[float, float, float]) -> tuple[int, int]:
    """Row and column at which a view shows a point in mm."""
    away = np.array(point) - FRAME.center
    scale = SIZE / FRAME.width
    across, up = away @ np.array(VIEWS[view].rightwards), away @ np.array(VIEWS[view].up)
    return int(SIZE / 2 - up * scale), int(SIZE / 2 + across * scale)


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A short line in a corner, out of the way."""
    return line(tmp_path / "away.tck", ((80, 70, 100), (85, 75, 105)))


@pytest.mark.parametrize("order", ["RAS", "LAS", "LPS", "RPI", "LAI"])
@pytest.mark.parametrize("view", ["left", "superior", "anterior", "axial"])
def test_a_slice_is_where_its_voxels_are_in_any_orientation(tmp_path: Path, away: Path, order: str, view: str) -> None:
    """The phantom's bright block is on the left, in front and above: every view must show it there."""
    head = phantoms.save_head(tmp_path / "head.nii.gz", order)
    picture = rest(away, FRAME, views=(view,), reference=head, at=(-40.0, 20.0, 30.0), anatomy=("slices",))
    gray = picture.astype(int).sum(axis=2)
    gray[pixel(view, (82, 72, 102))[0] - 12 : pixel(view, (82, 72, 102))[0] + 12] = 0
    bright = np.argwhere(gray > 0.9 * gray.max())
    assert bright.mean(axis=0) == pytest.approx(pixel(view, (-40, 20, 30)), abs=2.5)


@pytest.mark.parametrize("voxel", [2.0, 5.0])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_any_voxel_size_and_type_shows_the_same_head(tmp_path: Path, away: Path, voxel: float, dtype: str) -> None:
    first = phantoms.save_head(tmp_path / "a.nii", voxel=4.0)
    other = phantoms.save_head(tmp_path / "b.nii", voxel=voxel, dtype=dtype) if dtype != "u1" else None
    if other is None:
        image = nib.load(phantoms.save_head(tmp_path / "c.nii", voxel=voxel))
        scaled = (np.asarray(image.dataobj) / 5).astype("u1")
        nib.Nifti1Image(scaled, image.affine).to_filename(other := tmp_path / "b.nii")
    pictures = [rest(away, FRAME, views=("axial",), reference=path, at=(0.0, -20.0, 10.0)) for path in (first, other)]
    apart = np.abs(pictures[0].astype(int) - pictures[1])
    assert np.median(pictures[0][60:140, 60:140]) > 40
    assert apart.mean() < 8


def test_what_is_not_a_number_is_air(tmp_path: Path, away: Path) -> None:
    head = phantoms.save_head(tmp_path / "a.nii", dtype="f4", nan=True)
    picture = rest(away, FRAME, views=("axial",), reference=head, at=(0.0, -20.0, 10.0))
    assert picture[100, 100].min() > 30
    assert picture[5, 5].max() == 0


@pytest.mark.parametrize("view", ["left", "right", "superior", "inferior", "anterior", "posterior"])
def test_a_streamline_is_before_in_or_behind_the_slice(tmp_path: Path, view: str) -> None:
    """Three lines cross the middle of the head, 30 mm before, at, and 30 mm behind the slice."""
    head = phantoms.save_head(tmp_path / "head.nii")
    center = np.array([0.0, -18.0, 18.0])
    toward, across = np.array(VIEWS[view].seen_from), np.array(VIEWS[view].rightwards)
    shades = []
    for ahead in (30, 0.01, -0.01, -30):
        ends = center + ahead * toward - 30 * across, center + ahead * toward + 30 * across
        picture = rest(
            line(tmp_path / "a.tck", (tuple(ends[0]), tuple(ends[1]))), FRAME, views=(view,), reference=head,
            at=tuple(center), anatomy=("slices",), color=(255, 0, 0), width=3.0,
        )  # fmt: skip
        row, column = pixel(view, tuple(center))
        shades.append(picture[row, column].astype(int))
    before, just_before, just_behind, behind = shades
    for shown in (before, just_before):
        assert shown[1:].max() == 0, "before the slice, the line is all red"
        assert shown[0] > 150
    for hidden in (just_behind, behind):
        assert hidden[1] > 30, "behind the slice, the slice's gray covers the line"
        assert hidden[0] > hidden[1] + 25, "and the line shines through"


def test_the_nearest_of_three_crossing_lines_and_a_slice_between(tmp_path: Path) -> None:
    """The depth order of three lines with a slice between: near over slice over middle and far."""
    head = phantoms.save_head(tmp_path / "head.nii")
    far, near = (((-40, -18, z), (40, -18, z)) for z in (-20, 40))
    turned = ((0, -58, 0), (0, 22, 0))
    path = line(tmp_path / "a.tck", near, turned, far)
    picture = rest(
        path, FRAME, views=("superior",), reference=head, at=(0.0, -18.0, 18.0), anatomy=("slices",), width=4.0
    )
    crossing = picture[pixel("superior", (0, -18, 0))].astype(int)
    aside = picture[pixel("superior", (0, 10, 0))].astype(int)
    assert (crossing[0] > 150, crossing[1:].max()) == (True, 0), "the line before the slice hides all"
    assert aside[1] > aside[0] > 30, "the one behind it shines through the gray"


def test_the_glass_never_hides_the_bundle(tmp_path: Path) -> None:
    head = phantoms.save_head(tmp_path / "head.nii")
    path = line(tmp_path / "a.tck", ((-60, -18, 18), (60, -18, 18)), ((0, -80, 60), (0, 40, 60)))
    bare = drawn(path, FRAME, width=3.0, sampling=1)
    glass = drawn(path, FRAME, width=3.0, sampling=1, reference=head, at=None, anatomy=("glass",))
    for name, picture in bare.items():
        lines = picture.any(axis=2)
        np.testing.assert_array_equal(glass[name][lines], picture[lines], name)
        around = glass[name][~lines]
        assert (around[:, 0] == around[:, 1]).all(), "gray"
        assert around.max() > 60, "and there"


def test_the_glass_is_brightest_at_its_rim(tmp_path: Path, away: Path) -> None:
    head = phantoms.save_head(tmp_path / "head.nii")
    picture = rest(away, FRAME, views=("left",), reference=head, anatomy=("glass",))[..., 0].astype(int)
    row = picture[pixel("left", (0, -18, 18))[0]]
    inside = np.flatnonzero(row > 8)
    assert row[inside[:6]].max() > 3 * row[SIZE // 2 - 10 : SIZE // 2 + 10].mean() + 20


def test_views_in_a_slice_show_what_lies_near_it_alone(tmp_path: Path) -> None:
    head = phantoms.save_head(tmp_path / "head.nii")
    for z, seen in ((18.0, True), (19.5, True), (16.5, True), (21.0, False), (15.0, False)):
        path = line(tmp_path / "a.tck", ((-40, -18, z), (40, -18, z)))
        shown = rest(path, FRAME, views=("axial",), reference=head, at=(0.0, -18.0, 18.0), slab=2.0, width=3.0)
        middle = shown[pixel("axial", (0, -18, z))].astype(int)
        assert (middle[0] - middle[1] > 60) == seen, z
        assert seen or middle.min() > 40, "and the slice where there is nothing on it"


def test_points_outside_are_counted_whatever_the_chunks(tmp_path: Path) -> None:
    head = phantoms.save_head(tmp_path / "head.nii")
    path = line(tmp_path / "a.tck", ((0, -18, 18), (0, -18, 18.5)), ((0, -18, 218), (0, -18, 300)))
    for most in (7, 50_000):
        tally = StreamlineCounts()
        rest(path, FRAME, views=("left",), reference=head, max_points=most, tally=tally)
        assert (tally.outside, tally.points) == (20, 40)


@pytest.mark.parametrize("order", ["RAS", "LPS"])
def test_the_box_reaches_to_the_outer_faces_of_the_voxels(order: str) -> None:
    affine = phantoms.affine(order, 2.0, (91, 109, 91))
    points = np.array([[-91 + 0.01, 0, 0], [-91 - 0.01, 0, 0], [91 - 0.01, 0, 0], [91.01, 0, 0]], np.float32)
    assert [outside(point[None], (91, 109, 91), affine) for point in points] == [0, 1, 0, 1]


def test_head_and_air_are_told_apart(tmp_path: Path) -> None:
    low, high = Anatomy(ImageFile(phantoms.save_head(tmp_path / "head.nii"))).box
    assert low == pytest.approx((-70, -106, -52), abs=5)
    assert high == pytest.approx((70, 70, 88), abs=5)


def bad_images(folder: Path) -> dict[str, tuple[Path, str]]:
    """Hostile images, and what the sentence about each says."""
    folder.mkdir(exist_ok=True)
    matrix = np.eye(4)
    nib.Nifti1Image(np.zeros((4, 4, 4, 2), "f4"), matrix).to_filename(folder / "four.nii")
    nib.Nifti1Image(np.zeros((4, 4, 4), "c8"), matrix).to_filename(folder / "complex.nii")
    whole = phantoms.save_head(folder / "whole.nii.gz").read_bytes()
    (folder / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "text.nii").write_text("no image")
    return {
        "four dimensions": (folder / "four.nii", "4 × 4 × 4 × 2: give an image of one volume"),
        "complex": (folder / "complex.nii", "real numbers"),
        "cut": (folder / "cut.nii.gz", "can't be read as an image: what it holds can't be unpacked"),
        "text": (folder / "text.nii", "can't be read as an image"),
        "missing": (folder / "missing.nii", "doesn't exist: give an image"),
    }


@pytest.mark.parametrize("kind", ["four dimensions", "complex", "cut", "text", "missing"])
def test_images_that_cannot_be_used_are_refused_with_a_sentence(tmp_path: Path, kind: str) -> None:
    path, words = bad_images(tmp_path / "bad")[kind]
    with pytest.raises(InputError, match=words) as raised:
        Anatomy(ImageFile(path))
    assert str(path) in str(raised.value)


def test_a_volume_of_one_time_point_is_three_dimensional(tmp_path: Path) -> None:
    nib.Nifti1Image(np.ones((4, 5, 6, 1), "f4"), np.eye(4)).to_filename(tmp_path / "one.nii")
    assert ImageFile(tmp_path / "one.nii").values().data.shape == (4, 5, 6)


def test_freesurfers_images_are_as_good_as_nifti(tmp_path: Path) -> None:
    """nibabel gives their sides as NumPy's integers, which can't be written as JSON."""
    nib.MGHImage(np.ones((4, 5, 6), "f4"), np.eye(4)).to_filename(tmp_path / "one.mgz")
    assert json.dumps(ImageFile(tmp_path / "one.mgz").shape) == "[4, 5, 6]"


def test_an_image_that_needs_a_library_which_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "minc.mnc").write_bytes(b"\211HDF\r\n\032\n" + bytes(500))
    with pytest.raises(InputError, match=r"isn't read here .*h5py.*give a NIfTI file"):
        ImageFile(tmp_path / "minc.mnc")


def test_an_image_without_contrast_is_drawn_without_glass(tmp_path: Path, away: Path) -> None:
    nib.Nifti1Image(np.zeros((10, 10, 10), "f4"), np.eye(4)).to_filename(tmp_path / "flat.nii")
    picture = rest(away, FRAME, views=("left",), reference=tmp_path / "flat.nii", at=(0.0, 0.0, 0.0))
    assert picture.any()
