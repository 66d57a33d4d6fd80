"""Pictures of streamlines, a row of views for each state of them, all in one frame and on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import Streamline
from tractcap.color_names import Color
from tractcap.drawing import labels
from tractcap.drawing.bounds import BoundsMeter, cropping_notes
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.draw import ColoredTractogram, Scene, draw
from tractcap.drawing.labels import Captions
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import VIEWS, Frame
from tractcap.inputs.tractograms.in_memory import InMemoryTractogram
from tractcap.records.options import DATA, ONE, Coloring, PictureOptions, RenderSettings

SIZE = 480
"""Pixels along a picture."""

VIEWS_SHOWN = ("left", "anterior", "superior")

_SETTINGS = RenderSettings(20_000, (len(VIEWS_SHOWN),), 2)


@dataclass(frozen=True)
class PanelRow:
    """What a row shows: streamlines as bundles with their colours, and in words, the first line as a title."""

    title: str
    words: str
    bundles: Sequence[ColoredTractogram]


@dataclass(frozen=True)
class Mark:
    """A word at a point (3,) in mm, such as a number along a bundle."""

    text: str
    at: tuple[float, float, float]


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
    """The frame around the streamlines of all groups, of which at least one must be there, but for a few far away."""
    bounds = BoundsMeter()
    for group in groups:
        for chunk in InMemoryTractogram("sample", group).chunks(_SETTINGS.max_points):
            bounds.add(chunk)
    boxes = bounds.boxes()
    return Frame(boxes.framed_low, boxes.framed_high)


def sheet(
    output: CheckOutput,
    heading: str,
    subtitle: str,
    rows: Sequence[PanelRow],
    frame: Frame,
    *,
    scale: ColorScale | None = None,
    legend: tuple[tuple[str, Color], ...] = (),
    marks: Sequence[Mark] = (),
) -> Image.Image:
    """One picture of all rows, under the bundle's title and a heading with the colour bar, above the legend.

    Parameters
    ----------
    scale : what the colours stand for, the same in all rows. legend : names and colours of bundles.
    marks : words in all pictures.
    """
    background, pictures = output.background, []
    options = PictureOptions(views=VIEWS_SHOWN, size=SIZE, background=background)
    for row in rows:
        counts = StreamlineCounts()
        bundles = [bundle for bundle in row.bundles if bundle.tractogram.header.streamlines]
        if bundles:
            drawn = draw(Scene(bundles, frame, options), _SETTINGS, counts, output.report)
            images = ((picture.view.name, Image.fromarray(picture.pixels)) for picture in drawn)
        else:  # nothing is left, such as by a filter: an empty picture says so
            images = ((name, Image.new("RGB", (SIZE, SIZE), background)) for name in VIEWS_SHOWN)
        for name, image in images:
            view = VIEWS[name]
            right, up = np.array(view.rightwards), np.array(view.up)
            for mark in marks:
                away, pixels = np.array(mark.at) - frame.center, image.width / frame.width
                x, y = image.width / 2 + float(away @ right) * pixels, image.width / 2 - float(away @ up) * pixels
                labels.word(image, (x, y), mark.text, None, background)
            labels.label(image, view, frame, background)
            if name == VIEWS_SHOWN[0]:
                captions = Captions(row.title, row.words, tuple(cropping_notes(counts)), background=background)
                labels.head(image, captions)
            pictures.append(image)
    return labels.mosaic(pictures, Captions(f"{output.title}: {heading}", subtitle, (), scale, legend, background))
