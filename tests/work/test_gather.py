"""The group level, by its command."""

import os
import subprocess
import sys
from pathlib import Path

import phantoms


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_group_of_what_participants_have_left(tmp_path: Path) -> None:
    """It needs the output alone, and writes pages anew that are behind."""
    for who in ("01", "02"):
        (tmp_path / f"in/sub-{who}").mkdir(parents=True)
        phantoms.save(tmp_path / f"in/sub-{who}/AF_L.tck", phantoms.asymmetric_bundle(3))
    out = tmp_path / "out"
    assert run(tmp_path / "in", out, "participant", "--size", "64", "--views", "left").returncode == 0
    page = (out / "sub-01.html").read_bytes()
    (out / "sub-01.html").unlink()
    (out / "sub-02.html").write_text("stale")
    os.utime(out / "sub-02.html", ns=(1, 1))
    done = run("nowhere", out, "group")
    assert done.returncode == 0, done.stderr
    written = ["group_tractograms.tsv", "group_tractograms.json", "group.html"]
    assert done.stdout.split() == [str(out / name) for name in written]
    assert (out / "sub-01.html").read_bytes() == page
    assert "stale" not in (out / "sub-02.html").read_text()
    assert len((out / "group_tractograms.tsv").read_text().splitlines()) == 3
    before = (out / "sub-01.html").stat().st_mtime_ns
    assert run("nowhere", out, "group").returncode == 0
    assert (out / "sub-01.html").stat().st_mtime_ns == before, "it was up to date"


def test_nothing_to_gather(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path / "out", "group")
    assert done.returncode == 3
    assert "run the participant level first" in done.stderr
