"""Which tractograms an input holds, whose they are, and where their pictures go. Standard library alone."""

import json
import logging
import os
import re
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from tractcap.errors import SettingsError
from tractcap.inputs.bundles import BundleName, identify, is_known
from tractcap.inputs.filters import TRACTOGRAM, Filters
from tractcap.inputs.names import BUNDLE_ENTITIES, PERSON, SUFFIXES, entities, remainder, split_image, split_name

log = logging.getLogger("tractcap")

_LONGEST_STEM = 180
"""Bytes; a name may have 255 in all."""

_DESCRIPTION = "dataset_description.json"
_DERIVATIVES = "derivatives"
_FIGURES = "figures"
_JSON = ".json"
_SIDECARS = tuple(f"_{suffix}{_JSON}" for suffix in SUFFIXES)

_AFQ = re.compile(r"(?:det|prob)-(?:afq|reco\d*)(?:-clean)?(?:-|$)")
"""Of older versions of pyAFQ: how the bundle was found, before its name."""


_UNNAMED = BundleName("", "", "", "")


@dataclass(frozen=True)
class Source:
    """One tractogram: ``name`` is its path below the input.

    Its pictures lie in ``folder``, below the output, and their names begin with ``stem``.

    ``participant`` and ``session`` are labels without ``sub-`` and ``ses-``, empty where the path has none, as is
    ``space``. ``bundle`` is what the name tells of it, ``entities`` are all that BIDS finds there, ``dataset`` is the
    folder below the input that holds its dataset's description. An ``empty`` one's path is that of its JSON file.
    """

    path: Path
    name: str
    participant: str
    session: str
    folder: str
    stem: str
    bundle: BundleName = _UNNAMED
    space: str = ""
    empty: bool = False
    entities: tuple[tuple[str, str], ...] = ()
    dataset: str = ""

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


@dataclass(frozen=True)
class Image:
    """A participant's image: ``name`` is its path below the input, ``dataset`` the folder of the dataset it is of."""

    path: Path
    name: str
    dataset: str
    entities: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Found:
    """What an input holds: tractograms, and participants' images to draw them with."""

    sources: list[Source]
    images: tuple[Image, ...] = ()


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
    return search(root, Filters(participants, sessions)).sources


def search(root: Path, filters: Filters, output: Path | None = None) -> Found:
    """Find tractograms and images in one walk, in the order of their names.

    A tractogram's JSON file that stands alone is an empty bundle. What tractcap has made is left aside: figures in
    ``output``, and in datasets that say so.

    Parameters
    ----------
    root : a tractogram or a folder that is searched whole, hidden folders left aside.
    filters : what to keep. output : where pictures go, which may lie inside ``root``.

    Raises
    ------
    SettingsError
        When the input isn't there or can't be read.
    """
    if not root.exists():
        raise SettingsError(
            f"the input {root} doesn't exist: give a tractogram, a folder of tractograms or a BIDS dataset."
        )
    if root.is_file() or _is_trx_folder(root):
        sources = [_source(_File(root, root.name, ""))]
        return Found(_apart([one for one in sources if _wanted(one, filters)]))
    held = _Held()
    _walk(root, "", "", held, None if output is None else output.resolve())
    sources = [*map(_source, held.tractograms), *_empty(held)]
    wanted = [one for one in sources if _wanted(one, filters)]
    wanted.sort(key=lambda source: source.name.split("/"))
    images = [_image(file) for file in held.images if filters.keep_participant(_person(file.name))]
    return Found(_apart(wanted), tuple(images))


class _File(NamedTuple):
    path: Path
    name: str
    dataset: str


@dataclass
class _Held:
    """What the walk finds; ``alone`` are tractograms' JSON files beside which nothing else has their stem."""

    tractograms: list[_File] = field(default_factory=list)
    images: list[_File] = field(default_factory=list)
    alone: list[_File] = field(default_factory=list)


def _walk(at: Path, name: str, dataset: str, held: _Held, output: Path | None, ours: bool = False) -> None:
    """Add what a folder holds; each folder is read once, and files aren't looked at: network file systems are slow."""
    try:
        with os.scandir(at) as found:
            entries = sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda one: one.name)
    except OSError as error:
        raise SettingsError(f"the folder {at} can't be read: {error.strerror}.") from None
    folders = {entry.name for entry in entries if _is_folder(entry)}
    files = [entry.name for entry in entries if entry.name not in folders]
    if _DESCRIPTION in files or at.parent.name == _DERIVATIVES:  # which needn't describe itself
        dataset = name
    ours = ours or _is_output(at, output) or (_DESCRIPTION in files and _is_ours(at / _DESCRIPTION))
    packed = {one for one in folders if split_name(one)[1] == ".trx" and _is_trx_folder(at / one)}
    below = f"{name}/" if name else ""
    for one in (*files, *packed):
        _sort_in(_File(at / one, below + one, dataset), held)
    held.alone += [_File(at / one, below + one, dataset) for one in _alone([*files, *packed], at.name)]
    for entry in entries:
        if entry.name in folders - packed and not (ours and entry.name == _FIGURES) and not _leads_back(at, entry):
            _walk(at / entry.name, below + entry.name, dataset, held, output, ours)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_output(at: Path, output: Path | None) -> bool:
    return output is not None and at.name == output.name and at.resolve() == output


