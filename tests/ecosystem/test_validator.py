"""What tractcap writes, judged by the BIDS validator, which needs no network for it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import phantoms
import pytest

pytestmark = pytest.mark.ecosystem

Call = Callable[..., subprocess.CompletedProcess[str]]

EXPECTED_WARNINGS = {"TOO_FEW_AUTHORS"}
"""Nobody but the people whose data it is knows who they are."""


def tractcap(*arguments: object) -> None:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr


def issues(call: Call, output: Path) -> list[dict[str, Any]]:
    found = call("bids-validator-deno", "--format", "json", output)
    assert found.stdout.startswith("{"), found.stderr
    told = json.loads(found.stdout)
    assert told["summary"]["totalFiles"] > 0
    found_issues: list[dict[str, Any]] = told["issues"]["issues"]
    return found_issues


def accepted(call: Call, output: Path, *warnings: str) -> None:
    found = issues(call, output)
    errors = [(one["code"], one.get("subCode"), one.get("location")) for one in found if one["severity"] == "error"]
    assert not errors
    assert {one["code"] for one in found} <= {*EXPECTED_WARNINGS, *warnings}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A derivative of tractograms in a BIDS dataset: two people, one with sessions, and a file that is damaged."""
    study, tracts = tmp_path / "study", tmp_path / "study/derivatives/tracts"
    tracts.mkdir(parents=True)
    for folder, kind in ((study, "raw"), (tracts, "derivative")):
        told = {"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": kind}
        (folder / "dataset_description.json").write_text(json.dumps(told))
    for place in ("sub-01/dwi/sub-01", "sub-02/ses-1/dwi/sub-02_ses-1"):
        for seed, bundle in enumerate(("AFL", "CSTR")):
            path = tracts / f"{place}_space-ACPC_bundle-{bundle}_tractography.trk"
            path.parent.mkdir(parents=True, exist_ok=True)
            phantoms.save(path, phantoms.asymmetric_bundle(5, seed=seed))
    (tracts / "sub-01/dwi/sub-01_bundle-bad_tractography.trk").write_bytes(b"no tractogram")
    return study


def levels() -> list[str]:
    from tractcap.cli import tractcap as command
    from tractcap.cli_options import REVIEW

    (level,) = (one for one in command.params if one.name == "level")
    assert isinstance(level.type, click.Choice)
    return [choice for choice in level.type.choices if choice != REVIEW]


def test_all_that_is_written_for_a_study_is_accepted(call: Call, study: Path) -> None:
    output = study / "derivatives/tractcap"
    for level in levels():
        tractcap(
            study / "derivatives/tracts", output, level, "--size", "64", *(["--overview"] * (level == "participant"))
        )
    assert list(output.glob("sub-*/**/*.png"))
    for name in ("sub-01_desc-ratings.tsv", "sub-01_rater-anna_desc-ratings.tsv", "sub-01_desc-ratings.json"):
        (output / name).write_text("{}")
    (output / "ratings").mkdir()
    for name in (".lock", "sub-01_rater-anna_desc-ratings.tsv", "sub-01_rater-anna_desc-ratings.json"):
        (output / "ratings" / name).write_text("{}")
    accepted(call, output)
    described = json.loads((output / "dataset_description.json").read_text())
    assert described["DatasetLinks"] == {"source": "../tracts"}


def test_so_is_it_beside_the_dataset_itself(call: Call, study: Path) -> None:
    """The validator looks into a study's derivatives when asked to; what it finds there must pass too."""
    tractcap(study / "derivatives/tracts", study / "derivatives/tractcap", "participant", "--size", "64")
    found = call("bids-validator-deno", "--format", "json", "--recursive", study)
    told = json.loads(found.stdout)
    assert not [one for one in told["issues"]["issues"] if "tractcap" in one.get("location", "")]


def test_plain_folders_are_accepted(call: Call, tmp_path: Path) -> None:
    for name in ("a.trk", "folder/b.trk", "odd [1] folder/deep/c.trk"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        phantoms.save(tmp_path / "in" / name, phantoms.asymmetric_bundle(5))
    tractcap(tmp_path / "in", tmp_path / "out", "participant", "--size", "64")
    accepted(call, tmp_path / "out", "SUBJECT_FOLDERS")


def test_the_validator_would_have_complained(call: Call, study: Path) -> None:
    output = study / "derivatives/tractcap"
    tractcap(study / "derivatives/tracts", output, "participant", "--size", "64")
    (output / "sub-01/odd.png").touch()
    assert {one["location"] for one in issues(call, output) if one["severity"] == "error"} == {"/sub-01/odd.png"}
