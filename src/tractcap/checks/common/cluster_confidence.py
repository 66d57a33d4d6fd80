"""The cluster confidence index of streamlines: how many others follow the same way, the nearer the more.

Jordan, Amirbekian, Keshavan and Henry (2018), Cluster Confidence Index: A Streamline-Wise Pathway Reproducibility
Metric for Diffusion-Weighted MRI Tractography, J Neuroimaging 28(1), 64-69, doi:10.1111/jon.12467.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common import pairwise_distances
from tractcap.checks.common.duplicates import PRECISION
from tractcap.checks.common.sample import Streamline, length
from tractcap.inputs.tractograms import Tractogram

FARTHEST = 5.0
"""mm; streamlines at that distance or beyond give no support (the method's default)."""

POINTS = 12
"""That distances are measured at, of each streamline (the method's default)."""

SHORTEST = 20.0
"""mm; below it dipy declines to measure."""


def confidence(
    some: Sequence[Streamline], tractogram: Tractogram, report: Callable[[int], None]
) -> NDArray[np.float64]:
    """The index of some of a tractogram's streamlines, (S,): the sum of 1/MDF over all others nearer than ``FARTHEST``.

    The same as dipy's ``cluster_confidence`` of all of them. Streamlines that are the same give each other no support,
    where dipy declines to go on; short ones give none either.
    """
    found = np.zeros(len(some))
    for apart in pairwise_distances.distances(some, tractogram, POINTS, report, lambda one: length(one) >= SHORTEST):
        near = (apart > PRECISION) & (apart < FARTHEST)
        found += np.divide(1, apart, out=np.zeros_like(apart), where=near).sum(axis=1)
    return found
