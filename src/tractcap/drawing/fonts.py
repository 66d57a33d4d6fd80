"""Text in any script, on one line.

Every character that DejaVu Sans has is drawn in it, and it comes with matplotlib: pictures don't depend on the machine.
Of the others, those that a font of the system has are drawn in that, and the rest is spelled in Latin letters.
"""

import importlib.util
import math
import os
import unicodedata
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

from anyascii import anyascii
from PIL import ImageDraw, ImageFont, features

from tractcap.color_names import Color

LEAST = 8
"""Pixels; no text is smaller."""

ELLIPSIS = "…"
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"

_FONTS = Path("/usr/share/fonts")
_OTHERS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK-DemiLight.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-microhei.ttc",
)
"""Fonts of the system for characters that are not in DejaVu Sans, the best first."""

_CAPITAL = 0.729
"""Height of a capital of DejaVu Sans, as a share of the font's size."""

_MOST_MARKS = 2
"""Combining marks on one letter: more would pile up into the lines above."""

_SHAPES = features.check("raqm") and features.check("fribidi")
"""Whether scripts that run from the right, and marks, can be laid out."""


def points(size: float) -> int:
    """The size, in whole pixels, that text of about this size is written in."""
    return max(LEAST, round(size))


def capital(size: int) -> int:
    """Height of a capital letter in pixels."""
    return round(size * _CAPITAL)


def width(text: str, size: int) -> int:
    """Pixels that a text takes from its leftmost to its rightmost one."""
    line = _line(readable(text), size)
    return math.ceil(line.right) - math.floor(line.left)


def write(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    color: Color,
    size: int,
    anchor: str = "ls",
    outline: Color | None = None,
) -> None:
    """Write a text at a place in pixels.

    Parameters
    ----------
    anchor : what is at the place: l, m or r for the text's left end, middle or right end; then t, m or s for the top
        or the middle of its capitals, or for its baseline.
    outline : the colour of a thin line around the letters, if there shall be one.
    """
    line = _line(readable(text), size)
    left = place[0] - math.floor(line.left) - width(text, size) * {"l": 0, "m": 0.5, "r": 1}[anchor[0]]
    baseline = round(place[1] + capital(size) * {"t": 1, "m": 0.5, "s": 0}[anchor[1]])
    for run in line.runs:
        at, stroke = (round(left + run.offset), baseline), 0 if outline is None else outline_width(size)
        pen.text(
            at, run.text, color, run.font, "ls", 0, direction=run.direction, stroke_width=stroke, stroke_fill=outline
        )


def outline_width(size: int) -> int:
    """Pixels around letters of a size."""
    return max(1, round(size * 0.1))


def fit(text: str, size: int, room: float) -> str:
    """Shorten a text in its middle until it fits into ``room`` pixels: names differ at both ends.

    Empty where not even a letter of each end fits.
    """
    text = readable(text)
    if width(text, size) <= room:
        return text
    letters = list(_letters(text))

    def shortened(kept: int) -> str:
        tail = kept // 2
        return "".join((*letters[: kept - tail], ELLIPSIS, *letters[len(letters) - tail :]))

    too_many = bisect(range(len(letters)), room, key=lambda kept: width(shortened(kept), size))
    candidates = (shortened(kept) for kept in range(too_many - 1, 1, -1))
    return next((text for text in candidates if width(text, size) <= room), "")


def wrap(text: str, joint: str, size: int, room: float, most: int) -> list[str]:
    """Break a text at its joints into at most so many lines that fit into ``room`` pixels.

    What is too long for a line, and what is left for the last one, is shortened.
    """
    lines: list[str] = []
    parts = text.split(joint) if text else []
    while parts and len(lines) < most:
        taken = len(parts) if len(lines) == most - 1 else 1
        while taken < len(parts) and width(joint.join(parts[: taken + 1]), size) <= room:
            taken += 1
        lines.append(fit(joint.join(parts[:taken]), size, room))
        parts = parts[taken:]
    return lines


