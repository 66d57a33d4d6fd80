"""An image of a bundle, as an atlas may hold it: which voxels are the bundle's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from tractcap.checks.common.check_definition import CheckFile
from tractcap.checks.common.sample import Streamline
from tractcap.drawing.volume import VOXEL, VisitedVolume
from tractcap.errors import InputError
from tractcap.inputs.images import ImageFile, Volume

INSIDE = 0.5
"""Of the image's highest value; voxels above it are the bundle's, whether they hold 0 and 1, shares or percent."""

_MOST_SHOWN = 5_000
"""Voxels."""


@dataclass(frozen=True)
class BundleMask:
    """``centers`` (N, 3) of its voxels in mm, and those of its surface, ``rim`` (M, 3); on the grid of ``volume``."""

    centers: NDArray[np.float64]
    rim: NDArray[np.float64]
    volume: Volume

    @property
    def territory(self) -> VisitedVolume:
        """Its voxels, as those of streamlines whose points :meth:`on_grid` has moved."""
        territory = VisitedVolume()
        territory.mark(self.on_grid(self.centers))
        return territory

    @property
    def caption(self) -> str:
        """How large it is, and how much of its surface is drawn."""
        shown, rim = len(self._shown), len(self.rim)
        of = f", {shown:,} of {rim:,} at its surface shown" if shown < rim else ""
        return f"an image of {len(self.centers):,} voxels{of}"

    @property
    def strokes(self) -> list[Streamline]:
        """Its rim as something to be drawn from all sides: crosses in voxels, as many of these as may be shown."""
        halves = np.abs(self.volume.affine[:3, :3]).sum(axis=1).min() / 2 * np.eye(3)
        return [np.array([at - half, at + half], np.float32) for at in self._shown for half in halves]

    def on_grid(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (N, 3) in mm, moved so that the image's voxels become those of a territory, around its origin.

        Voxels are compared where they are: on a grid beside them half of them would differ.
        """
        moved: NDArray[np.float32] = ((self.volume.voxels(points).T - self._middle + 0.5) * VOXEL).astype(np.float32)
        return moved

    def off_grid(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (N, 3) that :meth:`on_grid` has moved, back to where they were in mm."""
        return _in_mm(points / VOXEL + self._middle - 0.5, self.volume)

    @property
    def _middle(self) -> NDArray[np.int64]:
        return np.array(self.volume.data.shape) // 2

    @property
    def _shown(self) -> NDArray[np.float64]:
        return self.rim[:: max(1, -(-len(self.rim) // _MOST_SHOWN))]


def read(file: CheckFile) -> BundleMask:
    """Read an image as a mask.

    Raises
    ------
    InputError
        When it can't be read, or no voxel has a value above zero.
    """
    volume = ImageFile(Path(file.path)).values()
    known = np.isfinite(volume.data)
    highest = float(volume.data.max(initial=0, where=known))
    if highest <= 0:
        raise InputError(f"{file.path} has no voxel above zero: give an image of the bundle.")
    inside = known & (volume.data > INSIDE * highest)
    rim = inside & ~binary_erosion(inside)
    return BundleMask(_in_mm(np.argwhere(inside), volume), _in_mm(np.argwhere(rim), volume), volume)


def _in_mm(voxels: NDArray[np.int64] | NDArray[np.floating], volume: Volume) -> NDArray[np.float64]:
    points: NDArray[np.float64] = voxels @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return points
