"""Peaks and orientation distribution functions: which way they point, what is read of them, and what can't be one."""

import json
import tracemalloc
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dipy.core.sphere import Sphere
from dipy.reconst.shm import sf_to_sh
from fiber_images import bids_descoteaux_coefficients, mrtrix_coefficients, save_mif, save_nifti, turned

from tractcap.errors import DamagedError, InputError, MissingError
from tractcap.inputs.fiber_conventions import FiberConvention, parse_convention
from tractcap.inputs.fiber_models import OdfFile, PeaksFile, crossed_voxels

SHAPE = (9, 10, 11)
GRIDS = [("RAS", 0), ("LAS", 0), ("LPS", 0), ("PSR", 0), ("RAS", 35), ("LAS", 35), ("IRP", 20)]
DIRECTION = np.array([0.8, -0.36, 0.48])
"""Of a fibre; no reflection or permutation of it is along the same line."""

VOXELS = np.array([[8, 9, 10], [0, 0, 0], [4, 5, 6], [4, 5, 5], [0, 9, 3]])


def sphere() -> np.ndarray:
    """Directions a few degrees apart, the fibre's among them."""
    random = np.random.default_rng(0).normal(size=(3000, 3))
    return np.vstack([DIRECTION, -DIRECTION, random / np.linalg.norm(random, axis=1, keepdims=True)])


def everywhere(values: np.ndarray) -> np.ndarray:
    """An image that has these values in all voxels."""
    return np.broadcast_to(values.astype(np.float32), (*SHAPE, *values.shape))


# which way they point


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
def test_peaks_of_mrtrix_point_along_the_scanners_axes_however_the_image_is_stored(
    tmp_path: Path, order: str, degrees: float
) -> None:
    absent = np.full(3, np.nan)
    data = everywhere(np.concatenate([0.7 * DIRECTION, [0, 0, 0.2], absent]))
    peaks = PeaksFile(save_nifti(tmp_path / "peaks.nii", data, turned(order, degrees)))
    assert peaks.peaks(VOXELS) == pytest.approx(np.tile([0.7 * DIRECTION, [0, 0, 0.2], [0, 0, 0]], (5, 1, 1)), abs=1e-6)
    assert peaks.note == "the file doesn't say its peaks' axes: the scanner's are taken, as by MRtrix"


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
def test_peaks_of_dipy_point_along_the_images_axes(tmp_path: Path, order: str, degrees: float) -> None:
    """Along each of them a unit vector is a step to the next voxel, of whatever size."""
    affine = turned(order, degrees, (2.0, 1.5, 3.0))
    peaks = PeaksFile(save_nifti(tmp_path / "peaks.nii.gz", everywhere(np.eye(3)), affine))
    assert peaks.peaks(VOXELS)[0] == pytest.approx((affine[:3, :3] / [2.0, 1.5, 3.0]).T, abs=1e-6)
    assert peaks.note == "the file doesn't say its peaks' axes: the image's are taken, as by DIPY"


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
def test_peaks_along_fsls_axes_are_reversed_along_the_first_where_the_image_is_right_handed(
    tmp_path: Path, order: str, degrees: float
) -> None:
    affine = turned(order, degrees)
    path = save_nifti(tmp_path / "V1.nii", everywhere(np.array([1.0, 0, 0])), affine)
    sign = -1 if np.linalg.det(affine[:3, :3]) > 0 else 1
    found = PeaksFile(path, FiberConvention("bvec"))
    assert found.peaks(VOXELS)[3, 0] == pytest.approx(sign * affine[:3, 0] / 2, abs=1e-6)
    assert found.note == ""


