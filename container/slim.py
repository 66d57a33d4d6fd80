#!/usr/bin/python3
"""Leave out of the image's Python packages what tractcap can't reach, in a step of the image's build.

    slim.py LEFT_OUT

1. The files and whole folders go that LEFT_OUT (container/left-out.txt) names.
2. All that tractcap's sources import, wherever the statement stands, is imported. Python writes byte code of it
   (pip wrote none): other modules are compiled when they are imported.
3. Of VTK's compiled modules those stay that are loaded then: what tractcap imports, what that imports in turn, and the
   libraries that these are linked to. VTK loads no others later.
4. Compiled files lose what only debuggers and linkers read, and padding.

Whole distributions aren't installed in the first place: container/install names them.
"""

# ruff: noqa: T201  a step of a build says what it did

import ast
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

PYTHON = "/opt/tractcap/bin/python"
SITE = Path(f"/opt/tractcap/lib/python{sysconfig.get_python_version()}/site-packages")

LOADED = """
print(*{line.split()[-1] for line in open("/proc/self/maps") if "/vtkmodules/" in line}, sep="\\n")
"""
"""Prints which compiled files of VTK are loaded."""


def main(left_out: Path) -> None:
    """Apply the rules, and print the size after each."""
    print_size("as installed")
    lines = (line.partition("#")[0].strip() for line in left_out.read_text().splitlines())
    for pattern in filter(None, lines):
        paths = list(SITE.glob(pattern))
        if not paths:
            sys.exit(f"slim: {left_out.name} names {pattern}: there is no such file")
        run("rm", "-r", *paths)
    print_size("without what is left out")

    loaded = run(PYTHON, "-c", "\n".join(imports()) + LOADED).splitlines()
    for path in (SITE / "vtkmodules").glob("*.so*"):
        if str(path) not in loaded:
            path.unlink()
    print_size("with the modules of VTK that are loaded")

    for path in SITE.rglob("*.so*"):
        align(path)
        run("strip", "--strip-unneeded", path)
    print_size("stripped")


def imports() -> Iterator[str]:
    """Every import statement of tractcap's sources."""
    for path in sorted((SITE / "tractcap").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__"):
                yield ast.unparse(node)


def align(path: Path) -> None:
    """Let a library's segments lie at multiples of 64 kB in the file, so that strip takes out the padding between them.

    The tool that puts libraries into wheels aligns segments to 2 MB: 6 MB for a library of 30 kB. 64 kB is the largest
    page of memory that Linux has on any machine.
    """
    data = bytearray(path.read_bytes())
    (headers,) = struct.unpack_from("<Q", data, 0x20)
    length, count = struct.unpack_from("<HH", data, 0x36)
    for header in range(headers, headers + length * count, length):
        (kind,) = struct.unpack_from("<I", data, header)
        (alignment,) = struct.unpack_from("<Q", data, header + 48)
        if kind == 1 and alignment > 2**16:  # PT_LOAD
            struct.pack_into("<Q", data, header + 48, 2**16)
    path.write_bytes(data)


def run(*command: str | Path) -> str:
    """Call a program, which must succeed; returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603  our own programs
    if done.returncode:
        sys.exit(f"slim: {command[0]} ended with status {done.returncode}:\n{done.stderr}")
    return done.stdout


def print_size(state: str) -> None:
    """Print what Python's packages take on disk."""
    size = sum(path.lstat().st_blocks * 512 for path in SITE.rglob("*"))
    print(f"slim: Python's packages {state}: {size >> 20} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
