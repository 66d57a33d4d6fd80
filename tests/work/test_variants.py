"""Runs, models and spaces of one bundle: never shown together, never compared."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import phantoms
import pytest

from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import search
from tractcap.work.check_files import CheckOptions, ComparisonFiles, ComparisonFinder

NAME = "sub-01_run-{run}_model-{model}_bundle-AF_{side}_streamlines.tck"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def besides(root: Path, asked: CheckOptions) -> dict[str, ComparisonFiles]:
    found = search(root, Filters())
    files = ComparisonFinder(asked).find(found.sources, MatchingImages(()))
    return {source.name: one for source, one in files.items()}


def test_an_overview_of_each(tmp_path: Path) -> None:
    """Each says whose it is, in its name, its title and on the page; cards of one name are told apart."""
    for number, side in enumerate("LR"):
        for which in ("1", "2"):
            path = tmp_path / "in" / NAME.format(run=which, model="csd", side=side)
            path.parent.mkdir(exist_ok=True)
            phantoms.save(path, phantoms.asymmetric_bundle(4, seed=number))
    out = tmp_path / "out"
    done = run(tmp_path / "in", out, "participant", "--size", "64", "--views", "left", "--overview")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in out.rglob("*_desc-overview.json")}
    assert {name: (one["Title"], len(one["Sources"]), one["Variant"]) for name, one in told.items()} == {
        f"sub-01_run-{which}_model-csd_desc-overview.json": (
            f"sub-01 run-{which} model-csd",
            2,
            {"run": which, "model": "csd"},
        )
        for which in "12"
    }
    for one in told.values():
        assert all(f"run-{one['Variant']['run']}" in source for source in one["Sources"])
    page = (out / "sub-01.html").read_text()
    assert (
        page.count('<span class="apart">run 1</span></h3>') == page.count('<span class="apart">run 2</span></h3>') == 3
    )
    assert "model csd" not in page, "what all have in common tells nothing apart"


@pytest.mark.parametrize(
    ("before", "chosen", "lacks"),
    [
        (("run-1_model-csd", "run-1_model-gqi", "run-2_model-csd"), "run-1_model-csd", ""),
        (("run-1",), "run-1", ""),
        (("",), "", ""),
        (("run-1_model-csd_desc-raw",), "run-1_model-csd_desc-raw", ""),
        (("run-2_model-csd",), None, "--before holds the bundle, but not of run 1, model csd"),
        (("run-1_model-gqi",), None, "--before holds the bundle, but not of run 1, model csd"),
        (("run-1_desc-a", "run-1_desc-b"), None, "--before holds 2 files that it may be compared with"),
    ],
)
def test_before_is_of_the_same_variant(tmp_path: Path, before: tuple[str, ...], chosen: str | None, lacks: str) -> None:
    def name(entities: str) -> str:
        return "_".join(filter(None, ("sub-01", entities, "bundle-AF_L_streamlines.tck")))

    mine = plant(tmp_path / "after", name("run-1_model-csd"))
    earlier = plant(tmp_path / "before", *map(name, before))
    (one,) = besides(mine, CheckOptions(("before",), before=earlier)).values()
    assert (one.before and one.before.path.name) == (None if chosen is None else name(chosen))
    assert one.missing.get("before", "").startswith(lacks)
    assert bool(lacks) == ("before" in one.missing)


def test_an_atlas_is_of_the_same_space_where_there_are_several(tmp_path: Path) -> None:
    mine = plant(tmp_path / "mine", "sub-01_space-B_bundle-AF_L_streamlines.tck", "sub-01_bundle-CST_L_streamlines.tck")
    atlas = plant(tmp_path / "atlas", *(f"space-{space}_bundle-{b}_L.trk" for space in "AB" for b in ("AF", "CST")))
    one, other = besides(mine, CheckOptions(("atlas",), atlas=atlas)).values()
    assert other.atlas is not None
    assert (other.atlas.path.name, other.atlas.space) == ("space-B_bundle-AF_L.trk", "B")
    assert one.atlas is None
    assert "--atlas holds 2 files that it may be compared with" in one.missing["atlas"]


def test_people_are_said_by_a_dry_run(tmp_path: Path) -> None:
    """With --layout and without; what is left out, too; an option takes several with commas between."""
    for who in ("HC_02", "patient-A"):
        path = tmp_path / "in" / who / "wave1/AF_left.tck"
        path.parent.mkdir(parents=True)
        phantoms.save(path, phantoms.asymmetric_bundle(3))
    phantoms.save(tmp_path / "in/other.tck", phantoms.asymmetric_bundle(3))
    call = (tmp_path / "in", tmp_path / "out", "participant", "--dry-run")
    done = run(*call)
    sentence = "2 participants, by folders that hold the same bundles, as --layout '{participant}/**/{bundle}' would: "
    assert f"Found: {sentence}HC_02, patient-A" in done.stdout
    assert f"found {sentence}HC_02, patient-A" in done.stderr
    assert "Found: 1 tractogram of no participant: other.tck" in done.stdout
    done = run(*call, "--layout", "{participant}/wave{session}/{bundle}.tck", "--tract-label", "CST,AF")
    assert "1 tractogram fit no --layout, and are left out: other.tck" in done.stderr
    assert "no tractogram is of bundle CST; there are: ArcuateFasciculus_L" in done.stderr
    assert "Jobs: 2" in done.stdout
    done = run(*call, "--participant-label", "99")
    assert (done.returncode, "no tractogram is of participant 99; there are: HC_02, patient-A" in done.stderr) == (
        3,
        True,
    )
    done = run(*call, "--layout", "{bundle}.tck")
    assert (done.returncode, "--layout '{bundle}.tck' is not a pattern" in done.stderr) == (2, True)
