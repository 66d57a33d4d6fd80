"""How much each streamline counts at each node of a profile: the more, the nearer it is to the core.

Yeatman, Dougherty, Myall, Wandell and Feldman (2012), Tract Profiles of White Matter Properties: Automating Fiber-Tract
Quantification, PLoS One 7(11), e49790, doi:10.1371/journal.pone.0049790.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def gaussian(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (S, N) of streamlines' nodes (S, N, 3), of each node 1 in sum.

    They are the Gaussian density at the Mahalanobis distance from the node's mean, as in the paper. dipy's
    ``gaussian_weights`` takes the inverse of that distance, which is infinite on the core, and reads the covariance's
    upper half alone.
    """
    weights = np.ones(lines.shape[:2])
    for node in range(lines.shape[1]):
        away = lines[:, node] - lines[:, node].mean(axis=0)
        spread = away.T @ away / len(away)
        squared = np.einsum("sa,ab,sb->s", away, np.linalg.pinv(spread, hermitian=True), away)
        weights[:, node] = np.exp(-squared / 2)
    weights /= weights.sum(axis=0)
    return weights


@dataclass(frozen=True)
class Profile:
    """Of each node (N,): the weighted ``mean``, the weighted standard deviation ``spread``; not a number where no
    streamline has a value. ``lacking`` counts the streamlines' nodes without one.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    lacking: int


def profile(values: NDArray[np.floating], weights: NDArray[np.float64]) -> Profile:
    """The profile of values (S, N), which needn't be numbers everywhere."""
    known = np.isfinite(values)
    counted = np.where(known, weights, 0)
    total = counted.sum(axis=0)
    share = np.divide(counted, total, out=np.zeros_like(counted), where=total > 0)
    numbers = np.where(known, values, 0).astype(np.float64)
    mean = (share * numbers).sum(axis=0)
    spread = np.sqrt((share * (numbers - mean) ** 2).sum(axis=0))
    none = total == 0
    mean[none], spread[none] = np.nan, np.nan
    return Profile(mean, spread, int((~known).sum()))
