"""Which way fibres run in each voxel: peaks, and orientation distribution functions (ODFs) as spherical harmonics.

Images of them have tens of values a voxel: only the voxels that a slice leads through are read.

- MRtrix: peaks are vectors along the scanner's axes, as long as their amplitude, (X, Y, Z, 3N); absent ones are NaN
  (``cmd/sh2peaks.cpp``, ``cmd/peaksconvert.cpp``). Spherical harmonics: "Spherical harmonics" in its documentation.
- DIPY: peaks are unit vectors along the image's axes, (X, Y, Z, N, 3); absent ones are 0 (``dipy.io.peaks``). Spherical
  harmonics: ``dipy.reconst.shm``.
- TractSeg's peaks are MRtrix's, its tract orientation maps too.
- FSL: vectors such as dtifit's V1 have the axes of its gradient tables ("What conventions do the bvecs use").
"""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.fiber_conventions import (
    BVEC,
    DESCOTEAUX_LEGACY,
    MRTRIX,
    TOURNIER,
    VOXEL,
    WORLD,
    FiberConvention,
    of_basis,
)
from tractcap.inputs.images import open_placed, sidecar, space_of
from tractcap.inputs.mrtrix_image import read_mrtrix_image
from tractcap.inputs.reading import check_file, reading
from tractcap.inputs.stored_grid import StoredGrid

MOST_VALUES = 512
"""An image of more values a voxel holds neither peaks nor spherical harmonics."""

_REFERENCES = {"xyz": WORLD, "ijk": VOXEL, "bvec": BVEC}
_BASES = {"mrtrix3": TOURNIER, "descoteaux": DESCOTEAUX_LEGACY}
"""BIDS' words for axes and bases (extension proposal 16), and ours. Its descoteaux basis is what DIPY calls legacy."""

_MIF = (".mif", ".mif.gz")


class FiberModelFile:
    """An image of several values a voxel, opened and checked; read by :meth:`values`.

    Attributes
    ----------
    shape : voxels along each axis. affine : (4, 4), from voxels to RAS+ mm. count : values a voxel.
    space : how its header places its voxels.
    convention : what its directions refer to. note : what of it was assumed, as a sentence; may be empty.
    """

    _WANTED = ""

    def __init__(self, path: Path, given: FiberConvention) -> None:
        self.path = path
        check_file(path, self._WANTED)
        if path.name.lower().endswith(".pam5"):
            raise InputError(
                f"{path} isn't read: write what it holds as NIfTI images with dipy.io.peaks.pam_to_niftis."
            )
        if is_mif := path.name.lower().endswith(_MIF):
            self._grid, self.affine = read_mrtrix_image(path)
            self.space = "transform"
            self._tail: tuple[int, ...] = (len(self._grid.offsets),)
        else:
            self._grid, self.affine, self._tail, self.space = _of_nifti(path, self._WANTED)
        self.shape, self.count = self._grid.shape, len(self._grid.offsets)
        if self.count > MOST_VALUES:
            raise InputError(f"{path} has {self.count:,} values a voxel: {self._WANTED}.")
        said = given.completed(of_basis(MRTRIX) if is_mif else _of_sidecar(path))
        self.note, assumed = self._assumed(said)
        self.convention = said.completed(assumed)

    def _assumed(self, said: FiberConvention) -> tuple[str, FiberConvention]:
        """What isn't said: as a sentence, and what is taken."""
        raise NotImplementedError

    def values(self, voxels: NDArray[np.int64]) -> NDArray[np.float32]:
        """The values of some voxels, (N, 3) from 0 along each axis, as they are stored: (N, count) float32.

        Raises
        ------
        InputError
            When they can't be read.
        """
        return self._grid.gather(voxels)

    @property
    def axes(self) -> NDArray[np.float64]:
        """What takes directions of the file to RAS+ directions, (3, 3): its columns are unit vectors."""
        if self.convention.frame == WORLD:
            return np.eye(3)
        axes: NDArray[np.float64] = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        if self.convention.frame == BVEC and np.linalg.det(axes) > 0:
            axes[:, 0] *= -1
        return axes


