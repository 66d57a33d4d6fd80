"""Which tractograms an input holds, whose they are, and where their pictures go. Standard library alone."""

import json
import os
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from sys import intern

from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_text
from tractcap.inputs.filenames import SUFFIXES, participant_of, split_image, split_name, split_source
from tractcap.inputs.filters import TRACTOGRAM, Filters
from tractcap.inputs.layouts import GROUP, Layout, bare_label, fitting, from_folders, from_labels, known
from tractcap.inputs.source import FIGURES, Image, Source, divided, fingerprint

__all__ = ["Image", "SearchResult", "Source", "find", "fingerprint", "search"]

_DESCRIPTION = "dataset_description.json"
_DERIVATIVES = "derivatives"
_JSON = ".json"
_SIDECARS = tuple(f"_{suffix}{_JSON}" for suffix in SUFFIXES)

_MOST_NAMED = 10
"""Names that a sentence has; more are counted."""


@dataclass(frozen=True)
class SearchResult:
    """What an input holds: tractograms, and participants' images to draw them with.

    ``people`` are sentences on who was found, and by what; ``warnings`` on what was left out or is there twice;
    ``failed`` on what could not be read or named. ``nothing`` says what there is where nothing is what was asked for.
    """

    sources: list[Source]
    images: tuple[Image, ...] = ()
    people: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    nothing: str = ""


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


def search(root: Path, filters: Filters, output: Path | None = None, layouts: Sequence[Layout] = ()) -> SearchResult:
    """Find tractograms and images in one walk, in the order of their names.

    A tractogram's JSON file that stands alone is an empty bundle. What tractcap has made is left aside: figures in
    ``output``, and in datasets that say so. What can't be read or named costs itself alone. Where participants are
    asked for, others' folders aren't looked into.

    Parameters
    ----------
    root : a tractogram or a folder that is searched whole, hidden folders left aside.
    filters : what to keep. output : where pictures go, which may lie inside ``root``.
    layouts : patterns of paths; empty reads paths by the names of BIDS, of the field's tools and of folders.

    Raises
    ------
    SettingsError
        When the input isn't there or can't be read, or a path fits the layouts in two ways.
    """
    if not root.exists():
        raise SettingsError(
            f"the input {root} doesn't exist: give a tractogram, a folder of tractograms or a BIDS dataset."
        )
    if root.is_file() or _is_trx_folder(root):
        alone = _Search(root.parent, filters, output, layouts, narrow=False)
        alone.take(root.name, "")
        return alone.found()
    held = _Search(root, filters, output, layouts, narrow=True)
    held.walk("", "")
    found = held.found()
    if not found.sources and held.narrowed:  # several folders may name a participant, or none
        held = _Search(root, filters, output, layouts, narrow=False)
        held.walk("", "")
        found = held.found()
    return found


@dataclass
class _There:
    """Labels that were met, whether they are asked for or not; ``tracts`` are those asked for that were met."""

    participants: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    bundles: set[str] = field(default_factory=set)
    tracts: set[str] = field(default_factory=set)


