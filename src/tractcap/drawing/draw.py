"""All views of one tractogram, in one pass over its file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.drawing import gl
from tractcap.drawing.data import Scale
from tractcap.drawing.lines import Tally, drawable, lines
from tractcap.drawing.palette import Color
from tractcap.drawing.views import VIEWS, Frame, View
from tractcap.errors import DrawingError
from tractcap.inputs.tractograms import Chunk, Tractogram

_WIDTHS = ((300, 2.0), (3_000, 1.5))
"""Up to so many streamlines, lines of so many pixels; one pixel beyond. Few thin lines would be lost on the page."""

_SEEN_PIXELS = 2.0
"""A streamline that leads over so many pixels across a view must be seen in it."""


@dataclass(frozen=True)
class Options:
    """What the pictures shall be: names of views, pixels along each; and how they are made, which they don't show.

    ``max_points`` bounds a chunk, ``views_per_pass`` how many views are held at once (the file is read once for
    every so many). ``sampling`` is how many samples along a pixel are averaged, which smooths edges.
    ``color`` is that of all lines, a scale for the file's own data, or None for the colours of local directions.
    """

    views: tuple[str, ...]
    size: int
    max_points: int
    views_per_pass: int
    sampling: int
    color: Color | Scale | None = None
    background: Color = (0, 0, 0)


@dataclass(frozen=True)
class Drawn:
    """A finished view, not yet labelled."""

    view: View
    image: "Image.Image"


def draw(
    tractogram: Tractogram,
    frame: Frame,
    options: Options,
    tally: Tally,
    on_points: Callable[[int], None],
) -> Iterator[Drawn]:
    """Draw a tractogram's views, one after the other, and count its streamlines into ``tally``.

    Raises
    ------
    InputError
        When the file turns out to be damaged.
    DrawingError
        When OpenGL can't draw, or drew nothing where something must be seen.
    """
    step = options.views_per_pass
    for first in range(0, len(options.views), step):
        names = options.views[first : first + step]
        counts = tally if not first else Tally()
        yield from _pass(tractogram, [VIEWS[name] for name in names], frame, options, counts, on_points)


def _pass(
    tractogram: Tractogram,
    views: Sequence[View],
    frame: Frame,
    options: Options,
    tally: Tally,
    on_points: Callable[[int], None],
) -> Iterator[Drawn]:
    gl.choose()
    from tractcap.drawing.canvas import Canvas  # VTK looks for its window when it is loaded
    from tractcap.drawing.finish import picture

    sampling = options.sampling
    canvas = Canvas(views, frame, options.size * sampling, line_width(tractogram.header.streamlines) * sampling)
    reach = np.zeros(3, np.float32)
    for chunk in tractogram.chunks(options.max_points):
        kept = drawable(chunk, tally)
        if len(kept.points):
            canvas.draw(lines(kept, options.color))
            reach = np.maximum(reach, _reach(kept))
        on_points(tally.points)
    for place, view in enumerate(views):
        pixels, covered = picture(canvas, place, sampling, options.background)
        if not covered and _seen(view, reach, frame.width / options.size):
            raise DrawingError(
                f"the {view.name} view of {tractogram.path} came out blank, "
                f"although {tally.drawn:,} streamlines were drawn."
            )
        on_points(tally.points)  # a sign of life: a large picture takes its time
        yield Drawn(view, Image.fromarray(pixels))
    canvas.close()


def _reach(chunk: Chunk) -> NDArray[np.float32]:
    """How far streamlines lead along each axis, in mm, the farthest of them all."""
    ends = chunk.points[chunk.offsets[1:] - 1] - chunk.points[chunk.offsets[:-1]]
    farthest: NDArray[np.float32] = np.abs(ends).max(axis=0)
    return farthest


def _seen(view: View, reach: NDArray[np.float32], pixel: float) -> bool:
    """Whether a view must show something: lines that all point at the eye are seen by nobody."""
    across = [extent for extent, toward in zip(reach, view.seen_from, strict=True) if not toward]
    return bool(max(across) > _SEEN_PIXELS * pixel)


def line_width(streamlines: int) -> float:
    """Width of the lines in pixels, from the number of streamlines that the header allows."""
    return next((width for most, width in _WIDTHS if streamlines <= most), 1.0)
