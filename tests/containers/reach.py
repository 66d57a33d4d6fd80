"""Which modules tractcap's sources reach by imports, those in functions too: what may be needed, whatever a run does.

As a program, in the image: prints what is reached of what is left out, and the reached modules that can't be imported.
"""

# ruff: noqa: T201  it is a program too

import ast
import fnmatch
import importlib
import importlib.metadata
import json
import re
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

ROOT = Path(__file__).parents[2]

NEVER_IMPORTED = {
    "nibabel.minc2 -> h5py": "MINC 2 is refused, with advice to give NIfTI",
    "nibabel.spm99analyze -> scipy.io": "Analyze images are refused, whatever lies beside them",
    "scipy.interpolate._bary_rational -> scipy.stats": "within AAA, which nothing calls",
    "scipy.optimize._differentialevolution -> scipy.stats": "within differential_evolution, which nothing calls",
    "scipy.optimize._shgo -> scipy.stats": "within shgo, which nothing calls",
}
"""Imports, within functions, of what is left out, and why they do no harm."""


def reach() -> tuple[set[str], set[str]]:
    """Follow all imports from tractcap on, through the packages of the lock, but not into what the image leaves out.

    Returns the modules that are reached, and the imports of what is left out, each as "importing -> imported".
    """
    reached: set[str] = set()
    stopped: set[str] = set()
    package = locate("tractcap")
    assert package
    sources = [path.relative_to(package.parents[1]) for path in package.parent.rglob("*.py")]
    waiting = [("", ".".join(path.with_suffix("").parts)) for path in sources]
    while waiting:
        importer, target = waiting.pop()
        parts = target.split(".")
        for name in (".".join(parts[: count + 1]) for count in range(len(parts))):  # importing a.b imports a before
            if name in reached:
                continue
            if is_left_out(name):
                stopped.add(f"{importer} -> {name}")
                break
            if not (path := locate(name)):
                break  # a name that isn't a module's, or not of a package of the lock
            reached.add(name)
            if path.suffix == ".py":
                waiting += [(name, imported) for imported in imports(name, path)]
    return reached, stopped


def is_left_out(name: str) -> bool:
    """Whether container/left-out.txt or container/install name a module, which may or may not be here."""
    base, path = name.replace(".", "/"), locate(name)
    kinds = ("", ".py", ".so") if not path else ("",) if path.name == "__init__.py" else (path.suffix,)
    return any(patterns().match(base + kind) for kind in kinds)


@cache
def patterns() -> re.Pattern[str]:
    """Shell patterns of what is left out, as one regular expression."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "container/left-out.txt").read_text().splitlines())
    blocks = re.findall(r'^unneeded="([^"]*)"', (ROOT / "container/install").read_text(), re.MULTILINE)
    distributions = (name for block in blocks for name in block.split() if not name.startswith("$"))
    modules = (name.removesuffix("-python").replace("-", "_") for name in distributions)
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in (*lines, *modules) if pattern))


@cache
def locate(name: str) -> Path | None:
    """The file of a module, if it is of a package of the lock; nothing is imported."""
    parent, _, last = name.rpartition(".")
    if not parent:
        folders = None if name in packages() else []
    elif (above := locate(parent)) and above.name == "__init__.py":
        folders = [str(above.parent)]
    else:
        folders = []
    spec = PathFinder.find_spec(last, folders)
    return Path(spec.origin) if spec and spec.origin else None


@cache
def packages() -> set[str]:
    """What the locked distributions install, and our own package."""
    lock = re.findall(r"^([\w.-]+)==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)
    locked = {name.replace("-", "_") for name in lock}
    owners = importlib.metadata.packages_distributions().items()
    return {"tractcap"} | {name for name, by in owners if locked & {owner.replace("-", "_").lower() for owner in by}}


def imports(module: str, path: Path) -> Iterator[str]:
    """What a module's statements import, but for what only type checkers read; attributes too: they may be modules.

    Some packages import their modules when they are first named: ``import scipy; scipy.linalg.inv``.
    """
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    local: dict[str, str] = {}
    attributes: list[tuple[str, str]] = []
    nodes: list[ast.AST] = [ast.parse(path.read_bytes())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            local |= {alias.asname or alias.name: alias.name for alias in node.names}
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes.append((node.value.id, node.attr))
    yield from (f"{local[name]}.{attribute}" for name, attribute in attributes if name in local)


def missing(names: set[str]) -> Iterator[str]:
    """Import modules; yields what they miss of what was left out. Others need another system or other libraries."""
    warnings.simplefilter("ignore")
    for name in sorted(names - {"tractcap.__main__"}):
        try:
            importlib.import_module(name)
        except ImportError as error:
            wanted = (error.name or name, f"{error.name}.{getattr(error, 'name_from', '')}")
            if any(module.startswith("vtkmodules.") or is_left_out(module) for module in wanted):
                yield f"{name} -> {error}"
        except Exception as error:  # such as a check for Windows
            print(f"{name}: {error!r}", file=sys.stderr)


if __name__ == "__main__":
    reached, stopped = reach()
    print(json.dumps({"stopped": sorted(stopped), "missing": list(missing(reached)), "count": len(reached)}))
