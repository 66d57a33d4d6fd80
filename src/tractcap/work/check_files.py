"""Which checks are asked for, and what bundles are checked with: atlases, earlier states, maps, the other hemisphere.

Standard library alone.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tractcap.checks import checks, flags
from tractcap.checks.flags import Rule
from tractcap.errors import SettingsError
from tractcap.inputs.bundle_names import identify, is_known
from tractcap.inputs.filenames import entities, split_image
from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import Source, search
from tractcap.records.hemispheres import Sided, counterparts

log = logging.getLogger("tractcap")

ALL, NONE = "all", "none"

USUAL = ("FA", "MD")
"""Maps that are looked for where none are named."""


@dataclass(frozen=True)
class ComparisonFile:
    """A file to compare with, and the label of the space that it is in, if that is known."""

    path: Path
    space: str = ""


@dataclass(frozen=True)
class ComparisonFiles:
    """What there is to check one bundle with, None where there is none.

    ``moved`` is the bundle itself in the atlas's space, if it isn't there already. ``missing`` are sentences on what
    was asked for and isn't there, by what it is: ``maps``, ``atlas``, ``before``.
    """

    maps: Mapping[str, Path] = field(default_factory=dict)
    atlas: ComparisonFile | None = None
    before: ComparisonFile | None = None
    mirror: ComparisonFile | None = None
    moved: ComparisonFile | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def others(self) -> dict[str, ComparisonFile]:
        """All but the maps, by what they are."""
        files = {"atlas": self.atlas, "before": self.before, "mirror": self.mirror, "moved": self.moved}
        return {name: file for name, file in files.items() if file}


@dataclass(frozen=True)
class CheckOptions:
    """Which checks were asked for, by ``names``, and with what.

    ``atlas`` and ``before`` are a file or a folder; ``metrics`` are maps by name, None for one to be found in the
    dataset. ``rules`` say what is flagged. ``files`` are those that each tractogram is checked with, where the caller
    knows.
    """

    names: tuple[str, ...] = ()
    atlas: Path | None = None
    before: Path | None = None
    metrics: Mapping[str, Path | None] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    files: Mapping[Source, ComparisonFiles] | None = None


def parse(
    names: str, atlas: Path | None, before: Path | None, metrics: Sequence[str], rules: Path | None
) -> CheckOptions:
    """Read what ``--checks``, ``--atlas``, ``--before``, ``--metric`` and ``--flags`` ask for.

    Raises
    ------
    SettingsError
        When they can't be understood, or nothing is checked by what is given.
    """
    known, named = tuple(checks()), [name.strip() for name in names.split(",")]
    if unknown := [name for name in named if name not in (*known, ALL, NONE)]:
        raise SettingsError(f"--checks names {unknown[0]!r}: choose from {', '.join((*known, ALL, NONE))}.")
    wanted = known if ALL in named else tuple(name for name in known if name in named)
    given = {"--atlas": atlas, "--before": before, "--metric": metrics, "--flags": rules}
    if unused := [option for option, value in given.items() if value and not wanted]:
        raise SettingsError(f"{unused[0]} is for checks, and none are asked for: give --checks too, such as all.")
    maps: dict[str, Path | None] = {}
    for text in metrics:
        name, equals, path = text.partition("=")
        if not name or (equals and not path):
            raise SettingsError(f"--metric is {text!r}: give a name, or a name and an image, such as FA=fa.nii.gz.")
        maps[name] = Path(path) if path else None
    return CheckOptions(wanted, atlas, before, maps, flags.read(rules) if wanted else ())


Finder = Callable[[Source], ComparisonFile | str | None]
"""Finds what a bundle is compared with; a sentence on why it isn't known."""


class ComparisonFinder:
    """Finds what tractograms are checked with.

    Raises
    ------
    SettingsError
        When a folder or file that was given isn't there, or holds nothing to compare with.
    """

    def __init__(self, options: CheckOptions) -> None:
        self._options = options
        self._finders = {"atlas": _in_atlas(options.atlas), "before": _as_before(options.before)}

    def find(self, sources: Sequence[Source], companions: MatchingImages) -> dict[Source, ComparisonFiles]:
        """What each tractogram is checked with.

        Parameters
        ----------
        sources : all of the participants'. companions : the images of the dataset.
        """
        mirrors, metrics = mirrored(sources), self._options.metrics
        if (known := self._options.files) is not None:
            return {
                source: replace(known.get(source, ComparisonFiles()), mirror=mirrors.get(source)) for source in sources
            }
        files = {}
        for source in sources:
            wanted = (metrics or dict.fromkeys(USUAL)).items()
            maps = {name: path for name, given in wanted if (path := given or companions.scalar(source, name).path)}
            found = {name: finder(source) for name, finder in self._finders.items()}
            missing = {name: why for name, why in found.items() if isinstance(why, str)}
            if unknown := [name for name in metrics if name not in maps]:
                which = f"no map {' or '.join(unknown)} of this participant, session and space was found"
                missing["maps"] = f"{which}: give it with --metric {unknown[0]}=IMAGE"
            others = {name: other for name, other in found.items() if isinstance(other, ComparisonFile)}
            files[source] = ComparisonFiles(maps, mirror=mirrors.get(source), missing=missing, **others)
        return files


