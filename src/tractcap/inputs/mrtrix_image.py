"""MRtrix's images, .mif and .mif.gz, which nibabel doesn't read.

The format: mrtrix.readthedocs.io, "Images and other data". It is QSIRecon's for orientation distributions.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.affines import places
from tractcap.inputs.reading import not_whole, reading
from tractcap.inputs.stored_grid import StoredGrid
from tractcap.inputs.tractograms.mrtrix import FLOATS, read_header

_FIELDS = ("dim", "vox", "layout", "datatype", "transform", "scaling", "file")
_INTEGERS = {
    f"{sign}int{bits}{order}": f"{mark}{kind}{bits // 8}"
    for sign, kind in (("", "i"), ("u", "u"))
    for bits in (8, 16, 32, 64)
    for order, mark in (("", "="), ("le", "<"), ("be", ">"))
}


def read_mrtrix_image(path: Path) -> tuple[StoredGrid, NDArray[np.float64]]:
    """Read the header of an image of four dimensions.

    Returns
    -------
    Where its values are, and its affine (4, 4), from voxels to RAS+ mm.

    Raises
    ------
    InputError
        When it can't be understood, has other dimensions, or doesn't say where its voxels lie.
    """
    with reading(path, "an image"):
        header = read_header(
            path, b"mrtrix image", lambda why: not_whole(path, "MRtrix image", why), _FIELDS, FLOATS | _INTEGERS
        )
        fields = header.fields
        sides = [int(side) for side in fields["dim"].split(",")]
        layout = [axis.strip() for axis in fields["layout"].split(",")]
        if len(layout) != len(sides) or sorted(abs(int(axis)) for axis in layout) != list(range(len(sides))):
            raise not_whole(
                path, "MRtrix image", f"its layout {fields['layout']!r} doesn't fit its {len(sides)} dimensions"
            )
        if len(sides) != 4 or min(sides) < 1:
            raise InputError(
                f"{path} has the dimensions {' × '.join(map(str, sides))}: give an image of four dimensions."
            )
        if "transform" not in fields:
            raise InputError(f"{path} doesn't say where its voxels lie in mm: its header has no transform.")
        affine = np.eye(4)
        affine[:3] = [[float(part) for part in row.split(",")] for row in fields["transform"].splitlines()[:3]]
        affine[:3, :3] *= [float(size) for size in fields["vox"].split(",")[:3]]
        if not places(affine):
            raise InputError(f"{path} has no usable transform: its header doesn't say where its voxels lie in mm.")
        intercept, slope = (float(part) for part in fields.get("scaling", "0,1").split(","))
    x, y, z, values = _strides(sides, layout)
    numbers = np.arange(sides[3]) * abs(values)
    grid = StoredGrid(
        path,
        header.start,
        header.dtype,
        (sides[0], sides[1], sides[2]),
        (x, y, z),
        numbers if values > 0 else numbers[::-1],
        slope,
        intercept,
    )
    grid.check()
    return grid, affine


def _strides(sides: list[int], layout: list[str]) -> list[int]:
    """How many numbers lie from one to the next along each axis; below 0 where they are stored from its end on.

    A layout has the rank of each axis, 0 for that whose neighbours are stored side by side, with a sign.
    """
    ranks = [abs(int(axis)) for axis in layout]
    strides = []
    for axis, rank in zip(layout, ranks, strict=True):
        stride = int(np.prod([side for side, other in zip(sides, ranks, strict=True) if other < rank], dtype=object))
        strides.append(-stride if axis.startswith("-") else stride)
    return strides
