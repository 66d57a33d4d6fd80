"""Draws all pictures of one tractogram, or of several together, in one pass over each file."""

import contextlib
import json
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import compositing, opengl
from tractcap.drawing.ahead import ahead
from tractcap.drawing.anatomy import Anatomy, depth_of, outside
from tractcap.drawing.bounds import CroppedStreamlines
from tractcap.drawing.colors import ColorScale, PointColors, point_colors
from tractcap.drawing.lines import (
    DrawableLines,
    StreamlineCounts,
    drawable,
    lines,
    parts_by_corner,
    parts_by_length,
    parts_by_turn,
    quanta,
    tangents,
)  # fmt: skip
from tractcap.drawing.overlays import DrawableOverlay
from tractcap.drawing.shot import Shot
from tractcap.drawing.simplify import SAMPLE_SHARE, needed, thinned
from tractcap.drawing.tractogram_piece import MergedPieces, PieceFacts, PieceWriter
from tractcap.drawing.views import VIEWS, Frame, Vector, View, turntable
from tractcap.errors import DrawingError
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram
from tractcap.records.options import GLASS, SLICES, TUBES, Coloring, PictureOptions, RenderSettings
from tractcap.records.tractogram_piece import TOLD, WHOLE, Piece

_SEEN_PIXELS = 2.0
"""A streamline that leads over so many pixels across a view must be seen in it."""

_BEND = 0.4
"""Tubes are bent from parts that are so many widths long."""

_TURN = 0.1
"""Radians that a tube may turn at a joint, at most: then it is lit alike on both sides."""

_TUBES = 2
"""Tubes take more memory: so many times fewer points are drawn at once."""

_CORNER = 0.25
"""Pixels that a line may deviate from the curve that it stands for: no corner is seen."""


@dataclass(frozen=True)
class ColoredTractogram:
    """A tractogram and its colours; ``volume`` is the scalar map that these may stand for."""

    tractogram: Tractogram
    coloring: Coloring
    volume: Volume | None = None


@dataclass(frozen=True)
class Scene:
    """What is seen, in which frame: ``at`` is the point in mm that slices lead through.

    ``overlays`` are drawn beside the bundles. There may be very many of these: each may be opened only as it is looked
    at, so they are gone through one after the other.
    """

    bundles: Sequence[ColoredTractogram]
    frame: Frame
    options: PictureOptions
    anatomy: Anatomy | None = None
    at: Vector | None = None
    overlays: Sequence[DrawableOverlay] = ()

    @cached_property
    def headers(self) -> "HeaderSummary":
        """What the bundles' headers say together."""
        notes: dict[str, None] = {}
        promised: list[int | None] = []
        for bundle in self.bundles:
            header = bundle.tractogram.header
            notes |= dict.fromkeys(header.notes)
            promised.append(header.promised)
        known = [count for count in promised if count is not None]
        return HeaderSummary(tuple(notes), sum(known) if len(known) == len(promised) else None)


@dataclass(frozen=True)
class HeaderSummary:
    """The ``notes`` of headers, each once, and how many streamlines all ``promised``; None where one didn't."""

    notes: tuple[str, ...]
    promised: int | None


@dataclass(frozen=True)
class Picture:
    """A finished picture (pixels, pixels, 3) uint8 RGB, not yet labelled, and what the colours of values stand for."""

    view: View
    pixels: NDArray[np.uint8]
    scale: ColorScale | None


