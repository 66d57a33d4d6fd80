"""Deaths, hangs and full disks, each provoked for real: a job is tried again and told of; all others are drawn."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import phantoms
import pytest
from left_files import files

FAULTS = Path(__file__).parents[1] / "helpers/faults"
SMALL = ("--size", "100", "--views", "left,superior")
PATIENCE = ("--timeout", "8")
"""Longer than a worker takes to start where the machine has much else to do."""
KINDS = {
    "KILL": "SIGKILL",
    "ABRT": "SIGABRT",
    "segv": "SIGSEGV",
    "memory": "MemoryError",
    "hang": "it hung: nothing was heard of its worker for 8 seconds",
    "blank": "came out blank",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        phantoms.save(folder / f"b{number}.trk", phantoms.asymmetric_bundle(seed=number))
    return folder


def command(data: Path, out: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tractcap", str(data), str(out), "participant", *SMALL, *arguments]


def run(data: Path, out: Path, *arguments: str, fault: str = "") -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, [str(FAULTS), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "FAULT": fault}
    return subprocess.run(command(data, out, *arguments), env=env, capture_output=True, text=True, check=False)


def journal(out: Path) -> list[dict[str, object]]:
    """The lines of the last run's journal."""
    last = max((out / "logs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(line) for line in last.read_text().splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_death_costs_one_retry(data: Path, tmp_path: Path, kind: str) -> None:
    done = run(data, tmp_path / "out", *(PATIENCE if kind == "hang" else ()), fault=f"{kind}:b1:{tmp_path / 'once'}")
    assert done.returncode == 0, done.stderr
    assert KINDS[kind] in done.stderr
    assert "4 drawn, 1 tried again" in done.stderr
    assert run(data, tmp_path / "undisturbed").returncode == 0
    assert files(tmp_path / "out") == files(tmp_path / "undisturbed"), "alone and smaller gives the same pixels"


@pytest.mark.parametrize("kind", KINDS)
def test_two_deaths_are_reported_and_all_others_drawn(data: Path, tmp_path: Path, kind: str) -> None:
    done = run(data, tmp_path / "out", *(PATIENCE if kind == "hang" else ()), "--nprocs", "2", fault=f"{kind}:b1")
    assert done.returncode == 1
    assert next(line for line in done.stderr.splitlines() if "failed: " in line and f"{data}/b1.trk" in line)
    assert "3 drawn, 1 tried again, 1 failed" in done.stderr
    assert {path.name for path in (tmp_path / "out").rglob("*_mosaic.png")} == {f"b{n}_mosaic.png" for n in (0, 2, 3)}
    assert not list(tmp_path.rglob("*.part"))
    failed = [line for line in journal(tmp_path / "out") if line["event"] == "failed"]
    assert [line["source"] for line in failed] == ["b1.trk"]
    assert KINDS[kind] in str(failed[0]["why"])


def test_a_rerun_does_only_what_is_missing(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(data, out).returncode == 0
    before = files(out)
    (out / "figures/b0_view-left.png").unlink()
    (out / "figures/b1_mosaic.png").write_bytes(before["figures/b1_mosaic.png"][:-9])
    again = run(data, out)
    assert files(out) == before
    assert sorted(str(line["source"]) for line in journal(out) if line["event"] == "drawn") == ["b0.trk", "b1.trk"]
    assert "2 drawn, 2 kept from an earlier run" in again.stderr
    assert len(again.stdout.splitlines()) == 4 + 1, "four mosaics and the page"


@pytest.mark.parametrize("change", ["option", "file", "neighbour", "overwrite"])
def test_what_made_a_picture_decides_not_its_name(data: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    assert run(data, out).returncode == 0
    options = {"option": ("--size", "110"), "overwrite": ("--overwrite",)}.get(change, ())
    if change == "file":
        phantoms.save(data / "b2.trk", phantoms.asymmetric_bundle(seed=2)[:-1])
    if change == "neighbour":  # wider than the frame of all
        phantoms.save(data / "b4.trk", [2 * line for line in phantoms.asymmetric_bundle()])
    again = run(data, out, *options)
    drawn = [line["source"] for line in journal(out) if line["event"] == "drawn"]
    expected = {"file": 1, "neighbour": 5}.get(change, 4)
    assert len(drawn) == expected, again.stderr


@pytest.mark.parametrize("kind", ["unsynced", "blank"])
def test_pictures_stay_that_could_not_be_replaced(data: Path, tmp_path: Path, kind: str) -> None:
    """With all that tells of them: new ones come when all of them are there. The failure is told by log and journal."""
    out = tmp_path / "out"
    assert run(data, out).returncode == 0
    before = files(out)
    again = run(data, out, "--size", "110", *PATIENCE, fault=f"{kind}:b1")
    assert again.returncode == 1
    assert "3 drawn, 1 tried again, 1 failed" in again.stderr
    after = files(out)
    kept = {name for name in before if before[name] == after[name]}
    assert {name for name in kept if "/b" in name} == {name for name in before if "/b1" in name}
    assert after.keys() == before.keys(), "nothing is left of what was begun"
    assert [line["source"] for line in journal(out) if line["event"] == "failed"] == ["b1.trk"]
    assert run(data, out, "--size", "110").returncode == 0
    assert not {name for name in before if "/b1" in name and files(out)[name] == before[name]}


def test_a_supervisor_killed_at_any_moment_loses_nothing(data: Path, tmp_path: Path) -> None:
    """Twenty times, after a random while; the last run finishes what the killed ones began."""
    started = time.monotonic()
    assert run(data, tmp_path / "undisturbed").returncode == 0
    whole = time.monotonic() - started
    out, moments = tmp_path / "out", random.Random(5)
    for _ in range(20):
        child = subprocess.Popen(command(data, out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            child.wait(moments.uniform(0, whole))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        if moments.random() < 0.3 and out.exists():  # let there be something left to do
            for path in list(out.rglob("*.json"))[:2]:
                path.unlink()
    assert run(data, out).returncode == 0
    assert files(out) == files(tmp_path / "undisturbed")


def test_nothing_stays_of_writers_that_died(data: Path, tmp_path: Path) -> None:
    """Of no file of a run, with the group level: the next writer of the same file clears it away."""
    participant = tmp_path / "all/sub-1"
    participant.parent.mkdir()
    data.rename(participant)
    out = tmp_path / "out"

    def both() -> None:
        assert run(participant.parent, out, "--checks", "shape").returncode == 0
        group = [sys.executable, "-m", "tractcap", str(participant.parent), str(out), "group"]
        assert subprocess.run(group, capture_output=True, check=False).returncode == 0

    both()
    before = files(out)
    for name in before:
        path = out / name
        path.rename(path.with_name(f".{path.name}.0123abcd.part"))
    both()
    assert files(out) == before


def test_batches_of_participants(tmp_path: Path) -> None:
    for who in range(5):
        folder = tmp_path / f"in/sub-{who}"
        folder.mkdir(parents=True)
        for name in ("a", "b"):
            phantoms.save(folder / f"{name}.tck", phantoms.asymmetric_bundle(5, seed=who))
    done = run(tmp_path / "in", tmp_path / "out", "--batch-size", "2")
    assert done.returncode == 0, done.stderr
    order = [int(str(line["source"])[4]) // 2 for line in journal(tmp_path / "out") if line["event"] == "drawn"]
    assert order == sorted(order), "a batch is finished before the next is begun"
    assert len(order) == 10


def test_a_full_disk_is_said_and_a_rerun_continues(data: Path, tmp_path: Path) -> None:
    """A real file system of 1 MB, that fills."""
    out, keep = tmp_path / "out", tmp_path / "keep"
    out.mkdir()
    script = f"""
        mount -t tmpfs -o size=1500k none {out} || exit 99
        head -c 1400k /dev/zero > {out}/filler
        "$@" --size 300; echo "first $?" >&2
        find {out} -name '*.part' -o -name '*.png' | grep -q . && echo "something was left" >&2
        rm {out}/filler
        "$@" --size 100; echo "second $?" >&2
        cp -r {out} {keep}
    """
    shell = ["unshare", "-m", "sh", "-c", script, "sh", *command(data, out)]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    if done.returncode == 1 and "unshare" in done.stderr:
        pytest.skip("mounting a small file system takes root")
    assert "Traceback" not in done.stderr, done.stderr
    assert "first 1\n" in done.stderr
    assert "No space left on device" in done.stderr
    assert "is on tmpfs" in done.stderr
    assert "second 0\n" in done.stderr
    assert len(list(keep.rglob("*_mosaic.png"))) == 4
    for sidecar in keep.rglob("b*.json"):
        json.loads(sidecar.read_text())
