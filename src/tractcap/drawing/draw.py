"""All pictures of one tractogram, or of several together, in one pass over each file."""

import contextlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import opengl
from tractcap.drawing.anatomy import Anatomy, depth_of, outside
from tractcap.drawing.color_scale import ColorScale
from tractcap.drawing.cropped import CroppedStreamlines
from tractcap.drawing.lines import (
    DrawableLines,
    StreamlineCounts,
    drawable,
    lines,
    parts_by_corner,
    parts_by_length,
    tangents,
)
from tractcap.drawing.piece_file import MergedPieces, PieceFacts, PieceWriter
from tractcap.drawing.point_colors import PointColors, paint
from tractcap.drawing.views import VIEWS, Frame, Vector, View, turntable
from tractcap.errors import DrawingError
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram
from tractcap.records.options import GLASS, SLICES, TUBES, Coloring, PictureOptions, RenderSettings
from tractcap.records.piece import TOLD, WHOLE, Piece

if TYPE_CHECKING:
    from tractcap.drawing.canvas import Shot
    from tractcap.drawing.compositing import Drawing

_SEEN_PIXELS = 2.0
"""A streamline that leads over so many pixels across a view must be seen in it."""

_BEND = 0.4
"""Of a tube's width: the length in mm of the parts that it is bent from."""

_TUBES = 2
"""By how many times fewer points are drawn at once as tubes, since they take more memory."""

_CORNER = 0.25
"""Pixels that a line may lie beside the curve that it stands for: no corner is seen."""


@dataclass(frozen=True)
class ColoredTractogram:
    """A tractogram and its colours; ``volume`` is the scalar map that these may stand for."""

    tractogram: Tractogram
    coloring: Coloring
    volume: Volume | None = None


@dataclass(frozen=True)
class Scene:
    """What is seen, in which frame: ``at`` is the point in mm that slices lead through."""

    bundles: Sequence[ColoredTractogram]
    frame: Frame
    look: PictureOptions
    anatomy: Anatomy | None = None
    at: Vector | None = None


@dataclass(frozen=True)
class Picture:
    """A finished picture (pixels, pixels, 3) uint8 RGB, not yet labelled, and what the colours of values stand for."""

    view: View
    pixels: NDArray[np.uint8]
    scale: ColorScale | None


