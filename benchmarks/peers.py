"""How long tractcap and its peers take for the same files, and what they hold: prints a Markdown table.

python benchmarks/peers.py [--counts N,N] [--patience SECONDS] [--folder FOLDER] [--pictures FOLDER]

benchmarks/run.py calls it too, without options.

Each program draws three views of 800×800 pixels of each file, one program after the other. A peer runs in an
environment of its own, made on the first call from the versions in benchmarks/peers/. Peers draw on an Xvfb, which
isn't measured. The table says which took too long, died or drew nothing, and that larger files were skipped for those.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import files
from measuring import MB, Asked, Cell, Table, journal_peak, machine, progress, say
from PIL import Image

HERE = Path(__file__).parent
SIZE, VIEWS = 800, 3
_SCRIPTS = HERE / "peers"
_INSTALLING = 900
"""Seconds that an environment may take."""
_WARMING = 10
"""Streamlines of the file that each program draws before anything is measured."""


@dataclass(frozen=True)
class Program:
    """A program, its environment, and how it is called.

    In ``call``, BIN is the environment's folder of programs; FILE, HEAD, OUT are put in for what is drawn and where to.
    """

    name: str
    environment: str
    call: tuple[str, ...]
    pictures: str
    note: str


@dataclass(frozen=True)
class Result:
    """What became of one program and one file: ``failed`` is a reason, or empty. Memory is in bytes.

    ``private`` is the most that all its processes held together beside pages of files, ``largest`` the highest resident
    size of one process, ``load`` the machine's load average before.
    """

    program: str
    streamlines: int
    failed: str = ""
    seconds: float = 0.0
    private: int = 0
    largest: int = 0
    load: float = 0.0


TRACTCAP = Program(
    "tractcap",
    "",
    (sys.executable, "-m", "tractcap", "FILE", "OUT", "participant", "--views", "left,anterior,superior"),
    "figures/*_view-*.png",
    "by its command line, all else by default; its memory is what its journal says, or what was seen, if that is more",
)
PEERS = (
    Program(
        "pyTractoViz",
        "pytractoviz",
        ("BIN/python", str(_SCRIPTS / "pytractoviz_views.py"), "FILE", "HEAD", "OUT"),
        "*.png",
        "`generate_anatomical_views` without the glass brain; it leaves out points of nearly straight stretches",
    ),
    Program(
        "FURY, line",
        "fury",
        ("BIN/python", str(_SCRIPTS / "fury_views.py"), "line", "FILE", "OUT"),
        "*.png",
        "one `actor.line`, `window.record` for each view",
    ),
    Program(
        "FURY, streamtube",
        "fury",
        ("BIN/python", str(_SCRIPTS / "fury_views.py"), "streamtube", "FILE", "OUT"),
        "*.png",
        "one `actor.streamtube` of 0.3 mm, `window.record` for each view",
    ),
    Program(
        "scilpy",
        "scilpy",
        (
            *("BIN/scil_viz_bundle_screenshot_mosaic", "HEAD", "FILE", "OUT/mosaic.png", "--light_screenshot"),
            *("--resolution_of_thumbnails", str(SIZE), "--no_information", "--opacity_background", "0"),
        ),
        "*.png",
        "`scil_viz_bundle_screenshot_mosaic`, three views in one picture, its background image made transparent",
    ),
)


def main() -> None:
    """Measure, print the table and its notes, and write the JSON file."""
    asked = _arguments().parse_args()
    results, failures = _results(asked)
    say(_table(results, failures).markdown())
    told = {"machine": machine(), "not_installed": failures, "results": [asdict(one) for one in results]}
    asked.json.write_text(json.dumps(told, indent=2) + "\n")


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Measure as one of all benchmarks."""
    counts = ["--counts", "300"] * asked.quick
    yield _table(*_results(_arguments().parse_args(["--folder", str(folder), *counts])))


