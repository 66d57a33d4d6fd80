"""Do the tests notice? A sample of plain mutations, one after the other, each with the tests that stand beside it.

    mutate.py [--seed N] [--count N] [PART ...]

A mutation is another operator, another comparison, a condition turned round, another number, a truth value. All is
done in a copy of the tree. Printed is the share that the tests of each part noticed, and what they didn't.
"""

import argparse
import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult

ROOT = Path(__file__).parents[1]

PARTS = {
    "limits": ("src/tractcap/limits", "tests/limits"),
    "inputs": ("src/tractcap/inputs", "tests/inputs"),
    "checks": ("src/tractcap/checks", "tests/checks"),
    "plan": ("src/tractcap/work/memory_plan.py", "tests/work/test_plan.py"),
    "pool": ("src/tractcap/work/pool.py", "tests/work/test_pool.py"),
    "review": ("src/tractcap/review", "tests/review"),
    "process": ("src/tractcap/work/worker_process.py", "tests/work/test_pool.py tests/work/test_variables.py"),
}
"""What is mutated, and the tests beside it."""

PLAIN = ("ReplaceBinaryOperator", "ReplaceComparisonOperator", "ReplaceUnaryOperator", "ReplaceTrue", "ReplaceFalse",
         "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot", "NumberReplacer")  # fmt: skip


def main() -> None:
    """Mutate the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--count", type=int, default=60, help="mutations of each part, at most (60)")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy_tree(Path(folder))
        os.chdir(folder)
        os.environ["PYTHONPATH"] = f"{folder}/src"  # before the tree that is installed
        for part in asked.parts or PARTS:
            try_part(part, asked.seed, asked.count)


def copy_tree(folder: Path) -> None:
    """Copy all files that git knows or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def try_part(part: str, seed: int, count: int) -> None:
    """Print what the tests of a part notice."""
    code, tests = PARTS[part]
    command = f"{ROOT}/.venv/bin/python -m pytest -q -x -p no:cacheprovider {tests}"
    began = time.monotonic()
    if subprocess.run(shlex.split(command), stdout=subprocess.DEVNULL, check=False).returncode:  # noqa: S603
        sys.exit(f"{part}: its tests fail without any mutation: {command}")
    patience = 10 + 5 * (time.monotonic() - began)
    modules = sorted(Path(code).rglob("*.py")) if Path(code).is_dir() else [Path(code)]
    survived: dict[Path, list[str]] = {module: [] for module in modules}
    tried = dict.fromkeys(modules, 0)
    for mutation in sample(modules, random.Random(f"{part} {seed}"), count):  # noqa: S311
        result = mutate_and_test([mutation], command, patience)
        if result.worker_outcome != WorkerOutcome.NORMAL or result.test_outcome == TestOutcome.INCOMPETENT:
            sys.exit(f"{mutation}: {result.output}")
        tried[mutation.module_path] += 1
        if result.test_outcome == TestOutcome.SURVIVED:
            survived[mutation.module_path].append(f"  line {mutation.start_pos[0]}: {changed(result)}")
    lost, total = sum(map(len, survived.values())), sum(tried.values())
    say(f"{part}: {total - lost} of {total} noticed, {1 - lost / max(1, total):.0%} (seed {seed}, {tests})")
    for module in modules:
        if tried[module]:
            say("\n".join([f" {module}: {tried[module] - len(survived[module])}/{tried[module]}", *survived[module]]))


def sample(modules: list[Path], dice: random.Random, count: int) -> list[MutationSpec]:
    """Mutations by chance, each in another place, in the order of the source."""
    places: dict[tuple[Path, tuple[int, int]], list[MutationSpec]] = {}
    with use_db(":memory:", WorkDB.Mode.create) as database:
        init(modules, database, {})
        found = [item.mutations[0] for item in database.work_items]
    hidden = {module: list(annotations(module)) for module in modules}
    for mutation in sorted(found, key=lambda one: (one.module_path, one.start_pos, one.operator_name, one.occurrence)):
        at = mutation.module_path, mutation.start_pos
        plain = mutation.operator_name.removeprefix("core/").startswith(PLAIN)
        if plain and not any(first <= mutation.start_pos < last for first, last in hidden[mutation.module_path]):
            places.setdefault(at, []).append(mutation)
    return [dice.choice(places[at]) for at in sorted(dice.sample(sorted(places), min(count, len(places))))]


def annotations(module: Path) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where there are types, which no test can notice: lines, and columns within them."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        for name in ("annotation", "returns"):
            if found := getattr(node, name, None):
                yield (found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)


def changed(result: WorkResult) -> str:
    """The line that was changed, before and after."""
    lines = [
        line[1:].strip() for line in result.diff.splitlines() if line[:1] in "-+" and line[:3] not in ("---", "+++")
    ]
    return "  ->  ".join(lines)


def say(text: str) -> None:
    """Print at once: it takes minutes."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
