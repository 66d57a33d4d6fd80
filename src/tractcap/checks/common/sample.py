"""A sample of a tractogram's streamlines that fits into memory, the same each time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.check_definition import CHUNK, MOST_POINTS, MOST_STREAMLINES, Report
from tractcap.drawing.lines import StreamlineCounts, drawable
from tractcap.errors import EmptyError, InputError
from tractcap.inputs.tractograms import Chunk, Header, Tractogram

SEED = 20_240
"""Decides which streamlines are taken."""

ENDLESS = f"with more than {MOST_POINTS:,} points"

Streamline = NDArray[np.float32]
"""Points (N, 3) in RAS+ mm."""


@dataclass(frozen=True)
class Sample:
    """Streamlines in the order of the file, of ``total`` that can be measured.

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
    def caption(self) -> str:
        """How many of how many."""
        of = "" if self.whole else f" of {self.total:,}"
        return f"{len(self.streamlines):,}{of} streamline{'s' * (self.total != 1)}"

    def notes(self, what: str, *, measured: bool = True) -> list[str]:
        """Notes where ``what`` is of the sample; it may be ``measured``, or only drawn."""
        drawn = f"{what} is of {self.caption}, taken at random (seed {SEED})"
        known = (
            "each of its measures has a 99 % interval for all streamlines, and flags are raised by that interval alone"
        )
        sampled = [] if self.whole else [f"{drawn}: {known}" if measured else drawn]
        left_out = (f"{count:,} streamlines {why} were left out" for why, count in self.left_out.items() if count)
        return [*sampled, *left_out, *self.header.notes]


def take(tractogram: Tractogram, report: Report, shortest: float = 0.0) -> Sample:
    """Read a tractogram once, and keep some of its streamlines, each with the same chance; all if they are few.

    Parameters
    ----------
    shortest : mm; shorter streamlines are left out.

    Raises
    ------
    InputError
        When the file can't be read, is damaged, or has no streamline of two points or more.
    """
    counts, sampler = StreamlineCounts(), Sampler(shortest)
    for chunk in tractogram.chunks(CHUNK):
        sampler.add(drawable(chunk, counts))
        report(counts.points)
    return sampler.sample(tractogram, counts)


def streamlines(tractogram: Tractogram, report: Report) -> Iterator[Streamline]:
    """All of a tractogram's streamlines that can be drawn, one by one; those that no sample may hold are left out."""
    counts, joiner = StreamlineCounts(), _Joiner()
    for chunk in tractogram.chunks(CHUNK):
        yield from joiner.add(drawable(chunk, counts))
        report(counts.points)
    yield from joiner.end()


def length(streamline: Streamline) -> float:
    """In mm."""
    return float(np.sqrt((np.diff(streamline.astype(np.float64), axis=0) ** 2).sum(axis=1)).sum())


class _Joiner:
    """Takes chunks in their order, and puts those streamlines together again that are in several.

    One of more points than a sample may hold isn't kept: ``endless`` counts these.
    """

    def __init__(self) -> None:
        self._pieces: list[Streamline] = []
        self._length = self.endless = 0

    def add(self, chunk: Chunk) -> Iterator[Streamline]:
        """The streamlines that are known to be whole now."""
        new, last = chunk.new, len(chunk.offsets) - 2
        for number, (start, stop) in enumerate(zip(chunk.offsets[:-1], chunk.offsets[1:], strict=True)):
            if not (chunk.head and number == 0):
                yield from self.end()
            piece = chunk.points[max(start, new.start) : min(stop, new.stop)]  # without what other chunks have too
            self._length += len(piece)
            self._pieces = [*self._pieces, piece] if self._length <= MOST_POINTS else []
            if not (chunk.tail and number == last):
                yield from self.end()

    def end(self) -> Iterator[Streamline]:
        """The last one, if there is one."""
        self.endless += self._length > MOST_POINTS
        if self._pieces:
            yield np.concatenate(self._pieces)
        self._pieces, self._length = [], 0


class Sampler:
    """Takes chunks of drawable streamlines in their order, and samples those that are ``shortest`` mm or longer.

    Each gets a random number, and those with the lowest are kept.
    """

    def __init__(self, shortest: float = 0.0) -> None:
        self._joiner, self._shortest, self._most = _Joiner(), shortest, MOST_STREAMLINES
        self._random = np.random.default_rng(SEED)
        self._held: list[tuple[float, int, Streamline]] = []  # random number, place in the file, points
        self._points = self._seen = self._long = 0
        self._bar = 2.0

    def add(self, chunk: Chunk) -> None:
        """Offer a chunk's streamlines."""
        for streamline in self._joiner.add(chunk):
            self._offer(streamline)

    def sample(self, tractogram: Tractogram, counts: StreamlineCounts) -> Sample:
        """What was kept; ``counts`` are of all chunks.

        Raises
        ------
        InputError
            When the tractogram has nothing that can be measured.
        """
        for streamline in self._joiner.end():
            self._offer(streamline)
        if not counts.streamlines:
            raise EmptyError(f"{tractogram.path} is empty: it holds no streamlines")
        if not self._seen:
            raise InputError(
                f"{tractogram.path} has no streamline of two points or more"
                f"{f', but {ENDLESS}' * bool(self._joiner.endless)}: there is nothing to measure."
            )
        self._sift()
        held = sorted(self._held, key=lambda item: item[1])
        numbers = np.array([number for _, number, _ in held], np.int64)
        short = {f"shorter than {self._shortest:g} mm": self._seen - self._long}
        left_out = counts.left_out + Counter({**short, ENDLESS: self._joiner.endless})
        return Sample([streamline for _, _, streamline in held], numbers, self._long, left_out, tractogram.header)

    def _offer(self, streamline: Streamline) -> None:
        if not self._shortest or length(streamline) >= self._shortest:
            chance = float(self._random.random())
            if chance < self._bar:
                self._held.append((chance, self._seen, streamline))
                self._points += len(streamline)
                if len(self._held) >= 2 * self._most or self._points > MOST_POINTS:
                    self._sift()
            self._long += 1
        self._seen += 1

    def _sift(self) -> None:
        """Let go of the highest numbers, and of as many as are needed to halve the points where these are too many."""
        self._held.sort(key=lambda item: item[0])
        if self._points > MOST_POINTS:
            up_to = np.cumsum([len(streamline) for _, _, streamline in self._held])
            self._most = max(1, int(np.searchsorted(up_to, MOST_POINTS // 2)))
        if len(self._held) > self._most:
            self._bar = self._held[self._most][0]
            del self._held[self._most :]
        self._points = sum(len(streamline) for _, _, streamline in self._held)