def test_what_is_said_of_axes_beats_the_layout_and_the_file_beside_the_image(tmp_path: Path) -> None:
    affine = turned("LAS", 35)
    path = save_nifti(tmp_path / "a.nii.gz", everywhere(DIRECTION), affine)
    turned_direction = affine[:3, :3] @ DIRECTION / 2
    assert PeaksFile(path, FiberConvention("voxel")).peaks(VOXELS)[0, 0] == pytest.approx(turned_direction, abs=1e-6)
    (tmp_path / "a.json").write_text(json.dumps({"OrientationEncoding": {"Reference": "ijk", "Type": "3vector"}}))
    assert PeaksFile(path).peaks(VOXELS)[0, 0] == pytest.approx(turned_direction, abs=1e-6)
    assert PeaksFile(path).note == ""
    assert PeaksFile(path, FiberConvention("world")).peaks(VOXELS)[0, 0] == pytest.approx(DIRECTION, abs=1e-6)


def along(odf: OdfFile, coefficients: np.ndarray) -> np.ndarray:
    """The direction in which it is longest."""
    directions = sphere()
    return np.asarray(directions[np.argmax(coefficients @ odf.amplitudes(directions))])


def is_the_fibres(direction: np.ndarray) -> bool:
    """Whether it is, or its opposite."""
    return bool(abs(direction @ DIRECTION) > 1 - 1e-9)


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
def test_an_odf_of_mrtrix_is_longest_along_its_fibre(tmp_path: Path, order: str, degrees: float) -> None:
    data = everywhere(mrtrix_coefficients(DIRECTION))
    odf = OdfFile(save_nifti(tmp_path / "fod.nii.gz", data, turned(order, degrees)))
    assert (odf.order, odf.full, odf.count) == (8, False, 45)
    assert is_the_fibres(along(odf, odf.values(VOXELS)[0]))
    assert odf.note == "the file doesn't say its basis of spherical harmonics: MRtrix's is taken"
    saved = save_mif(tmp_path / "fod.mif.gz", data, turned(order, degrees), "-1,-2,+3,+0")
    of_mif = OdfFile(saved)
    assert is_the_fibres(along(of_mif, of_mif.values(VOXELS)[0]))
    assert of_mif.note == ""


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
@pytest.mark.parametrize("basis", ["tournier07", "tournier07_legacy", "descoteaux07", "descoteaux07_legacy"])
@pytest.mark.parametrize("frame", ["voxel", "world", "bvec"])
def test_an_odf_is_longest_along_its_fibre_in_each_basis(
    tmp_path: Path, basis: str, frame: str, order: str, degrees: float
) -> None:
    affine = turned(order, degrees, (2.0, 1.5, 3.0))
    sides = affine[:3, :3] / [2.0, 1.5, 3.0]
    if frame == "bvec" and np.linalg.det(sides) > 0:
        sides = sides @ np.diag([-1, 1, 1])
    own = DIRECTION if frame == "world" else sides.T @ DIRECTION
    directions = sphere()
    name, _, legacy = basis.partition("_")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        coefficients = sf_to_sh(
            (directions @ own) ** 8, Sphere(xyz=directions), sh_order_max=8, basis_type=name, legacy=bool(legacy)
        )
    path = save_nifti(tmp_path / "odf.nii", everywhere(coefficients), affine)
    odf = OdfFile(path, parse_convention([basis, frame], "--odf"))
    assert is_the_fibres(along(odf, odf.values(VOXELS)[0]))
    assert odf.note == ""
    if frame == "voxel":
        assert odf.convention == OdfFile(path, parse_convention([basis], "--odf")).convention


def test_an_odf_with_odd_orders_is_longest_on_one_side(tmp_path: Path) -> None:
    directions = sphere()
    values = np.maximum(directions @ DIRECTION, 0) ** 8
    coefficients = sf_to_sh(
        values, Sphere(xyz=directions), sh_order_max=8, basis_type="descoteaux07", full_basis=True, legacy=False
    )
    path = save_nifti(tmp_path / "aodf.nii", everywhere(coefficients), turned())
    odf = OdfFile(path, parse_convention(["descoteaux07"], "--odf"))
    assert (odf.order, odf.full, odf.count) == (8, True, 81)
    assert along(odf, odf.values(VOXELS)[0]) == pytest.approx(DIRECTION)


