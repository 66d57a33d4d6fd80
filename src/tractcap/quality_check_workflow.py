"""From arguments of :meth:`tractcap.viz.TractographyVisualizer.run_quality_check_workflow` to settings of a run."""

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import quote

from tractcap.checks import checks, flags
from tractcap.errors import SettingsError
from tractcap.files import write_text
from tractcap.inputs.search import Source
from tractcap.work.check_files import ALL, CheckOptions, ComparisonFile, ComparisonFiles

log = logging.getLogger("tractcap")

Paths = Mapping[str, str | os.PathLike[str]]

PLACEHOLDER = "{subject}"

_MNI = "MNI"
"""The space of tracts and atlas that are said to be in the same one."""

_PYTRACTOVIZ_NAMES = {
    "cci": ("cci", "before_after_cci"),
    "profile": ("afq_profile",),
    "segments": ("bundle_assignment",),
    "atlas": ("atlas_comparison", "shape_similarity"),
}
"""pyTractoViz's names of checks, of which several are one here."""

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
    sources = {}
    for who, tracts in subjects.items():
        for tract, path in ((tract, Path(path)) for tract, path in tracts.items()):
            for name in (who, tract):
                if not name or "/" in name or name.startswith(".") or "\0" in name:
                    raise SettingsError(f"{name!r} can't be the name of a subject or tract: it names a file or folder.")
            sources[who, tract] = Source(path.parent, f"{who}/{tract}", renamed=tract, elsewhere=path)
    return sources


def references(
    ref_img: str | os.PathLike[str] | Paths | None, default: Path | None
) -> tuple[Path | None, dict[str, Path]]:
    """The reference image of all subjects, and those of single ones by their labels."""
    if isinstance(ref_img, Mapping):
        return default, {who.removeprefix("sub-"): Path(path) for who, path in ref_img.items()}
    return Path(ref_img) if ref_img else default, {}


def check_options(
    sources: Mapping[tuple[str, str], Source],
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
    files = {
        source: ComparisonFiles(
            {name: Path(path) for name, path in metrics.get(who, {}).items()},
            _other(atlas, tract, _MNI if moved is not None else ""),
            _other(before.get(who, {}), tract),
            moved=_other((moved or {}).get(who, {}), tract, _MNI),
        )
        for (who, tract), source in sources.items()
    }
    if moved is not None:
        missing = {"atlas": "subjects_mni_space holds no such tract of this subject"}
        for source, theirs in files.items():
            if theirs.atlas and not theirs.moved:
                files[source] = replace(theirs, atlas=None, missing=missing)
    return CheckOptions(_names(skipped), rules=flags.read(rules), files=files)


def _other(paths: Paths, name: str, space: str = "") -> ComparisonFile | None:
    return ComparisonFile(Path(paths[name]), space) if name in paths else None


def _names(skipped: Iterable[str]) -> tuple[str, ...]:
    """The checks that are left."""
    given = set([skipped] if isinstance(skipped, str) else skipped)
    known = {*checks(), ALL, _PICTURES, *(name for names in _PYTRACTOVIZ_NAMES.values() for name in names)}
    if unknown := sorted(given - known):
        raise SettingsError(f"skip_checks names {unknown[0]!r}: choose from {', '.join(sorted(known))}.")
    if _PICTURES in given:
        log.warning("skip_checks names %s: the pictures of all views are always drawn", _PICTURES)
    left = []
    for name in checks():
        called = set(_PYTRACTOVIZ_NAMES.get(name, (name,)))
        if {name, ALL} & given or called <= given:
            continue
        if called & given:
            log.warning("skip_checks names %s, a part of the check %s, which is made", ", ".join(called & given), name)
        left.append(name)
    return tuple(left)


def write_redirects(output: Path, subjects: Iterable[str], html_output: Path) -> list[Path]:
    """Write small pages that redirect to the subjects': into a folder, or by a name with {subject} in it.

    Raises
    ------
    OSError
        When one can't be written.
    """
    written = []
    for who in subjects:
        page = output / f"sub-{who.removeprefix('sub-')}.html"
        if html_output.suffix.lower() not in (".html", ".htm"):
            redirect = html_output / f"{who}_quality_check_report.html"
        elif PLACEHOLDER in str(html_output).lower():
            redirect = Path(str(html_output).replace(PLACEHOLDER, who).replace(PLACEHOLDER.upper(), who))
        else:
            redirect = html_output.with_name(f"{who}_{html_output.name}")
        if page.is_file() and redirect.resolve() != page.resolve():
            redirect.parent.mkdir(parents=True, exist_ok=True)
            link = escape(quote(os.path.relpath(page.resolve(), redirect.parent.resolve())), quote=True)
            write_text(
                redirect,
                '<!doctype html>\n<meta charset="utf-8">\n'
                f'<meta http-equiv="refresh" content="0; url={link}">\n'
                f'<title>{escape(who)}</title>\n<p><a href="{link}">{escape(who)}</a></p>\n',
            )
            written.append(redirect)
    return written
