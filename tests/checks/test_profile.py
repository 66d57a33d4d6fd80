"""Profiles of a ramp along a straight bundle: the ramp, in its direction, whichever way streamlines are stored."""

import json
from pathlib import Path

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest
from dipy.stats.analysis import afq_profile, gaussian_weights
from nibabel.streamlines import ArraySequence

from tractcap.checks import checks
from tractcap.checks.common.alignment import align
from tractcap.checks.common.check_definition import CheckFile, CheckInput
from tractcap.checks.profile import gaussian, profile
from tractcap.errors import InputError


def ramp(path: Path, hole: bool = False) -> CheckFile:
    """A map that is 0.005 a mm of y, and 0.5 at y = 0; not a number in front of y = 20 with a ``hole``."""
    affine = phantoms.affine()
    y = np.arange(109) * 2 - 126
    data = np.broadcast_to((0.5 + 0.005 * y)[None, :, None], (91, 109, 91)).astype(np.float32).copy()
    if hole:
        data[:, y > 20] = np.nan
    nib.save(nib.Nifti1Image(data, affine), path)
    return CheckFile(str(path), voxels=data.size)


def test_names_and_units_are_no_formulas(tmp_path: Path) -> None:
    """Two dollars are a formula to matplotlib, which fails where it can't read it."""
    path = phantoms.save(tmp_path / r"a$\b$.trk", phantoms.straight_bundle())
    (tmp_path / "fa.json").write_text(json.dumps({"Units": r"$\frac$"}))
    _, output = checking.make("profile", tmp_path / "out", path, maps={r"F$\A_$": ramp(tmp_path / "fa.nii")})
    assert len(output.figures) == 2


@pytest.mark.parametrize("flipped", [False, True])
def test_a_ramp_is_the_profile(tmp_path: Path, flipped: bool) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(flipped=flipped))
    found, output = checking.make("profile", tmp_path / "out", path, maps={"FA": ramp(tmp_path / "fa.nii.gz")})
    rows = [line.split("\t") for line in (tmp_path / "out/a_check-profile_profiles.tsv").read_text().splitlines()]
    assert rows[0] == ["map", "node", "mean", "standard_deviation", "at_least", "at_most", "x_mm", "y_mm", "z_mm"]
    assert [int(row[1]) for row in rows[1:]] == list(range(1, 101))
    means, places = (np.array([float(row[at]) for row in rows[1:]]) for at in (2, 7))
    assert places == pytest.approx(np.linspace(-40, 40, 100), abs=0.01)  # from the posterior end on
    assert means == pytest.approx(0.5 + 0.005 * places, abs=1e-4)
    assert max(float(row[3]) for row in rows[1:]) < 1e-4
    told = found.measures
    assert (told["MinimumFA"], told["MaximumFA"], told["LackingFA"]) == pytest.approx((0.3, 0.7, 0), abs=1e-4)
    assert [one.file for one in output.figures] == [f"a_check-profile_{what}-FA.png" for what in ("profile", "bundle")]


def test_orientation_is_the_same_in_words_and_picture() -> None:
    way = align(phantoms.straight_bundle(flipped=True))
    assert way.ends == ("posterior", "anterior")
    first, last = way.end_marks
    assert (first.text, last.text) == ("1", "100")
    assert first.at[1] < last.at[1]
    assert (np.diff(way.lines[..., 1], axis=1) > 0).all()