@pytest.mark.parametrize(
    ("encoding", "coefficients", "frame"),
    [
        ({"Reference": "xyz", "SphericalHarmonicBasis": "mrtrix3", "Type": "sh"}, mrtrix_coefficients, "world"),
        ({"Reference": "xyz", "SphericalHarmonicBasis": "descoteaux"}, bids_descoteaux_coefficients, "world"),
        ({"Reference": "ijk", "SphericalHarmonicBasis": "DESCOTEAUX"}, bids_descoteaux_coefficients, "voxel"),
    ],
)
def test_the_file_beside_an_image_says_its_basis_and_axes(
    tmp_path: Path, encoding: dict[str, str], coefficients: object, frame: str
) -> None:
    affine = turned("LAS", 35)
    own = DIRECTION if frame == "world" else affine[:3, :3].T @ DIRECTION / 2
    path = save_nifti(tmp_path / "sub-1_dwimap.nii.gz", everywhere(coefficients(own)), affine)
    (tmp_path / "sub-1_dwimap.json").write_text(json.dumps({"Model": {}, "OrientationEncoding": encoding}))
    odf = OdfFile(path)
    assert is_the_fibres(along(odf, odf.values(VOXELS)[0]))
    assert odf.note == ""


def test_a_file_beside_an_image_that_says_only_its_basis_leaves_dipys_axes(tmp_path: Path) -> None:
    """As pyAFQ writes it."""
    path = save_nifti(tmp_path / "a.nii.gz", everywhere(np.ones(15)), turned("LAS", 35))
    (tmp_path / "a.json").write_text(json.dumps({"SphericalHarmonicBasis": "DESCOTEAUX"}))
    assert OdfFile(path).convention == FiberConvention("voxel", "descoteaux07_legacy")


@pytest.mark.parametrize("content", ["", "[]", '{"OrientationEncoding": 3}', '{"Reference": ["xyz"]}', "\udcff"])
def test_a_file_beside_an_image_that_says_nothing_changes_nothing(tmp_path: Path, content: str) -> None:
    path = save_nifti(tmp_path / "a.nii.gz", everywhere(np.ones(15)), turned())
    (tmp_path / "a.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert OdfFile(path).note == "the file doesn't say its basis of spherical harmonics: MRtrix's is taken"


@pytest.mark.parametrize(("values", "order"), [(1, 0), (6, 2), (15, 4), (28, 6), (45, 8), (66, 10), (91, 12)])
def test_every_number_of_coefficients_has_its_order(tmp_path: Path, values: int, order: int) -> None:
    odf = OdfFile(save_nifti(tmp_path / "a.nii", everywhere(np.ones(values)), turned()))
    assert (odf.order, odf.full, odf.amplitudes(np.eye(3)).shape) == (order, False, (values, 3))


# what is read


def numbers(count: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape) * count).reshape(*shape, count) % 30011


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img"])
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<i2", "u1", "<f8"])
def test_values_of_voxels_are_those_that_were_stored(tmp_path: Path, name: str, kind: str) -> None:
    data = numbers(6).astype(kind)
    image = nib.Nifti1Pair if name.endswith("img") else nib.Nifti1Image
    header = image.header_class(endianness=kind[0] if kind[0] in "<>" else "<")
    header.set_data_dtype(data.dtype)
    saved = image(data, turned(), header)
    saved.to_filename(tmp_path / name)
    assert np.array_equal(OdfFile(tmp_path / name).values(VOXELS), data[tuple(VOXELS.T)].astype(np.float32))


