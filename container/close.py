#!/usr/bin/python3
"""Leave in the image what tractcap uses, and nothing else: the last step of a build, in a root that it has to itself.

    close.py SOURCE      SOURCE: the tree with container/ and tests/helpers/

1. Record. tractcap draws everything that it can draw, and everything that its sources import is imported, while an
   audit hook notes each file that Python opens or loads and the maps of each process are read.
2. Close. By the rules below, and by no list of names, files are deleted.
3. Verify. Each library finds all that it needs, and the same pictures are drawn again, to the last bit.

The rules:

- A distribution none of whose modules was loaded goes, and so do its programs.
- In the others, a folder in which nothing was loaded or read goes; a distribution of less than 4 MB stays whole, since
  what some input or other may need of it weighs little.
- A compiled module that was not loaded goes; in vtkmodules, any other too.
- A shared library beside the modules goes, unless a module that stays needs it, over any number of steps.
- Tests, headers, stubs and sources of compiled modules go, and bytecode of what was not loaded.
- Symbols that only a debugger reads, and the holes that the wheels' tools left, are taken out of the libraries.
- A Debian package goes, unless one of PACKAGES depends on it; so do documents, but for the licences.
"""

# ruff: noqa: T201  a step of a build tells what it did

import ast
import importlib.metadata
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

HOME = Path("/opt/tractcap")
PYTHON = HOME / "bin/python"
SITE = HOME / f"lib/python{sysconfig.get_python_version()}/site-packages"
SHARE = HOME / "share"
OWN = SITE / "tractcap"

PACKAGES = (
    *("python3", "libosmesa6", "libfribidi0", "fonts-droid-fallback"),
    # for those who call the container from scripts, and for workflow engines, which want a shell and its tools
    *("base-files", "base-passwd", "bash", "coreutils", "dash", "findutils", "grep", "gzip", "hostname", "libc-bin"),
    *("mawk", "sed", "tar"),
)
NOT_FOLLOWED = {"debconf"}
"""It asks questions while packages are installed."""

STAND_INS = {"libz3-4": Path(sysconfig.get_config_var("LIBDIR")) / "libz3.so.4"}
"""Packages without which a library can't be loaded, but which are never called here: each leaves an empty library.

libz3: LLVM 19 calls it for Clang's static analyzer alone.
"""

DATABASE = Path("/var/lib/dpkg")
DOCUMENTS = (
    *("doc-base", "gdb", "info", "lintian", "locale", "man", "menu", "pixmaps"),
    *("bash-completion", "fish", "zsh"),
)
SOURCES = {".pyi", ".h", ".hpp", ".c", ".cpp", ".pxd", ".pyx", ".pxi", ".in", ".build", ".a", ".f", ".f90", ".cmake"}
TESTS = {"tests", "test", "testing_data"}

PAGE = 4096
SMALL = 4 * 2**20

RECORDER = """
import os, sys, threading, time
_file = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
def _note(event, arguments):
    path = arguments[0] if event == "open" else arguments[1] if event == "import" else None
    if isinstance(path, str) and path.startswith(("/opt/", "/usr/lib/python3")):
        os.write(_file, (path + "\\n").encode(errors="surrogateescape"))
sys.addaudithook(_note)
def _maps():
    seen = set()
    while True:
        with open("/proc/self/maps") as maps:
            found = {line.split()[-1] for line in maps if ".so" in line} - seen
        seen |= found
        os.write(_file, "".join(path + "\\n" for path in found if path.startswith("/opt/")).encode())
        time.sleep(0.1)
threading.Thread(target=_maps, daemon=True).start()
"""

INPUTS = """
import sys
from pathlib import Path
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
phantoms.save_head(folder / "head.nii.gz")
"""

RUNS = (
    "demo {out}/demo participant --overview --participant-label 1",
    "demo {out}/demo participant --participant-label 2 --color position",
    "{out}/demo {out}/demo group",
    "{data}/bundles {out}/all participant --reference {data}/head.nii.gz --opacity 0.5 --overview --views six,in-slice"
    " --animation gif,webp,mp4 --frames 3",
    "{data}/bundles {out}/values participant --scalar FA={data}/head.nii.gz --style tubes --color-range group",
    "{data}/bundles {out}/density participant --reference {data}/head.nii.gz --color density --background white --fit",
    "{data}/bundles/trx.trx {out}/data participant --color data:height --colormap magma",
    "{data}/bundles {out}/plan participant --dry-run --json",
    "!{data}/broken {out}/broken participant",
    "!{data}/bundles {out}/broken participant --reference {data}/broken/none-trk.trk",
    "--help",
    "--version",
)
"""What is drawn to see what is used; ! in front: that fails, and tells why."""


