"""A view as it is drawn: how large, and how deep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.views import View


@dataclass(frozen=True)
class Shot:
    """A view as a square picture of ``size`` samples, seen between two planes ``near`` and ``far`` mm from the front.

    Both count from the frame's nearest plane. ``split`` is where a slice parts the layers that are summed.
    """

    view: View
    size: int
    near: float
    far: float
    split: float

    @property
    def halves(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What lies before the slice and what lies behind it, each from mm to mm."""
        split = min(max(self.split, self.near), self.far)
        return (self.near, split), (split, self.far)

    def in_mm(self, depths: NDArray[np.float32]) -> NDArray[np.float32]:
        """Depths from 0 to 1 in mm from the frame's nearest plane; infinite where nothing is drawn."""
        mm: NDArray[np.float32] = depths * np.float32(self.far - self.near) + np.float32(self.near)
        mm[depths >= 1] = np.inf
        return mm
