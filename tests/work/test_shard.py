"""Shares of the work: all of it, once, balanced; and together they leave what one run leaves."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import phantoms
import pytest
from left_files import files
from sharing import all_shares
from trees import find

from tractcap.errors import SettingsError
from tractcap.inputs.search import Source
from tractcap.records.tractogram_piece import Piece
from tractcap.work.shard import PICTURES, Shard, parse_shard


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


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4", "auto/", "auto4", "/4"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(SettingsError, match="--shard is"):
        parse_shard(text)


SLURM = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "20", "SLURM_ARRAY_TASK_MIN": "1"}
AWS = {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}
KUBERNETES = {"JOB_COMPLETION_INDEX": "7"}


@pytest.mark.parametrize(
    ("text", "environ", "shard"),
    [
        ("auto", SLURM, Shard(3, 20)),
        ("auto/30", SLURM, Shard(3, 30)),
        ("auto/20", {**SLURM, "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MIN": "3"}, Shard(3, 20)),
        ("auto", {"SGE_TASK_ID": "2", "SGE_TASK_LAST": "5", "SGE_TASK_FIRST": "1"}, Shard(2, 5)),
        ("auto/5", {"PBS_ARRAY_INDEX": "5"}, Shard(5, 5)),
        ("auto", AWS, Shard(1, 4)),
        ("auto", {"BATCH_TASK_INDEX": "3", "BATCH_TASK_COUNT": "4"}, Shard(4, 4)),
        ("auto/8", KUBERNETES, Shard(8, 8)),
        ("auto/8", {**KUBERNETES, "SGE_TASK_ID": "undefined"}, Shard(8, 8)),
        ("2/8", KUBERNETES, Shard(2, 8)),
    ],
)
def test_the_share_of_a_schedulers_task(text: str, environ: dict[str, str], shard: Shard) -> None:
    assert parse_shard(text, environ) == shard


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("auto", {}, "can't tell which task this is: none of SLURM_ARRAY_TASK_ID, .* is set. Give I/N"),
        ("auto/4", {}, "can't tell which task this is"),
        ("auto", {"SGE_TASK_ID": "undefined"}, "none of"),
        (
            "auto",
            {"SGE_TASK_ID": "3", "SGE_TASK_LAST": "9", "SGE_TASK_FIRST": "1", "SGE_TASK_STEPSIZE": "2"},
            "SGE_TASK_STEPSIZE is 2",
        ),
        ("auto", {**SLURM, **AWS}, "SLURM_ARRAY_TASK_ID and AWS_BATCH_JOB_ARRAY_INDEX are set"),
        ("auto", KUBERNETES, "of how many tasks JOB_COMPLETION_INDEX is one: no variable says it. Give auto/N"),
        ("auto", {"SLURM_ARRAY_TASK_ID": "3"}, "no variable says it, such as SLURM_ARRAY_TASK_COUNT"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_COUNT": "many"}, "no variable says it"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_MIN": "3"}, "SLURM_ARRAY_TASK_MIN is 3, so some may have been"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_ID": "21"}, "is 21, but 20 tasks have the numbers 1 to 20"),
        ("auto/20", {**SLURM, "SLURM_ARRAY_TASK_ID": "0"}, "is 0, but 20 tasks have the numbers 1 to 20"),
        ("auto/7", KUBERNETES, "is 7, but 7 tasks have the numbers 0 to 6"),
        ("auto/7", {"JOB_COMPLETION_INDEX": "-1"}, "is -1, but"),
        ("auto/0", KUBERNETES, "but 0 tasks"),
    ],
)
def test_what_a_scheduler_leaves_open(text: str, environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        parse_shard(text, environ)


def test_tasks_of_an_array_draw_everything_once(tmp_path: Path) -> None:
    data = tree(tmp_path / "in")
    command = [sys.executable, "-m", "tractcap", str(data), str(tmp_path / "out"), "participant", "--size", "64"]
    drawn = []
    for number in range(3):
        environ = {**os.environ, "JOB_COMPLETION_INDEX": str(number)}
        done = subprocess.run([*command, "--shard", "auto/3"], capture_output=True, text=True, check=True, env=environ)
        drawn += [line for line in done.stdout.splitlines() if line.endswith("_mosaic.png")]
    assert len(drawn) == len(set(drawn)) == len([*(tmp_path / "out").rglob("*_mosaic.png")]) > 2
