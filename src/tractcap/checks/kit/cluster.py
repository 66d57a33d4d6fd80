"""The cluster confidence index of streamlines: how many others follow the same way, the nearer the more.

Jordan, Amirbekian, Keshavan and Henry (2018), Cluster Confidence Index: A Streamline-Wise Pathway Reproducibility
Metric for Diffusion-Weighted MRI Tractography, J Neuroimaging 28(1), 64-69, doi:10.1111/jon.12467.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.kit.sample import Streamline

FARTHEST = 5.0
"""mm; streamlines at that distance or beyond give no support (the method's default)."""

POINTS = 12
"""That distances are measured at, of each streamline (the method's default)."""

SHORTEST = 20.0
"""mm; below it dipy declines to measure."""

_BLOCK = 100


def confidence(streamlines: Sequence[Streamline], report: Callable[[int], None]) -> NDArray[np.float64]:
    """The index of each streamline, (S,): the sum of 1/MDF over all others nearer than ``FARTHEST`` mm.

    The same as dipy's ``cluster_confidence``, in blocks; where that declines to go on, at streamlines that are there
    twice, these give each other no support.
    """
    from dipy.tracking.distances import bundles_distances_mdf
    from dipy.tracking.streamlinespeed import set_number_of_points

    few = set_number_of_points(list(streamlines), nb_points=POINTS)
    found = np.zeros(len(few))
    for first in range(0, len(few), _BLOCK):
        apart = bundles_distances_mdf(few[first : first + _BLOCK], few)
        near = (apart > 0) & (apart < FARTHEST)
        found[first : first + _BLOCK] = np.divide(1, apart, out=np.zeros_like(apart), where=near).sum(axis=1)
        report(first)
    return found
