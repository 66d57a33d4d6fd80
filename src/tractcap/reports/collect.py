"""The records beside the pictures, as pages and tables take them in.

They may be written by others at the same time: a file that is gone is another run's business.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.records import tractogram as records
from tractcap.records.check import is_place, names_beside
from tractcap.records.identity import OVERVIEW, Variant
from tractcap.records.tractogram import DrawnRecord, TractogramRecord

FIGURES = "figures"


@dataclass(frozen=True, slots=True)
class ChecksMade:
    """Which checks of a bundle have records, by their ``names``; of which ``state`` of its file they should be.

    They lie in ``folder``, a POSIX path below the output, and their names begin with ``stem``.
    """

    folder: str
    stem: str
    names: tuple[str, ...]
    state: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class PictureSet:
    """One set of pictures: its ``record``, and its ``folder`` below the output, as a POSIX path.

    The names of its files begin with ``stem``; ``checks`` are those that have records too.
    """

    record: TractogramRecord
    folder: str
    stem: str = ""
    checks: tuple[str, ...] = ()

    @property
    def participant(self) -> str:
        """Label without ``sub-``; empty where there is none."""
        return self.record.participant

    @property
    def session(self) -> str:
        """Label without ``ses-``; empty where there is none."""
        return self.record.session

    @property
    def source(self) -> str:
        """The tractogram's path below the input; empty where its record can't be understood."""
        return self.record.sources[0] if self.record.sources else ""

    @property
    def status(self) -> str:
        """What became of it: see :data:`tractcap.records.identity.STATUSES`."""
        return self.record.status

    @property
    def key(self) -> str:
        """The bundle's name that is the same in all participants and tools."""
        return self.record.bundle.key

    @property
    def readable(self) -> str:
        """The bundle's name for people."""
        return self.record.bundle.readable

    @property
    def variant(self) -> Variant:
        """What sets it apart from others of the bundle in its session: entities and their labels, such as run."""
        return tuple(self.record.variant.items())

    @property
    def overview(self) -> bool:
        """Whether it shows several tractograms together."""
        return self.record.kind == OVERVIEW

    @property
    def why(self) -> str:
        """Why there are no pictures; empty where there are some."""
        return "" if isinstance(self.record, DrawnRecord) else self.record.why

    @cached_property
    def pictures(self) -> dict[str, str]:
        """Paths of the files below the output by what they show: ``mosaic``, ``left``, ``turntable.webp`` and so on."""
        names = self.record.pictures
        return {_shows(name): f"{self.folder}/{name}" if self.folder else name for name in names}

    @property
    def made(self) -> ChecksMade:
        """Its checks."""
        state = (self.record.source_bytes, self.record.source_modified)
        return ChecksMade(self.folder, self.stem, self.checks if isinstance(self.record, DrawnRecord) else (), state)


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


def tracts(output: Path, participant: str | None = None, left_out: list[str] | None = None) -> Iterator[PictureSet]:
    """Those of a participant (its label; ``""`` for those that are nobody's), or of everyone, ordered by path.

    A record that can't be understood is one too, with the status ``unreadable``. On files that aren't tractcap's,
    sentences are added to ``left_out``.
    """
    for folder in _figures(output, participant):
        relative = folder.relative_to(output).as_posix()
        found = _within(folder)
        names = {path.name for path in found}
        for path in found:
            if is_place(path.name, names):
                continue
            try:
                yield PictureSet(_read(path, output), relative, path.stem, names_beside(path.stem, names))
            except FileNotFoundError:
                continue
            except RecordError as error:
                if left_out is not None:
                    left_out.append(f"{path.relative_to(output).as_posix()} isn't told of here: {error.why}.")


def _read(path: Path, output: Path) -> TractogramRecord:
    try:
        return records.load(path)
    except RecordError as error:
        if error.foreign:
            raise
        return records.unreadable(path, output, error)


def page_of(output: Path, participant: str) -> Path:
    """Where a participant's page lies; that of ``""`` tells of what is nobody's."""
    return output / (f"sub-{participant}.html" if participant else "index.html")


def outdated(output: Path) -> list[str]:
    """Participants whose pages are older than what they tell of: shards may have written them side by side."""
    return [who for who, when in _changed(output).items() if _modified(page_of(output, who)) <= when]


def _changed(output: Path) -> dict[str, int]:
    """When (ns) the newest record of each participant was written."""
    found: dict[str, int] = {}
    for folder in _figures(output, None):
        top = folder.relative_to(output).parts[0]
        participant = top.removeprefix("sub-") if top.startswith("sub-") else ""
        found[participant] = max([*map(_modified, _within(folder)), found.get(participant, 0)])
    return found


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # not there


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
