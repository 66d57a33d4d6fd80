"""Colours are read, told apart, and words on them can be read."""

from itertools import combinations

import pytest

from tractcap.color_names import DISTINCT, NAMES, as_hex, assign, contrast, mix, parse_color
from tractcap.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "color"), [("#FF8000", (255, 128, 0)), ("skyblue", (86, 180, 233)), ("White", (255, 255, 255))]
)
def test_colors_are_read(text: str, color: tuple[int, int, int]) -> None:
    assert parse_color(text, "--color") == color


def test_colors_are_written() -> None:
    assert as_hex((230, 159, 0)) == "#e69f00"
    assert as_hex((-1, 5, 999)) == "#0005ff"


@pytest.mark.parametrize("text", ["", "#fff", "#12345g", "mauve", "0,0,0", "#１２３４５６"])
def test_what_is_no_color(text: str) -> None:
    with pytest.raises(SettingsError, match="--background"):
        parse_color(text, "--background")


def test_each_bundle_has_its_own_color_whatever_the_order() -> None:
    names = [f"b{n}" for n in range(len(DISTINCT))]
    colors = assign(names)
    assert colors == assign([*reversed(names), "b0"])
    for a, b in combinations(colors.values(), 2):
        assert max(abs(x - y) for x, y in zip(a, b, strict=True)) > 60
    assert len(assign([f"b{n}" for n in range(20)])) == 20


@pytest.mark.parametrize("background", [*NAMES.values(), (140, 140, 140), (120, 120, 120)])
def test_words_keep_their_contrast(background: tuple[int, int, int]) -> None:
    """At least 3:1, as WCAG 2.1 asks of large letters, the dimmer words too."""

    def luminance(color: tuple[int, int, int]) -> float:
        parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(contrast(background)), luminance(background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_mixing() -> None:
    assert mix((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
