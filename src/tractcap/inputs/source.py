"""Tractograms and images, each as where it lies below the input; what its path tells is read when it is asked for.

A dataset may hold a million of them, so each is a few hundred bytes. Standard library alone.
"""

import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tractcap.inputs.bundle_names import BundleName, identify, is_known, without_state
from tractcap.inputs.filenames import BUNDLE_ENTITIES, SUFFIXES, entities, participant_of, remainder, split_image
from tractcap.inputs.filenames import split_source as split
from tractcap.inputs.layouts import BUNDLE, GROUP, PARTICIPANT, SESSION, Layout, bare_label

FIGURES = "figures"

_LONGEST_STEM = 180
"""Bytes; a name may have 255 in all."""

_AFQ = re.compile(r"((?:det|prob)-(?:afq|reco\d*)(?:-clean)?)(?:-|$)")
"""Of older versions of pyAFQ: how the bundle was found, before its name."""

_NO_VARIANT = ("sub", "ses", "hemi", "suffix", "extension", "datatype", GROUP)
"""Entities that tell whose a bundle is, its side, or what kind of file it is in."""

Variant = tuple[tuple[str, str], ...]
"""What sets a bundle's tractogram apart from others of it in one session: entities and their labels, such as run."""


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What a tractogram's path tells."""

    participant: str
    session: str
    bundle: BundleName
    entities: tuple[tuple[str, str], ...]
    variant: Variant


@dataclass(frozen=True, slots=True)
class Source:
    """One tractogram: ``name`` is its path below the input, ``root``.

    ``dataset`` is the folder below the input that holds its dataset's description. ``pattern`` is how its path is read,
    None for what names tell by themselves. ``renamed`` is what its pictures' names begin with where that isn't its own
    name. ``elsewhere`` is the file where a program says whose it is: the name is then the subject's and the tract's.
    """

    root: Path
    name: str
    dataset: str = ""
    pattern: Layout | None = None
    renamed: str = ""
    elsewhere: Path | None = None

    @property
    def path(self) -> Path:
        """The file, or the folder that it is; an ``empty`` one's is that of its JSON file."""
        return self.elsewhere or self.root / self.name

    @property
    def empty(self) -> bool:
        """Whether it is a JSON file without a tractogram: a bundle that was looked for and not found."""
        return self.elsewhere is None and self.name.endswith(".json")

    @property
    def facts(self) -> PathFacts:
        """What its path tells."""
        if self.elsewhere:
            subject, _, tract = self.name.partition("/")
            return PathFacts(subject.removeprefix("sub-"), "", identify(tract), (), ())
        return _facts(self.name, self.pattern)

    @property
    def participant(self) -> str:
        """Label without ``sub-``; empty where the path has none."""
        return self.facts.participant

    @property
    def session(self) -> str:
        """Label without ``ses-``; empty where the path has none."""
        return self.facts.session

    @property
    def bundle(self) -> BundleName:
        """What the path tells of the bundle."""
        return self.facts.bundle

    @property
    def entities(self) -> tuple[tuple[str, str], ...]:
        """All that BIDS finds in the path."""
        return self.facts.entities

    @property
    def space(self) -> str:
        """Label of the space that it is in; empty where none is named."""
        return dict(self.facts.entities).get("space", "")

    @property
    def variant(self) -> Variant:
        """What sets it apart from others of the bundle in this session: run, model, space, dataset and so on.

        Only those of one variant are shown together or compared.
        """
        dataset = self.dataset.rpartition("/")[2]
        made = (
            ("tool", self.pattern.tool if self.pattern else ""),
            ("dataset", "" if dataset.startswith("sub-") else dataset),
        )
        return (*self.facts.variant, *((name, label) for name, label in made if label))

    @property
    def folder(self) -> str:
        """Where its pictures lie, below the output."""
        told = self.facts
        if told.participant:
            return "/".join([f"sub-{told.participant}", *([f"ses-{told.session}"] if told.session else []), FIGURES])
        return self.name[: self.name.rfind("/") + 1] + FIGURES

    @property
    def stem(self) -> str:
        """What its pictures' names begin with: its own name, or the bundle's where a folder tells that."""
        own, label = split(self.name)[0].rpartition("/")[2], self.bundle.original
        return short(self.renamed or (label if self.pattern and label not in own else own))

    @property
    def title(self) -> str:
        """What the pictures call it."""
        known = f"sub-{self.participant}"
        title = self.stem if not self.participant or self.stem.startswith(known) else f"{known} {self.stem}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in title)


