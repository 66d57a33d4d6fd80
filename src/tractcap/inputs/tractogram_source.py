"""A tractogram or image as a place below the input; what its path says is read only when it is needed.

A dataset may hold a million of them, so each takes a few hundred bytes. Standard library alone.
"""

import os
import re
import stat
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tractcap.inputs.bundle_names import BundleName, identify, is_known, without_state
from tractcap.inputs.bundles_within import names_file, split_bundle
from tractcap.inputs.filenames import (
    BUNDLE_ENTITIES,
    SUFFIXES,
    entities,
    participant_of,
    remainder,
    split_image,
    split_source,
)
from tractcap.inputs.layouts import BUNDLE, GROUP, PARTICIPANT, SESSION, Layout, bare_label

FIGURES = "figures"

_LONGEST_STEM = 180
"""Bytes; a name may have 255 in all."""

_AFQ = re.compile(r"((?:det|prob)-(?:afq|reco\d*)(?:-clean)?)(?:-|$)")
"""Older versions of pyAFQ put how the bundle was found before its name."""

_NO_VARIANT = ("sub", "ses", "hemi", "suffix", "extension", "datatype", GROUP)
"""Entities that name the person, the session, the side or the kind of file."""

Variant = tuple[tuple[str, str], ...]
"""What sets a bundle's tractogram apart from others of it in one session: entities and their labels, such as run."""


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What a tractogram's path says: labels without ``sub-`` and ``ses-``, empty where the path has none."""

    participant: str
    session: str
    bundle: BundleName
    entities: tuple[tuple[str, str], ...]
    variant: Variant


@dataclass(frozen=True, slots=True)
class Source:
    """One tractogram, or one bundle of several in a file, as a place below the input.

    Parameters
    ----------
    root, name : the input, and the tractogram's path below it; a bundle within a file is below the file.
    dataset : the folder below the input that holds its dataset's description.
    pattern : the layout that its path is read by; None for names that need none.
    renamed : what its pictures' names begin with where that isn't its own name.
    elsewhere : the file, where a program says whose it is: ``name`` is then ``subject/tract``.
    """

    root: Path
    name: str
    dataset: str = ""
    pattern: Layout | None = None
    renamed: str = ""
    elsewhere: Path | None = None

    @property
    def path(self) -> Path:
        """The file, or the folder of an unpacked TRX; the JSON file of an ``empty`` bundle."""
        return self.elsewhere or self.root / self.name

    @property
    def file(self) -> str:
        """The path below the input without the bundle within the file."""
        return split_bundle(self.name)[0]

    @property
    def empty(self) -> bool:
        """Whether it is a JSON file without a tractogram: a bundle that a tool looked for and did not find."""
        return self.elsewhere is None and self.name.endswith(".json")

    @property
    def facts(self) -> PathFacts:
        """All that its path says."""
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
        """The bundle that the path names."""
        return self.facts.bundle

    @property
    def entities(self) -> tuple[tuple[str, str], ...]:
        """All BIDS entities in the path."""
        return self.facts.entities

    @property
    def space(self) -> str:
        """Label of the space that it is in; empty where the path names none."""
        return dict(self.facts.entities).get("space", "")

    @property
    def variant(self) -> Variant:
        """What sets it apart from others of the bundle in this session: run, model, space, dataset and so on.

        Only tractograms of one variant are shown together or compared.
        """
        dataset = self.dataset.rpartition("/")[2]
        origin = (
            ("tool", self.pattern.tool if self.pattern else ""),
            ("dataset", "" if dataset.startswith("sub-") else dataset),
        )
        return (*self.facts.variant, *((name, label) for name, label in origin if label))

    @property
    def folder(self) -> str:
        """Where its pictures go, below the output."""
        facts = self.facts
        if facts.participant:
            session = [f"ses-{facts.session}"] if facts.session else []
            return "/".join([f"sub-{facts.participant}", *session, FIGURES])
        return self.file[: self.file.rfind("/") + 1] + FIGURES

    @property
    def stem(self) -> str:
        """What its pictures' names begin with: its own name, or the bundle's where a folder names that."""
        (file, within), label = split_bundle(self.name), self.bundle.original
        own = "_".join(filter(None, [split_source(file)[0].rpartition("/")[2], within]))
        return short(self.renamed or (label if self.pattern and label not in own else own))

    @property
    def title(self) -> str:
        """What the pictures call it."""
        subject = f"sub-{self.participant}"
        title = self.stem if not self.participant or self.stem.startswith(subject) else f"{subject} {self.stem}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in title)


@dataclass(frozen=True, slots=True)
class Image:
    """A participant's image: ``name`` is its path below the input, ``dataset`` the folder of its dataset."""

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
        """All BIDS entities in the path."""
        stem, ending = split_image(self.name)
        return tuple(entities(self.name, stem.rpartition("/")[2], ending).items())


_COARSEST = 2
"""Seconds between two times that a file system can tell apart, at worst."""


