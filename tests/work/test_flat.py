"""The supervisor's memory and work, however many tractograms there are; what workers do is stood in for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import phantoms
import pytest

from tractcap.inputs.tractograms.tsf import find_scalars
from tractcap.records.options import RenderSettings
from tractcap.work import memory_plan

MB = 2**20

DRIVER = Path(__file__).parents[1] / "helpers/standin.py"


def supervised(folder: Path, bundles: int, *options: str) -> dict[str, int]:
    """What a run over so many bundles, ten a participant, came to: counts, and the peak of its memory in bytes."""
    command = [sys.executable, str(DRIVER), str(folder), str(bundles), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_ten_times_the_bundles_take_hardly_more_memory(tmp_path: Path) -> None:
    """With all checks of each, and all that is told of them."""
    few, many = (supervised(tmp_path / str(count), count) for count in (500, 5000))
    assert (few["drawn"], many["drawn"]) == (500, 5000)
    assert many["checks"] == 10 * few["checks"] > 0
    assert many["peak"] - few["peak"] < 4500 * 600, "so that a hundred thousand stay below 96 MB"
    assert many["peak"] < 64 * MB


def test_failures_by_the_thousand(tmp_path: Path) -> None:
    """The summary names some and counts the others; the journal names all."""
    found = supervised(tmp_path, 3000, "--all-fail")
    assert (found["drawn"], found["failed"], found["lines"] < 60) == (0, 3000, True)
    assert found["peak"] < 64 * MB
    (journal,) = (tmp_path / "out/logs").iterdir()
    assert journal.read_text().count('"event": "failed"') == 3000


def calls(what: Callable[[], Any]) -> int:
    """How many functions are called meanwhile."""
    counted = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        what()
    finally:
        sys.setprofile(None)
    return counted


def test_a_tractogram_with_many_frames_is_planned_with_few_steps() -> None:
    """What follows of the pictures' sizes alone is found once for all tractograms."""
    contents = [memory_plan.Workload(6, (800,) * 6 + (400,) * 360, 10**7 + number) for number in range(9)]
    shapes = [RenderSettings(20_000, (200, 166)), RenderSettings(20_000, (1,) * 366)]
    for room in (memory_plan.need(contents[0], shape) + MB for shape in shapes):
        fitting = memory_plan.fit(contents[0], room)
        assert fitting is not None
        memory_plan.smaller(contents[0], fitting)
        for content in contents[1:]:
            assert calls(lambda content=content, room=room: memory_plan.fit(content, room)) < 5000
            assert calls(lambda content=content, fitting=fitting: memory_plan.smaller(content, fitting)) < 5000


def test_the_files_of_values_in_a_folder_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each of the tracts that lie there; and anew when the folder was changed."""
    for number in range(30):
        (tmp_path / f"t{number}.tck").touch()
        (tmp_path / f"t{number}_fa.tsf").touch()
    listed: list[object] = []
    listing = os.listdir
    monkeypatch.setattr(os, "listdir", lambda *path: listed.append(path) or listing(*path))
    for number in range(30):
        assert find_scalars(tmp_path / f"t{number}.tck") == {"fa": [tmp_path / f"t{number}_fa.tsf"]}
    assert len(listed) == 1
    (tmp_path / "t3_md.tsf").touch()
    os.utime(tmp_path, ns=(1, 1))
    assert list(find_scalars(tmp_path / "t3.tck")) == ["fa", "md"]


def test_a_dry_run_streams_its_jobs(tmp_path: Path) -> None:
    """Each is printed in a line of its own, and all of it is one JSON object."""
    (tmp_path / "in").mkdir()
    first = phantoms.save(tmp_path / "in/b0.tck", phantoms.straight_bundle(2)).read_bytes()
    for number in range(1, 60):
        (tmp_path / f"in/b{number}.tck").write_bytes(first)
    command = [
        sys.executable,
        "-m",
        "tractcap",
        str(tmp_path / "in"),
        str(tmp_path / "out"),
        "participant",
        "--dry-run",
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["jobs"]) == 60
    assert sum(".tck" in line for line in done.stdout.splitlines()) == 60
