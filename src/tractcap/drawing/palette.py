"""Colours by name. Standard library alone: the supervisor's process imports it."""

import re
from collections.abc import Iterable

from tractcap.errors import SettingsError

Color = tuple[int, int, int]

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
    here = luminance(background)
    return light if (luminance(light) + 0.05) * (luminance(dark) + 0.05) > (here + 0.05) ** 2 else dark


def luminance(color: Color) -> float:
    """Relative luminance, as WCAG 2.1 defines it."""
    parts = (value / 255 for value in color)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(a: Color, b: Color, share: float) -> Color:
    """``a`` with a share of ``b``."""
    red, green, blue = (round(one + (other - one) * share) for one, other in zip(a, b, strict=True))
    return red, green, blue


COLORMAPS = ("viridis", "cividis", "magma", "inferno", "plasma")
"""Perceptually uniform colour maps (Smith and van der Walt, SciPy 2015; cividis: Nuñez et al., PLoS One 13, 2018)."""
