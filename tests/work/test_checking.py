"""Checks as jobs of a run: what is made, what isn't and why, and what a rerun keeps."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantoms
import pytest
from waiting import until

from tractcap.checks import checks
from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import search
from tractcap.work.check_files import CheckOptions, ComparisonFinder

FAULTS = Path(__file__).parents[1] / "helpers/faults"
SMALL = ("--size", "64", "--views", "left")


def run(source: Path, out: Path, *options: object, fault: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", source, out, "participant", *SMALL, *options]
    paths = os.pathsep.join(filter(None, [str(FAULTS), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "FAULT": fault}
    return subprocess.run([str(one) for one in command], env=env, capture_output=True, text=True, check=False)


def told(out: Path, stem: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / f"figures/{stem}_check-{name}.json").read_text())
    return found


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """Left and right, and one without a side."""
    folder = tmp_path / "in"
    folder.mkdir()
    left = phantoms.asymmetric_bundle(30)
    phantoms.save(folder / "AF_L.trk", left)
    phantoms.save(folder / "AF_R.trk", [one * np.array([-1, 1, 1], np.float32) for one in left[:3]])
    phantoms.save(folder / "CC.trk", phantoms.straight_bundle())
    return folder


def damaged(path: Path) -> Path:
    path.write_bytes(b"no image at all")
    return path


def test_done_failed_missing_and_skipped_are_four(bundles: Path, tmp_path: Path) -> None:
    """A check that fails leaves other checks and the pictures alone, and is named with its cause."""
    out = tmp_path / "out"
    done = run(bundles, out, "--checks", "shape,profile,sides", "--metric", f"FA={damaged(tmp_path / 'fa.nii.gz')}")
    assert done.returncode == 1
    assert "checks: 5 done, 3 failed, 1 missing, 12 skipped; " in done.stderr
    assert "failed: the check profile of AF_L.trk: " in done.stderr
    assert "3 drawn" in done.stderr
    assert len(list(out.glob("figures/*_mosaic.png"))) == 3
    status = {name: told(out, "CC", name)["Status"] for name in checks()}
    assert {name for name, one in status.items() if one == "skipped"} == {"cci", "segments", "atlas", "before"}
    assert (status["shape"], status["profile"], status["sides"]) == ("done", "failed", "missing")
    assert "fa.nii.gz" in told(out, "CC", "profile")["Why"]
    assert "no hemisphere" in told(out, "CC", "sides")["Why"]
    page = (out / "index.html").read_text()
    for chip in ("done", "failed", "missing", "skipped"):
        assert f'class="chip {chip}">{chip}<' in page


def test_a_flag_is_in_file_page_log_and_tables(bundles: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(bundles, out, "--checks", "shape,sides")
    assert done.returncode == 0, done.stderr
    assert "flagged: AF_R.trk: too few streamlines: Streamlines is 3, below 20" in done.stderr
    flag = {"Name": "too few streamlines", "Measure": "Streamlines", "Value": 3, "Below": 20}
    assert told(out, "AF_R", "shape")["Flags"] == [flag]
    assert told(out, "AF_L", "shape")["Flags"] == []
    assert "Too few streamlines: streamlines 3, below 20." in (out / "index.html").read_text()
    group = [sys.executable, "-m", "tractcap", str(out), str(out), "group"]
    assert subprocess.run(group, check=False, capture_output=True).returncode == 0
    lines = [line.split("\t") for line in (out / "group_tractograms.tsv").read_text().splitlines()]
    flags = {line[lines[0].index("tractogram")]: line[lines[0].index("flags")] for line in lines[1:]}
    assert flags["AF_R.trk"].startswith("too few streamlines,asymmetric")
    assert flags["CC.trk"] == "none"
    table = [line.split("\t") for line in (out / "group_checks.tsv").read_text().splitlines()]
    row = dict(zip(table[0], next(line for line in table if "AF_R.trk" in line), strict=True))
    assert (row["shape_Streamlines"], row["shape_status"], row["cci_status"]) == ("3", "done", "skipped")
    meaning = json.loads((out / "group_checks.json").read_text())
    assert list(meaning) == table[0]
    assert meaning["shape_LengthMean"]["Units"] == "mm"


def test_a_rerun_keeps_what_is_the_same_and_flags_it_anew(bundles: Path, tmp_path: Path) -> None:
    out, rules = tmp_path / "out", tmp_path / "flags.toml"
    rules.write_text('[[flag]]\nname = "short"\ncheck = "shape"\nmeasure = "LengthMean"\nbelow = 1000\n')
    assert "3 done, 18 skipped; 1 flag raised" in run(bundles, out, "--checks", "shape").stderr
    at = out / "figures/CC_check-shape_streamlines.png"
    before = at.stat().st_mtime_ns
    again = run(bundles, out, "--checks", "shape", "--flags", rules)
    assert "3 kept, 18 skipped; 3 flags raised" in again.stderr
    assert [flag["Name"] for flag in told(out, "CC", "shape")["Flags"]] == ["short"]
    assert at.stat().st_mtime_ns == before
    assert "1 done, 2 kept" in changed(bundles, out)
    whole = at.read_bytes()
    at.write_bytes(whole[:-100])
    assert "1 done, 2 kept" in run(bundles, out, "--checks", "shape").stderr
    assert at.read_bytes() == whole


def changed(bundles: Path, out: Path) -> str:
    """A run after one of the bundles has changed."""
    phantoms.save(bundles / "AF_L.trk", phantoms.asymmetric_bundle(40))
    return run(bundles, out, "--checks", "shape").stderr


def test_other_files_and_places_make_another_check(bundles: Path, tmp_path: Path) -> None:
    """What a check is made with decides whether it is kept: the other hemisphere's bundle has changed."""
    out = tmp_path / "out"
    assert "checks: 2 done, 1 missing" in run(bundles, out, "--checks", "sides").stderr
    phantoms.save(bundles / "AF_R.trk", phantoms.asymmetric_bundle(7))
    assert "checks: 2 done, 1 missing" in run(bundles, out, "--checks", "sides").stderr
    assert told(out, "AF_L", "sides")["Measures"]["StreamlinesRight"] == 7


