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
    names = list(dict.fromkeys(filter(None, found)))
    return names if len(names) > 1 else []


def names_file(path: Path) -> Path:
    """The file beside a ``.tt`` that names its clusters, one a line."""
    return path.with_name(f"{path.name}.txt")


def cluster_names(path: Path) -> list[str]:
    """The names of a ``.tt``'s clusters by their numbers, from 0; several numbers may have one name.

    Raises
    ------
    OSError, RecordError
        When there is no such file, or it can't be read as text.
    """
    return [re.sub(r"[/.\x00-\x1f]", "_", line.strip()) for line in read_text(names_file(path)).splitlines()]


def _groups(path: Path) -> list[str]:
    members: list[str] = []
    if path.is_dir():
        members = [f"groups/{file.name}" for file in (path / "groups").iterdir()]
    elif path.is_file():
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    names = (member.removeprefix("groups/").split(".") for member in sorted(members) if member.startswith("groups/"))
    return [name for name, *kind in names if kind]