def mirrored(sources: Iterable[Source]) -> dict[Source, ComparisonFile]:
    """The same bundle of the other hemisphere, of the same participant, session and variant."""
    bundles = {
        source: Sided(
            (source.folder, source.variant),
            source.name.rpartition("/")[0],
            source.bundle.key,
            source.bundle.hemisphere,
        )
        for source in sources
        if source.bundle.hemisphere
    }
    pairs = counterparts(bundles)
    return {source: ComparisonFile(other.path, other.space) for source, other in pairs.items() if not other.empty}


_STATES = ("desc", "dataset", "tool")
"""Entities in which what is compared with a bundle may differ: how it was cleaned, and who made it."""


def _only(fit: Sequence[ComparisonFile], option: str) -> ComparisonFile | str | None:
    """The file that fits; a sentence where there are several."""
    if len(fit) < 2:
        return fit[0] if fit else None
    names = ", ".join(file.path.name for file in fit[:5])
    return f"{option} holds {len(fit)} files that it may be compared with ({names}): give one alone"


def _in_atlas(path: Path | None) -> Finder:
    """Finds the bundle of the same name in an atlas: a tractogram before an image, then one of the same space."""
    if path is None:
        return lambda _source: None
    if not path.is_dir() and path.exists() and len(_searched(path, "--atlas")) < 2:
        return _single(path)
    tractograms: dict[str, list[ComparisonFile]] = {}
    images: dict[str, list[ComparisonFile]] = {}
    for source in _searched(path, "--atlas"):
        tractograms.setdefault(source.bundle.key, []).append(ComparisonFile(source.path, source.space))
    for key, image in (_image(file) for file in sorted(path.rglob("*")) if split_image(file.name)[1]):
        images.setdefault(key, []).append(image)
    by_key = images | tractograms
    if not by_key:
        raise SettingsError(f"--atlas {path} holds no bundle: give a folder of tractograms or images, named by bundle.")

    def finder(source: Source) -> ComparisonFile | str | None:
        named = by_key.get(source.bundle.key, [])
        return _only([file for file in named if file.space == source.space] or named, "--atlas")

    return finder


def _image(path: Path) -> tuple[str, ComparisonFile]:
    """The key of the bundle that an image is named by, and the image."""
    stem = split_image(path.name)[0]
    labels = entities(path.name, stem, "")
    named = next((labels[name] for name in ("tract", "bundle", "label", "desc") if name in labels), stem)
    return identify(named, labels.get("hemi", "")).key, ComparisonFile(path, labels.get("space", ""))


def _single(path: Path) -> Finder:
    """One file is compared with the bundle that it is named by; with all, if it is named by none."""
    stem, ending = split_image(path.name)
    if stem and ending:
        (key, file), known = _image(path), is_known(stem)
    else:
        source = search(path, Filters()).sources[0]
        key, file, known = source.bundle.key, ComparisonFile(path, source.space), is_known(source.bundle.original)
    return lambda source: file if not known or source.bundle.key == key else None


def _as_before(path: Path | None) -> Finder:
    """Finds the same bundle of the same participant and session elsewhere, or of nobody where that has no people."""
    if path is None:
        return lambda _source: None
    if path.is_file() and len(_searched(path, "--before")) < 2:
        return _single(path)
    bundles: dict[tuple[str, str, str], list[Source]] = {}
    for other in _searched(path, "--before"):
        bundles.setdefault((other.participant, other.session, other.bundle.key), []).append(other)
    if not bundles:
        raise SettingsError(f"--before {path} holds no tractogram: give a folder of them, or one.")

    def finder(source: Source) -> ComparisonFile | str | None:
        key, itself = source.bundle.key, source.path.resolve()
        named = bundles.get((source.participant, source.session, key)) or bundles.get(("", "", key), [])
        named = [other for other in named if other.path.resolve() != itself]
        fit = _of_variant(source, named)
        if named and not fit:
            which = ", ".join(f"{name} {label}" for name, label in source.variant if name not in _STATES)
            return f"--before holds the bundle, but not of {which}"
        return _only([ComparisonFile(other.path, other.space) for other in fit], "--before")

    return finder


def _of_variant(source: Source, others: Sequence[Source]) -> list[Source]:
    """Those of the same run, model and so on as far as their names have these; of them those cleaned alike."""
    own = dict(source.variant)
    fit = [
        other
        for other in others
        if all(own.get(name, label) == label for name, label in other.variant if name not in _STATES)
    ]
    for leaving_out in (_STATES, ("dataset", "tool")):
        alike = [other for other in fit if _without(other, leaving_out) == _without(source, leaving_out)]
        fit = alike or fit
    return fit


def _without(source: Source, names: Collection[str]) -> dict[str, str]:
    return {name: label for name, label in source.variant if name not in names}


def _searched(path: Path, option: str) -> list[Source]:
    """The tractograms in a folder."""
    if not path.exists():
        raise SettingsError(f"{option} {path} doesn't exist: give a file, or a folder of bundles.")
    result = search(path, Filters())
    for sentence in (*result.warnings, *result.failed):
        log.warning("%s: %s", option, sentence)
    return [source for source in result.sources if not source.empty]
