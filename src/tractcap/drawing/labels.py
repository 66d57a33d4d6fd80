"""Words on the pictures: orientation letters, scale bar, names, colour bar and legend; and the mosaic of the views.

Where a small picture has no room for all of it, the less important is shortened or left out: nothing overlaps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from tractcap.color_names import Color, contrast, contrast_ratio, mix
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.fonts import capital, fit, outline_width, points, width, wrap, write
from tractcap.drawing.views import Frame, View

_BLACK = (0, 0, 0)

_DIM = 0.3
_RULE = 0.81
"""How much of the background is in less important words, and in the rules between pictures."""

_READABLE = 4.5
"""Contrast of words with their background, at least (WCAG 2.1, AA), wherever that can be had."""

_ALERTS: tuple[Color, Color] = ((255, 190, 70), (170, 60, 0))
"""Colours of warnings, on dark and on light."""

_VISIBLE = 1.5
"""Contrast of a swatch with its background below which it is framed."""

_WARNING_SIGN = "⚠ "
_SEPARATOR = " · "
"""Where subtitles are broken into lines."""

_ROUND = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""mm that a scale bar may stand for."""

_LONGEST_BAR = _COLUMN = 0.28
"""Shares of the picture's width: of the scale bar at most, of colour bar and legend as a rule."""

_LEADING = 1.55
"""From line to line, in sizes of the font."""

_MOST_LINES = 20
"""Lines of a subtitle, and of a warning, above a mosaic."""

_LEAST_POWER, _MOST_POWER = -5, 6
"""Powers of ten of numbers that are written out."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Captions:
    """What is written on the pictures of one tractogram, or of several together.

    ``warnings`` are sentences; ``legend`` has the names and colours of bundles.
    """

    title: str
    subtitle: str
    warnings: tuple[str, ...] = ()
    scale: ColorScale | None = None
    legend: tuple[tuple[str, Color], ...] = ()
    background: Color = _BLACK


class Style:
    """Measures, in pixels, and colours that suit pictures of a size and a background."""

    def __init__(self, size: int, background: Color) -> None:
        self.size, self.background = size, background
        self.edge, self.gap = max(3, round(size * 0.022)), max(2, round(size * 0.013))
        self.letter, self.title = points(size * 0.042), points(size * 0.033)
        self.small, self.legend = points(size * 0.026), points(size * 0.023)
        self.ramp_height, self.bar_height = max(4, round(size * 0.015)), max(2, round(size * 0.004))
        self.swatch = capital(self.legend)
        self.indent = self.swatch + max(3, round(self.legend * 0.5))  # from a swatch to its name
        # room on either side of the letters at the top, even if there are three, and where they end
        self.beside_letter = size / 2 - width("RAS", self.letter) / 2 - 2 * self.gap - self.edge
        self.below_letter = self.edge + capital(self.letter) + self.gap
        # from where to where the letters at the left and the right stand
        half = math.ceil(capital(self.letter) / 2) + self.gap
        self.middle = size // 2 - half, size // 2 + half + 1
        self.ink = contrast(background)
        self.dim = self._readable(mix(self.ink, background, _DIM))
        self.alert = self._readable(max(_ALERTS, key=lambda color: contrast_ratio(color, background)))
        self.rule = mix(self.ink, background, _RULE)

    def _readable(self, color: Color) -> Color:
        """A colour with as much ink as it needs to be read on the background."""
        mixed = (mix(color, self.ink, share / 10) for share in range(10))
        return next((color for color in mixed if contrast_ratio(color, self.background) >= _READABLE), self.ink)


class Page(Style):
    """A picture, or a part of one, that is written on."""

    def __init__(self, image: Image.Image, size: int, background: Color) -> None:
        super().__init__(size, background)
        self.image, self.pen = image, ImageDraw.Draw(image)
        self.right, self.low = image.width - self.edge, image.height - self.edge

    def write(self, place: tuple[float, float], text: str, size: int, ink: Color, anchor: str = "ls") -> None:
        """Write a text; see :func:`tractcap.drawing.fonts.write`."""
        write(self.pen, place, text, ink, size, anchor, self.background)

    def patch(self, place: tuple[float, float], extent: tuple[int, int], color: Color) -> None:
        """A rectangle of so many pixels from its upper left, outlined like the letters."""
        (left, top), (wide, high), rim = place, extent, outline_width(self.small)
        self.pen.rectangle((left - rim, top - rim, left + wide - 1 + rim, top + high - 1 + rim), self.background)
        self.pen.rectangle((left, top, left + wide - 1, top + high - 1), color)

    def entry(self, place: tuple[float, float], entry: tuple[str, Color], room: float) -> None:
        """A legend's line: a square as high as its capitals, framed if it can't be seen else, and a name."""
        (x, baseline), (name, color), high = (round(place[0]), round(place[1])), entry, self.swatch
        self.patch((x, baseline - high), (high, high), color)
        if contrast_ratio(color, self.background) < _VISIBLE:
            self.pen.rectangle((x, baseline - high, x + high - 1, baseline - 1), outline=self.dim)
        self.write((x + self.indent, baseline), fit(name, self.legend, room), self.legend, self.ink)

    def ramp(self, place: tuple[int, int], wide: int, scale: ColorScale) -> None:
        """A scale's colours, from its low end on."""
        self.patch(place, (wide, self.ramp_height), self.background)
        values = np.linspace(scale.low, scale.high, wide, dtype=np.float32)
        band = np.broadcast_to(scale.colors(values), (self.ramp_height, wide, 3))
        self.image.paste(Image.fromarray(band.copy()), place)


