"""What the JSON files tell of tractograms, drawn or not, and what is shown together."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import packings
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


FORMATS = {
    "trk": phantoms.save, "tck": phantoms.save, "trx": packings.trx, "vtk": packings.legacy, "vtp": packings.xml,
    "fib": packings.legacy,
}  # fmt: skip


def test_empty_missing_damaged_and_failed_are_four(tmp_path: Path) -> None:
    """Told apart by the same words in log, record, journal, table and page; what is empty is no failure."""
    data, out = tmp_path / "in/sub-01/dwi", tmp_path / "out"
    data.mkdir(parents=True)
    phantoms.save(data / "sub-01_AF_L.tck", phantoms.asymmetric_bundle())
    for ending, save in FORMATS.items():
        save(data / f"sub-01_empty-{ending}.{ending}", [])
    done = run(tmp_path / "in", out)
    assert done.returncode == 0, done.stderr
    assert f"1 drawn, {len(FORMATS)} empty" in done.stderr
    assert "failed" not in done.stderr

    (data / "sub-01_gone.tck").symlink_to(tmp_path / "nowhere")
    (data / "sub-01_rotten.tck").write_bytes(b"mrtrix tracks\nrubbish")
    phantoms.save(data / "sub-01_nan.trk", [np.full((5, 3), np.nan, np.float32)])
    again = run(tmp_path / "in", out)
    assert again.returncode == 1
    assert f"0 drawn, 1 kept from an earlier run, {len(FORMATS)} empty, 3 failed" in again.stderr
    words = {"gone": "missing", "rotten": "damaged", "nan": "failed", "AF_L": "drawn", "empty-trk": "empty"}
    records = {name: told(out / f"sub-01/figures/sub-01_{name}.json") for name in words}
    assert {name: one["Status"] for name, one in records.items()} == words
    assert "link to a file that isn't there" in records["gone"]["Why"]
    assert all(records[name]["Why"] in again.stderr for name in words if name != "AF_L")
    last = max((out / "logs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    lines = [json.loads(line) for line in last.read_text().splitlines()]
    events = {Path(line["source"]).stem.removeprefix("sub-01_"): line["event"] for line in lines if "source" in line}
    assert words.items() - events.items() == {("AF_L", "drawn")}
    assert events["AF_L"] == "kept"
    assert lines[-1].items() >= {"drawn": 0, "kept": 1, "empty": len(FORMATS), "failed": 3}.items()
    group = [sys.executable, "-m", "tractcap", str(out), str(out), "group"]
    assert subprocess.run(group, check=False, capture_output=True).returncode == 0
    table = [line.split("\t") for line in (out / "group_tractograms.tsv").read_text().splitlines()]
    status = {Path(row[table[0].index("tractogram")]).stem.removeprefix("sub-01_"): row for row in table[1:]}
    assert {name: status[name][table[0].index("status")] for name in words} == words
    page = (out / "sub-01.html").read_text()
    assert all(records[name]["Why"].partition("'")[0].rpartition("/")[2] in page for name in words if name != "AF_L")


def test_too_large_beside_damaged(tmp_path: Path) -> None:
    """All are told of, with records and a page: 4 is for where memory is all that is wrong."""
    data, out = tmp_path / "in", tmp_path / "out"
    data.mkdir()
    for name in "abc":
        phantoms.save(data / f"{name}.tck", phantoms.straight_bundle(3))
    huge = ("--mem-per-job", "900G")
    alone = run(data, tmp_path / "alone", *huge)
    assert alone.returncode == run(data, tmp_path / "dry", *huge, "--dry-run").returncode == 4
    (data / "broken.tck").write_bytes(b"rubbish")
    done = run(data, out, *huge)
    assert done.returncode == run(data, tmp_path / "dry", *huge, "--dry-run").returncode == 1
    for folder, names in ((tmp_path / "alone", "abc"), (out, ("a", "b", "c", "broken"))):
        status = {name: told(folder / f"figures/{name}.json")["Status"] for name in names}
        assert status == {name: "damaged" if name == "broken" else "failed" for name in names}
        assert all(f"{name}.tck" in (folder / "index.html").read_text() for name in names)
    assert "0 drawn, 4 failed" in done.stderr
    assert all(f"{name}.tck can't be drawn in" in done.stderr for name in "abc")
    assert not (tmp_path / "dry").exists()


@pytest.mark.parametrize(
    ("content", "options", "status"),
    [
        (b"rubbish", (), 1),
        (None, (), 0),
        (None, ("--participant-label", "99"), 3),
        (None, ("--mem", "150", "--size", "2000"), 4),
    ],
)
def test_a_dry_run_ends_as_the_run_would(
    data: Path, tmp_path: Path, content: bytes | None, options: tuple[str, ...], status: int
) -> None:
    if content:
        (data / "sub-01/dwi/sub-01_AF_L.tck").write_bytes(content)
    assert run(data, tmp_path / "out", *options, "--dry-run").returncode == status
    assert not (tmp_path / "out").exists()
    assert run(data, tmp_path / "out", *options).returncode == status


@pytest.mark.parametrize("beside", ["nothing", "a file of values from the start", "one that came later"])
def test_a_rerun_that_fails_leaves_the_record_of_good_pictures(data: Path, tmp_path: Path, beside: str) -> None:
    """The failure is told by log, journal and exit status; pictures and their record are of the same file still."""
    out, lines = tmp_path / "out", phantoms.asymmetric_bundle()
    values = data / "sub-01/dwi/sub-01_AF_L_fa.tsf"

    def come() -> None:
        phantoms.save_tsf(values, [np.linspace(0, 1, len(line)).astype("f4") for line in lines])

    if "start" in beside:
        come()
    assert run(data, out).returncode == 0
    path = out / "sub-01/figures/sub-01_AF_L.json"
    before = path.read_bytes()
    if "later" in beside:
        come()
    done = run(data, out, "--color", "data:nope")
    assert done.returncode == 1
    assert "has no data 'nope' to colour by" in done.stderr
    assert path.read_bytes() == before
    last = max((out / "logs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert any(json.loads(line)["event"] == "failed" for line in last.read_text().splitlines())
    assert "sub-01_AF_L_mosaic.png" in (out / "sub-01.html").read_text()
