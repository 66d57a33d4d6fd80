"""Does this tree write the same bytes as another? Runs with every option of the command line, in both, side by side.

    same_outputs.py OTHER_TREE [--keep FOLDER] [RUN ...]

What differs from run to run by its nature (times, peaks of memory, process ids) is left out of the comparison. The exit
status is 1 where anything else differs. A rewrite that must not change pictures, records or words is tried by it.
"""

import argparse
import difflib
import filecmp
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.streamlines import Tractogram, save

ROOT = Path(__file__).parents[1]

RUNS: dict[str, list[str]] = {
    "plain": ["BIDS", "OUT", "participant", "-v", "--nprocs", "1", "--timeout", "300"],
    "again": ["BIDS", "OUT", "participant", "-vv", "--overwrite", "--stop-on-first-crash", "--skip-bids-validation"],
    "plain-group": ["BIDS", "OUT", "group"],
    "chosen": [
        "BIDS", "OUT", "participant", "--participant-label", "01", "--session-label", "a", "--tract-label", "AF",
        "--views", "in-slice,left", "--slices-at", "1,2,3", "--slab", "5", "--size", "300", "--fit", "--style", "tubes",
        "--width", "1.5", "--opacity", "0.6", "--background", "#203040", "--anatomy", "slices", "--overview",
    ],
    "values": [
        "BIDS", "OUT", "participant", "--scalar", "FA=MAP", "--color-range", "0.1,0.9", "--colormap", "magma",
        "--size", "200", "--reference", "IMAGE", "--animation", "gif,webp,mp4", "--frames", "4", "--frame-size", "100",
    ],
    "data": ["FOLDER", "OUT", "participant", "--color", "data:weight", "--color-range", "group", "--size", "200"],
    "position": ["FOLDER", "OUT", "participant", "--color", "position", "--size", "200", "--mem", "600"],
    "density": ["FOLDER", "OUT", "participant", "--color", "density", "--size", "200", "--vtk-space", "LPS"],
    "endpoints": [
        "FOLDER", "OUT", "participant", "--color", "endpoints", "--size", "200", "--batch-size", "1", "--mosaic-only",
    ],
    "bundle": [
        "FOLDER", "OUT", "participant", "--color", "bundle", "--size", "200", "--layout", "{participant}/{bundle}.trk",
        "--overview", "-w", "WORK",
    ],
    "checks": [
        "BIDS", "OUT", "participant", "--size", "200", "--checks", "all", "--atlas", "ATLAS", "--before", "BEFORE",
        "--metric", "FA=MAP", "--flags", "RULES",
    ],
    "checks-group": ["BIDS", "OUT", "group"],
    "shard": ["BIDS", "OUT", "participant", "--shard", "2/3", "--size", "200", "--bids-filter-file", "FILTER"],
    "dry": [
        "BIDS", "OUT", "participant", "--dry-run", "--mem", "900", "--safety-margin", "0.3", "--mem-per-job", "200",
        "--checks", "shape",
    ],
    "dry-json": ["BIDS", "OUT", "participant", "--dry-run", "--json", "--mem", "900"],
    "odd": ["ODD", "OUT", "participant", "--size", "200"],
    "odd-group": ["ODD", "OUT", "group"],
    "wrong-option": ["BIDS", "OUT", "participant", "--views", "sideways"],
    "wrong-shard": ["BIDS", "OUT", "participant", "--shard", "5/3"],
    "nothing": ["EMPTY", "OUT", "participant"],
    "too-small": ["BIDS", "OUT", "participant", "--mem", "40"],
    "demo": ["demo", "OUT", "participant", "--views", "left", "--size", "200"],
}  # fmt: skip
"""By name, in this order: a run whose name goes on from an earlier one's with a dash writes into the same output."""

WITHOUT_RUN = {"--help", "--version", "--self-test"}
"""Options that end the program at once, or tell of the machine."""

VARYING = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)?", "TIME"),
    (r"peak \d+ MB \([^)]*\)", "peak"),
    (r'"peak(_is)?": ("[^"]*"|\d+|null)', '"peak"'),
    (r"\d\d:\d\d:\d\d", "CLOCK"),
]
"""What differs between two runs of the same program, and what is compared in its place."""


