"""Animations, read again: every frame is there, in its colours and for its time; the same bytes come out each time."""

import hashlib
import io
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tractcap.drawing.animation import FORMATS, encode

Frames = list[NDArray[np.uint8]]

SIZE = 120


def turntable(count: int = 12, size: int = SIZE, background: tuple[int, int, int] = (0, 0, 0)) -> Frames:
    """Fine coloured lines that turn, from a generator that is always the same."""
    random = np.random.default_rng(0)
    wide = 4 * size
    angles, heights = random.uniform(0, 2 * np.pi, 40), random.uniform(0.1, 0.9, 40) * wide
    colors = random.integers(60, 256, (40, 3)).tolist()
    frames = []
    for turn in np.arange(count) * 2 * np.pi / count:
        image = Image.new("RGB", (wide, wide), background)
        for angle, height, color in zip(angles, heights, colors, strict=True):
            end = wide / 2 + 0.4 * wide * np.cos(angle + turn), height + wide / 10
            ImageDraw.Draw(image).line((wide / 2, height, *end), tuple(color), 8)
        frames.append(np.asarray(image.reduce(4)))
    return frames


def flat(color: tuple[int, int, int], rows: int = 32, columns: int = 32) -> NDArray[np.uint8]:
    return np.full((rows, columns, 3), color, np.uint8)


def written(frames: Sequence[NDArray[np.uint8]], kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    encode(frames, kind, file, **options)
    return file.getvalue()


def read(data: bytes, kind: str) -> tuple[NDArray[np.uint8], list[float]]:
    """The frames, and how many milliseconds each is shown."""
    return _read_mp4(data) if kind == "mp4" else _read_image(data)


def _read_image(data: bytes) -> tuple[NDArray[np.uint8], list[float]]:
    frames, times = [], []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
            times.append(image.info["duration"])
    return np.stack(frames), times


def _read_mp4(data: bytes) -> tuple[NDArray[np.uint8], list[float]]:
    with av.open(io.BytesIO(data)) as file:
        decoded = list(file.decode(video=0))
        times = [float(frame.duration * frame.time_base) * 1000 for frame in decoded]
        return np.stack([frame.to_ndarray(format="rgb24") for frame in decoded]), times


def boxes(data: bytes) -> list[str]:
    """An MP4's outer boxes in their order."""
    found, place = [], 0
    while place < len(data):
        found.append(data[place + 4 : place + 8].decode())
        place += int.from_bytes(data[place : place + 4], "big")
    return found


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255)])
@pytest.mark.parametrize(("kind", "most"), [("gif", 6), ("webp", 24), ("mp4", 24)])
def test_every_frame_comes_back(kind: str, most: float, background: tuple[int, int, int]) -> None:
    frames = turntable(background=background)
    found, times = read(written(frames, kind, milliseconds=80), kind)
    assert found.shape == (12, SIZE, SIZE, 3)
    assert times == pytest.approx([80] * 12)
    lines = (np.stack(frames) != background).any(axis=-1)
    for frame, again, lit in zip(frames, found, lines, strict=True):
        error = np.abs(again.astype(int) - frame)
        assert error[lit].mean(axis=0).max() < most, "where lines are, colours being at half the resolution"
        assert error.mean(axis=(0, 1)).max() < most / 3


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (51, 128, 204), (240, 200, 20)]
)
def test_a_plain_color_is_kept(kind: str, color: tuple[int, int, int]) -> None:
    found, _ = read(written([flat(color)] * 2, kind), kind)
    assert np.abs(found.astype(int) - color).max() <= (0 if kind == "gif" else 4)


@pytest.mark.parametrize("kind", FORMATS)
def test_frames_that_are_alike_all_stay(kind: str) -> None:
    one, other = turntable(2)
    for frames in ([one] * 6, [one, one, other, other, one, one]):
        found, times = read(written(frames, kind), kind)
        assert times == pytest.approx([80] * 6)
        for frame, again in zip(frames, found, strict=True):
            assert np.abs(again.astype(int) - frame).mean() < 6


