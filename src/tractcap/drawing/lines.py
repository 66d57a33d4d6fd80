"""Streamlines as lines that can be drawn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.chunks import Chunk

FARTHEST = 10_000.0
"""mm from the origin; no scanner holds a point beyond ten metres."""

QUANTA = 4096
"""Lengths are summed up in whole numbers of so many to a mm."""

TOO_SHORT = "with fewer than two points"
NOT_FINITE = "with points that are not finite or more than 10 m away"


@dataclass
class StreamlineCounts:
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

    def add(self, other: "StreamlineCounts") -> None:
        """Take in what another has counted."""
        farthest = max(self.farthest, other.farthest)
        for counted in fields(self):
            setattr(self, counted.name, getattr(self, counted.name) + getattr(other, counted.name))
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
class DrawableLines:
    """What a canvas draws: ``points`` (N, 3) float32 in RAS+ mm, ``colors`` (N, 3) uint8, ``tangents`` (N, 3) int8.

    ``points[offsets[i]:offsets[i + 1]]`` is the i-th line; ``offsets`` are int64. Tangents are 127 long, or
    0 where light changes no colour.
    """

    points: NDArray[np.float32]
    colors: NDArray[np.uint8]
    tangents: NDArray[np.int8]
    offsets: NDArray[np.int64]

    def of(self, points: NDArray[np.int64], offsets: NDArray[np.int64]) -> "DrawableLines":
        """The lines of the points of these numbers, with these offsets."""
        return DrawableLines(  # several times as fast as by brackets
            self.points.take(points, axis=0),
            self.colors.take(points, axis=0),
            self.tangents.take(points, axis=0),
            offsets,
        )


def drawable(chunk: Chunk, tally: StreamlineCounts) -> Chunk:
    """Leave out the streamlines of a chunk that can't be drawn, and count all of them into ``tally``."""
    lengths = np.diff(chunk.offsets)
    flat = chunk.points.reshape(-1)
    # nearly always all is well: two sweeps over the plain array tell, and what is not a number fails both
    if not len(flat) or (flat.min() >= -FARTHEST and flat.max() <= FARTHEST):
        bad = np.zeros(len(lengths), bool)
    else:
        far = ~(np.abs(chunk.points) <= FARTHEST).all(axis=1)
        bad = np.diff(np.concatenate([[0], np.cumsum(far)])[chunk.offsets]) > 0
    short = (lengths < 2) & ~bad
    tally.streamlines += chunk.started
    tally.points += len(chunk.points[chunk.new])
    tally.left_out += Counter({NOT_FINITE: int(bad.sum()), TOO_SHORT: int(short.sum())})
    keep = ~(bad | short)
    if not keep.all():
        inside = np.repeat(keep, lengths)
        chunk = Chunk(
            chunk.points[inside],
            np.concatenate([[0], np.cumsum(lengths[keep])]),
            {name: values[inside] for name, values in chunk.per_point.items()},
            {name: values[keep] for name, values in chunk.per_streamline.items()},
            head=chunk.head and bool(keep[0]),
            tail=chunk.tail and bool(keep[-1]),
        )
    return chunk


def quanta(chunk: Chunk) -> NDArray[np.int64]:
    """The length of what is drawn of each of a chunk's streamlines, (S,), in 1/4096 mm."""
    first, last = int(chunk.head), len(chunk.points) - 1 - chunk.tail
    lengths = np.rint(np.sqrt(_squared(chunk.steps[:, first:last])) * np.float32(QUANTA)).astype(np.int64)
    upto = np.concatenate([np.zeros(first + 1, np.int64), np.cumsum(lengths)])
    ends = np.minimum(chunk.offsets[1:] - 1, last)
    return np.diff(np.concatenate([[0], upto[ends]]))


def joined(several: Sequence[DrawableLines]) -> DrawableLines:
    """All of them, one after the other."""
    begins = np.cumsum([0, *(len(lines.points) for lines in several)])
    offsets = [lines.offsets[:-1] + begin for lines, begin in zip(several, begins, strict=False)]
    return DrawableLines(
        np.concatenate([lines.points for lines in several]),
        np.concatenate([lines.colors for lines in several]),
        np.concatenate([lines.tangents for lines in several]),
        np.concatenate([*offsets, begins[-1:]]),
    )


