"""Colours as they are asked for in words. Standard library alone."""

import math
from collections.abc import Sequence

from tractcap.drawing.palette import parse_color
from tractcap.errors import SettingsError
from tractcap.records.options import BUNDLE, DATA, DENSITY, DIRECTION, ENDPOINTS, ONE, POSITION, SCALAR, Coloring

_PLAIN = (DIRECTION, ENDPOINTS, BUNDLE, POSITION, DENSITY)


def parse_coloring(color: str | None, scalars: Sequence[str], color_range: str | None, colormap: str) -> Coloring:
    """Read what ``--color``, ``--scalar``, ``--color-range`` and ``--colormap`` ask for.

    Raises
    ------
    SettingsError
        When they can't be understood, or not together.
    """
    maps = dict(_map(text) for text in scalars)
    kind, name = _kind(color or (f"{SCALAR}:{next(iter(maps))}" if maps else DIRECTION))
    if kind == SCALAR and maps and name not in maps:
        raise SettingsError(f"--color is {color!r}: give that map too, with --scalar {name}=IMAGE.")
    if color_range is not None and kind not in (DATA, SCALAR, DENSITY):
        raise SettingsError(
            "--color-range is for the colours of values: give --color data:NAME, scalar:NAME or density with it."
        )
    limits = None if color_range in (None, "participant", "group") else _range(str(color_range))
    single = parse_color(name, "--color") if kind == ONE else None
    path = maps.get(name, "") if kind == SCALAR else ""  # without one it is each tractogram's own
    return Coloring(kind, "" if single else name, path, single, limits, color_range == "group", colormap)


def _kind(text: str) -> tuple[str, str]:
    kind, _, name = text.partition(":")
    if name and kind in (DATA, SCALAR):
        return kind, name
    return (text, "") if text in _PLAIN else (ONE, text)


def _map(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise SettingsError(f"--scalar is {text!r}: give a name and an image, such as FA=fa.nii.gz.")
    return name, path


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SettingsError(
            f"--color-range is {text!r}: give two numbers, the lower first, such as 0,1; or participant, or group."
        )
    return low, high
