"""Peaks and orientation distribution functions (ODFs) as glyphs: lines and lobes in the voxels of slices.

FURY's spheres are what lobes are drawn on. Its slicers of peaks and ODFs are not used: they show voxels in a plane of
the image, which needn't be a slice of the picture, and turn ODFs by the transpose of the affine, so the wrong way in an
image that is turned.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.colors import direction_colors
from tractcap.drawing.overlays import DrawableOverlay, OverlayMesh, check_fury
from tractcap.drawing.views import VIEWS, Frame, Vector, View
from tractcap.inputs.fiber_conventions import FiberConvention
from tractcap.inputs.fiber_models import FiberModelFile, OdfFile, PeaksFile, crossed_voxels
from tractcap.inputs.images import box
from tractcap.inputs.search import fingerprint
from tractcap.records.options import ODF, PEAKS, Overlay
from tractcap.records.tractogram_sidecar import OverlayRecord, ShownOverlay
from tractcap.records.worker_requests import OverlayHeader

_LEAST_PIXELS = {PEAKS: 10.0, ODF: 16.0}
"""Across a glyph: of smaller ones the shape can't be seen."""

_FINE_FROM = 16.0
"""Pixels across a glyph from which on it is drawn on the finer sphere."""

_COARSE, _FINE = "repulsion200", "repulsion724"
"""FURY's spheres, of 200 and 724 points, which are 15° and 8° apart."""

_LONG, _MOST = 90.0, 2.0
"""Percent of glyphs that are no longer than the room that each has, and how many times as long others are at most."""

_BATCH = 2**16
"""Points that are drawn at once."""

_HELD = 2**20
"""Amplitudes that are held at once while the largest is found."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class GlyphSlice:
    """The glyphs of a slice, which lie where a line of sight through their voxel's middle meets it.

    Parameters
    ----------
    centers : (N, 3) in RAS+ mm. values : peaks, (N, P, 3) RAS+ vectors, or coefficients, (N, C).
    """

    centers: Floats
    values: Floats


@dataclass(frozen=True)
class Sphere:
    """Directions that ODFs are drawn along.

    Parameters
    ----------
    points : (D, 3) RAS+ unit vectors. triangles : (T, 3) between them.
    amplitudes : what takes a file's coefficients to the ODF along these, (C, D).
    """

    points: Floats
    triangles: NDArray[np.int64]
    amplitudes: Floats


@dataclass(frozen=True, kw_only=True)
class Glyphs(DrawableOverlay):
    """The glyphs of three slices through a point, all at one scale.

    Nine of ten are no longer than the room that each has, so that few hide a neighbour, and a few that stand out don't
    make all others small. What is more than twice as long is drawn shorter, and said to be.

    Parameters
    ----------
    slices : by the world axis (0, 1, 2) that runs across each. scale : mm for a value of 1.
    """

    slices: Sequence[GlyphSlice]
    scale: float

    @property
    def points(self) -> Floats:
        """Where they are: (N, 3) in RAS+ mm."""
        return np.concatenate([one.centers for one in self.slices])

    def meshes(self, view: View) -> Iterator[OverlayMesh]:
        """The glyphs of the slice that a view faces, some at a time; none where it faces none, as in a turntable."""
        if view.name not in VIEWS:
            return
        shown = self.slices[view.toward[0]]
        step = max(1, _BATCH // self._points_of_each)
        for first in range(0, len(shown.centers), step):
            yield self._mesh(shown.centers[first : first + step], shown.values[first : first + step])

    @property
    @abstractmethod
    def _points_of_each(self) -> int:
        """Of a glyph, at most."""

    @abstractmethod
    def _mesh(self, centers: Floats, values: Floats) -> OverlayMesh: ...


@dataclass(frozen=True, kw_only=True)
class PeakGlyphs(Glyphs):
    """Lines along peaks, to both sides of the voxel's middle, in the colours of their directions."""

    @property
    def _points_of_each(self) -> int:
        return 2 * int(self.slices[0].values.shape[1])

    def _mesh(self, centers: Floats, values: Floats) -> OverlayMesh:
        lengths = np.linalg.norm(values, axis=-1)
        there = lengths > 0
        middles = np.repeat(centers, there.sum(axis=1), axis=0)
        halves = values[there] * np.float32(self.scale)
        points = np.stack([middles - halves, middles + halves], axis=1).reshape(-1, 3)
        colors = direction_colors((values[there] / lengths[there][:, None]).T)
        return OverlayMesh(
            points,
            np.repeat(colors, 2, axis=0),
            np.zeros((0, 3), np.int64),
            segments=np.arange(len(points)).reshape(-1, 2),
        )


