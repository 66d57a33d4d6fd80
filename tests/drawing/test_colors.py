"""Known directions have exactly known colours."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tractcap.drawing.colors import direction_colors
from tractcap.drawing.lines import tangents
from tractcap.inputs.tractograms.chunks import Chunk


def local_direction(points: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    return direction_colors(tangents(Chunk(points, offsets)))


@pytest.mark.parametrize(
    ("direction", "color"),
    [
        ((1, 0, 0), (255, 0, 0)),
        ((0, -3, 0), (0, 255, 0)),
        ((0, 0, 0.001), (0, 0, 255)),
        ((1, -1, 0), (180, 180, 0)),
        ((-1, 1, 1), (147, 147, 147)),
    ],
)
def test_straight_lines(direction: tuple[float, ...], color: tuple[int, ...]) -> None:
    points = np.outer(np.arange(5), direction).astype(np.float32)
    assert (local_direction(points, np.array([0, 5])) == color).all()


def test_each_streamline_has_its_own_ends() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [9, 9, 9], [9, 10, 9], [9, 10, 11]], np.float32)
    colors = local_direction(points, np.array([0, 2, 5]))
    half = np.abs(np.array([0, 1, 2]) / np.sqrt(5) * 255 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(colors, [[255, 0, 0], [255, 0, 0], [0, 255, 0], half, [0, 0, 255]])


def test_points_that_coincide_are_black() -> None:
    assert not local_direction(np.ones((3, 3), np.float32), np.array([0, 3])).any()