def label(image: Image.Image, view: View, frame: Frame, background: Color = _BLACK, note: str = "") -> None:
    """Write orientation letters, a scale bar and the view's name, with a note, onto a square picture."""
    page = Page(image, image.width, background)
    middle, edge, small = page.size / 2, page.edge, page.small
    places = ((edge, middle, "lm"), (page.right, middle, "rm"), (middle, edge, "mt"), (middle, page.low, "ms"))
    for letter, (x, y, anchor) in zip(view.letters, places, strict=True):
        page.write((x, y), letter, page.letter, page.ink, anchor)
    half_letter = width(view.letters[3], page.letter) / 2 + page.gap

    # the scale bar at the lower right, its words above it, and above the letter too if they begin left of its end
    length = bar_length(frame)
    long, text = round(length * page.size / frame.width), f"{length:,} mm"
    page.patch((page.right - long, page.low - page.bar_height), (long, page.bar_height), page.ink)
    wide = width(text, small)
    left, baseline = min(page.right - (long + wide) / 2, page.right - wide), page.low - page.bar_height - page.gap
    if left < middle + half_letter:
        baseline = min(baseline, page.low - capital(page.letter) - page.gap)
    page.write((left, baseline), text, small, page.ink)

    # the view's name at the lower left, on one line with the note or above it; what is too long is left out
    room, parts = middle - half_letter - edge, [view.name, note] if note else [view.name]
    line = "  ".join(parts)
    lines = [line] if width(line, small) <= room else reversed(parts)
    for up, text in enumerate(text for text in lines if width(text, small) <= room):
        page.write((edge, page.low - up * _leading(small)), text, small, page.dim)


def bar_length(frame: Frame) -> int:
    """The round number of mm that the scale bar stands for."""
    fitting = [length for length in _ROUND if length <= frame.width * _LONGEST_BAR]
    return fitting[-1] if fitting else _ROUND[0]