def test_several_maps_and_a_hole(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    maps = {"FA": ramp(tmp_path / "fa.nii.gz"), "MD map": ramp(tmp_path / "md.nii.gz", hole=True)}
    found, output = checking.make("profile", tmp_path / "out", path, maps=maps)
    assert found.measures["LackingMD map"] == pytest.approx(0.25, abs=0.03)
    assert found.measures["MaximumMD map"] < 0.61
    assert any("have no value in MD map" in note for note in found.notes)
    assert len(output.figures) == 4
    text = (tmp_path / "out/a_check-profile_profiles.tsv").read_text()
    assert text.count("\n") == 201
    assert text.rstrip().rpartition("\n")[2].split("\t")[2] == "n/a"


def test_a_map_elsewhere(tmp_path: Path) -> None:
    affine = phantoms.affine()
    affine[:3, 3] += 500
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.float32), affine), tmp_path / "fa.nii.gz")
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle())
    with pytest.raises(InputError, match=r"fa\.nii\.gz has no value anywhere along"):
        checking.make(
            "profile", tmp_path / "out", path, maps={"FA": CheckFile(str(tmp_path / "fa.nii.gz"), voxels=729)}
        )


def test_without_a_map() -> None:
    assert "--metric" in checks()["profile"].missing(CheckInput(CheckFile("a.trk")))


def test_weights_are_gaussian_and_the_mean_is_dipys() -> None:
    """dipy's profile of the same weights is the same; its own weights aren't a number on the core."""
    lines = align(phantoms.straight_bundle(20)).lines
    weights = gaussian(lines)
    assert weights.sum(axis=0) == pytest.approx(np.ones(100))
    away = ((lines[:, 50] - lines[:, 50].mean(axis=0)) ** 2).sum(axis=1)
    assert np.argmax(weights[:, 50]) == np.argmin(away)
    random = np.random.default_rng(1)
    data = random.random((60, 100, 60)).astype(np.float64)
    affine = np.eye(4)
    affine[:3, 3] = [-50, -50, -20]
    theirs = afq_profile(data, ArraySequence(list(lines)), affine, weights=weights)
    from tractcap.inputs.images import Volume

    ours = profile(Volume(data.astype(np.float32), affine).at(lines), weights)
    assert ours.mean == pytest.approx(theirs, abs=1e-4)
    three = ArraySequence([np.linspace([0, y, z], [99, y, z], 100) for y, z in ((-1, 0.5), (0, 0), (1, -0.5))])
    with np.errstate(all="ignore"), pytest.raises((AssertionError, np.linalg.LinAlgError)):
        assert np.isfinite(gaussian_weights(three)).all()
    assert np.isfinite(gaussian(np.array(list(three)))).all()


def test_a_single_streamline(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(1))
    found, _ = checking.make("profile", tmp_path / "out", path, maps={"FA": ramp(tmp_path / "fa.nii.gz")})
    assert found.measures["MinimumFA"] == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize(("across", "words"), [(49, "anterior"), (60, "anterior, right")])
def test_ends_that_lie_between_two_axes_are_named_by_both(across: float, words: str) -> None:
    """From half of the way along the longer axis on."""
    ends = align([np.linspace([0, 0, 0], [across, 100, 0], 30).astype(np.float32)]).ends
    assert ends[1] == words


def test_all_of_a_single_streamline_s_figures_are_its_own(tmp_path: Path) -> None:
    """It is the whole bundle: there is no doubt."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(1))
    found, _ = checking.make("profile", tmp_path / "out", path, maps={"FA": ramp(tmp_path / "fa.nii.gz")})
    for key in ("Mean", "Minimum", "Maximum", "Lacking"):
        value, low, high = (found.measures[f"{key}FA{end}"] for end in ("", "Low", "High"))
        assert value is not None
        assert low == value == high


def test_the_table_has_the_nodes_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", 25)
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle(80))
    checking.make("profile", tmp_path / "out", path, maps={"FA": ramp(tmp_path / "fa.nii.gz")})
    rows = [line.split("\t") for line in (tmp_path / "out/a_check-profile_profiles.tsv").read_text().splitlines()[1:]]
    mean, low, high = (np.array([float(row[at]) for row in rows]) for at in (2, 4, 5))
    assert (low < mean).all()
    assert (mean < high).all()
    assert (mean - low) == pytest.approx(high - mean, abs=1e-5)
