"""What bundles are checked with: atlases, earlier states, maps, the other hemisphere. Standard library alone."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.inputs.bundle_names import identify, is_known
from tractcap.inputs.filenames import entities, split_image
from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import Source, search
from tractcap.records.hemispheres import Sided, counterparts
from tractcap.work.check_options import CheckOptions, ComparisonFile, ComparisonFiles

log = logging.getLogger("tractcap")

USUAL = ("FA", "MD")
"""Maps that are looked for where none are named."""


def finders(options: CheckOptions) -> "tuple[Finder, Finder]":
    """What finds the bundle in the atlas, and the bundle as it was before, of any tractogram.

    Raises
    ------
    SettingsError
        When a folder or file that was given isn't there, or holds nothing to compare with.
    """
    return _atlas(options.atlas), _before(options.before)


def find(
    options: CheckOptions,
    sources: Sequence[Source],
    companions: MatchingImages,
    known_finders: "tuple[Finder, Finder] | None" = None,
) -> dict[Source, ComparisonFiles]:
    """What each tractogram is checked with.

    Parameters
    ----------
    sources : all of the participants'. companions : the images of the dataset. known_finders : the
        :func:`finders`, where they are there already.
    """
    mirrors = mirrored(sources)
    if (known := options.files) is not None:
        return {source: replace(known.get(source, ComparisonFiles()), mirror=mirrors.get(source)) for source in sources}
    atlas, before = known_finders or finders(options)
    return {
        source: ComparisonFiles(
            maps := dict(_maps(source, options.metrics, companions)),
            (of_atlas := atlas(source)).other,
            (earlier := before(source)).other,
            mirrors.get(source),
            missing=_missing_maps(options.metrics, maps)
            | {name: one.missing for name, one in (("atlas", of_atlas), ("before", earlier)) if one.missing},
        )
        for source in sources
    }


def mirrored(sources: Iterable[Source]) -> dict[Source, ComparisonFile]:
    """The same bundle of the other hemisphere, of the same participant, session and variant."""
    sided = {source: source.bundle for source in sources if source.bundle.hemisphere}
    pairs = counterparts(
        {
            source: Sided(
                (source.folder, source.variant), source.name.rpartition("/")[0], bundle.key, bundle.hemisphere
            )
            for source, bundle in sided.items()
        }
    )
    return {source: ComparisonFile(other.path, other.space) for source, other in pairs.items() if not other.empty}


def _maps(source: Source, metrics: Mapping[str, Path | None], companions: MatchingImages) -> Iterator[tuple[str, Path]]:
    for name, given in (metrics or dict.fromkeys(USUAL)).items():
        if path := given or companions.scalar(source, name).path:
            yield name, path


def _missing_maps(metrics: Mapping[str, Path | None], maps: Mapping[str, Path]) -> dict[str, str]:
    names = [name for name in metrics if name not in maps]
    if not names:
        return {}
    which = f"no map {' or '.join(names)} of this participant, session and space was found"
    return {"maps": f"{which}: give it with --metric {names[0]}=IMAGE"}


@dataclass(frozen=True)
class _Choice:
    """What a bundle is compared with, or a sentence on why it isn't known."""

    other: ComparisonFile | None = None
    missing: str = ""


Finder = Callable[[Source], _Choice]

_STATES = ("desc", "dataset", "tool")
"""Entities in which what is compared with a bundle may differ: how it was cleaned, and who made it."""


def _only(fit: Sequence[ComparisonFile], option: str) -> _Choice:
    """The file that fits; a sentence where there are several."""
    if len(fit) < 2:
        return _Choice(fit[0] if fit else None)
    names = ", ".join(file.path.name for file in fit[:5])
    return _Choice(None, f"{option} holds {len(fit)} files that it may be compared with ({names}): give one alone")


def _atlas(path: Path | None) -> Finder:
    """Finds the bundle of the same name in an atlas: a tractogram before an image, then one of the same space."""
    if path is None:
        return lambda _source: _Choice()
    if not path.is_dir() and path.exists():
        return _single(path)
    tractograms: dict[str, list[ComparisonFile]] = {}
    images: dict[str, list[ComparisonFile]] = {}
    for source in _searched(path, "--atlas"):
        tractograms.setdefault(source.bundle.key, []).append(ComparisonFile(source.path, source.space))
    for image in (file for file in sorted(path.rglob("*")) if split_image(file.name)[1]):
        images.setdefault(_of_image(image), []).append(ComparisonFile(image, _space(image)))
    by_key = images | tractograms
    if not by_key:
        raise SettingsError(f"--atlas {path} holds no bundle: give a folder of tractograms or images, named by bundle.")

    def finder(source: Source) -> _Choice:
        named = by_key.get(source.bundle.key, [])
        return _only([file for file in named if file.space == source.space] or named, "--atlas")

    return finder


def _of_image(path: Path) -> str:
    stem = split_image(path.name)[0]
    labels = entities(path.name, stem, "")
    named = next((labels[name] for name in ("tract", "bundle", "label", "desc") if name in labels), stem)
    return identify(named, labels.get("hemi", "")).key


def _space(path: Path) -> str:
    return entities(path.name, split_image(path.name)[0], "").get("space", "")


def _single(path: Path) -> Finder:
    """One file is compared with the bundle that it is named by; with all, if it is named by none."""
    stem = split_image(path.name)[0] if split_image(path.name)[1] else ""
    if stem:
        key, known, other = _of_image(path), is_known(stem), ComparisonFile(path, _space(path))
    else:
        source = search(path, Filters()).sources[0]
        key, known = source.bundle.key, is_known(source.bundle.original)
        other = ComparisonFile(path, source.space)
    return lambda source: _Choice(other if not known or source.bundle.key == key else None)


def _before(path: Path | None) -> Finder:
    """Finds the same bundle of the same participant and session elsewhere, or of nobody where that has no people."""
    if path is None:
        return lambda _source: _Choice()
    if path.is_file():
        return _single(path)
    bundles: dict[tuple[str, str, str], list[Source]] = {}
    for other in _searched(path, "--before"):
        bundles.setdefault((other.participant, other.session, other.bundle.key), []).append(other)
    if not bundles:
        raise SettingsError(f"--before {path} holds no tractogram: give a folder of them, or one.")

    def finder(source: Source) -> _Choice:
        key, itself = source.bundle.key, source.path.resolve()
        named = bundles.get((source.participant, source.session, key)) or bundles.get(("", "", key), [])
        named = [other for other in named if other.path.resolve() != itself]
        fit = _of_variant(source, named)
        if named and not fit:
            which = ", ".join(f"{name} {label}" for name, label in source.variant if name not in _STATES)
            return _Choice(None, f"--before holds the bundle, but not of {which}")
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