def test_scaled_values_are_read_as_nibabel_reads_them(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(*SHAPE, 6))
    image = nib.Nifti1Image(data, turned())
    image.set_data_dtype(np.int16)
    image.to_filename(tmp_path / "a.nii.gz")
    expected = nib.load(tmp_path / "a.nii.gz").get_fdata()[tuple(VOXELS.T)]
    assert OdfFile(tmp_path / "a.nii.gz").values(VOXELS) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["a.mif", "a.mif.gz"])
@pytest.mark.parametrize("layout", ["+0,+1,+2,+3", "-0,-1,+2,+3", "+1,+2,+3,+0", "-3,+2,-1,+0", "+2,-0,+3,-1"])
@pytest.mark.parametrize("datatype", ["Float32LE", "Float32BE", "Float64LE", "Int16LE", "UInt8"])
def test_images_of_mrtrix_are_read_in_every_layout(tmp_path: Path, name: str, layout: str, datatype: str) -> None:
    data = numbers(15) % 251
    affine = turned("LAS", 35, (2.0, 1.5, 3.0))
    odf = OdfFile(save_mif(tmp_path / name, data, affine, layout, datatype))
    assert np.array_equal(odf.values(VOXELS), data[tuple(VOXELS.T)])
    assert odf.affine == pytest.approx(affine)
    assert odf.shape == SHAPE


