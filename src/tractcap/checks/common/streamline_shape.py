"""The form of each streamline: how long, how bent, and from where to where."""

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common.sample import Streamline, length

__all__ = ["curvature", "cut", "even", "length", "span"]

STEP = 2.0
"""mm between the points that curvature is measured at: closer ones tell of the tracking's own jitter."""


def even(streamline: Streamline, step: float = STEP) -> NDArray[np.float64]:
    """Points (N, 3) at equal distances along a streamline, about a step apart, three at least."""
    exact = streamline.astype(np.float64)
    along = np.concatenate([[0], np.cumsum(np.sqrt((np.diff(exact, axis=0) ** 2).sum(axis=1)))])
    places = np.linspace(0, along[-1], max(3, round(along[-1] / step) + 1))
    return np.stack([np.interp(places, along, exact[:, axis]) for axis in range(3)], axis=1)


def curvature(streamline: Streamline) -> float | None:
    """Mean curvature in 1/mm: the angle between neighbouring steps over their length; None for one without length.

    The discrete curvature of do Carmo, Differential Geometry of Curves and Surfaces (1976), section 1.5, as a
    quotient of differences.
    """
    steps = np.diff(even(streamline), axis=0)
    long = np.sqrt((steps**2).sum(axis=1))
    if not long.min(initial=np.inf) > 0:
        return None
    along = (steps[1:] * steps[:-1]).sum(axis=1) / (long[1:] * long[:-1])
    angles = np.arccos(np.clip(along, -1, 1))
    return float((angles / ((long[1:] + long[:-1]) / 2)).mean())


def span(streamline: Streamline) -> float:
    """From end to end in mm."""
    return float(np.sqrt(((streamline[-1].astype(np.float64) - streamline[0]) ** 2).sum()))


def cut(streamline: Streamline, end: float) -> tuple[Streamline, Streamline, Streamline]:
    """Both ends of a streamline, ``end`` mm long or half of it, and what is between them, which may have no points."""
    steps = np.sqrt((np.diff(streamline.astype(np.float64), axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0], np.cumsum(steps)])
    short = min(end, along[-1] / 2)
    at = np.stack([np.interp([short, along[-1] - short], along, streamline[:, axis]) for axis in range(3)], axis=1)
    first, last = at.astype(np.float32)[:1], at.astype(np.float32)[1:]
    before, after = streamline[along < short], streamline[along > along[-1] - short]
    middle = streamline[(along > short) & (along < along[-1] - short)]
    between = np.concatenate([first, middle, last]) if along[-1] > 2 * end else middle[:0]
    return np.concatenate([before, first]), np.concatenate([last, after]), between
