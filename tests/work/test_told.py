"""What the JSON files tell of tractograms, drawn or not, and what is shown together."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import phantoms
import pytest

SMALL = ("--size", "100", "--views", "left")


def run(data: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", str(data), str(out), "participant", *SMALL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def told(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "in/sub-01/dwi"
    folder.mkdir(parents=True)
    phantoms.save(folder / "sub-01_AF_L.tck", phantoms.asymmetric_bundle())
    return tmp_path / "in"


def test_what_was_drawn(data: Path, tmp_path: Path) -> None:
    assert run(data, tmp_path / "out", "--mem", "900").returncode == 0
    found = told(tmp_path / "out/sub-01/figures/sub-01_AF_L.json")
    assert (found["Kind"], found["Status"]) == ("bundle", "drawn")
    assert (found["Participant"], found["Session"]) == ("01", "")
    assert found["Bundle"]["Original"] == "AF_L"
    assert found["Bundle"]["Hemisphere"] == "L"
    assert found["Memory"] == {"BudgetBytes": 900 * 2**20, "BoundBy": "--mem"}
    lengths = found["Lengths"]
    assert lengths["Minimum"] <= lengths["Median"] <= lengths["Maximum"]
    assert sum(lengths["Histogram"]["Counts"]) == found["StreamlinesDrawn"]
    assert found["VolumeMillimetres3"] > 0
    assert "lengths" not in found["Extent"]


def test_the_lengths_stay_when_it_is_drawn_anew(data: Path, tmp_path: Path) -> None:
    """Measured by the first run, drawn with other options by the second."""
    run(data, tmp_path / "out")
    first = told(tmp_path / "out/sub-01/figures/sub-01_AF_L.json")
    run(data, tmp_path / "out", "--background", "white")
    second = told(tmp_path / "out/sub-01/figures/sub-01_AF_L.json")
    assert first["Made"] != second["Made"]
    for name in ("Lengths", "VolumeMillimetres3", "Extent"):
        assert first[name] == second[name]


def test_what_failed_is_told_beside_where_its_pictures_would_be(data: Path, tmp_path: Path) -> None:
    (data / "sub-01/dwi/sub-01_CST_L.tck").write_bytes(b"mrtrix tracks\nrubbish")
    done = run(data, tmp_path / "out")
    assert done.returncode == 1
    found = told(tmp_path / "out/sub-01/figures/sub-01_CST_L.json")
    assert found["Status"] == "damaged"
    assert found["Why"] in done.stderr
    assert not found["Pictures"]
    phantoms.save(data / "sub-01/dwi/sub-01_CST_L.tck", phantoms.asymmetric_bundle(seed=2))
    assert run(data, tmp_path / "out").returncode == 0
    assert told(tmp_path / "out/sub-01/figures/sub-01_CST_L.json")["Status"] == "drawn"


def test_a_failure_leaves_pictures_of_the_same_file(data: Path, tmp_path: Path) -> None:
    """Too little memory for larger pictures: the smaller ones of the run before are still true."""
    run(data, tmp_path / "out")
    path = tmp_path / "out/sub-01/figures/sub-01_AF_L.json"
    before = path.read_bytes()
    phantoms.save(data / "sub-01/dwi/sub-01_CST_L.tck", phantoms.asymmetric_bundle(seed=2))
    run(data, tmp_path / "out", "--scalar", f"FA={data}/missing.nii.gz")
    assert path.read_bytes() == before
    assert run(data, tmp_path / "out", "--color", "data:none").returncode == 1
    assert path.read_bytes() == before


def test_bundles_of_one_session_and_space_are_shown_together(tmp_path: Path) -> None:
    """Those of two sessions, or spaces, don't lie in one anatomy."""
    for session, space in (("1", "ACPC"), ("2", "ACPC"), ("2", "MNI152NLin6Asym")):
        folder = tmp_path / f"in/sub-01/ses-{session}/dwi"
        folder.mkdir(parents=True, exist_ok=True)
        for seed, bundle in enumerate(("AF", "CST")):
            name = f"sub-01_ses-{session}_space-{space}_bundle-{bundle}_streamlines.tck"
            phantoms.save(folder / name, phantoms.asymmetric_bundle(seed=seed))
    done = run(tmp_path / "in", tmp_path / "out", "--overview")
    assert done.returncode == 0, done.stderr
    found = sorted(path.name for path in (tmp_path / "out").rglob("*desc-overview.json"))
    assert found == [
        "sub-01_ses-1_space-ACPC_desc-overview.json",
        "sub-01_ses-2_space-ACPC_desc-overview.json",
        "sub-01_ses-2_space-MNI152NLin6Asym_desc-overview.json",
    ]
    overview = told(tmp_path / "out/sub-01/ses-1/figures" / found[0])
    assert (overview["Kind"], overview["Title"]) == ("overview", "sub-01 ses-1 space-ACPC")
    assert len(overview["Sources"]) == 2


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A participant with a tractogram and a T1w image, both in ACPC."""
    root = tmp_path / "in"
    for folder in ("anat", "dwi"):
        (root / "sub-01" / folder).mkdir(parents=True)
    name = "sub-01_space-ACPC_bundle-AF_streamlines.tck"
    phantoms.save(root / "sub-01/dwi" / name, phantoms.asymmetric_bundle())
    phantoms.save_head(root / "sub-01/anat/sub-01_space-ACPC_desc-preproc_T1w.nii.gz", voxel=4.0)
    return root


def only(out: Path) -> dict[str, Any]:
    (path,) = (out / "sub-01/figures").glob("*_streamlines.json")
    return told(path)


def test_a_participants_own_image_is_found(dataset: Path, tmp_path: Path) -> None:
    done = run(dataset, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found = only(tmp_path / "out")
    assert found["Made"]["Reference"]["path"].endswith("sub-01_space-ACPC_desc-preproc_T1w.nii.gz")
    assert "T1w" in found["ReferenceChosen"]
    assert "ACPC" in found["ReferenceChosen"]
    assert found["PointsOutsideReference"] == 0
    again = run(dataset, tmp_path / "out")
    assert "0 drawn, 1 kept" in again.stderr
    assert run(dataset, tmp_path / "out", "--reference", "none").returncode == 0
    assert only(tmp_path / "out")["Made"]["Reference"] is None


def test_an_image_of_another_space_is_not(dataset: Path, tmp_path: Path) -> None:
    image = dataset / "sub-01/anat/sub-01_space-ACPC_desc-preproc_T1w.nii.gz"
    image.rename(image.with_name("sub-01_space-MNI152NLin6Asym_desc-preproc_T1w.nii.gz"))
    assert run(dataset, tmp_path / "out").returncode == 0
    found = only(tmp_path / "out")
    assert found["Made"]["Reference"] is None
    assert found["ReferenceChosen"].startswith("none")


@pytest.mark.parametrize("damage", ["header", "data"])
def test_a_broken_image_costs_only_itself(dataset: Path, tmp_path: Path, damage: str) -> None:
    image = dataset / "sub-01/anat/sub-01_space-ACPC_desc-preproc_T1w.nii.gz"
    image.write_bytes(b"rubbish" if damage == "header" else image.read_bytes()[:4000])
    done = run(dataset, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert image.name in done.stderr
    found = only(tmp_path / "out")
    assert found["Made"]["Reference"] is None
    assert any(image.name in note for note in found["Notes"])


def test_a_map_is_found(dataset: Path, tmp_path: Path) -> None:
    """Of the participant's own space; a tractogram without one fails alone."""
    phantoms.save_head(dataset / "sub-01/dwi/sub-01_space-ACPC_model-tensor_param-FA_dwimap.nii.gz", voxel=4.0)
    other = dataset / "sub-02/dwi/sub-02_space-ACPC_bundle-AF_streamlines.tck"
    other.parent.mkdir(parents=True)
    phantoms.save(other, phantoms.asymmetric_bundle())
    done = run(dataset, tmp_path / "out", "--color", "scalar:FA")
    assert done.returncode == 1
    assert only(tmp_path / "out")["Colorings"][0]["path"].endswith("param-FA_dwimap.nii.gz")
    failed = told(tmp_path / "out/sub-02/figures/sub-02_space-ACPC_bundle-AF_streamlines.json")
    assert failed["Status"] == "failed"
    assert "FA" in failed["Why"]


def test_a_bundle_that_is_said_to_be_empty(dataset: Path, tmp_path: Path) -> None:
    (dataset / "sub-01/dwi/sub-01_space-ACPC_bundle-CST_streamlines.json").write_text("{}")
    done = run(dataset, tmp_path / "out")
    assert done.returncode == 0
    assert "1 drawn, 1 empty" in done.stderr
    found = told(tmp_path / "out/sub-01/figures/sub-01_space-ACPC_bundle-CST_streamlines.json")
    assert found["Status"] == "empty"
    assert found["Why"]


def test_its_own_outputs_are_no_inputs(dataset: Path, tmp_path: Path) -> None:
    """Neither inside the input nor as the input."""
    out = dataset / "derivatives/tractcap"
    (dataset / "sub-01/dwi/sub-01_space-ACPC_bundle-CST_streamlines.json").write_text("{}")
    assert run(dataset, out).returncode == 0
    again = run(dataset, out)
    assert "0 drawn, 1 kept from an earlier run, 1 empty" in again.stderr
    assert run(out, tmp_path / "other").returncode == 3
