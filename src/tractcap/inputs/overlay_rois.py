"""Regions of interest: masks, and label images, each label of which is a region."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.images import ImageFile, Volume

MOST_LABELS = 1000
"""A label image of more labels is refused: they could neither be told apart nor drawn in reasonable time."""

MOST_VOXELS = 160**3
"""A region whose box has more voxels is made coarser."""

_PAD = 2
"""Voxels without the region around it, so that its surface is closed."""


@dataclass(frozen=True)
class Region:
    """A label's number, how many voxels have it, and the first and the last of them along each axis."""

    label: int
    voxels: int
    first: tuple[int, int, int]
    last: tuple[int, int, int]

    @property
    def factor(self) -> int:
        """How many voxels along each axis are shown as one."""
        factor = 1
        while np.prod([-(-side // factor) + 2 * _PAD for side in self._sides]) > MOST_VOXELS:
            factor += 1
        return factor

    @property
    def block(self) -> int:
        """Voxels of the grid that its surface is made on."""
        return int(np.prod([-(-side // self.factor) + 2 * _PAD for side in self._sides]))

    @property
    def _sides(self) -> list[int]:
        return [last - first + 1 for first, last in zip(self.first, self.last, strict=True)]


@dataclass(frozen=True)
class Regions:
    """What a mask or label image holds: its regions by label, and how many faces of voxels separate them."""

    shape: tuple[int, int, int]
    regions: tuple[Region, ...]
    faces: int

    @property
    def voxels(self) -> int:
        """Of all regions."""
        return sum(region.voxels for region in self.regions)

    @property
    def box(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """The first and the last voxel along each axis of all regions."""
        x, y, z = (min(region.first[axis] for region in self.regions) for axis in range(3))
        far_x, far_y, far_z = (max(region.last[axis] for region in self.regions) for axis in range(3))
        return (x, y, z), (far_x, far_y, far_z)


class RegionFile:
    """A mask or label image.

    Raises
    ------
    InputError
        When it isn't an image whose values are whole numbers, and some above 0.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._image = path, ImageFile(path)
        self.affine, self.space = self._image.affine, self._image.space

    def inspect(self) -> Regions:
        """Read it once, a slice after the other, for what it holds.

        Raises
        ------
        InputError
            When it has values that are no labels, none above 0, or too many.
        """
        found: dict[int, Region] = {}
        faces, before = 0, np.zeros(self._image.shape[:2], np.float32)
        for number, values in self._slices():
            self._check(values)
            for region in _regions(values, number):
                found[region.label] = _joined(found.get(region.label), region)
            if len(found) > MOST_LABELS:
                raise InputError(
                    f"{self.path} has more than {MOST_LABELS:,} labels: give a mask, or an image of the labels that "
                    "shall be seen."
                )
            changes = (np.diff(values, axis=0, prepend=0, append=0), np.diff(values, axis=1, prepend=0, append=0))
            faces += sum(int(np.count_nonzero(change)) for change in (*changes, values - before))
            before = values
        faces += int(np.count_nonzero(before))
        if not found:
            raise InputError(f"{self.path} is empty: none of its voxels is above 0.")
        return Regions(self._image.shape, tuple(found[label] for label in sorted(found)), faces)

    def masks(self, inspected: Regions) -> Iterator[tuple[Region, Volume]]:
        """Each region as a mask (X, Y, Z) bool on a grid of its own, with voxels without the region around it."""
        first, last = inspected.box
        labels = np.array([region.label for region in inspected.regions], np.float32)
        numbers = np.zeros([high - low + 1 for low, high in zip(first, last, strict=True)], np.uint16)
        for z, values in self._slices():
            if first[2] <= z <= last[2]:
                part = values[first[0] : last[0] + 1, first[1] : last[1] + 1]
                numbers[..., z - first[2]] = np.where(part > 0, np.searchsorted(labels, part) + 1, 0)
        for number, region in enumerate(inspected.regions, 1):
            within = tuple(
                slice(low - start, high - start + 1)
                for start, low, high in zip(first, region.first, region.last, strict=True)
            )
            yield region, self._mask(numbers[within] == number, region)

    def _mask(self, mask: NDArray[np.bool_], region: Region) -> Volume:
        factor = region.factor
        if factor > 1:
            fill = [(0, -side % factor) for side in mask.shape]
            x, y, z = (side // factor for side in np.pad(mask, fill).shape)
            blocks = np.pad(mask, fill).reshape(x, factor, y, factor, z, factor)
            mask = blocks.mean(axis=(1, 3, 5), dtype=np.float32) >= 0.5
        affine = self.affine @ np.diag([factor, factor, factor, 1.0])
        start = np.array(region.first) + (factor - 1) / 2 - _PAD * factor
        affine[:3, 3] = self.affine[:3, :3] @ start + self.affine[:3, 3]
        return Volume(np.pad(mask, _PAD), affine)

    def _slices(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for first, slab in self._image.slabs():
            for at in range(slab.shape[2]):
                yield first + at, slab[..., at]

    def _check(self, values: NDArray[np.float32]) -> None:
        if wrong := np.count_nonzero(~np.isfinite(values)):
            raise InputError(
                f"{self.path} has {wrong:,} or more voxels that are no numbers, or too large: set these to 0."
            )
        if values.min() < 0:
            raise InputError(f"{self.path} has values below 0: give a mask, or an image of labels.")
        fractions = values[values != np.rint(values)]
        if len(fractions):
            raise InputError(
                f"{self.path} has values that are no labels, such as {fractions[0]!s}: give a mask, such as all that "
                "is above a threshold."
            )


def _regions(values: NDArray[np.float32], z: int) -> Iterator[Region]:
    """The regions in a slice."""
    x, y = np.nonzero(values)
    if not len(x):
        return
    order = np.argsort(values[x, y], kind="stable")
    x, y = x[order], y[order]
    labels, starts = np.unique(values[x, y], return_index=True)
    ends = [*starts[1:], len(x)]
    lows = zip(*(np.minimum.reduceat(along, starts).tolist() for along in (x, y)), strict=True)
    highs = zip(*(np.maximum.reduceat(along, starts).tolist() for along in (x, y)), strict=True)
    for label, start, end, low, high in zip(labels, starts, ends, lows, highs, strict=True):
        yield Region(int(label), int(end - start), (*low, z), (*high, z))


def _joined(one: Region | None, other: Region) -> Region:
    if one is None:
        return other
    x, y, z = map(min, one.first, other.first)
    far_x, far_y, far_z = map(max, one.last, other.last)
    return Region(one.label, one.voxels + other.voxels, (x, y, z), (far_x, far_y, far_z))
