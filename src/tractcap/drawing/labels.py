"""Words on a picture: orientation letters, scale bar, name and count; and the mosaic of the views."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tractcap.drawing import data
from tractcap.drawing.data import Scale
from tractcap.drawing.palette import Color, contrast, mix
from tractcap.drawing.views import Frame, View

_BLACK = (0, 0, 0)
_DIM = 0.3
_RULE = 0.81
"""How much of the background is in less important words, and in the rules between pictures."""

_ROUND = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""mm that a scale bar may stand for."""

_LONGEST_BAR = 0.28
"""Share of the picture's width."""

ELLIPSIS = "…"


def label(image: Image.Image, view: View, frame: Frame, background: Color = _BLACK) -> None:
    """Write orientation letters, the view's name and a scale bar onto a square picture of a background."""
    ink, dim, _ = _inks(background)
    pen, size = ImageDraw.Draw(image), image.width
    edge = _edge(size)
    places = (
        (edge, size / 2, "lm"),
        (size - edge, size / 2, "rm"),
        (size / 2, edge, "mt"),
        (size / 2, size - edge, "mb"),
    )
    for letter, (x, y, anchor) in zip(view.letters, places, strict=True):
        pen.text((x, y), letter, ink, _font(size * 0.042), anchor=anchor)
    pen.text((edge, size - edge), view.name, dim, _font(size * 0.028), anchor="ls")
    _scale_bar(pen, size, edge, frame, ink)


def head(image: Image.Image, title: str, subtitle: str, background: Color = _BLACK) -> None:
    """Write name and count at the upper left of a picture, clear of the letter in its middle."""
    ink, dim, _ = _inks(background)
    pen, size = ImageDraw.Draw(image), image.width
    edge, room = _edge(size), size * 0.45 - _edge(size)
    large, small = _font(size * 0.032), _font(size * 0.026)
    pen.text((edge, edge), fit(title, large, room), ink, large, anchor="lt")
    pen.text((edge, edge + size * 0.042), fit(subtitle, small, room), dim, small, anchor="lt")


def _inks(background: Color) -> tuple[Color, Color, Color]:
    """The colours of words, of less important words, and of rules."""
    ink = contrast(background)
    return ink, mix(ink, background, _DIM), mix(ink, background, _RULE)


def _edge(size: int) -> float:
    return size * 0.022


def color_bar(image: Image.Image, scale: Scale, background: Color = _BLACK) -> None:
    """Draw a scale's colours at the upper right of a picture, with the name of its data and its ends."""
    ink, dim, _ = _inks(background)
    pen, size = ImageDraw.Draw(image), image.width
    edge, width, height = round(_edge(size)), round(size * 0.26), max(3, round(size * 0.016))
    left, top, small = size - edge - width, edge + round(size * 0.036), _font(size * 0.026)
    ramp = data.colors(np.linspace(scale.low, scale.high, width, dtype=np.float32), scale)
    image.paste(Image.fromarray(np.broadcast_to(ramp, (height, width, 3)).copy()), (left, top))
    pen.text((left, edge), fit(scale.name, small, width), ink, small, anchor="lt")
    below = top + height + size * 0.008
    pen.text((left, below), f"{scale.low:.4g}", dim, small, anchor="lt")
    pen.text((left + width, below), f"{scale.high:.4g}", dim, small, anchor="rt")


def bar_length(frame: Frame) -> int:
    """The round number of mm that the scale bar stands for."""
    fitting = [length for length in _ROUND if length <= frame.width * _LONGEST_BAR]
    return fitting[-1] if fitting else _ROUND[0]


def _scale_bar(pen: ImageDraw.ImageDraw, size: int, edge: float, frame: Frame, ink: Color) -> None:
    length = bar_length(frame)
    right, bottom = round(size - edge), round(size - edge)
    left = right - round(length * size / frame.width)
    thick = max(2, round(size * 0.004))
    pen.rectangle((left, bottom - thick, right - 1, bottom - 1), fill=ink)
    pen.text(((left + right) / 2, bottom - thick - size * 0.008), f"{length} mm", ink, _font(size * 0.026), anchor="mb")


def fit(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """Shorten a text in its middle until it fits into ``room`` pixels: names differ at both ends."""
    if font.getlength(text) <= room:
        return text
    kept = len(text)
    while kept > 2 and font.getlength(_shortened(text, kept)) > room:
        kept -= 1
    return _shortened(text, kept)


def _shortened(text: str, kept: int) -> str:
    return text[: kept - kept // 2] + ELLIPSIS + text[len(text) - kept // 2 :]


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(8.0, size))
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


def mosaic(pictures: Sequence[Image.Image], title: str, subtitle: str, background: Color = _BLACK) -> Image.Image:
    """Pictures of one size beside and below each other, three to a row, under a line that names them."""
    size, columns = pictures[0].width, min(3, len(pictures))
    rows, top = -(-len(pictures) // columns), round(size * 0.07)
    sheet = Image.new("RGB", (columns * size, rows * size + top), background)
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place % columns * size, top + place // columns * size))
    pen, (ink, dim, rule) = ImageDraw.Draw(sheet), _inks(background)
    for column in range(1, columns):
        pen.line((column * size, top, column * size, sheet.height), rule)
    for row in range(rows):
        pen.line((0, top + row * size, sheet.width, top + row * size), rule)
    _heading(pen, (sheet.width, top), size, (title, ink), (subtitle, dim))
    return sheet


def _heading(
    pen: ImageDraw.ImageDraw, extent: tuple[int, int], size: int, title: tuple[str, Color], subtitle: tuple[str, Color]
) -> None:
    large, small, edge = _font(size * 0.036), _font(size * 0.03), _edge(size)
    width, baseline = extent[0], extent[1] * 0.7
    room = width - 3 * edge - small.getlength(subtitle[0])
    pen.text((edge, baseline), fit(title[0], large, room), title[1], large, anchor="ls")
    pen.text((width - edge, baseline), *subtitle, small, anchor="rs")
