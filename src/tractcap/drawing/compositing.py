"""From a canvas' buffers to a picture: shaded, mixed with anatomy, smoothed, a band of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tractcap.color_names import Color, contrast
from tractcap.drawing import shading
from tractcap.drawing.anatomy import SLICE_OPACITY, Anatomy, Mesh
from tractcap.drawing.overlays import CUT_OPACITY, DrawableOverlay
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

    def touched(self, shot: int) -> tuple[range, range]:
        """See :meth:`tractcap.drawing.canvas.Canvas.touched`."""

    def colors(self, shot: int, rows: range, columns: range) -> NDArray[np.uint8]:
        """See :meth:`tractcap.drawing.canvas.Canvas.colors`."""

    def depths(self, shot: int, rows: range, columns: range) -> Floats:
        """See :meth:`tractcap.drawing.canvas.Canvas.depths`."""

    def sums(self, shot: int, rows: range, columns: range) -> list[Floats]:
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
        """The background and the glass on it, (3, rows, columns), in a band of samples of this shape."""
        background = _planes(self.background)
        if self.rim is None:
            return np.broadcast_to(background, (3, *shape))
        share = _enlarged(self.rim[rows].astype(np.float32) * np.float32(_GLASS / 255), sampling)
        return background + share * (_planes(contrast(self.background)) - background)

    @property
    def everywhere(self) -> bool:
        """Whether it shows something where no streamline is."""
        return self.rim is not None or self.anatomy is not None

    def slice(self, shot: "Shot", frame: Frame, rows: slice, sampling: int) -> "_Layer | None":
        """The reference image's slice, if it is shown."""
        if self.anatomy is None or self.at is None:
            return None
        size, rows_from_to = shot.size // sampling, (rows.start, rows.stop)
        gray, inside = self.anatomy.slice(shot.view, frame, self.at, size, rows_from_to)
        opacity = np.float32(1 if shot.view.in_slice else SLICE_OPACITY)
        white = np.float32(255 * (_SLICE_WHITE if shot.view.in_slice else 1))
        return _Layer(_enlarged(gray, sampling)[None] * white, _enlarged(inside, sampling) * opacity)


class Overlays:
    """What lies beside the streamlines in a shot: drawn at once, and read a band of rows at a time.

    Parameters
    ----------
    place : the shot's in the canvas, whose overlays these are until the next ones are drawn.
    """

    def __init__(self, canvas: "Canvas", place: int, overlays: Sequence[DrawableOverlay]) -> None:
        self._canvas, self._place = canvas, place
        least = CUT_OPACITY if canvas.shots[place].view.in_slice else 0.0
        self._opacities = [max(overlay.opacity, least) for overlay in overlays for _ in range(overlay.sheets)]
        if overlays:
            canvas.draw_overlays(place, overlays)

    def __len__(self) -> int:
        return len(self._opacities)

    def surfaces(self, rows: range, columns: range) -> "list[_Surface]":
        """One for each sheet of the overlays at each sample, the farthest first."""
        read = [self._canvas.sheet(self._place, number, rows, columns) for number in range(len(self))]
        depths = np.stack([depths for _, depths in read])
        order = np.argsort(-depths, axis=0, kind="stable")
        depths = np.take_along_axis(depths, order, axis=0)
        colors = np.stack([np.moveaxis(colors, 2, 0) for colors, _ in read])
        colors = np.take_along_axis(colors, order[:, None], axis=0)
        opacities = np.array(self._opacities, np.float32)[order]
        faded = 1 - np.float32(shading.FADE / self._canvas.frame.depth) * np.where(np.isfinite(depths), depths, 0)
        return [_Surface(*layer) for layer in zip(colors * faded[:, None], opacities, depths, strict=True)]


def glass(canvas: "Canvas", mesh: Mesh, sampling: int) -> list[NDArray[np.uint8]]:
    """Each shot's picture of a glass brain, (pixels, pixels) uint8; the canvas is clear afterwards."""
    canvas.glass(mesh)
    pictures = []
    for place, shot in enumerate(canvas.shots):
        bands = [
            shading.shrink(canvas.colors(place, rows, range(shot.size))[..., 0].astype(np.float32), sampling)
            for rows in _bands(range(shot.size), shot.size, sampling)
        ]
        pictures.append((np.concatenate(bands) + np.float32(0.5)).astype(np.uint8))
    canvas.wipe()
    return pictures


