"""Images: the values that were put in, where they lie, how a reference image is shown, and what can't be one."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tractcap.errors import InputError
from tractcap.inputs.affines import places
from tractcap.inputs.images import ImageFile, Volume, box, to_voxels, within

OBLIQUE = np.array([[0.0, -2, 0, 10], [3, 0, 0, -20], [0, 0, 1.5, 30], [0, 0, 0, 1]])
"""The first axis runs to the front, 3 mm a voxel, the second one to the left, 2 mm, the third one up, 1.5 mm."""


def save(path: Path, data: np.ndarray, affine: np.ndarray = OBLIQUE) -> ImageFile:
    nib.Nifti1Image(data, affine).to_filename(path)
    return ImageFile(path)


def test_values_are_those_that_were_put_in(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(0, 100, (5, 6, 7)).astype(np.float32)
    for name in ("a.nii", "a.nii.gz"):
        found = save(tmp_path / name, data)
        assert found.shape == (5, 6, 7)
        assert np.array_equal(found.values().data, data)
        assert np.array_equal(found.values().affine, OBLIQUE)


def test_values_of_more_slices_than_are_read_at_once(tmp_path: Path) -> None:
    """Each is where it was, those at the far end too; also of slices so large that each is read alone."""
    for shape in ((130, 130, 65), (1100, 1000, 3)):
        data = (np.arange(np.prod(shape)) % 251).reshape(shape).astype(np.uint8)
        image = save(tmp_path / "a.nii", data)
        assert np.array_equal(image.values().data, data)


def test_a_fourth_dimension_of_one_is_none(tmp_path: Path) -> None:
    data = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    for shape in ((3, 4, 5, 1), (3, 4, 5, 1, 1)):
        assert np.array_equal(save(tmp_path / "a.nii", data.reshape(shape)).values().data, data)
    flat = data.reshape(3, 20, 1)
    assert save(tmp_path / "a.nii", flat).shape == (3, 20, 1)


@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (3, 4, 5, 1, 2), (3, 20), (60,)])
def test_images_of_other_than_one_volume_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="give an image of one volume"):
        save(tmp_path / "a.nii", np.arange(np.prod(shape), dtype=np.int16).reshape(shape))


@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "i8", "f4", "f8"])
def test_values_of_every_real_type_are_read(tmp_path: Path, kind: str) -> None:
    data = np.arange(60).reshape(3, 4, 5).astype(kind)
    nib.Nifti1Image(data, OBLIQUE, dtype=kind).to_filename(tmp_path / "a.nii")
    assert np.array_equal(ImageFile(tmp_path / "a.nii").values().data, data)


def test_complex_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give an image of real numbers"):
        save(tmp_path / "a.nii", np.ones((3, 4, 5), np.complex64))


# where voxels lie


def test_points_in_mm_are_voxels_and_back() -> None:
    """The voxel (1, 2, 3) lies at x = 10 - 2 · 2, y = -20 + 3 · 1, z = 30 + 1.5 · 3."""
    points = np.array([[6.0, -17, 34.5], [10, -20, 30]])
    assert pytest.approx(np.array([[1, 2, 3], [0, 0, 0]])) == to_voxels(points, OBLIQUE).T
    assert to_voxels(points[None], OBLIQUE).shape == (3, 1, 2)


def test_a_box_reaches_to_the_outer_faces_of_voxels() -> None:
    low, high = box((4, 5, 6), OBLIQUE)
    assert low == pytest.approx((10 - 2 * 4.5, -20 - 3 * 0.5, 30 - 1.5 * 0.5))
    assert high == pytest.approx((10 + 2 * 0.5, -20 + 3 * 3.5, 30 + 1.5 * 5.5))
    volume = Volume(np.zeros((4, 5, 6), np.float32), OBLIQUE)
    assert volume.box == (low, high)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize(
    ("at", "inside"), [(-0.5, True), (-0.501, False), (0, True), (3.5, True), (3.501, False), (4, False)]
)
def test_the_outer_faces_belong_to_the_box(axis: int, at: float, inside: bool) -> None:
    shape = [9, 9, 9]
    shape[axis] = 4
    voxel = np.full((3, 1), 2.0)
    voxel[axis] = at
    assert within(voxel, tuple(shape)).tolist() == [inside]


def test_values_between_voxels_are_interpolated_along_all_axes() -> None:
    """In a field that rises evenly each value is its own; at the rim the outermost one holds, beyond it none."""
    grid = np.stack(np.meshgrid(*map(np.arange, (4, 5, 6)), indexing="ij"))
    volume = Volume((100 * grid[0] + 10 * grid[1] + grid[2]).astype(np.float32), OBLIQUE)

    def at(*voxel: float) -> float:
        return float(volume.at((OBLIQUE[:3, :3] @ voxel + OBLIQUE[:3, 3])[None])[0])

    assert at(1, 2, 3) == pytest.approx(123)
    assert at(1.5, 2.25, 3.75) == pytest.approx(150 + 22.5 + 3.75)
    assert at(-0.4, 2, 3) == pytest.approx(23)
    assert at(3.4, 4.4, 5.4) == pytest.approx(345)
    for voxel in ((-0.6, 2, 3), (3.6, 2, 3), (1, -0.6, 3), (1, 4.6, 3), (1, 2, -0.6), (1, 2, 5.6)):
        assert np.isnan(at(*voxel))


@pytest.mark.parametrize(
    ("affine", "placed"),
    [
        (np.diag([999.0, 2, 2, 1]), True),
        (np.diag([1000.0, 2, 2, 1]), False),
        (np.diag([2, 2, 0.0011, 1]), True),
        (np.diag([2, 2, 0.001, 1]), False),
        (np.diag([-2.0, 2, 2, 1]), True),
        (np.diag([2.0, 2, 0, 1]), False),
        (np.diag([2.0, 2, np.inf, 1]), False),
    ],
)
def test_sides_of_voxels_that_may_be(affine: np.ndarray, placed: bool) -> None:
    assert places(affine) == placed


@pytest.mark.parametrize(("origin", "placed"), [(99_999.0, True), (100_000.0, False), (-100_000.0, False)])
@pytest.mark.parametrize("axis", range(3))
def test_origins_that_may_be(axis: int, origin: float, placed: bool) -> None:
    affine = np.eye(4)
    affine[axis, 3] = origin
    assert places(affine) == placed


@pytest.mark.parametrize(("sine", "placed"), [(0.011, True), (0.009, False), (-0.011, True), (-0.009, False)])
def test_sides_that_are_nearly_parallel(sine: float, placed: bool) -> None:
    """However long they are."""
    affine = np.eye(4)
    affine[:2, 1] = 5 * np.sqrt(1 - sine**2), 5 * sine
    assert places(affine) == placed


@pytest.mark.parametrize(
    ("unit", "words"),
    [(0, ""), (2, ""), (2 + 8, ""), (1, "metres"), (1 + 8, "metres"), (3, "micrometres"), (3 + 16, "micrometres")],
)
def test_units_of_space_are_mm_or_not_said(tmp_path: Path, unit: int, words: str) -> None:
    """Whatever the unit of time is, which stands in the same byte."""
    save(tmp_path / "a.nii", np.ones((3, 4, 5), np.float32))
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[123] = unit
    (tmp_path / "a.nii").write_bytes(data)
    if words:
        with pytest.raises(InputError, match=f"its header counts in {words}, which many programs take as mm"):
            ImageFile(tmp_path / "a.nii")
    else:
        assert ImageFile(tmp_path / "a.nii").shape == (3, 4, 5)


# how a reference image is shown


def test_the_window_is_from_the_first_to_nearly_the_last_percentile(tmp_path: Path) -> None:
    """Zeros, which are air, don't count; what is no number is as dark as can be; one bright voxel darkens no other."""
    data = np.zeros((10, 10, 30), np.float32)
    data[..., :20] = np.linspace(1000, 3000, 2000).reshape(10, 10, 20)
    data[0, 0, 25], data[0, 1, 25], data[0, 2, 25] = np.nan, np.inf, 1e6
    shown = save(tmp_path / "a.nii", data).shown()
    assert shown.data.dtype == np.uint8
    known = data[np.isfinite(data) & (data != 0)]
    low, high = np.percentile(known, (1, 99.5))
    expected = np.nan_to_num(np.clip((data - low) / (high - low), 0, 1)) * 255
    assert np.abs(shown.data - expected).max() <= 0.5 + 1e-3
    assert (shown.data[0, 0, 25], shown.data[0, 1, 25], shown.data[0, 2, 25], shown.data[0, 0, 29]) == (0, 255, 255, 0)


