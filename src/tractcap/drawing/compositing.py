"""From a canvas' buffers to a picture: shaded, mixed with anatomy, smoothed, a band of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import shading
from tractcap.drawing.anatomy import SLICE_OPACITY, Anatomy
from tractcap.drawing.canvas import Canvas, Shot
from tractcap.drawing.palette import Color, contrast
from tractcap.drawing.views import Frame, Vector

_BAND_SAMPLES = 2**16
"""Samples that are worked on at once; some 100 bytes each are needed."""

_GLASS = 0.55
"""How much of the glass' rim is seen."""

_SLICE_WHITE = 0.75
"""How bright a slice that hides all gets, so that the streamlines on it stand out."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Setting:
    """What a picture's streamlines are shown with: ``at`` is the point in mm that slices lead through."""

    sampling: int
    background: Color = (0, 0, 0)
    opacity: float = 1.0
    anatomy: Anatomy | None = None
    at: Vector | None = None


class Drawing(Protocol):
    """Shots that lines were drawn into: a canvas, or pieces that were drawn by several."""

    shots: Sequence[Shot]
    frame: Frame

    def colors(self, shot: int, first: int, last: int) -> NDArray[np.uint8]:
        """See :meth:`tractcap.drawing.canvas.Canvas.colors`."""

    def depths(self, shot: int, first: int, last: int) -> NDArray[np.float32]:
        """See :meth:`tractcap.drawing.canvas.Canvas.depths`."""

    def sums(self, shot: int, first: int, last: int) -> list[NDArray[np.float32]]:
        """See :meth:`tractcap.drawing.canvas.Canvas.sums`."""


def glass(canvas: Canvas, anatomy: Anatomy, sampling: int) -> list[NDArray[np.uint8] | None]:
    """Each shot's picture of an anatomy's glass, (pixels, pixels) uint8; the canvas is clear afterwards."""
    if (mesh := anatomy.glass()) is None:
        return [None] * len(canvas.shots)
    canvas.glass(mesh)
    pictures: list[NDArray[np.uint8] | None] = [_rim(canvas, place, sampling) for place in range(len(canvas.shots))]
    canvas.wipe()
    return pictures


def _rim(canvas: Canvas, shot: int, sampling: int) -> NDArray[np.uint8]:
    bands = (
        shading.shrink(canvas.colors(shot, first, last)[..., 0].astype(np.float32), sampling)
        for first, last in _bands(canvas.shots[shot].size, sampling)
    )
    return (np.concatenate(list(bands)) + np.float32(0.5)).astype(np.uint8)


