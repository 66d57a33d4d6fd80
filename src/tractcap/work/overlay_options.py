"""What is asked for to be drawn beside the streamlines. Standard library alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tractcap.color_names import parse_color
from tractcap.errors import SettingsError
from tractcap.records.options import ROI, SURFACE, Overlay

_IMAGES = (".nii", ".nii.gz", ".img", ".hdr", ".mgh", ".mgz")

_EXAMPLES = {ROI: "seed.nii.gz or left=seed.nii.gz:orange", SURFACE: "lh.pial or cortex=lh.pial:gray"}


def parse(given: Mapping[str, Sequence[str]]) -> tuple[Overlay, ...]:
    """Read options, each ``[NAME=]FILE[:COLOR]``; a name that isn't given is the file's.

    Parameters
    ----------
    given : the values of each kind's option.

    Raises
    ------
    SettingsError
        When one of them can't be understood, or two have one name.
    """
    overlays = [_overlay(kind, text) for kind, texts in given.items() for text in texts]
    names = [overlay.name for overlay in overlays]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"two overlays are called {twice[0]!r}: give each a name, such as --roi left=seed.nii.gz.")
    return tuple(overlays)


def of_file(text: str) -> Overlay:
    """Read ``[NAME=]FILE[:COLOR]`` of a mask or label image, or of a surface, by the file's ending.

    Raises
    ------
    SettingsError
        When it can't be understood.
    """
    overlay = _overlay(ROI, text)
    return overlay if overlay.path.lower().endswith(_IMAGES) else replace(overlay, kind=SURFACE)


def _overlay(kind: str, text: str) -> Overlay:
    name, equals, path = text.partition("=")
    if not equals or "/" in name:  # such a sign may be a folder's
        name, path = "", text
    file, _, color = path.rpartition(":")
    if not file or "." in color or "/" in color:
        file, color = path, ""
    if not file or (equals and not name and path != text):
        raise SettingsError(f"--{kind} is {text!r}: give a file, such as {_EXAMPLES[kind]}.")
    stem = Path(file).name
    for ending in (".gz", ".nii", ".mgh", ".mgz", ".gii", ".surf", ".vtk", ".vtp"):
        stem = stem.removesuffix(ending) or stem
    return Overlay(kind, name or stem, file, parse_color(color, f"--{kind}") if color else None)