@dataclass(frozen=True, kw_only=True)
class OdfGlyphs(Glyphs):
    """Surfaces as far from the voxel's middle as the ODF is large there, in the colours of directions.

    Where it is below 0, which no distribution is, they don't leave the middle.

    Parameters
    ----------
    sphere : the directions that are drawn.
    """

    sphere: Sphere

    @property
    def _points_of_each(self) -> int:
        return len(self.sphere.points)

    @property
    def _meeting(self) -> Any:
        """A sparse matrix (D, T) that sums what triangles have at the points where they meet."""
        from scipy.sparse import csr_array

        corners = self.sphere.triangles.ravel()
        places = corners, np.arange(len(corners)) // 3
        shape = len(self.sphere.points), len(self.sphere.triangles)
        return csr_array((np.ones(len(corners), np.float32), places), shape)

    def _mesh(self, centers: Floats, values: Floats) -> OverlayMesh:
        sphere = self.sphere
        radii = np.maximum(values @ sphere.amplitudes, 0) * np.float32(self.scale)
        points = centers[:, None] + radii[..., None] * sphere.points
        corners = points[:, sphere.triangles]
        facing = np.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0])
        normals = self._meeting @ facing.transpose(1, 0, 2).reshape(len(sphere.triangles), -1)
        normals = normals.reshape(len(sphere.points), -1, 3).transpose(1, 0, 2)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), np.finfo(np.float32).tiny)
        starts = np.arange(len(centers))[:, None, None] * len(sphere.points)
        return OverlayMesh(
            points.reshape(-1, 3),
            np.tile(direction_colors(sphere.points.T), (len(centers), 1)),
            (sphere.triangles + starts).reshape(-1, 3),
            normals.reshape(-1, 3),
        )


def inspect(overlay: Overlay) -> OverlayHeader:
    """Read the header of an image of peaks or orientation distributions.

    Raises
    ------
    InputError
        When it can't be shown, or FURY isn't installed, which orientation distributions need.
    """
    if overlay.kind == ODF:
        check_fury(overlay)
    path = Path(overlay.path)
    file = _open(overlay.kind, path, FiberConvention(overlay.frame, overlay.basis))
    size, modified = fingerprint(path)
    rows = sorted(file.shape)
    return OverlayHeader(
        size,
        modified,
        box=box(file.shape, file.affine),
        values=3 * rows[1] * rows[2] * file.count,
        frame=file.convention.frame,
        basis=file.convention.basis,
        note=file.note,
    )


def load(overlay: OverlayRecord, frame: Frame, at: Vector, size: int) -> Glyphs:
    """The glyphs in three slices through a point.

    Parameters
    ----------
    frame : what the pictures show. at : the point in RAS+ mm. size : pixels along the pictures.

    Raises
    ------
    InputError
        When the file can't be read.
    """
    file = _open(overlay.kind, Path(overlay.path), FiberConvention(overlay.frame, overlay.basis))
    least = _LEAST_PIXELS[overlay.kind] * frame.width / size
    crossed = [_crossed(file, frame, axis, at[axis], least) for axis in range(3)]
    values = _read(file, crossed)
    infinite = 0
    if overlay.kind == PEAKS:  # of which a voxel's others are drawn
        infinite = int(sum(np.isnan(part).any(axis=-1).sum() for part in values))
        values = [np.nan_to_num(part) for part in values]
    finite = [np.isfinite(part).all(axis=tuple(range(1, part.ndim))) for part in values]
    there = [part.any(axis=tuple(range(1, part.ndim))) & whole for part, whole in zip(values, finite, strict=True)]
    kept = [one.chosen & some for one, some in zip(crossed, there, strict=True)]
    slices = [
        GlyphSlice(one.centers[which], part[which]) for one, part, which in zip(crossed, values, kept, strict=True)
    ]
    room = min(one.room for one in crossed)
    sphere = _sphere(file, _FINE if room * size / frame.width >= _FINE_FROM else _COARSE)
    lengths = [_lengths(one.values, sphere) for one in slices]
    below = int(sum((some <= 0).sum() for some in lengths))
    slices = [
        GlyphSlice(one.centers[some > 0], one.values[some > 0]) for one, some in zip(slices, lengths, strict=True)
    ]
    slices, long, shortened = _shortened(slices, [some[some > 0] for some in lengths])
    count = sum(len(one.centers) for one in slices)
    unusable = int(sum((~whole).sum() for whole in finite))
    shown = ShownOverlay(
        kind=overlay.kind,
        name=overlay.name,
        path=overlay.path,
        space=file.space,
        glyphs=count,
        glyphs_in_slices=int(sum(some.sum() for some in there)),
        axes=file.convention.frame,
        basis=file.convention.basis or None,
        notes=(
            *((f"{infinite:,} peaks of {overlay.name} are infinite, and aren't drawn",) if infinite else ()),
            *_notes(overlay, at, count, shortened, unusable, below),
        ),
    )
    scale = room / 2 / long if long else 0.0
    if sphere is None:
        return PeakGlyphs(shown=shown, opacity=1.0, slices=slices, scale=scale)
    return OdfGlyphs(shown=shown, opacity=1.0, slices=slices, scale=scale, sphere=sphere)


