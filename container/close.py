#!/usr/bin/python3
"""Leave in /opt/tractcap what tractcap uses, in a root that the build has to itself.

    close.py record SOURCE WORK    draw all that can be drawn, note each file that is opened or loaded
    close.py prune WORK            delete the others, by the rules below
    close.py verify WORK           each library finds all that it needs, and the same is drawn, to the last byte

The rules name nothing but VTK:

- A distribution none of whose files was used goes.
- In others all that is compiled goes unless it was loaded.
- A distribution of less than 4 MB stays whole otherwise: what some other input may need of it weighs little.
- In a larger one data goes that was not read, and each folder of modules none of which was imported; in VTK's, any
  module that was not. (Modules beside imported ones stay: an error may ask for them.)
- Of compiled files, symbols that only a debugger reads are taken out.
"""

# ruff: noqa: T201  a step of a build tells what it did

import ast
import importlib.metadata
import json
import os
import struct
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

HOME = Path("/opt/tractcap")
PYTHON = HOME / "bin/python"
SITE = HOME / f"lib/python{sysconfig.get_python_version()}/site-packages"
SMALL = 4 * 2**20
PICTURES = {".png", ".gif", ".webp", ".mp4"}

HOOK = """
import os, sys
log = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def note(event, arguments):
    if event in ("open", "import"):
        os.write(log, f"{arguments[event == 'import']}\\n".encode(errors="surrogateescape"))
sys.addaudithook(note)
"""
"""Run by each Python when it starts, as a line in its folder of modules: it looks at no PYTHONPATH."""

INPUTS = """
import sys
from pathlib import Path
import nibabel as nib
import phantoms
folder = Path(sys.argv[1])
(folder / "bundles").mkdir(parents=True)
(folder / "broken").mkdir()
for ending in phantoms.ENDINGS:
    name = ending.replace(".", "")
    path = phantoms.save(folder / "bundles" / f"{name}.{ending}", phantoms.asymmetric_bundle())
    (folder / "broken" / path.name).write_bytes(path.read_bytes()[:-100])
    (folder / "broken" / f"none-{path.name}").write_bytes(b"?" * 2000)
phantoms.save(folder / "bundles/Größe_束_🧠.trk", phantoms.asymmetric_bundle())
for name in ("checks", "atlas"):
    (folder / name).mkdir()
for side, turn in (("L", 1), ("R", -1)):
    bundle = [one * [turn, 1, 1] for one in phantoms.asymmetric_bundle()]
    phantoms.save(folder / f"checks/AF_{side}.trk", bundle)
phantoms.save(folder / "atlas/AF_L.tck", phantoms.asymmetric_bundle(20))
head = nib.load(phantoms.save_head(folder / "head.nii.gz"))
nib.save(head, folder / "atlas/AF_R.nii.gz")
nib.save(nib.MGHImage(head.get_fdata(dtype="float32"), head.affine), folder / "head.mgz")
"""

RUNS = (
    "demo {out}/demo participant --overview --participant-label 1",
    "demo {out}/demo participant --participant-label 2 --color position",
    "{out}/demo {out}/demo group",
    "{data}/bundles {out}/all participant --reference {data}/head.nii.gz --opacity 0.5 --overview --views six,in-slice"
    " --animation gif,webp,mp4 --frames 3",
    "{data}/bundles {out}/values participant --scalar FA={data}/head.mgz --style tubes --color-range group",
    "{data}/bundles {out}/density participant --reference {data}/head.nii.gz --color density --background white --fit",
    "{data}/bundles/trx.trx {out}/data participant --color data:height --colormap magma",
    "{data}/checks {out}/checks participant --checks all --atlas {data}/atlas --before {data}/atlas/AF_L.tck"
    " --metric FA={data}/head.nii.gz --reference {data}/head.nii.gz",
    "{out}/checks {out}/checks group",
    "{data}/bundles {out}/plan participant --dry-run --json",
    "!{data}/broken {out}/broken participant",
    "!{data}/bundles {out}/broken participant --reference {data}/broken/none-trk.trk",
    "--self-test",
    "--help",
    "--version",
)
"""What is drawn to see what is used; ! in front: that fails, and tells why."""


def record(source: Path, work: Path) -> None:
    """Note what is opened, by Python's own hook, and what is loaded, by the loader's account of it."""
    hook, log = SITE / "record.pth", work / "record"
    run(PYTHON, "-c", INPUTS, work / "data", settings={"PYTHONPATH": source / "tests/helpers"})
    hook.write_text(f"import os; 'RECORD' in os.environ and exec({HOOK!r}, {{}})")
    told: dict[str, object] = {"RECORD": log, "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": work / "loader"}
    draw(work / "data", work / "before", told)
    run(PYTHON, "-c", "\n".join(imports()), settings=told)
    hook.unlink()
    names = set(log.read_text(errors="surrogateescape").splitlines())
    for path in work.glob("loader.*"):
        lines = path.read_text(errors="replace").splitlines()
        names |= {line.split()[-1] for line in lines if "calling init: /" in line}
    used = {path for name in names if (path := Path(os.path.normpath(name))).is_relative_to(HOME) and path.is_file()}
    used |= {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in used if path.suffix == ".pyc"}
    used |= needed({path for path in used if is_compiled(path)})
    (work / "used.json").write_text(json.dumps(sorted(map(str, used))))


