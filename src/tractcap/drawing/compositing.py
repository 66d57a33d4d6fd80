"""From a canvas' buffers to a picture: shaded, mixed with anatomy, smoothed, a band of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tractcap.color_names import Color, contrast
from tractcap.drawing import shading
from tractcap.drawing.anatomy import SLICE_OPACITY, Anatomy, Mesh
from tractcap.drawing.views import Frame, Vector

if TYPE_CHECKING:
    from tractcap.drawing.canvas import Canvas
    from tractcap.drawing.shot import Shot

_BAND_SAMPLES = 2**16
"""Samples that are worked on at once; some 100 bytes each are needed."""

_GLASS = 0.55
"""How much of the glass' rim is seen."""

_SLICE_WHITE = 0.75
"""How bright a slice that hides all gets, so that the streamlines on it stand out."""

Floats = NDArray[np.float32]


class Samples(Protocol):
    """Shots that lines were drawn into: a canvas, or pieces that were drawn by several."""

    shots: Sequence["Shot"]
    frame: Frame

    def colors(self, shot: int, first: int, last: int) -> NDArray[np.uint8]:
        """See :meth:`tractcap.drawing.canvas.Canvas.colors`."""

    def depths(self, shot: int, first: int, last: int) -> Floats:
        """See :meth:`tractcap.drawing.canvas.Canvas.depths`."""

    def sums(self, shot: int, first: int, last: int) -> list[Floats]:
        """See :meth:`tractcap.drawing.canvas.Canvas.sums`."""


@dataclass(frozen=True)
class Backdrop:
    """What a picture shows behind and between its streamlines.

    ``rim`` is its glass, (pixels, pixels) uint8; ``at`` the point in mm that the anatomy's slice leads through.
    """

    background: Color = (0, 0, 0)
    rim: NDArray[np.uint8] | None = None
    anatomy: Anatomy | None = None
    at: Vector | None = None

    def paper(self, rows: slice, shape: tuple[int, ...], sampling: int) -> Floats:
        """The background and the glass on it, (rows, columns, 3), in a band of samples of this shape."""
        background = np.array(self.background, np.float32)
        if self.rim is None:
            return np.broadcast_to(background, (*shape, 3))
        share = _enlarged(self.rim[rows].astype(np.float32) * np.float32(_GLASS / 255), sampling)
        ink = np.array(contrast(self.background), np.float32)
        return background + share[..., None] * (ink - background)

    def slice(self, shot: "Shot", frame: Frame, rows: slice, sampling: int) -> "_Layer | None":
        """The reference image's slice, if it is shown."""
        if self.anatomy is None or self.at is None:
            return None
        size, rows_from_to = shot.size // sampling, (rows.start, rows.stop)
        gray, inside = self.anatomy.slice(shot.view, frame, self.at, size, rows_from_to)
        opacity = np.float32(1 if shot.view.in_slice else SLICE_OPACITY)
        white = np.float32(255 * (_SLICE_WHITE if shot.view.in_slice else 1))
        return _Layer(_enlarged(gray, sampling)[..., None] * white, _enlarged(inside, sampling)[..., None] * opacity)


def glass(canvas: "Canvas", mesh: Mesh, sampling: int) -> list[NDArray[np.uint8]]:
    """Each shot's picture of a glass brain, (pixels, pixels) uint8; the canvas is clear afterwards."""
    canvas.glass(mesh)
    pictures = []
    for place, shot in enumerate(canvas.shots):
        bands = [
            shading.shrink(canvas.colors(place, first, last)[..., 0].astype(np.float32), sampling)
            for first, last in _bands(shot.size, sampling)
        ]
        pictures.append((np.concatenate(bands) + np.float32(0.5)).astype(np.uint8))
    canvas.wipe()
    return pictures


