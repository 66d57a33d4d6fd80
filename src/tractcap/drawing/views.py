"""Where one looks from, and how much one sees: the six views and the frame that they share.

Standard library alone: the supervisor's process imports it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

Vector = tuple[float, float, float]

_MARGIN = 0.12
"""Share of a picture left free around the widest extent, for the labels: half of it on each side."""

_LEAST_EXTENT = 1.0
"""mm; a frame is at least so wide, so that a single point has a scale too."""


@dataclass(frozen=True)
class View:
    """A direction to look from, in RAS+: the camera is on the side ``seen_from`` and ``up`` points up."""

    name: str
    seen_from: Vector
    up: Vector

    @property
    def rightwards(self) -> Vector:
        """The direction that points right in the picture: ``up`` × ``seen_from``."""
        (a, b, c), (x, y, z) = self.up, self.seen_from
        return (b * z - c * y, c * x - a * z, a * y - b * x)

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Orientation letters at the left, right, upper and lower edge."""
        (right, left), (top, bottom) = _letters(self.rightwards), _letters(self.up)
        return left, right, top, bottom


def _letters(direction: Vector) -> tuple[str, str]:
    """The letter that an axis direction points to, and the one behind it."""
    axis = max(range(3), key=lambda axis: abs(direction[axis]))
    ahead, behind = ("RL", "AP", "SI")[axis]
    return (ahead, behind) if direction[axis] > 0 else (behind, ahead)


VIEWS = {
    view.name: view
    for view in (
        View("left", (-1, 0, 0), (0, 0, 1)),
        View("anterior", (0, 1, 0), (0, 0, 1)),
        View("superior", (0, 0, 1), (0, 1, 0)),
        View("right", (1, 0, 0), (0, 0, 1)),
        View("posterior", (0, -1, 0), (0, 0, 1)),
        View("inferior", (0, 0, -1), (0, 1, 0)),
    )
}
"""Each seen from the side that names it, in parallel projection. Their order is the mosaic's."""


@dataclass(frozen=True)
class Frame:
    """The box, in RAS+ mm, that every picture of a participant shows, so that one scale holds for all of them."""

    low: Vector
    high: Vector

    @classmethod
    def around(cls, boxes: Iterable[tuple[Vector, Vector]]) -> Self:
        """The frame that holds all boxes, each (low, high) in mm."""
        lows, highs = zip(*boxes, strict=True)
        return cls(_vector(map(min, zip(*lows, strict=True))), _vector(map(max, zip(*highs, strict=True))))

    @property
    def center(self) -> Vector:
        """In mm."""
        return _vector((low + high) / 2 for low, high in zip(self.low, self.high, strict=True))

    @property
    def width(self) -> float:
        """Mm across a picture, the same in all views."""
        extents = (high - low for low, high in zip(self.low, self.high, strict=True))
        return max(_LEAST_EXTENT, *extents) / (1 - _MARGIN)

    @property
    def depth(self) -> float:
        """Mm between the nearest and the farthest plane that can be seen; holds the box from any side."""
        return math.dist(self.low, self.high) + 2 * _LEAST_EXTENT


def _vector(values: Iterable[float]) -> Vector:
    x, y, z = values
    return (x, y, z)
