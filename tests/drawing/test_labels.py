"""Words are where they belong, and the scale bar is as long as it says."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from tractcap.drawing.labels import ELLIPSIS, bar_length, fit, head, label, mosaic
from tractcap.drawing.views import VIEWS, Frame

FRAME = Frame((-90, -120, -70), (90, 80, 110))


def labelled(size: int, frame: Frame = FRAME) -> np.ndarray:
    image = Image.new("RGB", (size, size))
    label(image, VIEWS["left"], frame)
    return np.asarray(image)


@pytest.mark.parametrize("size", [200, 400, 800, 2048])
def test_the_scale_bar_is_right_to_a_pixel(size: int) -> None:
    picture = labelled(size)
    bottom = np.flatnonzero(picture[:, -size // 4 :].any(axis=(1, 2)))[-1]
    bar = np.flatnonzero(picture[bottom, size // 2 + size // 8 :].any(axis=1))
    assert bar[-1] - bar[0] + 1 == len(bar) == pytest.approx(bar_length(FRAME) * size / FRAME.width, abs=1)


@pytest.mark.parametrize(("width", "length"), [(1, 1), (50, 10), (180, 50), (250, 50), (2000, 500)])
def test_the_scale_bar_stands_for_a_round_length(width: float, length: int) -> None:
    assert bar_length(Frame((0, 0, 0), (width, 1, 1))) == length


@pytest.mark.parametrize("size", [200, 800])
def test_letters_stand_at_the_four_edges_and_inside(size: int) -> None:
    picture = labelled(size)
    edge = size // 8
    middle = slice(size // 2 - edge, size // 2 + edge)
    for rows, columns in (
        (middle, slice(0, edge)),
        (middle, slice(-edge, None)),
        (slice(0, edge), middle),
        (slice(-edge, None), middle),
    ):
        assert picture[rows, columns].max() > 150
    for border in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert not border.any(), "nothing is cut off"


@pytest.mark.parametrize("title", ["AF_L", "sub-01_ses-1_" * 30, "白質の束 " * 20, ""])
def test_titles_never_reach_the_letter_in_the_middle(title: str) -> None:
    image = Image.new("RGB", (400, 400))
    head(image, title, "1,000 of 1,001 streamlines")
    assert not np.asarray(image)[:, 195:].any()


def test_a_long_name_keeps_both_ends() -> None:
    font = ImageFont.load_default(20)
    short = fit("sub-01_task-rest_bundle-ArcuateLeft", font, 150)
    assert short.startswith("sub-")
    assert short.endswith("Left")
    assert ELLIPSIS in short
    assert font.getlength(short) <= 150


def test_the_mosaic_holds_every_view_in_order() -> None:
    tones = [10, 20, 30, 40, 50, 60]
    sheet = np.asarray(mosaic([Image.new("RGB", (100, 100), (tone,) * 3) for tone in tones], "name", "count"))
    assert sheet.shape == (207, 300, 3)
    assert [sheet[57 + 100 * row, 50 + 100 * column, 0] for row in range(2) for column in range(3)] == tones
