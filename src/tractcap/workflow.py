"""What :meth:`tractcap.viz.TractographyVisualizer.run_quality_check_workflow` is told, as what a run is told."""

import logging
import os
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from tractcap.checks import checks
from tractcap.checks.common import flags
from tractcap.errors import SettingsError
from tractcap.files import write_text
from tractcap.inputs.search import Source
from tractcap.work.check_options import ALL, CheckOptions, ComparisonFile, ComparisonFiles

log = logging.getLogger("tractcap")

Paths = Mapping[str, str | os.PathLike[str]]

PLACEHOLDER = "{subject}"

_MNI = "MNI"
"""The space of tracts and atlas that are said to be in the same one."""

_CALLED = {
    "cci": ("cci", "before_after_cci"),
    "profile": ("afq_profile",),
    "segments": ("bundle_assignment",),
    "atlas": ("atlas_comparison", "shape_similarity"),
}
"""What pyTractoViz calls checks, of which several are one here."""

_PICTURES = "anatomical_views"


def sources(subjects: Mapping[str, Paths]) -> dict[tuple[str, str], Source]:
    """The tractograms, by subject and tract.

    Raises
    ------
    SettingsError
        When a name can't be that of a file, or two subjects are one but for ``sub-``.
    """
    labels = {who.removeprefix("sub-"): who for who in subjects}
    if other := next((who for who in subjects if labels[who.removeprefix("sub-")] != who), None):
        raise SettingsError(
            f"the subjects {other!r} and {labels[other.removeprefix('sub-')]!r} would have the same page and pictures: "
            "give one of them another name."
        )
    return {
        (who, tract): _source(who, tract, Path(path))
        for who, tracts in subjects.items()
        for tract, path in tracts.items()
    }


def _source(who: str, tract: str, path: Path) -> Source:
    if unsafe := [name for name in (who, tract) if not name or "/" in name or name.startswith(".") or "\0" in name]:
        raise SettingsError(f"{unsafe[0]!r} can't be the name of a subject or tract: it names a file or folder.")
    return Source(path.parent, f"{who}/{tract}", renamed=tract, elsewhere=path)


def references(
    ref_img: str | os.PathLike[str] | Paths | None, default: Path | None
) -> tuple[Path | None, dict[str, Path]]:
    """The reference image of all subjects, and those of single ones by their labels."""
    if isinstance(ref_img, Mapping):
        return default, {who.removeprefix("sub-"): Path(path) for who, path in ref_img.items()}
    return Path(ref_img) if ref_img else default, {}


def asked(
    found: Mapping[tuple[str, str], Source],
    moved: Mapping[str, Paths] | None,
    atlas: Paths,
    before: Mapping[str, Paths],
    metrics: Mapping[str, Paths],
    skipped: Iterable[str],
    rules: Path | None,
) -> CheckOptions:
    """The checks, and what each tract is checked with.

    Parameters
    ----------
    moved : the tracts in the atlas's space, by subject and tract; None where they are in it already.
    atlas : by tract. before : by subject and tract. metrics : by subject and name.

    Raises
    ------
    SettingsError
        When a check to be skipped isn't known, or the rules can't be read.
    """
    beside = {
        source: ComparisonFiles(
            {name: Path(path) for name, path in metrics.get(who, {}).items()},
            _other(atlas, tract, _MNI if moved is not None else ""),
            _other(before.get(who, {}), tract),
            moved=_other((moved or {}).get(who, {}), tract, _MNI),
        )
        for (who, tract), source in found.items()
    }
    if moved is not None:
        beside = {source: _only_moved(one) for source, one in beside.items()}
    return CheckOptions(_names(skipped), rules=flags.read(rules), beside=beside)


def _other(paths: Paths, name: str, space: str = "") -> ComparisonFile | None:
    return ComparisonFile(Path(paths[name]), space) if name in paths else None


def _only_moved(one: ComparisonFiles) -> ComparisonFiles:
    """Without an atlas, if the tract isn't there in its space."""
    if one.moved or not one.atlas:
        return one
    return ComparisonFiles(
        one.maps, None, one.before, lacks={"atlas": "subjects_mni_space holds no such tract of this subject"}
    )


def _names(skipped: Iterable[str]) -> tuple[str, ...]:
    """The checks that are left."""
    given = set([skipped] if isinstance(skipped, str) else skipped)
    known = {*checks(), ALL, _PICTURES, *(name for names in _CALLED.values() for name in names)}
    if unknown := sorted(given - known):
        raise SettingsError(f"skip_checks names {unknown[0]!r}: choose from {', '.join(sorted(known))}.")
    if _PICTURES in given:
        log.warning("skip_checks names %s: the pictures of all views are always drawn", _PICTURES)
    return tuple(name for name in checks() if not _skipped(name, given))


def _skipped(name: str, given: set[str]) -> bool:
    called = set(_CALLED.get(name, (name,)))
    if {name, ALL} & given or called <= given:
        return True
    if called & given:
        log.warning("skip_checks names %s, a part of the check %s, which is made", ", ".join(called & given), name)
    return False


def lead(output: Path, subjects: Iterable[str], html_output: Path) -> list[Path]:
    """Write files that lead to the subjects' pages: into a folder, or by a name with {subject} in it.

    Raises
    ------
    OSError
        When one can't be written.
    """
    written = []
    for who in subjects:
        page, at = output / f"sub-{who.removeprefix('sub-')}.html", _named(html_output, who)
        if page.is_file() and at.resolve() != page.resolve():
            at.parent.mkdir(parents=True, exist_ok=True)
            write_text(at, _leading(who, os.path.relpath(page.resolve(), at.parent.resolve())))
            written.append(at)
    return written


def _named(asked: Path, who: str) -> Path:
    if asked.suffix.lower() not in (".html", ".htm"):
        return asked / f"{who}_quality_check_report.html"
    if PLACEHOLDER in str(asked).lower():
        return Path(str(asked).replace(PLACEHOLDER, who).replace(PLACEHOLDER.upper(), who))
    return asked.with_name(f"{who}_{asked.name}")


def _leading(who: str, link: str) -> str:
    to = escape(quote(link), quote=True)
    return (
        f'<!doctype html>\n<meta charset="utf-8">\n<meta http-equiv="refresh" content="0; url={to}">\n'
        f'<title>{escape(who)}</title>\n<p><a href="{to}">{escape(who)}</a></p>\n'
    )
