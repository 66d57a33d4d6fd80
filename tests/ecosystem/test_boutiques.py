"""The Boutiques descriptor: it tells of the command line that is there, and what is built from it runs."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import phantoms
import pytest

from tractcap.cli import tractcap
from tractcap.cli_options import Parsed, WorkerCount

ROOT = Path(__file__).parents[2]
DESCRIPTOR = ROOT / "integrations/boutiques/tractcap.json"

Call = Callable[..., subprocess.CompletedProcess[str]]


def test_the_descriptor_tells_of_the_command_line_that_is_there() -> None:
    made = subprocess.run([sys.executable, ROOT / "scripts/boutiques.py"], capture_output=True, check=True)
    assert DESCRIPTOR.read_bytes() == made.stdout, "make boutiques renews it"
    flags = {one.get("command-line-flag") for one in json.loads(made.stdout)["inputs"]}
    assert {"--participant-label", "--mem", "--views", "--json"} <= flags


@pytest.mark.ecosystem
def test_boutiques_accepts_it(call: Call) -> None:
    found = call("bosh", "validate", DESCRIPTOR)
    assert (found.returncode, found.stdout.strip()) == (0, "OK"), found.stdout + found.stderr


def built(call: Call, *arguments: object) -> list[str]:
    found = call("bosh", "exec", "simulate", *arguments, DESCRIPTOR)
    assert found.returncode == 0, found.stderr
    return shlex.split(found.stdout.splitlines()[-1])


READ = {
    "--mem": "512M",
    "--mem-per-job": "400",
    "--nprocs": "3",
    "--layout": "{participant}/{bundle}.trk",
    "--views": "six",
    "--background": "white",
    "--animation": "gif",
    "--anatomy": "glass",
    "--slices-at": "1,2,3",
    "--shard": "1/4",
    "--dataset-overlays": "all",
    "--reasons": str(ROOT / "src/tractcap/records/rating_reasons.tsv"),
}
"""Options whose values tractcap reads by types of its own: no word that is made up would do."""


def readable(arguments: list[str]) -> Iterator[str]:
    """A command line that Boutiques has made up, with values for these options that can be read."""
    example = None
    for argument in arguments:
        if argument.startswith("--"):
            example = READ.get(argument)
            yield argument
        else:
            yield example or argument


def test_which_options_tractcap_reads_by_types_of_its_own() -> None:
    own = [one for one in tractcap.params if isinstance(one.type, Parsed | WorkerCount)]
    assert {next(name for name in one.opts if name.startswith("--")) for one in own} == set(READ)


@pytest.mark.ecosystem
@pytest.mark.parametrize("number", range(3))
def test_a_command_line_with_all_options_is_understood(call: Call, number: int) -> None:
    """Boutiques draws the values by chance, within the bounds that the descriptor gives."""
    program, *arguments = built(call, "--complete")
    assert program == "tractcap"
    asked = tractcap.make_context("tractcap", list(readable(arguments))).params
    not_asked = [name for name, value in asked.items() if value in (None, (), False, 0)]
    assert not set(not_asked) - {"version", "safety_margin"}


@pytest.mark.ecosystem
def test_what_is_asked_for_arrives(call: Call, tmp_path: Path) -> None:
    asked = {
        "input": "/data/in it",
        "output": "out",
        "level": "participant",
        "participant_label": ["01", "02"],
        "scalar": ["FA=a b.nii.gz", "MD=m.nii"],
        "color": "#ff8800",
        "slices_at": "-20,0,15",
        "verbose": "-vv",
        "dry_run": True,
        "json": True,
        "size": 128,
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    _, *arguments = built(call, "-i", tmp_path / "asked.json")
    found = tractcap.make_context("tractcap", arguments).params
    assert found["input"] == Path("/data/in it")
    assert found["participants"] == ("01", "02")
    assert found["scalars"] == ("FA=a b.nii.gz", "MD=m.nii")
    assert (found["color"], found["slices_at"], found["size"]) == ("#ff8800", (-20, 0, 15), 128)
    assert (found["verbose"], found["dry_run"], found["as_json"], found["overview"]) == (2, True, True, False)


@pytest.mark.ecosystem
def test_it_is_launched(call: Call, tmp_path: Path) -> None:
    for person in ("01", "02", "03"):
        path = tmp_path / f"my tracts/sub-{person}/dwi/sub-{person}_bundle-AFL_tractography.trk"
        path.parent.mkdir(parents=True)
        phantoms.save(path, phantoms.asymmetric_bundle(5))
    asked = {
        "input": "my tracts",
        "output": "out",
        "level": "participant",
        "size": 64,
        "participant_label": ["01", "03"],
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    launch = ("bosh", "exec", "launch", "--no-container", "--skip-data-collection")
    found = call(*launch, DESCRIPTOR, "asked.json", folder=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert sorted(path.name for path in (tmp_path / "out").glob("sub-*") if path.is_dir()) == ["sub-01", "sub-03"]
    assert len(list(tmp_path.glob("out/sub-01/figures/*_mosaic.png"))) == 1


@pytest.mark.ecosystem
def test_why_it_failed_is_told(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "asked.json").write_text(json.dumps({"input": "empty", "output": "out", "level": "participant"}))
    launch = ("bosh", "exec", "launch", "--no-container", "--skip-data-collection")
    found = call(*launch, DESCRIPTOR, "asked.json", folder=tmp_path)
    assert found.returncode == 3
    assert "nothing to draw" in found.stdout
