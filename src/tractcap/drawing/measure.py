"""How far a tractogram reaches, which decides the frame of its pictures.

Headers can't be trusted with this: many give the grid of another image, or a grid of one voxel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import Tally, drawable
from tractcap.drawing.views import Vector
from tractcap.errors import InputError
from tractcap.inputs.tractograms import Tractogram


@dataclass(frozen=True)
class Extent:
    """The box in RAS+ mm around the streamlines that can be drawn, and what was counted on the way."""

    low: Vector
    high: Vector
    tally: Tally


def measure(tractogram: Tractogram, max_points: int, on_points: Callable[[int], None]) -> Extent:
    """Read a tractogram once for its extent.

    Raises
    ------
    InputError
        When it is damaged, or holds no streamline that can be drawn.
    """
    low, high, tally = np.full(3, np.inf, np.float32), np.full(3, -np.inf, np.float32), Tally()
    for chunk in tractogram.chunks(max_points):
        kept = drawable(chunk, tally)
        if len(kept.points):
            columns = kept.points.T  # one after the other: much faster than along the rows
            low = np.minimum(low, [column.min() for column in columns])
            high = np.maximum(high, [column.max() for column in columns])
        on_points(tally.points)
    if not tally.drawn:
        raise InputError(f"{tractogram.path} {_nothing(tally)}: there is nothing to draw.")
    return Extent(_vector(low), _vector(high), tally)


def _vector(values: NDArray[np.float32]) -> Vector:
    x, y, z = (float(value) for value in values)
    return (x, y, z)


def _nothing(tally: Tally) -> str:
    if not tally.streamlines:
        return "holds no streamlines"
    reasons = " and ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items() if count)
    return f"holds only streamlines that can't be drawn ({reasons})"
