"""All views of one tractogram, in one pass over its file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from tractcap.drawing import gl
from tractcap.drawing.lines import Tally, drawable, lines
from tractcap.drawing.views import VIEWS, Frame, View
from tractcap.errors import DrawingError
from tractcap.inputs.tractograms import Tractogram

SAMPLING = 2
"""Samples along a pixel: edges are smoothed by averaging, since multisampled buffers can't be merged by depth."""

_WIDTHS = ((300, 2.0), (3_000, 1.5))
"""Up to so many streamlines, lines of so many pixels; one pixel beyond. Few thin lines would be lost on the page."""


@dataclass(frozen=True)
class Options:
    """What the pictures shall be: names of views, pixels along each; and how they are made, which they don't show.

    ``max_points`` bounds a chunk, ``views_per_pass`` how many views are held at once (the file is read once for
    every so many).
    """

    views: tuple[str, ...]
    size: int
    max_points: int
    views_per_pass: int


@dataclass(frozen=True)
class Drawn:
    """A finished view, not yet labelled, and the share of its pixels that lines cover."""

    view: View
    image: "Image.Image"
    covered: float


def draw(
    tractogram: Tractogram, frame: Frame, options: Options, tally: Tally, on_points: Callable[[int], None]
) -> Iterator[Drawn]:
    """Draw a tractogram's views, one after the other, and count its streamlines into ``tally``.

    Raises
    ------
    InputError
        When the file turns out to be damaged.
    DrawingError
        When OpenGL can't draw, or drew nothing at all.
    """
    step, covered = options.views_per_pass, 0.0
    for first in range(0, len(options.views), step):
        names = options.views[first : first + step]
        counts = tally if not first else Tally()
        for drawn in _pass(tractogram, [VIEWS[name] for name in names], frame, options, counts, on_points):
            covered += drawn.covered
            yield drawn
    if not covered:
        raise DrawingError(
            f"the pictures of {tractogram.path} came out blank, although {tally.drawn:,} streamlines were drawn."
        )


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

    canvas = Canvas(views, frame, options.size * SAMPLING, line_width(tractogram.header.streamlines) * SAMPLING)
    for chunk in tractogram.chunks(options.max_points):
        kept = drawable(chunk, tally)
        if len(kept.points):
            canvas.draw(lines(kept))
        on_points(tally.points)
    for place, view in enumerate(views):
        pixels, covered = picture(canvas, place, SAMPLING)
        yield Drawn(view, Image.fromarray(pixels), covered)
    canvas.close()


def line_width(streamlines: int) -> float:
    """Width of the lines in pixels, from the number of streamlines that the header allows."""
    return next((width for most, width in _WIDTHS if streamlines <= most), 1.0)
