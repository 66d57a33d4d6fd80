"""Find the tractograms in an input, and which participant each is of. Standard library alone.

The tree is walked once. Each tractogram's participant, session and bundle are read from its path: by ``--layout``, by
``sub-``, by the layout of a tool, or, for what is left, by the folders that hold the same bundles. What the filters ask
for is kept.
"""

import json
import os
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from sys import intern

from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_text
from tractcap.inputs.bundles_within import bundles_within, may_hold_bundles, unfit_groups
from tractcap.inputs.filenames import SUFFIXES, participant_of, split_image, split_name, split_source
from tractcap.inputs.filters import TRACTOGRAM, Filters
from tractcap.inputs.layouts import GROUP, Layout, bare_label, fitting, from_folders, from_labels, known
from tractcap.inputs.tractogram_source import FIGURES, Image, Source, divided, fingerprint

__all__ = ["Image", "SearchResult", "Source", "fingerprint", "search"]

_DESCRIPTION = "dataset_description.json"
_DERIVATIVES = "derivatives"
_JSON = ".json"
_SIDECARS = tuple(f"_{suffix}{_JSON}" for suffix in SUFFIXES)

_MOST_NAMED = 10
"""Names that a sentence lists; more are counted."""


@dataclass(frozen=True)
class SearchResult:
    """The tractograms in an input, and participants' images to draw them with.

    Parameters
    ----------
    sources, images : what is to be drawn, in the order of their paths, and the images that were met.
    people : sentences that name the participants, and say by what they were recognized.
    warnings : sentences on what was left out or is there twice.
    failed : sentences on what could not be read or understood.
    nothing : where no tractogram fits the filters, a sentence that says what there is.
    """

    sources: list[Source]
    images: tuple[Image, ...] = ()
    people: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    nothing: str = ""


def search(root: Path, filters: Filters, output: Path | None = None, layouts: Sequence[Layout] = ()) -> SearchResult:
    """Find tractograms and images in one walk, in the order of their paths.

    A tractogram's JSON file without the tractogram is an empty bundle. tractcap's own figures are ignored: those in
    ``output``, and in datasets that tractcap made. A file or folder that can't be read or understood doesn't affect
    the others. With a filter of participants, the folders of others are not searched.

    Parameters
    ----------
    root : a tractogram or a folder, which is searched whole except for hidden folders.
    filters : what to keep.
    output : where pictures go, which may be inside ``root``.
    layouts : patterns of paths; without any, paths are read by the names of BIDS, of the field's tools and of folders.

    Raises
    ------
    SettingsError
        When the input doesn't exist or can't be read, or a path fits the layouts in two ways.
    """
    if not root.exists():
        raise SettingsError(
            f"the input {root} doesn't exist: give a tractogram, a folder of tractograms or a BIDS dataset."
        )
    if root.is_file() or _is_trx_folder(root):
        single = _Search(root.parent, filters, output, layouts)
        single.take(root.name, "")
        return single.result()
    narrow = _Search(root, filters, output, layouts, filters.participant_labels)
    narrow.walk("", "")
    result = narrow.result()
    if result.sources or not narrow.skipped_unknown:
        return result
    whole = _Search(root, filters, output, layouts)  # a label may come from several folders together, or from none
    whole.walk("", "")
    return whole.result()


@dataclass
class _Labels:
    """Labels that were met, whether the filters ask for them or not; ``tracts`` are those asked for that were met."""

    participants: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    bundles: set[str] = field(default_factory=set)
    tracts: set[str] = field(default_factory=set)


