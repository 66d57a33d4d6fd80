"""Break small whole files in many ways, and see that each is read or refused by a sentence that names it.

    fuzz.py [--seconds 5] [--seed 1] [--keep FOLDER] [TARGET ...]

Each target runs in a process of its own with a limit of memory. Anything but values and an error of ours, a file that
takes longer than a few seconds, and the death of the process are findings: what was read is kept in FOLDER, and the
exit status is 1. Of VTK's reader it is known that it dies of damaged files: its deaths are counted, and are no
findings.
"""

import argparse
import hashlib
import json
import logging
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from targets import Target

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "helpers")]

MEMORY = 1024 * 2**20
"""Bytes of data for a process that reads files of a few kilobytes: libraries alone take a third of it."""

READ, REFUSED = "read", "refused"
SIGN = "sign.json"
"""The child's sign of life: what it has counted before it began to read a file."""


def main() -> int:
    """Fuzz what was asked for; returns the exit status."""
    from targets import ODD, TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="*", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=float, default=5, help="for each target")
    parser.add_argument("--patience", type=float, default=10, help="seconds for one file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where files go that were findings")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := set(asked.target) - set(TARGETS | ODD):
        parser.error(f"no target {', '.join(sorted(unknown))}: there are {', '.join(TARGETS)}")
    if asked.child:
        _child(asked.target[0], asked.child, asked.seconds, asked.seed)
        return 0
    return max([_fuzz(name, asked) for name in asked.target or TARGETS])


def _fuzz(name: str, asked: argparse.Namespace) -> int:
    """Fuzz one target: a process that died is followed by another, with another seed."""
    from targets import ODD, TARGETS

    target, tally, seed, found = (TARGETS | ODD)[name], Counter[str](), asked.seed, 0
    ends = time.monotonic() + asked.seconds
    while not tally or time.monotonic() < ends:
        with tempfile.TemporaryDirectory() as place:
            folder, left = Path(place), str(max(1.0, ends - time.monotonic()))
            child = subprocess.Popen(
                [sys.executable, __file__, name, "--child", place, "--seconds", left, "--seed", str(seed)]
            )
            hung = _wait(child, folder, asked.patience)
            tally.update(json.loads((folder / SIGN).read_text() or "{}") if (folder / SIGN).exists() else {})
            for why in sorted(folder.glob("finding-*.txt")):
                found += _keep(why.with_suffix(""), target.name, asked.keep, why.read_text())
            if hung:
                found += _keep(folder / target.name, target.name, asked.keep, f"no end within {asked.patience:g} s")
            elif child.returncode < 0 and not target.crashes:
                found += _keep(folder / target.name, target.name, asked.keep, f"died of signal {-child.returncode}")
            elif child.returncode > 0:
                raise SystemExit(f"{name} can't be fuzzed: see above")
            tally["deaths"] += child.returncode < 0
        seed += 1
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.items()) if count)
    print(f"{name}: {counts}, {found} findings", flush=True)  # noqa: T201
    return int(found > 0)


def _wait(child: "subprocess.Popen[bytes]", folder: Path, patience: float) -> bool:
    """Wait for the end of a process; one that is silent for too long is killed, and True."""
    sign = folder / SIGN
    while True:
        try:
            child.wait(0.5)
        except subprocess.TimeoutExpired:
            if sign.exists() and time.time() - sign.stat().st_mtime > patience:
                child.kill()
                child.wait()
                return True
        else:
            return False


def _keep(file: Path, name: str, folder: Path, why: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    content = file.read_bytes()
    kept = folder / f"{hashlib.sha256(content).hexdigest()[:12]}-{name}"
    kept.write_bytes(content)
    print(f"{kept}: {why}", flush=True)  # noqa: T201
    return 1


def _child(name: str, folder: Path, seconds: float, seed: int) -> None:
    """Read the whole files, and broken ones until the time is over; counts those that were read and refused."""
    from targets import ODD, TARGETS
    from vtkmodules.vtkCommonCore import vtkLogger

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    warnings.simplefilter("ignore")
    target, ends = (TARGETS | ODD)[name], time.monotonic() + seconds
    tally, kinds, number = Counter[str](), set[str](), 0
    whole = target.whole()
    while number < len(whole) or time.monotonic() < ends:
        chance = random.Random(f"{seed} {number}")
        is_whole = number < len(whole)
        data = target.pack(whole[number]) if is_whole else target.broken(chance, chance.choice(whole), whole)
        (folder / target.name).write_bytes(data)
        (folder / SIGN).write_text(json.dumps(tally))
        number += 1
        outcome = _outcome(target, folder / target.name)
        tally[outcome] += outcome in (READ, REFUSED)
        if (is_whole and outcome != READ) or (outcome not in (READ, REFUSED) and outcome not in kinds):
            kinds.add(outcome)
            (folder / f"finding-{number}").write_bytes(data)
            (folder / f"finding-{number}.txt").write_text(f"{'a whole file: ' * is_whole}{outcome}")
    (folder / SIGN).write_text(json.dumps(tally))


def _outcome(target: "Target", path: Path) -> str:
    """What came of reading a file: of what must not come, the exception and the line that raised it."""
    from tractcap.errors import InputError, RecordError, SettingsError

    try:
        target.read(path)
    except (InputError, RecordError, SettingsError) as error:
        sentence = str(error)
        named = (target.blamed or str(path.parent)) in sentence and sentence.endswith(".")
        return REFUSED if named else f"a sentence: {sentence}"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in line {frame.lineno} of {Path(frame.filename).name}: {error}"[:300]
    return READ


if __name__ == "__main__":
    sys.exit(main())
