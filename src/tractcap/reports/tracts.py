"""What the JSON files beside the pictures tell, as rows for pages and tables.

They may be written by others at the same time: a file that is gone or not whole is another run's business.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tractcap.inputs.source import Variant
from tractcap.reports.places import Made, is_place, names_beside

FIGURES = "figures"
DRAWN, FAILED, EMPTY = "drawn", "failed", "empty"


@dataclass(frozen=True)
class Tract:
    """One set of pictures: what is ``told`` of it, and its ``folder`` below the output, as a POSIX path.

    The names of its files begin with ``stem``; ``checks`` are those that have JSON files too.
    """

    told: Mapping[str, Any]
    folder: str
    stem: str = ""
    checks: tuple[str, ...] = ()

    @property
    def participant(self) -> str:
        """Label without ``sub-``; empty where there is none."""
        return str(self.told["Participant"])

    @property
    def session(self) -> str:
        """Label without ``ses-``; empty where there is none."""
        return str(self.told["Session"])

    @property
    def source(self) -> str:
        """The tractogram's path below the input."""
        return str(self.told["Sources"][0])

    @property
    def status(self) -> str:
        """``drawn``, ``failed`` or ``empty``."""
        return str(self.told["Status"])

    @property
    def key(self) -> str:
        """The bundle's name that is the same in all participants and tools."""
        return str(self.told["Bundle"]["Key"])

    @property
    def readable(self) -> str:
        """The bundle's name for people."""
        return str(self.told["Bundle"]["Readable"])

    @property
    def variant(self) -> Variant:
        """What sets it apart from others of the bundle in its session: entities and their labels, such as run."""
        told = self.told.get("Variant")
        return tuple((str(name), str(label)) for name, label in told.items()) if isinstance(told, dict) else ()

    @property
    def overview(self) -> bool:
        """Whether it shows several tractograms together."""
        return bool(self.told["Kind"] == "overview")

    @cached_property
    def pictures(self) -> dict[str, str]:
        """Paths of the files below the output by what they show: ``mosaic``, ``left``, ``turntable.webp`` and so on."""
        names = self.told.get("Pictures") or []
        return {_shows(name): f"{self.folder}/{name}" if self.folder else name for name in names}

    @property
    def made(self) -> Made:
        """Its checks."""
        state = (self.told.get("SourceBytes"), self.told.get("SourceModified"))
        return Made(self.folder, self.stem, self.checks if self.status == DRAWN else (), state)


def _shows(name: str) -> str:
    what = name.rpartition("_")[2]
    return what if what.startswith("turntable.") else what.removesuffix(".png").removeprefix("view-")


def telling(bundles: Iterable[tuple[str, Variant]]) -> tuple[str, ...]:
    """The entities by which tractograms of one bundle differ, in the order in which they are met.

    Parameters
    ----------
    bundles : the key of each tractogram's bundle, and its variant.
    """
    variants: dict[str, dict[Variant, None]] = {}
    for key, variant in bundles:
        variants.setdefault(key, {})[variant] = None
    found: dict[str, None] = {}
    for several in variants.values():
        names = dict.fromkeys(name for variant in several for name, _ in variant)
        found |= {name: None for name in names if len({dict(variant).get(name) for variant in several}) > 1}
    return tuple(found)


def in_words(variant: Variant, entities: Collection[str]) -> str:
    """What sets a tractogram apart, by the entities that do: ``run 1, model csd``."""
    return ", ".join(f"{name} {label}" for name, label in variant if name in entities)


def tracts(output: Path, participant: str | None = None, left_out: list[Path] | None = None) -> Iterator[Tract]:
    """Those of a participant (its label; ``""`` for those that are nobody's), or of everyone, ordered by path.

    Files that are not ours or not whole are added to ``left_out``.
    """
    for folder in _figures(output, participant):
        relative = folder.relative_to(output).as_posix()
        found = _within(folder)
        names = {path.name for path in found}
        for path in found:
            if is_place(path.name, names):
                continue
            if told := _read(path):
                yield Tract(told, relative, path.stem, names_beside(path.stem, names))
            elif left_out is not None and path.exists():
                left_out.append(path.relative_to(output))


def changed(output: Path) -> dict[str, int]:
    """When (ns) the newest JSON file of each participant was written."""
    found: dict[str, int] = {}
    for folder in _figures(output, None):
        top = folder.relative_to(output).parts[0]
        participant = top.removeprefix("sub-") if top.startswith("sub-") else ""
        times = [path.stat().st_mtime_ns for path in _within(folder) if path.is_file()]
        found[participant] = max([*times, found.get(participant, 0)])
    return found


def _figures(output: Path, participant: str | None) -> Iterator[Path]:
    root = output / f"sub-{participant}" if participant else output
    for at, folders, _ in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if participant == "" and Path(at) == output:
            folders[:] = [name for name in folders if not name.startswith("sub-")]
        if Path(at).name == FIGURES:
            yield Path(at)


def _within(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.json"))
    except OSError:
        return []  # gone


def _read(path: Path) -> Mapping[str, Any] | None:
    """What a JSON file tells, if it is ours and whole."""
    try:
        told = json.loads(path.read_text())
        ours = told["GeneratedBy"][0]["Name"] == "tractcap" and told["Sources"] and told["Status"] and told["Kind"]
        return told if ours and {"Participant", "Session", "Bundle", "Title"} <= told.keys() else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None
