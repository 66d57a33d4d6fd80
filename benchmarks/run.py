"""How long tractcap takes, as ratios to what else could be done with the same file, measured side by side.

python benchmarks/run.py [--size MB] [--rounds N]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import nibabel as nib

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/helpers"))
import large

from tractcap.inputs.tractograms import open_tractogram

_CHUNK = 50_000


def read_by_nibabel(path: Path) -> None:
    """The floor: every streamline once, as nibabel gives them."""
    for _ in nib.streamlines.load(path, lazy_load=True).streamlines:
        pass


def read_by_chunks(path: Path) -> None:
    """Every streamline once, as tractcap reads them."""
    for _ in open_tractogram(path).chunks(_CHUNK):
        pass


def draw(path: Path) -> None:
    """Six views of 800×800 pixels under 512 MB, by the command line."""
    command = [sys.executable, "-m", "tractcap", path, path.parent / "out", "participant", "--mem", "512"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603


def seconds(work: Callable[[Path], None], path: Path) -> float:
    """How long it takes once."""
    started = time.perf_counter()
    work(path)
    return time.perf_counter() - started


def main() -> None:
    """Measure, print a table, and write ``benchmarks/results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="MB of the .trk that is drawn")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    works = (read_by_nibabel, read_by_chunks, draw)
    with tempfile.TemporaryDirectory() as folder:
        path = large.write_trk(Path(folder) / "large.trk", asked.size * large.MB)
        # in turn, so that what else the machine does falls on all of them
        rounds = [{work.__name__: seconds(work, path) for work in works} for _ in range(asked.rounds)]
    ratios = {work.__name__: median(r[work.__name__] / r["read_by_nibabel"] for r in rounds) for work in works}
    for work in works:
        taken = median(r[work.__name__] for r in rounds)
        print(f"{work.__name__:18} {taken:8.2f} s  {ratios[work.__name__]:6.2f} × nibabel")  # noqa: T201
    results = Path(__file__).with_name("results.json")
    results.write_text(json.dumps({"size_mb": asked.size, "ratios": ratios, "rounds": rounds}, indent=2) + "\n")


if __name__ == "__main__":
    main()
