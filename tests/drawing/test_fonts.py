"""Text of any script is legible, on one line, and never wider than it may be."""

import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tractcap.drawing import fonts
from tractcap.drawing.fonts import ELLIPSIS, LEAST, capital, fit, points, readable, width, wrap, write

NAMES = (
    "sub-01 AF_L",
    "Größe · 4 mm²",
    "左弓状束",
    "הקשת_L",
    "قوس AF",
    "e\u0301\u0301\u0301\u0301" * 9,
    "🧠🏽 😀",
    "\u0301",
    "",
)
SHAPED = pytest.mark.skipif(not fonts._SHAPES, reason="Pillow finds no FriBiDi here")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What is known of fonts is found out anew, before and after."""
    found = (fonts.readable, fonts._line, fonts._font_of, fonts._others, fonts._characters)
    for cached in found:
        cached.cache_clear()
    yield
    for cached in found:
        cached.cache_clear()


def drawn(text: str, size: int = 20, anchor: str = "ls", at: tuple[float, float] = (300, 100), **more) -> np.ndarray:
    image = Image.new("L", (600, 200))
    write(ImageDraw.Draw(image), at, text, 255, size, anchor, **more)
    return np.asarray(image)


def spread(picture: np.ndarray) -> tuple[int, int]:
    columns = np.flatnonzero(picture.any(axis=0))
    return (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("size", [8, 20, 33])
def test_text_is_drawn_as_wide_as_it_is_said_to_be(text: str, size: int) -> None:
    first, last = spread(drawn(text, size, at=(20, 100)))
    assert not text or last > first
    assert 20 <= first <= last <= 20 + width(text, size) or not text


@pytest.mark.parametrize("text", NAMES[:5])
def test_text_stands_where_its_anchor_says(text: str) -> None:
    wide = width(text, 20)
    for side, left in (("l", 300), ("m", 300 - wide / 2), ("r", 300 - wide)):
        first, last = spread(drawn(text, anchor=f"{side}s"))
        assert left - 1 <= first <= last <= left + wide + 1
        assert last - first > wide - 5


@pytest.mark.parametrize("size", [8, 20, 60])
@pytest.mark.parametrize(("anchor", "top"), [("t", 0), ("m", 0.5), ("s", 1)])
def test_capitals_stand_where_their_anchor_says(size: int, anchor: str, top: float) -> None:
    rows = np.flatnonzero(drawn("H", size, f"l{anchor}").any(axis=1))
    assert rows[0] == pytest.approx(100 - top * capital(size), abs=1)
    assert rows[-1] + 1 - rows[0] == pytest.approx(capital(size), abs=1)


def test_an_outline_surrounds_the_letters_without_moving_them() -> None:
    image = Image.new("RGB", (200, 60), (90, 90, 90))
    write(ImageDraw.Draw(image), (20, 40), "AF", (255, 255, 255), 30, outline=(0, 0, 0))
    picture, plain = np.asarray(image)[..., 0], drawn("AF", 30, at=(20, 40))[:60, :200]
    np.testing.assert_array_equal(picture == 255, plain == 255)
    assert (picture == 0).any()
    assert (picture == 90).any()


@given(st.text(max_size=60), st.sampled_from([8, 21]), st.integers(-5, 400))
def test_a_text_never_takes_more_room_than_it_has(text: str, size: int, room: int) -> None:
    short = fit(text, size, room)
    assert width(short, size) <= max(room, 0)
    assert short == readable(text) or not short or ELLIPSIS in short


@given(st.text(max_size=60))
def test_what_is_readable_is_printable_and_stays_so(text: str) -> None:
    once = readable(text)
    assert readable(once) == once
    assert not [char for char in once if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def test_a_long_name_keeps_both_ends() -> None:
    short = fit("sub-01_task-rest_bundle-ArcuateLeft", 20, 150)
    assert short.startswith("sub-")
    assert short.endswith("Left")
    assert ELLIPSIS in short
    assert 130 < width(short, 20) <= 150, "no more is left out than must be"


def test_marks_stay_with_their_letters() -> None:
    text = "x\u0323\u0331" * 30
    short = fit(text, 20, 100)
    assert set(short.split(ELLIPSIS)) <= {"x\u0323\u0331" * count for count in range(1, 30)}


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\r\nb", "a\x1bb", "a\u202eb", "a\u2028b", "a\udcffb", "a\x00b"])
def test_nothing_breaks_or_turns_the_line(text: str) -> None:
    assert readable(text).replace(" ", "").replace("\N{REPLACEMENT CHARACTER}", "") == "ab"


def test_marks_dont_pile_up_into_other_lines() -> None:
    rows = np.flatnonzero(drawn("e" + "\u0301\u0323" * 40).any(axis=1))
    assert rows[0] > 100 - 1.5 * 20
    assert rows[-1] < 100 + 0.5 * 20


@pytest.mark.usefixtures("forgetful")
def test_without_another_font_text_is_spelled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fonts, "_FONTS", tmp_path)
    assert readable("sub-01 束 🧠🏽 é") == "sub-01 Shu :brain: é"
    assert readable("\U0003fffd") == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.usefixtures("forgetful")
def test_a_font_of_the_system_serves_only_for_what_ours_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "droid").mkdir()
    other = shutil.copy(fonts._main(), tmp_path / "droid" / "DroidSansFallback.ttf")
    monkeypatch.setattr(fonts, "_FONTS", tmp_path)
    all_of_it = fonts._characters(fonts._main())
    monkeypatch.setattr(
        fonts, "_characters", lambda path: all_of_it | {ord("束")} if path == Path(other) else all_of_it
    )
    assert readable("AF 束 שΩ") == "AF 束 שΩ"
    assert list(fonts._parts("AF 束 שΩ")) == [
        (fonts._main(), "AF "),
        (Path(other), "束"),
        (fonts._main(), " שΩ"),
    ]


@pytest.mark.usefixtures("forgetful")
def test_a_broken_font_of_the_system_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "DroidSansFallback.ttf").write_bytes(b"no font")
    monkeypatch.setattr(fonts, "_FONTS", tmp_path)
    assert readable("束") == "Shu"


@SHAPED
@pytest.mark.parametrize(("text", "seen"), [("AF אבג AF", "AF גבא AF"), ("אבג AF", "גבא AF")])
def test_hebrew_runs_from_the_right_within_a_line_that_runs_from_the_left(text: str, seen: str) -> None:
    font = ImageFont.truetype(fonts._main(), 20, layout_engine=ImageFont.Layout.BASIC)
    image = Image.new("L", (600, 200))
    ImageDraw.Draw(image).text((20, 100), seen, 255, font, "ls")
    assert np.abs(drawn(text, at=(20, 100)).astype(int) - np.asarray(image)).mean() < 0.2


@pytest.mark.usefixtures("forgetful")
def test_hebrew_is_spelled_where_it_couldnt_be_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_SHAPES", False)
    assert readable("קשת_L").isascii()


def test_latin_text_is_one_run_without_shaping() -> None:
    (run,) = fonts._line("Größe · 4 mm²…", 20).runs
    assert run.font.layout_engine == ImageFont.Layout.BASIC


def test_no_text_is_smaller_than_can_be_read() -> None:
    assert (points(2.0), points(20.4)) == (LEAST, 20)


def test_neither_matplotlib_nor_font_tools_is_loaded_for_latin_text() -> None:
    program = (
        "import sys; from tractcap.drawing.fonts import width; width('Größe · …', 20); "
        "print('matplotlib' in sys.modules, 'fontTools' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False"]


def test_lines_break_at_joints_and_the_last_is_shortened() -> None:
    text, room = "1,024 of 1,030 streamlines · mean 84.1 mm · on T1w.nii.gz", width("1,024 of 1,030 streamlines", 10)
    assert wrap(text, " · ", 10, room, 5) == text.split(" · ")
    assert wrap(text, " · ", 10, 2 * room, 5) == ["1,024 of 1,030 streamlines · mean 84.1 mm", "on T1w.nii.gz"]
    (only,) = wrap(text, " · ", 10, room, 1)
    assert only.startswith("1,0")
    assert only.endswith(".gz")
    assert wrap("", " ", 10, room, 5) == wrap(text, " ", 10, room, 0) == []
    assert all(width(line, 10) <= 60 for line in wrap("one " + "long" * 40 + " word", " ", 10, 60, 9))
