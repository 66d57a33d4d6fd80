"""Measures tractcap: prints Markdown tables, and writes benchmarks/results.json.

python benchmarks/run.py [NAME…] [--quick] [--full] [--size MB] [--bare-size MB] [--rounds N] [--image NAME]

NAME is floor, bare, peers, small, growth or start; all, one after the other, if none is given. What is compared is
measured side by side, so that ratios hold where seconds don't. --quick draws tiny files, to see that all of it works.
"""

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measuring import Asked, Table, machine, progress, say

NAMES = ("floor", "bare", "peers", "small", "growth", "start")
_RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Measure what is asked for; tables are printed as they are made."""
    options = _options()
    names, asked, told = options.names or NAMES, _asked(options), machine()
    say(_about(told) + "; --quick: only to see that it works" * asked.quick)
    results: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    for name in names:
        progress(name)
        results[name] = []
        try:
            for table in _tables(name, asked, options.folder):
                say(f"\n{table.markdown()}")
                results[name].append(table.dump())
        except SystemExit as why:  # the others can still be measured
            failed[name] = str(why)
            say(f"\n### {name}\n\nNot measured to its end: {why}")
        written = {"machine": told, "asked": asdict(asked), "benchmarks": results, "failed": failed}
        options.json.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    progress(f"written: {options.json}")
    sys.exit(1 if failed else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="tiny files, one round")
    parser.add_argument("--full", action="store_true", help="also 10,000,000 streamlines, a file of 16 GB")
    parser.add_argument("--size", type=int, help="MB of the large files (1024)")
    parser.add_argument("--bare-size", type=int, help="MB of the file that plain VTK holds in memory (128)")
    parser.add_argument("--rounds", type=int, help="how often what is compared is measured in turn (3)")
    parser.add_argument("--image", default="tractcap", help="what CONTAINER_ENGINE, if that is set, runs (tractcap)")
    parser.add_argument(
        "--folder", type=Path, help="where files are made: twice --size, 2 GB at least, 16 GB with --full"
    )
    parser.add_argument("--json", type=Path, default=_RESULTS, help="where all is written too")
    options = parser.parse_args()
    if wrong := [name for name in options.names if name not in NAMES]:
        parser.error(f"there is no benchmark {', '.join(wrong)}, only {', '.join(NAMES)}")
    return options


def _asked(options: argparse.Namespace) -> Asked:
    size, bare_size, rounds = (8, 4, 1) if options.quick else (1024, 128, 3)
    return Asked(
        options.size or size,
        options.bare_size or bare_size,
        options.rounds or rounds,
        options.image,
        options.quick,
        options.full,
    )


def _about(told: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {told[name]}" for name in ("tractcap", "python", "vtk", "numpy", "nibabel"))
    machine = f"{told['cpu']}, {told['cpus']} CPUs, {told['memory'] / 2**30:.1f} GB"
    return f"{machine}; {versions}; {told['date']}, load average {told['load']}"


def _tables(name: str, asked: Asked, parent: Path | None) -> Iterator[Table]:
    # what a container wrote may belong to another user
    with tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield from importlib.import_module(name).measure(asked, Path(folder).absolute())


if __name__ == "__main__":
    main()
