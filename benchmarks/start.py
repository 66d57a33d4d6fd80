"""What it takes to begin: imports, help, the first picture of a small bundle, and that of a container."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import files
from measuring import MB, Asked, Step, Table, command_line, progress, ratio, run, side_by_side

_MEMORY = """
told = dict(line.split(":") for line in open("/proc/self/status"))
print(*(int(told[name].split()[0]) << 10 for name in ("VmHWM", "RssFile")))
"""
"""Prints the most bytes that were resident, and how many of what is resident are pages of files."""

_IMPORTS = {
    "python": "",
    "what the user starts: tractcap.cli": "import tractcap.cli",
    "a worker: tractcap.work.worker_actions, and a context": "import tractcap.work.worker_actions\n"
    "from tractcap.drawing import opengl\nopengl.choose()\nimport tractcap.drawing.canvas\nopengl.describe()",
}
_STREAMLINES = 300
_EVERY = 0.005
"""Seconds between two looks for a picture."""

Call = Callable[[Path], Sequence[str | Path]]
"""Gives the command that draws into a folder."""


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Start processes that do little."""
    yield _imports(asked)
    yield _pictures(asked, folder)


def _imports(asked: Asked) -> Table:
    held: dict[str, tuple[int, int]] = {}
    steps = {name: _importing(name, code, held) for name, code in _IMPORTS.items()}
    steps["tractcap --help"] = lambda: run([sys.executable, "-m", "tractcap", "--help"]).seconds
    taken = side_by_side(steps, asked.rounds)
    columns = ("what", "seconds", "× python", "resident, MB", "of which no pages of files, MB")
    table = Table("start: imports and help, each a process of its own", columns)
    for name in steps:
        memory = held.get(name)
        cells = (memory[0] / MB, (memory[0] - memory[1]) / MB) if memory else ("", "")
        table.rows.append((name, median(taken[name]), ratio(taken[name], taken["python"]), *cells))
    return table


def _importing(name: str, code: str, held: dict[str, tuple[int, int]]) -> Step:
    def step() -> float:
        took = run([sys.executable, "-c", f"{code}\n{_MEMORY}"])
        highest, of_files = took.printed.split()
        held[name] = int(highest), int(of_files)
        return took.seconds

    return step


def _pictures(asked: Asked, folder: Path) -> Table:
    given = folder / "given"
    given.mkdir()
    path, firsts = files.of_count(given / "small.trk", _STREAMLINES), []
    columns = ("what", "first PNG, s", "all, s", "× the command line")
    table = Table(f"start: pictures of {_STREAMLINES} streamlines", columns)
    for name, call in _calls(asked, path).items():
        progress(f"start: {name}")
        seen = [_first(call, folder / f"{name}-{number}") for number in range(asked.rounds)]
        firsts.append(median(first for first, _ in seen))
        table.rows.append((name, firsts[-1], median(both for _, both in seen), firsts[-1] / firsts[0]))
    if len(firsts) == 1:
        table.notes.append("No container was started: CONTAINER_ENGINE isn't set.")
    return table


def _calls(asked: Asked, path: Path) -> dict[str, Call]:
    calls: dict[str, Call] = {"command line": lambda out: command_line(path, out)}
    if engine := shlex.split(os.environ.get("CONTAINER_ENGINE", "")):
        run_it = [*engine, "run", "--rm", "-v", f"{path.parent}:/data:ro"]
        calls["container"] = lambda out: [*run_it, "-v", f"{out}:/out", asked.image, "/data", "/out", "participant"]
    return calls


def _first(call: Call, out: Path) -> tuple[float, float]:
    """Seconds until the first PNG is there, and until the end."""
    out.mkdir()
    out.chmod(0o777)  # a container's user isn't ours
    begun, first = time.perf_counter(), 0.0
    child = subprocess.Popen(call(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    while child.poll() is None:
        if not first and any(out.rglob("[!.]*.png")):
            first = time.perf_counter() - begun
        time.sleep(_EVERY)
    ended = time.perf_counter() - begun
    if child.returncode:
        sys.exit(f"{' '.join(map(str, call(out)))} failed ({child.returncode}): call it by hand to see why")
    return first or ended, ended
