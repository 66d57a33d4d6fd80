"""Some streamlines beside all streamlines of a tractogram, which are read in batches and never held whole.

So what some of them find among all is what they would find if all were compared, at a cost that grows with the number
of streamlines and not with its square.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from dipy.tracking.distances import bundles_distances_mdf
from dipy.tracking.streamlinespeed import set_number_of_points
from numpy.typing import NDArray

from tractcap.checks.common.check_definition import Report
from tractcap.checks.common.sample import SEED, Sample, Streamline, streamlines
from tractcap.inputs.tractograms import Tractogram

MOST = 200_000_000
"""Pairs that are compared: 2,000 streamlines with 100,000. Fewer are compared with more, down to ``FEWEST``."""

FEWEST = 200

_BATCH = 250


def thinned(sample: Sample, others: int) -> Sample:
    """As many of a sample's streamlines as can be compared with so many others, each with the same chance."""
    most = max(FEWEST, MOST // max(1, others))
    if len(sample.streamlines) <= most:
        return sample
    kept = np.sort(np.random.default_rng(SEED).permutation(len(sample.streamlines))[:most])
    return replace(sample, streamlines=[sample.streamlines[at] for at in kept], numbers=sample.numbers[kept])


def distances(
    some: Sequence[Streamline],
    tractogram: Tractogram,
    points: int,
    report: Report,
    counts: Callable[[Streamline], bool] | None = None,
) -> Iterator[NDArray[np.float64]]:
    """From each of some streamlines to all of a tractogram's that count: distances (S, B) in mm to one batch at a time.

    They are MDF (Garyfallidis et al. 2012, doi:10.3389/fnins.2012.00175) at so many points. Batches hold the same
    streamlines whatever the chunks that these are read in, so that sums over them are the same too.
    """
    resampled = set_number_of_points(list(some), nb_points=points)
    every = filter(counts, streamlines(tractogram, report)) if counts else streamlines(tractogram, report)
    while batch := list(islice(every, _BATCH)):
        yield bundles_distances_mdf(resampled, set_number_of_points(batch, nb_points=points))
