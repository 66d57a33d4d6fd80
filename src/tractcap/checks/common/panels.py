"""Pictures of streamlines, a row of views for each state of them, all in one frame and on one scale."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.checks.common.sample import Streamline
from tractcap.drawing import labels
from tractcap.drawing.bounds import BoundsMeter, cropping_notes
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.draw import ColoredTractogram, Scene, draw
from tractcap.drawing.labels import Captions
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import VIEWS, Frame, View
from tractcap.inputs.tractograms.chunks import Chunk
from tractcap.inputs.tractograms.in_memory import InMemoryTractogram
from tractcap.palette import Color
from tractcap.records.options import DATA, ONE, Coloring, PictureOptions, RenderSettings

SIZE = 480
"""Pixels along a picture."""

VIEWS_SHOWN = ("left", "anterior", "superior")

_MAKING = RenderSettings(20_000, (1,) * len(VIEWS_SHOWN), 2)


@dataclass(frozen=True)
class PanelRow:
    """What one row shows: streamlines as bundles with their colours, and in words, the first line as a title."""

    title: str
    words: str
    bundles: Sequence[ColoredTractogram]


@dataclass(frozen=True)
class Mark:
    """A word at a point (3,) in mm, such as a number along a bundle."""

    text: str
    at: tuple[float, float, float]
    color: Color | None = None


def plain(name: str, streamlines: Sequence[Streamline], color: Color) -> ColoredTractogram:
    """Streamlines of one colour."""
    return ColoredTractogram(InMemoryTractogram(name, streamlines), Coloring(ONE, color=color))


def valued(
    streamlines: Sequence[Streamline], values: NDArray[np.floating] | Sequence[NDArray[np.floating]], scale: ColorScale
) -> ColoredTractogram:
    """Streamlines coloured by a value of each, (S,), or by those of each one's points, S times (N,)."""
    if isinstance(values, np.ndarray):
        held = InMemoryTractogram(scale.name, streamlines, per_streamline={scale.name: values[:, None]})
    else:
        points = np.concatenate([np.zeros(0, np.float32), *values])
        held = InMemoryTractogram(scale.name, streamlines, per_point={scale.name: points[:, None]})
    return ColoredTractogram(held, Coloring(DATA, scale.name, limits=(scale.low, scale.high), colormap=scale.colormap))


def frame_of(*groups: Sequence[Streamline]) -> Frame:
    """The frame around the streamlines of all groups, of which one at least must be there, but for a few far away."""
    places = BoundsMeter()
    for one in (one for group in groups for one in group):
        places.add(Chunk(one, np.array([0, len(one)])))
    boxes = places.boxes()
    return Frame(boxes.framed_low, boxes.framed_high)


def sheet(
    title: str,
    subtitle: str,
    rows: Sequence[PanelRow],
    frame: Frame,
    report: Callable[[int], None],
    *,
    background: Color = (0, 0, 0),
    scale: ColorScale | None = None,
    legend: tuple[tuple[str, Color], ...] = (),
    marks: Sequence[Mark] = (),
    warnings: tuple[str, ...] = (),
) -> Image.Image:
    """One picture of all rows, under a heading with the colour bar, above the legend.

    Parameters
    ----------
    scale : what the colours stand for, the same in all rows. legend : names and colours of bundles.
    marks : words to put into all pictures. warnings : sentences.
    """
    look = PictureOptions(views=VIEWS_SHOWN, size=SIZE, background=background)
    pictures = [one for row in rows for one in _pictures(row, frame, look, marks, report)]
    return labels.mosaic(pictures, Captions(title, subtitle, warnings, scale, legend, background))


def _pictures(
    row: PanelRow, frame: Frame, look: PictureOptions, marks: Sequence[Mark], report: Callable[[int], None]
) -> Iterator[Image.Image]:
    background, tally = look.background, StreamlineCounts()
    for name, pixels in _drawn(row, frame, look, tally, report):
        image = Image.fromarray(pixels)
        _mark(image, VIEWS[name], frame, marks, background)
        labels.label(image, VIEWS[name], frame, background)
        if name == VIEWS_SHOWN[0]:
            labels.head(image, Captions(row.title, row.words, tuple(cropping_notes(tally)), background=background))
        yield image


def _drawn(
    row: PanelRow, frame: Frame, look: PictureOptions, tally: StreamlineCounts, report: Callable[[int], None]
) -> Iterator[tuple[str, np.ndarray]]:
    bundles = [one for one in row.bundles if one.tractogram.header.streamlines]
    if not bundles:  # nothing is left, such as by a filter: an empty picture says so
        for name in look.views:
            yield name, np.full((look.size, look.size, 3), look.background, np.uint8)
        return
    for drawn in draw(Scene(bundles, frame, look), _MAKING, tally, report):
        yield drawn.view.name, drawn.pixels


def _mark(image: Image.Image, view: View, frame: Frame, marks: Sequence[Mark], background: Color) -> None:
    right, up = np.array(view.rightwards), np.array(view.up)
    for mark in marks:
        away = np.array(mark.at) - frame.center
        x, y = (
            image.width / 2 + sign * float(away @ axis) * image.width / frame.width
            for axis, sign in ((right, 1), (up, -1))
        )
        labels.word(image, (x, y), mark.text, mark.color, background)