class PeaksFile(FiberModelFile):
    """Peaks: vectors along which fibres run, a few in each voxel.

    Raises
    ------
    InputError
        When it isn't an image of vectors.
    """

    _WANTED = "give an image of peaks, of three values for each"

    def __init__(self, path: Path, given: FiberConvention | None = None) -> None:
        super().__init__(path, given or FiberConvention())
        if self.count % 3 or self.count == 1 or (len(self._tail) == 2 and self._tail[1] != 3):
            sides = " × ".join(map(str, (*self.shape, *self._tail)))
            raise InputError(
                f"{path} has the dimensions {sides}: {self._WANTED} (X × Y × Z × 3N, or X × Y × Z × N × 3)."
            )

    def _assumed(self, said: FiberConvention) -> tuple[str, FiberConvention]:
        if said.frame:
            return "", FiberConvention()
        if len(self._tail) == 2:
            return "the file doesn't say its peaks' axes: the image's are taken, as by DIPY", FiberConvention(VOXEL)
        return "the file doesn't say its peaks' axes: the scanner's are taken, as by MRtrix", FiberConvention(WORLD)

    def peaks(self, voxels: NDArray[np.int64]) -> NDArray[np.float32]:
        """The peaks of some voxels (N, 3) as RAS+ vectors (N, P, 3), 0 where there is none, NaN where it is infinite.

        Raises
        ------
        InputError
            When they can't be read.
        """
        stored = self.values(voxels)
        if len(self._tail) == 2:  # the values of a voxel are in the file's order, in which the last axis is the slowest
            vectors = stored.reshape(-1, 3, self.count // 3).transpose(0, 2, 1)
        else:
            vectors = stored.reshape(-1, self.count // 3, 3)
        there = np.isfinite(vectors).all(axis=-1, keepdims=True)
        found: NDArray[np.float32] = np.where(there, vectors, 0) @ self.axes.T.astype(np.float32)
        found[np.isinf(vectors).any(axis=-1)] = np.nan
        return found


class OdfFile(FiberModelFile):
    """Orientation distribution functions: coefficients of spherical harmonics in each voxel.

    Attributes
    ----------
    order : the highest order. full : whether there are odd orders too, as lobes need that differ from their opposites.

    Raises
    ------
    InputError
        When their number is none that spherical harmonics have.
    """

    _WANTED = "give an image of spherical harmonics, of 6, 15, 28, 45 or more values a voxel"

    def __init__(self, path: Path, given: FiberConvention | None = None) -> None:
        super().__init__(path, given or FiberConvention())
        symmetric, full = (math.isqrt(8 * self.count + 1) - 3) // 2, math.isqrt(self.count) - 1
        self.full = (full + 1) ** 2 == self.count and full > 0
        self.order = full if self.full else symmetric
        whole = self.full or ((symmetric + 1) * (symmetric + 2) == 2 * self.count and symmetric % 2 == 0)
        if len(self._tail) != 1 or not whole:
            sides = " × ".join(map(str, (*self.shape, *self._tail)))
            raise InputError(f"{path} has the dimensions {sides}: {self._WANTED}.")

    def _assumed(self, said: FiberConvention) -> tuple[str, FiberConvention]:
        if said.basis and said.frame:
            return "", FiberConvention()
        if said.basis:
            return "", FiberConvention(WORLD if said.basis == TOURNIER else VOXEL)
        return "the file doesn't say its basis of spherical harmonics: MRtrix's is taken", of_basis(MRTRIX)

    def amplitudes(self, directions: NDArray[np.floating]) -> NDArray[np.float64]:
        """What takes coefficients (…, count) to the ODF along RAS+ unit vectors (D, 3): a matrix (count, D)."""
        from dipy.core.sphere import Sphere
        from dipy.reconst.shm import sh_to_sf_matrix

        own = np.linalg.solve(self.axes, np.asarray(directions, np.float64).T).T
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        basis, _, legacy = self.convention.basis.partition("_")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", PendingDeprecationWarning
            )  # of legacy bases, which files are in all the same
            matrix: NDArray[np.float64] = sh_to_sf_matrix(
                Sphere(xyz=own),
                sh_order_max=self.order,
                basis_type=basis,
                full_basis=self.full,
                legacy=bool(legacy),
                return_inv=False,
            )
        return matrix


def crossed_voxels(shape: tuple[int, int, int], affine: NDArray[np.float64], axis: int, at: float) -> NDArray[np.int64]:
    """The voxels that a slice leads through, (N, 3): of each row that runs across it, the one that it meets.

    Parameters
    ----------
    axis, at : the slice is where this world axis (0, 1, 2) has this coordinate in mm.
    """
    across = int(np.argmax(np.abs(affine[axis, :3])))  # the image's axis that runs across the slice most
    along = [other for other in range(3) if other != across]
    first, second = (index.ravel() for index in np.indices([shape[other] for other in along]))
    rest = at - affine[axis, 3] - first * affine[axis, along[0]] - second * affine[axis, along[1]]
    voxels = np.empty((len(first), 3), np.int64)
    voxels[:, along[0]], voxels[:, along[1]] = first, second
    voxels[:, across] = np.floor(rest / affine[axis, across] + 0.5)
    inside = (voxels[:, across] >= 0) & (voxels[:, across] < shape[across])
    return voxels[inside]


def _of_nifti(path: Path, wanted: str) -> tuple[StoredGrid, NDArray[np.float64], tuple[int, ...], str]:
    """Where the values of a NIfTI image are, its affine, its sides from the fourth on, and how it is placed."""
    from nibabel import Nifti1Pair

    with reading(path, "an image"):
        image: Any = open_placed(path)
        sides = [int(side) for side in image.shape]
        if not isinstance(image, Nifti1Pair):
            raise InputError(f"{path} is neither a NIfTI nor an MRtrix image: {wanted}.")
        if len(sides) not in (4, 5) or min(sides) < 1:
            raise InputError(f"{path} has the dimensions {' × '.join(map(str, sides))}: {wanted}.")
        proxy = image.dataobj
        x, y, z = sides[:3]
        grid = StoredGrid(
            Path(image.file_map["image"].filename),
            int(proxy.offset),
            image.get_data_dtype(),
            (x, y, z),
            (1, x, x * y),
            np.arange(math.prod(sides[3:])) * (x * y * z),
            float(proxy.slope),
            float(proxy.inter),
        )
    return grid, np.asarray(image.affine, np.float64), tuple(sides[3:]), space_of(image)


def _of_sidecar(path: Path) -> FiberConvention:
    """What the JSON file beside an image says of its directions."""
    found = sidecar(path)
    encoding = found.get("OrientationEncoding")
    words = found | encoding if isinstance(encoding, dict) else found
    reference, basis = (str(words.get(key, "")).lower() for key in ("Reference", "SphericalHarmonicBasis"))
    return FiberConvention(_REFERENCES.get(reference, ""), _BASES.get(basis, ""))