def main() -> None:
    """Record, close, verify."""
    source = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(PYTHON, "-c", INPUTS, work / "data", PYTHONPATH=source / "tests/helpers")
        used = record(work)
        before = size(Path("/"))
        told = close_site(used)
        told |= close_system(work)
        bill_of_materials()
        told["documents"] = remove_documents()
        verify(work)
        told["caches"] = remove(path for path in Path(tempfile.gettempdir()).iterdir() if path != work)
    SHARE.mkdir(exist_ok=True)
    files = sorted(str(path.relative_to(SITE)) for path in (SITE / "vtkmodules").rglob("*") if path.is_file())
    (SHARE / "closed.json").write_text(json.dumps({"removed": told, "vtkmodules": files}, indent=1) + "\n")
    for what, saved in told.items():
        print(f"close: {saved / 1e6:7.1f} MB  {what}")
    print(f"close: {before / 1e6:.0f} MB before, {size(Path('/')) / 1e6:.0f} MB now")


# ---- 1. record


def record(work: Path) -> set[Path]:
    """Every file of /opt that Python opened or loaded while all was drawn and imported."""
    hook, log = work / "hook", work / "record"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(RECORDER)
    record = {"PYTHONPATH": hook, "RECORD": log}
    draw(work / "data", work / "before", **record)
    run(PYTHON, "-c", "\n".join(imports()), **record)
    used = set()
    for line in set(log.read_text(errors="surrogateescape").splitlines()):
        path = Path(os.path.normpath(line))
        if path.suffix == ".pyc":
            path = path.parent.parent / (path.name.split(".")[0] + ".py")
        if path.is_file():
            used.add(path)
    return used


