"""A tractogram read whole, in chunks: its streamlines counted, measured, and looked at for twins."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.duplicates import Duplicates
from tractcap.checks.common.estimate import Estimate
from tractcap.checks.common.memory import CHUNK
from tractcap.checks.common.sample import Sample, Taker
from tractcap.drawing.lines import NOT_FINITE, TOO_SHORT, StreamlineCounts, drawable
from tractcap.drawing.measure import LengthMeter, LengthSummary
from tractcap.drawing.volume import VisitedVolume
from tractcap.inputs.tractograms import Chunk, Tractogram


@dataclass(frozen=True)
class Survey:
    """What there is in a tractogram.

    ``streamlines`` are all of its own, of which ``single`` have fewer than two points and ``broken`` points that are
    none. Of the others are ``lengths`` (mm) and the ``territory``; ``twins`` tells how many of them are the same as
    another one, and ``sample`` holds some of them.
    """

    streamlines: int
    single: int
    broken: int
    lengths: LengthSummary
    territory: VisitedVolume
    twins: Estimate
    sample: Sample

    @property
    def measured(self) -> int:
        """Streamlines of two points or more."""
        return self.streamlines - self.single - self.broken

    @property
    def volume(self) -> float:
        """In mm³, of the voxels that they pass through."""
        return self.territory.volume


Move = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def survey(
    tractogram: Tractogram,
    most: int,
    report: Callable[[int], None],
    move: Move | None = None,
    look: Callable[[Chunk], None] = lambda chunk: None,  # noqa: ARG005
) -> Survey:
    """Read a tractogram once.

    Parameters
    ----------
    most : streamlines of the sample. move : takes points to where the territory is to have them, (N, 3) each; None
        leaves them. look : is shown each chunk of streamlines of two points or more.

    Raises
    ------
    InputError
        When it can't be read, is damaged, or has no streamline of two points or more.
    """
    tally, lengths, territory, twins, taker = (
        StreamlineCounts(),
        LengthMeter(),
        VisitedVolume(),
        Duplicates(),
        Taker(most),
    )
    for chunk in tractogram.chunks(CHUNK):
        kept = drawable(chunk, tally)
        if len(kept.points):
            lengths.add(kept)
            twins.add(kept)
            taker.add(kept)
            territory.add(replace(kept, points=move(kept.points)) if move else kept)
            look(kept)
        report(tally.points)
    sample = taker.sample(tractogram, tally)
    single, broken = (tally.left_out[why] for why in (TOO_SHORT, NOT_FINITE))
    told = lengths.summary(), territory, twins.count(tally.drawn), sample
    return Survey(tally.streamlines, single, broken, *told)
