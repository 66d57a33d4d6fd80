"""Words are where they belong, nothing overlaps or is cut off, and the scale bar is as long as it says."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tractcap.color_names import DISTINCT, NAMES, Color, contrast_ratio
from tractcap.drawing import fonts, labels
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.labels import Captions, bar_length, head, label, mosaic, number
from tractcap.drawing.views import VIEWS, Frame, View

FRAME = Frame((-90, -120, -70), (90, 80, 110))
SIZES = [64, 100, 150, 200, 400, 800]
BACKGROUNDS = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (110, 110, 110), *DISTINCT.values()]
MD = ColorScale("MD", 0.0003, 0.0012, "mm²/s")
COUNT = "1,024 of 1,030 streamlines · mean 84.1 mm · on T1w.nii.gz"
OUTSIDE = "12.3 % of the points lie outside T1w.nii.gz"
PLAIN = Captions("sub-01 AF_L", COUNT)


def legend(count: int) -> tuple[tuple[str, Color], ...]:
    names = ("AF_L", "白質の束", "קשת", "cingulum_parahippocampal_part_left", "ẞ_É")
    colors = list(NAMES.values())
    return tuple((f"{names[place % 5]}_{place}", colors[place % len(colors)]) for place in range(count))


CASES = {
    "plain": PLAIN,
    "nothing": Captions("", ""),
    "everything": replace(PLAIN, warnings=(OUTSIDE, "It is odd."), scale=MD, legend=legend(72)),
    "long": Captions("sub-01_ses-1_" * 16, COUNT * 4, (OUTSIDE * 5,) * 9, replace(MD, name="n" * 200), legend(3)),
    "words": replace(PLAIN, scale=replace(MD, words=("hardly any streamlines", "many")), legend=legend(14)),
    "scripts": Captions("sub-01 左弓状束 🧠 " * 3, "קשת · 束", ("è" * 300,), legend=legend(5)),
}


class Turned(View):
    @property
    def letters(self) -> tuple[str, str, str, str]:
        return "LPI", "RAS", "SAR", "IPR"


TURNED = Turned("turn-007", (0, 1, 0), (0, 0, 1))


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, int, int, int]]]:
    """What is drawn, and where its pixels are: left, top, right, bottom; even those beyond the picture's edges."""
    found: list[tuple[str, tuple[int, int, int, int]]] = []

    def write(pen, place, text, color, size, anchor, outline) -> None:
        canvas, (x, y) = Image.new("L", (2600, 200)), (int(place[0]) - 1300, int(place[1]) - 100)
        fonts.write(ImageDraw.Draw(canvas), (place[0] - x, place[1] - y), text, 255, size, anchor)
        if box := canvas.getbbox():
            found.append((text, (box[0] + x, box[1] + y, box[2] + x, box[3] + y)))
        fonts.write(pen, place, text, color, size, anchor, outline)

    def patch(page, place, extent, color) -> None:
        found.append(("patch", (*place, place[0] + extent[0], place[1] + extent[1])))
        plain(page, place, extent, color)

    plain = labels.Page.patch
    monkeypatch.setattr(labels, "write", write)
    monkeypatch.setattr(labels.Page, "patch", patch)
    return found


def assert_apart(boxes: list[tuple[str, tuple[int, int, int, int]]], wide: int, high: int) -> None:
    for name, (left, top, right, bottom) in boxes:
        assert left >= 1, f"{name} runs out of the picture"
        assert top >= 1, f"{name} runs out of the picture"
        assert right <= wide - 1, f"{name} runs out of the picture"
        assert bottom <= high - 1, f"{name} runs out of the picture"
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"{one!r} at {a} meets {other!r} at {b}"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", [VIEWS["left"], TURNED], ids=["one letter", "three letters"])
def test_nothing_on_a_picture_overlaps_or_runs_out_of_it(boxes, size: int, view: View, case: str) -> None:
    image = Image.new("RGB", (size, size))
    label(image, view, FRAME, note="x = -12 mm")
    head(image, CASES[case])
    assert_apart(boxes, size, size)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [64, 200, 400])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_nothing_around_a_mosaic_overlaps_or_runs_out_of_it(boxes, size: int, count: int, case: str) -> None:
    style, words = labels.Style(size, (0, 0, 0)), CASES[case]
    assert_apart(boxes, *labels.heading(style, words, count * size).size)
    boxes.clear()
    assert_apart(boxes, *labels.legend_strip(style, words.legend, count * size).size)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_all_words_contrast_with_their_background(background: Color) -> None:
    style = labels.Style(400, background)
    best = contrast_ratio(style.ink, background)
    for color in (style.ink, style.dim, style.alert):
        assert contrast_ratio(color, background) >= min(4.5, best)


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255)])
def test_warnings_have_a_colour_of_their_own(background: Color) -> None:
    style = labels.Style(400, background)
    assert max(style.alert) - min(style.alert) > 100
    assert max(style.dim) - min(style.dim) == 0