class _Search:
    """One walk over an input, and what it has collected so far.

    With ``wanted`` participants, paths that can't be of them are skipped. ``skipped_unknown`` is true once a path was
    skipped whose participant isn't certain.
    """

    def __init__(
        self,
        root: Path,
        filters: Filters,
        output: Path | None,
        layouts: Sequence[Layout],
        wanted: Collection[str] = frozenset(),
    ) -> None:
        self._root, self._filters, self._layouts, self._wanted = root, filters, layouts, wanted
        self._output = None if output is None else output.resolve()
        self.skipped_unknown = False
        self._skipped_siblings = False
        self._sources: list[Source] = []
        self._images: list[Image] = []
        self._names: list[str] = []  # paths of all tractograms of the participants that the filters keep
        self._plain: list[tuple[str, str]] = []  # tractograms whose paths alone don't name a participant, and datasets
        self._lone_sidecars: list[tuple[str, str]] = []  # JSON files next to which there is no tractogram, and datasets
        self._labels = _Labels()
        self._spellings: dict[str, set[bool]] = defaultdict(set)  # of each participant: with sub-, without
        self._groups: dict[str, set[str]] = defaultdict(set)
        self._misfits: list[str] = []
        self._failed: list[str] = []

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        """Leave out a file or folder that raises anything, and go on with the others."""
        try:
            yield
        except SettingsError:
            raise
        except Exception as error:
            self._failed.append(f"{self._root / name} can't be understood ({error!r}): it is left out")

    # from the tree to paths

    def walk(self, folder: str, dataset: str, is_own: bool = False) -> None:
        """Take what a folder holds. Files are not opened, nor folders listed twice: network file systems are slow."""
        at, below = self._root / folder, f"{folder}/" if folder else ""
        folders: dict[str, bool] = {}  # by their names, whether they are links
        files: list[str] = []
        try:
            with os.scandir(at) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        with self._guarded(below + entry.name):
                            if _is_folder(entry):
                                folders[entry.name] = entry.is_symlink()
                            elif entry.name == _DESCRIPTION or self._may_be_wanted(below + entry.name):
                                files.append(entry.name)
        except OSError as error:
            if not folder:
                raise SettingsError(f"the folder {at} can't be read: {error.strerror}.") from None
            self._failed.append(f"the folder {at} can't be read: {error.strerror}; what it holds is left out")
            return
        if _DESCRIPTION in files or at.parent.name == _DERIVATIVES:  # a derivative may lack a description
            dataset = intern(folder)
        is_output = self._output is not None and at.name == self._output.name and at.resolve() == self._output
        is_own = is_own or is_output or (_DESCRIPTION in files and _is_by_tractcap(at / _DESCRIPTION))
        packed = {name for name in folders if _is_trx_folder(at / name)}
        names = sorted([*files, *packed])
        for name in names:
            with self._guarded(below + name):
                self.take(below + name, dataset)
        if at.name != FIGURES:  # the JSON files there are a report's
            self._lone_sidecars += [(below + name, dataset) for name in _lone_sidecars(names)]
        for name in self._to_enter(below, sorted(folders.keys() - packed)):
            with self._guarded(below + name):
                leads_back = folders[name] and (at / name).resolve() in {
                    parent.resolve() for parent in (at, *at.parents)
                }
                if not (leads_back or (is_own and name == FIGURES)):
                    self.walk(below + name, dataset, is_own)

    def _may_be_wanted(self, name: str) -> bool:
        """Whether a path holds the label of a wanted participant, in whatever way it is read later."""
        if not self._wanted or any(layout.has_label_in_parts for layout in self._layouts):
            return True
        joined = name.replace("/", "-")
        if any(label in joined for label in self._wanted):
            return True
        if split_name(name)[1]:
            if participant := participant_of(name):
                self._labels.participants.add(participant)
            if not participant or self._layouts:
                self.skipped_unknown = True
        return False

    def _to_enter(self, below: str, folders: Sequence[str]) -> Iterator[str]:
        """The folders that may hold what is wanted.

        Where a folder bears the name of a wanted participant, and holds tractograms, its siblings are other people's.
        """
        if self._layouts:
            for name in folders:
                if not self._wanted or any(layout.may_hold(below + name, self._wanted) for layout in self._layouts):
                    yield name
                else:
                    self.skipped_unknown = True
            return
        before = len(self._sources) + len(self._plain)
        yield from (name for name in folders if name in self._wanted)
        are_people = len(self._sources) + len(self._plain) > before
        for name in folders:
            session = name.removeprefix("ses-")
            if name in self._wanted:
                continue
            if are_people and not name.startswith("sub-") and name != _DERIVATIVES:
                self._skipped_siblings = True
                self._labels.participants.add(name)
            elif self._wanted and name.startswith("sub-") and (label := bare_label(name)) not in self._wanted:
                self._labels.participants.add(label)
            elif session != name and not self._filters.keep_session(session):
                self._labels.sessions.add(session)
                self._labels.participants.update(label for label in self._filters.participant_labels if label in below)
            else:
                yield name

    # from a path to a tractogram and its participant

    def take(self, name: str, dataset: str) -> None:
        """Take a file by its path, if it is a tractogram or a participant's image."""
        if split_name(name)[1]:
            self._take_tractogram(name, dataset)
        elif split_image(name)[1] and "sub-" in name and self._filters.keep_participant(participant_of(name)):
            self._images.append(Image(self._root, name, dataset))

    def _take_tractogram(self, name: str, dataset: str) -> None:
        if self._layouts:
            if layout := fitting(name, self._layouts):
                self._keep(Source(self._root, name, dataset, layout))
            else:
                self._misfits.append(name)
        elif (layout := known(name)) or participant_of(name):
            self._keep(Source(self._root, name, dataset, layout))
        elif not self._wanted:
            self._plain.append((name, dataset))
        elif layout := from_labels(name, self._wanted):
            self._keep(Source(self._root, name, dataset, layout))
        elif (parts := divided(split_source(name)[0].rpartition("/")[2])) and parts[0] in self._wanted:
            self._keep(Source(self._root, name, dataset))
        else:
            self.skipped_unknown = True

    def _keep_plain(self, layout: Layout | None) -> None:
        """Keep tractograms that had to wait until all paths were known, which give the layout of the folders."""
        plain, self._plain = self._plain, []
        for name, dataset in plain:
            with self._guarded(name):
                fits = layout and layout.match(name) is not None
                self._keep(Source(self._root, name, dataset, layout if fits else None))

    def _keep(self, source: Source) -> None:
        """Keep a tractogram if the filters do, and note its labels in any case."""
        facts, filters, labels = source.facts, self._filters, self._labels
        labels.participants.add(facts.participant)
        if not filters.keep_participant(facts.participant):
            return
        if not source.empty:
            self._names.append(source.name)
        labels.sessions.add(facts.session)
        if not filters.keep_session(facts.session):
            return
        self._keep_bundle(source)
        if not may_hold_bundles(source.name):
            return
        try:
            bundles = bundles_within(source.path)
        except RecordError as error:
            self._failed.append(
                f"{str(error).rstrip('.')}: the bundles within {source.name} aren't shown by themselves"
            )
            return
        if unfit := unfit_groups(source.path):
            self._failed.append(
                f"{source.path}: its groups {', '.join(map(repr, unfit))} aren't shown by themselves, since they can't "
                "be names of files: rename them"
            )
        for bundle in bundles:
            self._keep_bundle(replace(source, name=f"{source.name}/{bundle}"))

    def _keep_bundle(self, source: Source) -> None:
        """Keep a tractogram, or a bundle within it, if the filters of bundles and entities do."""
        facts, filters, labels = source.facts, self._filters, self._labels
        labels.bundles.add(facts.bundle.key)
        labels.tracts.update(label for label in filters.tracts if filters.means(label, facts.bundle))
        entities = dict(facts.entities)
        if filters.keep_bundle(facts.bundle) and filters.keep(TRACTOGRAM, entities):
            self._sources.append(source)
            self._spellings[facts.participant].add(bool(participant_of(source.file)))
            if group := entities.get(GROUP):
                self._groups[facts.participant].add(group)

    # what comes of it

    def result(self) -> SearchResult:
        """All that was found, and sentences on it."""
        layout = from_folders(name for name, _ in self._plain)
        self._keep_plain(layout)
        for name, dataset in _empty_bundles(self._lone_sidecars, self._names):
            with self._guarded(name):
                self._take_tractogram(name, dataset)
        self._keep_plain(layout)
        doubts = self._doubts()
        sources = [source for source in self._sources if not doubts or source.participant not in doubts]
        if any(_order(one) > _order(other) for one, other in pairwise(sources)):  # keys of all take memory
            sources.sort(key=_order)
        people: dict[str, dict[str, None]] = defaultdict(dict)  # labels, in order, by how they were recognized
        of_nobody: list[str] = []
        places, bundles = array("q"), array("q")  # hashes of the places of pictures, and of whose bundle it is
        for source in sources:
            facts = source.facts
            places.append(hash((source.folder, source.stem)))
            bundles.append(hash((facts.participant, facts.session, source.variant, facts.bundle.key)))
            if not facts.participant:
                of_nobody.append(source.name)
                continue
            people[self._recognized_by(source)][facts.participant] = None
        first: dict[int, Source] = {}
        twice: list[str] = []
        for source, bundle in _repeated(sources, bundles):
            if source.participant and (same := first.setdefault(bundle, source)) is not source:
                twice.append(f"{same.name} and {source.name}")
        unmet = list(self._unmet())
        warnings = list(doubts.values())
        if self._misfits:
            misfits = f"{_counted(self._misfits, 'tractogram')} fit no --layout, and are left out"
            warnings.append(f"{misfits}: {_listed(self._misfits)}")
        if twice:
            warnings.append(
                f"{_counted(twice, 'bundle')} found twice in one participant, and nothing in their paths sets "
                f"them apart: {_listed(twice, '; ')}"
            )
        if sources:
            warnings += unmet
        sentences = [
            f"{_counted(labels, 'participant')}, {by}: {_listed(list(labels))}" for by, labels in people.items()
        ]
        if people and of_nobody:
            sentences.append(f"{_counted(of_nobody, 'tractogram')} of no participant: {_listed(of_nobody)}")
        return SearchResult(
            _apart(sources, places),
            tuple(self._images),
            tuple(sentences),
            tuple(warnings),
            tuple(self._failed),
            "" if sources else next(iter(unmet), ""),
        )

    def _doubts(self) -> dict[str, str]:
        """Labels that may be two people's, who must not be shown as one, and sentences on them."""
        doubts = {
            label: f"participant {label} is found as {label} and as sub-{label}, which may be two people: both are "
            "left out; rename one of them, or give a --layout that fits one of them"
            for label, spellings in self._spellings.items()
            if label and len(spellings) > 1
        }
        return doubts | {
            label: f"participant {label} is in the groups {_listed(sorted(groups))}, and may be two people, who are "
            "left out; give a --layout that has {participant} for the group and {participant2} for the person"
            for label, groups in self._groups.items()
            if label and len(groups) > 1
        }

    def _unmet(self) -> Iterator[str]:
        """Sentences on labels that the filters ask for, and that no tractogram has."""
        filters, labels = self._filters, self._labels
        for kind, wanted, met, all_met in (
            ("participant", filters.participant_labels, labels.participants, labels.participants),
            ("session", filters.session_labels, labels.sessions, labels.sessions),
            ("bundle", filters.tracts, labels.tracts, labels.bundles),
        ):
            if missing := sorted(set(wanted) - met):
                present = sorted(label for label in all_met if label)
                there_are = f"there are: {_listed(present)}" if present else "none has any"
                yield f"no tractogram is of {kind} {_listed(missing)}; {there_are}"
                if not met.intersection(wanted):
                    return  # the filters that follow were never tried

    def _recognized_by(self, source: Source) -> str:
        layout = source.pattern
        if layout and layout.tool:
            return f"by the layout of {layout.tool}, {layout.text}"
        if self._layouts and layout:
            return f"by --layout {layout.text!r}"
        if layout and self._wanted:
            skipped = "; folders next to it were not searched" if self._skipped_siblings else ""
            return f"by a folder of that name, as --layout {layout.text!r} would{skipped}"
        if layout:
            return f"by folders that hold the same bundles, as --layout {layout.text!r} would"
        return "by sub- in their paths" if participant_of(source.file) else "by how their files' names begin"


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_trx_folder(path: Path) -> bool:
    return split_name(path.name)[1] == ".trx" and path.is_dir() and (path / "header.json").is_file()