def _results(asked: argparse.Namespace) -> tuple[list[Result], dict[str, str]]:
    """Results, and why programs were not installed, or nothing, by their names."""
    failures = {p.name: _install(p.environment, asked.environments) for p in PEERS}
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, _display() as display:
        bench = Bench(asked, Path(folder), display, failures)
        list(bench.of_size(_WARMING))  # from here on, the programs' own files are in the machine's cache
        return [result for count in sorted(asked.counts) for result in _told(bench.of_size(count))], failures


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    counts = "300,3000,20000,100000,1000000"
    parser.add_argument("--counts", type=_numbers, default=counts, help=f"numbers of streamlines ({counts})")
    parser.add_argument("--patience", type=float, default=600, help="seconds after which a program is ended (600)")
    parser.add_argument("--folder", type=Path, help="where the files are made: 1.6 GB for 1,000,000 streamlines")
    parser.add_argument("--environments", type=Path, default=HERE / ".environments", help="where the peers are kept")
    parser.add_argument("--pictures", type=Path, help="a folder to keep the pictures in")
    parser.add_argument("--json", type=Path, default=HERE / "peers.json")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.replace("_", "").split(",")]


# environments


def _install(name: str, folder: Path) -> str:
    """Make an environment, if it isn't there with these versions; return why that failed, or nothing."""
    wanted, at = _SCRIPTS / f"{name}.txt", (folder / name).absolute()
    done = at / "installed.txt"
    if done.exists() and done.read_text() == wanted.read_text():
        return ""
    progress(f"peers: installing {name} into {at}")
    pip = [f"{at}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted)]
    for command in ([sys.executable, "-m", "venv", "--clear", str(at)], pip):
        if failed := _try(command):
            return failed
    shutil.copyfile(wanted, done)
    return ""


def _try(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALLING)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"installing it took longer than {_INSTALLING} s"
    return f"it doesn't install: {_last_line(done.stderr)}" if done.returncode else ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200].replace("|", "/") if lines else "it said nothing"


@contextlib.contextmanager
def _display() -> Iterator[str]:
    """Start an Xvfb; give its display's name.

    It must not reset when its last client leaves: a peer that opens the next window meanwhile would find no server.
    """
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1024x1024x24", "-nolisten", "tcp", "-noreset"]
    try:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
    except FileNotFoundError:
        sys.exit("Xvfb is missing, and the peers draw on it: call scripts/apt xvfb")
    assert server.stdout is not None
    number = server.stdout.readline().strip()
    try:
        if not number:
            sys.exit("Xvfb doesn't start: call it by hand to see why")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


# measuring


class Bench:
    """Measures one program after the other, and remembers which can't do more."""

    def __init__(self, asked: argparse.Namespace, folder: Path, display: str, failures: dict[str, str]) -> None:
        self._asked, self._folder = asked, folder
        self._given_up = {name: why for name, why in failures.items() if why}
        self._environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._environment["DISPLAY"] = display
        self._head = files.head(folder / "head.nii.gz")

    def of_size(self, count: int) -> Iterator[Result]:
        """Draw a file of so many streamlines by every program."""
        file = files.of_count(self._folder / f"{count}.trk", count)
        for program in (TRACTCAP, *PEERS):
            if why := self._given_up.get(program.name):
                yield Result(program.name, count, f"skipped: {why}")
                continue
            result = self._measure(program, file, count)
            if result.failed:
                self._given_up[program.name] = f"{result.failed}, with {count:,} streamlines"
            yield result
        file.unlink()

    def _measure(self, program: Program, file: Path, count: int) -> Result:
        out, load = self._folder / "out", os.getloadavg()[0]
        out.mkdir()
        told = self._run(self._command(program, file, out), None if program is TRACTCAP else self._environment)
        failed = self._why(told) or seen(sorted(out.glob(program.pictures)))
        private = max(told["private"], journal_peak(out))
        if self._asked.pictures:
            shutil.copytree(out, self._asked.pictures / f"{count}-{program.name}", dirs_exist_ok=True)
        shutil.rmtree(out)
        return Result(program.name, count, failed, told["seconds"], private, told["largest"], load)

    def _command(self, program: Program, file: Path, out: Path) -> list[str]:
        places = {"FILE": file, "HEAD": self._head, "OUT": out}
        places["BIN"] = (self._asked.environments / program.environment / "bin").absolute()
        return [_placed(word, places) for word in program.call]

    def _run(self, command: list[str], environment: dict[str, str] | None) -> dict[str, int]:
        runner = [sys.executable, str(_SCRIPTS / "measure.py"), str(self._log), str(self._asked.patience)]
        done = subprocess.run([*runner, *command], check=True, stdout=subprocess.PIPE, env=environment)  # noqa: S603
        told: dict[str, int] = json.loads(done.stdout)
        return told

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _why(self, told: dict[str, int]) -> str:
        """Why a program failed, or nothing."""
        if told["late"]:
            return f"took longer than {self._asked.patience:g} s"
        if told["code"] == -9:
            return "killed, as a process is where memory runs out"
        last = _last_line(self._log.read_text(errors="replace"))
        if told["code"] < 0:
            return f"died of signal {-told['code']}, its last words: {last}"
        return f"failed: {last}" if told["code"] else ""


