"""Bundles within a file: the groups of a TRX, and DSI Studio's clusters, which ``FILE.txt`` names.

Each has a path like that of a file in a folder, ``bundles.trx/AF_L``: as nothing can lie in a file, it means nothing
else. Standard library alone.
"""

import re
import zipfile
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import read_text
from tractcap.inputs.filenames import split_name, split_source

_CLUSTERED = (".tt", ".tt.gz")
_GROUPED = (".trx",)


def split_bundle(name: str) -> tuple[str, str]:
    """Split a path into that of a file and the name of the bundle within it, empty for a tractogram's own path."""
    file, _, bundle = name.rpartition("/")
    is_within = split_name(file)[1] in (*_GROUPED, *_CLUSTERED) and not split_source(bundle)[1]
    return (file, bundle) if is_within else (name, "")


def may_hold_bundles(name: str) -> bool:
    """Whether a file of this name may hold several bundles."""
    return name.lower().endswith((*_GROUPED, *_CLUSTERED))


def bundles_within(path: Path) -> list[str]:
    """The bundles in a file that holds several, in order; none in others, and in those that can't be read.

    Raises
    ------
    RecordError
        When the file that names them can't be read.
    """
    ending = split_name(path.name)[1]
    try:
        found = _groups(path) if ending in _GROUPED else cluster_names(path) if ending in _CLUSTERED else []
    except RecordError:
        raise
    except Exception:  # nothing names any, or reading the file itself will tell what is wrong with it
        return []
    names = [name for name in dict.fromkeys(found) if name and _fits(name)]
    return names if len(names) > 1 else []


def unfit_groups(path: Path) -> list[str]:
    """The groups in a TRX whose names can't be those of bundles, since these stand in paths and names of files."""
    try:
        found = _groups(path) if split_name(path.name)[1] in _GROUPED else []
    except Exception:  # reading the file itself will tell what is wrong with it
        return []
    return [name for name in dict.fromkeys(found) if name and not _fits(name)]


def _fits(name: str) -> bool:
    """Whether a name isn't hidden, below a folder, or like that of a tractogram's file."""
    return not (name.startswith(".") or re.search(r"[/\x00-\x1f]", name) or split_source(name)[1])


def group_name(member: str) -> str:
    """The name of a TRX's group, ``groups/NAME.TYPE``, which may hold dots; empty of what is none."""
    folder, _, file = member.partition("/")
    name, _, _type = file.rpartition(".")
    return re.sub(r"\.[0-9]+$", "", name) if folder == "groups" else ""  # the number is that of columns


def names_file(path: Path) -> Path:
    """The file beside a ``.tt`` that names its clusters, one a line."""
    return path.with_name(f"{path.name}.txt")


def cluster_names(path: Path) -> list[str]:
    """The names of a ``.tt``'s clusters by their numbers, from 0; several numbers may have one name.

    Raises
    ------
    OSError, RecordError
        When there is no such file, it can't be read as text, or two names can't be told apart as names of files.
    """
    lines = [line.strip() for line in read_text(names_file(path)).splitlines()]
    usable: dict[str, str] = {}
    for line in lines:
        name = re.sub(r"^\.|[/\x00-\x1f]", "_", line)
        name = name if _fits(name) else name.replace(".", "_")
        if usable.setdefault(name, line) != line:
            why = f"its names {usable[name]!r} and {line!r} are both {name!r} as names of files: change one"
            raise RecordError(names_file(path), why)
    names = {line: name for name, line in usable.items()}
    return [names[line] for line in lines]


def _groups(path: Path) -> list[str]:
    members: list[str] = []
    if path.is_dir():
        members = [file.relative_to(path).as_posix() for file in (path / "groups").rglob("*") if file.is_file()]
    elif path.is_file():
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    return [group_name(member) for member in sorted(members)]