@pytest.mark.parametrize("layout", ["+0,+1,+2,+3", "+1,+2,+3,+0"])
def test_values_of_an_image_larger_than_what_is_read_at_once(tmp_path: Path, layout: str) -> None:
    """In every order of voxels, and of all of them."""
    shape = (60, 60, 60)
    data = numbers(6, shape)
    voxels = np.random.default_rng(0).permutation(np.argwhere(np.ones(shape, bool)))[:40_000]
    path = save_mif(tmp_path / "a.mif", data, turned(), layout)
    assert np.array_equal(OdfFile(path).values(voxels), data[tuple(voxels.T)])


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_reading_slices_takes_little_memory(tmp_path: Path, name: str) -> None:
    """A few megabytes beside what is kept, of an image that has 47."""
    shape = (64, 64, 64)
    path = save_nifti(tmp_path / name, np.zeros((*shape, 45), np.float32), turned())
    voxels = np.concatenate([crossed_voxels(shape, turned(), axis, 40.0) for axis in range(3)])
    odf = OdfFile(path)
    tracemalloc.start()
    values = odf.values(voxels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(voxels) > 10_000
    assert peak < values.nbytes + 10 * 2**20


@pytest.mark.parametrize(("order", "degrees"), GRIDS)
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("at", [-3.1, 0.3, 5.0])
def test_a_slice_leads_through_one_voxel_of_each_row_across_it(
    axis: int, at: float, order: str, degrees: float
) -> None:
    affine = turned(order, degrees, (2.0, 1.5, 3.0))
    all_voxels = np.argwhere(np.ones(SHAPE, bool))
    distance = np.abs(all_voxels @ affine[axis, :3] + affine[axis, 3] - at)
    expected = all_voxels[distance < np.abs(affine[axis, :3]).max() / 2]
    found = crossed_voxels(SHAPE, affine, axis, at)
    assert len(found) > 20
    assert sorted(map(tuple, found)) == sorted(map(tuple, expected))


def test_a_slice_outside_of_the_image_leads_through_none_of_its_voxels() -> None:
    assert crossed_voxels(SHAPE, turned(), 2, 1000.0).shape == (0, 3)


# what can't be one


@pytest.mark.parametrize("tail", [(44,), (3,), (2,), (14,), (15, 1), (5, 3), ()])
def test_other_numbers_of_coefficients_are_refused(tmp_path: Path, tail: tuple[int, ...]) -> None:
    path = save_nifti(tmp_path / "a.nii", np.ones((*SHAPE, *tail), np.float32), turned())
    with pytest.raises(
        InputError, match=r"a.nii has the dimensions 9 × 10 × 11.*: give an image of spherical harmonics"
    ):
        OdfFile(path)


@pytest.mark.parametrize("tail", [(1,), (4,), (5, 2), (3, 5), (3, 1, 1), ()])
def test_images_of_other_than_vectors_are_refused(tmp_path: Path, tail: tuple[int, ...]) -> None:
    path = save_nifti(tmp_path / "a.nii", np.ones((*SHAPE, *tail), np.float32), turned())
    with pytest.raises(InputError, match=r"a.nii has the dimensions 9 × 10 × 11.*: give an image of peaks"):
        PeaksFile(path)


def test_images_of_very_many_values_are_refused(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", np.ones((1, 1, 1, 900), np.int8), turned())
    with pytest.raises(InputError, match="900 values a voxel: give an image of spherical harmonics"):
        OdfFile(path)


def test_what_is_no_nifti_image_is_refused(tmp_path: Path) -> None:
    nib.MGHImage(np.ones((*SHAPE, 6), np.float32), turned()).to_filename(tmp_path / "a.mgz")
    with pytest.raises(InputError, match=r"a.mgz is neither a NIfTI nor an MRtrix image"):
        OdfFile(tmp_path / "a.mgz")
    (tmp_path / "a.pam5").write_bytes(b"\x89HDF")
    with pytest.raises(InputError, match=r"a.pam5 isn't read: write what it holds as NIfTI"):
        PeaksFile(tmp_path / "a.pam5")
    (tmp_path / "b.nii").write_text("nothing")
    with pytest.raises(DamagedError, match=r"b.nii can't be read as an image"):
        OdfFile(tmp_path / "b.nii")
    with pytest.raises(MissingError, match=r"c.nii doesn't exist: give an image of peaks"):
        PeaksFile(tmp_path / "c.nii")


def test_images_that_dont_say_where_their_voxels_lie_are_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.ones((*SHAPE, 6), np.float32), None)
    image.to_filename(tmp_path / "a.nii")
    with pytest.raises(InputError, match="doesn't say where its voxels lie in mm"):
        OdfFile(tmp_path / "a.nii")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mif", "a.mif.gz"])
def test_images_that_are_cut_off_are_refused(tmp_path: Path, name: str) -> None:
    data = np.random.default_rng(0).normal(size=(*SHAPE, 6)).astype(np.float32)
    save = save_nifti if "nii" in name else lambda *given: save_mif(*given, "+0,+1,+2,+3")
    path = save(tmp_path / name, data, turned())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=name):
        OdfFile(path).values(VOXELS)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"mrtrix image", b"mrtrix tracks", "it doesn't begin with 'mrtrix image'"),
        (
            b"layout: +0,+1,+2,+3",
            b"layout: +0,+1,+2,+2",
            "its layout '\\+0,\\+1,\\+2,\\+2' doesn't fit its 4 dimensions",
        ),
        (b"layout: +0,+1,+2,+3", b"layout: +0,+1,+2   ", "doesn't fit its 4 dimensions"),
        (b"transform", b"transfers", "its header has no transform"),
        (b"vox: 2.0,2.0,2.0", b"vox: 2.0,0.0,2.0", "no usable transform"),
        (b"dim: 9,10,11,6", b"dim: 9,0,11,6 ", "9 × 0 × 11 × 6: give an image of four dimensions"),
        (b"dim: 9,10,11,6", b"dim: 9,10,11,x", "can't be read as an image"),
        (b"Float32LE", b"Bit      ", "its datatype is 'Bit'"),
        (b"file: . 640", b"file: b 640", "points to another file"),
    ],
)
def test_images_of_mrtrix_that_cant_be_understood_are_refused(
    tmp_path: Path, old: bytes, new: bytes, sentence: str
) -> None:
    path = save_mif(tmp_path / "a.mif", np.ones((*SHAPE, 6)), turned(), "+0,+1,+2,+3")
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    with pytest.raises(InputError, match=sentence):
        OdfFile(path)
