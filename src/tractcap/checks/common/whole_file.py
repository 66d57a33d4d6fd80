"""A tractogram read whole, in chunks: its streamlines counted, measured and sampled."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.check_definition import CHUNK, Report
from tractcap.checks.common.sample import Sample, Sampler
from tractcap.drawing.extent import LengthMeter, LengthSummary
from tractcap.drawing.lines import StreamlineCounts, drawable
from tractcap.drawing.volume import VisitedVolume
from tractcap.inputs.tractograms import Chunk, Tractogram


@dataclass(frozen=True)
class Survey:
    """What there is in a tractogram: ``counts`` of its streamlines, and a ``sample`` of those of two points or more.

    Of all these are the ``lengths`` (mm), and the ``territory``: the voxels that they pass through.
    """

    counts: StreamlineCounts
    lengths: LengthSummary
    territory: VisitedVolume
    sample: Sample


def survey(
    tractogram: Tractogram,
    report: Report,
    move: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
    also: Callable[[Chunk], None] | None = None,
) -> Survey:
    """Read a tractogram once.

    Parameters
    ----------
    move : takes points (N, 3) to where the territory is to have them; None leaves them. also : takes each chunk of
        streamlines of two points or more.

    Raises
    ------
    InputError
        When it can't be read, is damaged, or has no streamline of two points or more.
    """
    counts, lengths, territory, sampler = StreamlineCounts(), LengthMeter(), VisitedVolume(), Sampler()
    for chunk in tractogram.chunks(CHUNK):
        kept = drawable(chunk, counts)
        if len(kept.points):
            lengths.add(kept)
            sampler.add(kept)
            territory.add(replace(kept, points=move(kept.points)) if move else kept)
            if also:
                also(kept)
        report(counts.points)
    sample = sampler.sample(tractogram, counts)
    return Survey(counts, lengths.summary(), territory, sample)