class _Search:
    """Collects what lies below ``root``.

    Where it is to be ``narrow``, what can't be of the participants that are asked for is passed by; ``narrowed`` tells
    that something was whose participant isn't known.
    """

    def __init__(
        self, root: Path, filters: Filters, output: Path | None, layouts: Sequence[Layout], narrow: bool
    ) -> None:
        self._root, self._filters, self._layouts = root, filters, layouts
        self._output = None if output is None else output.resolve()
        self._asked = filters.participant_labels if narrow else frozenset()
        self.narrowed = False
        self._sources: list[Source] = []
        self._images: list[Image] = []
        self._names: list[str] = []  # of the tractograms of those who are asked for
        self._plain: list[tuple[str, str]] = []  # tractograms whose names alone don't tell whose they are
        self._alone: list[tuple[str, str]] = []  # JSON files of tractograms that aren't there, as it seems
        self._there = _There()
        self._misfits: list[str] = []
        self._failed: list[str] = []
        self._beside = False

    # what there is

    def walk(self, name: str, dataset: str, ours: bool = False) -> None:
        """Take what a folder holds; each is listed once, and files aren't looked at: network file systems are slow."""
        at = self._root / name
        try:
            folders, files = self._listed(at, f"{name}/" if name else "")
        except OSError as error:
            if not name:
                raise SettingsError(f"the folder {at} can't be read: {error.strerror}.") from None
            self._failed.append(f"the folder {at} can't be read: {error.strerror}; what it holds is left out")
            return
        if _DESCRIPTION in files or at.parent.name == _DERIVATIVES:  # which needn't describe itself
            dataset = intern(name)
        ours = ours or self._is_output(at) or (_DESCRIPTION in files and _is_ours(at / _DESCRIPTION))
        packed = [one for one in folders if split_name(one)[1] == ".trx" and _is_trx_folder(at / one)]
        below = f"{name}/" if name else ""
        for one in sorted([*files, *packed]):
            self._attempt(self.take, below + one, dataset)
        self._alone += [(below + one, dataset) for one in _alone([*files, *packed], at.name)]
        for one in self._entered(below, [one for one in folders if one not in packed]):
            if not (ours and one == FIGURES) and not (folders[one] and _leads_back(at, one)):
                self._attempt(self.walk, below + one, dataset, ours)

    def _attempt(self, action: Callable[..., None], name: str, *more: object) -> None:
        """Take a file or folder; whatever one of them raises costs it alone."""
        try:
            action(name, *more)
        except SettingsError:
            raise
        except Exception as error:
            self._failed.append(f"{self._root / name} can't be understood ({error!r}): it is left out")

    def _listed(self, at: Path, below: str) -> tuple[dict[str, bool], list[str]]:
        """Folders, and whether they are links, and files that may be of those who are asked for."""
        folders: dict[str, bool] = {}
        files: list[str] = []

        def sort_in(name: str, entry: "os.DirEntry[str]") -> None:
            if _is_folder(entry):
                folders[entry.name] = entry.is_symlink()
            elif self._may_be_asked(name) or entry.name == _DESCRIPTION:
                files.append(entry.name)

        with os.scandir(at) as found:
            for entry in found:
                if not entry.name.startswith("."):
                    self._attempt(sort_in, below + entry.name, entry)
        return dict(sorted(folders.items())), files

    def _may_be_asked(self, name: str) -> bool:
        """Whether a path holds the label of a participant that is asked for, as each way to read it needs."""
        if not self._asked or any("{participant2}" in one.text for one in self._layouts):
            return True
        parts = name.replace("/", "-")
        if any(label in parts for label in self._asked):
            return True
        if split_name(name)[1]:
            self._pass_by(participant_of(name))
        return False

    def _pass_by(self, participant: str) -> None:
        self.narrowed = self.narrowed or not participant or bool(self._layouts)
        if participant:
            self._there.participants.add(participant)

    def _entered(self, below: str, folders: Sequence[str]) -> Iterator[str]:
        """The folders that may hold what is asked for.

        Where a folder bears the name of a participant that is asked for, and holds tractograms, those beside it are
        other people's.
        """
        if self._layouts:
            yield from (one for one in folders if self._leads(below + one))
            return
        asked = [one for one in folders if one in self._asked]
        before = len(self._sources) + len(self._plain)
        yield from asked
        found = len(self._sources) + len(self._plain) > before
        for one in (one for one in folders if one not in asked):
            if found and not one.startswith("sub-") and one != _DERIVATIVES:
                self._beside = True
                self._there.participants.add(one)
            elif not self._is_others(below, one):
                yield one

    def _leads(self, folder: str) -> bool:
        leads = not self._asked or any(one.may_hold(folder, self._asked) for one in self._layouts)
        self.narrowed = self.narrowed or not leads
        return leads

    def _is_others(self, below: str, folder: str) -> bool:
        """Whether a folder is, by its name, of a participant or session that isn't asked for."""
        if folder.startswith("sub-") and self._asked and (label := bare_label(folder)) not in self._asked:
            self._there.participants.add(label)
            return True
        if folder.startswith("ses-") and not self._filters.keep_session(folder.removeprefix("ses-")):
            self._there.sessions.add(folder.removeprefix("ses-"))
            self._there.participants.update(label for label in self._filters.participant_labels if label in below)
            return True
        return False

    def _is_output(self, at: Path) -> bool:
        return self._output is not None and at.name == self._output.name and at.resolve() == self._output

    # whose it is

    def take(self, name: str, dataset: str) -> None:
        """Take a file by its path, if it is a tractogram or an image."""
        if split_name(name)[1]:
            self._take_tractogram(name, dataset)
        elif split_image(name)[1] and "sub-" in name and self._filters.keep_participant(participant_of(name)):
            self._images.append(Image(self._root, name, dataset))

    def _take_tractogram(self, name: str, dataset: str) -> None:
        if self._layouts:
            pattern = fitting(name, self._layouts)
            if pattern is None:
                self._misfits.append(name)
                return
        else:
            pattern = known(name)
        if pattern or participant_of(name):
            self._keep(Source(self._root, name, dataset, pattern))
        elif not self._asked:
            self._plain.append((name, dataset))
        elif pattern := from_labels(name, self._asked):
            self._keep(Source(self._root, name, dataset, pattern))
        elif (way := divided(split_source(name)[0].rpartition("/")[2])) and way[0] in self._asked:
            self._keep(Source(self._root, name, dataset))
        else:
            self._pass_by("")

    def _keep(self, source: Source) -> None:
        """Keep a tractogram if it is asked for."""
        told, filters, there = source.facts, self._filters, self._there
        there.participants.add(told.participant)
        if not filters.keep_participant(told.participant):
            return
        if not source.empty:
            self._names.append(source.name)
        there.sessions.add(told.session)
        if not filters.keep_session(told.session):
            return
        there.bundles.add(told.bundle.key)
        there.tracts.update(label for label in filters.tracts if filters.means(label, told.bundle))
        if filters.keep_bundle(told.bundle) and filters.keep(TRACTOGRAM, dict(told.entities)):
            self._sources.append(source)

    # what comes of it

    def found(self) -> SearchResult:
        """All that was found."""
        pattern = from_folders(name for name, _ in self._plain)
        self._settle(pattern)
        for name, dataset in _empty(self._alone, self._names):
            self._attempt(self._take_tractogram, name, dataset)
        self._settle(pattern)
        self._sources.sort(key=lambda source: source.name.replace("/", "\0"))
        met = _Met(self._sources, self._by)
        if doubtful := met.doubtful():
            met = _Met([source for source in self._sources if source.participant not in doubtful], self._by)
        sources, unmet = met.apart(), list(self._unmet())
        warnings = [*doubtful.values(), *self._unfit(), *met.twice, *(unmet if sources else ())]
        return SearchResult(
            sources,
            tuple(self._images),
            tuple(met.people()),
            tuple(warnings),
            tuple(self._failed),
            "" if sources else next(iter(unmet), ""),
        )

    def _settle(self, pattern: Layout | None) -> None:
        """Keep what could not be kept before all paths were known."""

        def keep(name: str, dataset: str) -> None:
            fits = pattern and pattern.match(name) is not None
            self._keep(Source(self._root, name, dataset, pattern if fits else None))

        plain, self._plain = self._plain, []
        for name, dataset in plain:
            self._attempt(keep, name, dataset)

    def _unfit(self) -> Iterator[str]:
        if self._misfits:
            yield f"{_counted(self._misfits, 'tractogram')} fit no --layout, and are left out: {_named(self._misfits)}"

    def _unmet(self) -> Iterator[str]:
        """Sentences on labels that are asked for, and that nothing has."""
        filters, there = self._filters, self._there
        for kind, asked, met, all_met in (
            ("participant", filters.participant_labels, there.participants, there.participants),
            ("session", filters.session_labels, there.sessions, there.sessions),
            ("bundle", filters.tracts, there.tracts, there.bundles),
        ):
            if missing := sorted(set(asked) - met):
                known_labels = sorted(label for label in all_met if label)
                there_are = f"there are: {_named(known_labels)}" if known_labels else "none has any"
                yield f"no tractogram is of {kind} {_named(missing)}; {there_are}"
                if not met.intersection(asked):
                    return  # nothing was looked at for what else is asked for

    def _by(self, source: Source) -> str:
        pattern = source.pattern
        if pattern and pattern.tool:
            return f"by the layout of {pattern.tool}, {pattern.text}"
        if self._layouts and pattern:
            return f"by --layout {pattern.text!r}"
        if pattern and self._asked:
            beside = "; folders beside it were not looked into" if self._beside else ""
            return f"by a folder of that name, as --layout {pattern.text!r} would{beside}"
        if pattern:
            return f"by folders that hold the same bundles, as --layout {pattern.text!r} would"
        return "by sub- in their paths" if participant_of(source.name) else "by what their files' names begin with"


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _leads_back(at: Path, name: str) -> bool:
    """Whether a link to a folder leads to one that the walk is in."""
    return (at / name).resolve() in {folder.resolve() for folder in (at, *at.parents)}