@pytest.mark.parametrize(("value", "byte"), [(0, 0), (5, 213), (-5, 0), (0.25, 51)])
def test_an_image_of_one_value(tmp_path: Path, value: float, byte: int) -> None:
    """It is shown on a scale from 0 to one more than it."""
    shown = save(tmp_path / "a.nii", np.full((3, 4, 5), value, np.float32)).shown()
    assert set(shown.data.ravel().tolist()) == {byte}


def test_the_window_of_a_large_image_is_of_a_sample_of_it(tmp_path: Path) -> None:
    shape = (130, 130, 65)
    data = np.random.default_rng(0).permutation(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype(np.int32)
    shown = save(tmp_path / "a.nii", data).shown().data
    assert (shown == 0).mean() == pytest.approx(0.01, abs=0.004)
    assert (shown == 255).mean() == pytest.approx(0.005, abs=0.004)
    assert np.corrcoef(shown.ravel(), data.ravel())[0, 1] > 0.999


@pytest.mark.parametrize(("most", "factor"), [(336, 1), (335, 2), (48, 2), (47, 3), (18, 3), (17, 4)])
def test_how_many_voxels_are_shown_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, factor: int
) -> None:
    """Of 6 × 7 × 8 = 336 voxels, in twos 3 × 4 × 4 = 48, in threes 2 × 3 × 3 = 18."""
    monkeypatch.setattr("tractcap.inputs.images.MOST_VOXELS", most)
    image = save(tmp_path / "a.nii", np.ones((6, 7, 8), np.uint8))
    assert image.factor == factor
    assert image.shown().data.shape == tuple(-(-side // factor) for side in (6, 7, 8))


def test_a_coarser_image_has_the_means_of_blocks_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks at the far end of an odd side are smaller, and their mean is of what they have."""
    monkeypatch.setattr("tractcap.inputs.images.MOST_VOXELS", 200)
    data = np.zeros((6, 7, 8), np.float32)
    data[:2, :2, :2] = np.arange(8).reshape(2, 2, 2) * 20 + 30  # 100 on average
    data[4:, 6:, 6:] = 100
    data[2, 2, 2] = 800
    image = save(tmp_path / "a.nii", data)
    monkeypatch.setattr("tractcap.inputs.images._WINDOW", (0.0, 100.0))
    shown = image.shown()
    bright = {tuple(at) for at in np.argwhere(shown.data > shown.data[1, 0, 0]).tolist()}
    assert bright == {(0, 0, 0), (2, 3, 3), (1, 1, 1)}
    assert len({int(shown.data[at]) for at in bright}) == 1
    block = shown.affine @ [0, 0, 0, 1]
    assert block == pytest.approx(OBLIQUE @ [0.5, 0.5, 0.5, 1])
    assert shown.affine[:3, :3] == pytest.approx(2 * OBLIQUE[:3, :3])


# what stands beside a map


@pytest.mark.parametrize("name", ["fa.nii.gz", "fa.nii", "fa.x.nii.gz", "fa.mgz"])
def test_the_unit_of_a_map_stands_in_the_json_file_beside_it(tmp_path: Path, name: str) -> None:
    if name.endswith(".mgz"):
        nib.MGHImage(np.ones((3, 4, 5), np.float32), OBLIQUE).to_filename(tmp_path / name)
    else:
        save(tmp_path / name, np.ones((3, 4, 5), np.float32))
    assert ImageFile(tmp_path / name).values().unit == ""
    (tmp_path / f"{name.partition('.nii')[0].partition('.mgz')[0]}.json").write_text(json.dumps({"Units": "mm²/s"}))
    assert ImageFile(tmp_path / name).values().unit == "mm²/s"


@pytest.mark.parametrize(("length", "taken"), [(60, True), (61, False)])
def test_the_longest_unit(tmp_path: Path, length: int, taken: bool) -> None:
    image = save(tmp_path / "fa.nii", np.ones((3, 4, 5), np.float32))
    (tmp_path / "fa.json").write_text(json.dumps({"Units": "m" * length}))
    assert image.values().unit == "m" * length * taken