def imports() -> Iterator[str]:
    """Everything that tractcap's sources import, wherever it stands, but for what only type checkers see."""
    for path in sorted(OWN.rglob("*.py")):
        name = ".".join(path.relative_to(SITE).with_suffix("").parts)
        if not name.endswith("__main__"):
            yield f"import {name.removesuffix('.__init__')}"
        tree = ast.parse(path.read_text())
        hidden = {
            node
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
            for node in ast.walk(block)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in hidden:
                statement = ast.unparse(node)
                if "__future__" not in statement:
                    yield statement


def draw(data: Path, out: Path, **environment: object) -> None:
    """Draw everything."""
    out.mkdir()
    for line in RUNS:
        words = [word.format(data=data, out=out) for word in line.removeprefix("!").split()]
        small = ["--size", "200"] if "participant" in words else []
        run(PYTHON, HOME / "entrypoint.py", *words, *small, fails=line.startswith("!"), **environment)


def run(*command: object, fails: bool = False, **environment: object) -> str:
    """Call a program; returns what it printed."""
    told = {name: str(value) for name, value in environment.items()}
    done = subprocess.run(  # noqa: S603  our own programs
        list(map(str, command)),
        capture_output=True,
        text=True,
        env={**os.environ, "LANG": "C.UTF-8", "HOME": "/nonexistent", **told},
    )
    if (done.returncode != 0) != fails or ("Error:" in done.stderr and "defect" in done.stderr):
        sys.exit(f"close: {' '.join(map(str, command))[:300]}: status {done.returncode}\n{done.stderr}")
    return done.stdout


# ---- 2. close


def close_site(used: set[Path]) -> dict[str, int]:
    """Delete what is not needed from site-packages; returns bytes that went, by rule."""
    told = {
        "distributions not used": remove(distributions_not_used(used)),
        "folders not used": remove(folders_not_used(used)),
        "modules not used": remove(
            path
            for path in SITE.rglob("*")
            if (path.suffix == ".so" or (path.suffix == ".py" and path.is_relative_to(SITE / "vtkmodules")))
            and not (path in used or is_library(path))
        ),
    }
    told["shared libraries not needed"] = remove(libraries_not_needed(used))
    told["tests, headers, stubs, sources"] = remove(
        path
        for path in SITE.rglob("*")
        if (path.is_dir() and path.name in TESTS and not any(one.is_relative_to(path) for one in used))
        or (path.is_file() and path.suffix in SOURCES and path not in used and not path.is_relative_to(OWN))
    )
    told["programs"] = remove(
        path for path in PYTHON.parent.iterdir() if not re.fullmatch(r"tractcap|python3?(\.\d+)?", path.name)
    )
    told["programs"] += remove(
        path for path in HOME.iterdir() if path.name not in {"bin", "lib", "lib64", "pyvenv.cfg", "entrypoint.py"}
    )
    told["bytecode of what was not loaded"] = remove(
        path
        for folder in (SITE, Path(os.__file__).parent)
        for path in folder.rglob("*.pyc")
        if path.parent.parent / (path.name.split(".")[0] + ".py") not in used
    )
    told["symbols"] = strip()
    told["holes in libraries"] = sum(compact(path) for path in SITE.rglob("*.so*"))
    for folder in sorted((path for path in SITE.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    return told


def distributions_not_used(used: set[Path]) -> Iterator[Path]:
    """Files of distributions that nothing was loaded of."""
    for found in importlib.metadata.distributions(path=[str(SITE)]):
        files = {Path(os.path.normpath(SITE / file)) for file in found.files or ()}
        if not any(path in used for path in files if not path.parent.name.endswith(".dist-info")):
            print(f"close: {found.name} {found.version} is not used")
            yield from files


def folders_not_used(used: set[Path]) -> Iterator[Path]:
    """Folders of nothing that was loaded or read, topmost ones; libraries and what describes a distribution aside."""
    alive = {parent for path in used for parent in path.parents} | {SITE}
    alive |= {file.parent for file in small_distributions()}
    for folder in sorted(path for path in SITE.rglob("*") if path.is_dir()):
        if folder.parent in alive and folder not in alive and folder.name != "__pycache__":
            beside = folder.name.endswith((".dist-info", ".libs"))
            if not beside and not folder.is_relative_to(OWN):
                yield folder


def small_distributions() -> Iterator[Path]:
    """The files of those that stay whole."""
    for found in importlib.metadata.distributions(path=[str(SITE)]):
        files = [SITE / file for file in found.files or ()]
        if sum(size(path) for path in files) < SMALL:
            yield from (Path(os.path.normpath(path)) for path in files)


def is_library(path: Path) -> bool:
    """Whether it is a shared library, and no module."""
    return ".so" in path.name and (path.parent.name.endswith(".libs") or path.name.startswith("lib"))


def libraries_not_needed(used: set[Path]) -> Iterator[Path]:
    """Shared libraries that no module needs, nor anything that a module needs."""
    libraries = [path for path in SITE.rglob("*.so*") if is_library(path)]
    named = defaultdict(list)
    for path in libraries:
        named[path.name].append(path)
    todo = [path for path in SITE.rglob("*.so") if not is_library(path)]
    todo += [path for path in libraries if path in used]
    kept: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in kept:
            kept.add(path)
            todo.extend(found for name in needed(path) for found in named[name])
    yield from (path for path in libraries if path not in kept)


def needed(path: Path) -> list[str]:
    """The names of the libraries that an ELF file says it needs."""
    data = path.read_bytes()
    sections = list(_sections(data))
    names = []
    for kind, offset, length, link in sections:
        if kind == 6:  # dynamic
            text = sections[link][1]
            for tag, value in struct.iter_unpack("<QQ", data[offset : offset + length]):
                if tag == 1:  # needed
                    names.append(data[text + value : data.index(b"\0", text + value)].decode())
    return names


def _sections(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    if data[:5] != b"\x7fELF\x02":
        return
    (start,) = struct.unpack_from("<Q", data, 0x28)
    each, count = struct.unpack_from("<HH", data, 0x3A)
    for number in range(count):
        _, kind, _, _, offset, length, link = struct.unpack_from("<IIQQQQI", data, start + number * each)
        yield kind, offset, length, link


def strip() -> int:
    """Take out symbols where that saves a tenth; returns the bytes saved."""
    saved = 0
    for path in sorted(SITE.rglob("*.so*")):
        if not any(kind == 2 for kind, *_ in _sections(path.read_bytes())):
            continue
        bare = path.with_name(path.name + ".stripped")
        run("strip", "--strip-unneeded", "-o", bare, path)
        before, after = path.stat().st_size, bare.stat().st_size
        if after <= 0.9 * before:
            shutil.copymode(path, bare)
            bare.replace(path)
            saved += before - after
        else:
            bare.unlink()
    return saved


def compact(path: Path) -> int:
    """Take out pages that nothing is in, which stand where a wheel's tool aligned to 2 MB; returns the bytes saved.

    What is left moves by whole pages in the file. In memory everything stays where it was.
    """
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return 0
    programs, sections = struct.unpack_from("<QQ", data, 0x20)
    program_size, program_count, section_size, section_count = struct.unpack_from("<4H", data, 0x36)
    headers = [list(struct.unpack_from("<IIQQQQQQ", data, programs + i * program_size)) for i in range(program_count)]
    named = [list(struct.unpack_from("<IIQQQQIIQQ", data, sections + i * section_size)) for i in range(section_count)]
    parts = [(0, 64), (programs, program_size * program_count), (sections, section_size * section_count)]
    parts += [(header[2], header[5]) for header in headers if header[5]]
    parts += [(section[4], section[5]) for section in named if section[1] not in (0, 8)]  # null, nobits
    pieces: list[list[int]] = []  # begin, end, new begin
    for begin, length in sorted(parts):
        if pieces and begin < pieces[-1][1] + PAGE:
            pieces[-1][1] = max(pieces[-1][1], begin + length)
        else:
            at = pieces[-1][2] + pieces[-1][1] - pieces[-1][0] if pieces else 0
            pieces.append([begin, begin + length, at + (begin - at) % PAGE])
    saved = len(data) - (pieces[-1][2] + pieces[-1][1] - pieces[-1][0])
    if saved < 2**20:
        return 0

    def moved(offset: int) -> int:
        piece = [piece for piece in pieces if piece[0] <= offset][-1]
        return min(offset, piece[1]) - piece[0] + piece[2]

    compacted = bytearray(len(data) - saved)
    for begin, end, at in pieces:
        compacted[at : at + end - begin] = data[begin:end]
    struct.pack_into("<QQ", compacted, 0x20, moved(programs), moved(sections))
    for number, header in enumerate(headers):
        header[2] = moved(header[2])
        header[7] = min(header[7], PAGE)
        struct.pack_into("<IIQQQQQQ", compacted, moved(programs) + number * program_size, *header)
    for number, section in enumerate(named):
        section[4] = moved(section[4])
        struct.pack_into("<IIQQQQIIQQ", compacted, moved(sections) + number * section_size, *section)
    path.write_bytes(compacted)
    return saved


def packages() -> list[tuple[dict[str, str], str]]:
    """Debian's packages that are installed: the fields of each that take one line, and all its text."""
    stanzas = (DATABASE / "status").read_text().strip().split("\n\n")
    return [(dict(re.findall(r"^([A-Za-z-]+): (.*)$", text, re.MULTILINE)), text) for text in stanzas]


def packages_needed(known: dict[str, dict[str, str]]) -> set[str]:
    """The names of PACKAGES and of all that they depend on."""
    provided = defaultdict(list)
    for name, fields in known.items():
        for virtual in _names(fields.get("Provides", "")):
            provided[virtual].append(name)
    kept: set[str] = set()
    todo = list(PACKAGES)
    while todo:
        name = todo.pop()
        if name not in kept and name in known and name not in NOT_FOLLOWED | STAND_INS.keys():
            kept.add(name)
            for wanted in _names(f"{known[name].get('Pre-Depends', '')},{known[name].get('Depends', '')}"):
                todo += [wanted] if wanted in known else provided[wanted]
    missing = set(PACKAGES) - kept
    if missing:
        sys.exit(f"close: Debian's packages {missing} are not installed")
    return kept


def close_system(work: Path) -> dict[str, int]:
    """Delete Debian's packages that none of PACKAGES depends on; returns the bytes that went."""
    stanzas = packages()
    made = [stand_in(library, work) for library in STAND_INS.values()]
    known = {fields["Package"]: fields for fields, _ in stanzas}
    kept = packages_needed(known)
    stays = {path for name in kept for path in _files(known[name])}
    went = [path for name in known.keys() - kept for path in _files(known[name]) if path not in stays]
    saved = remove(path for path in went if path.is_symlink() or path.is_file())
    for path in sorted(went, reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    (DATABASE / "status").write_text("\n\n".join(text for fields, text in stanzas if fields["Package"] in kept) + "\n")
    (DATABASE / "status-old").unlink(missing_ok=True)
    saved += remove(
        path
        for path in (DATABASE / "info").iterdir()
        if path.name.split(".")[0] != "format" and not _owner(path) & kept
    )
    for library, file in zip(STAND_INS.values(), made, strict=True):
        shutil.copyfile(file, library)
    return {"Debian packages": saved}


def stand_in(library: Path, work: Path) -> Path:
    """A library of the same name that defines what others in its folder ask it for; whoever calls that, is stopped."""
    given = set(run("nm", "-D", "--defined-only", "--format=posix", library).split())
    asked: set[str] = set()
    for path in {path.resolve() for path in library.parent.glob("*.so*") if path.is_file()}:
        if library.name in needed(path):
            names = {line.split()[0] for line in run("nm", "-D", "-u", "--format=posix", path).splitlines()} & given
            kinds = {line.split()[2] for line in run("readelf", "-rW", path).splitlines() if names & set(line.split())}
            if not kinds <= {"R_X86_64_JUMP_SLOT", "R_AARCH64_JUMP_SLOT"}:
                sys.exit(f"close: {path.name} takes more from {library.name} than functions to call: {kinds}")
            asked |= names
    code, made = work / "stand_in.s", work / library.name
    stop = {"x86_64": "ud2", "aarch64": "udf #0"}[os.uname().machine]
    code.write_text(
        ".text\n" + "".join(f".globl {name}\n.type {name}, @function\n{name}:\n" for name in asked) + stop + "\n"
    )
    run("as", "-o", work / "stand_in.o", code)
    run("ld", "-shared", "-z", "noexecstack", "-soname", library.name, "-o", made, work / "stand_in.o")
    return made


def _owner(path: Path) -> set[str]:
    name = path.name.rsplit(".", 1)[0]
    return {name, name.split(":")[0]}


def _names(text: str) -> list[str]:
    """The packages that a line of dependencies names, alternatives and all."""
    return [name for part in re.split(r"[,|]", text) if (name := re.split(r"[\s:(]", part.strip())[0])]


def _files(fields: dict[str, str]) -> Iterator[Path]:
    for name in (fields["Package"], f"{fields['Package']}:{fields['Architecture']}"):
        listed = DATABASE / "info" / f"{name}.list"
        if listed.is_file():
            for line in listed.read_text().splitlines():
                path = Path(line)
                if line not in ("", "/."):  # through the links of a merged /usr
                    yield path.parent.resolve() / path.name


def remove_documents() -> int:
    """Documents but for licences, catalogues, caches and logs; returns the bytes that went."""
    saved = remove(Path("/usr/share") / name for name in DOCUMENTS)
    saved += remove(path for path in Path("/usr/share/doc").rglob("*") if path.is_file() and path.name != "copyright")
    for folder in ("/var/lib/apt", "/var/cache", "/var/log", "/usr/share/python3/runtime.d", "/root/.cache"):
        saved += remove(Path(folder).glob("*"))
    for broken in Path("/usr/bin").iterdir():  # links to programs that went
        if broken.is_symlink() and not broken.exists():
            broken.unlink()
    return saved


def remove(paths: Iterable[Path]) -> int:
    """Delete files and folders; returns the bytes that went."""
    total = 0
    for path in list(paths):
        total += size(path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return total


def size(path: Path) -> int:
    """Bytes on disk, on this file system alone."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    total, inodes = found.st_blocks * 512, set()
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            folders[:] = [name for name in folders if os.lstat(Path(folder, name)).st_dev == found.st_dev]
            for name in files:
                state = os.lstat(Path(folder, name))
                if state.st_ino not in inodes:
                    total += state.st_blocks * 512
                inodes.add(state.st_ino)
    return total


def bill_of_materials() -> None:
    """Write what the image holds as CycloneDX: what Python has by cyclonedx-py, and Debian's packages."""
    SHARE.mkdir(exist_ok=True)
    bill = SHARE / "sbom.cdx.json"
    run("/opt/bom/bin/cyclonedx-py", "environment", "--output-reproducible", "--of", "JSON", "-o", bill, PYTHON)
    told = json.loads(bill.read_text())
    (own,) = (part for part in told["components"] if part["name"] == "tractcap")
    told["metadata"]["component"] = {"type": "container", "name": "tractcap", "version": own["version"]}
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines())
    for fields, _ in packages():
        name, version, machine = fields["Package"], fields["Version"], fields["Architecture"]
        query = f"arch={machine}&distro={release['VERSION_CODENAME']}"
        address = f"pkg:deb/debian/{name}@{quote(version, safe='')}?{query}"
        part = {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}
        told["components"].append(part)
    bill.write_text(json.dumps(told, indent=1) + "\n")


# ---- 3. verify


def verify(work: Path) -> None:
    """Each library finds what it needs; the same is drawn as before."""
    files = [path for path in SITE.rglob("*.so*") if path.is_file()]
    lost = [line for line in run("ldd", *files).splitlines() if "not found" in line]
    if lost:
        sys.exit("close: libraries are missing: " + "; ".join(sorted(set(lost))))
    run(PYTHON, "-c", "\n".join(imports()))
    draw(work / "data", work / "after")
    kinds = Counter()
    for path in sorted((work / "before").rglob("*")):
        if path.suffix in {".png", ".gif", ".webp", ".mp4"}:
            kinds[path.suffix] += 1
            if path.read_bytes() != (work / "after" / path.relative_to(work / "before")).read_bytes():
                sys.exit(f"close: {path.name} is drawn in another way than before")
    print(f"close: the same as before, byte by byte: {dict(kinds)}")


if __name__ == "__main__":
    main()