def draw(
    scene: Scene,
    settings: RenderSettings,
    tally: StreamlineCounts,
    report: Callable[[int], None],
    pieces: Sequence[Path] = (),
) -> Iterator[Picture]:
    """Draw a scene's views and then its turntable, one after the other, and count its streamlines into ``tally``.

    Parameters
    ----------
    report : is called with the number of points read so far.
    pieces : the files of all of :func:`draw_piece`, in order, which then needn't be drawn.

    Raises
    ------
    InputError
        When a file turns out to be damaged, or has no such data to colour by.
    DrawingError
        When OpenGL can't draw, or drew nothing where something must be seen.
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(zipfile.ZipFile(path)) for path in pieces]
        for one_pass in _passes(scene, settings, report):
            yield from one_pass.merged(tally, files) if files else one_pass.drawn(tally)
            tally = StreamlineCounts()  # they are counted once


def draw_piece(
    scene: Scene, settings: RenderSettings, piece: Piece, report: Callable[[int], None], writer: PieceWriter
) -> dict[str, Any]:
    """Draw a piece of a scene of one bundle, opaque, for :func:`draw` to merge; returns what is known of it.

    The ``max_points`` of a chunk must be the same for all pieces. The passes of ``settings`` are those of its pictures.
    """
    facts = [one_pass.piece(piece, writer) for one_pass in _passes(scene, settings, report, piece.drawn.start)]
    return facts[0]  # all have read the same


def _passes(scene: Scene, settings: RenderSettings, report: Callable[[int], None], first: int = 0) -> "Iterator[_Pass]":
    options = scene.options
    views = [(VIEWS[name], options.size) for name in options.views]
    views += [(view, options.frame_size) for view in turntable(options.turning)]
    for count in settings.passes:
        yield _Pass(scene, settings, views[first : first + count], report, first)
        first += count


class _Pass:
    """Some of the pictures, which are drawn at once; ``first`` is the number of the first of them."""

    def __init__(
        self,
        scene: Scene,
        settings: RenderSettings,
        views: Sequence[tuple[View, int]],
        report: Callable[[int], None],
        first: int,
    ) -> None:
        opengl.choose()
        from tractcap.drawing.canvas import Canvas  # VTK looks for its window when it is loaded

        self._scene, self._settings, self._views, self._report = scene, settings, views, report
        self._first = first
        self._cropped = CroppedStreamlines(scene.frame)
        self._tubes = scene.options.style == TUBES
        width, depth, slab = scene.options.thickness(scene.frame.width), scene.frame.depth, scene.options.slab
        pixel = scene.frame.width / max(scene.options.sizes)
        self._corner, self._tolerance = _CORNER * pixel, SAMPLE_SHARE * pixel / settings.sampling
        # a joint gapes by half the width times the turn, at the outside
        self._step, self._turn = _BEND * width, min(_TURN, 2 * self._tolerance / width)
        shots = []
        for view, size in views:
            split = depth_of(view, scene.frame, scene.at) if scene.at else depth
            near, far, split = (split - slab, split + slab, depth) if view.in_slice else (0.0, depth, split)
            shots.append(Shot(view, size * settings.sampling, near, far, split))
        self._canvas = Canvas(
            shots,
            scene.frame,
            width,
            together=settings.max_points,
            tubes=self._tubes,
            layered=scene.options.opacity < 1,
        )

    def drawn(self, tally: StreamlineCounts) -> Iterator[Picture]:
        """Draw all bundles, and finish the pictures."""
        rims = self._draw_glass()
        facts = PieceFacts(tally)
        for bundle in self._scene.bundles:
            self._draw_bundle(bundle, facts, WHOLE)
        self._canvas.finish()
        yield from self._finished(self._canvas, facts, rims)
        self._canvas.close()

    def piece(self, piece: Piece, writer: PieceWriter) -> dict[str, Any]:
        """Draw a piece of the bundle, and write it as it is."""
        (bundle,), facts = self._scene.bundles, PieceFacts(StreamlineCounts())
        self._draw_bundle(bundle, facts, piece)
        self._canvas.finish()
        for place in range(len(self._views)):
            writer.write_shot(self._canvas, place, self._first + place)
            self._report(facts.tally.points)
        self._canvas.close()
        return facts.dump()

    def merged(self, tally: StreamlineCounts, files: Sequence[zipfile.ZipFile]) -> Iterator[Picture]:
        """Finish the pictures from pieces that were drawn."""
        rims = self._draw_glass()
        facts = PieceFacts.load(json.loads(files[-1].read(TOLD))["facts"])
        tally.add(facts.tally)
        yield from self._finished(MergedPieces(files, self._canvas, self._first), facts, rims)
        self._canvas.close()

    def _draw_glass(self) -> Sequence[NDArray[np.uint8] | None]:
        """Each picture's glass brain, (pixels, pixels) uint8, if there shall be one; the canvas is clear afterwards."""
        mesh = self._scene.anatomy.glass() if self._scene.anatomy and GLASS in self._scene.options.anatomy else None
        return compositing.glass(self._canvas, mesh, self._settings.sampling) if mesh else [None] * len(self._views)

    def _finished(
        self, samples: compositing.Samples, facts: PieceFacts, rims: Sequence[NDArray[np.uint8] | None]
    ) -> Iterator[Picture]:
        scene, options = self._scene, self._scene.options
        for place, (view, size) in enumerate(self._views):
            # a turntable goes around the glass alone
            sliced = view.in_slice or (SLICES in options.anatomy and view.name in VIEWS)
            backdrop = compositing.Backdrop(
                options.background,
                rim=None if view.in_slice else rims[place],
                anatomy=scene.anatomy if sliced else None,
                at=scene.at if sliced else None,
            )
            overlays = compositing.Overlays(self._canvas, place, scene.overlays)
            pixels, covered = compositing.picture(
                samples, place, self._settings.sampling, backdrop, options.opacity, overlays
            )
            # lines that all point at the eye are seen by nobody
            across = [reach for reach, toward in zip(facts.reach, view.seen_from, strict=True) if not toward]
            must_be_seen = max(across, default=0) > _SEEN_PIXELS * scene.frame.width / size and not facts.tally.beyond
            if must_be_seen and not covered and not view.in_slice:
                paths = ", ".join(str(bundle.tractogram.path) for bundle in scene.bundles)
                raise DrawingError(
                    f"the {view.name} view of {paths} came out blank, "
                    f"although {facts.tally.drawn:,} streamlines were drawn."
                )
            self._report(facts.tally.points)  # a sign of life: a large picture takes its time
            yield Picture(view, pixels, facts.scale)

    def _draw_bundle(self, bundle: ColoredTractogram, facts: PieceFacts, piece: Piece) -> None:
        """Draw a piece of a bundle, for which the file is read up to the piece's end."""
        max_points = self._settings.max_points
        colors = point_colors(bundle.coloring, bundle.tractogram, bundle.volume, max_points, self._report)
        facts.scale = colors.scale
        prepared = self._prepared(bundle, colors, facts, piece)
        with contextlib.closing(ahead(prepared, bundle.tractogram, max_points)) as all_lines:
            for some, points in all_lines:
                if some:
                    self._canvas.draw(some)
                self._report(points)

    def _prepared(
        self, bundle: ColoredTractogram, colors: PointColors, facts: PieceFacts, piece: Piece
    ) -> Generator[tuple[DrawableLines | None, int], None, None]:
        """What is drawn of a bundle, if anything, and how many points were read for it; all that is read is counted."""
        first, last = piece.bounds(bundle.tractogram.header.points)
        begin = facts.tally.points
        for chunk in bundle.tractogram.chunks(self._settings.max_points, colors.data):
            if (at := facts.tally.points - begin) >= last:
                break
            kept = self._counted(chunk, facts)
            if at >= first and len(kept.points):
                for some in self._lines(kept, colors):
                    yield some, facts.tally.points
                continue
            if kept.head or kept.tail:
                colors.colors(kept, tangents(kept))  # those of a streamline that goes on may depend on where it began
            yield None, facts.tally.points

    def _counted(self, chunk: Chunk, facts: PieceFacts) -> Chunk:
        """What can be drawn of a chunk, once it is counted."""
        kept, anatomy = drawable(chunk, facts.tally), self._scene.anatomy
        if len(kept.points):
            facts.tally.quanta += int(quanta(kept).sum())
            chords = kept.points[kept.offsets[1:] - 1] - kept.points[kept.offsets[:-1]]
            facts.reach = np.maximum(facts.reach, np.abs(chords).max(axis=0))
            self._cropped.count(kept, facts.tally)
        if anatomy and len(kept.points[kept.new]):
            facts.tally.outside += outside(kept.points[kept.new], anatomy.shape, anatomy.affine)
        return kept

    def _lines(self, chunk: Chunk, colors: PointColors) -> Iterator[DrawableLines]:
        """The streamlines of a chunk as lines; without all of the points, unless that is asked for."""
        along = tangents(chunk)
        hues = colors.colors(chunk, along)
        lit = colors.scale is None  # what stands for values stays as bright as it is
        if not (exact := self._scene.options.exact):
            looks = along * np.float32(255) if lit else hues.T.astype(np.float32)
            kept = np.flatnonzero(needed(chunk, looks, self._tolerance))
            chunk, hues, along = thinned(chunk, kept), hues.take(kept, axis=0), along.take(kept, axis=1)
        if not self._tubes:
            parts = parts_by_corner(chunk, along, self._corner)
        elif exact:
            parts = parts_by_length(chunk, self._step)
        else:
            parts = parts_by_turn(chunk, along, self._step, self._turn)
        most = self._settings.max_points // (_TUBES if self._tubes else 1)
        return lines(chunk, hues, along, parts, most, lit=lit)
