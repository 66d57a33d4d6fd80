"""PNGs are what others read, whatever the picture."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOImage import vtkPNGReader

from tractcap.drawing.png import write_png


def lines(width: int, height: int) -> Image.Image:
    """Lines of all directions on black."""
    image, random = Image.new("RGB", (width, height)), np.random.default_rng(0)
    pen = ImageDraw.Draw(image)
    for _ in range(40):
        ends = [*random.integers(0, width, 2), *random.integers(0, height, 2)]
        pen.line([int(ends[at]) for at in (0, 2, 1, 3)], tuple(map(int, random.integers(0, 256, 3))), 3)
    return image


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8))


def ramp(width: int, height: int) -> Image.Image:
    """From left to right, which another filter tells best than what falls from the top."""
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([columns % 256, 3 * columns % 256, rows // 2 % 256], -1).astype(np.uint8))


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (200, 64), (64, 129)])
@pytest.mark.parametrize("picture", [lines, noise, ramp])
def test_two_other_readers_see_the_same_pixels(
    tmp_path: Path, picture: Callable[[int, int], Image.Image], size: tuple[int, int], runs: bool
) -> None:
    image, path = picture(*size), tmp_path / "a.png"
    with path.open("wb") as file:
        write_png(file, image, runs=runs)
    with Image.open(path) as read:
        read.load()
        assert (read.mode, np.asarray(read).tolist()) == ("RGB", np.asarray(image).tolist())
    reader = vtkPNGReader()
    reader.SetFileName(str(path))
    reader.Update()
    found = vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars()).reshape(size[1], size[0], 3)[::-1]
    assert found.tolist() == np.asarray(image).tolist()


def test_texts_and_resolution_are_read_by_others() -> None:
    texts = {"Title": "Faisceau arqué, 束", "Source": "a\nb"}
    file = io.BytesIO()
    write_png(file, lines(50, 50), texts, pixels_per_mm=4.0)
    read = Image.open(file)
    read.load()
    assert read.text == texts
    assert read.info["dpi"] == pytest.approx((101.6, 101.6))


def test_a_picture_of_lines_takes_hardly_more_bytes_than_with_five_filters() -> None:
    image, ours, theirs = lines(800, 800), io.BytesIO(), io.BytesIO()
    write_png(ours, image, runs=True)
    image.save(theirs, "PNG", compress_type=Image.RLE)
    assert ours.tell() <= 1.06 * theirs.tell()
