"""The database of the group level: what it spares, and that nothing depends on it."""

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from checked import tell
from outputs import Output

from tractcap.errors import TractcapError
from tractcap.records import tractogram_sidecar
from tractcap.reports import group_pieces
from tractcap.reports.group_cache import DATABASE, open_cache
from tractcap.reports.group_page import write_group_files
from tractcap.version import __version__

READ_ALL = ["6 of 6 records were new or changed, and were read"]


@pytest.fixture
def six(output: Output) -> Output:
    for who in ("01", "02", "03"):
        output.add("ForcepsMajor", who)
        stem = output.add("UncinateFasciculus_L", who, status="failed" if who == "02" else "drawn").stem
        if who == "01":
            tell(output, stem, "shape", Measures={"Streamlines": 7})
    return output


def read(output: Output, paths: list[Path]) -> dict[str, bytes]:
    return {path.relative_to(output.root).as_posix(): path.read_bytes() for path in paths}


def written(output: Output) -> dict[str, bytes]:
    return read(output, write_group_files(output.root).paths)


def anew(output: Output) -> dict[str, bytes]:
    """What is written without a database."""
    (output.root / DATABASE).unlink()
    return written(output)


def test_only_what_changed_is_read_again(six: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(six)
    opened: list[Path] = []
    load = tractogram_sidecar.load
    monkeypatch.setattr(tractogram_sidecar, "load", lambda path: opened.append(path) or load(path))
    assert written(six) == first
    assert opened == []
    changed = [
        six.add("ForcepsMajor", "02", told={"Streamlines": 77}),
        tell(six, "sub-01_bundle-UncinateFasciculus_L", "shape", Measures={"Streamlines": 8}),
        six.add("ForcepsMajor", "04"),
    ]
    (six.root / "sub-03/figures/sub-03_bundle-ForcepsMajor.json").unlink()
    shutil.rmtree(six.root / "sub-03")
    second = written(six)
    assert [path.name for path in opened] == [
        *("sub-01_bundle-UncinateFasciculus_L.json", changed[0].name, changed[2].name)
    ]
    assert b"\t77\t" in second["group_tractograms.tsv"]
    assert b"sub-03" not in second["group_tractograms.tsv"]
    assert second["group_checks.tsv"].split()[-1] == b"8"
    assert anew(six) == second


def test_where_times_are_whole_seconds_what_is_new_is_read_again(six: Output) -> None:
    """It may change within the second in which it was read."""
    path = six.root / "sub-01/figures/sub-01_bundle-ForcepsMajor.json"
    second = time.time_ns() // 10**9 * 10**9
    for count in ("111", "222"):
        six.add("ForcepsMajor", "01", told={"Streamlines": int(count)})
        os.utime(path, ns=(second, second))
        assert f"\t{count}\t".encode() in written(six)["group_tractograms.tsv"]


def test_what_can_not_be_understood_is_tried_again(six: Output) -> None:
    path = six.root / "sub-01/figures/sub-01_bundle-ForcepsMajor.json"
    text = path.read_bytes()
    path.write_bytes(text[:300])
    for _ in range(2):
        files = write_group_files(six.root)
        assert b"unreadable" in files.paths[0].read_bytes()
    assert files.notes == ["1 of 6 records were new or changed, and were read"]
    path.write_bytes(text)
    assert b"unreadable" not in written(six)["group_tractograms.tsv"]


def test_a_record_of_a_later_version_is_a_row_that_says_so(six: Output) -> None:
    path = six.root / "sub-01/figures/sub-01_bundle-ForcepsMajor.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"Streamlines": "many", "GeneratedBy": [{"Name": "tractcap", "Version": "99"}]}))
    assert "tractcap 99 wrote it" in written(six)["group.html"].decode()


def broken(path: Path, how: str) -> None:
    if how == "garbage":
        path.write_bytes(b"garbage" * 1000)
    elif how == "cut short":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "overwritten":
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        path.write_bytes(data)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "another's tables":
        path.unlink()
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE others (x)")
        database.close()
    else:
        with sqlite3.connect(path) as database:
            database.execute("UPDATE format SET text = 'another'")
        database.close()


@pytest.mark.parametrize(
    "how", ["garbage", "cut short", "overwritten", "empty", "another's tables", "another version's"]
)
def test_a_database_that_does_not_fit_is_made_anew(six: Output, how: str) -> None:
    first = written(six)
    broken(six.root / DATABASE, how)
    found: list[str] = []
    try:
        files = write_group_files(six.root)
    except TractcapError as error:  # in the middle
        found.append(str(error))
        files = write_group_files(six.root)
    assert all("is damaged" in text and text.endswith("run the group level again.") for text in found)
    assert files.notes[-1:] == READ_ALL
    assert read(six, files.paths) == first


_INTERRUPTED = """
import os, sys
from pathlib import Path
from tractcap.reports import group_cache
from tractcap.reports.group_page import write_group_files
group_cache._TOGETHER = 2
read = []
inner = group_cache.read_picture_set
def dying(*given):
    read.append(given)
    if len(read) == 6:
        os.kill(os.getpid(), 9)
    return inner(*given)
group_cache.read_picture_set = dying
write_group_files(Path(sys.argv[1]))
"""


def test_a_run_that_was_killed_goes_on_where_it_was(six: Output) -> None:
    killed = subprocess.run([sys.executable, "-c", _INTERRUPTED, str(six.root)], check=False)
    assert killed.returncode == -9
    files = write_group_files(six.root)
    assert files.notes == ["2 of 6 records were new or changed, and were read"]
    assert read(six, files.paths) == anew(six)


def test_two_runs_at_once(six: Output) -> None:
    """The second is told to wait; what the first does is whole."""
    with open_cache(six.root, []), pytest.raises(TractcapError, match="another run of level group is at work in"):
        write_group_files(six.root)
    assert write_group_files(six.root).notes == READ_ALL


def test_a_full_disk_is_told_and_costs_nothing_that_was_there(six: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(six)
    for who in range(100, 200):
        six.add("ForcepsMajor", f"{who}", pictures=False)
    connect = sqlite3.connect

    def small(*given: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*given, **options)
        database.execute("PRAGMA max_page_count = 20")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(TractcapError, match=r"can't be written \(database or disk is full\): make room there"):
        write_group_files(six.root)
    monkeypatch.undo()
    assert {name: (six.root / name).read_bytes() for name in first} == first
    assert len(write_group_files(six.root).paths[0].read_bytes().splitlines()) > 100


def test_a_disk_that_is_full_of_pieces_of_the_page(six: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are removed, and what was there stays."""
    monkeypatch.setattr(group_pieces, "MOST_INSIDE", 0)
    monkeypatch.setattr(group_pieces, "_TOGETHER", 3)
    first = written(six)
    six.add("ForcepsMajor", "09")
    write = Path.write_text

    def full(path: Path, *given: Any, **options: Any) -> int:
        if path.name == "rows-1.js":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, *given, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*group_rows_"):
        write_group_files(six.root)
    assert {name: (six.root / name).read_bytes() for name in first} == first
    assert not list(six.root.glob(".*.part"))
    (pieces,) = six.root.glob("group_rows_*")
    assert f'"folder":"{pieces.name}"' in first["group.html"].decode()


def test_where_no_database_can_be_kept_all_is_read_each_time(six: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on file systems that know no locks."""
    first = written(six)
    (six.root / DATABASE).unlink()
    (six.root / DATABASE).mkdir()
    for _ in range(2):
        files = write_group_files(six.root)
        assert "can't be used" in files.notes[0]
        assert files.notes[1:] == READ_ALL
    assert read(six, files.paths) == first


def test_the_database_is_of_this_version(six: Output) -> None:
    written(six)
    with sqlite3.connect(six.root / DATABASE) as database:
        assert __version__ in database.execute("SELECT text FROM format").fetchone()[0]
    database.close()
