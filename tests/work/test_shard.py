"""Shares of the work: all of it, once, balanced; and together they leave what one run leaves."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import phantoms
import pytest
from sharing import all_shares
from trees import find

from tractcap.errors import SettingsError
from tractcap.inputs.search import Source
from tractcap.records.tractogram_piece import Piece
from tractcap.work.shard import PICTURES, parse_shard


def tree(root: Path) -> Path:
    """Three participants, six bundles, of sizes that differ."""
    for who in ("01", "02", "03"):
        (root / f"sub-{who}").mkdir(parents=True)
        for seed, (bundle, count) in enumerate((("AF_L", 10), ("CST_L", 40))):
            phantoms.save(root / f"sub-{who}/{bundle}.tck", phantoms.asymmetric_bundle(count, seed=seed))
    return root


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_each_is_in_one_share(tmp_path: Path, count: int) -> None:
    for number in range(40):
        with (tmp_path / f"{number}.trk").open("wb") as file:
            file.truncate(number * number * 100_000)
    sources = find(tmp_path)
    shares = all_shares(sources, count)
    pieces = [(one.name, piece) for share in shares for one in share for piece in share[one]]
    counts = {name: piece.count for name, piece in pieces}
    assert Counter(pieces) == Counter((name, Piece(index, of)) for name, of in counts.items() for index in range(of))
    assert counts.keys() == {one.name for one in sources}
    assert (max(counts.values()) > 1) == (count == 50), "what is more than a share, and large, is in pieces"

    parts = [[_weight(one) // piece.count for one in share for piece in share[one]] for share in shares]
    weights = [sum(part) for part in parts]
    assert max(weights) <= sum(weights) / count + max(max(part, default=0) for part in parts)


def _weight(source: Source) -> int:
    return source.path.stat().st_size + PICTURES


def test_together_they_leave_what_one_run_leaves(tmp_path: Path) -> None:
    """A participant whose bundles are parted among shards still has one frame."""
    data = tree(tmp_path / "in")

    def run(out: Path, *options: str) -> str:
        command = [sys.executable, "-m", "tractcap", str(data), str(out), "participant", "--size", "100"]
        done = subprocess.run([*command, "--overview", *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def files(out: Path) -> dict[str, bytes]:
        found = (path for path in out.rglob("*") if path.is_file() and path.parent.name != "logs")
        return {str(path.relative_to(out)): path.read_bytes() for path in found}

    run(tmp_path / "whole")
    said = [run(tmp_path / "parts", "--shard", f"{index}/4") for index in range(1, 5)]
    assert sum("1 drawn" in one for one in said) >= 2
    assert files(tmp_path / "parts") == files(tmp_path / "whole")


def test_a_broken_tractogram_is_told_of_by_its_own_share_alone(tmp_path: Path) -> None:
    data = tree(tmp_path / "in")
    (data / "sub-01/CST_L.tck").write_bytes(b"mrtrix tracks\nrubbish")
    command = [sys.executable, "-m", "tractcap", str(data), str(tmp_path / "out"), "participant", "--size", "100"]
    runs = [subprocess.run([*command, "--shard", f"{n}/6"], capture_output=True, check=False) for n in range(1, 7)]
    assert sorted(done.returncode for done in runs) == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(SettingsError, match="--shard is"):
        parse_shard(text)
