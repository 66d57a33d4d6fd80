"""Light and shade, which show how streamlines run and which of them lie in front.

Light from the eye falls on lines: those across the view shine, those along it are dim, as if each were a thin round
fibre (Zöckler, Stalling and Hege, Interactive visualization of 3D-vector fields using illuminated stream lines, IEEE
Visualization 1996): of all that face the eye its best-lit side is seen. All three colours are dimmed alike, so that
hues stay.

Shade comes from the depth buffer alone, at a cost that doesn't depend on the number of streamlines: eye-dome lighting
(Boucheny, PhD thesis, Grenoble 2009). A pixel is darker the more of its surroundings lies nearer to the eye. It makes
plain lines look like fibres, one in front of the other.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import DrawableLines
from tractcap.drawing.views import View

_AMBIENT, _DIFFUSE, _SHINE, _SHININESS = 0.5, 0.4, 0.1, 8
"""How bright a line that points at the eye is; how much the whole of one across the view has more, and where."""

_SINE = np.sqrt(1 - (np.arange(128) / 127) ** 2)
_LIGHT = np.rint(256 * (_AMBIENT + _DIFFUSE * _SINE + _SHINE * _SINE**_SHININESS)).astype(np.uint16)
"""By how much, in 127ths, a tangent points at the eye: brightness in 256ths."""

RADII = (1, 3)
"""Pixels of the finished picture to the neighbours that darken: the near ones separate fibres, the far ones bundles."""

_REACH = 4.0
"""mm; a neighbour that is nearer by so much or more darkens fully."""

_STRENGTH = 1.15
FADE = 0.35
"""How much darker the farthest plane is than the nearest."""

_RING = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


def lit(lines: DrawableLines, view: View) -> DrawableLines:
    """The same lines in the colours that they have in a view.

    Views in a slice have no light: the lines that matter there run through the slice, towards the eye.
    """
    if view.in_slice or not lines.tangents.any():
        return lines
    toward = np.zeros(len(lines.points), np.float32)
    for axis, share in enumerate(view.seen_from):
        if share:
            toward += lines.tangents[:, axis] * np.float32(share)
    bright = _LIGHT[np.minimum(np.abs(toward) + np.float32(0.5), 127).astype(np.uint8)]
    return replace(lines, colors=(lines.colors * bright[:, None] >> 8).astype(np.uint8))


def brightness(depths: NDArray[np.float32], depth: float, sampling: int) -> NDArray[np.float32]:
    """How bright each pixel is.

    Parameters
    ----------
    depths : (rows + 2 · border, columns + 2 · border) mm from the nearest plane, with ``border(sampling)`` samples more
        at each side.
    depth : mm from the nearest to the farthest plane.
    sampling : samples along a finished pixel.

    Returns
    -------
    (rows, columns) between 0 and 1.
    """
    edge = border(sampling)
    rows, columns = (side - 2 * edge for side in depths.shape)
    center = depths[edge : edge + rows, edge : edge + columns]
    hidden = np.zeros((rows, columns), np.float32)
    for radius in RADII:
        for down, right in _RING:
            top, left = edge + down * radius * sampling, edge + right * radius * sampling
            hidden += np.clip(center - depths[top : top + rows, left : left + columns], 0, _REACH)
    hidden *= np.float32(_STRENGTH / (_REACH * len(RADII) * len(_RING)))
    bright: NDArray[np.float32] = np.exp(-2 * hidden) * (1 - np.float32(FADE / depth) * center)
    return bright


def border(sampling: int) -> int:
    """Samples that shading needs beyond those that it shades."""
    return max(RADII) * sampling


def shrink(samples: NDArray[np.float32], sampling: int) -> NDArray[np.float32]:
    """Average squares of ``sampling`` × ``sampling`` samples: (…, rows, columns) to pixels."""
    rows, columns = samples.shape[-2:]
    total = np.zeros((*samples.shape[:-2], rows // sampling, columns // sampling), np.float32)
    for down in range(sampling):
        for right in range(sampling):
            total += samples[..., down::sampling, right::sampling]
    total /= np.float32(sampling**2)
    return total
