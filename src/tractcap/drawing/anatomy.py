"""The reference image in a picture: a slice through it, and the head or brain as a glass surface.

A slice is not drawn by OpenGL with the streamlines: it is a plane that faces the eye, so that its depth is a single
number, and is mixed with the streamlines' buffers sample by sample. So streamlines in front of it, in it and behind it
are shown as such, and it takes no memory but the image's. The glass is drawn first, and lies behind all streamlines.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.views import Frame, Vector, View
from tractcap.inputs.images import ImageFile, Volume, to_voxels, within
from tractcap.inputs.reading import reading

_SPACING = 2.0
"""mm between the voxels of the grid on which head or brain is separated from air."""

_MOST_CELLS = 160
"""Along each axis of that grid; its voxels are larger where the image is."""

_SMOOTH = 1.5
"""Voxels; standard deviation of the smoothing of the glass."""

SLICE_OPACITY = 0.62
"""How much a slice hides of what is behind it."""

GLASS_POWER = 2.0
"""How fast the glass clears from its rim (Fresnel's effect, roughly)."""


@dataclass(frozen=True)
class Mesh:
    """A closed surface: ``points`` (N, 3) in mm, unit ``normals`` (N, 3), both float32; ``triangles`` (T, 3) int64."""

    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.int64]


class Anatomy:
    """A reference image, prepared for pictures.

    ``image`` is windowed, (X, Y, Z) uint8; ``inside`` is 255 in head or brain and 0 in air, on a grid of its own.
    """

    def __init__(self, file: ImageFile) -> None:
        self.shape, self.affine = file.shape, file.affine
        self.image = file.shown()
        self.coarse = file.factor
        self.inside = _inside(self.image)

    @property
    def box(self) -> tuple[Vector, Vector]:
        """The box in mm around head or brain; of an image without any, that of its grid."""
        data, affine = self.inside.data > 127, self.inside.affine
        if not data.any():
            return self.image.box
        spans = [np.flatnonzero(data.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        low = affine[:3, :3] @ [span[0] - 0.5 for span in spans] + affine[:3, 3]
        high = affine[:3, :3] @ [span[-1] + 0.5 for span in spans] + affine[:3, 3]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def slice(
        self, view: View, frame: Frame, at: Vector, size: int, rows: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The slice that a view sees of those through the point ``at`` in mm.

        Parameters
        ----------
        size : pixels along the picture. rows : from which up to which of them, counted from the top.

        Returns
        -------
        How bright it is, 0 to 1, and how much of it is head or brain, 0 to 1; both (rows, size).
        """
        points = plane(view, frame, at, size, rows)
        gray, inside = self.image.at(points), self.inside.at(points)
        return np.nan_to_num(gray) / np.float32(255), np.nan_to_num(inside) / np.float32(255)

    def glass(self) -> Mesh | None:
        """The smooth surface of head or brain; None where there is none."""
        from scipy.ndimage import gaussian_filter
        from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
        from vtkmodules.vtkCommonDataModel import vtkImageData
        from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

        smooth = gaussian_filter(np.pad(self.inside.data, 6).astype(np.float32), _SMOOTH)
        if smooth.max() < 128:
            return None
        spacing = np.diag(self.inside.affine)[:3]
        grid = vtkImageData()
        grid.SetDimensions(*smooth.shape)
        grid.SetSpacing(*spacing)
        grid.SetOrigin(*(self.inside.affine[:3, 3] - 6 * spacing))
        flat = smooth.ravel(order="F")
        grid.GetPointData().SetScalars(numpy_to_vtk(flat))
        edges = vtkFlyingEdges3D()
        edges.SetInputData(grid)
        edges.SetValue(0, 127.5)
        edges.ComputeNormalsOn()
        edges.Update()
        surface = edges.GetOutput()
        return Mesh(
            vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float32),
            vtk_to_numpy(surface.GetPointData().GetNormals()).astype(np.float32),
            vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3),
        )


def read_anatomy(path: str) -> Anatomy:
    """Read a reference image; the last one is kept, since the next tractogram often has the same.

    Raises
    ------
    InputError
        When it can't be read.
    """
    with reading(Path(path)):
        return _read(path, Path(path).stat().st_mtime_ns)


@lru_cache(1)
def _read(path: str, _modified: int) -> Anatomy:
    return Anatomy(ImageFile(Path(path)))


def plane(view: View, frame: Frame, at: Vector, size: int, rows: tuple[int, int]) -> NDArray[np.float64]:
    """Points (rows, size, 3) in mm where pixels' lines of sight meet the plane through ``at`` that faces the eye."""
    pixel = frame.width / size
    across = (np.arange(size) + 0.5 - size / 2)[:, None] * pixel
    up = (size / 2 - np.arange(*rows) - 0.5)[:, None, None] * pixel
    points: NDArray[np.float64] = np.array(frame.center) + across * np.array(view.rightwards) + up * np.array(view.up)
    axis, _ = view.toward
    points[..., axis] = at[axis]
    return points


def depth_of(view: View, frame: Frame, at: Vector) -> float:
    """Mm from the frame's nearest plane to the plane through ``at`` that faces the eye."""
    ahead = sum((here - middle) * side for here, middle, side in zip(at, frame.center, view.seen_from, strict=True))
    return frame.depth / 2 - ahead


def outside(points: NDArray[np.float32], shape: tuple[int, int, int], affine: NDArray[np.float64]) -> int:
    """How many points (N, 3) in mm lie outside the box of a grid."""
    low, high = points.min(axis=0), points.max(axis=0)
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    if within(to_voxels(corners, affine), shape).all():  # a box is convex: none can be outside
        return 0
    return int((~within(to_voxels(points, affine), shape)).sum())


def _inside(image: Volume) -> Volume:
    """Separate head or brain from air: the largest bright body, its holes filled (threshold: Otsu, IEEE SMC 1979).

    It is 255 inside and 0 outside, on a coarse grid along the axes of the world, with air around it.
    """
    from dipy.segment.threshold import otsu
    from scipy import ndimage

    low, high = (np.array(corner) for corner in image.box)
    spacing = max(_SPACING, float((high - low).max()) / _MOST_CELLS)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low - spacing / 2
    bright = np.empty(np.ceil((high - low) / spacing).astype(int) + 2, np.uint8)
    x, y, zs = (affine[axis, 3] + spacing * np.arange(side) for axis, side in enumerate(bright.shape))
    for layer, z in enumerate(zs):
        points = np.stack(np.meshgrid(x, y, [z], indexing="ij"), axis=-1)[:, :, 0]
        bright[:, :, layer] = np.nan_to_num(image.at(points)) + np.float32(0.5)

    smooth = ndimage.gaussian_filter(bright.astype(np.float32), 1)
    threshold = float(otsu(smooth)) / 2 if smooth.max() > smooth.min() else 0.0  # low: dark tissue counts as inside
    parts, count = ndimage.label(smooth > threshold)
    body = parts == np.argmax(np.bincount(parts.ravel())[1:]) + 1 if count > 1 else parts > 0
    body = ndimage.binary_closing(np.pad(body, 4), iterations=3)[4:-4, 4:-4, 4:-4]
    body = ndimage.binary_fill_holes(body)
    return Volume(body.astype(np.uint8) * np.uint8(255), affine)