def picture(
    samples: Samples,
    place: int,
    sampling: int,
    backdrop: Backdrop,
    opacity: float = 1.0,
    overlays: Overlays | None = None,
) -> tuple[NDArray[np.uint8], float]:
    """Shade a shot, mix it with its backdrop, and average its samples.

    Parameters
    ----------
    samples : with ``sampling`` of them along each pixel of the picture. place : the shot's in them.
    opacity : of each line, where layers were summed. overlays : what lies beside the streamlines.

    Returns
    -------
    (pixels, pixels, 3) uint8 RGB, and the share of samples in which something was drawn.
    """
    shot = samples.shots[place]
    side = shot.size // sampling
    row = np.tile(np.array(backdrop.background, np.uint8), side)
    result = np.full((side, len(row)), row).reshape(side, side, 3)
    covered = 0
    everywhere = backdrop.everywhere or bool(overlays)
    rows_touched, columns_touched = samples.touched(place)
    if everywhere:
        rows_touched = columns_touched = range(shot.size)
    columns_touched = _whole_pixels(columns_touched, sampling)
    for samples_down in _bands(rows_touched, min(shot.size, max(len(columns_touched), shot.size // 4)), sampling):
        band = _Band(samples, place, sampling, samples_down, columns_touched, everywhere=everywhere)
        covered += int(band.covered.sum())
        if not band.covered.size:
            continue
        rows, columns = (slice(at.start // sampling, at.stop // sampling) for at in (samples_down, band.columns))
        mixed = backdrop.paper(rows, band.covered.shape, sampling)
        slab = backdrop.slice(shot, samples.frame, rows, sampling)
        behind, before = band.layers(opacity)
        # what lies near a slice is shown before it; else the slice parts what lies behind it and before it
        layers: list[_Placed] = [(slab, np.float32(np.inf)), (before, band.depths)]
        if not shot.view.in_slice:
            layers = [(behind, np.maximum(band.depths, shot.split)), (slab, np.float32(shot.split)), layers[1]]
        surfaces = overlays.surfaces(samples_down, band.columns) if overlays else []
        mixed = _mixed(mixed, layers, surfaces)
        for number, plane in enumerate(shading.shrink(mixed, sampling)):
            result[rows, columns, number] = plane + np.float32(0.5)
    return result, covered / shot.size**2


def _bands(rows: range, columns: int, sampling: int) -> list[range]:
    """Bands of whole pixels that hold these rows of samples."""
    step = max(1, _BAND_SAMPLES // (max(1, columns) * sampling)) * sampling
    whole = _whole_pixels(rows, sampling)
    return [whole[first : first + step] for first in range(0, len(whole), step)]


def _whole_pixels(samples: range, sampling: int) -> range:
    """Rows or columns of samples, with what is missing to whole pixels."""
    return range(samples.start // sampling * sampling, -(-samples.stop // sampling) * sampling)


def _planes(color: Color) -> Floats:
    """A colour as (3, 1, 1): NumPy is several times as fast where rows and columns come last."""
    return np.array(color, np.float32)[:, None, None]


def _enlarged(pixels: Floats, sampling: int) -> Floats:
    return pixels.repeat(sampling, axis=0).repeat(sampling, axis=1)


class _Band:
    """Rows of samples, from one up to another: which of them are covered, their ``depths``, and how bright they are.

    Of the ``columns`` only those between which something was drawn are looked at; all of them with ``everywhere``.
    """

    def __init__(
        self, samples: Samples, place: int, sampling: int, rows: range, columns: range, *, everywhere: bool
    ) -> None:
        self._samples, self._place, self._rows = samples, place, rows
        size, edge = samples.shots[place].size, shading.border(sampling)
        around_rows, around_columns = (
            range(max(0, inner.start - edge), min(size, inner.stop + edge)) for inner in (rows, columns)
        )
        depths = samples.depths(place, around_rows, around_columns)
        down = slice(rows.start - around_rows.start, rows.stop - around_rows.start)
        if not everywhere:
            inside = depths[down, columns.start - around_columns.start :][:, : len(columns)]
            drawn = np.flatnonzero(np.isfinite(inside.min(axis=0))) // sampling  # in whole pixels
            columns = columns[drawn[0] * sampling : (drawn[-1] + 1) * sampling] if len(drawn) else range(0)
        self.columns = columns
        left, right = columns.start - around_columns.start, columns.stop - around_columns.start
        self.depths = depths[down, max(0, left) : max(0, right)]
        self.covered = np.isfinite(self.depths)
        if not self.covered.any():
            return
        before, behind = max(0, left - edge), min(len(around_columns), right + edge)
        padding = (
            (edge - down.start, edge - (len(around_rows) - down.stop)),
            (edge - (left - before), edge - (behind - right)),
        )
        around = np.minimum(depths[:, before:behind], np.float32(samples.frame.depth))
        padded = np.pad(around, padding, mode="edge")
        self._bright = shading.brightness(padded, samples.frame.depth, sampling)

    def layers(self, opacity: float) -> "tuple[_Layer | None, _Layer | None]":
        """The streamlines behind the slice, and those before it."""
        if not self.covered.any():
            return None, None
        if sums := self._samples.sums(self._place, self._rows, self.columns):
            before, behind = (self._blended(np.moveaxis(layers, 2, 0), opacity) for layers in sums)
            return behind, before
        drawn = np.moveaxis(self._samples.colors(self._place, self._rows, self.columns), 2, 0)
        colors = np.multiply(drawn, self._bright, order="C")
        near = self.covered & (self.depths <= self._samples.shots[self._place].split)
        far = self.covered & ~near
        return (
            _Layer(colors, far) if far.any() else None,
            _Layer(colors, near) if near.any() else None,
        )

    def _blended(self, sums: Floats, opacity: float) -> "_Layer":
        """Layers of one opacity in any order: their mean colour hides as much as all of them together do.

        Weighted average transparency (Bavoil and Myers, Order independent transparency with dual depth peeling, 2008).
        """
        count = sums[3]
        colors = np.multiply(sums[:3] * (np.float32(255) / np.maximum(count, 1)), self._bright, order="C")
        return _Layer(colors.astype(np.float32), (1 - np.float32(1 - opacity) ** count).astype(np.float32))


@dataclass(frozen=True)
class _Layer:
    """Colours (3, rows, columns) from 0 to 255, and (rows, columns) how much each hides, or whether it does."""

    colors: Floats
    alpha: Floats | NDArray[np.bool_]

    def over(self, below: Floats) -> Floats:
        """Both, seen from the front."""
        if self.alpha.dtype == bool:
            return np.where(self.alpha, self.colors, below)
        mixed: Floats = below + self.alpha * (self.colors - below)
        return mixed


_Placed = tuple[_Layer | None, Floats | np.float32]
"""A layer, if there is one, and its depths."""


@dataclass(frozen=True)
class _Surface:
    """Colours (3, rows, columns) from 0 to 255, how much each hides, and its depth in mm (rows, columns)."""

    colors: Floats
    opacity: Floats
    depths: Floats

    def between(self, near: Floats, far: Floats) -> _Layer:
        """What of it lies between two depths, of each sample or of all."""
        seen = (self.depths > near) & (self.depths <= far) & np.isfinite(self.depths)
        return _Layer(self.colors, np.where(seen, self.opacity, np.float32(0)))


def _mixed(paper: Floats, layers: Sequence[_Placed], surfaces: Sequence[_Surface]) -> Floats:
    """Layers, the farthest first, each with its depths, and the surfaces that lie behind, between and before them."""
    nearest: Floats = np.full(paper.shape[1:], -np.inf, np.float32)
    limits = [nearest]  # of each layer, the depth that is behind it, or behind the next one where it isn't
    for layer, depths in reversed(layers if surfaces else []):
        if layer:
            nearest = np.where(layer.alpha > 0, np.maximum(depths, nearest), nearest)
        limits.insert(0, nearest)
    mixed = paper
    far = np.full_like(nearest, np.inf)
    for number, (layer, _) in enumerate([*layers, (None, far)]):
        for surface in surfaces:
            mixed = surface.between(limits[number], far).over(mixed)
        if surfaces:
            far = limits[number]
        mixed = layer.over(mixed) if layer else mixed
    return mixed
