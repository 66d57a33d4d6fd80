"""What is asked for to be drawn beside the streamlines. Standard library alone."""

from collections.abc import Sequence
from pathlib import Path

from tractcap.color_names import parse_color
from tractcap.errors import SettingsError
from tractcap.records.options import ROI, Overlay


def parse(rois: Sequence[str]) -> tuple[Overlay, ...]:
    """Read the values of ``--roi``, each ``[NAME=]IMAGE[:COLOR]``; a name that isn't given is the file's.

    Raises
    ------
    SettingsError
        When one of them can't be understood, or two have one name.
    """
    overlays = [_overlay(ROI, text) for text in rois]
    names = [overlay.name for overlay in overlays]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"two overlays are called {twice[0]!r}: give each a name, such as --roi left={rois[0]}.")
    return tuple(overlays)


def _overlay(kind: str, text: str) -> Overlay:
    name, equals, path = text.partition("=")
    if not equals or "/" in name:  # such a sign may be a folder's
        name, path = "", text
    file, _, color = path.rpartition(":")
    if not file or "." in color or "/" in color:
        file, color = path, ""
    if not file or (equals and not name and path != text):
        raise SettingsError(f"--{kind} is {text!r}: give an image, such as seed.nii.gz, left=seed.nii.gz:orange.")
    stem = Path(file).name.removesuffix(".gz").rpartition(".")[0] or Path(file).name
    return Overlay(kind, name or stem, file, parse_color(color, f"--{kind}") if color else None)