def picture(
    canvas: Drawing, shot: int, setting: Setting, rim: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], float]:
    """Shade a shot, mix it with what is behind, and average its samples.

    Parameters
    ----------
    canvas : with ``sampling`` samples along each pixel of the picture.
    shot : the shot's place in the canvas. rim : its glass, (pixels, pixels).

    Returns
    -------
    (pixels, pixels, 3) uint8 RGB, and the share of samples in which something was drawn.
    """
    samples = canvas.shots[shot].size
    side = samples // setting.sampling
    result = np.broadcast_to(np.array(setting.background, np.uint8), (side, side, 3)).copy()
    covered = 0
    for first, last in _bands(samples, setting.sampling):
        everywhere = rim is not None or setting.anatomy is not None
        band = _Band(canvas, shot, setting, (first, last), everywhere=everywhere)
        covered += int(band.covered.sum())
        if not band.covered.size:
            continue
        part = tuple(slice(one // setting.sampling, end // setting.sampling) for one, end in (band.rows, band.columns))
        mixed = band.mixed(None if rim is None else rim[part])
        result[part] = shading.shrink(mixed, setting.sampling) + np.float32(0.5)
    return result, covered / samples**2


def _bands(samples: int, sampling: int) -> list[tuple[int, int]]:
    step = max(1, _BAND_SAMPLES // (samples * sampling)) * sampling
    return [(first, min(first + step, samples)) for first in range(0, samples, step)]


class _Band:
    """Rows of samples, from one up to another; colours go from 0 to 255.

    Of each row only the ``columns`` between which something was drawn are looked at, or all of them, ``everywhere``.
    """

    def __init__(
        self, canvas: Drawing, shot: int, setting: Setting, rows: tuple[int, int], *, everywhere: bool
    ) -> None:
        self._canvas, self._shot, self._setting = canvas, shot, setting
        self.rows, self.columns = rows, (0, canvas.shots[shot].size)
        self._view = canvas.shots[shot].view
        self._read(everywhere=everywhere)

    def _read(self, *, everywhere: bool) -> None:
        """Colours and depths, and how bright shading lets them be."""
        canvas, edge = self._canvas, shading.border(self._setting.sampling)
        size, (first, last) = canvas.shots[self._shot].size, self.rows
        above, below = max(0, first - edge), min(size, last + edge)
        depths = canvas.depths(self._shot, above, below)
        inside = slice(first - above, len(depths) - (below - last))
        if not everywhere:
            self.columns = _between(np.isfinite(depths[inside].min(axis=0)), self._setting.sampling)
        left, right = self.columns
        self.depths = depths[inside, left:right]
        self.covered = np.isfinite(self.depths)
        if not self.covered.any():
            return
        before, behind = max(0, left - edge), min(size, right + edge)
        padding = ((edge - (first - above), edge - (below - last)), (edge - (left - before), edge - (behind - right)))
        around = np.minimum(depths[:, before:behind], np.float32(canvas.frame.depth))
        padded = np.pad(around, padding, mode="edge")
        self._bright = shading.brightness(padded, canvas.frame.depth, self._setting.sampling)[..., None]

    def mixed(self, rim: NDArray[np.uint8] | None) -> Samples:
        """All that is seen, (rows, columns, 3), mixed from the back to the front."""
        below, slab = self._paper(rim), self._slice()
        behind, before = self._layers()
        for layer in (slab, behind, before) if self._view.in_slice else (behind, slab, before):
            below = layer.over(below) if layer else below
        return below

    def _paper(self, rim: NDArray[np.uint8] | None) -> Samples:
        background = np.array(self._setting.background, np.float32)
        if rim is None:
            return np.broadcast_to(background, (*self.depths.shape, 3))
        share = self._enlarged(rim.astype(np.float32) * np.float32(_GLASS / 255))
        ink = np.array(contrast(self._setting.background), np.float32)
        return background + share[..., None] * (ink - background)

    def _enlarged(self, pixels: Samples) -> Samples:
        sampling = self._setting.sampling
        return pixels.repeat(sampling, axis=0).repeat(sampling, axis=1)

    def _slice(self) -> "_Layer | None":
        """The reference image's."""
        setting, sampling = self._setting, self._setting.sampling
        if setting.anatomy is None or setting.at is None:
            return None
        first, last = (row // sampling for row in self.rows)
        size = self._canvas.shots[self._shot].size // sampling
        gray, inside = setting.anatomy.slice(self._view, self._canvas.frame, setting.at, size, (first, last))
        opacity = np.float32(1 if self._view.in_slice else SLICE_OPACITY)
        white = np.float32(255 * (_SLICE_WHITE if self._view.in_slice else 1))
        return _Layer(self._enlarged(gray)[..., None] * white, self._enlarged(inside)[..., None] * opacity)

    def _layers(self) -> "tuple[_Layer | None, _Layer | None]":
        """What lies behind the slice, and what before it."""
        if not self.covered.any():
            return None, None
        canvas, columns = self._canvas, slice(*self.columns)
        if sums := canvas.sums(self._shot, *self.rows):
            before, behind = (_summed(one[:, columns], self._bright, self._setting.opacity) for one in sums)
            return behind, before
        colors = canvas.colors(self._shot, *self.rows)[:, columns] * self._bright
        near = self.covered & (self.depths <= canvas.shots[self._shot].split)
        sides = (self.covered & ~near, near)
        return tuple(_Layer(colors, side[..., None]) if side.any() else None for side in sides)  # type: ignore[return-value]


def _between(columns: NDArray[np.bool_], sampling: int) -> tuple[int, int]:
    """From the first to the last that is true, in whole pixels."""
    places = np.flatnonzero(columns)
    if not len(places):
        return 0, 0
    return int(places[0]) // sampling * sampling, (int(places[-1]) // sampling + 1) * sampling


@dataclass(frozen=True)
class _Layer:
    """Colours (rows, columns, 3), and (rows, columns, 1) how much each hides, or whether it does."""

    colors: Samples
    alpha: Samples | NDArray[np.bool_]

    def over(self, below: Samples) -> Samples:
        """What is seen of both."""
        if self.alpha.dtype == bool:
            return np.where(self.alpha, self.colors, below)
        mixed: Samples = below + self.alpha * (self.colors - below)
        return mixed


def _summed(sums: Samples, bright: Samples, opacity: float) -> _Layer:
    """Layers of one opacity in any order: their mean colour hides as much as all of them together do.

    Weighted average transparency (Bavoil and Myers, Order independent transparency with dual depth peeling, 2008).
    """
    count = sums[..., 3:]
    colors = (sums[..., :3] * (np.float32(255) / np.maximum(count, 1)) * bright).astype(np.float32, copy=False)
    return _Layer(colors, (1 - np.float32(1 - opacity) ** count).astype(np.float32, copy=False))
