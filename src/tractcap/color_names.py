"""Colours by name, and what is coloured how. Standard library alone: the supervisor's process imports it."""

import math
import re
from collections.abc import Iterable, Sequence

from tractcap.errors import SettingsError
from tractcap.records.json_record import Color as Color
from tractcap.records.options import BUNDLE, DATA, DENSITY, DIRECTION, ENDPOINTS, ONE, POSITION, SCALAR, Coloring

DISTINCT: dict[str, Color] = {
    "orange": (230, 159, 0),
    "skyblue": (86, 180, 233),
    "green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermillion": (213, 94, 0),
    "purple": (204, 121, 167),
}
"""Colours that colour-blind people too can tell apart (Okabe and Ito, Color Universal Design, 2008)."""

_SHADES = (((255, 255, 255), 0.55), ((0, 0, 0), 0.45))
"""What is mixed into them, and how much of it, where more are needed: everyone tells light and dark apart."""

NAMES: dict[str, Color] = {**DISTINCT, "white": (255, 255, 255), "gray": (128, 128, 128), "black": (0, 0, 0)}


def parse_color(text: str, source: str) -> Color:
    """Read a colour: one of the names, or ``#rrggbb``.

    Raises
    ------
    SettingsError
        When it is neither; ``source`` is the option that is named then.
    """
    if match := re.fullmatch("#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text):
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    if text.lower() in NAMES:
        return NAMES[text.lower()]
    raise SettingsError(f"{source} is {text!r}: give #rrggbb, or one of {', '.join(NAMES)}.")


def parse_coloring(color: str | None, scalars: Sequence[str], color_range: str | None, colormap: str) -> Coloring:
    """Read ``--color``, ``--scalar``, ``--color-range`` and ``--colormap``.

    Raises
    ------
    SettingsError
        When one of them can't be understood, or they don't go together.
    """
    maps = dict[str, str]()
    for text in scalars:
        name, _, path = text.partition("=")
        if not name or not path:
            raise SettingsError(f"--scalar is {text!r}: give a name and an image, such as FA=fa.nii.gz.")
        maps[name] = path
    text = color or (f"{SCALAR}:{next(iter(maps))}" if maps else DIRECTION)
    kind, _, name = text.partition(":")
    if not (name and kind in (DATA, SCALAR)):
        kind, name = (text if text in (DIRECTION, ENDPOINTS, BUNDLE, POSITION, DENSITY) else ONE), ""
    if kind == SCALAR and maps and name not in maps:
        raise SettingsError(f"--color is {color!r}: give that map too, with --scalar {name}=IMAGE.")
    if color_range is not None and kind not in (DATA, SCALAR, DENSITY):
        raise SettingsError(
            "--color-range is for the colours of values: give --color data:NAME, scalar:NAME or density with it."
        )
    return Coloring(
        kind,
        name,
        path=maps.get(name, "") if kind == SCALAR else "",  # without one it is each tractogram's own
        color=parse_color(text, "--color") if kind == ONE else None,
        limits=None if color_range in (None, "participant", "group") else _parse_range(str(color_range)),
        over_group=color_range == "group",
        colormap=colormap,
    )


def _parse_range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SettingsError(
            f"--color-range is {text!r}: give two numbers, the lower first, such as 0,1; or participant, or group."
        )
    return low, high


def as_hex(color: Color) -> str:
    """A colour as ``#rrggbb``; what is beyond 0 or 255 becomes that."""
    return "#" + "".join(f"{min(255, max(0, part)):02x}" for part in color)


def assign(names: Iterable[str]) -> dict[str, Color]:
    """A colour for each name, in their order and distinct as long as there are colours; then they come again."""
    colors = apart()
    return {name: colors[place % len(colors)] for place, name in enumerate(sorted(set(names)))}


def apart() -> list[Color]:
    """The colours that can be told apart, and then their light and dark shades."""
    plain = list(DISTINCT.values())
    return plain + [mix(color, shade, share) for shade, share in _SHADES for color in plain]


def contrast(background: Color) -> Color:
    """The ink for words that can be read on a background: of dark and light the one that contrasts more (WCAG 2.1)."""
    dark, light = (20, 20, 20), (235, 235, 235)
    return light if contrast_ratio(light, background) > contrast_ratio(dark, background) else dark


def contrast_ratio(a: Color, b: Color) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.1)."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    """Relative luminance, as WCAG 2.1 defines it."""
    parts = (value / 255 for value in color)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(a: Color, b: Color, share: float) -> Color:
    """``a`` with a share of ``b``."""
    red, green, blue = (round(own + (other - own) * share) for own, other in zip(a, b, strict=True))
    return red, green, blue


COLORMAPS = ("viridis", "cividis", "magma", "inferno", "plasma")
"""Perceptually uniform colour maps (Smith and van der Walt, SciPy 2015; cividis: Nuñez et al., PLoS One 13, 2018)."""
