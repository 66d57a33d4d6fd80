"""The colour of each point of a tractogram: by its direction, by a value that stands there, or one for all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import StreamlineCounts, drawable, unit
from tractcap.drawing.point_values import FileData, PointValues, Report, ScalarMapValues
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram
from tractcap.records.options import DATA, DENSITY, ENDPOINTS, POSITION, SCALAR, Coloring

NO_VALUE = (128, 128, 128)
"""The colour of a point whose value is not a number."""


@dataclass(frozen=True)
class ColorScale:
    """A perceptually uniform colour map for the values ``name``, from ``low`` to ``high``.

    What lies beyond has the colours of the ends. ``unit`` may be empty. ``words`` stand at the ends of the colour bar
    instead of numbers, where they aren't empty.
    """

    name: str
    low: float
    high: float
    unit: str = ""
    colormap: str = "viridis"
    words: tuple[str, str] = ("", "")

    @property
    def title(self) -> str:
        """The name, with the unit if there is one."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def colors(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Colours of values, (N,) to (N, 3) uint8 RGB."""
        table = _color_table(self.colormap)
        span = self.high - self.low or 1.0
        place = np.clip((values - np.float32(self.low)) / np.float32(span), 0, 1) * np.float32(len(table) - 1)
        known = ~np.isnan(place)
        chosen = table[(np.where(known, place, 0) + np.float32(0.5)).astype(np.int64)]
        return np.where(known[:, None], chosen, np.array(NO_VALUE, np.uint8))


@lru_cache
def _color_table(colormap: str) -> NDArray[np.uint8]:
    """The 256 colours of one of matplotlib's maps, (256, 3) uint8 RGB."""
    from matplotlib import colormaps

    table: NDArray[np.uint8] = colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    return table


@dataclass(frozen=True)
class PointColors:
    """How the points of one tractogram get their colours.

    ``colors`` gives those of a chunk's points, (N, 3) uint8 RGB, by these and their tangents; chunks must come in the
    file's order. ``data`` names what of the file's own data they need; ``scale`` is None where colours stand for no
    values.
    """

    colors: Callable[[Chunk, NDArray[np.float32]], NDArray[np.uint8]]
    data: str = ""
    scale: ColorScale | None = None


def point_colors(
    coloring: Coloring, tractogram: Tractogram, volume: Volume | None, max_points: int, report: Report
) -> PointColors:
    """Prepare to colour a tractogram in chunks of ``max_points``.

    Parameters
    ----------
    coloring : with the ends of its range settled, where it has one. volume : its scalar map.

    Raises
    ------
    InputError
        When the file must be read for it, and turns out to be damaged.
    """
    if values := values_of(coloring, tractogram, volume, report):
        low, high = coloring.limits or (0.0, 100.0)
        scale = ColorScale(values.name, low, high, values.unit, coloring.colormap, values.words)
        return PointColors(lambda chunk, _: scale.colors(values.at(chunk)), values.data, scale)
    if color := coloring.color:
        return PointColors(lambda chunk, _: np.broadcast_to(np.array(color, np.uint8), chunk.points.shape).copy())
    if coloring.kind == ENDPOINTS:
        return PointColors(_EndToEnd(tractogram, max_points).colors)
    return PointColors(lambda _, along: direction_colors(along))


def direction_colors(along: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour directions: red for left-right, green for front-back, blue for up-down.

    The usual colouring of directions (Pajevic and Pierpaoli, Magn Reson Med 42:526, 1999): the absolute components of
    the unit tangent.

    Parameters
    ----------
    along : (3, N), one mm long, or 0 where there is none.

    Returns
    -------
    (N, 3) uint8 RGB; what has no direction is black.
    """
    return np.ascontiguousarray((np.abs(along) * np.float32(255) + np.float32(0.5)).astype(np.uint8).T)


class _EndToEnd:
    """Colours each streamline by the direction from its first to its last point.

    A streamline longer than a chunk ends in another one: the file is read first for the chords of such streamlines.
    """

    def __init__(self, tractogram: Tractogram, max_points: int) -> None:
        begin, long_chords = np.zeros(3, np.float32), []
        for chunk in tractogram.chunks(max_points):
            kept = drawable(chunk, StreamlineCounts())
            if len(kept.points) and kept.tail and not kept.head:
                begin = kept.points[kept.offsets[-2]].copy()
            if len(kept.points) and kept.head and not kept.tail:
                long_chords.append(kept.points[kept.offsets[1] - 1] - begin)
        self._long_chords = iter(long_chords)
        self._chord = np.zeros(3, np.float32)

    def colors(self, chunk: Chunk, _along: NDArray[np.float32]) -> NDArray[np.uint8]:
        chords = chunk.points[chunk.offsets[1:] - 1] - chunk.points[chunk.offsets[:-1]]
        if chunk.tail and not chunk.head:
            self._chord = next(self._long_chords, chords[-1])
        if chunk.head:
            chords[0] = self._chord
        if chunk.tail:
            chords[-1] = self._chord
        return np.repeat(direction_colors(unit(chords.T)), np.diff(chunk.offsets), axis=0)


def values_of(coloring: Coloring, tractogram: Tractogram, volume: Volume | None, report: Report) -> PointValues | None:
    """The values that a colouring shows; None where its colours stand for none.

    For density and position the file is read first.

    Raises
    ------
    InputError
        When the file turns out to be damaged.
    """
    if coloring.kind == DATA:
        return FileData(coloring.name)
    if coloring.kind == SCALAR and volume:
        return ScalarMapValues(coloring.name, volume)
    if coloring.kind == DENSITY:
        from tractcap.drawing.density import Density

        return Density(tractogram, report)
    if coloring.kind == POSITION:
        from tractcap.drawing.position_along_bundle import Position

        return Position(tractogram, report)
    return None
