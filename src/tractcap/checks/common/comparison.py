"""Two bundles beside each other: how much of their volume they share, how far they lie apart, how alike they are."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common import estimate, pairwise_distances
from tractcap.checks.common.check import Value
from tractcap.checks.common.estimate import Estimate
from tractcap.checks.common.quickbundles import POINTS, centroids, evened
from tractcap.checks.common.sample import SEED, Sample, Streamline
from tractcap.drawing.volume import VisitedVolume
from tractcap.inputs.tractograms import Tractogram

Report = Callable[[int], None]

CLUSTERING = 1.5
"""mm; threshold by which streamlines are clustered before bundles are compared (the method's default)."""

ADJACENT = 6.0
"""mm; clusters nearer than that are taken for the same (the method's default)."""


def overlap(ours: VisitedVolume, theirs: VisitedVolume) -> dict[str, Value]:
    """Dice, and overlap and overreach as shares of their volume.

    Overlap is what we reach of theirs, overreach what we have beyond it (Maier-Hein et al. 2017, Nat Commun 8, 1349,
    doi:10.1038/s41467-017-01285-x).
    """
    own, other, both = ours.volumes(theirs)
    return {
        "Dice": round(2 * both / (own + other), 6),
        "Overlap": round(both / other, 6),
        "Overreach": round((own - both) / other, 6),
    }


def distances(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each of our points (N, 3) to the nearest of theirs, (N,) in mm."""
    from scipy.spatial import cKDTree

    found: NDArray[np.float64] = cKDTree(theirs).query(ours)[0]
    return found


def adjacency(
    ours: Sample, our_tractogram: Tractogram, theirs: Sample, their_tractogram: Tractogram, report: Report
) -> Estimate:
    """Bundle adjacency, from 0 to 1: the mean share of two bundles' streamlines that have one of the other's near.

    Garyfallidis et al. (2012), doi:10.3389/fnins.2012.00175. Those of both samples are compared with all of the other
    bundle's: among some only, fewer would have one near.
    """
    shares = []
    for some, others in ((ours, their_tractogram), (theirs, our_tractogram)):
        near = np.zeros(len(some.streamlines), bool)
        for apart in pairwise_distances.distances(some.streamlines, others, POINTS, report):
            near |= (apart < ADJACENT).any(axis=1)
        shares.append(estimate.share(float(near.mean()), len(near), some.fraction))
    return estimate.average(*shares)


def similarity(ours: Sequence[Streamline], theirs: Sequence[Streamline]) -> float:
    """Shape similarity, from 0 to 1: the mean share of two bundles' clusters that have one of the other's near.

    Garyfallidis et al. (2012), doi:10.3389/fnins.2012.00175; Chandio et al. (2020), doi:10.1038/s41598-020-74054-4. Of
    whole bundles: the more streamlines, the more of the clusters are those of stray ones.
    """
    from dipy.tracking.distances import bundles_distances_mdf

    random = np.random.default_rng(SEED)
    clusters = (centroids(evened(one), CLUSTERING, random) for one in (ours, theirs))
    near = bundles_distances_mdf(*map(list, clusters)) < ADJACENT
    return float((near.any(axis=1).mean() + near.any(axis=0).mean()) / 2)


def box_apart(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> bool:
    """Whether the boxes around points (N, 3) don't even touch."""
    lows, highs = (np.array([edge(one, axis=0) for one in (ours, theirs)]) for edge in (np.min, np.max))
    return bool((lows.max(axis=0) > highs.min(axis=0)).any())