def main() -> int:
    """Run both trees and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout of tractcap")
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"of {', '.join(RUNS)}; all if none is named")
    parser.add_argument("--keep", type=Path, help="a folder for all outputs, which stay")
    options = parser.parse_args()
    if missing := every_option() - {word for run in RUNS.values() for word in run}:
        sys.exit(f"no run has {', '.join(sorted(missing))}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        inputs = make_inputs(folder / "inputs")
        differences = 0
        for name in options.runs or RUNS:
            for side, tree in (("this", ROOT), ("other", options.other.resolve())):
                carry_out(tree, name, folder / side, inputs)
            found = list(compare(folder / "this", folder / "other", name))
            verdict = f"{len(found)} files differ" if found else "the same"
            say(f"{name} ({status(folder / 'this' / name)}): {verdict}")
            for text in found:
                say(f"  {text}")
            differences += len(found)
    return int(differences > 0)


def every_option() -> set[str]:
    """The command line's options, by the first of their names."""
    from tractcap.cli import tractcap

    return {option.opts[0] for option in tractcap.params if option.opts[0].startswith("-")} - WITHOUT_RUN


def make_inputs(folder: Path) -> dict[str, str]:
    """A BIDS dataset, a plain folder, and files for the options; returns the words that stand for them in ``RUNS``."""
    dice = np.random.default_rng(7)
    paths = {word: folder / word.lower() for word in ("BIDS", "FOLDER", "ODD", "EMPTY", "ATLAS", "BEFORE", "WORK")}
    for path in paths.values():
        path.mkdir(parents=True, exist_ok=True)
    for participant in ("01", "02"):
        for session in ("a", "b"):
            dwi = paths["BIDS"] / f"sub-{participant}" / f"ses-{session}" / "dwi"
            dwi.mkdir(parents=True, exist_ok=True)
            whose = f"sub-{participant}_ses-{session}"
            for number, bundle in enumerate(("AF_left", "AF_right", "CST_left")):
                label = f"hemi-{bundle[bundle.index('_') + 1].upper()}_bundle-{bundle.partition('_')[0]}"
                ending = (".tck", ".trk", ".trk")[number]
                write_bundle(dwi / f"{whose}_{label}_tractogram{ending}", dice, number, 60)
                write_bundle(paths["BEFORE"] / f"{whose}_{label}_tractogram{ending}", dice, number, 80)
            anat = dwi.parent / "anat"
            anat.mkdir(exist_ok=True)
            write_image(anat / f"{whose}_T1w.nii.gz", dice, 300)
    (paths["BIDS"] / "dataset_description.json").write_text('{"Name": "two", "BIDSVersion": "1.10.0"}')
    for person in ("ann", "bob"):
        (paths["FOLDER"] / person).mkdir(exist_ok=True)
        for number, bundle in enumerate(("AF_L", "UF_L")):
            write_bundle(paths["FOLDER"] / person / f"{bundle}.trk", dice, number, 50, weights=True)
    for number, bundle in enumerate(("AF_left", "AF_right", "CST_left")):
        write_bundle(paths["ATLAS"] / f"{bundle}.trk", dice, number, 70)
    write_bundle(paths["ODD"] / "AF_L.trk", dice, 0, 30)
    (paths["ODD"] / "cut.trk").write_bytes((paths["ODD"] / "AF_L.trk").read_bytes()[:1500])
    (paths["ODD"] / "empty.tck").write_bytes(
        b"mrtrix tracks\ndatatype: Float32LE\ncount: 0\nfile: . 67\nEND\n".ljust(67)
    )
    (paths["ODD"] / "text.trx").write_text("not a zip")
    image, scalars = folder / "t1.nii.gz", folder / "fa.nii.gz"
    write_image(image, dice, 200)
    write_image(scalars, dice, 1)
    (folder / "flags.toml").write_text('[[flag]]\nname = "few"\ncheck = "shape"\nmeasure = "Streamlines"\nbelow = 70\n')
    (folder / "filter.json").write_text('{"tractogram": {"session": "a"}}')
    for path in sorted(folder.rglob("*")):
        os.utime(path, (1_700_000_000, 1_700_000_000))  # records tell when a file was changed
    words = {"IMAGE": image, "MAP": scalars, "RULES": folder / "flags.toml", "FILTER": folder / "filter.json"}
    return {word: str(path) for word, path in (paths | words).items()}


