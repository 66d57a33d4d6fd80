"""How far a tractogram reaches, which decides the frame of its pictures, and what else is measured on the way.

Headers can't be trusted with this: many give the grid of another image, or a grid of one voxel.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from tractcap.drawing.bounds import Bounds, BoundsMeter
from tractcap.drawing.lengths import LengthMeter, LengthSummary
from tractcap.drawing.lines import StreamlineCounts, drawable
from tractcap.drawing.point_values import Range, values
from tractcap.drawing.volume import VisitedVolume
from tractcap.errors import EmptyError, InputError
from tractcap.inputs.images import Volume
from tractcap.inputs.tractograms import Tractogram
from tractcap.records.options import Coloring


@dataclass(frozen=True)
class Extent(Bounds):
    """Where the streamlines lie that can be drawn, and what was counted on the way.

    ``lengths`` are theirs; ``volume`` in mm³ is what they pass through, on a grid of voxels of ``voxel`` mm. ``values``
    is the range of what is coloured by, of ``sampled`` of all ``valued`` points; at ``without`` of these it is not a
    number.
    """

    tally: StreamlineCounts
    lengths: LengthSummary
    volume: float
    voxel: float
    values: tuple[float, float] | None = None
    valued: int = 0
    sampled: int = 0
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
    places, found, tally = BoundsMeter(), Range(), StreamlineCounts()
    lengths, territory = LengthMeter(), VisitedVolume()
    for chunk in tractogram.chunks(max_points, shown.data if shown else ""):
        kept = drawable(chunk, tally)
        if len(kept.points):
            places.add(kept)
            lengths.add(kept)
            territory.add(kept)
            if shown:
                found.add(shown.at(kept)[kept.new])
        report(tally.points)
    if not tally.streamlines:
        raise EmptyError(f"{tractogram.path} holds no streamlines.")
    if not tally.drawn:
        raise InputError(f"{tractogram.path} {_nothing(tally)}: there is nothing to draw.")
    return Extent(
        **asdict(places.boxes()),
        tally=tally,
        lengths=lengths.summary(),
        volume=territory.volume,
        voxel=territory.voxel,
        values=found.ends() if shown else None,
        valued=found.seen,
        sampled=found.sampled,
        without=found.without,
    )


def _nothing(tally: StreamlineCounts) -> str:
    reasons = " and ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items() if count)
    return f"holds only streamlines that can't be drawn ({reasons})"
