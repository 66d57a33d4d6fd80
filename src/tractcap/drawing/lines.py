"""Streamlines as lines that can be drawn."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing import data
from tractcap.drawing.colors import local_direction, one_color
from tractcap.drawing.data import Scale
from tractcap.drawing.palette import Color
from tractcap.inputs.tractograms.chunks import Chunk

FARTHEST = 10_000.0
"""mm from the origin; no scanner holds a point beyond ten metres."""

TOO_SHORT = "with fewer than two points"
NOT_FINITE = "with points that are not finite or more than 10 m away"


@dataclass
class Tally:
    """How many streamlines there were, and how many of them were left out, by reason."""

    streamlines: int = 0
    points: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def drawn(self) -> int:
        """Streamlines that are in the picture."""
        return self.streamlines - self.left_out.total()


@dataclass(frozen=True)
class Lines:
    """What a canvas draws: ``points`` (N, 3) float32 in RAS+ mm, ``colors`` (N, 3) uint8, and each line's points.

    ``order[offsets[i]:offsets[i + 1]]`` numbers the points of the i-th line; both are int64.
    """

    points: NDArray[np.float32]
    colors: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    order: NDArray[np.int64]


def drawable(chunk: Chunk, tally: Tally) -> Chunk:
    """Leave out the streamlines of a chunk that can't be drawn, and count all of them into ``tally``."""
    lengths = np.diff(chunk.offsets)
    bad = _bad(chunk)
    short = (lengths < 2) & ~bad
    tally.streamlines += chunk.started
    tally.points += len(chunk.points[chunk.new])
    tally.left_out += Counter({NOT_FINITE: int(bad.sum()), TOO_SHORT: int(short.sum())})
    return chunk if not (bad | short).any() else _keep(chunk, ~(bad | short), lengths)


def _bad(chunk: Chunk) -> NDArray[np.bool_]:
    """Which streamlines have a point that is not finite or too far away, (S,)."""
    flat = chunk.points.reshape(-1)
    # nearly always none has: two sweeps over the plain array tell, and what is not a number fails both
    if not len(flat) or (flat.min() >= -FARTHEST and flat.max() <= FARTHEST):
        return np.zeros(len(chunk.offsets) - 1, bool)
    far = ~(np.abs(chunk.points) <= FARTHEST).all(axis=1)
    return np.diff(np.concatenate([[0], np.cumsum(far)])[chunk.offsets]) > 0


def _keep(chunk: Chunk, keep: NDArray[np.bool_], lengths: NDArray[np.int64]) -> Chunk:
    inside = np.repeat(keep, lengths)
    return Chunk(
        chunk.points[inside],
        np.concatenate([[0], np.cumsum(lengths[keep])]),
        {name: values[inside] for name, values in chunk.per_point.items()},
        {name: values[keep] for name, values in chunk.per_streamline.items()},
        head=chunk.head and bool(keep[0]),
        tail=chunk.tail and bool(keep[-1]),
    )


def lines(chunk: Chunk, color: Color | Scale | None = None) -> Lines:
    """Lines of a chunk of drawable streamlines; its context points colour their neighbours but are not drawn.

    ``color`` is that of all points, a scale for the file's own data, or None for the colours of local directions.
    """
    count = len(chunk.points)
    offsets = chunk.offsets - chunk.head
    offsets[0] = 0
    offsets[-1] -= chunk.tail
    order = np.arange(int(chunk.head), count - chunk.tail)
    return Lines(np.ascontiguousarray(chunk.points), _colors(chunk, color), offsets, order)


def _colors(chunk: Chunk, color: Color | Scale | None) -> NDArray[np.uint8]:
    if isinstance(color, Scale):
        return data.colors(data.values(chunk, color.name), color)
    return one_color(chunk.points, color) if color else local_direction(chunk.points, chunk.offsets)