def write_bundle(path: Path, dice: np.random.Generator, number: int, count: int, *, weights: bool = False) -> None:
    """Arcs beside each other."""
    along = np.linspace(0, np.pi, 25)
    side = -1 if number != 1 else 1
    arc = np.c_[np.full(25, side * (20 + 8 * number)), 45 * np.cos(along), 25 * np.sin(along)]
    lines = [(arc + dice.normal(0, 2, 3) + dice.normal(0, 0.2, arc.shape)).astype(np.float32) for _ in range(count)]
    data = {"weight": dice.random((count, 1)).astype(np.float32)} if weights else {}
    save(Tractogram(lines, data_per_streamline=data, affine_to_rasmm=np.eye(4)), str(path))


def write_image(path: Path, dice: np.random.Generator, most: float) -> None:
    """A ball of noise."""
    grid = np.stack(np.meshgrid(*[np.arange(60)] * 3, indexing="ij")) - 30
    values = (np.sqrt((grid**2).sum(0)) < 26) * dice.uniform(most / 2, most, (60, 60, 60))
    affine = np.array([[3, 0, 0, -90], [0, 3, 0, -90], [0, 0, 3, -90], [0, 0, 0, 1.0]])
    nib.save(nib.Nifti1Image(values.astype(np.float32), affine), path)


def carry_out(tree: Path, name: str, side: Path, inputs: dict[str, str]) -> None:
    """Run a tree, with all that it writes and says below ``side``."""
    output = side / "outputs" / name.partition("-")[0]
    output.parent.mkdir(parents=True, exist_ok=True)
    words = inputs | {"OUT": output.name}
    command = [sys.executable, "-m", "tractcap", *(filled(word, words) for word in RUNS[name])]
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    done = subprocess.run(command, cwd=output.parent, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    lines = (*in_order(done.stdout), "on stderr:", *in_order(done.stderr))
    (side / f"{name}.txt").write_text("\n".join((f"exit status {done.returncode}", *lines, "")))


def filled(word: str, words: dict[str, str]) -> str:
    """An argument with the file that a word in it, or behind its equals sign, stands for."""
    name, equals, value = word.rpartition("=")
    return name + equals + words.get(value, value)


def in_order(text: str) -> list[str]:
    """Lines in an order that doesn't depend on which worker was faster, without those on memory in between."""
    return sorted(line for line in text.splitlines() if not line.startswith("tractcap: memory"))


def status(run: Path) -> str:
    """How a run ended."""
    return run.with_name(f"{run.name}.txt").read_text().partition("\n")[0]


def compare(this: Path, other: Path, name: str) -> list[str]:
    """What differs between two sides after a run, a line or two for each file."""
    files = [Path(f"{name}.txt")]
    output = Path("outputs") / name.partition("-")[0]
    files += sorted(
        {
            path.relative_to(side)
            for side in (this, other)
            for path in (side / output).rglob("*")
            if path.is_file() and path.suffix != ".sqlite3"  # it knows of times
        }
    )
    journals = [path for path in files if path.suffix == ".jsonl"]
    found = [text for path in files if path not in journals and (text := differs(this / path, other / path))]
    events = [
        sorted(plain(line) for path in (side / output / "logs").glob("*") for line in path.open())
        for side in (this, other)
    ]
    if events[0] != events[1]:
        found.append("the journals: " + first_difference(*("".join(lines) for lines in events)))
    return found


def differs(one: Path, two: Path) -> str:
    """What differs between two files, empty if nothing does."""
    for path, which in ((one, "this tree"), (two, "the other")):
        if not path.exists():
            return f"{path.name} is missing in {which}"
    if filecmp.cmp(one, two, shallow=False):
        return ""
    if one.suffix not in (".json", ".html", ".tsv", ".txt", ".md", ".bidsignore"):
        return f"{one.name}: other bytes"
    texts = plain(one.read_text()), plain(two.read_text())
    return "" if texts[0] == texts[1] else f"{one.name}: {first_difference(*texts)}"


def plain(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return text


def first_difference(one: str, two: str) -> str:
    """The first lines that differ."""
    lines = [line[:300] for line in difflib.unified_diff(two.splitlines(), one.splitlines(), n=0, lineterm="")][3:7]
    return " | ".join(lines)


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
