"""Colours of points."""

import numpy as np
from numpy.typing import NDArray


def one_color(points: NDArray[np.float32], color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The same colour, (N, 3) uint8 RGB, for all points."""
    return np.broadcast_to(np.array(color, np.uint8), points.shape).copy()


def local_direction(points: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Colour each point by its streamline's tangent: red for left-right, green for front-back, blue for up-down.

    The usual colouring of directions (Pajevic and Pierpaoli, Magn Reson Med 42:526, 1999): the absolute
    components of the unit tangent, here the chord between a point's neighbours.

    Parameters
    ----------
    points : (N, 3) float32, RAS+ mm, streamline after streamline.
    offsets : (S + 1,) where each begins; every streamline has two points or more.

    Returns
    -------
    (N, 3) uint8 RGB. A point whose neighbours coincide is black.
    """
    tangents = np.empty_like(points)
    tangents[1:-1] = points[2:] - points[:-2]
    first, last = offsets[:-1], offsets[1:] - 1
    tangents[first] = points[first + 1] - points[first]
    tangents[last] = points[last] - points[last - 1]
    np.abs(tangents, out=tangents)
    # component by component, in a fixed order: the sum must round alike in every chunk
    x, y, z = tangents.T
    length = np.sqrt(x * x + y * y + z * z)
    length[length == 0] = 1
    tangents *= (255 / length)[:, None]
    return (tangents + np.float32(0.5)).astype(np.uint8)
