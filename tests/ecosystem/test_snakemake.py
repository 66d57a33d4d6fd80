"""The example for Snakemake: it leaves what plain runs leave, and has nothing to do a second time."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import phantoms
import pytest
from left_files import files

ROOT = Path(__file__).parents[2]

Call = Callable[..., subprocess.CompletedProcess[str]]

OPTIONS = ("--size", "64", "--overview")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Participants in a folder whose name a shell would part."""
    for who in ("01", "02"):
        for seed, bundle in enumerate(("AFL", "CSTR")):
            path = tmp_path / f"my tracts/sub-{who}/dwi/sub-{who}_bundle-{bundle}_streamlines.tck"
            path.parent.mkdir(parents=True, exist_ok=True)
            phantoms.save(path, phantoms.asymmetric_bundle(5, seed=seed))
    return tmp_path / "my tracts"


def snakemake(call: Call, data: Path, out: Path) -> str:
    asked = [f"input={data}", f"output={out}", "shards=3", "mem_mb=700", "cpus=1", f"options={' '.join(OPTIONS)}"]
    snakefile = ("--snakefile", ROOT / "examples/snakemake/Snakefile")
    found = call("snakemake", *snakefile, "--cores", 2, "--config", *asked, folder=out.parent)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout + found.stderr


def plain(data: Path, out: Path) -> None:
    tractcap = [sys.executable, "-m", "tractcap"]
    participants = [*tractcap, str(data), str(out), "participant", "--mem", "700", *OPTIONS]
    for command in (participants, [*tractcap, str(out), str(out), "group"]):
        subprocess.run(command, check=True, capture_output=True)


@pytest.mark.ecosystem
def test_snakemake_leaves_what_plain_runs_leave(call: Call, data: Path, tmp_path: Path) -> None:
    parts, whole = tmp_path / "by snakemake", tmp_path / "whole"
    assert "4 of 4 steps (100%) done" in snakemake(call, data, parts).replace("5 of 5", "4 of 4")
    plain(data, whole)
    found = files(parts)
    assert found == files(whole)
    assert {"group.html", "sub-01.html", "sub-02.html"} <= found.keys()

    before = {path: path.stat().st_mtime_ns for path in parts.rglob("*")}
    assert "Nothing to be done" in snakemake(call, data, parts)
    assert {path: path.stat().st_mtime_ns for path in parts.rglob("*")} == before


@pytest.mark.ecosystem
def test_an_image_sees_the_folders(call: Call, data: Path, tmp_path: Path) -> None:
    """The command that runs tractcap.sif, without running it."""
    snakefile = ("--snakefile", ROOT / "examples/snakemake/Snakefile")
    asked = [f"input={data}", f"output={tmp_path / 'out'}", "image=/images/tractcap.sif", "shards=2"]
    found = call("snakemake", *snakefile, "--cores", 2, "-n", "-p", "--config", *asked, folder=tmp_path)
    assert found.returncode == 0, found.stderr
    run = "apptainer run --containall --no-home --bind"
    binds = f"'{tmp_path}/out:/out,{data}:/data:ro'"
    assert f"{run} {binds} /images/tractcap.sif /data /out participant --shard 1/2 --mem 2000" in found.stdout
    assert f"{run} {tmp_path}/out:/out /images/tractcap.sif /out /out group" in found.stdout
