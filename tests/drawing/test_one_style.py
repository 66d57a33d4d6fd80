"""A bundle looks alike in everyone: how many streamlines it has, and what the header says of that, decide nothing."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import phantoms
import pytest
from scenes import drawn, rest

from tractcap.drawing.views import Frame

FRAME = Frame((-90, -120, -70), (90, 80, 110))


def arch(count: int) -> phantoms.Streamlines:
    """The first so many of a bundle's streamlines, each of which has its place by chance."""
    random, t = np.random.default_rng(5), np.linspace(0, np.pi, 60)
    base = np.stack([-30 + 0 * t, 40 * np.cos(t), 35 * np.sin(t)], axis=1)
    return [(base * random.normal(1, 0.1) + random.normal(0, 5, 3)).astype(np.float32) for _ in range(count)]


def seen(folder: Path, count: int) -> tuple[float, float]:
    """The share of pixels that a bundle covers, and how bright these are, over all views."""
    pictures = drawn(phantoms.raw_tck(folder / f"{count}.tck", arch(count)), FRAME, size=400)
    pixels = np.concatenate([one.reshape(-1, 3) for one in pictures.values()]).max(axis=1)
    return (pixels > 0).mean(), pixels[pixels > 0].mean()


@pytest.mark.parametrize(("fewer", "more"), [(99, 101), (297, 303), (990, 1010), (2970, 3030)])
def test_some_streamlines_more_or_less_make_no_difference_that_is_seen(tmp_path: Path, fewer: int, more: int) -> None:
    for one, other in zip(seen(tmp_path, fewer), seen(tmp_path, more), strict=True):
        assert one == pytest.approx(other, rel=0.02)


def _trk_without_count(path: Path, streamlines: phantoms.Streamlines) -> None:
    raw = bytearray(phantoms.save(path, streamlines).read_bytes())
    raw[988:992] = struct.pack("<i", 0)
    path.write_bytes(raw)


def _tck_without_count(path: Path, streamlines: phantoms.Streamlines) -> None:
    raw = phantoms.save(path, streamlines).read_bytes()
    assert b"\ncount: " in raw
    path.write_bytes(raw.replace(b"\ncount: ", b"\nother: ", 1))


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("with.tck", phantoms.save),
        ("without.tck", _tck_without_count),
        ("without.trk", _trk_without_count),
        ("binary.vtk", phantoms.save),
        ("appended.vtp", phantoms.save),
        ("small.trk.gz", phantoms.save),
        ("small.trx", phantoms.save),
    ],
)
def test_what_a_header_says_of_the_number_changes_no_pixel(
    tmp_path: Path, name: str, save: Callable[[Path, phantoms.Streamlines], object]
) -> None:
    """Whole numbers, which every format and transform keeps exactly."""
    streamlines = [np.round(one) for one in arch(60)]
    save(tmp_path / name, streamlines)
    expected = drawn(phantoms.save(tmp_path / "plain.trk", streamlines), FRAME)
    for view, picture in drawn(tmp_path / name, FRAME).items():
        np.testing.assert_array_equal(picture, expected[view], view)


@pytest.mark.parametrize(("size", "wide"), [(100, 2), (480, 2), (800, 3), (1120, 4)])
def test_streamlines_are_as_wide_in_every_frame(tmp_path: Path, size: int, wide: int) -> None:
    """OpenGL draws whole samples: frames of almost the same size must not fall on both sides of a rounding."""
    path = phantoms.raw_tck(tmp_path / "a.tck", [np.linspace([-50, 0, 20], [50, 0, 20], 9, dtype=np.float32)])
    for extent in (180, 204.3, 209.8, 215.3, 215.4):
        frame = Frame((-extent / 2,) * 3, (extent / 2,) * 3)
        picture = rest(path, frame, views=("anterior",), size=size, sampling=1)
        assert picture[:, size // 2].any(axis=1).sum() == wide, extent
