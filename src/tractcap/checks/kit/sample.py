"""A sample of a tractogram's streamlines that fits into memory, the same each time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.kit.needs import CHUNK, MOST_POINTS
from tractcap.drawing.lines import Tally, drawable
from tractcap.inputs.tractograms import Chunk, open_tractogram

SEED = 20_240
"""Of which streamlines are taken."""

ENDLESS = f"with more than {MOST_POINTS:,} points"

Streamline = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """Streamlines (each (N, 3) float32 in RAS+ mm) in the order of the file, of ``total`` that can be drawn.

    ``numbers`` (S,) are their places among these, from 0 on. ``left_out`` counts those that can't be drawn, by reason.
    """

    streamlines: list[Streamline]
    numbers: NDArray[np.int64]
    total: int
    left_out: Counter[str]

    @property
    def whole(self) -> bool:
        """Whether it is all of them."""
        return len(self.streamlines) == self.total

    @property
    def told(self) -> str:
        """How many of how many, for captions."""
        of = "" if self.whole else f" of {self.total:,}"
        return f"{len(self.streamlines):,}{of} streamline{'s' * (self.total != 1)}"

    def notes(self, what: str) -> list[str]:
        """What must be said of it where ``what`` was measured of it."""
        said = [] if self.whole else [f"{what} is of {self.told}, taken at random (seed {SEED})"]
        return [
            *said,
            *(f"{count:,} streamlines {why} were left aside" for why, count in self.left_out.items() if count),
        ]


def take(path: str, most: int, report: Callable[[int], None], vtk_space: str = "") -> Sample:
    """Read a tractogram once, and keep ``most`` of its streamlines, each with the same chance; all if it has no more.

    Raises
    ------
    InputError
        When the file can't be read, or is damaged.
    """
    tally, taker = Tally(), Taker(most)
    for chunk in open_tractogram(Path(path), vtk_space=vtk_space).chunks(CHUNK):
        taker.add(drawable(chunk, tally))
        report(tally.points)
    return taker.sample(tally)


class Taker:
    """Takes chunks of drawable streamlines in their order; puts those together again that are in several."""

    def __init__(self, most: int) -> None:
        self._keeper = _Keeper(most)
        self._begun: list[Streamline] = []
        self._length = self._endless = 0

    def add(self, chunk: Chunk) -> None:
        """Offer a chunk's streamlines."""
        for number, one in enumerate(_each(chunk)):
            if not (chunk.head and number == 0):
                self._end()
            self._length += len(one)
            self._begun = [*self._begun, one] if self._length <= MOST_POINTS else []
            if not (chunk.tail and number == len(chunk.offsets) - 2):
                self._end()

    def sample(self, tally: Tally) -> Sample:
        """What was kept; ``tally`` has counted the chunks."""
        self._end()
        kept = sorted(self._keeper.kept(), key=lambda one: one[1])
        numbers = np.array([number for _, number, _ in kept], np.int64)
        left_out = tally.left_out + Counter({ENDLESS: self._endless})
        return Sample([one for _, _, one in kept], numbers, self._keeper.seen, left_out)

    def _end(self) -> None:
        """A streamline is whole."""
        self._endless += self._length > MOST_POINTS
        if self._begun:
            self._keeper.offer(np.concatenate(self._begun))
        self._begun, self._length = [], 0


def _each(chunk: Chunk) -> Iterator[Streamline]:
    """Points of each streamline, those aside that are in other chunks too."""
    new = chunk.new
    for first, last in zip(chunk.offsets[:-1], chunk.offsets[1:], strict=True):
        yield chunk.points[max(first, new.start) : min(last, new.stop)]


@dataclass
class _Keeper:
    """Keeps those whose random numbers are the lowest."""

    most: int
    seen: int = 0
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))
    _held: list[tuple[float, int, Streamline]] = field(default_factory=list)
    _points: int = 0
    _bar: float = 2.0

    def offer(self, streamline: Streamline) -> None:
        chance = float(self._random.random())
        if chance < self._bar:
            self._held.append((chance, self.seen, streamline))
            self._points += len(streamline)
            if len(self._held) >= 2 * self.most or self._points > MOST_POINTS:
                self._sift()
        self.seen += 1

    def kept(self) -> list[tuple[float, int, Streamline]]:
        self._sift()
        return self._held

    def _sift(self) -> None:
        """Let go of the highest numbers, and of as many as are needed to halve the points where these are too many."""
        self._held.sort(key=lambda one: one[0])
        if self._points > MOST_POINTS:
            upto = np.cumsum([len(one) for _, _, one in self._held])
            self.most = max(1, int(np.searchsorted(upto, MOST_POINTS // 2)))
        if len(self._held) > self.most:
            self._bar = self._held[self.most][0]
            del self._held[self.most :]
        self._points = sum(len(one) for _, _, one in self._held)