def _is_trx_folder(path: Path) -> bool:
    return path.is_dir() and split_name(path.name)[1] == ".trx" and (path / "header.json").is_file()


def _is_ours(path: Path) -> bool:
    """Whether a dataset's description says that tractcap made it; an odd one says nothing."""
    try:
        made = json.loads(read_text(path))["GeneratedBy"]
        return any(by["Name"] == "tractcap" for by in made)
    except (FileNotFoundError, RecordError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _alone(names: Collection[str], folder: str) -> list[str]:
    """Tractograms' JSON files beside which there is no other file of that stem.

    pyAFQ writes such files beside tables and maps too. The JSON files in ``figures`` are a report's.
    """
    if folder == FIGURES:
        return []
    found = [name for name in names if name.endswith(_SIDECARS)]
    if not found:
        return []
    stems = Counter(name[: dot.start()] for name in names for dot in re.finditer(r"\.", name))
    return [name for name in found if stems[name.removesuffix(_JSON)] == 1]


def _empty(alone: Sequence[tuple[str, str]], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Empty bundles: their JSON files don't describe other tractograms, which may lie beside or below them in BIDS."""
    if not alone:
        return
    wanted = {piece for name, _ in alone for piece in _pieces(name)}
    having: dict[str, list[str]] = {piece: [] for piece in wanted}
    for name in names:
        for piece in wanted.intersection(_pieces(name)):
            having[piece].append(name)
    for name, dataset in alone:
        folder, pieces = name[: name.rfind("/") + 1], _pieces(name)
        fewest = min((having[piece] for piece in pieces), key=len)
        if not any(other.startswith(folder) and pieces <= _pieces(other) for other in fewest):
            yield name, dataset


def _pieces(name: str) -> set[str]:
    return set(split_source(name)[0].rpartition("/")[2].split("_"))


class _Met:
    """What is told of all tractograms that were found, which each is looked at once for.

    Parameters
    ----------
    sources : in the order of their names. by : says by what it is told whose one is.
    """

    def __init__(self, sources: Sequence[Source], by: Callable[[Source], str]) -> None:
        self.sources = sources
        self._people: dict[str, dict[str, None]] = defaultdict(dict)
        self._of_nobody: list[str] = []
        self._named: dict[str, set[bool]] = defaultdict(set)
        self._groups: dict[str, set[str]] = defaultdict(set)
        self._again: list[str] = []
        first: dict[int, Source] = {}
        self._places = array("q", (self._look(source, by, first) for source in sources))

    def _look(self, source: Source, by: Callable[[Source], str], first: dict[int, Source]) -> int:
        """Take one in; returns a number for where its pictures go."""
        told = source.facts
        if participant := told.participant:
            self._people[by(source)][participant] = None
            self._named[participant].add(bool(participant_of(source.name)))
            if group := dict(told.entities).get(GROUP):
                self._groups[participant].add(group)
            whose = hash((participant, told.session, source.variant, told.bundle.key))
            if (other := first.setdefault(whose, source)) is not source:
                self._again.append(f"{other.name} and {source.name}")
        else:
            self._of_nobody.append(source.name)
        return hash((source.folder, source.stem))

    def doubtful(self) -> dict[str, str]:
        """Labels that may be two people's, and sentences on them: they are never told of as one person's."""
        found = {
            label: f"participant {label} is found as {label} and as sub-{label}, which may be two people: both are "
            "left out; rename one of them, or give a --layout that fits one of them"
            for label, kinds in self._named.items()
            if len(kinds) > 1
        }
        return found | {
            label: f"participant {label} is in the groups {_named(sorted(groups))}, and may be two people, who are "
            "left out; give a --layout that has {participant} for the group and {participant2} for the person"
            for label, groups in self._groups.items()
            if len(groups) > 1
        }

    @property
    def twice(self) -> Iterator[str]:
        """A sentence on bundles that one person has twice, with nothing that sets them apart."""
        if self._again:
            yield (
                f"{_counted(self._again, 'bundle')} found twice in one participant, and nothing in their paths sets "
                f"them apart: {_named(self._again, '; ')}"
            )

    def people(self) -> Iterator[str]:
        """Sentences on who was found, and by what."""
        for by, labels in self._people.items():
            yield f"{_counted(labels, 'participant')}, {by}: {_named(list(labels))}"
        if self._people and self._of_nobody:
            yield f"{_counted(self._of_nobody, 'tractogram')} of no participant: {_named(self._of_nobody)}"

    def apart(self) -> list[Source]:
        """All of them; those whose pictures would have the same names have their whole path as a name instead."""
        taken = Counter(self._places)
        if len(taken) == len(self.sources):
            return list(self.sources)
        return [
            source if taken[place] == 1 else replace(source, renamed=source.name.replace("/", "+"))
            for source, place in zip(self.sources, self._places, strict=True)
        ]


def _counted(items: Collection[object], what: str) -> str:
    return f"{len(items):,} {what}{'s' * (len(items) != 1)}"


def _named(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return between.join(names[:_MOST_NAMED]) + more
