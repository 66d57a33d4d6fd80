"""The tractograms that an output folder has pictures of: their records, and where they lie.

Other processes may write them at the same time: a file that vanishes while it is read is left to them.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import read_start
from tractcap.records import rating_reasons
from tractcap.records import tractogram_sidecar as records
from tractcap.records.check_sidecar import is_place, names_beside
from tractcap.records.sidecar_fields import OVERVIEW, Variant
from tractcap.records.tractogram_sidecar import DrawnRecord, TractogramRecord

FIGURES = "figures"
"""The folder of a participant or session that pictures and their records lie in."""


@dataclass(frozen=True, slots=True)
class CheckFiles:
    """The records of a bundle's checks: ``{stem}_check-{name}.json`` in ``folder``, a POSIX path below the output.

    ``state`` has sizes and times of the tractograms that the pictures were drawn from; the checks should be of these.
    """

    folder: str
    stem: str
    names: tuple[str, ...]
    state: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class PictureSet:
    """The pictures of a tractogram, or of several in an overview: their ``record`` and where they lie.

    ``folder`` is a POSIX path below the output, ``stem`` what the files' names begin with; ``checks`` are the names of
    the checks that have records too.
    """

    record: TractogramRecord
    folder: str
    stem: str = ""
    checks: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The tractogram's path below the input; empty where the record can't be understood."""
        return self.record.sources[0] if self.record.sources else ""

    @property
    def variant(self) -> Variant:
        """What sets it apart from others of the bundle in its session: entities and their labels, such as run."""
        return tuple(self.record.variant.items())

    @property
    def overview(self) -> bool:
        """Whether it shows several tractograms together."""
        return self.record.kind == OVERVIEW

    @property
    def anchor(self) -> str:
        """The id of its card on the participant's page."""
        place = f"{self.folder}/{self.stem}"
        if self.overview:
            return anchor("\n".join(self.record.sources) or place).replace("tract-", "overview-")
        return anchor(self.source or place)

    @property
    def why(self) -> str:
        """Why there are no pictures; empty where there are some."""
        return "" if isinstance(self.record, DrawnRecord) else self.record.why

    @cached_property
    def pictures(self) -> dict[str, str]:
        """Paths of the files below the output by what they show: ``mosaic``, ``left``, ``turntable.webp`` and so on."""
        paths = {}
        for name in self.record.pictures:
            view = name.rpartition("_")[2]
            if not view.startswith("turntable."):
                view = view.removesuffix(".png").removeprefix("view-")
            paths[view] = f"{self.folder}/{name}" if self.folder else name
        return paths

    @property
    def check_files(self) -> CheckFiles:
        """The records of its checks; none where there are no pictures."""
        state = (self.record.source_bytes, self.record.source_modified)
        return CheckFiles(self.folder, self.stem, self.checks if isinstance(self.record, DrawnRecord) else (), state)


