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
    result = np.empty((samples // setting.sampling,) * 2 + (3,), np.uint8)
    covered = 0.0
    for first, last in _bands(samples, setting.sampling):
        rows = slice(first // setting.sampling, last // setting.sampling)
        band = _Band(canvas, shot, setting, first, last)
        mixed = band.mixed(None if rim is None else rim[rows])
        result[rows] = shading.shrink(mixed, setting.sampling) + np.float32(0.5)
        covered += float(band.covered.mean()) * (last - first) / samples
    return result, covered


def _bands(samples: int, sampling: int) -> list[tuple[int, int]]:
    step = max(1, _BAND_SAMPLES // (samples * sampling)) * sampling
    return [(first, min(first + step, samples)) for first in range(0, samples, step)]


class _Band:
    """Rows of samples, from ``first`` up to ``last``; colours go from 0 to 255."""

    def __init__(self, canvas: Drawing, shot: int, setting: Setting, first: int, last: int) -> None:
        self._canvas, self._shot, self._setting = canvas, shot, setting
        self._first, self._last = first, last
        self._view = canvas.shots[shot].view
        self._read()

    def _read(self) -> None:
        """Colours and depths, and how bright shading lets them be."""
        canvas, sampling = self._canvas, self._setting.sampling
        size, edge = canvas.shots[self._shot].size, shading.border(sampling)
        above, below = max(0, self._first - edge), min(size, self._last + edge)
        depths = canvas.depths(self._shot, above, below)
        self.depths = depths[self._first - above : len(depths) - (below - self._last)]
        self.covered = np.isfinite(self.depths)
        if not self.covered.any():
            return
        padding = (edge - (self._first - above), edge - (below - self._last))
        padded = np.pad(np.minimum(depths, np.float32(canvas.frame.depth)), (padding, (0, 0)), mode="edge")
        self._bright = shading.brightness(padded, canvas.frame.depth, sampling)[..., None]

    def mixed(self, rim: NDArray[np.uint8] | None) -> Samples:
        """All that is seen, (rows, samples, 3), mixed from the back to the front."""
        below = self._paper(rim)
        slab, alpha = self._slice()
        if self._view.in_slice:
            return self._over(_mix(below, slab, alpha), self._layers())
        behind, before = self._layers()
        return self._over(_mix(self._over(below, (behind,)), slab, alpha), (before,))

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

    def _slice(self) -> tuple[Samples, Samples]:
        """The slice's brightness and how much it hides, both (rows, samples, 1)."""
        setting, sampling = self._setting, self._setting.sampling
        if setting.anatomy is None or setting.at is None:
            return np.zeros((1, 1, 1), np.float32), np.zeros((1, 1, 1), np.float32)
        rows, size = (self._first // sampling, self._last // sampling), self._canvas.shots[self._shot].size // sampling
        gray, inside = setting.anatomy.slice(self._view, self._canvas.frame, setting.at, size, rows)
        opacity = np.float32(1 if self._view.in_slice else SLICE_OPACITY)
        white = np.float32(255 * (_SLICE_WHITE if self._view.in_slice else 1))
        return self._enlarged(gray)[..., None] * white, self._enlarged(inside)[..., None] * opacity

    def _layers(self) -> "tuple[_Layer, _Layer]":
        """What lies behind the slice, and what before it."""
        shot = self._canvas.shots[self._shot]
        nothing = _Layer(np.zeros((1, 1, 3), np.float32), np.zeros((1, 1, 1), np.float32))
        if not self.covered.any():
            return nothing, nothing
        if sums := self._canvas.sums(self._shot, self._first, self._last):
            before, behind = (_summed(one, self._bright, self._setting.opacity) for one in sums)
            return behind, before
        colors = self._canvas.colors(self._shot, self._first, self._last) * self._bright
        near = self.covered & (self.depths <= shot.split)
        far = self.covered & ~near
        return tuple(_Layer(colors, side[..., None].astype(np.float32)) for side in (far, near))  # type: ignore[return-value]

    @staticmethod
    def _over(below: Samples, layers: "tuple[_Layer, ...]") -> Samples:
        for layer in layers:
            below = _mix(below, layer.colors, layer.alpha)
        return below


@dataclass(frozen=True)
class _Layer:
    """Colours (rows, samples, 3), and how much each hides, (rows, samples, 1)."""

    colors: Samples
    alpha: Samples


def _mix(below: Samples, above: Samples, alpha: Samples) -> Samples:
    mixed: Samples = below + alpha * (above - below)
    return mixed


def _summed(sums: Samples, bright: Samples, opacity: float) -> _Layer:
    """Layers of one opacity in any order: their mean colour hides as much as all of them together do.

    Weighted average transparency (Bavoil and Myers, Order independent transparency with dual depth peeling, 2008).
    """
    count = sums[..., 3:]
    colors = (sums[..., :3] * (np.float32(255) / np.maximum(count, 1)) * bright).astype(np.float32, copy=False)
    return _Layer(colors, (1 - np.float32(1 - opacity) ** count).astype(np.float32, copy=False))
