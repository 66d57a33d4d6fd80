"""All pictures of one tractogram, or of several together, in one pass over each file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import gl
from tractcap.drawing.anatomy import Anatomy, depth_of, outside
from tractcap.drawing.lines import MOST_PARTS, Lines, Tally, drawable, lines, rounded
from tractcap.drawing.look import GLASS, SLICES, TUBES, Coloring, Look
from tractcap.drawing.paint import Paint, paint
from tractcap.drawing.scales import Scale
from tractcap.drawing.views import VIEWS, Frame, Vector, View, turntable
from tractcap.errors import DrawingError
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram

if TYPE_CHECKING:
    from tractcap.drawing.canvas import Shot

_SEEN_PIXELS = 2.0
"""A streamline that leads over so many pixels across a view must be seen in it."""

_BEND = 0.4
"""Of a tube's width: the length in mm of the parts that it is bent from."""


@dataclass(frozen=True)
class Bundle:
    """A tractogram and its colours; ``volume`` is the scalar map that these may stand for."""

    tractogram: Tractogram
    coloring: Coloring
    volume: Volume | None = None


@dataclass(frozen=True)
class Making:
    """How pictures are made, which they don't show.

    ``max_points`` bounds a chunk. ``passes`` are how many pictures are drawn at once, of all that there are: the files
    are read once for each. ``sampling`` is how many samples along a pixel are averaged, which smooths edges; with one,
    they are rough.
    """

    max_points: int
    passes: tuple[int, ...]
    sampling: int


@dataclass(frozen=True)
class Scene:
    """What is seen, in which frame: ``at`` is the point in mm that slices lead through."""

    bundles: Sequence[Bundle]
    frame: Frame
    look: Look
    anatomy: Anatomy | None = None
    at: Vector | None = None

    @property
    def streamlines(self) -> int:
        """As many as the headers allow."""
        return sum(bundle.tractogram.header.streamlines for bundle in self.bundles)


@dataclass(frozen=True)
class Drawn:
    """A finished picture (pixels, pixels, 3) uint8 RGB, not yet labelled, and what the colours of values stand for."""

    view: View
    pixels: NDArray[np.uint8]
    scale: Scale | None


def draw(scene: Scene, making: Making, tally: Tally, report: Callable[[int], None]) -> Iterator[Drawn]:
    """Draw a scene's views and then its turntable, one after the other, and count its streamlines into ``tally``.

    Raises
    ------
    InputError
        When a file turns out to be damaged, or lacks the data to colour by.
    DrawingError
        When OpenGL can't draw, or drew nothing where something must be seen.
    """
    look = scene.look
    views = [(VIEWS[name], look.size) for name in look.views]
    views += [(view, look.frame_size) for view in turntable(look.turning)]
    first = 0
    for count in making.passes:
        counts = tally if not first else Tally()
        yield from _Pass(scene, making, views[first : first + count], report).go(counts)
        first += count


class _Pass:
    def __init__(
        self, scene: Scene, making: Making, views: Sequence[tuple[View, int]], report: Callable[[int], None]
    ) -> None:
        gl.choose()
        from tractcap.drawing.canvas import Brush, Canvas  # VTK looks for its window when it is loaded

        self._scene, self._making, self._views, self._report = scene, making, views, report
        look, self._tubes = scene.look, scene.look.style == TUBES
        self._width = look.thickness(scene.streamlines, scene.frame, look.size)
        self._canvas = Canvas(
            [self._shot(view, size) for view, size in views],
            scene.frame,
            Brush(self._width, self._tubes),
            layered=look.opacity < 1,
        )

    def go(self, tally: Tally) -> Iterator[Drawn]:
        from tractcap.drawing import finish

        scene, sampling = self._scene, self._making.sampling
        rims: list[NDArray[np.uint8] | None] = [None] * len(self._views)
        if scene.anatomy and GLASS in scene.look.anatomy:
            rims = finish.glass(self._canvas, scene.anatomy, sampling)
        scale, reach = None, np.zeros(3, np.float32)
        for bundle in scene.bundles:
            scale, farthest = self._draw(bundle, tally)
            reach = np.maximum(reach, farthest)
        for place, (view, size) in enumerate(self._views):
            setting = finish.Setting(
                sampling, scene.look.background, scene.look.opacity, *self._sliced(view),
            )  # fmt: skip
            rim = None if view.in_slice else rims[place]
            pixels, covered = finish.picture(self._canvas, place, setting, rim)
            if not covered and not view.in_slice and _seen(view, reach, scene.frame.width / size):
                raise DrawingError(_blank(view, scene, tally))
            self._report(tally.points)  # a sign of life: a large picture takes its time
            yield Drawn(view, pixels, scale)
        self._canvas.close()

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

    def _draw(self, bundle: Bundle, tally: Tally) -> tuple[Scale | None, NDArray[np.float32]]:
        """Draw a bundle; returns what its colours stand for, and how far it leads along each axis, in mm."""
        most = self._making.max_points // (MOST_PARTS if self._tubes else 1)
        painted = paint(bundle.coloring, bundle.tractogram, bundle.volume, most, self._report)
        reach, anatomy = np.zeros(3, np.float32), self._scene.anatomy
        for chunk in bundle.tractogram.chunks(most, painted.data):
            kept = drawable(chunk, tally)
            if len(kept.points):
                self._canvas.draw(self._lines(kept, painted))
                reach = np.maximum(reach, _reach(kept))
                if anatomy and len(kept.points[kept.new]):
                    tally.outside += outside(kept.points[kept.new], anatomy.shape, anatomy.affine)
            self._report(tally.points)
        return painted.scale, reach

    def _lines(self, chunk: Chunk, painted: Paint) -> Lines:
        colors = painted.colors(chunk)
        return rounded(chunk, colors, self._width * _BEND) if self._tubes else lines(chunk, colors)


def _blank(view: View, scene: Scene, tally: Tally) -> str:
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
