"""Duplicate streamlines in a tractogram of any size: each streamline is remembered by one number."""

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.estimate import NORMAL, Estimate
from tractcap.inputs.tractograms import Chunk

PRECISION = 1e-3
"""mm; points are the same if they are when rounded to it."""

MOST = 2_000_000
"""Numbers that are remembered at once. Where more than half as many differ, only those below a bar are."""

_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(32)


class Duplicates:
    """Takes chunks of drawable streamlines in their order. Duplicates have the same points, from either end.

    Only numbers that differ are remembered. Each is below the bar by the same chance, however many streamlines have it:
    so their number is estimated from those (Wegman's adaptive sampling: Flajolet 1990, Computing 43, 391-400,
    doi:10.1007/BF02241657).
    """

    def __init__(self) -> None:
        self._held: list[NDArray[np.uint64]] = []
        self._count = self._halved = 0
        self._open: int | None = None

    def add(self, chunk: Chunk) -> None:
        """Remember the streamlines that end in a chunk."""
        if not chunk.head:
            self._close()
        if len(chunk.offsets) < 2:
            return
        # of each streamline the sum of its points' numbers, which doesn't depend on its direction
        points = np.rint(chunk.points / np.float32(PRECISION)).astype(np.int64).view(np.uint64)
        of_points = _mixed(_mixed(points[:, 0] * _FACTORS[0]) + points[:, 1] * _FACTORS[1]) + points[:, 2] * _FACTORS[2]
        of_points = _mixed(of_points)
        of_points[: chunk.new.start] = 0
        of_points[chunk.new.stop :] = 0
        numbers = np.add.reduceat(of_points, chunk.offsets[:-1])
        numbers[:1] += np.array([self._open or 0], np.uint64)  # wraps around, as all sums here
        self._open = int(numbers[-1]) if chunk.tail else None
        self._keep(numbers[:-1] if chunk.tail else numbers)

    def count(self, streamlines: int) -> Estimate:
        """How many of so many streamlines are the same as one before."""
        self._close()
        self._sift()
        chance = 0.5**self._halved
        value = streamlines - self._count / chance
        away = NORMAL * float(np.sqrt(self._count * (1 - chance))) / chance
        return Estimate(max(0.0, value), value - away, value + away).within(0, streamlines)

    def _close(self) -> None:
        if self._open is not None:
            self._keep(np.array([self._open], np.uint64))
        self._open = None

    def _keep(self, numbers: NDArray[np.uint64]) -> None:
        spread = _mixed(numbers)
        self._held.append(spread[spread <= self._bar])
        self._count += len(self._held[-1])
        if self._count > MOST:
            self._sift()

    @property
    def _bar(self) -> np.uint64:
        return np.uint64(2**64 - 1) >> np.uint64(self._halved)

    def _sift(self) -> None:
        """Forget what is there twice, and halves of the numbers as long as these are too many."""
        held = np.unique(np.concatenate([np.zeros(0, np.uint64), *self._held]))
        while len(held) > MOST // 2:
            self._halved += 1
            held = held[held <= self._bar]
        self._held, self._count = [held], len(held)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread over all bits, as MurmurHash3 does at its end (Appleby, 2011)."""
    spread = (numbers ^ (numbers >> _SHIFT)) * _MIX
    mixed: NDArray[np.uint64] = spread ^ (spread >> _SHIFT)
    return mixed
