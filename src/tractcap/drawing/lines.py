"""Streamlines as lines that can be drawn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.chunks import Chunk

FARTHEST = 10_000.0
"""mm from the origin; no scanner holds a point beyond ten metres."""

QUANTA = 4096
"""To a mm, of the sums of lengths."""

TOO_SHORT = "with fewer than two points"
NOT_FINITE = "with points that are not finite or more than 10 m away"


@dataclass
class Tally:
    """How many streamlines there were, and how many of them were left out, by reason.

    ``outside`` counts the points outside the reference image, ``beyond`` the streamlines that pictures don't show
    whole, of which the ``farthest`` reaches so many mm out of them. ``quanta`` adds up lengths, in 1/4096 mm: whole
    numbers, since their sum must be the same whatever the chunks.
    """

    streamlines: int = 0
    points: int = 0
    outside: int = 0
    beyond: int = 0
    farthest: float = 0.0
    quanta: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Take in what another has counted."""
        farthest = max(self.farthest, other.farthest)
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        self.farthest = farthest

    @property
    def drawn(self) -> int:
        """Streamlines that are in the picture."""
        return self.streamlines - self.left_out.total()

    @property
    def mean_length(self) -> float:
        """Of the streamlines that are in the picture, in mm."""
        return self.quanta / QUANTA / max(1, self.drawn)


@dataclass(frozen=True)
class Lines:
    """What a canvas draws: ``points`` (N, 3) float32 in RAS+ mm, ``colors`` (N, 3) uint8.

    ``points[offsets[i]:offsets[i + 1]]`` is the i-th line; ``offsets`` are int64.
    """

    points: NDArray[np.float32]
    colors: NDArray[np.uint8]
    offsets: NDArray[np.int64]


def drawable(chunk: Chunk, tally: Tally) -> Chunk:
    """Leave out the streamlines of a chunk that can't be drawn, and count all of them into ``tally``."""
    lengths = np.diff(chunk.offsets)
    bad = _bad(chunk)
    short = (lengths < 2) & ~bad
    tally.streamlines += chunk.started
    tally.points += len(chunk.points[chunk.new])
    tally.left_out += Counter({NOT_FINITE: int(bad.sum()), TOO_SHORT: int(short.sum())})
    kept = chunk if not (bad | short).any() else _keep(chunk, ~(bad | short), lengths)
    if len(kept.points):
        tally.quanta += int(quanta(kept).sum())
    return kept


def quanta(chunk: Chunk) -> NDArray[np.int64]:
    """The length of what is drawn of each of a chunk's streamlines, (S,), in 1/4096 mm."""
    across = np.diff(chunk.points, axis=0)
    across[chunk.offsets[1:-1] - 1] = 0
    first, last = int(chunk.head), len(across) - chunk.tail
    x, y, z = across[first:last].T
    each = np.rint(np.sqrt(x * x + y * y + z * z) * np.float32(QUANTA)).astype(np.int64)
    upto = np.concatenate([np.zeros(first + 1, np.int64), np.cumsum(each)])
    ends = np.minimum(chunk.offsets[1:] - 1, last)
    return np.diff(np.concatenate([[0], upto[ends]]))


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


def lines(chunk: Chunk, colors: NDArray[np.uint8]) -> Lines:
    """Lines of a chunk of drawable streamlines, with a colour (N, 3) for each of its points.

    Its context points are not drawn.
    """
    drawn = slice(int(chunk.head), len(chunk.points) - chunk.tail)
    offsets = chunk.offsets - drawn.start
    offsets[0], offsets[-1] = 0, drawn.stop - drawn.start
    return Lines(np.ascontiguousarray(chunk.points[drawn]), np.ascontiguousarray(colors[drawn]), offsets)


def joined(several: Sequence[Lines]) -> Lines:
    """All of them, one after the other."""
    begins = np.cumsum([0, *(len(one.points) for one in several)])
    offsets = [one.offsets[:-1] + begin for one, begin in zip(several, begins, strict=False)]
    return Lines(
        np.concatenate([one.points for one in several]),
        np.concatenate([one.colors for one in several]),
        np.concatenate([*offsets, begins[-1:]]),
    )


MOST_PARTS = 8
"""Parts that a segment of a tube is bent from at most."""


def rounded(chunk: Chunk, colors: NDArray[np.uint8], step: float) -> Lines:
    """Lines through the same points that bend evenly, as tubes need it: their joints would show.

    Each segment becomes a cubic from point to point (Catmull and Rom, 1974), in parts of about ``step`` mm, no more
    than ``MOST_PARTS``.
    """
    plain = lines(chunk, colors)
    last = np.zeros(len(plain.points), bool)
    last[plain.offsets[1:] - 1] = True
    begin = np.arange(len(last)) + chunk.head  # of each segment; the last of a line is its last point alone
    end = np.where(last, begin, begin + 1)
    edge = np.zeros(len(chunk.points), bool)
    edge[chunk.offsets[:-1]] = True
    before = np.where(edge[begin], begin, begin - 1)
    edge[:] = False
    edge[chunk.offsets[1:] - 1] = True
    after = np.where(edge[end], end, end + 1)
    parts = _parts(chunk.points[end] - chunk.points[begin], step)
    place = np.repeat(np.cumsum(parts) - parts, parts)
    share = ((np.arange(len(place)) - place) / np.repeat(parts, parts)).astype(np.float32)[:, None]
    four = [np.repeat(chunk.points[at], parts, axis=0) for at in (before, begin, end, after)]
    two = [np.repeat(colors[at].astype(np.float32), parts, axis=0) for at in (begin, end)]
    mixed = (two[0] + share * (two[1] - two[0]) + np.float32(0.5)).astype(np.uint8)
    offsets = np.concatenate([[0], np.cumsum(parts)])[plain.offsets]
    return Lines(_cubic(four[0], four[1], four[2], four[3], share), mixed, offsets)


def _parts(across: NDArray[np.float32], step: float) -> NDArray[np.int64]:
    x, y, z = across.T
    parts = np.ceil(np.sqrt(x * x + y * y + z * z) / np.float32(step))
    whole: NDArray[np.int64] = np.clip(parts, 1, MOST_PARTS).astype(np.int64)
    return whole


def _cubic(
    before: NDArray[np.float32],
    begin: NDArray[np.float32],
    end: NDArray[np.float32],
    after: NDArray[np.float32],
    share: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Points between ``begin`` and ``end``, each (N, 3), at a share (N, 1) from 0 to 1 of the way."""
    leave, arrive = (end - before) / 2, (after - begin) / 2
    bend, turn = begin - end, leave + arrive
    points = begin + share * (leave + share * (-3 * bend - leave - turn + share * (2 * bend + turn)))
    return points.astype(np.float32, copy=False)
