"""From what a format decodes (blocks, cut anywhere) to what is drawn (chunks, bounded in points).

A streamline longer than a chunk is split. Its pieces overlap by context points, so that the tangent at a cut has both
its neighbours, and begin only at every fourth point, as runs do that may be drawn as one line: the picture does not
depend on where the cut falls.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Fields = dict[str, NDArray[np.generic]]

RUN = 4
"""Points from one place where a streamline may be cut to the next: what is drawn of those between depends on all."""

LEAST = RUN + 3
"""Points of the smallest chunk: those of a run with both its ends, and a context point before and behind it."""


@dataclass
class Block:
    """Decoded streamlines in the order of the file; the first and the last may be parts of longer ones.

    Parameters
    ----------
    points : ndarray (N, 3), float32, RAS+ mm.
    lengths : ndarray (S,), the number of points of each streamline.
    continues : whether the first streamline began in the block before.
    open : whether the last streamline goes on in the next block.
    per_point, per_streamline : arrays (N, …) and (S, …) by name.
    """

    points: NDArray[np.float32]
    lengths: NDArray[np.int64]
    continues: bool = False
    open: bool = False
    per_point: Fields = field(default_factory=dict)
    per_streamline: Fields = field(default_factory=dict)


def selected(block: Block, belong: NDArray[np.bool_]) -> Block:
    """The streamlines of a block that belong, by what ``belong`` (S,) says of each."""
    points = np.repeat(belong, block.lengths)
    return Block(
        block.points[points],
        block.lengths[belong],
        bool(block.continues and belong[0]),
        bool(block.open and belong[-1]),
        {name: values[points] for name, values in block.per_point.items()},
        {name: values[belong] for name, values in block.per_streamline.items()},
    )


@dataclass
class Chunk:
    """Streamlines to be drawn together: ``points[offsets[i]:offsets[i + 1]]`` is the i-th.

    Parameters
    ----------
    points : ndarray (N, 3), float32, RAS+ mm.
    offsets : ndarray (S + 1,), int64.
    per_point, per_streamline : arrays (N, …) and (S, …) by name.
    head : whether the first point only gives context, since its streamline began in an earlier chunk.
    tail : whether the last point only gives context, since its streamline goes on.
    """

    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    per_point: Fields = field(default_factory=dict)
    per_streamline: Fields = field(default_factory=dict)
    head: bool = False
    tail: bool = False

    @cached_property
    def columns(self) -> NDArray[np.float32]:
        """The points as (3, N): NumPy is several times as fast along rows."""
        return np.ascontiguousarray(self.points.T)

    @cached_property
    def steps(self) -> NDArray[np.float32]:
        """The way from each point to the next, (3, N - 1); none from one streamline to the next."""
        steps: NDArray[np.float32] = np.diff(self.columns)
        steps[:, self.offsets[1:-1] - 1] = 0
        return steps

    @property
    def started(self) -> int:
        """How many streamlines have their first point here."""
        return len(self.offsets) - 1 - self.head

    @property
    def new(self) -> slice:
        """The points that no other chunk counts: a piece begins with its context and the last point drawn before."""
        return slice(2 * self.head, len(self.points) - self.tail)


def chunked(blocks: Iterable[Block], max_points: int) -> Iterator[Chunk]:
    """Turn blocks into chunks of at most ``max_points`` points (:data:`LEAST` or more), context points included.

    They are cut between streamlines where that keeps the bound, and within those that are longer.
    """
    held: Chunk | None = None  # the streamline that goes on in the next block, with its context point
    for block in blocks:
        offsets = np.concatenate([[0], np.cumsum(block.lengths)])
        chunk = Chunk(block.points, offsets, block.per_point, block.per_streamline)
        if held is not None:
            offsets[1:] += len(held.points)
            chunk.points = np.concatenate([held.points, block.points])
            chunk.per_point = {
                name: np.concatenate([held.per_point[name], values]) for name, values in block.per_point.items()
            }
            chunk.head = held.head
        first, last = 0, len(chunk.offsets) - 1 - block.open
        while first < last:
            fits = int(np.searchsorted(chunk.offsets, chunk.offsets[first] + max_points, side="right")) - 1
            if fits > first:
                yield _slice(chunk, first, min(fits, last))
                first = min(fits, last)
            else:
                yield (yield from _pieces(_slice(chunk, first, first + 1), max_points))
                first += 1
        held = (yield from _pieces(_slice(chunk, last, last + 1), max_points)) if block.open else None
    if held is not None:
        yield held


def _slice(chunk: Chunk, first: int, last: int) -> Chunk:
    """Streamlines ``first`` up to ``last`` of a chunk, as views."""
    start, stop = chunk.offsets[first], chunk.offsets[last]
    return Chunk(
        chunk.points[start:stop],
        chunk.offsets[first : last + 1] - start,
        {name: values[start:stop] for name, values in chunk.per_point.items()},
        {name: values[first:last] for name, values in chunk.per_streamline.items()},
        head=chunk.head and first == 0,
    )


def _pieces(rest: Chunk, max_points: int) -> Generator[Chunk, None, Chunk]:
    """Cut one streamline into pieces of whole runs; returns what is left, which is short enough for one chunk."""
    while len(rest.points) > max_points:
        stop = (max_points - rest.head - 2) // RUN * RUN + rest.head + 2
        yield _piece(rest, 0, stop, head=rest.head, tail=True)
        # the piece's last drawn point is the one before its tail; the next needs the one before that as context
        rest = _piece(rest, stop - 3, len(rest.points), head=True, tail=False)
    return rest


def _piece(streamline: Chunk, start: int, stop: int, *, head: bool, tail: bool) -> Chunk:
    per_point = {name: values[start:stop] for name, values in streamline.per_point.items()}
    offsets = np.array([0, stop - start])
    return Chunk(streamline.points[start:stop], offsets, per_point, streamline.per_streamline, head, tail)


@dataclass(frozen=True)
class Part:
    """Streamlines, or parts of them, with a bounded number of points together."""

    points: int
    lengths: NDArray[np.int64]
    continues: bool
    open: bool


def parts(batches: Iterable[NDArray[np.int64]], max_points: int) -> Iterator[Part]:
    """Cut streamlines, given by their lengths, into parts of at most ``max_points``, for formats without a length
    in front of each streamline.
    """
    for lengths in batches:
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        for start in range(0, max(total, 1), max_points):
            stop, is_last = min(start + max_points, total), start + max_points >= total
            # a streamline of no points that stands on a cut belongs to the part before it
            first = int(np.searchsorted(ends, start, side="right")) if start else 0
            until = len(lengths) if is_last else int(np.searchsorted(ends, stop, side="right"))
            is_open = bool(not is_last and (ends[until - 1] if until else 0) < stop)
            inside = slice(first, until + is_open)
            begins = ends[inside] - lengths[inside]
            continues = start > 0 and first < len(lengths) and bool(begins[0] < start)
            yield Part(
                stop - start, np.clip(ends[inside], start, stop) - np.clip(begins, start, stop), continues, is_open
            )
