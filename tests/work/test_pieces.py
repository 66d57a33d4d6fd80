"""A large tractogram over many workers, on one machine and as a cluster's shares: the bytes that one worker leaves."""

import itertools
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import large
import phantoms
import pytest
import sample_requests
from damage import FILES
from left_files import files
from sharing import all_shares
from trees import find

from tractcap import __version__
from tractcap.errors import InputError
from tractcap.records import tractogram_piece_files, tractogram_sidecar
from tractcap.records.sidecar_fields import FAILED
from tractcap.records.tractogram_piece import pieces
from tractcap.records.worker_requests import Merge
from tractcap.work.memory_plan import WORTH_PIECES, counts
from tractcap.work.shard import LARGE, PICTURES
from tractcap.work.worker_actions import merge_pieces

MB = 2**20


@pytest.mark.parametrize(
    ("points", "workers", "several"),
    [
        ([2 * WORTH_PIECES], 4, [2]),
        ([2 * WORTH_PIECES], 2, [1]),
        ([WORTH_PIECES - 1], 4, [1]),
        ([2 * WORTH_PIECES] * 2, 4, [1, 1]),
        ([6 * WORTH_PIECES, WORTH_PIECES], 4, [2, 1]),
        ([0], 4, [1]),
    ],
)
def test_pieces_where_workers_would_be_idle(points: list[int], workers: int, several: list[int]) -> None:
    assert counts(points, workers) == several


