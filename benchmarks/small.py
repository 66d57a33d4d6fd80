"""What many small bundles take, how much of the processors is used, and what their checks cost beside the pictures."""

import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import files
from measuring import CPUS, MB, Asked, Goal, Step, Table, draw, progress, ratio, run, side_by_side

GOAL = 0.9
"""Share of all processors' time."""

BESIDE_FURY, CHECKED = 0.35, 2.0
"""CPU seconds over those of FURY's lines, and with all checks over those of the pictures alone."""

_BUNDLES, _MOST = 200, 2_000
_FEW, _MOST_OF_FEW = 40, 825
_FURY = Path(__file__).with_name("peers") / "fury_six_views.py"


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Draw a folder of bundles in one call."""
    count, most = (4, 200) if asked.quick else (_BUNDLES, _MOST)
    drew = draw(files.bundles(folder / "bundles", count, most))
    use = drew.cpu / (drew.seconds * len(CPUS))
    columns = ("bundles", "seconds", "seconds a bundle", "CPU seconds a bundle", "CPU use", "memory, MB")
    table = Table(f"small: bundles of 100 to {most:,} streamlines, six views each, in one call", columns)
    table.rows.append((count, drew.seconds, drew.seconds / count, drew.cpu / count, use, drew.peak // MB))
    table.goals.append(Goal(f"use of {len(CPUS)} CPUs", use, GOAL, at_least=True))
    table.notes.append("CPU use is user and system time of all processes over seconds times CPUs.")
    yield table
    yield _beside(files.bundles(folder / "few", 2 if asked.quick else _FEW, _MOST_OF_FEW), asked.rounds)


def _beside(few: Path, rounds: int) -> Table:
    """CPU seconds of FURY, of tractcap's pictures, and of these and all checks, in turn."""
    steps: dict[str, Step] = {
        "tractcap": lambda: draw(few).cpu,
        "tractcap, --checks all": lambda: draw(few, "--checks", "all").cpu,
    }
    table = Table("small: a few bundles, six views each, CPU seconds", ("what", "CPU seconds", "× tractcap"))
    if importlib.util.find_spec("fury"):
        steps["FURY, line"] = lambda: _drawn_by_fury(few)
    else:
        table.notes.append("FURY was not measured: it isn't installed.")
    progress("small: beside FURY, and with checks")
    taken = side_by_side(steps, rounds)
    ours, checked = taken["tractcap"], taken["tractcap, --checks all"]
    for name, cpu in taken.items():
        table.rows.append((name, min(cpu), ratio(cpu, ours)))
    if fury := taken.get("FURY, line"):
        table.goals.append(Goal("CPU seconds over FURY's", ratio(ours, fury), BESIDE_FURY))
    table.goals.append(Goal("with all checks, over pictures alone", ratio(checked, ours), CHECKED))
    table.notes.append("FURY draws all bundles in one process; tractcap's processes are all counted.")
    return table


def _drawn_by_fury(folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        return run([sys.executable, _FURY, folder, out]).cpu
