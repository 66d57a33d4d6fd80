"""Bundles as no tracking should leave them: each check finds something that is a number, or says why it can't."""

import json
import math
from pathlib import Path

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest

from tractcap.checks import checks
from tractcap.checks.common.check_definition import CheckFile
from tractcap.errors import InputError

NAN = np.float32("nan")
ODD = {
    "one": phantoms.straight_bundle(1),
    "two points": [np.array([[0, 0, 0], [30, 0, 0]], np.float32)] * 3,
    "no length": [np.zeros((5, 3), np.float32)] * 3,
    "one without length": [*phantoms.straight_bundle(2), np.full((3, 3), 7, np.float32)],
    "short": [one * np.float32(0.01) for one in phantoms.straight_bundle(5)],
    "far": [one + np.float32(9000) for one in phantoms.straight_bundle(5)],
    "huge": [one * np.float32(100) for one in phantoms.straight_bundle(5)],
    "broken ones": [*phantoms.straight_bundle(3), np.full((4, 3), NAN), np.zeros((1, 3), np.float32)],
    "all broken": [np.full((4, 3), NAN)] * 2,
    "the same": phantoms.straight_bundle(1) * 30,
    "folded": [np.concatenate([one, one[::-1]]) for one in phantoms.straight_bundle(5)],
    "a flat one": [np.float32([[0, y, 0], [20, y, 0], [40, y, 0]]) for y in range(6)],
}


@pytest.mark.parametrize("name", checks())
@pytest.mark.parametrize("odd", ODD)
def test_numbers_or_a_sentence(tmp_path: Path, name: str, odd: str) -> None:
    path = phantoms.save(tmp_path / "a.tck", ODD[odd])
    other = CheckFile(str(phantoms.save(tmp_path / "b.tck", phantoms.straight_bundle(5))))
    data = np.random.default_rng(0).random((91, 109, 91)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, phantoms.affine()), tmp_path / "fa.nii")
    image = CheckFile(str(tmp_path / "fa.nii"), voxels=data.size)
    given = {"maps": {"FA": image}, "reference": image, "atlas": other, "before": other, "mirror": other}
    refused = ""
    with np.errstate(all="raise", under="ignore"):
        try:
            found, output = checking.make(name, tmp_path / "out", path, hemisphere="L", **given)
        except InputError as error:
            refused = str(error)
    if refused:
        assert "a.tck" in refused or "fa.nii" in refused
        return
    json.dumps(found.measures, allow_nan=False)
    assert all(value is None or math.isfinite(value) for value in found.measures.values())
    assert all((tmp_path / "out" / one.file).stat().st_size for one in (*output.figures, *output.tables))


EMPTY = {
    "a.tck": lambda path: phantoms.raw_tck(path, []),
    "a.trk": lambda path: nib.streamlines.save(nib.streamlines.Tractogram([], affine_to_rasmm=np.eye(4)), path),
}


@pytest.mark.parametrize("name", checks())
@pytest.mark.parametrize("file", EMPTY)
def test_an_empty_bundle_is_missing_and_no_failure(tmp_path: Path, name: str, file: str) -> None:
    """Whichever it is that holds nothing: the bundle, or what it is compared with."""
    empty = tmp_path / file
    EMPTY[file](empty)
    whole = phantoms.save(tmp_path / "b.tck", phantoms.straight_bundle(5))
    nib.save(nib.Nifti1Image(np.ones((91, 109, 91), np.float32), phantoms.affine()), tmp_path / "fa.nii")
    maps = {"FA": CheckFile(str(tmp_path / "fa.nii"), voxels=91 * 109 * 91)}
    others = {"atlas", "before", "mirror"} & set(checks()[name].uses)
    for path, other in ((empty, whole), *((whole, empty) for _ in others)):
        beside = {one: CheckFile(str(other)) for one in ("atlas", "before", "mirror")}
        found, output = checking.make(name, tmp_path / "out", path, hemisphere="L", maps=maps, **beside)
        assert found.missing == f"{empty} is empty: it holds no streamlines"
        assert (found.measures, output.figures, output.tables) == ({}, [], [])


def volume(path: Path, data: np.ndarray) -> CheckFile:
    nib.save(nib.Nifti1Image(data.astype(np.float32), phantoms.affine()), path)
    return CheckFile(str(path), voxels=data.size)


def test_a_map_that_can_t_be_used_costs_itself_alone(tmp_path: Path) -> None:
    """One that is damaged, and one that has no value in the bundle: the good one's profile is there."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    good, nothing = np.full((91, 109, 91), 0.5), np.full((91, 109, 91), np.nan)
    (tmp_path / "bad.nii").write_bytes(b"no image at all")
    maps = {
        "Bad": CheckFile(str(tmp_path / "bad.nii")),
        "FA": volume(tmp_path / "fa.nii", good),
        "None": volume(tmp_path / "none.nii", nothing),
    }
    found, output = checking.make("profile", tmp_path / "out", path, maps=maps)
    assert found.measures["MeanFA"] == 0.5
    assert [one.file for one in output.figures] == [f"a_check-profile_{what}-FA.png" for what in ("profile", "bundle")]
    assert any("bad.nii can't be read as an image" in note for note in found.notes)
    assert any("none.nii has no value anywhere along" in note for note in found.notes)
    assert not any(key.endswith(("Bad", "None")) for key in found.measures)
    maps.pop("FA")
    with pytest.raises(InputError, match=r"bad\.nii can't be read .*none\.nii has no value anywhere"):
        checking.make("profile", tmp_path / "out", path, maps=maps)


def test_infinite_values_of_a_map_are_left_aside(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    data = np.full((91, 109, 91), 0.5)
    data[:, 63:, :], data[:, :40, :] = np.inf, -np.inf
    found, _ = checking.make("profile", tmp_path / "out", path, maps={"FA": volume(tmp_path / "fa.nii", data)})
    assert [found.measures[f"{key}FA"] for key in ("Mean", "Minimum", "Maximum")] == [0.5] * 3
    assert found.measures["LackingFA"] > 0.5


def test_an_atlas_image_with_values_that_are_no_numbers(tmp_path: Path) -> None:
    """They aren't the bundle, however high; one that holds nothing else is refused."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    data = np.zeros((91, 109, 91))
    data[30:40, 44:84, 30:50] = 1
    clean, _ = checking.make("atlas", tmp_path / "out", path, atlas=volume(tmp_path / "clean.nii", data))
    data[0, 0, :3] = np.inf, -np.inf, np.nan
    found, _ = checking.make("atlas", tmp_path / "out", path, atlas=volume(tmp_path / "odd.nii", data))
    assert found.measures == clean.measures
    for value in (np.inf, np.nan, -1):
        odd = volume(tmp_path / "none.nii", np.full((91, 109, 91), value))
        with pytest.raises(InputError, match=r"none\.nii has no voxel above zero"):
            checking.make("atlas", tmp_path / "out", path, atlas=odd)


def test_a_reference_that_can_t_be_read_costs_its_own_measure_alone(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    (tmp_path / "bad.nii").write_bytes(b"no image at all")
    found, output = checking.make("shape", tmp_path / "out", path, reference=CheckFile(str(tmp_path / "bad.nii")))
    assert (found.measures["OutsideReference"], found.measures["LengthMean"]) == (None, 79.998)
    assert len(output.figures) == 2
    assert any("bad.nii can't be read as an image" in note for note in found.notes)
