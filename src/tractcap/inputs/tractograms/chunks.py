"""From what a format decodes (blocks, cut anywhere) to what is drawn (chunks, bounded in points).

A streamline longer than a chunk is split. Its pieces overlap by context points, so that a tangent at
a cut has both its neighbours: what is drawn does not depend on where the cut fell.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Fields = dict[str, NDArray[np.generic]]


@dataclass
class Block:
    """Decoded streamlines in the order of the file; the first and the last may be parts of longer ones.

    ``points`` (N, 3) float32, RAS+ mm; ``lengths`` (S,) points of each; ``per_point`` holds (N, …) and
    ``per_streamline`` (S, …) arrays by name. ``continues``: the first goes on from the block before;
    ``open``: the last goes on in the next block.
    """

    points: NDArray[np.float32]
    lengths: NDArray[np.int64]
    continues: bool = False
    open: bool = False
    per_point: Fields = field(default_factory=dict)
    per_streamline: Fields = field(default_factory=dict)


@dataclass
class Chunk:
    """Streamlines to be drawn together: ``points[offsets[i]:offsets[i + 1]]`` is the i-th.

    ``points`` (N, 3) float32, RAS+ mm; ``offsets`` (S + 1,) int64; ``per_point`` (N, …) and
    ``per_streamline`` (S, …) arrays by name. ``head``: the first point only gives context, the
    streamline began in an earlier chunk; ``tail``: the last point only gives context, it goes on.
    """

    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    per_point: Fields = field(default_factory=dict)
    per_streamline: Fields = field(default_factory=dict)
    head: bool = False
    tail: bool = False

    @property
    def started(self) -> int:
        """How many streamlines have their first point here."""
        return len(self.offsets) - 1 - self.head

    @property
    def new(self) -> slice:
        """The points that no other chunk counts: a piece begins with its context and the last point drawn before."""
        return slice(2 * self.head, len(self.points) - self.tail)


def chunked(blocks: Iterable[Block], max_points: int) -> Iterator[Chunk]:
    """Turn blocks into chunks of at most ``max_points`` points (four or more), context points included."""
    held: Chunk | None = None  # the streamline that goes on in the next block, with its context point
    for block in blocks:
        chunk = _joined(held, block)
        last = len(chunk.offsets) - 1 - block.open
        yield from _whole(_slice(chunk, 0, last), max_points)
        held = _slice(chunk, last, last + 1) if block.open else None
        if held is not None:
            yield from (pieces := _Pieces(held, max_points)).cut()
            held = pieces.rest
    if held is not None:
        yield held


def _joined(held: Chunk | None, block: Block) -> Chunk:
    offsets = np.concatenate([[0], np.cumsum(block.lengths)])
    if held is None:
        return Chunk(block.points, offsets, block.per_point, block.per_streamline)
    offsets[1:] += len(held.points)
    per_point = {name: np.concatenate([held.per_point[name], values]) for name, values in block.per_point.items()}
    points = np.concatenate([held.points, block.points])
    return Chunk(points, offsets, per_point, block.per_streamline, head=held.head)


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


def _whole(chunk: Chunk, max_points: int) -> Iterator[Chunk]:
    """Cut between streamlines where that keeps the bound, and inside of those that are longer."""
    first, last = 0, len(chunk.offsets) - 1
    while first < last:
        fits = int(np.searchsorted(chunk.offsets, chunk.offsets[first] + max_points, side="right")) - 1
        if fits > first:
            yield _slice(chunk, first, min(fits, last))
            first = min(fits, last)
        else:
            yield from (pieces := _Pieces(_slice(chunk, first, first + 1), max_points)).cut()
            yield pieces.rest
            first += 1


class _Pieces:
    """One streamline cut into pieces of ``max_points``; what is left, short enough for one chunk, is ``rest``."""

    def __init__(self, streamline: Chunk, max_points: int) -> None:
        self.rest, self.max_points = streamline, max_points

    def cut(self) -> Iterator[Chunk]:
        while len(self.rest.points) > self.max_points:
            yield self._part(0, self.max_points, head=self.rest.head, tail=True)
            # the piece's last drawn point is the one before its tail; the next needs the one before that as context
            self.rest = self._part(self.max_points - 3, len(self.rest.points), head=True, tail=False)

    def _part(self, start: int, stop: int, *, head: bool, tail: bool) -> Chunk:
        whole = self.rest
        per_point = {name: values[start:stop] for name, values in whole.per_point.items()}
        offsets = np.array([0, stop - start])
        return Chunk(whole.points[start:stop], offsets, per_point, whole.per_streamline, head, tail)