def _placed(word: str, places: dict[str, Path]) -> str:
    first, slash, rest = word.partition("/")
    return f"{places[first]}{slash}{rest}" if first in places else word


def seen(pictures: list[Path]) -> str:
    """Why the pictures aren't three views with something in each, or nothing. One picture may have all views."""
    views = [view for path in pictures for view in _squares(path)]
    drawn = sum(_colours(view) for view in views)
    return "" if drawn == VIEWS else f"drew {drawn or 'nothing in any'} of {VIEWS} views"


def _squares(path: Path) -> list[Image.Image]:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    return [picture.crop((0, top, SIZE, top + SIZE)) for top in range(0, picture.height, SIZE)]


def _colours(view: Image.Image) -> bool:
    """Whether a picture has more than one colour."""
    return len(view.getcolors(SIZE * SIZE) or ()) > 1


# telling


def _told(results: Iterator[Result]) -> Iterator[Result]:
    """Say of each result once it is known."""
    for result in results:
        progress(f"peers: {result.streamlines:,} streamlines, {result.program}: {_seconds(result)}")
        yield result


def _table(results: list[Result], failures: dict[str, str]) -> Table:
    columns = ("streamlines", "program", "seconds", "time, × tractcap", "memory, MB", "memory, × tractcap")
    title = f"peers: {VIEWS} views of {SIZE}×{SIZE} pixels of one file by each program"
    base = {one.streamlines: one for one in results if one.program == TRACTCAP.name}
    rows = [_row(result, base[result.streamlines]) for result in results]
    return Table(title, columns, rows, notes=list(_notes(results, failures)))


def _row(result: Result, base: Result) -> tuple[Cell, ...]:
    seconds, memory = _ratio(result, base, "seconds"), _ratio(result, base, "private")
    held = result.private // MB or "–"
    return result.streamlines, result.program, _seconds(result), seconds, held, memory


def _seconds(result: Result) -> Cell:
    """Seconds, or what went wrong."""
    took = f" ({result.seconds:.1f} s)" * (not result.failed.startswith("skipped"))
    return f"{result.failed}{took}" if result.failed else round(result.seconds, 2)


def _ratio(result: Result, base: Result, of: str) -> Cell:
    return "–" if result.failed or base.failed else round(getattr(result, of) / getattr(base, of), 3)


def _notes(results: list[Result], failures: dict[str, str]) -> Iterator[str]:
    loads = [result.load for result in results]
    yield (
        "Seconds are of the whole process. Memory is the most that all processes of a program held together, beside "
        f"pages of files. Load averages were from {min(loads):.1f} to {max(loads):.1f}."
    )
    for program in (TRACTCAP, *PEERS):
        missing = f" Not measured: {failures[program.name]}." if failures.get(program.name) else ""
        yield f"{program.name}: {program.note}.{missing}"


if __name__ == "__main__":
    main()
