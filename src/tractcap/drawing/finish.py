"""From a canvas' buffers to a picture: shaded, smoothed, a band of rows at a time."""

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import shading
from tractcap.drawing.canvas import Canvas
from tractcap.drawing.palette import Color

_BAND_SAMPLES = 2**17
"""Samples that are worked on at once; some 30 bytes each are needed."""


def picture(canvas: Canvas, view: int, sampling: int, background: Color = (0, 0, 0)) -> tuple[NDArray[np.uint8], float]:
    """Shade a view and average its samples.

    Parameters
    ----------
    canvas : with ``sampling`` samples along each pixel of the picture.
    view : the view's place in the canvas. background : the colour where nothing was drawn.

    Returns
    -------
    (pixels, pixels, 3) uint8 RGB, and the share of pixels in which something was drawn.
    """
    pixels = canvas.size // sampling
    result = np.full((pixels, pixels, 3), background, np.uint8)
    step = max(1, _BAND_SAMPLES // (canvas.size * sampling))
    covered = 0.0
    for first in range(0, pixels, step):
        last = min(first + step, pixels)
        band, share = _band(canvas, view, sampling, (first * sampling, last * sampling), background)
        if band is not None:
            result[first:last] = band
        covered += share * (last - first) / pixels
    return result, covered


def _band(
    canvas: Canvas, view: int, sampling: int, rows: tuple[int, int], background: Color
) -> tuple[NDArray[np.uint8] | None, float]:
    """Some rows of samples as pixels, None where nothing was drawn, and the share in which something was."""
    first, last = rows
    edge = shading.border(sampling)
    above, below = max(0, first - edge), min(canvas.size, last + edge)
    colors, depths = canvas.read(view, above, below)
    colors = colors[first - above : len(colors) - (below - last)]
    share = float(colors[..., 3].mean())
    if not share:
        return None, 0.0
    padding = (edge - (first - above), edge - (below - last))
    bright = shading.brightness(np.pad(depths, (padding, (0, 0)), mode="edge"), canvas.frame.depth, sampling)
    bright *= colors[..., 3]
    mixed = shading.shrink(colors[..., :3] * bright[..., None], sampling)
    if any(background):
        free = shading.shrink(1 - colors[..., 3:].astype(np.float32), sampling)
        mixed += free * np.array(background, np.float32)
    return (mixed + np.float32(0.5)).astype(np.uint8), share
