"""Colours of points that stand for no values: one for all, or those of directions."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import StreamlineCounts, drawable, tangents, unit
from tractcap.inputs.tractograms import Chunk, Tractogram


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
    return _directions(tangents(points, offsets))


def _directions(along: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The colours (N, 3) of directions (3, N)."""
    return np.ascontiguousarray((np.abs(along) * np.float32(255) + np.float32(0.5)).astype(np.uint8).T)


class EndToEnd:
    """Colours each streamline by the direction from its first to its last point.

    A streamline longer than a chunk ends in another one: the file is read first for the ends of such.
    """

    def __init__(self, tractogram: Tractogram, max_points: int) -> None:
        self._chords = _long_chords(tractogram, max_points)
        self._chord = np.zeros(3, np.float32)

    def colors(self, chunk: Chunk) -> NDArray[np.uint8]:
        """(N, 3) uint8 RGB. Chunks must come one after the other, as :meth:`Tractogram.chunks` yields them."""
        chords = chunk.points[chunk.offsets[1:] - 1] - chunk.points[chunk.offsets[:-1]]
        if chunk.tail and not chunk.head:
            self._chord = next(self._chords, chords[-1])
        if chunk.head:
            chords[0] = self._chord
        if chunk.tail:
            chords[-1] = self._chord
        return np.repeat(_directions(unit(chords.T)), np.diff(chunk.offsets), axis=0)


def _long_chords(tractogram: Tractogram, max_points: int) -> Iterator[NDArray[np.float32]]:
    """From end to end of each streamline that is cut, in the file's order."""
    begin = np.zeros(3, np.float32)
    found = []
    for chunk in tractogram.chunks(max_points):
        kept = drawable(chunk, StreamlineCounts())
        if len(kept.points) and kept.tail and not kept.head:
            begin = kept.points[kept.offsets[-2]].copy()
        if len(kept.points) and kept.head and not kept.tail:
            found.append(kept.points[kept.offsets[1] - 1] - begin)
    return iter(found)