def test_what_was_found_stays_where_it_isn_t_asked_for_again(bundles: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(bundles, out, "--checks", "shape")
    run(bundles, out, "--checks", "sides")
    assert told(out, "CC", "shape")["Status"] == "done"


def test_without_checks_there_is_nothing_of_them(bundles: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "checks:" not in run(bundles, out).stderr
    assert not list(out.rglob("*_check-*"))
    assert '<details class="checks">' not in (out / "index.html").read_text()


def test_a_killed_check_is_tried_again(bundles: Path, tmp_path: Path) -> None:
    done = run(bundles, tmp_path / "out", "--checks", "shape", fault=f"check-KILL:CC:{tmp_path / 'once'}")
    assert (tmp_path / "once").exists()
    assert done.returncode == 0, done.stderr
    assert "check CC.trk: " in done.stderr
    assert "it is tried again" in done.stderr
    assert "checks: 3 done" in done.stderr
    assert told(tmp_path / "out", "CC", "shape")["Status"] == "done"


def test_the_page_is_there_before_checks_are_made(bundles: Path, tmp_path: Path) -> None:
    """While a check hangs, the page shows all pictures, and other checks go on."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "tractcap", str(bundles), str(out), "participant", *SMALL, "--checks", "shape"]
    paths = os.pathsep.join(filter(None, [str(FAULTS), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "FAULT": "check-hang:CC"}
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        try:
            until((out / "index.html").exists, "the page")
            assert (out / "index.html").read_text().count("<article") == 3
            until((out / "figures/AF_L_check-shape.json").exists, "another check")
            assert child.poll() is None
            assert not (out / "figures/CC_check-shape.json").exists()
        finally:
            child.terminate()


def test_a_check_that_doesn_t_fit_is_refused_by_name(bundles: Path, tmp_path: Path) -> None:
    done = run(bundles, tmp_path / "out", "--checks", "atlas", "--atlas", bundles, "--mem", "300")
    assert done.returncode == 1
    assert "3 drawn" in done.stderr
    assert "the check atlas of CC.trk: it takes " in done.stderr
    why = told(tmp_path / "out", "CC", "atlas")["Why"]
    assert "or leave it out of --checks" in why
    enough = why.partition("give ")[2].partition(" MB")[0]
    again = run(bundles, tmp_path / "out", "--checks", "atlas", "--atlas", bundles, "--mem", enough)
    assert "checks: 3 done" in again.stderr


def test_the_plan_knows_what_each_check_takes(bundles: Path, tmp_path: Path) -> None:
    """Such as that one won't fit, and that another one has nothing to work with; nothing is written."""
    asked = ("--checks", "shape,atlas,before", "--atlas", bundles, "--mem", "400", "--dry-run")
    text = run(bundles, tmp_path / "out", *asked).stdout.splitlines()
    at = text.index("Checks, the most that each takes of a bundle:")
    shape, atlas, before = text[at + 1 : at + 4]
    assert shape.endswith(" MB  shape")
    assert atlas.endswith(" MB  atlas: more than there is, so it will be refused")
    assert before.endswith(" MB  before: no bundle has what it needs")
    told = json.loads(run(bundles, tmp_path / "out", *asked, "--json").stdout)["checks"]
    assert 100e6 < told["shape"] < told["atlas"]
    assert told["before"] == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--checks", "nose"), "--checks names 'nose': choose from shape, cci"),
        (("--atlas", "somewhere"), "--atlas is for checks, and none are asked for"),
        (("--checks", "atlas", "--atlas", "nowhere"), "--atlas nowhere doesn't exist"),
        (("--checks", "before", "--before", "nowhere"), "--before nowhere doesn't exist"),
        (("--checks", "profile", "--metric", "FA="), "--metric is 'FA='"),
        (("--checks", "all", "--flags", "nowhere.toml"), "--flags nowhere.toml doesn't exist"),
    ],
)
def test_what_is_asked_for_wrongly(bundles: Path, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    done = run(bundles, tmp_path / "out", *options)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert words in done.stderr


# what bundles are checked with


def found(root: Path, asked: CheckOptions) -> dict[str, Any]:
    held = search(root, Filters())
    beside = ComparisonFinder(asked).find(held.sources, MatchingImages(held.images))
    return {source.name: one for source, one in beside.items()}


def test_an_atlas_is_found_by_the_bundles_name(bundles: Path, tmp_path: Path) -> None:
    """Whatever the atlas's tool calls it; a tractogram before an image; its space by its name."""
    atlas = tmp_path / "atlas"
    atlas.mkdir()
    phantoms.save(atlas / "space-MNI_bundle-AssociationArcuateFasciculusL_streamlines.tck", phantoms.straight_bundle(2))
    for name in ("AF_left.nii.gz", "AF_right.nii.gz"):
        nib.save(nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4)), atlas / name)
    told = found(bundles, CheckOptions(("atlas",), atlas=atlas))
    assert (told["AF_L.trk"].atlas.path.suffix, told["AF_L.trk"].atlas.space) == (".tck", "MNI")
    assert told["AF_R.trk"].atlas.path.name == "AF_right.nii.gz"
    assert told["CC.trk"].atlas is None
    one = found(bundles, CheckOptions(("atlas",), atlas=bundles / "AF_L.trk"))
    assert one["AF_R.trk"].atlas is None
    phantoms.save(tmp_path / "mine.trk", phantoms.straight_bundle(2))
    every = found(bundles, CheckOptions(("atlas",), atlas=tmp_path / "mine.trk"))
    assert {other.atlas.path.name for other in every.values()} == {"mine.trk"}