@dataclass(frozen=True, slots=True)
class Image:
    """A participant's image: ``name`` is its path below the input, ``dataset`` the folder of the dataset it is of."""

    root: Path
    name: str
    dataset: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.root / self.name

    @property
    def participant(self) -> str:
        """Label without ``sub-``."""
        return participant_of(self.name)

    @property
    def entities(self) -> tuple[tuple[str, str], ...]:
        """All that BIDS finds in the path."""
        stem, ending = split_image(self.name)
        return tuple(entities(self.name, stem.rpartition("/")[2], ending).items())


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


def divided(stem: str) -> tuple[str, str] | None:
    """A participant's label and the bundle in a name that holds nothing else, such as ``100307_CST_right``.

    Only where that is clear: the label has a digit, the bundle is known, and no other division would do.
    """
    if is_known(stem):
        return None
    places = [found.start() for found in re.finditer("_", stem)]
    ways = [(stem[:at], stem[at + 1 :]) for at in places if is_known(stem[at + 1 :]) and re.search("[0-9]", stem[:at])]
    return ways[0] if len(ways) == 1 else None


@lru_cache(maxsize=512)
def _facts(name: str, pattern: Layout | None) -> PathFacts:
    path, ending = split(name)
    stem = path.rpartition("/")[2]
    captured = dict(pattern.match(name) or {}) if pattern else {}
    text, session = captured.pop(BUNDLE, stem), captured.pop(SESSION, "").removeprefix("ses-")
    labels = [captured.pop(key) for key in list(captured) if key.startswith(PARTICIPANT)]
    participant = participant_of(name)
    if labels and not (participant and pattern and pattern.tool):  # sub- tells more surely than a tool's folder
        participant = bare_label("-".join(labels))
    if not participant and (way := divided(text)):
        participant, text = way
    text = _without_labels(text, [*labels, session]).replace(f"sub-{participant}", "sub-0", 1)
    told = entities(name, text, ending) | captured
    told |= {key: value for key, value in (("sub", participant), ("ses", session)) if value}
    bundle, entity, state = _bundle(text, told, bool(pattern and pattern.tool)) or (_whole(stem), "", "")
    own = {key: value for key, value in told.items() if key not in (*_NO_VARIANT, entity)}
    variant = ({"desc": state} if state else {}) | own
    return PathFacts(participant, told.get("ses", ""), bundle, tuple(told.items()), tuple(variant.items()))


def _without_labels(text: str, labels: list[str]) -> str:
    """A name without whose it is in front."""
    for label in filter(None, labels):
        text = re.sub(rf"^{re.escape(label)}[_\-. ]+(?=[^_\-. ])", "", text)
    return text


def _bundle(text: str, told: Mapping[str, str], of_tool: bool) -> tuple[BundleName, str, str] | None:
    """Which bundle a tractogram is, the entity that tells it if one does, and what was done with it."""
    for entity in BUNDLE_ENTITIES:
        label, method = told.get(entity, ""), ""
        if entity == "desc":
            method = found[1] if (found := _AFQ.match(label)) else ""
            label = _AFQ.sub("", label) if told.get("suffix") == "tractography" or is_known(label) else ""
        if label:
            bundle, state = _named(label, told.get("hemi", ""), of_tool)
            return bundle, entity, method or state
    if bare := remainder(text):
        bundle, state = _named(bare, told.get("hemi", ""), of_tool)
        return bundle, "", state
    return None


def _named(label: str, hemi: str, of_tool: bool) -> tuple[BundleName, str]:
    bare, state = without_state(label)
    bundle = identify(bare if state and (of_tool or is_known(bare)) else label, hemi)
    original = f"{label}_hemi-{hemi}" if hemi and not identify(label).hemisphere else label
    return replace(bundle, original=original), state if bundle.original != label else ""


def _whole(stem: str) -> BundleName:
    """Of a name that tells no bundle."""
    whole = identify("WholeBrain" if stem.endswith(SUFFIXES) else "Tractogram")
    return replace(whole, original=re.sub(r"(?<![a-zA-Z0-9])(sub|ses)-[a-zA-Z0-9+]+_?", "", stem) or stem)


def short(stem: str) -> str:
    """A stem that leaves room for what is put behind it; of a longer one, its beginning and a sum of the whole."""
    whole = os.fsencode(stem)
    if len(whole) <= _LONGEST_STEM:
        return stem
    kept = whole[: _LONGEST_STEM - 9].decode(errors="ignore")
    return f"{kept}+{zlib.crc32(whole):08x}"
