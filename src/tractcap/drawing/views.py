"""Which side pictures are seen from, and how much they show: the views and the frame that they share.

Standard library alone: the supervisor's process imports it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from tractcap.records.json_record import Vector as Vector
from tractcap.records.options import IN_SLICE

_MARGIN = 0.12
"""Share of a picture left free around the widest extent, for the labels: half of it on each side."""

_OBLIQUE = math.sin(math.pi / 8)
"""An edge that points along an axis by more than this bears its letter."""

_ROUNDINGS = 4
"""From a point's place to its pixel."""

_LEAST_EXTENT = 1.0
"""mm; a frame is at least so wide, so that a single point has a scale too."""


@dataclass(frozen=True)
class View:
    """A direction of view, in RAS+: the camera is on the side ``seen_from`` and ``up`` points up.

    Both are unit vectors.
    """

    name: str
    seen_from: Vector
    up: Vector

    @property
    def in_slice(self) -> bool:
        """Whether it shows only what lies near the slice that it faces."""
        return self.name in IN_SLICE

    @property
    def rightwards(self) -> Vector:
        """The direction that points right in the picture: ``up`` × ``seen_from``."""
        (a, b, c), (x, y, z) = self.up, self.seen_from
        return (b * z - c * y, c * x - a * z, a * y - b * x)

    @property
    def toward(self) -> tuple[int, float]:
        """The axis (0, 1, 2) that is nearest to the line of sight, and the sign of the side that the camera is on."""
        axis = max(range(3), key=lambda axis: abs(self.seen_from[axis]))
        return axis, math.copysign(1, self.seen_from[axis])

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Orientation letters at the left, right, upper and lower edge; two where an edge lies between two axes."""
        (right, left), (top, bottom) = _letters(self.rightwards), _letters(self.up)
        return left, right, top, bottom


def _letters(direction: Vector) -> tuple[str, str]:
    """The letters that a direction points to, the nearest axis first, and those behind it."""
    ahead = behind = ""
    for axis in sorted(range(3), key=lambda axis: -abs(direction[axis])):
        if abs(direction[axis]) > _OBLIQUE:
            pair = ("RL", "AP", "SI")[axis]
            ahead, behind = ahead + pair[direction[axis] < 0], behind + pair[direction[axis] > 0]
    return ahead, behind


VIEWS = {
    view.name: view
    for view in (
        View("left", (-1, 0, 0), (0, 0, 1)),
        View("anterior", (0, 1, 0), (0, 0, 1)),
        View("superior", (0, 0, 1), (0, 1, 0)),
        View("right", (1, 0, 0), (0, 0, 1)),
        View("posterior", (0, -1, 0), (0, 0, 1)),
        View("inferior", (0, 0, -1), (0, 1, 0)),
        View("sagittal", (-1, 0, 0), (0, 0, 1)),
        View("coronal", (0, 1, 0), (0, 0, 1)),
        View("axial", (0, 0, 1), (0, 1, 0)),
    )
}
"""Six are seen from the side that names them, three show a slice; all in parallel projection. Their order is the
mosaic's."""


def turntable(frames: int) -> tuple[View, ...]:
    """Views all around the head, at equal angles, from the front towards its left: the last leads on to the first."""
    views = []
    for number in range(frames):
        angle = 2 * math.pi * number / frames
        x, y = (round(side, 12) + 0.0 for side in (-math.sin(angle), math.cos(angle)))  # right angles are exact
        views.append(View(f"turn-{number:03d}", (x, y, 0.0), (0, 0, 1)))
    return tuple(views)


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

    def meets(self, low: Vector, high: Vector) -> bool:
        """Whether a box reaches into it."""
        sides = zip(self.low, self.high, low, high, strict=True)
        return all(begin <= last and end >= first for first, last, begin, end in sides)

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

    @property
    def reach(self) -> float:
        """Mm from the center along each axis up to which all is seen from every side."""
        return min(self.width, self.depth) / 2

    @property
    def precision(self) -> float:
        """Mm by which points are placed at best: drawing is in single precision, which is coarser far from the origin.

        Of a few operations, each of which rounds to 24 bits.
        """
        farthest = max(map(abs, (*self.low, *self.high)))
        return _ROUNDINGS * math.ldexp(1, math.frexp(farthest)[1] - 24)


def _vector(values: Iterable[float]) -> Vector:
    x, y, z = values
    return (x, y, z)