def test_words_are_outlined_where_something_is_drawn_under_them() -> None:
    image = Image.new("RGB", (400, 400), (255, 255, 255))
    label(image, VIEWS["left"], FRAME)
    head(image, PLAIN)
    around = np.asarray(image)[9:40, 5:250]
    assert (around.max(axis=2) < 30).any()
    assert (around.min(axis=2) == 255).any()


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255)])
@pytest.mark.parametrize("size", [64, 200, 400, 800, 2048])
def test_the_scale_bar_is_right_to_a_pixel(size: int, background: Color) -> None:
    image = Image.new("RGB", (size, size), background)
    label(image, VIEWS["left"], FRAME, background)
    picture = (np.asarray(image) != background).any(axis=2)
    bottom = np.flatnonzero(picture[:, -size // 8 :].any(axis=1))[-1]
    bar = np.flatnonzero(picture[bottom, size // 2 + size // 8 :])
    assert bar[-1] - bar[0] + 1 == len(bar) == pytest.approx(bar_length(FRAME) * size / FRAME.width, abs=1)


@pytest.mark.parametrize(("width", "length"), [(1, 1), (50, 10), (180, 50), (250, 50), (2000, 500)])
def test_the_scale_bar_stands_for_a_round_length(width: float, length: int) -> None:
    assert bar_length(Frame((0, 0, 0), (width, 1, 1))) == length


@pytest.mark.parametrize("view", [VIEWS["left"], TURNED], ids=["one letter", "three letters"])
@pytest.mark.parametrize("size", [64, 200, 800])
def test_letters_stand_at_the_four_edges(boxes, size: int, view: View) -> None:
    label(Image.new("RGB", (size, size)), view, FRAME)
    at, edge, middle = dict(boxes), size // 8, pytest.approx(size / 2, abs=1.5)
    left, right, top, bottom = (at[letter] for letter in view.letters)
    assert left[0] < edge
    assert right[2] > size - edge
    assert top[1] < edge
    assert bottom[3] > size - edge
    assert [(box[1] + box[3]) / 2 for box in (left, right)] == [middle] * 2
    assert [(box[0] + box[2]) / 2 for box in (top, bottom)] == [middle] * 2


def test_the_views_name_and_its_note_share_a_line_where_they_fit(boxes) -> None:
    label(Image.new("RGB", (400, 400)), VIEWS["left"], FRAME, note="x = -12 mm")
    label(Image.new("RGB", (150, 150)), VIEWS["superior"], FRAME, note="z = -12 mm")
    label(Image.new("RGB", (64, 64)), VIEWS["superior"], FRAME, note="z = -12 mm")
    texts = [name for name, _ in boxes]
    assert "left  x = -12 mm" in texts
    assert texts.count("superior") == texts.count("z = -12 mm") == 1


def texts(boxes) -> list[str]:
    return [name for name, _ in boxes if name != "patch"]


def test_a_title_that_doesnt_fit_beside_the_letter_is_below_it(boxes) -> None:
    for title in ("sub-01 AF_L", "sub-01 inferior fronto-occipital fasciculus"):
        head(Image.new("RGB", (400, 400)), Captions(title, ""))
    (short, (_, _, _, low)), (long, (_, high, wide, _)) = boxes
    assert (short, long) == ("sub-01 AF_L", "sub-01 inferior fronto-occipital fasciculus")
    assert low < 22 < high
    assert wide > 200


def test_where_there_is_room_all_lines_are_there_in_full(boxes) -> None:
    head(Image.new("RGB", (800, 800)), replace(PLAIN, warnings=(OUTSIDE,), scale=MD, legend=legend(14)))
    said = " ".join(texts(boxes))
    assert "1,024 of 1,030 streamlines · mean 84.1 mm on T1w.nii.gz" in said
    assert f"⚠ {OUTSIDE}" in said
    assert "MD (mm²/s) 0.0003 0.0012" in said
    assert all(fonts.readable(f"{name}") in said for name, _ in legend(14) if len(name) < 20)


def test_warnings_matter_more_than_the_subtitle(boxes) -> None:
    head(Image.new("RGB", (100, 100)), replace(PLAIN, warnings=(OUTSIDE,) * 3))
    assert sum(text.startswith("⚠") for text in texts(boxes)) >= 2
    assert not [text for text in texts(boxes) if text.startswith("1,024")]


@pytest.mark.parametrize("size", [200, 400, 800])
def test_what_a_legend_leaves_out_is_counted(boxes, size: int) -> None:
    head(Image.new("RGB", (size, size)), replace(Captions("", ""), legend=legend(72)))
    *shown, more = texts(boxes)
    assert more == f"and {72 - len(shown)} more"
    assert len(shown) == sum(name == "patch" for name, _ in boxes) >= 10


def test_numbers_of_a_colour_bar_are_never_shortened(boxes) -> None:
    head(Image.new("RGB", (64, 64)), replace(PLAIN, scale=MD))
    assert texts(boxes) == ["sub-01 AF_L"], "rather there is no colour bar"


def test_the_colour_bar_runs_from_its_low_to_its_high_end() -> None:
    image = Image.new("RGB", (400, 400))
    head(image, Captions("", "", scale=replace(MD, colormap="viridis")))
    rows = np.asarray(image)[9:40]
    ramp = next(row for row in rows if (row.any(axis=1)).sum() > 100)
    colors = ramp[ramp.any(axis=1)]
    assert tuple(colors[0]) == (68, 1, 84)
    assert tuple(colors[-1]) == (253, 231, 36)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (100, "100"),
        (0.5, "0.5"),
        (-12.3456, "−12.35"),
        (0.0003, "0.0003"),
        (0.00097414, "0.0009741"),
        (9999.9, "10,000"),
        (123456, "123,500"),
        (3e-9, "3×10⁻⁹"),
        (-6.02214e23, "−6.022×10²³"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_have_four_digits_and_no_exponent_where_they_can_be_without(value: float, text: str) -> None:
    assert number(value) == text


def tones(count: int, size: int = 100) -> list[Image.Image]:
    return [Image.new("RGB", (size, size), (10 * place + 10,) * 3) for place in range(count)]


@pytest.mark.parametrize("words", CASES.values(), ids=CASES)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_the_mosaic_holds_every_view_whole_and_in_order(count: int, words: Captions) -> None:
    sheet = np.asarray(mosaic(tones(count), words))
    across = min(count, 3)
    assert sheet.shape[1] == 100 * across
    top = next(y for y in range(len(sheet)) if (sheet[y + 1 : y + 100, 1:99] == 10).all())
    found = [sheet[top + 50 + 100 * (place // across), 50 + 100 * (place % across), 0] for place in range(count)]
    assert found == [10 * place + 10 for place in range(count)]
    assert sheet.shape[0] >= top + -(-count // across) * 100


def test_title_and_subtitle_share_the_mosaics_first_line(boxes) -> None:
    mosaic(tones(6, 400), replace(PLAIN, scale=MD))
    at = dict(boxes)
    assert at["sub-01 AF_L"][0] < 20
    assert at["sub-01 AF_L"][2] < at[COUNT][0] < at[COUNT][2] < at["MD (mm²/s)"][0]
    assert at["0.0012"][2] > 1180
    assert at["0.0012"][3] < 30


def test_a_title_that_leaves_no_room_has_the_mosaics_first_line_alone(boxes) -> None:
    title = "sub-01_ses-1_" * 12
    mosaic(tones(3, 400), replace(PLAIN, title=title))
    at = dict(boxes)
    assert title in at
    assert at[COUNT][1] > at[title][3]


@pytest.mark.parametrize("count", [1, 2, 6])
def test_the_mosaic_names_every_bundle_and_tells_every_warning(boxes, count: int) -> None:
    mosaic(tones(count, 400), CASES["everything"])
    said = texts(boxes)
    assert f"⚠ {OUTSIDE}" in said
    assert "⚠ It is odd." in said
    assert all(fonts.readable(name) in said for name, _ in legend(72))


def test_a_bundle_in_the_backgrounds_colour_is_framed() -> None:
    words = Captions("", "", legend=(("AF", (0, 0, 0)),))
    image = Image.new("RGB", (400, 400))
    head(image, words)
    frame, plain = np.asarray(image), Image.new("RGB", (400, 400))
    head(plain, replace(words, legend=(("AF", (1, 60, 200)),)))
    swatch = (np.asarray(plain) == (1, 60, 200)).all(axis=2)
    assert swatch.any()
    assert frame[swatch].any()
