"""How far a tractogram reaches, which decides the frame of its pictures.

Headers can't be trusted with this: many give the grid of another image, or a grid of one voxel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.data import Range, check
from tractcap.drawing.lines import Tally, drawable
from tractcap.drawing.views import Vector
from tractcap.errors import InputError
from tractcap.inputs.tractograms import Tractogram


@dataclass(frozen=True)
class Extent:
    """The box in RAS+ mm around the streamlines that can be drawn, and what was counted on the way.

    ``values`` is the range of the data that was asked for, ``without`` at how many points it is not a number.
    """

    low: Vector
    high: Vector
    tally: Tally
    values: tuple[float, float] | None = None
    without: int = 0


def measure(tractogram: Tractogram, max_points: int, on_points: Callable[[int], None], data: str = "") -> Extent:
    """Read a tractogram once for its extent, and for the range of its ``data`` of that name.

    Raises
    ------
    InputError
        When it is damaged, lacks the data, or holds no streamline that can be drawn.
    """
    ends = _range(tractogram, data)
    low, high, tally = np.full(3, np.inf, np.float32), np.full(3, -np.inf, np.float32), Tally()
    for chunk in tractogram.chunks(max_points):
        kept = drawable(chunk, tally)
        if len(kept.points):
            columns = kept.points.T  # one after the other: much faster than along the rows
            low = np.minimum(low, [column.min() for column in columns])
            high = np.maximum(high, [column.max() for column in columns])
            if ends:
                ends.add(kept)
        on_points(tally.points)
    if not tally.drawn:
        raise InputError(f"{tractogram.path} {_nothing(tally)}: there is nothing to draw.")
    if ends:
        return Extent(_vector(low), _vector(high), tally, ends.ends(), ends.without)
    return Extent(_vector(low), _vector(high), tally)


def _range(tractogram: Tractogram, name: str) -> Range | None:
    if not name:
        return None
    check(tractogram, name)
    return Range(name, tractogram.header.points)


def _vector(values: NDArray[np.float32]) -> Vector:
    x, y, z = (float(value) for value in values)
    return (x, y, z)


def _nothing(tally: Tally) -> str:
    if not tally.streamlines:
        return "holds no streamlines"
    reasons = " and ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items() if count)
    return f"holds only streamlines that can't be drawn ({reasons})"