def head(image: Image.Image, captions: Captions) -> None:
    """Write title, subtitle and warnings at the upper left of a square picture; colour bar and legend at its right."""
    page = Page(image, image.width, captions.background)
    left, bottom = _color_bar(page, captions.scale) if captions.scale else (page.right, page.edge)
    if captions.legend:
        left = _legend(page, captions.legend, left, bottom)
    room = left - page.edge - (2 * page.gap if left < page.right else 0)

    # the title stands left of the letter if it fits there, all else below it
    y = page.edge if width(captions.title, page.title) <= page.beside_letter else page.below_letter
    page.write((page.edge, y), fit(captions.title, page.title, room), page.title, page.ink, "lt")
    y = max(y + capital(page.title) + _descent(page.title), page.below_letter) + page.gap
    small, leading = page.small, _leading(page.small)
    most = int((page.middle[0] - y - capital(small) - _descent(small)) // leading) + 1

    # where there is no room for all lines, warnings matter more than the subtitle
    alerts = _warnings(page, captions, room, most)
    counts = wrap(captions.subtitle, _SEPARATOR, small, room, most - len(alerts))
    for row, text in enumerate([*counts, *alerts]):
        ink = page.dim if row < len(counts) else page.alert
        page.write((page.edge, y + row * leading), text, small, ink, "lt")


def word(image: Image.Image, place: tuple[float, float], text: str, ink: Color | None, background: Color) -> None:
    """Write a word around a place of a square picture, in the colour of words if none is given."""
    page = Page(image, image.width, background)
    page.write(place, text, page.title, ink or page.ink, "mm")


def mosaic(pictures: Sequence[Image.Image], captions: Captions) -> Image.Image:
    """Pictures of one size in rows of three, between a heading and the legend."""
    style, columns = Style(pictures[0].width, captions.background), min(3, len(pictures))
    size, wide, rows = style.size, columns * style.size, -(-len(pictures) // columns)
    above, below = heading(style, captions, wide), legend_strip(style, captions.legend, wide)
    top, bottom = above.height, above.height + rows * size
    sheet = Image.new("RGB", (wide, bottom + below.height), captions.background)
    sheet.paste(above, (0, 0))
    sheet.paste(below, (0, bottom))
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place % columns * size, top + place // columns * size))
    pen, lines = ImageDraw.Draw(sheet), range(top, bottom + bool(captions.legend), size)
    for x in range(size, wide, size):
        pen.line((x, lines.start, x, lines.stop - 1), style.rule)
    for y in lines:
        pen.line((0, y, wide, y), style.rule)
    return sheet


def heading_height(pictures: Sequence[Image.Image], captions: Captions) -> int:
    """How many pixels of such a mosaic are above the pictures."""
    style = Style(pictures[0].width, captions.background)
    return heading(style, captions, min(3, len(pictures)) * style.size).height


def _leading(size: int) -> int:
    return round(size * _LEADING)


def _descent(size: int) -> int:
    """How far letters reach below their baseline."""
    return math.ceil(size * 0.25)


def _color_bar(page: Page, scale: ColorScale) -> tuple[int, int]:
    """Draw it at the upper right: name, colours, ends; nothing where the ends don't fit.

    Returns how far to the left and down it reaches.
    """
    size, y, room = page.small, page.edge, page.beside_letter
    ends = _ends(scale, size, room / 2 - page.gap)
    least = sum(width(end, size) for end in ends) + 2 * page.gap
    if not all(ends) or least > room:
        return page.right, y
    wide = int(min(room, max(round(page.size * _COLUMN), least, width(scale.title, size))))
    left = page.right - wide
    page.write((left, y), fit(scale.title, size, wide), size, page.ink, "lt")
    y += capital(size) + max(page.gap, round(size * 0.4))
    page.ramp((left, y), wide, scale)
    y += page.ramp_height + page.gap
    page.write((left, y), ends[0], size, page.dim, "lt")
    page.write((page.right, y), ends[1], size, page.dim, "rt")
    return left, y + _leading(size) + page.gap


def _ends(scale: ColorScale, size: int, room: float) -> tuple[str, str]:
    """What stands at the ends of a colour bar: words may be shortened to so many pixels, numbers mustn't."""
    ends = zip(scale.words, (scale.low, scale.high), strict=True)
    low, high = (fit(word, size, room) if word else number(value) for word, value in ends)
    return low, high


def number(value: float) -> str:
    """A number to four digits, with a power of ten only where it is tiny or huge."""
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"
    digits, power = f"{abs(value):.3e}".split("e")
    exponent, raised = int(power), ""
    if _LEAST_POWER <= exponent <= _MOST_POWER:
        digits = f"{float(f'{digits}e{power}'):,.{max(0, 3 - exponent)}f}"
    else:
        raised = f"×10{str(exponent).translate(_RAISED)}"
    trimmed = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{'−' if value < 0 else ''}{trimmed}{raised}"


def _legend(page: Page, legend: Sequence[tuple[str, Color]], left: int, top: int) -> int:
    """Draw it at the right edge, as much as there is room for; nothing where four letters of a name don't fit.

    It stands below ``top``, where what reaches to the ``left`` is already. Returns how far both reach to the left.
    """
    # baselines from there down to the letter, and from the letter to the scale bar's words
    (start, end), leading = page.middle, _leading(page.legend)
    bar = page.low - max(page.bar_height, capital(page.letter)) - page.gap - capital(page.small) - page.gap
    rows = [
        row
        for first, last in ((top, start), (max(top, end), bar))
        for row in range(first + page.swatch, last - _descent(page.legend) + 1, leading)
    ]
    longest = max(width(name, page.legend) for name, _ in legend)
    room = min(longest, max(round(page.size * _COLUMN), page.right - left) - page.indent)
    if not rows or room < min(longest, 4 * page.legend):
        return left
    shown = len(legend) if len(legend) <= len(rows) else len(rows) - 1
    more = f"and {len(legend) - shown} more" if shown < len(legend) else ""
    left = min(left, page.right - max(room + page.indent, width(more, page.legend)))
    for entry, row in zip(legend[:shown], rows, strict=False):
        page.entry((left, row), entry, room)
    if more:
        page.write((left, rows[shown]), more, page.legend, page.dim)
    return left


def _warnings(style: Style, captions: Captions, room: float, most: int) -> list[str]:
    """The warnings in lines, each with its fair share of the lines that there may be."""
    share = max(1, most // max(1, len(captions.warnings)))
    texts = [_WARNING_SIGN + text for text in captions.warnings]
    lines = [line for text in texts for line in wrap(text, " ", style.small, room, share)]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{_WARNING_SIGN}and {len(lines) - most + 1} more"][: max(most, 0)]


@dataclass(frozen=True)
class _Item:
    """Something in a row: its width in pixels, and how it is drawn from a left end and a baseline."""

    wide: int
    draw: Callable[[Page, int, int], None]


def _text_item(text: str, size: int, ink: Color) -> _Item:
    return _Item(width(text, size), lambda page, x, baseline: page.write((x, baseline), text, size, ink))


def _joined(items: list[_Item], gap: int) -> _Item:
    """Items in a row as one."""

    def draw(page: Page, x: int, baseline: int) -> None:
        for item in items:
            item.draw(page, x, baseline)
            x += item.wide + gap

    return _Item(sum(item.wide + gap for item in items) - gap, draw)


def heading(style: Style, captions: Captions, wide: int) -> Image.Image:
    """What stands above a mosaic of so many pixels across.

    Title, subtitle and colour bar take as few rows as they fit into; a subtitle of several lines has them for itself.
    Warnings come below. In each row the first item stands at the left, the others at the right.
    """
    room, gap, pad = wide - 2 * style.edge, 4 * style.gap, round(style.title * 0.3)
    subtitle = wrap(captions.subtitle, _SEPARATOR, style.small, room, _MOST_LINES)
    items = [
        _text_item(fit(captions.title, style.title, room), style.title, style.ink),
        *(_text_item(line, style.small, style.dim) for line in subtitle),
        *_color_bar_item(style, captions.scale, room),
    ]
    rows, heights = list[list[_Item]](), list[int]()
    for item in items:
        if rows and len(subtitle) <= 1 and _joined([*rows[-1], item], gap).wide <= room:
            rows[-1].append(item)
        else:
            rows.append([item])
            heights.append(round(style.title * 1.6))
    for line in _warnings(style, captions, room, _MOST_LINES * len(captions.warnings)):
        rows.append([_text_item(line, style.small, style.alert)])
        heights.append(_leading(style.small))

    image = Image.new("RGB", (wide, 2 * pad + sum(heights)), captions.background)
    page, y = Page(image, style.size, captions.background), pad
    for (first, *others), height in zip(rows, heights, strict=True):
        baseline = y + (height + capital(style.small)) // 2
        first.draw(page, page.edge, baseline)
        right = page.right
        for item in reversed(others):
            item.draw(page, right - item.wide, baseline)
            right -= item.wide + gap
        y += height
    return image


def _color_bar_item(style: Style, scale: ColorScale | None, room: int) -> list[_Item]:
    """A colour bar in one row: name, low end, colours, high end; none where the ends don't fit."""
    if scale is None:
        return []
    size, gap = style.small, 2 * style.gap
    wide, up = round(style.size * _COLUMN), (capital(size) + style.ramp_height) // 2
    ends = _ends(scale, size, room / 4)
    low, high = (_text_item(end, size, style.dim) for end in ends)
    ramp = _Item(wide, lambda page, x, baseline: page.ramp((x, baseline - up), wide, scale))
    bar = _joined([low, ramp, high], gap)
    if not all(ends) or bar.wide > room:
        return []
    name = fit(scale.title, size, room - bar.wide - gap)
    return [_joined([_text_item(name, size, style.ink), bar], gap) if name else bar]


def legend_strip(style: Style, legend: Sequence[tuple[str, Color]], wide: int) -> Image.Image:
    """All of a legend, in columns, below a mosaic; names are shortened to the width of a picture."""
    room, gutter, line = wide - 2 * style.edge, round(1.5 * style.legend), _leading(style.legend)
    longest = max((width(name, style.legend) for name, _ in legend), default=0)
    name_room = min(style.size - 2 * style.edge - style.indent, longest)
    columns = max(1, (room + gutter) // (name_room + style.indent + gutter))
    rows = -(-len(legend) // columns)
    image = Image.new("RGB", (wide, rows * line + 2 * style.edge if legend else 0), style.background)
    page = Page(image, style.size, style.background)
    for place, entry in enumerate(legend):
        x, y = place % columns * (room + gutter) // columns, place // columns * line + (line + style.swatch) // 2
        page.entry((style.edge + x, style.edge + y), entry, name_room)
    return image