@lru_cache(maxsize=1024)
def readable(text: str) -> str:
    """A text as it is written: on one line, composed, and spelled in Latin letters where there is no font for it."""
    if _is_latin(text):
        return text
    spelled = ""
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if char.isspace():
            spelled += " "  # not even a line break breaks the line
        elif category in ("Cc", "Cf"):
            spelled += _UNKNOWN if category == "Cc" else ""  # nor does a mark of direction turn it
        elif _font_of(char):
            spelled += char
        else:
            spelled += anyascii(char) or ("" if category in ("Mn", "Mc", "Me", "Sk") else _UNKNOWN)
    return "".join(letter[: 1 + _MOST_MARKS] for letter in _letters(spelled))


def _is_latin(text: str) -> bool:
    """Whether DejaVu Sans has all of it and it runs from the left without marks: as all Latin text does."""
    return text.isprintable() and all(char < "\u0250" or char in "–—…−" for char in text)


def _letters(text: str) -> Iterator[str]:
    """Each letter with its combining marks."""
    letter = ""
    for char in text:
        if letter and not unicodedata.category(char).startswith("M"):
            yield letter
            letter = ""
        letter += char
    if letter:
        yield letter


@dataclass(frozen=True)
class _Run:
    """Characters of one font, so many pixels from the line's start."""

    offset: float
    text: str
    font: ImageFont.FreeTypeFont

    @property
    def direction(self) -> str | None:
        """The line's direction; a word of another is turned within it."""
        return "ltr" if self.font.layout_engine == ImageFont.Layout.RAQM else None


@dataclass(frozen=True)
class _Line:
    """Runs, and how far their pixels reach from the line's start."""

    runs: tuple[_Run, ...]
    left: float
    right: float


@lru_cache(maxsize=64)
def _font(path: Path, size: int, engine: ImageFont.Layout) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, size, layout_engine=engine)
    # all views bear the same words
    font.getmask2 = lru_cache(128)(font.getmask2)  # type: ignore[assignment, method-assign]
    return font


@lru_cache(maxsize=1024)
def _line(text: str, size: int) -> _Line:
    runs, left, end, right = [], 0.0, 0.0, 0.0
    for path, part in _parts(text):
        # shaped only where the script asks for it, so that other text doesn't depend on FriBiDi
        engine = ImageFont.Layout.RAQM if _SHAPES and not _is_latin(part) else ImageFont.Layout.BASIC
        run = _Run(end, part, _font(path, size, engine))
        box = run.font.getbbox(part, direction=run.direction, anchor="ls")
        left, right = min(left, end + box[0]), max(right, end + box[2])
        end += run.font.getlength(part, direction=run.direction)
        runs.append(run)
    return _Line(tuple(runs), left, max(right, end))


def _parts(text: str) -> Iterator[tuple[Path, str]]:
    """Stretches of one font."""
    if _is_latin(text):
        yield from [(_main(), text)] if text else []
        return
    for path, chars in groupby(text, lambda char: _font_of(char) or _main()):
        yield path, "".join(chars)


@lru_cache(maxsize=4096)
def _font_of(char: str) -> Path | None:
    """The first font that can draw a character."""
    if _is_latin(char):
        return _main()
    if not _SHAPES and unicodedata.bidirectional(char) in ("R", "AL"):
        return None
    return next((path for path in (_main(), *_others()) if ord(char) in _characters(path)), None)


@cache
def _main() -> Path:
    """DejaVu Sans; matplotlib isn't imported for it, which takes a second."""
    matplotlib = importlib.util.find_spec("matplotlib")
    assert matplotlib is not None, "matplotlib is a dependency"
    assert matplotlib.origin is not None, "matplotlib is a package of files"
    return Path(matplotlib.origin).with_name("mpl-data") / "fonts" / "ttf" / "DejaVuSans.ttf"


@cache
def _others() -> tuple[Path, ...]:
    paths = {name: Path(folder) / name for folder, _, names in os.walk(_FONTS) for name in names if name in _OTHERS}
    return tuple(paths[name] for name in _OTHERS if name in paths)


@cache
def _characters(path: Path) -> frozenset[int]:
    """Code points that a font has; none if it can't be read, as what a system has may be broken."""
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    try:
        ImageFont.truetype(path, LEAST)
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError):
        return frozenset()