@pytest.mark.parametrize("kind", FORMATS)
def test_a_single_frame_will_do(kind: str) -> None:
    assert len(read(written(turntable(1), kind), kind)[0]) == 1


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_it_loops_for_ever(kind: str) -> None:
    with Image.open(io.BytesIO(written(turntable(3), kind))) as image:
        assert image.is_animated
        assert image.info["loop"] == 0


@pytest.mark.parametrize(
    ("kind", "milliseconds", "shown"), [("gif", 47, 50), ("gif", 1, 10), ("webp", 47, 47), ("mp4", 47, 47)]
)
def test_other_times(kind: str, milliseconds: int, shown: int) -> None:
    _, times = read(written(turntable(3), kind, milliseconds=milliseconds), kind)
    assert times == pytest.approx([shown] * 3, abs=0.1)


@pytest.mark.parametrize(("rows", "columns"), [(31, 45), (32, 45), (31, 46), (1, 1)])
def test_odd_sizes(rows: int, columns: int) -> None:
    frame = np.ascontiguousarray(
        np.repeat(np.linspace(0, 255, columns).astype(np.uint8)[None, :, None], rows, 0).repeat(3, 2)
    )
    for kind in ("gif", "webp"):
        assert read(written([frame] * 2, kind), kind)[0].shape == (2, rows, columns, 3)
    found = read(written([frame] * 2, "mp4"), "mp4")[0]
    assert found.shape == (2, rows + rows % 2, columns + columns % 2, 3)
    padded = np.pad(frame, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    assert np.abs(found.astype(int) - padded).max() < 16, "nothing is cropped, moved or scaled"


def test_a_gif_keeps_its_background_and_has_one_palette() -> None:
    frames = turntable(background=(13, 17, 23))
    found = read(written(frames, "gif"), "gif")[0]
    background = (np.stack(frames) == (13, 17, 23)).all(axis=-1)
    assert (found[background] == (13, 17, 23)).all()
    colors = np.unique(found.reshape(-1, 3), axis=0)
    assert 200 < len(colors) < 256, "one palette, well used: others would flicker"


def test_few_colors_of_a_gif_are_exact() -> None:
    frames = [flat((255, 255, 255)), flat((200, 10, 30)), flat((0, 0, 255))]
    frames[1][4:9] = (1, 2, 3)
    assert (read(written(frames, "gif"), "gif")[0] == np.stack(frames)).all()


def test_an_mp4_is_what_browsers_play() -> None:
    data = written(turntable(), "mp4")
    order = boxes(data)
    assert order.index("moov") < order.index("mdat"), "it starts before it is loaded"
    with av.open(io.BytesIO(data)) as file:
        context = file.streams.video[0].codec_context
        next(file.decode(video=0))
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        tags = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
        assert tags == (1, 1, 1, 1), "limited range, BT.709"
        assert file.streams.video[0].average_rate == 12.5
        assert file.streams.video[0].frames == 12


def test_an_mp4_is_written_by_one_thread() -> None:
    assert b" threads=1 lookahead_threads=1 " in written(turntable(1, 400), "mp4")


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_each_pixel_counts_for_the_colors_of_an_mp4(place: tuple[int, int]) -> None:
    frame = flat((128, 128, 128), 64, 64)
    frame[place[0] :: 2, place[1] :: 2] = (228, 98, 28)
    (found,), _ = read(written([frame], "mp4"), "mp4")
    assert found.mean(axis=(0, 1)) == pytest.approx((153, 120.5, 103), abs=3)


@pytest.mark.parametrize("count", [1, 700])
def test_the_table_of_contents_has_room(count: int) -> None:
    frames = [flat((number % 256, 0, 0), 16, 16) for number in range(count)]
    data = written(frames, "mp4", title="é" * 3000, software="x" * 3000)
    assert len(read(data, "mp4")[0]) == count
    assert boxes(data).index("moov") < boxes(data).index("mdat")


def test_the_same_frames_give_the_same_bytes() -> None:
    here = {kind: hashlib.sha256(written(turntable(), kind, title="a", software="b")).hexdigest() for kind in FORMATS}
    program = f"""
import os, sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; sys.path += {sys.path!r}
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
from test_animation import *
print({{kind: hashlib.sha256(written(turntable(), kind, title="a", software="b")).hexdigest() for kind in FORMATS}})
"""
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert elsewhere.strip() == str(here)


@pytest.mark.parametrize("title", ["Fornix – é <&>", "a\x01b\udcff", "long " * 200])
def test_texts_are_kept(title: str) -> None:
    plain = title.replace("\x01", " ").replace("\udcff", "\\udcff")
    frames = turntable(2)
    with Image.open(io.BytesIO(written(frames, "gif", title=title, software="tractcap 1"))) as image:
        assert image.info["comment"].decode() == f"{plain}\ntractcap 1"
    with Image.open(io.BytesIO(written(frames, "webp", title=title, software="tractcap 1"))) as image:
        texts = [element.text for element in ElementTree.fromstring(image.info["xmp"]).iter() if element.text]
        assert texts == [plain, "tractcap 1"]
    with av.open(io.BytesIO(written(frames, "mp4", title=title, software="tractcap 1"))) as file:
        assert (file.metadata["title"], file.metadata["comment"]) == (plain, "tractcap 1")


class FullDisk(io.BytesIO):
    """Holds 600 bytes."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.tell() + len(data) > 600:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_says_so(kind: str) -> None:
    with pytest.raises(OSError, match="No space left"):
        encode(turntable(), kind, FullDisk())


def test_too_little_memory_says_so() -> None:
    program = """
import io, resource, numpy as np, av
from tractcap.drawing.animation import encode
frames = [np.zeros((1000, 1000, 3), np.uint8)] * 3
held = int(next(line for line in open('/proc/self/status') if line.startswith('VmData')).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (held + 20 * 2**20,) * 2)
try:
    encode(frames, "mp4", io.BytesIO())
except MemoryError:
    print("so it is")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "so it is\n"


@pytest.mark.parametrize(
    ("frames", "kind", "milliseconds", "message"),
    [
        ([flat((0, 0, 0))], "avi", 80, "'avi'.*gif, webp, mp4"),
        ([], "gif", 80, "at least one frame"),
        ([], "mp4", 80, "at least one frame"),
        ([flat((0, 0, 0)), flat((0, 0, 0), 16)], "webp", 80, "all the same"),
        ([np.zeros((8, 8), np.uint8)], "gif", 80, "rows, columns, 3"),
        ([flat((0, 0, 0))], "gif", 0, "0 ms"),
    ],
)
def test_what_is_no_animation_is_refused(frames: Frames, kind: str, milliseconds: int, message: str) -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match=message):
        encode(frames, kind, file, milliseconds=milliseconds)
    assert not file.getvalue()


def test_importing_it_loads_nothing_heavy() -> None:
    program = "import sys, tractcap.drawing.animation; print(*{'av', 'PIL'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"


def test_memory_doesnt_grow_with_the_number_of_frames() -> None:
    grown = {}
    for kind in FORMATS:
        for count in (32, 128):  # as many pixels to choose a palette from
            frames = turntable(2, 300) * (count // 2)
            tracemalloc.start()
            encode(frames, kind, Nowhere())
            grown[kind, count] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    for kind in FORMATS:
        assert grown[kind, 128] < grown[kind, 32] + 300 * 300


class Nowhere(io.BytesIO):
    """Forgets what is written, but knows how much it was."""

    place = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.place += len(data)
        return len(data)

    def tell(self) -> int:
        return self.place

    def seek(self, place: int, whence: int = 0) -> int:
        self.place = place
        return place