def anchor(source: str) -> str:
    """The id of a tractogram's card on its participant's page."""
    return "tract-" + hashlib.sha1(source.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()[:10]


def distinguishing_entities(bundles: Iterable[tuple[str, Variant]]) -> tuple[str, ...]:
    """The entities by which tractograms of one bundle differ, in the order in which they are met.

    Parameters
    ----------
    bundles : the key of each tractogram's bundle, and its variant.
    """
    variants: dict[str, dict[Variant, None]] = {}
    for key, variant in bundles:
        variants.setdefault(key, {})[variant] = None
    entities: dict[str, None] = {}
    for several in variants.values():
        names = dict.fromkeys(name for variant in several for name, _ in variant)
        entities |= {name: None for name in names if len({dict(variant).get(name) for variant in several}) > 1}
    return tuple(entities)


def in_words(variant: Variant, entities: Collection[str]) -> str:
    """What sets a tractogram apart, by the entities that do: ``run 1, model csd``."""
    return ", ".join(f"{name} {label}" for name, label in variant if name in entities)


def picture_sets(
    output: Path, participant: str | None = None, left_out: list[str] | None = None
) -> Iterator[PictureSet]:
    """Read the records below an output folder, ordered by path.

    A record that can't be understood is yielded too, with the status ``unreadable``.

    Parameters
    ----------
    participant : whose, by label; ``""`` for tractograms without a participant, None for all.
    left_out : gets a sentence for each JSON file that isn't tractcap's.
    """
    for folder in figures_folders(output, participant):
        for name, checks in record_files(json_files(folder)):
            found = read_picture_set(output, folder, name, checks)
            if isinstance(found, PictureSet):
                yield found
            elif found and left_out is not None:
                left_out.append(found)


def record_files(names: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The files of pictures' records, among the sorted names of a folder's JSON files, each with its checks' names."""
    together = set(names)
    for name in names:
        if not is_place(name, together):
            yield name, names_beside(name.removesuffix(".json"), together)


def read_picture_set(output: Path, folder: Path, name: str, checks: tuple[str, ...]) -> PictureSet | str:
    """Read the record of pictures ``name`` in a folder.

    Returns
    -------
    One that can't be understood has the status ``unreadable``. A sentence where the file isn't tractcap's; empty where
    it has vanished.
    """
    path = folder / name
    try:
        record = records.load(path)
    except FileNotFoundError:
        return ""
    except RecordError as error:
        if error.foreign:
            return f"{path.relative_to(output).as_posix()} is left out: {error.why}."
        record = records.unreadable(path, output, error)
    return PictureSet(record, folder.relative_to(output).as_posix(), path.stem, checks)


def page_of(output: Path, participant: str) -> Path:
    """Where a participant's page lies; ``""`` stands for tractograms without a participant."""
    return output / (f"sub-{participant}.html" if participant else "index.html")


def listed(output: Path, participant: str) -> dict[Path, int]:
    """The JSON files of a participant's pictures and checks, and when they were written, in ns."""
    folders = figures_folders(output, participant)
    return {folder / name: _time(state) for folder in folders for name, state in json_files(folder).items()}


def outdated(output: Path) -> list[str]:
    """Participants whose pages are older than their records or reasons, or show fewer: shards may write at once."""
    newest: dict[str, int] = {}
    reasons = _modified(output / rating_reasons.NAME)
    counts: Counter[str] = Counter()
    for folder in figures_folders(output, None):
        top = folder.relative_to(output).parts[0]
        participant = top.removeprefix("sub-") if top.startswith("sub-") else ""
        states = json_files(folder).values()
        newest[participant] = max([*map(_time, states), newest.get(participant, 0), reasons])
        counts[participant] += len(states)
    pages = {participant: page_of(output, participant) for participant in newest}
    return [name for name, page in pages.items() if _modified(page) <= newest[name] or _shown(page) != counts[name]]


_RECORDS = re.compile(rb'<meta name="records" content="(\d+)">')


def _shown(page: Path) -> int:
    """Of how many files a page says that it was made; 0 where it says nothing."""
    try:
        said = _RECORDS.search(read_start(page, 1024))
    except (FileNotFoundError, RecordError):
        return 0
    return int(said[1]) if said else 0


def _modified(path: Path) -> int:
    """When a file was written, in ns; 0 where it isn't there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def figures_folders(output: Path, participant: str | None = None) -> Iterator[Path]:
    """The folders below an output that hold pictures and their records, in the order of their paths."""
    root = output / f"sub-{participant}" if participant else output
    for at, folders, _ in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if participant == "" and Path(at) == output:
            folders[:] = [name for name in folders if not name.startswith("sub-")]
        if Path(at).name == FIGURES:
            yield Path(at)


def json_files(folder: Path) -> dict[str, os.stat_result | None]:
    """The states of the JSON files in a folder, by their names in order; None of a link to nothing, or one gone."""
    states: dict[str, os.stat_result | None] = {}
    with suppress(OSError), os.scandir(folder) as entries:  # the folder may have vanished
        for entry in entries:
            if entry.name.endswith(".json"):
                states[entry.name] = None
                with suppress(OSError):
                    states[entry.name] = entry.stat()
    return dict(sorted(states.items()))


def _time(state: os.stat_result | None) -> int:
    return state.st_mtime_ns if state else 0
