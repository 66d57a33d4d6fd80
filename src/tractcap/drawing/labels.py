"""Words on the pictures: orientation letters, scale bar, names, colour bar and legend; and the mosaic of the views.

Where a small picture has no room for all of it, the less important is shortened or left out: nothing overlaps.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from tractcap.drawing import color_scale
from tractcap.drawing.color_scale import ColorScale
from tractcap.drawing.fonts import capital, fit, outline_width, points, width, wrap, write
from tractcap.drawing.palette import Color, contrast, luminance, mix
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

_SIGN = "⚠ "
_POINT = " · "
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


def label(image: Image.Image, view: View, frame: Frame, background: Color = _BLACK, note: str = "") -> None:
    """Write orientation letters, a scale bar and the view's name, with a note, onto a square picture."""
    page = _Page(image, image.width, background)
    middle, edge = page.size / 2, page.edge
    places = ((edge, middle, "lm"), (page.right, middle, "rm"), (middle, edge, "mt"), (middle, page.low, "ms"))
    for letter, (x, y, anchor) in zip(view.letters, places, strict=True):
        page.write((x, y), letter, page.letter, page.ink, anchor)
    beside = width(view.letters[3], page.letter) / 2 + page.gap
    _scale_bar(page, frame, middle + beside)
    _view_name(page, [view.name, note] if note else [view.name], middle - beside - edge)


def head(image: Image.Image, words: Captions) -> None:
    """Write title, subtitle and warnings at the upper left of a square picture; colour bar and legend at its right."""
    page = _Page(image, image.width, words.background)
    bar = _color_bar(page, words.scale) if words.scale else _Block(page.right, page.edge)
    legend = _legend(page, words.legend, bar) if words.legend else bar
    _text(page, words, legend.left - page.edge - (2 * page.gap if legend.left < page.right else 0))


def word(image: Image.Image, place: tuple[float, float], text: str, ink: Color | None, background: Color) -> None:
    """Write a word around a place of a square picture, in the colour of words if none is given."""
    page = _Page(image, image.width, background)
    page.write(place, text, page.title, ink or page.ink, "mm")