def draw(
    scene: Scene,
    making: RenderSettings,
    tally: StreamlineCounts,
    report: Callable[[int], None],
    pieces: Sequence[Path] = (),
) -> Iterator[Picture]:
    """Draw a scene's views and then its turntable, one after the other, and count its streamlines into ``tally``.

    Parameters
    ----------
    pieces : the files of all of :func:`draw_piece`, in order, which then needn't be drawn.

    Raises
    ------
    InputError
        When a file turns out to be damaged, or lacks the data to colour by.
    DrawingError
        When OpenGL can't draw, or drew nothing where something must be seen.
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(zipfile.ZipFile(path)) for path in pieces]
        for one in _passes(scene, making, report):
            yield from one.merged(tally, files) if files else one.drawn(tally)
            tally = StreamlineCounts()  # they are counted once


def draw_piece(
    scene: Scene, making: RenderSettings, piece: Piece, report: Callable[[int], None], writer: PieceWriter
) -> dict[str, Any]:
    """Draw a piece of a scene of one bundle, opaque, for :func:`draw` to merge; returns what to tell of it.

    The ``max_points`` of a chunk must be the same for all pieces. The passes of ``making`` are those of its pictures.
    """
    told = [one.piece(piece, writer) for one in _passes(scene, making, report, piece.drawn.start)]
    return told[0]  # all have read the same


def _passes(scene: Scene, making: RenderSettings, report: Callable[[int], None], first: int = 0) -> "Iterator[_Pass]":
    look = scene.look
    views = [(VIEWS[name], look.size) for name in look.views]
    views += [(view, look.frame_size) for view in turntable(look.turning)]
    for count in making.passes:
        yield _Pass(scene, making, views[first : first + count], report, first)
        first += count


class _Pass:
    """Some of the pictures, which are drawn at once; ``first`` is the number of the first of them."""

    def __init__(
        self,
        scene: Scene,
        making: RenderSettings,
        views: Sequence[tuple[View, int]],
        report: Callable[[int], None],
        first: int,
    ) -> None:
        opengl.choose()
        from tractcap.drawing.canvas import Brush, Canvas  # VTK looks for its window when it is loaded

        self._scene, self._making, self._views, self._report = scene, making, views, report
        self._first = first
        self._edges = CroppedStreamlines(scene.frame)
        look, self._tubes = scene.look, scene.look.style == TUBES
        width = look.thickness(scene.frame.width)
        self._step = _BEND * width
        self._tolerance = _CORNER * scene.frame.width / max(look.sizes)
        self._canvas = Canvas(
            [self._shot(view, size) for view, size in views],
            scene.frame,
            Brush(width, self._tubes),
            together=making.max_points,
            layered=look.opacity < 1,
        )

    def drawn(self, tally: StreamlineCounts) -> Iterator[Picture]:
        """Draw all bundles, and finish the pictures."""
        rims = self._rims()
        facts = PieceFacts(tally)
        for bundle in self._scene.bundles:
            self._draw(bundle, facts, WHOLE)
        self._canvas.finish()
        yield from self._finished(self._canvas, facts, rims)
        self._canvas.close()

    def piece(self, piece: Piece, writer: PieceWriter) -> dict[str, Any]:
        """Draw a piece of the bundle, and write it as it is."""
        (bundle,), facts = self._scene.bundles, PieceFacts(StreamlineCounts())
        self._draw(bundle, facts, piece)
        self._canvas.finish()
        for place in range(len(self._views)):
            writer.take(self._canvas, place, self._first + place)
            self._report(facts.tally.points)
        self._canvas.close()
        return facts.dump()

    def merged(self, tally: StreamlineCounts, files: Sequence[zipfile.ZipFile]) -> Iterator[Picture]:
        """Finish the pictures from pieces that were drawn."""
        rims = self._rims()
        facts = PieceFacts.load(json.loads(files[-1].read(TOLD))["facts"])
        tally.add(facts.tally)
        yield from self._finished(MergedPieces(files, self._canvas, self._first), facts, rims)
        self._canvas.close()

    def _rims(self) -> list[NDArray[np.uint8] | None]:
        from tractcap.drawing import compositing

        scene = self._scene
        if scene.anatomy and GLASS in scene.look.anatomy:
            return compositing.glass(self._canvas, scene.anatomy, self._making.sampling)
        return [None] * len(self._views)

    def _finished(
        self, drawing: "Drawing", facts: PieceFacts, rims: Sequence[NDArray[np.uint8] | None]
    ) -> Iterator[Picture]:
        from tractcap.drawing import compositing

        look, sampling = self._scene.look, self._making.sampling
        for place, (view, size) in enumerate(self._views):
            setting = compositing.Setting(sampling, look.background, look.opacity, *self._sliced(view))
            rim = None if view.in_slice else rims[place]
            pixels, covered = compositing.picture(drawing, place, setting, rim)
            shown = not facts.tally.beyond and _seen(view, facts.reach, self._scene.frame.width / size)
            if shown and not covered and not view.in_slice:
                raise DrawingError(_blank(view, self._scene, facts.tally))
            self._report(facts.tally.points)  # a sign of life: a large picture takes its time
            yield Picture(view, pixels, facts.scale)

    def _shot(self, view: View, size: int) -> "Shot":
        from tractcap.drawing.canvas import Shot

        scene, samples = self._scene, size * self._making.sampling
        depth = scene.frame.depth
        split = depth_of(view, scene.frame, scene.at) if scene.at else depth
        if not view.in_slice:
            return Shot(view, samples, 0.0, depth, split)
        return Shot(view, samples, split - scene.look.slab, split + scene.look.slab, depth)

    def _sliced(self, view: View) -> tuple[Anatomy | None, Vector | None]:
        """The anatomy's slice that a view shows; a turntable goes around the glass alone."""
        scene = self._scene
        shown = view.in_slice or (SLICES in scene.look.anatomy and view.name in VIEWS)
        return (scene.anatomy, scene.at) if shown else (None, None)

    def _draw(self, bundle: ColoredTractogram, facts: PieceFacts, piece: Piece) -> None:
        """Draw a piece of a bundle, for which the file is read up to the piece's end."""
        most = self._making.max_points
        painted = paint(bundle.coloring, bundle.tractogram, bundle.volume, most, self._report)
        facts.scale = painted.scale
        first, last = piece.bounds(bundle.tractogram.header.points)
        begin = facts.tally.points
        for chunk in bundle.tractogram.chunks(most, painted.data):
            if (at := facts.tally.points - begin) >= last:
                break
            self._take(chunk, painted, facts, drawn=at >= first)
            self._report(facts.tally.points)

    def _take(self, chunk: Chunk, painted: PointColors, facts: PieceFacts, *, drawn: bool) -> None:
        """Count a chunk, and draw it if it is this piece's."""
        kept, anatomy = drawable(chunk, facts.tally), self._scene.anatomy
        if not len(kept.points):
            return
        if drawn:
            for some in self._lines(kept, painted):
                self._canvas.draw(some)
        elif kept.head or kept.tail:
            painted.colors(kept)  # the colours of a streamline that goes on may depend on where it began
        facts.reach = np.maximum(facts.reach, _reach(kept))
        self._edges.count(kept, facts.tally)
        if anatomy and len(kept.points[kept.new]):
            facts.tally.outside += outside(kept.points[kept.new], anatomy.shape, anatomy.affine)

    def _lines(self, chunk: Chunk, painted: PointColors) -> Iterator[DrawableLines]:
        along = tangents(chunk.points, chunk.offsets)
        parts = parts_by_length(chunk, self._step) if self._tubes else parts_by_corner(chunk, along, self._tolerance)
        most = self._making.max_points // (_TUBES if self._tubes else 1)
        lit = painted.scale is None  # what stands for values stays as bright as it is
        return lines(chunk, painted.colors(chunk), along, parts, most, lit=lit)


def _blank(view: View, scene: Scene, tally: StreamlineCounts) -> str:
    paths = ", ".join(str(bundle.tractogram.path) for bundle in scene.bundles)
    return f"the {view.name} view of {paths} came out blank, although {tally.drawn:,} streamlines were drawn."


def _reach(chunk: Chunk) -> NDArray[np.float32]:
    """How far streamlines lead along each axis, in mm, the farthest of them all."""
    ends = chunk.points[chunk.offsets[1:] - 1] - chunk.points[chunk.offsets[:-1]]
    farthest: NDArray[np.float32] = np.abs(ends).max(axis=0)
    return farthest


def _seen(view: View, reach: NDArray[np.float32], pixel: float) -> bool:
    """Whether a view must show something: lines that all point at the eye are seen by nobody."""
    across = [extent for extent, toward in zip(reach, view.seen_from, strict=True) if not toward]
    return bool(max(across, default=0) > _SEEN_PIXELS * pixel)