def _shortened(slices: Sequence[GlyphSlice], lengths: Sequence[Floats]) -> tuple[list[GlyphSlice], float, int]:
    """The same, of which some are shortened; the length that the others have at most, as a rule; and how many are."""
    every = np.concatenate(lengths)
    long = max(0.0, float(np.percentile(every, _LONG, method="higher"))) if len(every) else 0.0
    most = np.float32(_MOST * long or 1)
    shares = [most / np.maximum(some, most) for some in lengths]
    shorter = [
        GlyphSlice(one.centers, (one.values.T * share).T.astype(np.float32, copy=False))
        for one, share in zip(slices, shares, strict=True)
    ]
    return shorter, long, int((every > most).sum())


def _sphere(file: PeaksFile | OdfFile, name: str) -> Sphere | None:
    """FURY's sphere of a name, for ODFs."""
    if isinstance(file, PeaksFile):
        return None
    from fury.primitive import prim_sphere

    points, triangles = prim_sphere(name=name)
    amplitudes = file.amplitudes(points).astype(np.float32)
    return Sphere(points.astype(np.float32), triangles.astype(np.int64), amplitudes)


def _lengths(values: Floats, sphere: Sphere | None) -> Floats:
    """How long glyphs of some peaks or coefficients are."""
    if sphere is None:
        longest: Floats = np.linalg.norm(values, axis=-1).max(axis=1)
        return longest
    step = max(1, _HELD // len(sphere.points))
    parts = (values[first : first + step] for first in range(0, len(values), step))
    return np.concatenate([np.zeros(0, np.float32), *((part @ sphere.amplitudes).max(axis=1) for part in parts)])


def _open(kind: str, path: Path, given: FiberConvention) -> PeaksFile | OdfFile:
    return OdfFile(path, given) if kind == ODF else PeaksFile(path, given)


def _notes(overlay: OverlayRecord, at: Vector, glyphs: int, shorter: int, unusable: int, below: int) -> Iterator[str]:
    """What a viewer must know, as sentences without a stop."""
    if overlay.note:
        yield f"{overlay.name}: {overlay.note}"
    if shorter:
        yield f"{shorter:,} of {glyphs:,} glyphs of {overlay.name} are longer than they are drawn"
    if unusable:
        yield f"{unusable:,} voxels of {overlay.name} hold values that aren't finite, and show no glyph"
    if below:
        yield f"{below:,} glyphs of {overlay.name} are nowhere above 0, and aren't drawn"
    if not glyphs:
        x, y, z = at
        yield f"{overlay.name} shows nothing in the slices through {x:g}, {y:g}, {z:g} mm"


@dataclass(frozen=True)
class _CrossedVoxels:
    """The voxels that a slice leads through within the pictures, and what is drawn for which of them.

    ``chosen`` says of which (N,), so that ``room`` mm are between their ``centers``.
    """

    voxels: NDArray[np.int64]
    centers: Floats
    chosen: NDArray[np.bool_]
    room: float


def _crossed(file: FiberModelFile, frame: Frame, axis: int, at: float, least: float) -> _CrossedVoxels:
    """The voxels of one slice; glyphs are drawn at least so many mm apart."""
    voxels = crossed_voxels(file.shape, file.affine, axis, at)
    centers = voxels @ file.affine[:3, :3].T + file.affine[:3, 3]
    centers[:, axis] = at
    seen = (np.abs(centers - frame.center) <= frame.width / 2).all(axis=1)
    sides = np.linalg.norm(file.affine[:3, :3], axis=0)
    steps = np.maximum(1, np.ceil(least / sides - 1e-6)).astype(np.int64)
    across = int(np.argmax(np.abs(file.affine[axis, :3])))
    steps[across] = 1
    chosen = (voxels % steps == steps // 2).all(axis=1)
    room = float(np.delete(steps * sides, across).min())
    return _CrossedVoxels(voxels[seen], centers[seen].astype(np.float32), chosen[seen], room)


def _read(file: PeaksFile | OdfFile, crossed: Sequence[_CrossedVoxels]) -> list[Floats]:
    """The values of each slice's voxels, for which the file is read once."""
    voxels = np.concatenate([one.voxels for one in crossed])
    values = file.peaks(voxels) if isinstance(file, PeaksFile) else file.values(voxels)
    return np.split(values, np.cumsum([len(one.voxels) for one in crossed])[:-1])