def test_before_is_of_the_same_participant(tmp_path: Path) -> None:
    for who in ("sub-01", "sub-02"):
        (tmp_path / "after" / who).mkdir(parents=True)
        phantoms.save(tmp_path / "after" / who / "AF_L.trk", phantoms.straight_bundle(2))
    (tmp_path / "raw/sub-01").mkdir(parents=True)
    phantoms.save(tmp_path / "raw/sub-01/AF_left.tck", phantoms.straight_bundle(2))
    told = found(tmp_path / "after", CheckOptions(("before",), before=tmp_path / "raw"))
    assert told["sub-01/AF_L.trk"].before.path == tmp_path / "raw/sub-01/AF_left.tck"
    assert told["sub-02/AF_L.trk"].before is None


def test_mirrors_are_of_the_same_person_and_folder(tmp_path: Path) -> None:
    for name in ("sub-01/AF_L.trk", "sub-01/AF_R.trk", "sub-02/AF_R.trk", "sub-02/CC.trk"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        phantoms.save(tmp_path / name, phantoms.straight_bundle(2))
    told = found(tmp_path, CheckOptions(("sides",)))
    assert told["sub-01/AF_L.trk"].mirror.path == tmp_path / "sub-01/AF_R.trk"
    assert told["sub-01/AF_R.trk"].mirror.path == tmp_path / "sub-01/AF_L.trk"
    assert told["sub-02/AF_R.trk"].mirror is None
    assert told["sub-02/CC.trk"].mirror is None


def test_maps_are_found_in_the_dataset(tmp_path: Path) -> None:
    """FA and MD where none are named; of those that are named it is said which lack."""
    folder = tmp_path / "sub-01/dwi"
    folder.mkdir(parents=True)
    phantoms.save(folder / "sub-01_bundle-CC_streamlines.trk", phantoms.straight_bundle(2))
    (folder / "sub-01_param-FA_dwimap.nii.gz").touch()
    name = "sub-01/dwi/sub-01_bundle-CC_streamlines.trk"
    assert list(found(tmp_path, CheckOptions(("profile",)))[name].maps) == ["FA"]
    told = found(tmp_path, CheckOptions(("profile",), metrics={"FA": None, "RK": None, "T1": Path("t1.nii")}))[name]
    assert list(told.maps) == ["FA", "T1"]
    assert "no map RK of this participant" in told.missing["maps"]
