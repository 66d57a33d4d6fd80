"""How alike two pictures look."""

import numpy as np
from scipy.ndimage import gaussian_filter

_SIGMA = 1.5
_STABLE = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity (Wang et al., IEEE Trans Image Process 13:600, 2004) of pictures (rows, columns, 3).

    The mean over all pixels that are drawn in either: black surroundings, which are alike, would hide differences.
    """
    drawn = (one.any(axis=2) | other.any(axis=2))[..., None]
    one, other = one.astype(float), other.astype(float)

    def smooth(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, (_SIGMA, _SIGMA, 0), truncate=3.5)

    means = smooth(one), smooth(other)
    product = means[0] * means[1]
    variances = smooth(one**2) - means[0] ** 2 + smooth(other**2) - means[1] ** 2
    covariance = smooth(one * other) - product
    brightness = (2 * product + _STABLE[0]) / (means[0] ** 2 + means[1] ** 2 + _STABLE[0])
    structure = (2 * covariance + _STABLE[1]) / (variances + _STABLE[1])
    return float((brightness * structure).mean(axis=2, keepdims=True)[drawn].mean())