def _is_by_tractcap(path: Path) -> bool:
    """Whether a dataset's description says that tractcap made it; one that can't be understood doesn't say so."""
    try:
        generators = json.loads(read_text(path))["GeneratedBy"]
        return any(generator["Name"] == "tractcap" for generator in generators)
    except (FileNotFoundError, RecordError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _lone_sidecars(names: Collection[str]) -> list[str]:
    """Tractograms' JSON files without another file of that stem: pyAFQ writes such files for tables and maps too."""
    sidecars = [name for name in names if name.endswith(_SIDECARS)]
    if not sidecars:
        return []
    stems = Counter(name[: dot.start()] for name in names for dot in re.finditer(r"\.", name))
    return [name for name in sidecars if stems[name.removesuffix(_JSON)] == 1]


def _empty_bundles(sidecars: Sequence[tuple[str, str]], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The lone JSON files that stand for empty bundles.

    Others describe tractograms that, as BIDS has it, are in the same folder or below, and have all parts of their name.
    """
    if not sidecars:
        return
    having: dict[str, list[str]] = {part: [] for name, _ in sidecars for part in _parts(name)}
    for name in names:
        for part in having.keys() & _parts(name):
            having[part].append(name)
    for name, dataset in sidecars:
        folder, parts = name[: name.rfind("/") + 1], _parts(name)
        fewest = min((having[part] for part in parts), key=len)
        if not any(other.startswith(folder) and parts <= _parts(other) for other in fewest):
            yield name, dataset


def _parts(name: str) -> set[str]:
    return set(split_source(name)[0].rpartition("/")[2].split("_"))


def _order(source: Source) -> str:
    return source.name.replace("/", "\0")


_PARTS = 16
"""Of many numbers, so that a part of them alone is in a set at a time."""


def _repeated(sources: Sequence[Source], hashes: "array[int]") -> Iterator[tuple[Source, int]]:
    """The tractograms that share their hash with others."""
    repeated: set[int] = set()
    for part in range(_PARTS):
        counts = Counter(number for number in hashes if number % _PARTS == part)
        repeated.update(number for number, count in counts.items() if count > 1)
    yield from ((source, number) for source, number in zip(sources, hashes, strict=True) if number in repeated)


def _apart(sources: list[Source], places: "array[int]") -> list[Source]:
    """Tractograms whose pictures would have the same place and name get their whole path as a name instead."""
    clashing = {source for source, _ in _repeated(sources, places)}
    if not clashing:
        return sources
    renamed = {source: replace(source, renamed=source.name.replace("/", "+")) for source in clashing}
    return [renamed.get(source, source) for source in sources]


def _counted(items: Collection[object], what: str) -> str:
    return f"{len(items):,} {what}{'s' * (len(items) != 1)}"


def _listed(names: Sequence[str], separator: str = ", ") -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return separator.join(names[:_MOST_NAMED]) + more
