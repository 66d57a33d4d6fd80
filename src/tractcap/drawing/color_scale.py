"""From values to colours: a range of values, and a perceptually uniform colour map over it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NO_VALUE = (128, 128, 128)
"""The colour of a point whose value is not a number."""


@dataclass(frozen=True)
class ColorScale:
    """Colours for the values ``name``, from ``low`` to ``high``; what lies beyond has the colours of the ends.

    ``unit`` may be empty. ``words`` stand at the ends of the colour bar instead of numbers, where they aren't empty.
    """

    name: str
    low: float
    high: float
    unit: str = ""
    colormap: str = "viridis"
    words: tuple[str, str] = ("", "")


def colors(found: NDArray[np.float32], scale: ColorScale) -> NDArray[np.uint8]:
    """Colours of values, (N,) to (N, 3) uint8 RGB."""
    table = _table(scale.colormap)
    span = scale.high - scale.low or 1.0
    place = np.clip((found - np.float32(scale.low)) / np.float32(span), 0, 1) * np.float32(len(table) - 1)
    known = ~np.isnan(place)
    chosen = table[(np.where(known, place, 0) + np.float32(0.5)).astype(np.int64)]
    return np.where(known[:, None], chosen, np.array(NO_VALUE, np.uint8))


@lru_cache
def _table(colormap: str) -> NDArray[np.uint8]:
    """The 256 colours of one of matplotlib's maps, (256, 3) uint8 RGB."""
    from matplotlib import colormaps

    table: NDArray[np.uint8] = colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    return table
