"""The colour of each point: what a colouring means for one tractogram."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import color_scale, direction_colors
from tractcap.drawing.color_scale import ColorScale
from tractcap.drawing.point_values import PointValues, Report, values
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram
from tractcap.records.options import ENDPOINTS, Coloring


class PointColors(Protocol):
    """What colours points. ``data`` names what it needs of the file's own, ``scale`` tells what colours stand for."""

    data: str

    @property
    def scale(self) -> ColorScale | None:
        """None where colours stand for no values."""

    def colors(self, chunk: Chunk) -> NDArray[np.uint8]:
        """Of a chunk's points, (N, 3) uint8 RGB."""


class _Plain:
    """No values: one colour, or that of directions."""

    data = ""
    scale: ColorScale | None = None

    def __init__(self, coloring: Coloring, tractogram: Tractogram, max_points: int) -> None:
        self._color = coloring.color
        self._ends = direction_colors.EndToEnd(tractogram, max_points) if coloring.kind == ENDPOINTS else None

    def colors(self, chunk: Chunk) -> NDArray[np.uint8]:
        if self._color:
            return direction_colors.one_color(chunk.points, self._color)
        return self._ends.colors(chunk) if self._ends else direction_colors.local_direction(chunk.points, chunk.offsets)


class _Valued:
    def __init__(self, shown: PointValues, coloring: Coloring) -> None:
        low, high = coloring.limits or (0.0, 100.0)
        words = getattr(shown, "words", ("", ""))
        self.data, self._values = shown.data, shown
        self.scale = ColorScale(shown.name, low, high, shown.unit, coloring.colormap, words)

    def colors(self, chunk: Chunk) -> NDArray[np.uint8]:
        return color_scale.colors(self._values.at(chunk), self.scale)


def paint(
    coloring: Coloring, tractogram: Tractogram, volume: Volume | None, max_points: int, report: Report
) -> PointColors:
    """Make ready to colour a tractogram in chunks of ``max_points``.

    Parameters
    ----------
    coloring : with the ends of its range settled, where it has one. volume : its scalar map.

    Raises
    ------
    InputError
        When the file must be read for it, and turns out to be damaged.
    """
    shown = values(coloring, tractogram, volume, report)
    return _Valued(shown, coloring) if shown else _Plain(coloring, tractogram, max_points)
