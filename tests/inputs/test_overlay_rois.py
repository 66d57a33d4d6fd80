"""Masks and label images: what they hold, and what is refused with which words."""

from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms
import pytest

from tractcap.errors import InputError
from tractcap.inputs.overlay_rois import MOST_LABELS, Region, RegionFile

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def save(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    nib.Nifti1Image(values, affine).to_filename(path)
    return path


def labelled(shape: tuple[int, ...] = (7, 8, 9), kind: type = np.uint8) -> np.ndarray:
    values = np.zeros(shape, kind)
    values[1:3, 2:6, 4:8] = 5
    values[5, 7, 0] = 2
    return values


def test_regions_are_found_with_their_voxels_boxes_and_faces(tmp_path: Path) -> None:
    found = RegionFile(save(tmp_path / "a.nii.gz", labelled())).inspect()
    assert found.regions == (
        Region(2, 1, (5, 7, 0), (5, 7, 0)),
        Region(5, 2 * 4 * 4, (1, 2, 4), (2, 5, 7)),
    )
    assert found.voxels == 33
    assert found.box == ((1, 2, 0), (5, 7, 7))
    assert found.faces == 2 * (2 * 4 + 2 * 4 + 4 * 4) + 6, "those at the image's edge too"


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_a_mask_of_each_region_is_cut_out_with_a_margin(tmp_path: Path, kind: type) -> None:
    values = labelled(kind=kind)
    file = RegionFile(save(tmp_path / "a.nii", values))
    masks = {region.label: mask for region, mask in file.masks(file.inspect())}
    for label, mask in masks.items():
        places = np.argwhere(mask.data) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
        assert np.array_equal(places, np.argwhere(values == label) * 2.0)
        edges = [mask.data.take(end, axis) for axis in range(3) for end in (0, -1)]
        assert not any(edge.any() for edge in edges)


def test_a_region_that_is_made_coarser_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.inputs.overlay_rois.MOST_VOXELS", 2_000)
    values = np.zeros((40, 40, 40), np.uint8)
    values[4:36, 4:28, 8:32] = 1
    file = RegionFile(save(tmp_path / "a.nii.gz", values))
    ((region, mask),) = file.masks(file.inspect())
    assert region.factor == 4
    assert mask.data.size == region.block <= 2_000
    assert np.diag(mask.affine).tolist() == [8, 8, 8, 1]
    places = np.argwhere(mask.data) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    assert places.mean(axis=0).tolist() == (np.argwhere(values) * 2.0).mean(axis=0).tolist()


def test_a_slice_of_zeros_is_not_the_end_of_a_region(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 6), np.uint8)
    values[1, 1, 1] = values[2, 2, 4] = 9
    (region,) = RegionFile(save(tmp_path / "a.nii", values)).inspect().regions
    assert region == Region(9, 2, (1, 1, 1), (2, 2, 4))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 5, 6), np.uint8), "a.nii is empty: none of its voxels is above 0."),
        *(
            (
                np.full((4, 5, 6), value, np.float64),
                "a.nii has 20 or more voxels that are no numbers, or too large: set these to 0.",
            )
            for value in (np.nan, np.inf)
        ),
        (
            np.full((4, 5, 6), 38.0001, np.float32),
            "a.nii has values that are no labels, such as 38.0001: give a mask, such as all that is above a threshold.",
        ),
        (np.full((4, 5, 6), -1, np.int16), "a.nii has values below 0: give a mask, or an image of labels."),
        (
            np.full((4, 5, 6), 0.25, np.float32),
            "a.nii has values that are no labels, such as 0.25: give a mask, such as all that is above a threshold.",
        ),
        (
            np.arange(2000, dtype=np.int16).reshape(10, 10, 20),
            f"a.nii has more than {MOST_LABELS:,} labels: give a mask, or an image of the labels that shall be seen.",
        ),
        (np.ones((4, 5, 6, 3), np.uint8), "a.nii has the dimensions 4 × 5 × 6 × 3: give an image of one volume."),
        (np.ones((4, 5, 6), np.complex64), "a.nii holds values of type complex64: give an image of real numbers."),
    ],
    ids=["empty", "NaN", "infinite", "almost whole", "negative", "fractions", "2,000 labels", "4D", "complex"],
)
def test_what_is_no_mask_is_refused_with_a_sentence(tmp_path: Path, values: np.ndarray, words: str) -> None:
    path = save(tmp_path / "a.nii", values)
    with pytest.raises(InputError) as refused:
        RegionFile(path).inspect()
    assert str(refused.value) == f"{tmp_path}/{words}"


def test_a_mask_that_does_not_say_where_it_lies_is_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(labelled(), AFFINE)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    image.to_filename(tmp_path / "a.nii")
    with pytest.raises(InputError, match="doesn't say where its voxels lie"):
        RegionFile(tmp_path / "a.nii")


def test_a_tractogram_is_no_mask(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    with pytest.raises(InputError, match=r"a\.trk (is not an image|can't be read as an image)"):
        RegionFile(path)
