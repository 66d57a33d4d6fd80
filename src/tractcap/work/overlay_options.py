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
    name, equals, file = text.partition("=")
    if not equals or "/" in name:  # such a sign may be a folder's
        name, file = "", text
    words: list[str] = []
    while (parts := file.rpartition(":"))[0] and not {".", "/"} & set(parts[2]):
        file, words = parts[0], [parts[2], *words]
    if not file or (equals and not name and file != text):
        raise SettingsError(f"--{kind} is {text!r}: give a file, such as {_EXAMPLES[kind]}.")
    stem = Path(file).name
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending) or stem
    if kind in GLYPHS:
        convention = parse_convention(words, f"--{kind} {text}", bases=kind == ODF)
        return Overlay(kind, name or stem, file, frame=convention.frame, basis=convention.basis)
    return Overlay(kind, name or stem, file, parse_color(":".join(words), f"--{kind}") if words else None)