def needed(paths: set[Path]) -> set[Path]:
    """The libraries that each needs for itself: the loader takes one of the same name that another brought."""
    found = (line.split(" => ")[1].split(" (")[0] for line in run("ldd", *paths).splitlines() if " => " in line)
    return {Path(os.path.normpath(name)) for name in found if name.startswith(f"{HOME}/")}


def imports() -> Iterator[str]:
    """Everything that tractcap's sources import, wherever it stands, but for what only type checkers see."""
    for path in sorted((SITE / "tractcap").rglob("*.py")):
        tree = ast.parse(path.read_text())
        hidden = [node for guard in ast.walk(tree) if is_for_type_checkers(guard) for node in ast.walk(guard)]
        for node in ast.walk(tree):
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            if isinstance(node, ast.Import | ast.ImportFrom) and not future and node not in hidden:
                yield ast.unparse(node)


def is_for_type_checkers(node: ast.AST) -> bool:
    """Whether it is a block of ``if TYPE_CHECKING``."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def draw(data: Path, out: Path, settings: dict[str, object] | None = None) -> None:
    """Draw everything, small."""
    out.mkdir()
    for line in RUNS:
        words = [word.format(data=data, out=out) for word in line.removeprefix("!").split()]
        small = ["--size", "200"] if "participant" in words else []
        run(PYTHON, HOME / "entrypoint.py", *words, *small, fails=line.startswith("!"), settings=settings)


def run(*command: object, fails: bool = False, settings: dict[str, object] | None = None) -> str:
    """Call a program, which must succeed, or fail with a message of its own; returns what it printed."""
    words = [str(word) for word in command]
    environment = {**os.environ, "LANG": "C.UTF-8", **{name: str(value) for name, value in (settings or {}).items()}}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)  # noqa: S603  our own programs
    if (done.returncode != 0) != fails or "Traceback" in done.stderr or "defect" in done.stderr:
        sys.exit(f"close: {' '.join(words)[:300]} ended with status {done.returncode}:\n{done.stderr}")
    return done.stdout


def prune(work: Path) -> None:
    """Delete what the rules say, and make smaller what stays."""
    used = {Path(name) for name in json.loads((work / "used.json").read_text())}
    before = size(list(SITE.rglob("*")))
    for found in list(importlib.metadata.distributions(path=[str(SITE)])):
        for path in unneeded(found, used):
            path.unlink(missing_ok=True)
    for folder in sorted((path for path in HOME.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    for path in compiled():
        close_up(path)
        run("strip", "--strip-unneeded", path)
    print(f"close: Python's distributions {before >> 20} MB before, {size(list(SITE.rglob('*'))) >> 20} MB now")


def unneeded(found: importlib.metadata.Distribution, used: set[Path]) -> list[Path]:
    """What goes of a distribution."""
    files = [Path(os.path.normpath(SITE / file)) for file in found.files or ()]
    there = [path for path in files if path.exists() and not described(path)]
    if not used.intersection(there):
        print(f"close: {found.name} {found.version} is not used")
        return files
    folders = {path.parent for path in used.intersection(there)} if found.name != "vtk" else set()
    whole = size(there) < SMALL
    return [
        path
        for path in set(there) - used
        if is_compiled(path) or not (whole or (path.suffix == ".py" and path.parent in folders))
    ]


def described(path: Path) -> bool:
    """Whether it tells of a distribution: its name, version, licences."""
    return any(folder.name.endswith(".dist-info") for folder in path.parents)


def is_compiled(path: Path) -> bool:
    """Whether it is a module or a library that the loader loads."""
    return path.suffix == ".so" or ".so." in path.name


def compiled() -> list[Path]:
    """All that the loader loads, of what there is."""
    return [path for path in sorted(SITE.rglob("*.so*")) if is_compiled(path) and not path.is_symlink()]


def size(paths: list[Path]) -> int:
    """Bytes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in paths)


def close_up(path: Path) -> None:
    """Let a library's parts lie at multiples of 64 kB, not of 2 MB, so that strip takes out the holes between them.

    The tool that puts libraries into wheels leaves 6 MB in files of 30 kB. No page of any machine is larger than that.
    """
    data = bytearray(path.read_bytes())
    (headers,) = struct.unpack_from("<Q", data, 0x20)
    length, count = struct.unpack_from("<HH", data, 0x36)
    for header in range(headers, headers + length * count, length):
        (kind,) = struct.unpack_from("<I", data, header)
        (boundary,) = struct.unpack_from("<Q", data, header + 48)
        if kind == 1 and boundary > 2**16:  # a part that is loaded
            struct.pack_into("<Q", data, header + 48, 2**16)
    path.write_bytes(data)


def verify(work: Path) -> None:
    """Look for libraries that are missing, import all, draw all again."""
    lost = {line.strip() for line in run("ldd", *compiled()).splitlines() if "not found" in line}
    if lost:
        sys.exit(f"close: libraries are missing: {'; '.join(sorted(lost))}")
    run(PYTHON, "-c", "\n".join(imports()))
    draw(work / "data", work / "after")
    kinds: Counter[str] = Counter()
    for path in sorted((work / "before").rglob("*")):
        if path.suffix in PICTURES:
            kinds[path.suffix] += 1
            if path.read_bytes() != (work / "after" / path.relative_to(work / "before")).read_bytes():
                sys.exit(f"close: {path.name} is drawn in another way than before")
    print(f"close: the same as before, byte by byte: {dict(kinds)}")


if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {"record": record, "prune": prune, "verify": verify}
    steps[sys.argv[1]](*map(Path, sys.argv[2:]))