def mosaic(pictures: Sequence[Image.Image], words: Captions) -> Image.Image:
    """Pictures of one size beside and below each other, three to a row, between a heading and the legend."""
    style, columns = _Style(pictures[0].width, words.background), min(3, len(pictures))
    size, wide, rows = style.size, columns * style.size, -(-len(pictures) // columns)
    heading, legend = _heading(style, words, wide), _legend_strip(style, words.legend, wide)
    top, bottom = heading.height, heading.height + rows * size
    sheet = Image.new("RGB", (wide, bottom + legend.height), words.background)
    sheet.paste(heading, (0, 0))
    sheet.paste(legend, (0, bottom))
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place % columns * size, top + place // columns * size))
    _rules(sheet, range(top, bottom + bool(words.legend), size), range(size, wide, size), style.rule)
    return sheet


def _rules(sheet: Image.Image, rows: range, columns: range, color: Color) -> None:
    """Lines between the pictures."""
    pen = ImageDraw.Draw(sheet)
    for x in columns:
        pen.line((x, rows.start, x, rows.stop - 1), color)
    for y in rows:
        pen.line((0, y, sheet.width, y), color)


def bar_length(frame: Frame) -> int:
    """The round number of mm that the scale bar stands for."""
    fitting = [length for length in _ROUND if length <= frame.width * _LONGEST_BAR]
    return fitting[-1] if fitting else _ROUND[0]


class _Style:
    """Measures, in pixels, and colours that suit pictures of a size and a background."""

    def __init__(self, size: int, background: Color) -> None:
        self.size, self.background = size, background
        self.edge, self.gap = max(3, round(size * 0.022)), max(2, round(size * 0.013))
        self.letter, self.title = points(size * 0.042), points(size * 0.033)
        self.small, self.legend = points(size * 0.026), points(size * 0.023)
        self.ramp_height, self.bar_height = max(4, round(size * 0.015)), max(2, round(size * 0.004))
        self.ink = contrast(background)
        self.dim = self._readable(mix(self.ink, background, _DIM))
        self.alert = self._readable(max(_ALERTS, key=lambda color: _ratio(color, background)))
        self.rule = mix(self.ink, background, _RULE)

    def _readable(self, color: Color) -> Color:
        """A colour with as much ink as it needs to be read on the background."""
        mixed = (mix(color, self.ink, share / 10) for share in range(10))
        return next((color for color in mixed if _ratio(color, self.background) >= _READABLE), self.ink)

    @property
    def beside_letter(self) -> float:
        """Room at either side of the letters at the top, be they as long as they may."""
        return self.size / 2 - width("RAS", self.letter) / 2 - 2 * self.gap - self.edge

    @property
    def below_letter(self) -> int:
        """Where the letters at the top end."""
        return self.edge + capital(self.letter) + self.gap

    @property
    def middle(self) -> tuple[int, int]:
        """From where to where the letters at the left and the right stand."""
        half = math.ceil(capital(self.letter) / 2) + self.gap
        return self.size // 2 - half, self.size // 2 + half + 1


class _Page(_Style):
    """A picture, or a part of one, that is written on."""

    def __init__(self, image: Image.Image, size: int, background: Color) -> None:
        super().__init__(size, background)
        self.image, self.pen = image, ImageDraw.Draw(image)
        self.right, self.low = image.width - self.edge, image.height - self.edge

    def write(self, place: tuple[float, float], text: str, size: int, ink: Color, anchor: str = "ls") -> None:
        write(self.pen, place, text, ink, size, anchor, self.background)

    def patch(self, place: tuple[float, float], extent: tuple[int, int], color: Color) -> None:
        """A rectangle of so many pixels from its upper left, outlined like the letters."""
        (left, top), (wide, high), rim = place, extent, outline_width(self.small)
        self.pen.rectangle((left - rim, top - rim, left + wide - 1 + rim, top + high - 1 + rim), self.background)
        self.pen.rectangle((left, top, left + wide - 1, top + high - 1), color)

    def entry(self, place: tuple[float, float], entry: tuple[str, Color], room: float) -> None:
        """A legend's line: a square as high as its capitals, framed if it can't be seen else, and a name."""
        (x, baseline), (name, color), high = (round(place[0]), round(place[1])), entry, capital(self.legend)
        self.patch((x, baseline - high), (high, high), color)
        if _ratio(color, self.background) < _VISIBLE:
            self.pen.rectangle((x, baseline - high, x + high - 1, baseline - 1), outline=self.dim)
        self.write((x + _indent(self), baseline), fit(name, self.legend, room), self.legend, self.ink)

    def ramp(self, place: tuple[int, int], wide: int, scale: ColorScale) -> None:
        """A scale's colours, from its low end on."""
        self.patch(place, (wide, self.ramp_height), self.background)
        values = np.linspace(scale.low, scale.high, wide, dtype=np.float32)
        band = np.broadcast_to(color_scale.colors(values, scale), (self.ramp_height, wide, 3))
        self.image.paste(Image.fromarray(band.copy()), place)


def _ratio(one: Color, other: Color) -> float:
    """Contrast of two colours (WCAG 2.1)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _leading(size: int) -> int:
    return round(size * _LEADING)


def _indent(style: _Style) -> int:
    """From a swatch to its name."""
    return capital(style.legend) + max(3, round(style.legend * 0.5))


def _scale_bar(page: _Page, frame: Frame, free_from: float) -> None:
    """Draw it at the lower right; its words are above the bar, and above the letter too if they begin left of there."""
    length = bar_length(frame)
    long, text = round(length * page.size / frame.width), f"{length:,} mm"
    page.patch((page.right - long, page.low - page.bar_height), (long, page.bar_height), page.ink)
    wide = width(text, page.small)
    left = min(page.right - (long + wide) / 2, page.right - wide)
    baseline = page.low - page.bar_height - page.gap
    if left < free_from:
        baseline = min(baseline, page.low - capital(page.letter) - page.gap)
    page.write((left, baseline), text, page.small, page.ink)


def _view_name(page: _Page, parts: list[str], room: float) -> None:
    """Write it at the lower left, on one line or else on as many as there are parts; leave out what is too long."""
    line = "  ".join(parts)
    lines = [line] if width(line, page.small) <= room else reversed(parts)
    for up, text in enumerate(text for text in lines if width(text, page.small) <= room):
        page.write((page.edge, page.low - up * _leading(page.small)), text, page.small, page.dim)


@dataclass(frozen=True)
class _Block:
    """How far to the left and down something at the upper right reaches."""

    left: int
    bottom: int


def _color_bar(page: _Page, scale: ColorScale) -> _Block:
    """Draw it at the upper right: name, colours, ends; nothing where the ends don't fit."""
    size, y, room = page.small, page.edge, page.beside_letter
    ends = _ends(scale, size, room / 2 - page.gap)
    least = sum(width(end, size) for end in ends) + 2 * page.gap
    if not all(ends) or least > room:
        return _Block(page.right, y)
    wide = int(min(room, max(round(page.size * _COLUMN), least, width(_name(scale), size))))
    page.write((page.right - wide, y), fit(_name(scale), size, wide), size, page.ink, "lt")
    y += capital(size) + max(page.gap, round(size * 0.4))
    page.ramp((page.right - wide, y), wide, scale)
    y += page.ramp_height + page.gap
    page.write((page.right - wide, y), ends[0], size, page.dim, "lt")
    page.write((page.right, y), ends[1], size, page.dim, "rt")
    return _Block(page.right - wide, y + _leading(size) + page.gap)


def _name(scale: ColorScale) -> str:
    return f"{scale.name} ({scale.unit})" if scale.unit else scale.name


def _ends(scale: ColorScale, size: int, room: float) -> tuple[str, str]:
    """What stands at the ends of a colour bar: words may be shortened to so many pixels, numbers mustn't."""
    told = zip(scale.words, (scale.low, scale.high), strict=True)
    low, high = (fit(word, size, room) if word else number(end) for word, end in told)
    return low, high


def number(value: float) -> str:
    """A number to four digits, with a power of ten only where it is tiny or huge."""
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"
    digits, power = f"{abs(value):.3e}".split("e")
    sign, exponent = "−" if value < 0 else "", int(power)
    if _LEAST_POWER <= exponent <= _MOST_POWER:
        return sign + _trimmed(f"{float(f'{digits}e{power}'):,.{max(0, 3 - exponent)}f}")
    return f"{sign}{_trimmed(digits)}×10{str(exponent).translate(_RAISED)}"


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _legend(page: _Page, legend: Sequence[tuple[str, Color]], above: _Block) -> _Block:
    """Draw it at the right edge, as much as there is room for; nothing where four letters of a name don't fit."""
    rows, longest = list(_rows_beside_letter(page, above.bottom)), max(width(name, page.legend) for name, _ in legend)
    room = min(longest, max(round(page.size * _COLUMN), page.right - above.left) - _indent(page))
    if not rows or room < min(longest, 4 * page.legend):
        return above
    shown = len(legend) if len(legend) <= len(rows) else len(rows) - 1
    more = f"and {len(legend) - shown} more" if shown < len(legend) else ""
    left = min(above.left, page.right - max(room + _indent(page), width(more, page.legend)))
    for entry, row in zip(legend[:shown], rows, strict=False):
        page.entry((left, row), entry, room)
    if more:
        page.write((left, rows[shown]), more, page.legend, page.dim)
    return _Block(left, rows[-1])


def _rows_beside_letter(page: _Page, top: int) -> Iterator[int]:
    """Baselines at the right edge, from there down to the letter, and from the letter to the scale bar's words."""
    (start, end), high, deep = page.middle, capital(page.legend), _deep(page.legend)
    words = page.low - max(page.bar_height, capital(page.letter)) - page.gap - capital(page.small)
    for first, last in ((top, start), (max(top, end), words - page.gap)):
        yield from range(first + high, last - deep + 1, _leading(page.legend))


def _deep(size: int) -> int:
    """How far letters reach below their baseline."""
    return math.ceil(size * 0.25)


def _text(page: _Page, words: Captions, room: float) -> None:
    """Write title, subtitle and warnings: the title beside the letter if it fits there, all else below it."""
    beside = width(words.title, page.title) <= page.beside_letter
    y = page.edge if beside else page.below_letter
    page.write((page.edge, y), fit(words.title, page.title, room), page.title, page.ink, "lt")
    y = max(y + capital(page.title) + _deep(page.title), page.below_letter) + page.gap
    rows = int((page.middle[0] - y - capital(page.small) - _deep(page.small)) // _leading(page.small)) + 1
    for row, (text, ink) in enumerate(_lines(page, words, room, rows)):
        page.write((page.edge, y + row * _leading(page.small)), text, page.small, ink, "lt")


def _lines(style: _Style, words: Captions, room: float, most: int) -> list[tuple[str, Color]]:
    """The lines below a title; where there is no room for all, warnings matter more than the subtitle."""
    alerts = _warnings(style, words, room, most)
    counts = wrap(words.subtitle, _POINT, style.small, room, most - len(alerts))
    return [(line, style.dim) for line in counts] + [(line, style.alert) for line in alerts]


def _warnings(style: _Style, words: Captions, room: float, most: int) -> list[str]:
    """The warnings in lines, each with its fair share of the lines that there may be."""
    share = max(1, most // max(1, len(words.warnings)))
    lines = [line for text in words.warnings for line in wrap(_SIGN + text, " ", style.small, room, share)]
    return (
        lines
        if len(lines) <= most
        else [*lines[: most - 1], f"{_SIGN}and {len(lines) - most + 1} more"][: max(most, 0)]
    )


@dataclass(frozen=True)
class _Item:
    """Something in a row: its width in pixels, and how it is drawn from a left end and a baseline."""

    wide: int
    draw: Callable[[_Page, int, int], None]


@dataclass(frozen=True)
class _Row:
    """Items in a row: the first at the left, the others at the right."""

    items: tuple[_Item, ...]
    height: int

    def draw(self, page: _Page, baseline: int, gap: int) -> None:
        self.items[0].draw(page, page.edge, baseline)
        right = page.right
        for item in reversed(self.items[1:]):
            item.draw(page, right - item.wide, baseline)
            right -= item.wide + gap


def _heading(style: _Style, words: Captions, wide: int) -> Image.Image:
    """Title at the left, subtitle and colour bar at the right, or below where they don't fit; then warnings."""
    room, gap, pad = wide - 2 * style.edge, 4 * style.gap, round(style.title * 0.3)
    rows = [*_title_rows(style, words, room, gap), *_warning_rows(style, words, room)]
    extent = (wide, 2 * pad + sum(row.height for row in rows))
    page, y = _Page(Image.new("RGB", extent, words.background), style.size, words.background), pad
    for row in rows:
        row.draw(page, y + (row.height + capital(style.small)) // 2, gap)
        y += row.height
    return page.image


def _title_rows(style: _Style, words: Captions, room: int, gap: int) -> list[_Row]:
    """As few rows as title, subtitle and colour bar fit into; a subtitle of several lines has them for itself."""
    title = _item(fit(words.title, style.title, room), style.title, style.ink)
    lines = [
        _item(line, style.small, style.dim) for line in wrap(words.subtitle, _POINT, style.small, room, _MOST_LINES)
    ]
    items, rows = [title, *lines, *_bar_items(style, words.scale, room)], list[list[_Item]]()
    for item in items:
        if rows and len(lines) <= 1 and _joined([*rows[-1], item], gap).wide <= room:
            rows[-1].append(item)
        else:
            rows.append([item])
    return [_Row(tuple(row), round(style.title * 1.6)) for row in rows]


def _warning_rows(style: _Style, words: Captions, room: int) -> list[_Row]:
    lines = _warnings(style, words, room, _MOST_LINES * len(words.warnings))
    return [_Row((_item(line, style.small, style.alert),), _leading(style.small)) for line in lines]


def _item(text: str, size: int, ink: Color) -> _Item:
    return _Item(width(text, size), lambda page, x, baseline: page.write((x, baseline), text, size, ink))


def _bar_items(style: _Style, scale: ColorScale | None, room: int) -> list[_Item]:
    """A colour bar in one row: name, low end, colours, high end; none where the ends don't fit."""
    if scale is None:
        return []
    size, gap = style.small, 2 * style.gap
    ends = _ends(scale, size, room / 4)
    low, high = (_item(end, size, style.dim) for end in ends)
    bar = _joined([low, _ramp_item(style, scale), high], gap)
    name = fit(_name(scale), size, room - bar.wide - gap)
    if not all(ends) or bar.wide > room:
        return []
    return [_joined([_item(name, size, style.ink), bar], gap) if name else bar]


def _ramp_item(style: _Style, scale: ColorScale) -> _Item:
    wide, up = round(style.size * _COLUMN), (capital(style.small) + style.ramp_height) // 2
    return _Item(wide, lambda page, x, baseline: page.ramp((x, baseline - up), wide, scale))


def _joined(items: list[_Item], gap: int) -> _Item:
    """Items in a row as one."""

    def draw(page: _Page, x: int, baseline: int) -> None:
        for item in items:
            item.draw(page, x, baseline)
            x += item.wide + gap

    return _Item(sum(item.wide + gap for item in items) - gap, draw)


def _legend_strip(style: _Style, legend: Sequence[tuple[str, Color]], wide: int) -> Image.Image:
    """All of a legend, in columns; names are shortened to the width of a picture."""
    room, indent, gutter = wide - 2 * style.edge, _indent(style), round(1.5 * style.legend)
    name_room = min(
        style.size - 2 * style.edge - indent, max((width(name, style.legend) for name, _ in legend), default=0)
    )
    columns = max(1, (room + gutter) // (name_room + indent + gutter))
    rows, line = -(-len(legend) // columns), _leading(style.legend)
    image = Image.new("RGB", (wide, rows * line + 2 * style.edge if legend else 0), style.background)
    page = _Page(image, style.size, style.background)
    for place, entry in enumerate(legend):
        x, y = (
            place % columns * (room + gutter) // columns,
            place // columns * line + (line + capital(style.legend)) // 2,
        )
        page.entry((style.edge + x, style.edge + y), entry, name_room)
    return image
