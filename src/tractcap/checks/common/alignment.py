"""Along a bundle: its streamlines as the same number of nodes, all from the same end to the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.panels import Mark
from tractcap.checks.common.sample import Streamline
from tractcap.drawing.position_along_bundle import POINTS, core, resampled

NODES = POINTS

_SIDES = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))
_SLIGHT = 0.5
"""An end is also said to be more to a side along other axes, if the ends are so much of the largest distance apart."""


@dataclass(frozen=True)
class AlignedBundle:
    """Streamlines ``lines`` (S, NODES, 3) and their mean ``core`` (NODES, 3), in mm, all from the same end."""

    lines: NDArray[np.float64]
    core: NDArray[np.float64]

    @property
    def ends(self) -> tuple[str, str]:
        """Where the first and the last node lie, in words."""
        across = self.core[-1] - self.core[0]
        order = [axis for axis in np.argsort(-np.abs(across)) if abs(across[axis]) >= _SLIGHT * np.abs(across).max()]
        first, last = ([_SIDES[axis][int((across[axis] > 0) == end)] for axis in order] for end in (False, True))
        return ", ".join(first), ", ".join(last)

    @property
    def end_marks(self) -> list[Mark]:
        """The numbers of the first and the last node, where they are."""
        return [_mark(at + 1, self.core[at]) for at in (0, NODES - 1)]

    def part_marks(self, count: int) -> list[Mark]:
        """The numbers of so many parts of equal length, each at its middle."""
        places = (np.arange(count) + 0.5) / count * (NODES - 1)
        middles = np.stack([np.interp(places, np.arange(NODES), axis) for axis in self.core.T], axis=1)
        return [_mark(number, middle) for number, middle in enumerate(middles, 1)]


def _mark(number: int, point: NDArray[np.float64]) -> Mark:
    x, y, z = (round(float(coordinate), 3) for coordinate in point)
    return Mark(str(number), (x, y, z))


def align(streamlines: Sequence[Streamline]) -> AlignedBundle:
    """Turn streamlines, of which at least one must be there, so that they run with each other.

    They begin at the end that is the core's left, posterior or inferior one, along the axis along which its ends lie
    farthest apart: the end at which colours by position begin.
    """
    lines = np.array([resampled(streamline) for streamline in streamlines])
    middle = core(lines)
    ahead, back = (np.abs(turned - middle).sum(axis=(1, 2)) for turned in (lines, lines[:, ::-1]))
    return AlignedBundle(np.where((back < ahead)[:, None, None], lines[:, ::-1], lines), middle)
