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
    tally, keeper = Tally(), _Keeper(most)
    for streamline in _streamlines(path, vtk_space, tally, report):
        keeper.offer(streamline)
    kept = sorted(keeper.kept(), key=lambda one: one[1])
    numbers = np.array([number for _, number, _ in kept], np.int64)
    return Sample([one for _, _, one in kept], numbers, keeper.seen, tally.left_out)


def _streamlines(path: str, vtk_space: str, tally: Tally, report: Callable[[int], None]) -> Iterator[Streamline]:
    """Each that can be drawn, those put together again that were read in several chunks."""
    begun: list[Streamline] = []
    for chunk in open_tractogram(Path(path), vtk_space=vtk_space).chunks(CHUNK):
        good = drawable(chunk, tally)
        report(tally.points)
        for number, one in enumerate(_each(good)):
            if begun and not (good.head and number == 0):
                yield np.concatenate(begun)
                begun = []
            begun.append(one)
            if not (good.tail and number == len(good.offsets) - 2):
                yield np.concatenate(begun)
                begun = []
    if begun:
        yield np.concatenate(begun)


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
            self._held.append((chance, self.seen, streamline.copy()))
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
