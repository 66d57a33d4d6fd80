"""QuickBundles: streamlines as few that stand for them.

Garyfallidis, Brett, Correia, Williams and Nimmo-Smith (2012), QuickBundles, a Method for Tractography Simplification,
Front Neurosci 6, 175, doi:10.3389/fnins.2012.00175. dipy's QuickBundlesX finds about the same by way of coarser
clusters; its module loads scipy's optimizers and splines, which are larger than all else that checks need.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.sample import Streamline
from tractcap.drawing.position import resampled

POINTS = 20
"""That streamlines are compared at."""


def evened(streamlines: Sequence[Streamline]) -> NDArray[np.float32]:
    """Streamlines as ``POINTS`` points each, (S, POINTS, 3); dipy leaves those of one without length undefined."""
    return np.array([resampled(one, POINTS) for one in streamlines], np.float32)


def centroids(lines: NDArray[np.float32], threshold: float, random: np.random.Generator) -> NDArray[np.float32]:
    """The means of clusters, (C, POINTS, 3).

    Each line joins the cluster whose mean is nearest by MDF, turned to run with it, or begins one where none is nearer
    than ``threshold`` mm; the order is random.
    """
    sums, counts = np.empty_like(lines), np.zeros(len(lines), np.float32)
    means, found = np.empty_like(lines), 0
    for line in lines[random.permutation(len(lines))]:
        turned = _nearest(line, means[:found], threshold)
        at, line = turned if turned else (found, line)
        found += turned is None
        sums[at] = line + (sums[at] if turned else 0)
        counts[at] += 1
        means[at] = sums[at] / counts[at]
    return means[:found]


def _nearest(
    line: NDArray[np.float32], means: NDArray[np.float32], threshold: float
) -> tuple[int, NDArray[np.float32]] | None:
    """Which of these is nearest, and the line turned to run with it; None where none is near enough."""
    if not len(means):
        return None
    ahead, back = (np.sqrt(((means - one) ** 2).sum(axis=2)).mean(axis=1) for one in (line, line[::-1]))
    at = int(np.argmin(np.minimum(ahead, back)))
    if min(ahead[at], back[at]) >= threshold:
        return None
    return at, line if ahead[at] <= back[at] else line[::-1]
