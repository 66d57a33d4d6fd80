"""Affines: from a file's own space to RAS+ mm, and whether they place anything."""

import numpy as np
from numpy.typing import NDArray


def to_rasmm(points: NDArray[np.floating], affine: NDArray[np.floating]) -> NDArray[np.float32]:
    """Apply an affine to points.

    Written out instead of as a matrix product: BLAS may round a row by where it stands in the matrix, and a
    point must not depend on the chunk that it came in.

    Parameters
    ----------
    points : ndarray (N, 3), in the file's own space.
    affine : ndarray (4, 4), to RAS+ mm.

    Returns
    -------
    ndarray (N, 3), float32, RAS+ mm.
    """
    result = np.empty((len(points), 3), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # points that are not finite are left out, and counted, later
        for axis in range(3):
            total = np.full(len(points), affine[axis, 3], np.float32)
            for source in range(3):
                if affine[axis, source]:
                    total += points[:, source] * np.float32(affine[axis, source])
            result[:, axis] = total
    return result


_VOXEL = 1e-3, 1e3
"""The smallest and largest side of a voxel, mm."""

_FARTHEST = 1e5
"""No image begins this far from the scanner's centre, mm."""


def places(affine: NDArray[np.floating]) -> bool:
    """Whether an affine (4, 4) places voxels: finite, with sides of a possible size that aren't parallel."""
    sides = np.asarray(affine, np.float64)[:3, :3]
    if not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(sides, axis=0)
    in_bounds = (lengths > _VOXEL[0]).all() and (lengths < _VOXEL[1]).all()
    in_bounds &= (np.abs(affine[:3, 3]) < _FARTHEST).all()
    return bool(in_bounds and abs(np.linalg.det(sides / lengths)) > 0.01)