def picture(
    samples: Samples, place: int, sampling: int, backdrop: Backdrop, opacity: float = 1.0
) -> tuple[NDArray[np.uint8], float]:
    """Shade a shot, mix it with its backdrop, and average its samples.

    Parameters
    ----------
    samples : with ``sampling`` of them along each pixel of the picture. place : the shot's in them.
    opacity : of each line, where layers were summed.

    Returns
    -------
    (pixels, pixels, 3) uint8 RGB, and the share of samples in which something was drawn.
    """
    shot = samples.shots[place]
    side = shot.size // sampling
    result = np.broadcast_to(np.array(backdrop.background, np.uint8), (side, side, 3)).copy()
    covered = 0
    for first, last in _bands(shot.size, sampling):
        everywhere = backdrop.rim is not None or backdrop.anatomy is not None
        band = _Band(samples, place, sampling, (first, last), everywhere=everywhere)
        covered += int(band.covered.sum())
        if not band.covered.size:
            continue
        rows, columns = (slice(begin // sampling, end // sampling) for begin, end in ((first, last), band.columns))
        mixed = backdrop.paper(rows, band.covered.shape, sampling)
        slab = backdrop.slice(shot, samples.frame, rows, sampling)
        behind, before = band.layers(opacity)
        for layer in (slab, behind, before) if shot.view.in_slice else (behind, slab, before):
            mixed = layer.over(mixed) if layer else mixed
        result[rows, columns] = shading.shrink(mixed, sampling) + np.float32(0.5)
    return result, covered / shot.size**2


def _bands(samples: int, sampling: int) -> list[tuple[int, int]]:
    step = max(1, _BAND_SAMPLES // (samples * sampling)) * sampling
    return [(first, min(first + step, samples)) for first in range(0, samples, step)]


def _enlarged(pixels: Floats, sampling: int) -> Floats:
    return pixels.repeat(sampling, axis=0).repeat(sampling, axis=1)


class _Band:
    """Rows of samples, from one up to another: which of them are covered, how deep they lie and how bright they are.

    Of each row only the ``columns`` between which something was drawn are read; all of them with ``everywhere``.
    """

    def __init__(self, samples: Samples, place: int, sampling: int, rows: tuple[int, int], *, everywhere: bool) -> None:
        self._samples, self._place, self._rows = samples, place, rows
        size, edge, (first, last) = samples.shots[place].size, shading.border(sampling), rows
        above, below = max(0, first - edge), min(size, last + edge)
        depths = samples.depths(place, above, below)
        inside = slice(first - above, len(depths) - (below - last))
        self.columns = (0, size)
        if not everywhere:
            drawn = np.flatnonzero(np.isfinite(depths[inside].min(axis=0))) // sampling  # in whole pixels
            self.columns = (int(drawn[0]) * sampling, (int(drawn[-1]) + 1) * sampling) if len(drawn) else (0, 0)
        left, right = self.columns
        self._depths = depths[inside, left:right]
        self.covered = np.isfinite(self._depths)
        if not self.covered.any():
            return
        before, behind = max(0, left - edge), min(size, right + edge)
        padding = ((edge - (first - above), edge - (below - last)), (edge - (left - before), edge - (behind - right)))
        around = np.minimum(depths[:, before:behind], np.float32(samples.frame.depth))
        padded = np.pad(around, padding, mode="edge")
        self._bright = shading.brightness(padded, samples.frame.depth, sampling)[..., None]

    def layers(self, opacity: float) -> "tuple[_Layer | None, _Layer | None]":
        """The streamlines behind the slice, and those before it."""
        if not self.covered.any():
            return None, None
        columns = slice(*self.columns)
        if sums := self._samples.sums(self._place, *self._rows):
            before, behind = (self._blended(layers[:, columns], opacity) for layers in sums)
            return behind, before
        colors = self._samples.colors(self._place, *self._rows)[:, columns] * self._bright
        near = self.covered & (self._depths <= self._samples.shots[self._place].split)
        far = self.covered & ~near
        return (
            _Layer(colors, far[..., None]) if far.any() else None,
            _Layer(colors, near[..., None]) if near.any() else None,
        )

    def _blended(self, sums: Floats, opacity: float) -> "_Layer":
        """Layers of one opacity in any order: their mean colour hides as much as all of them together do.

        Weighted average transparency (Bavoil and Myers, Order independent transparency with dual depth peeling, 2008).
        """
        count = sums[..., 3:]
        colors = (sums[..., :3] * (np.float32(255) / np.maximum(count, 1)) * self._bright).astype(
            np.float32, copy=False
        )
        return _Layer(
            colors.astype(np.float32, copy=False), (1 - np.float32(1 - opacity) ** count).astype(np.float32, copy=False)
        )


@dataclass(frozen=True)
class _Layer:
    """Colours (rows, columns, 3) from 0 to 255, and (rows, columns, 1) how much each hides, or whether it does."""

    colors: Floats
    alpha: Floats | NDArray[np.bool_]

    def over(self, below: Floats) -> Floats:
        """Both, seen from the front."""
        if self.alpha.dtype == bool:
            return np.where(self.alpha, self.colors, below)
        mixed: Floats = below + self.alpha * (self.colors - below)
        return mixed