def _leads_back(at: Path, entry: os.DirEntry[str]) -> bool:
    """Whether a folder is a link to one that the walk is in."""
    return entry.is_symlink() and (at / entry.name).resolve() in {folder.resolve() for folder in (at, *at.parents)}


def _is_trx_folder(path: Path) -> bool:
    return path.is_dir() and split_name(path.name)[1] == ".trx" and (path / "header.json").is_file()


def _is_ours(path: Path) -> bool:
    """Whether a dataset's description says that tractcap made it."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))["GeneratedBy"]
        return any(by["Name"] == "tractcap" for by in made)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _sort_in(file: _File, held: _Held) -> None:
    name = file.path.name
    if split_name(name)[1]:
        held.tractograms.append(file)
    elif split_image(name)[1] and "sub-" in file.name:
        held.images.append(file)


def _alone(names: Collection[str], folder: str) -> list[str]:
    """Tractograms' JSON files beside which there is no other file of that stem.

    pyAFQ writes such files beside tables and maps too. The JSON files in ``figures`` are a report's.
    """
    if folder == _FIGURES:
        return []
    found = [name for name in names if name.endswith(_SIDECARS)]
    if not found:
        return []
    stems = Counter(name[: dot.start()] for name in names for dot in re.finditer(r"\.", name))
    return [name for name in found if stems[name.removesuffix(_JSON)] == 1]


def _empty(held: _Held) -> list[Source]:
    """Empty bundles: their JSON files don't describe other tractograms, which may lie beside or below them in BIDS."""
    having: dict[str, list[tuple[str, set[str]]]] = {}
    for file in held.tractograms:
        pieces = set(split_name(file.path.name)[0].split("_"))
        for piece in pieces:
            having.setdefault(piece, []).append((file.name, pieces))
    return [_source(file) for file in held.alone if not _describes(file, having)]


def _describes(file: _File, having: Mapping[str, list[tuple[str, set[str]]]]) -> bool:
    """Whether a JSON file is of tractograms whose names have all that its own has, and more."""
    folder, pieces = file.name.removesuffix(file.path.name), set(file.path.name.removesuffix(_JSON).split("_"))
    fewest = min((having.get(piece, []) for piece in pieces), key=len)
    return any(name.startswith(folder) and pieces <= those for name, those in fewest)


def _person(name: str) -> str:
    told: dict[str, str] = dict(PERSON.findall(name))
    return told.get("sub", "")


def _source(file: _File) -> Source:
    empty = file.path.name.endswith(_JSON)
    stem, ending = (file.path.name.removesuffix(_JSON), _JSON) if empty else split_name(file.path.name)
    told = entities(file.name, stem, ending)
    participant, session = told.get("sub", ""), told.get("ses", "")
    if participant:
        folder = "/".join([f"sub-{participant}", *([f"ses-{session}"] if session else []), _FIGURES])
    else:
        folder = file.name.removesuffix(file.path.name) + _FIGURES
    bundle, space = _bundle(stem, told), told.get("space", "")
    return Source(
        file.path, file.name, participant, session, folder, stem,
        bundle=bundle, space=space, empty=empty, entities=tuple(told.items()), dataset=file.dataset,
    )  # fmt: skip


def _image(file: _File) -> Image:
    stem, ending = split_image(file.path.name)
    return Image(file.path, file.name, file.dataset, tuple(entities(file.name, stem, ending).items()))


def _wanted(source: Source, filters: Filters) -> bool:
    return (
        filters.keep_participant(source.participant)
        and filters.keep_session(source.session)
        and filters.keep_bundle(source.bundle)
        and filters.keep(TRACTOGRAM, dict(source.entities))
    )


def _bundle(stem: str, told: Mapping[str, str]) -> BundleName:
    """Which bundle a tractogram is, by the entity that tells it or by what else its name holds."""
    side = f"_hemi-{told['hemi']}" if told.get("hemi") in ("L", "R") else ""
    for entity in BUNDLE_ENTITIES:
        label = told.get(entity, "")
        if entity == "desc":
            label = _AFQ.sub("", label) if told.get("suffix") == "tractography" or is_known(label) else ""
        if label:
            return _hemisphere(label, side)
    if bare := remainder(stem):
        return _hemisphere(bare, side)
    whole = identify("WholeBrain" if stem.endswith(SUFFIXES) else "Tractogram")
    return replace(whole, original=re.sub(PERSON.pattern + "_?", "", stem) or stem)


def _hemisphere(label: str, side: str) -> BundleName:
    named = identify(label)
    return named if named.hemisphere or not side else identify(label + side)


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
