"""A sample of a tractogram's streamlines that fits into memory, the same each time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.memory import CHUNK, MOST_POINTS
from tractcap.drawing.lines import StreamlineCounts, drawable
from tractcap.errors import EmptyError, InputError
from tractcap.inputs.tractograms import Chunk, Header, Tractogram

SEED = 20_240
"""Of which streamlines are taken."""

ENDLESS = f"with more than {MOST_POINTS:,} points"

Streamline = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """Streamlines (each (N, 3) float32 in RAS+ mm) in the order of the file, of ``total`` that can be measured.

    ``numbers`` (S,) are their places among those that can be drawn, from 0 on. ``left_out`` counts those that can't be
    measured, by reason. ``header`` is the file's.
    """

    streamlines: list[Streamline]
    numbers: NDArray[np.int64]
    total: int
    left_out: Counter[str]
    header: Header

    @property
    def whole(self) -> bool:
        """Whether it is all of them."""
        return len(self.streamlines) == self.total

    @property
    def fraction(self) -> float:
        """How much of all it is, from 0 to 1."""
        return len(self.streamlines) / max(1, self.total)

    @property
    def told(self) -> str:
        """How many of how many, for captions."""
        of = "" if self.whole else f" of {self.total:,}"
        return f"{len(self.streamlines):,}{of} streamline{'s' * (self.total != 1)}"

    def notes(self, what: str, *, measured: bool = True) -> list[str]:
        """What must be said of it where ``what`` is of it; it may be ``measured``, or only drawn."""
        drawn = f"{what} is of {self.told}, taken at random (seed {SEED})"
        known = "each measure of it has an interval of 99 % for all of them, which alone decides on flags"
        said = [] if self.whole else [f"{drawn}: {known}" if measured else drawn]
        left = (f"{count:,} streamlines {why} were left aside" for why, count in self.left_out.items() if count)
        return [*said, *left, *self.header.notes]


def take(tractogram: Tractogram, most: int, report: Callable[[int], None], shortest: float = 0.0) -> Sample:
    """Read a tractogram once, and keep ``most`` of its streamlines, each with the same chance; all if it has no more.

    Parameters
    ----------
    shortest : mm; shorter streamlines are left out.

    Raises
    ------
    InputError
        When the file can't be read, is damaged, or has no streamline of two points or more.
    """
    tally, taker = StreamlineCounts(), Taker(most, shortest)
    for chunk in tractogram.chunks(CHUNK):
        taker.add(drawable(chunk, tally))
        report(tally.points)
    return taker.sample(tractogram, tally)


def streamlines(tractogram: Tractogram, report: Callable[[int], None]) -> Iterator[Streamline]:
    """All of a tractogram's streamlines that can be drawn, one by one; those that no sample may hold are left out."""
    tally, joiner = StreamlineCounts(), Joiner()
    for chunk in tractogram.chunks(CHUNK):
        yield from joiner.add(drawable(chunk, tally))
        report(tally.points)
    yield from joiner.end()


class Joiner:
    """Takes chunks in their order, and puts those streamlines together again that are in several.

    One of more points than a sample may hold isn't kept: ``endless`` counts these.
    """

    def __init__(self) -> None:
        self._begun: list[Streamline] = []
        self._length = self.endless = 0

    def add(self, chunk: Chunk) -> Iterator[Streamline]:
        """The streamlines of which it is known now that they are whole."""
        for number, one in enumerate(_each(chunk)):
            if not (chunk.head and number == 0):
                yield from self.end()
            self._length += len(one)
            self._begun = [*self._begun, one] if self._length <= MOST_POINTS else []
            if not (chunk.tail and number == len(chunk.offsets) - 2):
                yield from self.end()

    def end(self) -> Iterator[Streamline]:
        """The last one, if there is one."""
        self.endless += self._length > MOST_POINTS
        if self._begun:
            yield np.concatenate(self._begun)
        self._begun, self._length = [], 0


def _each(chunk: Chunk) -> Iterator[Streamline]:
    """Points of each streamline, those aside that are in other chunks too."""
    new = chunk.new
    for first, last in zip(chunk.offsets[:-1], chunk.offsets[1:], strict=True):
        yield chunk.points[max(first, new.start) : min(last, new.stop)]


class Taker:
    """Takes chunks of drawable streamlines in their order, and samples those that are ``shortest`` mm or longer."""

    def __init__(self, most: int, shortest: float = 0.0) -> None:
        self._keeper, self._joiner = _Keeper(most), Joiner()
        self._shortest, self._whole = shortest, 0

    def add(self, chunk: Chunk) -> None:
        """Offer a chunk's streamlines."""
        self._offer(self._joiner.add(chunk))

    def sample(self, tractogram: Tractogram, tally: StreamlineCounts) -> Sample:
        """What was kept; ``tally`` has counted the chunks.

        Raises
        ------
        InputError
            When the tractogram has nothing that can be measured.
        """
        self._offer(self._joiner.end())
        if not tally.streamlines:
            raise EmptyError(f"{tractogram.path} is empty: it holds no streamlines")
        if not self._whole:
            raise InputError(
                f"{tractogram.path} has no streamline of two points or more"
                f"{f', but {ENDLESS}' * bool(self._joiner.endless)}: there is nothing to measure."
            )
        kept = sorted(self._keeper.kept(), key=lambda one: one[1])
        numbers = np.array([number for _, number, _ in kept], np.int64)
        short = {f"shorter than {self._shortest:g} mm": self._whole - self._keeper.seen}
        left_out = tally.left_out + Counter({**short, ENDLESS: self._joiner.endless})
        return Sample([one for _, _, one in kept], numbers, self._keeper.seen, left_out, tractogram.header)

    def _offer(self, several: Iterator[Streamline]) -> None:
        for one in several:
            if not self._shortest or length(one) >= self._shortest:
                self._keeper.offer(one, self._whole)
            self._whole += 1


def length(streamline: Streamline) -> float:
    """In mm."""
    return float(np.sqrt((np.diff(streamline.astype(np.float64), axis=0) ** 2).sum(axis=1)).sum())


@dataclass
class _Keeper:
    """Keeps those whose random numbers are the lowest."""

    most: int
    seen: int = 0
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))
    _held: list[tuple[float, int, Streamline]] = field(default_factory=list)
    _points: int = 0
    _bar: float = 2.0

    def offer(self, streamline: Streamline, number: int) -> None:
        chance = float(self._random.random())
        if chance < self._bar:
            self._held.append((chance, number, streamline))
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
