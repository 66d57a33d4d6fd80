"""Runs on network file systems, and several at once on one output: nothing is lost, and what others do is said."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import phantoms
import pytest
from left_files import files
from outputs import Output
from PIL import Image
from waiting import until

from tractcap.files import PART
from tractcap.records.worker_requests import WritePage
from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import outdated
from tractcap.work.worker_actions import ACTIONS

FILE_SYSTEMS = Path(__file__).parents[1] / "helpers/file_systems"
SMALL = ("--size", "64", "--views", "left,superior")
OTHERS = "another run is at work in"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for number in range(3):
        path = phantoms.save(folder / f"b{number}.trk", phantoms.asymmetric_bundle(seed=number))
        os.utime(path, (10**9, 10**9))  # which all file systems know alike
    return folder


def start(
    data: Path | str, out: Path, *options: str, level: str = "participant", on: str = ""
) -> subprocess.Popen[str]:
    paths = os.pathsep.join(filter(None, [str(FILE_SYSTEMS), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "tractcap", str(data), str(out), level, *options]
    env = {**os.environ, "PYTHONPATH": paths, "FILE_SYSTEM": on}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def log_of(process: subprocess.Popen[str], status: int = 0) -> str:
    _, log = process.communicate(timeout=300)
    assert process.returncode == status, log
    assert "Traceback" not in log
    return log


def journals(out: Path) -> int:
    return len(list(out.glob("logs/*.jsonl")))


@contextmanager
def at_work(data: Path | str, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run that is stopped amid its work, and goes on afterwards."""
    earlier = journals(out)
    process = start(data, out, *options)
    until(lambda: journals(out) > earlier or process.poll(), "a run that has begun")
    process.send_signal(signal.SIGSTOP)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)


def width(picture: Path) -> int:
    with Image.open(picture) as image:
        return image.width


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    log_of(start(data, out, *SMALL))
    return files(out)


@pytest.mark.parametrize("on", ["ENOLCK,bare,ESTALE", "EXDEV,seconds", "lost"])
def test_a_network_file_system_changes_nothing(
    data: Path, tmp_path: Path, undisturbed: dict[str, bytes], on: str
) -> None:
    """Not what is drawn, nor what a rerun keeps; what a death left is cleared away where locks tell that it was one."""
    left = tmp_path / f"figures/.b1_dead{PART}"
    left.mkdir(parents=True)
    (left / "lock").touch()
    first = log_of(start(data, tmp_path, *SMALL, on=on))
    assert "3 drawn" in first
    assert "3 kept" in log_of(start(data, tmp_path, *SMALL, on=on))
    locks = "ENOLCK" not in on
    assert left.exists() is not locks
    assert (f"{left} stays: remove it if no run is at work there" in first) is not locks
    shutil.rmtree(left, ignore_errors=True)
    assert not list(tmp_path.rglob(f"*{PART}"))
    assert files(tmp_path) == undisturbed


def test_two_runs_of_the_same_at_once(data: Path, tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    with at_work(data, tmp_path, *SMALL) as first:
        second = start(data, tmp_path, *SMALL)
        until(lambda: journals(tmp_path) == 2, "a second run that has begun")
    assert OTHERS not in log_of(first)
    assert f"{OTHERS} {tmp_path}" in log_of(second)
    assert files(tmp_path) == undisturbed
    assert OTHERS not in log_of(start(data, tmp_path, *SMALL)), "the mark is gone with them"


def test_shards_are_meant_to_run_at_once(data: Path, tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    shares = [start(data, tmp_path, *SMALL, "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert not [log for share in shares if OTHERS in (log := log_of(share))]
    log_of(start("nowhere", tmp_path, level="group"))
    assert {name: text for name, text in files(tmp_path).items() if name in undisturbed} == undisturbed


def test_two_runs_by_different_options_leave_files_of_one_each(data: Path, tmp_path: Path) -> None:
    runs = [start(data, tmp_path, "--size", size, "--views", "left,superior") for size in ("64", "80")]
    for run in runs:
        log_of(run)
    for record in map(json.loads, (path.read_text() for path in (tmp_path / "figures").glob("b?.json"))):
        pictures = [tmp_path / "figures" / name for name in record["Pictures"]]
        assert [path.stat().st_size for path in pictures] == record["PictureBytes"]
        assert len({width(path) for path in pictures if "_view-" in path.name}) == 1


def test_pictures_that_another_run_replaced_are_drawn_again(
    data: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    log = log_of(start(data, tmp_path / "out", *SMALL, on=f"mixed:{tmp_path / 'once'}"))
    assert "b1: another run wrote its pictures at the same time, by other options" in log
    assert "3 drawn, 1 tried again" in log
    assert files(tmp_path / "out") == undisturbed


def test_the_group_level_beside_participants(data: Path, tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    log_of(start(data, tmp_path, *SMALL))
    (tmp_path / "figures/b1.json").unlink()
    with at_work(data, tmp_path, *SMALL) as participants:
        assert f"{OTHERS} {tmp_path}" in log_of(start("nowhere", tmp_path, level="group"))
        rows = (tmp_path / "group_tractograms.tsv").read_text().splitlines()
        assert len(rows) - 1 == len(list((tmp_path / "figures").glob("b?.json")))
    log_of(participants)
    log_of(start("nowhere", tmp_path, level="group"))
    assert {name: text for name, text in files(tmp_path).items() if name in undisturbed} == undisturbed
    assert len((tmp_path / "group_tractograms.tsv").read_text().splitlines()) == 4


def test_two_demos_at_once_have_their_own_bundles(tmp_path: Path) -> None:
    """Those of the first that ends are removed."""
    who = ("--participant-label", "1", *SMALL)
    with at_work("demo", tmp_path, *who) as first:
        counts = re.findall(r"(\d+) (?:drawn|kept)", log_of(start("demo", tmp_path, *who)))
        assert sum(map(int, counts)) == 3, "the first one's workers may have drawn one"
    assert "failed" not in log_of(first)
    assert len(list(tmp_path.rglob("*_mosaic.png"))) == 3
    assert not list(tmp_path.rglob(f"*{PART}"))


def test_a_page_shows_what_came_while_it_was_written(tmp_path: Path) -> None:
    """Of another run, whose page may be the one that is replaced."""
    output = Output(tmp_path)
    output.add("ForcepsMajor")

    def report(_cards: int) -> None:
        if not list(tmp_path.rglob("*ForcepsMinor*.json")):
            output.add("ForcepsMinor")

    ACTIONS[WritePage.action](WritePage(str(tmp_path), "01"), report)
    page = (tmp_path / "sub-01.html").read_text()
    assert "ForcepsMajor" in page
    assert "ForcepsMinor" in page
    assert outdated(tmp_path) == []


def test_a_page_is_behind_that_was_made_of_a_listing_which_lagged(tmp_path: Path) -> None:
    """A server of files may show a record only later, with the time at which it was written."""
    output = Output(tmp_path)
    output.add("ForcepsMajor")
    record = output.add("ForcepsMinor")
    hidden = record.rename(tmp_path / record.name)
    write_participant_page(tmp_path, "01")
    os.utime(hidden, ns=(1, 1))
    assert outdated(tmp_path) == []
    hidden.rename(record)
    assert outdated(tmp_path) == ["01"]
