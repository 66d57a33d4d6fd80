"""Light from the eye on lines, by which one sees how they run: those across the view shine, those along it are dim.

As if each were a thin round fibre (Zöckler, Stalling and Hege, Interactive visualization of 3D-vector fields using
illuminated stream lines, IEEE Visualization 1996): of all that face the eye its best-lit side is seen. All three
colours are dimmed alike, so that hues stay.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import DrawableLines
from tractcap.drawing.views import View

_AMBIENT, _DIFFUSE, _SHINE, _SHININESS = 0.5, 0.4, 0.1, 8
"""How bright a line that points at the eye is; how much the whole of one across the view has more, and where."""


def _brightness() -> NDArray[np.uint16]:
    """By how much, in 127ths, a tangent points at the eye; 256 leaves a colour as it is."""
    sine = np.sqrt(1 - (np.arange(128) / 127) ** 2)
    return np.rint(256 * (_AMBIENT + _DIFFUSE * sine + _SHINE * sine**_SHININESS)).astype(np.uint16)


_BRIGHTNESS = _brightness()


def lit(lines: DrawableLines, view: View) -> DrawableLines:
    """The same lines in the colours that they have in a view.

    In a slice no light falls: what matters there leads through it, towards the eye.
    """
    if view.in_slice or not lines.tangents.any():
        return lines
    toward = np.zeros(len(lines.points), np.float32)
    for axis, share in enumerate(view.seen_from):
        if share:
            toward += lines.tangents[:, axis] * np.float32(share)
    bright = _BRIGHTNESS[np.minimum(np.abs(toward) + np.float32(0.5), 127).astype(np.uint8)]
    return replace(lines, colors=(lines.colors * bright[:, None] >> 8).astype(np.uint8))
