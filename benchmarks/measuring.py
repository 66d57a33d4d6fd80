"""What the benchmarks share: what a process takes, what tractcap's journal says, tables, the machine."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from tractcap import __version__

MB = 2**20
CPUS = sorted(os.sched_getaffinity(0))
"""Numbers of the processors that may be used."""

Cell = str | int | float
Step = Callable[[], float]
"""Does something once, and says how many seconds it took."""


@dataclass(frozen=True)
class Asked:
    """What the user asked for: sizes are in MB; ``quick`` is tiny, only to see that all of it works."""

    size: int
    bare_size: int
    rounds: int
    image: str
    quick: bool
    full: bool


# what is measured


@dataclass(frozen=True)
class Took:
    """What a process took: ``seconds`` on the clock, ``cpu`` seconds of it and its children, what it printed."""

    seconds: float
    cpu: float
    printed: str


def run(command: Sequence[str | Path]) -> Took:
    """Run a command to its end; ends the benchmark with the command's last words if it fails."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err)  # noqa: S603
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed ({child.returncode}): {err.read()[-2000:]}")
        return Took(seconds, usage.ru_utime + usage.ru_stime, out.read())


def command_line(path: Path, out: Path, *options: str) -> list[str | Path]:
    """Return tractcap's command line, which draws six views of 800×800 pixels unless ``options`` say otherwise."""
    return [sys.executable, "-m", "tractcap", path, out, "participant", *options]


@dataclass(frozen=True)
class Drew(Took):
    """What a drawing took; ``peak`` is the most bytes that all its processes held, as its journal says."""

    peak: int


def draw(path: Path, *options: str, cpus: Sequence[int] = ()) -> Drew:
    """Draw a file or folder by the command line, on some processors alone if ``cpus`` names them."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        out = Path(folder) / "out"
        pinned = ["taskset", "-c", ",".join(map(str, cpus))] if cpus else []
        took = run([*pinned, *command_line(path, out, *options)])
        return Drew(**asdict(took), peak=journal_peak(out))


def journal_peak(out: Path) -> int:
    """Return the most bytes that tractcap's processes held together, as the journal says; 0 without a journal."""
    events = [json.loads(line) for path in out.glob("logs/*.jsonl") for line in path.read_text().splitlines()]
    return max((event["peak"] for event in events if event["event"] == "ended"), default=0)


def timed(work: Callable[[], object]) -> float:
    """How many seconds it takes once."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def side_by_side(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of each step in each round: in turn, so that what else the machine does falls on all of them."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds):
        for name, step in steps.items():
            progress(f"  {name}, round {number + 1} of {rounds}")
            taken[name].append(step())
    return taken


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of what one took over what the other took in the same round."""
    return median(one / other for one, other in zip(ones, others, strict=True))


def warm(path: Path) -> None:
    """Read a file, so that it is in the machine's cache for whoever reads it first."""
    with path.open("rb") as file:
        while file.read(16 * MB):
            pass


# what is told


@dataclass(frozen=True)
class Goal:
    """What ``value`` is, and the ``bound`` that it may not exceed, or with ``at_least`` not fall below."""

    what: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{self.what} {sign} {self.bound:g}: {self.value:.2f}, {'met' if self.met else 'missed'}"


@dataclass
class Table:
    """Rows with a cell for each column, goals, and sentences that say what was measured."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """As Markdown: numbers are aligned to the right, and where there is none, too."""
        numbers = [
            all(row[at] in ("", "–") or not isinstance(row[at], str) for row in self.rows)
            for at in range(len(self.columns))
        ]
        lines = [self.columns, ["---:" if number else "---" for number in numbers]]
        lines += [[_shown(cell) for cell in row] for row in self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        told = [f"- Goal: {goal}" for goal in self.goals] + [f"- {note}" for note in self.notes]
        return "\n\n".join(part for part in (f"### {self.title}", table, "\n".join(told)) if part)

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        goals = [asdict(goal) | {"met": goal.met} for goal in self.goals]
        return {"title": self.title, "rows": rows, "goals": goals, "notes": self.notes}


def _shown(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.{2 if cell >= 1 else 3}f}"


def say(text: str) -> None:
    """Print what is a result."""
    print(text, flush=True)  # noqa: T201


def progress(text: str) -> None:
    """Print what is none."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def machine() -> dict[str, Any]:
    """What the figures were measured on, with what, and when; ``memory`` is in bytes."""
    return {
        "cpu": _cpu(),
        "cpus": len(CPUS),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "tractcap": __version__,
        **{name: version(name) for name in ("vtk", "numpy", "nibabel")},
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
