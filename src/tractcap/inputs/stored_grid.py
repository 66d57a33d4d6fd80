"""Values of some voxels, gathered from an image file in the order in which it stores them; the others are not kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.reading import not_whole, open_binary, reading, size_bound

_BLOCK = 2**19
"""Numbers that are read at once."""


@dataclass(frozen=True)
class StoredGrid:
    """Where an image file holds the values of its voxels, each of which has several.

    Parameters
    ----------
    path : the file. start : the byte at which its numbers begin. dtype : of each.
    shape : voxels along each axis.
    strides : how many numbers lie between a voxel and the next one along each axis; may be negative.
    offsets : (V,) how many numbers after a voxel's first value each of its values lies.
    slope, intercept : what stored numbers are multiplied by, and what is added then.
    """

    path: Path
    start: int
    dtype: "np.dtype[np.number]"
    shape: tuple[int, int, int]
    strides: tuple[int, int, int]
    offsets: NDArray[np.int64]
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def size(self) -> int:
        """Numbers that the file holds."""
        return int(np.prod(self.shape, dtype=object)) * len(self.offsets)

    def check(self) -> None:
        """Compare with the file's length.

        Raises
        ------
        InputError
            When it can't hold so many numbers.
        """
        if (needed := self.start + self.size * self.dtype.itemsize) > size_bound(self.path):
            raise not_whole(self.path, "image", f"its header promises {needed:,} bytes, more than it can hold")

    def gather(self, voxels: NDArray[np.int64]) -> NDArray[np.float32]:
        """The values of some voxels (N, 3), which are numbered from 0 along each axis: (N, V) float32.

        The file is read once from front to back, a few megabytes at a time, up to the last value that is needed.

        Raises
        ------
        InputError
            When it can't be read, or ends too early.
        """
        sides, strides = np.array(self.shape), np.array(self.strides)
        places = np.where(strides > 0, voxels, sides - 1 - voxels) @ np.abs(strides)
        order = np.argsort(places, kind="stable")
        places = places[order]
        values = np.empty((len(voxels), len(self.offsets)), np.float32)
        last = int(places[-1] + self.offsets.max()) if len(places) else -1
        with reading(self.path, "an image"), open_binary(self.path) as file:
            for first in range(0, last + 1, _BLOCK):
                count = min(_BLOCK, self.size - first)
                begins = np.searchsorted(places, first - self.offsets)
                ends = np.searchsorted(places, first + count - self.offsets)
                if (begins == ends).all():
                    continue
                file.seek(self.start + first * self.dtype.itemsize)
                block = np.frombuffer(file.read(count * self.dtype.itemsize), self.dtype)
                if len(block) < count:
                    raise not_whole(self.path, "image", "it ends before its last voxel")
                for value in np.flatnonzero(ends > begins):
                    part = slice(begins[value], ends[value])
                    found = block[places[part] + self.offsets[value] - first].astype(np.float64)
                    values[order[part], value] = found * self.slope + self.intercept
        return values