def fingerprint(path: Path) -> tuple[int, int]:
    """Size of a tractogram in bytes and time of its last change in ns; of a folder, over all its files.

    The file that names a bundle within another is part of it. Some file systems know whole seconds alone, or every
    second one: what was changed just now is looked at again then, so that a change from now on has another time.

    Raises
    ------
    OSError
        When it is gone.
    """
    states = _states(path)
    newest = max((state.st_mtime for state in states), default=0.0)
    if newest.is_integer() and 0 < (wait := newest + _COARSEST - time.time()) <= _COARSEST:
        time.sleep(wait)
        states = _states(path)
    return sum(state.st_size for state in states), max((state.st_mtime_ns for state in states), default=0)


def _states(path: Path) -> list[os.stat_result]:
    """Those of a tractogram's files."""
    name, bundle = split_bundle(str(path))
    file = Path(name)
    states = [file.stat()]
    if stat.S_ISDIR(states[0].st_mode):
        states = [part.stat() for part in file.rglob("*") if part.is_file()]
    if bundle and (names := names_file(file)).exists():
        states.append(names.stat())
    return states


def divided(stem: str) -> tuple[str, str] | None:
    """A participant's label and the bundle in a name that holds nothing else, such as ``100307_CST_right``.

    Only where that is clear: the label has a digit, the bundle is known, and no other division would do.
    """
    if is_known(stem):
        return None
    splits = [(stem[: match.start()], stem[match.end() :]) for match in re.finditer("_", stem)]
    clear = [(label, bundle) for label, bundle in splits if is_known(bundle) and re.search("[0-9]", label)]
    return clear[0] if len(clear) == 1 else None


def short(stem: str) -> str:
    """A stem that leaves room for what follows it; a longer one is cut off and ends in a checksum of the whole."""
    whole = os.fsencode(stem)
    if len(whole) <= _LONGEST_STEM:
        return stem
    kept = whole[: _LONGEST_STEM - 9].decode(errors="ignore")
    return f"{kept}+{zlib.crc32(whole):08x}"


@lru_cache(maxsize=512)
def _facts(name: str, layout: Layout | None) -> PathFacts:
    file, within = split_bundle(name)
    if within:
        return replace(_facts(file, layout), bundle=identify(within))
    path, ending = split_source(name)
    stem = path.rpartition("/")[2]
    of_tool = bool(layout and layout.tool)

    # who: a layout says it, but sub- is more certain than a tool's folder; else the name may begin with a label
    captured = dict(layout.match(name) or {}) if layout else {}
    text, session = captured.pop(BUNDLE, stem), captured.pop(SESSION, "").removeprefix("ses-")
    labels = [captured.pop(key) for key in list(captured) if key.startswith(PARTICIPANT)]
    participant = participant_of(name)
    if labels and not (participant and of_tool):
        participant = bare_label("-".join(labels))
    if not participant and (parts := divided(text)):
        participant, text = parts
    for label in filter(None, [*labels, session]):  # the name may begin with who it is of
        text = re.sub(rf"^{re.escape(label)}[_\-. ]+(?=[^_\-. ])", "", text)
    text = text.replace(f"sub-{participant}", "sub-0", 1)  # labels that aren't BIDS's would be read as entities
    by_entity = entities(name, text, ending) | captured
    by_entity |= {key: value for key, value in (("sub", participant), ("ses", session)) if value}

    bundle, entity, state = _bundle(text, by_entity, of_tool)
    if bundle is None:
        kind = identify("WholeBrain" if stem.endswith(SUFFIXES) else "Tractogram")
        bare = re.sub(r"(?<![a-zA-Z0-9])(sub|ses)-[a-zA-Z0-9+]+_?", "", stem)
        bundle = replace(kind, original=bare or stem)
    variant = {"desc": state} if state else {}
    variant |= {key: value for key, value in by_entity.items() if key not in (*_NO_VARIANT, entity)}
    return PathFacts(participant, by_entity.get("ses", ""), bundle, tuple(by_entity.items()), tuple(variant.items()))


def _bundle(text: str, by_entity: Mapping[str, str], of_tool: bool) -> tuple[BundleName | None, str, str]:
    """The bundle that a name and its entities give, the entity that gives it, if any, and what was done with it."""
    label, entity, method = "", "", ""
    for entity in BUNDLE_ENTITIES:
        label = by_entity.get(entity, "")
        if entity == "desc":
            method = match[1] if (match := _AFQ.match(label)) else ""
            label = _AFQ.sub("", label) if by_entity.get("suffix") == "tractography" or is_known(label) else ""
        if label:
            break
    else:
        label, entity, method = remainder(text), "", ""
    if not label:
        return None, "", ""
    hemi = by_entity.get("hemi", "")
    bare, state = without_state(label)
    bundle = identify(bare if state and (of_tool or is_known(bare)) else label, hemi)
    original = f"{label}_hemi-{hemi}" if hemi and not identify(label).hemisphere else label
    return replace(bundle, original=original), entity, method or (state if bundle.original != label else "")