@pytest.mark.parametrize("pictures", [1, 2, 6, 42])
@pytest.mark.parametrize("count", [2, 3, 5, 6, 7, 20])
def test_pieces_are_all_of_it(count: int, pictures: int) -> None:
    """Each picture is drawn of all points, in order and once; no piece is without any."""
    some = pieces(count, pictures)
    assert count <= len(some) < count + pictures
    for picture in range(pictures):
        bounds = [piece.bounds(1000) for piece in some if picture in piece.drawn]
        assert bounds[0][0] == 0
        assert bounds[-1][1] == float("inf")
        assert all(one[1] == other[0] for one, other in itertools.pairwise(bounds))
    assert all(piece.drawn for piece in some)
    assert max(len(piece.drawn) for piece in some) <= -(-pictures // min(count, pictures))


def test_shares_of_one_large_file(tmp_path: Path) -> None:
    sizes = {"a.trk": 10 * MB, "b.tck": 900 * MB, "c.trk.gz": 300 * MB, "d.trk": LARGE // 2}
    for name, size in sizes.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    sources = find(tmp_path)
    shares = all_shares(sources, 8, 6)
    drawn = [(source.path.name, piece) for share in shares for source, some in share.items() for piece in some]
    assert len(drawn) == len(set(drawn))
    counts = {name: {piece.count for one, piece in drawn if one == name} for name in sizes}
    assert counts == {"a.trk": {1}, "b.tck": {6}, "c.trk.gz": {1}, "d.trk": {1}}
    assert {len(piece.drawn) for one, piece in drawn if one == "b.tck"} == {1}
    assert sum(name == "b.tck" for name, _ in drawn) == 6
    together = (sum(sizes.values()) + 4 * PICTURES) / 8
    weights = [sum(sizes[one.path.name] / some[0].count * len(some) for one, some in share.items()) for share in shares]
    assert max(weights) <= together + 300 * MB
    whole = all_shares(sources, 8, 0)
    assert sorted(one.path.name for share in whole for one in share) == sorted(sizes)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("large") / "in"
    (root / "sub-01").mkdir(parents=True)
    large.write_trk(root / "sub-01/AF_L.trk", 68 * MB)
    phantoms.save(root / "sub-01/CST_L.tck", phantoms.asymmetric_bundle())
    return root


def run(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done


LOOK = ("--size", "100", "--views", "left,superior", "--overview")


@pytest.fixture(scope="module")
def whole(data: Path) -> dict[str, bytes]:
    """What one worker leaves."""
    out = data.parent / "whole"
    run(data, out, "participant", *LOOK, "--nprocs", "1")
    run(data, out, "group")
    return files(out)


def events(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(out.glob("logs/*.jsonl")) for line in path.read_text().splitlines()]


def test_on_one_machine(data: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    plan = json.loads(run(data, tmp_path / "out", "participant", *LOOK, "--nprocs", "4", "--dry-run", "--json").stdout)
    assert [job["pieces"] for job in plan["jobs"]] == [["1/2", "2/2"], ["1/1"]]
    run(data, tmp_path / "out", "participant", *LOOK, "--nprocs", "4")
    run(data, tmp_path / "out", "group")
    assert files(tmp_path / "out") == whole
    assert not list(tmp_path.rglob(".*_pieces"))


def test_what_shines_through_is_drawn_at_once(data: Path, tmp_path: Path) -> None:
    options = (*LOOK, "--opacity", "0.5", "--nprocs", "4", "--dry-run", "--json")
    plan = json.loads(run(data, tmp_path, "participant", *options).stdout)
    assert [job["pieces"] for job in plan["jobs"]] == [["1/1"], ["1/1"]]


def test_as_shares_one_of_which_is_late(data: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    """Until it has run, the group tells that a piece lacks; a share that runs again draws nothing again."""
    out = tmp_path / "out"
    for index in (2, 1, 3, 2):
        said = run(data, out, "participant", *LOOK, "--shard", f"{index}/4").stderr
        assert "0 drawn, 1 drawn in part" in said
    assert sum(event["event"] == "parted" for event in events(out)) == 4
    assert sum(event["event"] == "piece" for event in events(out)) == 3
    said = run(data, out, "group", status=1).stderr
    assert "3 of its 4 pieces are there: run the participant level's other shares" in said
    assert "3 of its 4 pieces are there" in (out / "sub-01.html").read_text()
    assert "sub-01/AF_L.trk\tfailed" in (out / "group_tractograms.tsv").read_text()
    run(data, out, "participant", *LOOK, "--shard", "4/4")
    run(data, out, "group")
    assert files(out) == whole


def test_all_pieces_are_there_but_not_merged(data: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    """As when the last task was killed: the group merges. Pieces of other options aren't taken for these."""
    out, kept = tmp_path / "out", {}
    run(data, out, "participant", *LOOK, "--shard", "1/4", "--background", "white")
    for index in (4, 3, 2):
        run(data, out, "participant", *LOOK, "--shard", f"{index}/4")
    (folder,) = out.rglob(".*_pieces")
    assert "3 of its 4 pieces are there" in run(data, out, "group", status=1).stderr
    for path in [folder / f"{number}-of-4.zip" for number in (2, 3, 4)]:
        kept[path] = path.read_bytes()
        path.unlink()
    run(data, out, "participant", *LOOK, "--shard", "1/4")
    for path, content in kept.items():
        path.write_bytes(content)
    run(data, out, "group")
    assert files(out) == whole


def piece(folder: Path, index: int, **odd: Any) -> Path:
    """The file of one of two pieces, without its pictures; ``odd`` replaces what it tells."""
    request = sample_requests.draw(folder.parent).plain()
    told = {"version": __version__, "draw": request, "need": 7, "facts": {}} | odd
    folder.mkdir(parents=True, exist_ok=True)
    at = folder / f"{index}-of-2.zip"
    with zipfile.ZipFile(at, "w") as file:
        file.writestr("told.json", json.dumps(told))
    return at


def test_pieces_that_belong_together_are_merged(tmp_path: Path) -> None:
    folder = tmp_path / ".a_pieces"
    paths = [piece(folder, index) for index in (1, 2)]
    request, found = tractogram_piece_files.complete(folder)
    newest = tractogram_piece_files.newest(folder)
    assert newest is not None
    assert (request.stem, found, newest.need) == ("a", paths, 7)


ODD_PIECES = {
    "no number": {"need": float("nan")},
    "a list": {"draw": []},
    "nothing": {"draw": {}},
    "text": {"version": 3},
    "deep": {"facts": json.loads(500 * "[" + 500 * "]")},
    "a bomb": {"facts": " " * 2**24},
}


@pytest.mark.parametrize("name", [*FILES, *ODD_PIECES, "a name of millions", "no name of a piece"])
def test_an_odd_piece_counts_as_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    folder = tmp_path / ".a_pieces"
    odd, whole = piece(folder, 2, **ODD_PIECES.get(name, {})), piece(folder, 1)
    if name in FILES:
        FILES[name](odd)
    elif name not in ODD_PIECES:
        odd.rename(folder / ("2-of-x.zip" if name == "no name of a piece" else "1-of-99999999999999.zip"))
    os.utime(whole, (2e9, 2e9))
    with pytest.raises(InputError, match="1 of its 2 pieces are there: run the participant level's other shares"):
        tractogram_piece_files.complete(folder)
    newest = tractogram_piece_files.newest(folder)
    assert newest
    assert tractogram_piece_files.is_drawn(whole, newest.draw)
    assert not tractogram_piece_files.is_drawn(folder / "2-of-2.zip", newest.draw)
    if name in ODD_PIECES:
        assert f"{odd} can't be understood as a piece of pictures" in caplog.text


def test_what_lacks_pieces_is_recorded_as_what_it_is(tmp_path: Path) -> None:
    drawn = sample_requests.draw(tmp_path).identity
    second_run = replace(sample_requests.draw(tmp_path), identity=replace(drawn, variant={"run": "2"}))
    piece(tmp_path / ".a_pieces", 1, draw=second_run.plain())
    with pytest.raises(InputError, match="1 of its 2 pieces are there"):
        merge_pieces(Merge(str(tmp_path / ".a_pieces")), lambda _points: None)
    record = tractogram_sidecar.load(tractogram_sidecar.place(tmp_path, "a"))
    assert (record.status, record.variant, record.title) == (FAILED, {"run": "2"}, drawn.title)