def tangents(chunk: Chunk) -> NDArray[np.float32]:
    """Each point's direction along its streamline: from the point before it to the one after it, as far as there are.

    Parameters
    ----------
    chunk : every streamline has two points or more.

    Returns
    -------
    (3, N), one mm long, or 0 where both neighbours coincide.
    """
    places = chunk.columns
    chords = np.empty_like(places)
    np.subtract(places[:, 2:], places[:, :-2], out=chords[:, 1:-1])
    first, last = chunk.offsets[:-1], chunk.offsets[1:] - 1
    chords[:, first] = places[:, first + 1] - places[:, first]
    chords[:, last] = places[:, last] - places[:, last - 1]
    return unit(chords)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same directions (3, N), one long, but for those of no length."""
    length = np.sqrt(_squared(vectors))
    length[length == 0] = 1
    return np.divide(vectors, length, dtype=np.float32)


def _squared(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y, z = vectors  # in a fixed order: the sum must round alike in every chunk
    total: NDArray[np.float32] = x * x + y * y + z * z
    return total


MOST_PARTS = 8
"""Parts that a segment is bent from at most."""


def parts_by_corner(chunk: Chunk, along: NDArray[np.float32], tolerance: float) -> NDArray[np.int64]:
    """How many parts each segment must be bent from, so that nobody sees corners.

    Parameters
    ----------
    along : the chunk's :func:`tangents`. tolerance : mm that a part may deviate from the curve, about.

    Returns
    -------
    (N,) for the segment that begins at each point; 1 at each streamline's last.
    """
    across, _ = _bends(chunk, along)
    limit = np.float32(4 * tolerance)  # the curve, see _bent, gets a quarter as far
    parts = np.ones(len(chunk.points), np.int64)
    (bent,) = np.nonzero(across > limit * limit)
    # N parts deviate by N² less
    parts[bent] = np.minimum(np.ceil(np.sqrt(np.sqrt(across[bent]) / limit)), MOST_PARTS)
    return parts


def parts_by_length(chunk: Chunk, step: float) -> NDArray[np.int64]:
    """Like :func:`parts_by_corner`, but parts of about ``step`` mm, for tubes: their joints would show."""
    parts = np.ones(len(chunk.points), np.int64)
    lengths = np.sqrt(_squared(np.diff(chunk.columns)))
    parts[:-1] = np.clip(np.ceil(lengths / np.float32(step)), 1, MOST_PARTS)
    parts[chunk.offsets[1:] - 1] = 1
    return parts


def parts_by_turn(chunk: Chunk, along: NDArray[np.float32], step: float, most: float) -> NDArray[np.int64]:
    """Like :func:`parts_by_length`, but no more parts than it takes for joints that turn by ``most`` radians."""
    across, length = _bends(chunk, along)
    turn = 2 * np.sqrt(across / np.where(length > 0, length, 1))  # of an arc, whose tangents leave the chord alike
    parts = parts_by_length(chunk, step)
    parts[:-1] = np.clip(np.ceil(turn / np.float32(most)), 1, parts[:-1])
    return parts


def _bends(chunk: Chunk, along: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each segment, (N - 1,), how far the tangents at its ends lead across it at most, and its length: both squared.

    The way from one streamline to the next counts as straight.
    """
    x, y, z = segments = np.diff(chunk.columns)
    across, length = np.zeros(len(x), np.float32), _squared(segments)
    for u, v, w in (along[:, :-1], along[:, 1:]):
        leads = np.array((y * w - z * v, z * u - x * w, x * v - y * u))
        np.maximum(across, _squared(leads), out=across)
    across[chunk.offsets[1:-1] - 1] = 0
    return across, length


def lines(
    chunk: Chunk,
    colors: NDArray[np.uint8],
    along: NDArray[np.float32],
    parts: NDArray[np.int64],
    most: int,
    *,
    lit: bool,
) -> Iterator[DrawableLines]:
    """Lines of a chunk of drawable streamlines; its context points are not drawn.

    Parameters
    ----------
    colors : (N, 3) of its points. along : its :func:`tangents`.
    parts : (N,) from how many parts the segment that begins at each point is bent.
    most : points at a time; a few more where segments have many parts.
    lit : whether light shall fall on them.
    """
    directions = np.ascontiguousarray(np.rint(along * np.float32(127 * lit)).astype(np.int8).T)
    upto = np.cumsum(parts)
    first, last = int(chunk.head), len(parts) - chunk.tail
    while first < last:
        fits = int(np.searchsorted(upto, upto[first] - parts[first] + most, side="right"))
        stop = min(last, max(fits, first + 2))
        offsets = np.unique(np.clip(chunk.offsets, first, stop)) - first
        part = slice(first, stop)
        straight = DrawableLines(chunk.points[part], colors[part], directions[part], offsets)
        yield _bent(straight, along[:, part], parts[part])
        first = stop if stop == last or stop in chunk.offsets else stop - 1


def _bent(straight: DrawableLines, along: NDArray[np.float32], parts: NDArray[np.int64]) -> DrawableLines:
    """Lines of which each segment is bent from so many parts.

    The curve is a cubic that leaves and arrives by the tangents, as Catmull and Rom's (1974); these are as long as the
    segment, so that uneven steps make no loops.
    """
    last = len(parts) - 1
    begins = np.concatenate([[0], np.cumsum(parts[:-1])])
    if begins[-1] == last:
        return straight
    at = np.repeat(np.arange(last), parts[:-1])
    place = np.arange(len(at)) - begins[at]
    (between,) = np.nonzero(place)
    begin = at[between]
    share = (place[between] / parts[begin]).astype(np.float32)[:, None]
    bent = straight.of(np.append(at, last), np.append(begins[straight.offsets[:-1]], begins[-1] + 1))
    here = straight.points.take(begin, axis=0)
    across = straight.points.take(begin + 1, axis=0) - here
    length = np.sqrt(_squared(across.T))
    leave, arrive = (along.take(end, axis=1).T * length[:, None] for end in (begin, begin + 1))
    turn = leave + arrive
    curve = leave + share * (3 * across - leave - turn + share * (turn - 2 * across))
    bent.points[between] = np.add(here, share * curve, dtype=np.float32)
    bent.colors[between] = _interpolated(straight.colors, begin, share) + np.float32(0.5)
    way = _interpolated(straight.tangents, begin, share).T
    bent.tangents[between] = np.rint(way * (127 / np.maximum(np.sqrt(_squared(way)), 1))).T
    return bent


def _interpolated(values: NDArray[Any], begin: NDArray[np.int64], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values at a share (M, 1), from 0 to 1, of the way from each of these (N, 3) to the next."""
    here = values.take(begin, axis=0).astype(np.float32)
    return np.add(here, share * (values.take(begin + 1, axis=0) - here), dtype=np.float32)
