"""What is asked for to be drawn beside the streamlines. Standard library alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tractcap.color_names import parse_color
from tractcap.errors import SettingsError
from tractcap.inputs.fiber_conventions import parse_convention
from tractcap.records.options import GLYPHS, ODF, PEAKS, ROI, SURFACE, Overlay

_IMAGES = (".nii", ".nii.gz", ".img", ".hdr", ".mgh", ".mgz")

_EXAMPLES = {
    ROI: "seed.nii.gz or left=seed.nii.gz:orange",
    SURFACE: "lh.pial or cortex=lh.pial:gray",
    PEAKS: "peaks.nii.gz, model=peaks.nii.gz or peaks.nii.gz:voxel",
    ODF: "wmfod.nii.gz, model=wmfod.nii.gz or odf.nii.gz:descoteaux07",
}

_ENDINGS = (".gz", ".nii", ".mif", ".mgh", ".mgz", ".gii", ".surf", ".vtk", ".vtp")
"""Of files, which their names in pictures are without."""


def parse(given: Mapping[str, Sequence[str]]) -> tuple[Overlay, ...]:
    """Read options, each ``[NAME=]FILE[:WORD]``; a name that isn't given is the file's.

    The word is a colour, or of peaks and ODFs their axes and basis, each after a colon of its own.

    Parameters
    ----------
    given : the values of each kind's option.

    Raises
    ------
    SettingsError
        When one of them can't be understood, or two have one name.
    """
    overlays = tuple(_overlay(kind, text) for kind, texts in given.items() for text in texts)
    check_names(overlays)
    return overlays


def check_names(overlays: Sequence[Overlay]) -> None:
    """Refuse overlays that pictures couldn't name apart.

    Raises
    ------
    SettingsError
        When two have one name.
    """
    names = [overlay.name for overlay in overlays]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"two overlays are called {twice[0]!r}: give each a name, such as left=seed.nii.gz.")


def with_label_names(overlays: Sequence[Overlay], tables: Sequence[str]) -> tuple[Overlay, ...]:
    """The same with tables of labels' names, each ``[NAME=]TABLE``: of one overlay, or of all regions.

    Raises
    ------
    SettingsError
        When there is no such file, or no region of that name.
    """
    named = list(overlays)
    for text in sorted(tables, key=lambda text: "=" in text):  # those of one overlay last
        name, equals, file = text.partition("=")
        if not equals or "/" in name:
            name, file = "", text
        if not Path(file).is_file():
            raise SettingsError(f"--label-names is {text!r}: there is no file {file}.")
        which = [place for place, one in enumerate(named) if one.kind == ROI and name in ("", one.name)]
        if not which:
            regions = f"a region called {name}" if name else "any region"
            raise SettingsError(f"--label-names is {text!r}, but there isn't {regions}: give one with --roi.")
        for place in which:
            named[place] = replace(named[place], label_table=file)
    return tuple(named)


def of_file(text: str) -> Overlay:
    """Read ``[NAME=]FILE[:COLOR]`` of a mask or label image, or of a surface, by the file's ending.

    Raises
    ------
    SettingsError
        When it can't be understood.
    """
    overlay = _overlay(ROI, text)
    return overlay if overlay.path.lower().endswith(_IMAGES) else replace(overlay, kind=SURFACE)


def of_parts(kind: str, path: str, name: str, words: Mapping[str, str]) -> Overlay:
    """An overlay of a kind, of which a program gives each part by itself.

    Parameters
    ----------
    words : ``color``, ``axes``, ``basis`` and ``label_names``; empty where they aren't given.

    Raises
    ------
    SettingsError
        When a kind or word isn't known, or a word isn't for this kind.
    """
    fitting = {ROI: ("color", "label_names"), SURFACE: ("color",), PEAKS: ("axes",), ODF: ("axes", "basis")}
    if kind not in fitting:
        raise SettingsError(f"{path} can't be an overlay of the kind {kind!r}: give {', '.join(fitting)}.")
    if wrong := [word for word, value in words.items() if value and word not in fitting[kind]]:
        raise SettingsError(f"{path} is an overlay of the kind {kind}, which has no {wrong[0]}: leave it out.")
    what = f"the overlay {path}"
    color = parse_color(words["color"], f"the color of {path}") if words["color"] else None
    axes = parse_convention([words["axes"]] if words["axes"] else [], what, bases=False)
    basis = parse_convention([words["basis"]] if words["basis"] else [], what)
    if words["basis"] and not basis.basis:
        raise SettingsError(f"{what}: {words['basis']} names axes, and no basis: give it as axes.")
    convention = axes.completed(basis)
    return Overlay(kind, name or _stem(path), path, color, convention.frame, convention.basis, words["label_names"])


def _stem(path: str) -> str:
    """A file's name as pictures call it."""
    stem = Path(path).name
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending) or stem
    return stem


def _is_file_with_words(text: str) -> bool:
    """Whether a text, up to one of its colons or its end, is a file's path."""
    parts = text.split(":")
    return any(Path(":".join(parts[:count])).is_file() for count in range(1, len(parts) + 1))


def _overlay(kind: str, text: str) -> Overlay:
    name, equals, file = text.partition("=")
    if not equals or "/" in name or _is_file_with_words(text):  # such a sign may be a folder's
        name, file = "", text
    words: list[str] = []
    while not Path(file).is_file() and (parts := file.rpartition(":"))[0] and not {".", "/"} & set(parts[2]):
        file, words = parts[0], [parts[2], *words]
    if not file or text.startswith(f"={file}"):
        raise SettingsError(f"--{kind} is {text!r}: give a file, such as {_EXAMPLES[kind]}.")
    name = name or _stem(file)
    if kind in GLYPHS:
        convention = parse_convention(words, f"--{kind} {text}", bases=kind == ODF)
        return Overlay(kind, name, file, frame=convention.frame, basis=convention.basis)
    return Overlay(kind, name, file, parse_color(":".join(words), f"--{kind}") if words else None)
