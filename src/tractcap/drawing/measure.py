"""How far a tractogram reaches, which decides the frame of its pictures, and what else is measured on the way.

Headers can't be trusted with this: many give the grid of another image, or a grid of one voxel.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lengths import Lengths, Summary
from tractcap.drawing.lines import QUANTA, Tally, drawable
from tractcap.drawing.look import Coloring
from tractcap.drawing.territory import VOXEL, Territory
from tractcap.drawing.values import Range, values
from tractcap.drawing.views import Vector
from tractcap.errors import EmptyError, InputError
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Chunk, Tractogram


@dataclass(frozen=True)
class Extent:
    """The box in RAS+ mm around the streamlines that can be drawn, and what was counted on the way.

    ``center`` is the mean of their points. ``lengths`` are theirs; ``volume`` in mm³ is what they pass through, on a
    grid of voxels of ``voxel`` mm. ``values`` is the range of what is coloured by, ``without`` at how many points it is
    not a number.
    """

    low: Vector
    high: Vector
    center: Vector
    tally: Tally
    lengths: Summary
    volume: float
    voxel: float = VOXEL
    values: tuple[float, float] | None = None
    without: int = 0


def measure(
    tractogram: Tractogram,
    max_points: int,
    report: Callable[[int], None],
    coloring: Coloring | None = None,
    volume: Volume | None = None,
) -> Extent:
    """Read a tractogram once for its extent, and for the range of what it is coloured by (density: twice more).

    Raises
    ------
    EmptyError
        When it holds no streamlines.
    InputError
        When it is damaged, lacks the data, or holds no streamline that can be drawn.
    """
    shown = values(coloring, tractogram, volume, report) if coloring and coloring.measured else None
    box, found, tally = _Box(), Range(tractogram.header.points), Tally()
    lengths, territory = Lengths(), Territory()
    for chunk in tractogram.chunks(max_points, shown.data if shown else ""):
        kept = drawable(chunk, tally)
        if len(kept.points):
            box.add(kept)
            lengths.add(kept)
            territory.add(kept)
            if shown:
                found.add(shown.at(kept)[kept.new])
        report(tally.points)
    if not tally.streamlines:
        raise EmptyError(f"{tractogram.path} holds no streamlines.")
    if not tally.drawn:
        raise InputError(f"{tractogram.path} {_nothing(tally)}: there is nothing to draw.")
    ends = found.ends() if shown else None
    return Extent(
        _vector(box.low),
        _vector(box.high),
        box.center,
        tally,
        lengths.summary(),
        territory.volume,
        values=ends,
        without=found.without,
    )


@dataclass
class _Box:
    """Around points. Their sum is kept in whole numbers, since it must be the same whatever the chunks."""

    low: NDArray[np.float32] = field(default_factory=lambda: np.full(3, np.inf, np.float32))
    high: NDArray[np.float32] = field(default_factory=lambda: np.full(3, -np.inf, np.float32))
    count: int = 0
    quanta: tuple[int, ...] = (0, 0, 0)

    def add(self, chunk: Chunk) -> None:
        columns = chunk.points.T  # one after the other: much faster than along the rows
        self.low = np.minimum(self.low, [column.min() for column in columns])
        self.high = np.maximum(self.high, [column.max() for column in columns])
        fresh = columns[:, chunk.new]
        self.count += fresh.shape[1]
        sums = (np.rint(column * np.float32(QUANTA)).astype(np.int64).sum() for column in fresh)
        self.quanta = tuple(before + int(one) for before, one in zip(self.quanta, sums, strict=True))

    @property
    def center(self) -> Vector:
        x, y, z = (round(one / QUANTA / max(1, self.count), 3) for one in self.quanta)
        return x, y, z


def _vector(values: NDArray[np.float32]) -> Vector:
    x, y, z = (float(value) for value in values)
    return (x, y, z)


def _nothing(tally: Tally) -> str:
    reasons = " and ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items() if count)
    return f"holds only streamlines that can't be drawn ({reasons})"
