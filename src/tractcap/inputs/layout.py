"""Which tractograms an input holds, whose they are, and where their pictures go. Standard library alone."""

import os
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.inputs.names import split_name

_LONGEST_STEM = 180
"""Bytes; a name may have 255 in all."""

_ENTITY = re.compile(r"(?<![a-zA-Z0-9])(sub|ses)-([a-zA-Z0-9]+)")


@dataclass(frozen=True)
class Source:
    """One tractogram: ``name`` is its path below the input.

    Its pictures lie in ``folder``, below the output, and their names begin with ``stem``.

    ``participant`` and ``session`` are labels without ``sub-`` and ``ses-``, empty where the path has none.
    """

    path: Path
    name: str
    participant: str
    session: str
    folder: str
    stem: str

    @property
    def title(self) -> str:
        """What the pictures call it."""
        known = f"sub-{self.participant}"
        title = self.stem if not self.participant or self.stem.startswith(known) else f"{known} {self.stem}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in title)


def fingerprint(path: Path) -> tuple[int, int]:
    """Bytes of a tractogram and when it was last changed (ns), of a folder over all its files.

    Raises
    ------
    OSError
        When it is gone.
    """
    files = [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]
    found = [file.stat() for file in files if file.is_file()]
    return sum(one.st_size for one in found), max((one.st_mtime_ns for one in found), default=0)


def find(root: Path, participants: Collection[str] = (), sessions: Collection[str] = ()) -> list[Source]:
    """Find the tractograms in a file or folder, in the order of their names.

    Parameters
    ----------
    root : a tractogram or a folder that is searched whole, hidden folders left aside.
    participants, sessions : labels to keep, with or without ``sub-`` and ``ses-``; empty keeps all.

    Raises
    ------
    SettingsError
        When the input isn't there or can't be read.
    """
    if not root.exists():
        raise SettingsError(
            f"the input {root} doesn't exist: give a tractogram, a folder of tractograms or a BIDS dataset."
        )
    alone = root.is_file() or _is_trx_folder(root)
    paths = [root] if alone else sorted(_walk(root))
    base = root.parent if alone else root
    sources = [_source(path, path.relative_to(base)) for path in paths]
    wanted = [
        source
        for source in sources
        if _matches(source.participant, participants, "sub-") and _matches(source.session, sessions, "ses-")
    ]
    return _apart(wanted)


def _walk(root: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise SettingsError(f"the folder {error.filename} can't be read: {error.strerror}.")

    for folder, folders, files in os.walk(root, onerror=stop, followlinks=True):
        at = Path(folder)
        packed = [name for name in folders if _is_trx_folder(at / name)]
        yield from (at / name for name in packed)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in packed)
        folders[:] = [name for name in folders if not _leads_back(at, name)]
        yield from (at / name for name in files if split_name(name)[1] and not name.startswith("."))


def _leads_back(at: Path, name: str) -> bool:
    """Whether a folder is a link to one that the walk is in."""
    return (at / name).is_symlink() and (at / name).resolve() in {folder.resolve() for folder in (at, *at.parents)}


def _is_trx_folder(path: Path) -> bool:
    return path.is_dir() and split_name(path.name)[1] == ".trx" and (path / "header.json").is_file()


def _source(path: Path, relative: Path) -> Source:
    entities = dict(_ENTITY.findall(relative.as_posix()))
    participant, session = entities.get("sub", ""), entities.get("ses", "")
    if participant:
        folder = Path(f"sub-{participant}", *([f"ses-{session}"] if session else []), "figures")
    else:
        folder = relative.parent / "figures"
    return Source(path, relative.as_posix(), participant, session, folder.as_posix(), split_name(path.name)[0])


def _matches(label: str, wanted: Collection[str], prefix: str) -> bool:
    return not wanted or label in {name.removeprefix(prefix) for name in wanted}


def _apart(sources: list[Source]) -> list[Source]:
    """Give those whose pictures would have the same names their whole path as a name instead."""
    taken = Counter((source.folder, source.stem) for source in sources)
    apart = (
        source if taken[source.folder, source.stem] == 1 else replace(source, stem=source.name.replace("/", "+"))
        for source in sources
    )
    return [replace(source, stem=_short(source.stem)) for source in apart]


def _short(stem: str) -> str:
    """A stem that leaves room for what is put behind it; of a longer one, its beginning and a sum of the whole."""
    whole = os.fsencode(stem)
    if len(whole) <= _LONGEST_STEM:
        return stem
    kept = whole[: _LONGEST_STEM - 9].decode(errors="ignore")
    return f"{kept}+{zlib.crc32(whole):08x}"
