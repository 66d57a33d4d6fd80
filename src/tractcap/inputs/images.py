"""Images on a grid, of any orientation: reference images and scalar maps, sampled at points in RAS+ mm.

They are read a few slices at a time. A map is kept in single precision; a reference image in one byte a voxel, as its
window shows it, and coarser if it has more than some 33 million voxels.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError, RecordError
from tractcap.files import read_text
from tractcap.inputs.affines import places
from tractcap.inputs.reading import check_file, each, reading, size_bound

MOST_VOXELS = 320**3
"""A reference image of more voxels is made coarser."""

_SLAB = 2**20
"""Voxels that are read at once, or one slice where that has more."""

_SAMPLE = 200_000
"""Values that the window is determined from."""

_WINDOW = (1.0, 99.5)
"""Percentiles of the voxels that aren't zero, shown as black and white, so that a few bright voxels don't darken all
others."""

_LONGEST_UNIT = 60  # characters

_CONVERT = "Make a NIfTI file of it that has the right sform"

_KINDS = "biuf"  # numpy's kinds of truth values, integers and real numbers

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Volume:
    """Values on a grid.

    Parameters
    ----------
    data : ndarray (X, Y, Z).
    affine : ndarray (4, 4), from voxels to RAS+ mm.
    unit : what the values count; may be empty.
    """

    data: NDArray[Any]
    affine: NDArray[np.float64]
    unit: str = ""

    def at(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Values at points (…, 3) in RAS+ mm, interpolated trilinearly; NaN outside the grid's box."""
        from scipy.ndimage import map_coordinates

        voxels = self.voxels(points)
        sides = np.array(self.data.shape, np.float64).reshape(3, *[1] * (voxels.ndim - 1))
        values: NDArray[np.float32] = map_coordinates(
            self.data, np.clip(voxels, 0, sides - 1), np.float32, order=1, prefilter=False
        )
        values[~within(voxels, self.data.shape)] = np.nan
        return values

    def voxels(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (…, 3) in mm as voxel coordinates (3, …)."""
        return to_voxels(points, self.affine)

    @property
    def box(self) -> tuple[Vector, Vector]:
        """The lowest and the highest coordinates in mm of the grid's corners."""
        return box(self.data.shape, self.affine)


def to_voxels(points: NDArray[np.floating], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (…, 3) in mm as voxel coordinates (3, …) of a grid."""
    inverse = np.linalg.inv(affine)
    x, y, z = (points[..., axis].astype(np.float64) for axis in range(3))
    # row by row, in a fixed order: a product of matrices would round differently in another chunk
    return np.stack([row[0] * x + row[1] * y + row[2] * z + row[3] for row in inverse[:3]])


def within(voxels: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which voxel coordinates (3, …) lie in the box of a grid, to the outer faces of its voxels."""
    inside = np.ones(voxels.shape[1:], bool)
    for along, side in zip(voxels, shape, strict=True):
        inside &= (along >= -0.5) & (along <= side - 0.5)
    return inside


def box(shape: tuple[int, ...], affine: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """The lowest and the highest coordinates in mm of a grid's corners."""
    return corners((0, 0, 0), [side - 1 for side in shape[:3]], affine)


def corners(first: Sequence[int], last: Sequence[int], affine: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """The lowest and the highest coordinates in mm of the voxels from a first one to a last one along each axis."""
    ends = [(low - 0.5, high + 0.5) for low, high in zip(first, last, strict=True)]
    world = affine[:3, :3] @ np.array(np.meshgrid(*ends)).reshape(3, -1) + affine[:3, 3:]
    (x, y, z), (far_x, far_y, far_z) = world.min(axis=1).tolist(), world.max(axis=1).tolist()
    return (x, y, z), (far_x, far_y, far_z)


class ImageFile:
    """One image file, opened and checked; its voxels are read by :meth:`values` or :meth:`shown`.

    Raises
    ------
    InputError
        When it can't be read, isn't an image of one volume of real numbers, or doesn't say where its voxels lie.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        check_file(path, "give an image such as a NIfTI file")
        with reading(path, "an image"):
            self._image = open_placed(path)
            shape = tuple(int(side) for at, side in enumerate(self._image.shape) if at < 3 or side != 1)
            if len(shape) != 3 or min(shape) < 1:
                raise InputError(
                    f"{path} has the dimensions {' × '.join(map(str, self._image.shape))}: give an image of one volume."
                )
            self.shape = shape[0], shape[1], shape[2]
            self.affine = np.asarray(self._image.affine, np.float64)

    @property
    def space(self) -> str:
        """How the header places the voxels; see :func:`space_of`."""
        return space_of(self._image)

    @property
    def factor(self) -> int:
        """How many voxels along each axis are shown as one."""
        factor = 1
        while np.prod([-(-side // factor) for side in self.shape]) > MOST_VOXELS:
            factor += 1
        return factor

    def values(self) -> Volume:
        """The values as they are, (X, Y, Z) float32, and their unit, if the BIDS sidecar has a few words for it."""
        data = np.empty(self.shape, np.float32)
        for first, slab in self.slabs(1):
            data[..., first : first + slab.shape[2]] = slab
        unit = sidecar(self.path).get("Units", "")
        is_short = isinstance(unit, str) and unit.isprintable() and len(unit) <= _LONGEST_UNIT
        return Volume(data, self.affine, unit if is_short else "")

    def shown(self) -> Volume:
        """The image as its window shows it, (X, Y, Z) uint8; NaN is 0, like all that is darkest."""
        step = max(1, int(np.prod(self.shape)) // _SAMPLE)
        sample = np.concatenate([slab.ravel()[::step] for _, slab in self.slabs(1)])
        sample = sample[np.isfinite(sample) & (sample != 0)]
        window = np.percentile(sample, _WINDOW) if len(sample) else np.array([0, 1])
        low, high = window.astype(np.float32)
        if not high > low:
            low, high = min(low, np.float32(0)), max(high, low + 1)
        factor = self.factor
        data = np.zeros([-(-side // factor) for side in self.shape], np.uint8)
        for first, slab in self.slabs(factor):
            bright = np.nan_to_num(np.clip((_coarser(slab, factor) - low) / (high - low), 0, 1))
            data[..., first // factor : first // factor + bright.shape[2]] = bright * 255 + 0.5
        affine = self.affine @ np.diag([factor, factor, factor, 1.0])
        affine[:3, 3] += self.affine[:3, :3] @ np.full(3, (factor - 1) / 2)
        return Volume(data, affine)

    def slabs(self, multiple: int = 1) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The slices in slabs of a multiple, but for the last, each with its first slice's number.

        Raises
        ------
        InputError
            When they can't be read.
        """
        step = max(1, _SLAB // max(1, self.shape[0] * self.shape[1] * multiple)) * multiple

        def slab(first: int) -> tuple[int, NDArray[np.float32]]:
            last = min(first + step, self.shape[2])
            values = np.asarray(self._image.dataobj[:, :, first:last], np.float32)
            return first, values.reshape(*self.shape[:2], last - first)

        return each(self.path, "an image", map(slab, range(0, self.shape[2], step)))


def open_placed(path: Path) -> Any:
    """Open an image with nibabel, and check that it has real numbers, says where its voxels lie, and isn't cut off.

    Call it while :func:`reading` the file.

    Raises
    ------
    InputError
        When it hasn't, doesn't, or is.
    """
    import nibabel as nib

    try:
        # kept open: a compressed file is unpacked from its start each time that it is opened
        is_nifti = path.name.lower().endswith((".nii", ".nii.gz"))
        image: Any = nib.load(path, keep_file_open=True) if is_nifti else nib.load(path)
    except ImportError as error:
        raise InputError(f"{path} is of a kind that isn't read here ({error}): give a NIfTI file.") from error
    if not hasattr(image, "dataobj") or getattr(image, "affine", None) is None:
        raise InputError(f"{path} is not an image on a grid of voxels.")
    if (kind := image.get_data_dtype()).kind not in _KINDS:
        raise InputError(f"{path} holds values of type {kind}: give an image of real numbers.")
    if why := _unplaced(image):
        raise InputError(f"{path} doesn't say where its voxels lie in mm: {why}.")
    if not places(np.asarray(image.affine, np.float64)):
        raise InputError(f"{path} has no usable affine: its header doesn't say where its voxels lie in mm.")
    needed = math.prod(map(int, image.shape)) * kind.itemsize
    if needed > size_bound(Path(image.file_map["image"].filename)):
        raise InputError(f"{path} is cut off: its header promises {needed:,} bytes, more than it can hold.")
    return image


def space_of(image: Any) -> str:
    """How a header places the voxels, such as by a NIfTI file's sform, and in which space, as far as it says."""
    header = image.header
    for form in ("sform", "qform"):
        if hasattr(header, f"get_{form}") and getattr(header, f"get_{form}")(coded=True)[1]:
            return f"{form}, {header.get_value_label(f'{form}_code')}"
    return "affine"


def sidecar(path: Path) -> dict[str, Any]:
    """What the JSON file beside an image says; nothing where there is none, or none that can be understood."""
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    try:
        found = json.loads(read_text(path.with_name(f"{stem}.json")))
    except (FileNotFoundError, RecordError, ValueError, RecursionError):
        return {}  # whatever is wrong with it, the image can be drawn
    return found if isinstance(found, dict) else {}


def _coarser(slab: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means of blocks of voxels; those at the far edges may be smaller."""
    for axis in range(3) if factor > 1 else ():
        starts = np.arange(0, slab.shape[axis], factor)
        sizes = np.minimum(factor, slab.shape[axis] - starts).astype(np.float32)
        shape = [-1 if at == axis else 1 for at in range(3)]
        slab = np.add.reduceat(slab, starts, axis=axis) / sizes.reshape(shape)
    return slab


def _unplaced(image: Any) -> str:
    """Why an image doesn't say where its voxels lie, and what to do; empty if it does. nibabel would guess."""
    from nibabel import AnalyzeImage, MGHImage, Nifti1Pair

    header = image.header
    if isinstance(image, Nifti1Pair):
        if not (header["qform_code"] or header["sform_code"]):
            return "its qform_code and sform_code are 0. Set its sform (fslorient -setsform and -setsformcode 1)"
        unit = {1: "metres", 3: "micrometres"}.get(int(header["xyzt_units"]) & 7)
        return f"its header counts in {unit}, which many programs take as mm. Make its unit mm" if unit else ""
    if isinstance(image, AnalyzeImage):
        return f"it is an Analyze image, whose format knows no orientation. {_CONVERT}"
    if isinstance(image, MGHImage):
        with image.file_map["image"].get_prepare_fileobj("rb") as file:
            if file.read(30)[28:] == b"\0\0":  # nibabel doesn't keep it
                return f"its goodRASFlag is 0. {_CONVERT}"
    return ""
