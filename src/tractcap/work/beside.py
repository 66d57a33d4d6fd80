"""What bundles are checked with: atlases, earlier states, maps, the other hemisphere. Standard library alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.inputs.bundles import BundleName, identify, is_known
from tractcap.inputs.companions import Companions
from tractcap.inputs.filters import Filters
from tractcap.inputs.layout import Source, search
from tractcap.inputs.names import entities, split_image
from tractcap.work.asked import Asked, Beside, Other

USUAL = ("FA", "MD")
"""Maps that are looked for where none are named."""

_OTHER = {"L": "R", "R": "L"}


def finders(asked: Asked) -> "tuple[Finder, Finder]":
    """What finds the bundle in the atlas, and the bundle as it was before, of any tractogram.

    Raises
    ------
    SettingsError
        When a folder or file that was given isn't there, or holds nothing to compare with.
    """
    return _atlas(asked.atlas), _before(asked.before)


def find(
    asked: Asked, sources: Sequence[Source], companions: Companions, found: "tuple[Finder, Finder] | None" = None
) -> dict[Source, Beside]:
    """What each tractogram is checked with.

    Parameters
    ----------
    sources : all of the participants'. companions : the images of the dataset. found : the :func:`finders`, where they
        are there already.
    """
    mirrors = mirrored(sources)
    if (told := asked.beside) is not None:
        return {source: replace(told.get(source, Beside()), mirror=mirrors.get(source)) for source in sources}
    atlas, before = found or finders(asked)
    return {
        source: Beside(
            maps := dict(_maps(source, asked.metrics, companions)),
            atlas(source),
            before(source),
            mirrors.get(source),
            lacks=_lacking(asked.metrics, maps),
        )
        for source in sources
    }


def mirrored(sources: Iterable[Source]) -> dict[Source, Other]:
    """The same bundle of the other hemisphere, of the same participant, session, space and folder."""
    sided = {(_place(source), source.bundle.key): source for source in sources if source.bundle.hemisphere}
    pairs = ((source, sided.get((_place(source), _mirrored(source.bundle)))) for source in sided.values())
    return {source: Other(other.path, other.space) for source, other in pairs if other and not other.empty}


def _place(source: Source) -> tuple[str, ...]:
    return source.participant, source.session, source.space, source.folder, source.name.rpartition("/")[0]


def _mirrored(bundle: BundleName) -> str:
    return f"{bundle.key.removesuffix(f'_{bundle.hemisphere}')}_{_OTHER[bundle.hemisphere]}"


def _maps(source: Source, metrics: Mapping[str, Path | None], companions: Companions) -> Iterator[tuple[str, Path]]:
    for name, given in (metrics or dict.fromkeys(USUAL)).items():
        if path := given or companions.scalar(source, name).path:
            yield name, path


def _lacking(metrics: Mapping[str, Path | None], found: Mapping[str, Path]) -> dict[str, str]:
    names = [name for name in metrics if name not in found]
    if not names:
        return {}
    which = f"no map {' or '.join(names)} of this participant, session and space was found"
    return {"maps": f"{which}: give it with --metric {names[0]}=IMAGE"}


Finder = Callable[[Source], Other | None]


def _atlas(path: Path | None) -> Finder:
    """Finds the bundle of the same name in an atlas, a tractogram before an image."""
    if path is None:
        return lambda _source: None
    if not path.is_dir() and path.exists():
        return _single(path)
    images = [at for at in sorted(path.rglob("*")) if split_image(at.name)[1]]
    named = [*((_of_image(at), Other(at, _space(at))) for at in images)]
    named += [(source.bundle.key, Other(source.path, source.space)) for source in _searched(path, "--atlas")]
    by_key = dict(named)
    if not by_key:
        raise SettingsError(f"--atlas {path} holds no bundle: give a folder of tractograms or images, named by bundle.")
    return lambda source: by_key.get(source.bundle.key)


def _of_image(path: Path) -> str:
    stem = split_image(path.name)[0]
    told = entities(path.name, stem, "")
    return identify(next((told[name] for name in ("tract", "bundle", "label", "desc") if name in told), stem)).key


def _space(path: Path) -> str:
    return entities(path.name, split_image(path.name)[0], "").get("space", "")


def _single(path: Path) -> Finder:
    """One file is compared with the bundle that its name tells; with all, where it tells none."""
    stem = split_image(path.name)[0] if split_image(path.name)[1] else ""
    if stem:
        key, known, other = _of_image(path), is_known(stem), Other(path, _space(path))
    else:
        source = search(path, Filters()).sources[0]
        key, known = source.bundle.key, is_known(source.bundle.original)
        other = Other(path, source.space)
    return lambda source: other if not known or source.bundle.key == key else None


def _before(path: Path | None) -> Finder:
    """Finds the same bundle of the same participant and session elsewhere, or of nobody where that has no people."""
    if path is None:
        return lambda _source: None
    if path.is_file():
        return _single(path)
    found = {(one.participant, one.session, one.bundle.key): one for one in _searched(path, "--before")}
    if not found:
        raise SettingsError(f"--before {path} holds no tractogram: give a folder of them, or one.")

    def finder(source: Source) -> Other | None:
        key = source.bundle.key
        one = found.get((source.participant, source.session, key)) or found.get(("", "", key))
        return Other(one.path, one.space) if one and one.path.resolve() != source.path.resolve() else None

    return finder


def _searched(path: Path, option: str) -> list[Source]:
    """Reversed, so that of several of one name the first is found."""
    if not path.exists():
        raise SettingsError(f"{option} {path} doesn't exist: give a file, or a folder of bundles.")
    return [source for source in reversed(search(path, Filters()).sources) if not source.empty]
