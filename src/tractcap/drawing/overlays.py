"""What is drawn beside the streamlines: surfaces of regions, made by FURY.

FURY makes a VTK actor; its geometry is drawn by the canvas like all else, so that it lies where the streamlines lie:
an actor's own mapper would shift its vertices by their bounds. Each overlay has buffers of colour and depth of its own,
which are mixed with those of the streamlines by depth.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tractcap.color_names import Color
from tractcap.drawing.anatomy import Anatomy, outside
from tractcap.drawing.views import View
from tractcap.errors import NO_MEMORY, InputError, OverlayError
from tractcap.inputs.images import Volume, corners
from tractcap.inputs.label_names import LabelTable, find_label_table, read_label_table
from tractcap.inputs.overlay_rois import RegionFile
from tractcap.inputs.overlay_surfaces import read_surface
from tractcap.inputs.reading import reading
from tractcap.inputs.search import fingerprint
from tractcap.records.options import SURFACE, Overlay
from tractcap.records.tractogram_sidecar import OverlayRecord, ShownOverlay
from tractcap.records.worker_requests import OverlayHeader

OPACITY = 0.35
"""Of the near and of the far side of a region: what is in it is seen through one, what is behind it through both."""

CUT_OPACITY = 0.8
"""At least, in views of a slice, which show the outline of a region around what lies in it."""

_AMBIENT = 0.5
"""How bright a surface is that is seen along itself; one that faces the eye is 1."""

_INSIDE = 127.5
"""Where FURY's contour lies between outside, 0, and inside, 255: in the middle, on the faces of voxels.

FURY itself takes 1, which is almost a voxel outside.
"""

_SMOOTHING_STEPS, _PASS_BAND = 20, 0.05
"""Of windowed sinc smoothing, which keeps volumes (Taubin, Zhang and Golub, Optimal surface smoothing as filter design,
ECCV 1996): the steps of voxels go, the sphere stays."""

_NORMALS_AVERAGED = 10
"""How often normals are averaged with their neighbours', so that light shows no steps of voxels either."""

INSTALL_FURY = (
    "{path} isn't drawn, since FURY is not installed: pip install --no-deps 'fury>=0.12,<1' lazy-loader "
    "(without its dependencies: it asks for an older VTK, and works with this one)."
)


@dataclass(frozen=True)
class OverlayMesh:
    """Geometry in RAS+ mm.

    Parameters
    ----------
    points : (N, 3) float32. colors : (N, 3) uint8, of each point.
    triangles : (T, 3) int64, or empty. segments : (S, 2) int64 of lines, as wide as streamlines, or None.
    normals : (N, 3) float32 of length 1, by which points are lit; None where colours stay as they are.
    """

    points: NDArray[np.float32]
    colors: NDArray[np.uint8]
    triangles: NDArray[np.int64]
    normals: NDArray[np.float32] | None = None
    segments: NDArray[np.int64] | None = None

    def lit(self, view: View) -> NDArray[np.uint8]:
        """The points' colours in a view, (N, 3) uint8, with a light at the eye."""
        if self.normals is None:
            return self.colors
        facing = np.abs(self.normals @ np.array(view.seen_from, np.float32))
        bright = np.float32(_AMBIENT) + np.float32(1 - _AMBIENT) * np.clip(facing, 0, 1)
        return (self.colors * bright[:, None] + np.float32(0.5)).astype(np.uint8)


@dataclass(frozen=True)
class DrawableOverlay(ABC):
    """Something that is drawn beside the streamlines, a subclass for each kind.

    Parameters
    ----------
    shown : how much of its file that is.
    opacity : of all its colours.
    """

    shown: ShownOverlay
    opacity: float

    @property
    def sheets(self) -> int:
        """How many surfaces of it are drawn: the nearest, and of what is seen through also the nearest far side."""
        return 1 if self.opacity >= 1 else 2

    @property
    @abstractmethod
    def points(self) -> NDArray[np.float32]:
        """Where it lies: (N, 3) in RAS+ mm."""

    @abstractmethod
    def meshes(self, view: View) -> Iterator[OverlayMesh]:
        """What a view shows of it, some at a time."""

    def on(self, anatomy: Anatomy) -> Self:
        """The same, of which it is known how much lies outside a reference image."""
        if not len(self.points):
            return self
        share = outside(self.points, anatomy.shape, anatomy.affine) / max(1, len(self.points))
        return replace(self, shown=replace(self.shown, outside_reference=round(share, 6)))


@dataclass(frozen=True)
class Surfaces(DrawableOverlay):
    """Surfaces that all views show."""

    whole: OverlayMesh

    @property
    def points(self) -> NDArray[np.float32]:
        """Their points."""
        return self.whole.points

    def meshes(self, view: View) -> Iterator[OverlayMesh]:
        """All of them."""
        del view
        yield self.whole


def inspect(overlay: Overlay, vtk_space: str = "") -> OverlayHeader:
    """Read an overlay's file for what it holds.

    Parameters
    ----------
    vtk_space : RAS or LPS, for VTK files that don't say it.

    Raises
    ------
    InputError
        When it can't be shown, or FURY isn't installed.
    """
    check_fury(overlay)
    path = Path(overlay.path)
    state = fingerprint(path) if path.exists() else (0, 0)
    if overlay.kind == SURFACE:
        surface = read_surface(path, vtk_space)
        return OverlayHeader(*state, box=surface.box, triangles=len(surface.triangles))
    file = RegionFile(path)
    found = file.inspect()
    (first, last), labels = found.box, [region.label for region in found.regions]
    table, note = _label_table(overlay, labels)
    return OverlayHeader(
        *state,
        box=corners(first, last, file.affine),
        labels=tuple(labels) if len(labels) > 1 else (),
        label_table=str(table.path) if table else "",
        names={str(label): table.names[label] for label in labels if label in table.names} if table else {},
        label_colors={str(label): table.colors[label] for label in labels if label in table.colors} if table else {},
        note=note,
        voxels=int(np.prod(np.subtract(last, first) + 1)),
        block=max(region.block for region in found.regions),
        triangles=2 * found.faces // min(region.factor for region in found.regions) ** 2,
    )


def _label_table(overlay: Overlay, labels: Sequence[int]) -> tuple[LabelTable | None, str]:
    """The table that names an image's labels, if there is one, and what is wrong with it, as a sentence."""
    path = Path(overlay.label_table) if overlay.label_table else find_label_table(Path(overlay.path))
    if len(labels) < 2 or path is None:  # a mask's single label has the overlay's own name
        return None, ""
    try:
        table = read_label_table(path)
    except InputError as error:
        return None, f"its labels have no names: {str(error).rstrip('.')}"
    without = [label for label in labels if label not in table.names]
    return table, f"{len(without)} of {len(labels)} labels have no name in {path.name}" if without else ""


def check_fury(overlay: Overlay) -> None:
    """Check that FURY is there.

    Raises
    ------
    InputError
        Where it isn't: how to install it.
    """
    if not (find_spec("fury") and find_spec("lazy_loader")):
        raise InputError(INSTALL_FURY.format(path=overlay.path))


@contextmanager
def blamed(path: str) -> Iterator[None]:
    """Let whatever goes wrong be an overlay's fault, and nothing else's.

    Raises
    ------
    OverlayError
    """
    try:
        with reading(Path(path)):
            yield
    except InputError as error:
        raise OverlayError(path, str(error)) from error
    except (MemoryError, OSError) as error:  # other errors of the system are InputErrors by now
        raise OverlayError(path, f"{path} {NO_MEMORY}.", again=True) from error


def load(overlay: OverlayRecord, vtk_space: str = "") -> DrawableOverlay:
    """What is drawn of an overlay.

    Parameters
    ----------
    vtk_space : as of :func:`inspect`.

    Raises
    ------
    InputError
        When it can't be shown.
    """
    return _surface(overlay, vtk_space) if overlay.kind == SURFACE else _regions(overlay)


def _surface(overlay: OverlayRecord, vtk_space: str) -> Surfaces:
    """A surface of its own, in its colour."""
    from fury.actor import surface

    file = read_surface(Path(overlay.path), vtk_space)
    polygons = surface(file.points, faces=file.triangles).GetMapper().GetInput()
    shown = ShownOverlay(
        kind=overlay.kind,
        name=overlay.name,
        path=overlay.path,
        space=file.space,
        triangles=len(file.triangles),
        notes=(f"{overlay.name} {file.note}",) if file.note else (),
    )
    mesh = mesh_of(_with_normals(polygons), overlay.colors[""])
    return Surfaces(shown, OPACITY, mesh if file.colors is None else replace(mesh, colors=file.colors))


def _regions(overlay: OverlayRecord) -> Surfaces:
    """The surface of each label of a mask or label image, in its colour."""
    file = RegionFile(Path(overlay.path))
    found = file.inspect()
    several = len(found.regions) > 1
    mesh = joined(
        [_around(mask, overlay.colors[str(region.label) if several else ""]) for region, mask in file.masks(found)]
    )
    coarse = [region for region in found.regions if region.factor > 1]
    shown = ShownOverlay(
        kind=overlay.kind,
        name=overlay.name,
        path=overlay.path,
        space=file.space,
        voxels=found.voxels,
        labels=len(found.regions) if several else None,
        label_names=overlay.names or None,
        label_table=overlay.label_table or None,
        triangles=len(mesh.triangles),
        notes=(
            *((f"{overlay.name}: {overlay.note}",) if overlay.note else ()),
            *(
                f"{overlay.name}{f' {region.label}' * several} is shown on voxels {region.factor} times as large"
                for region in coarse
            ),
        ),
    )
    return Surfaces(shown, OPACITY, mesh)


def _around(mask: Volume, color: Color) -> OverlayMesh:
    """The smooth surface of a mask, whose outer voxels are not in it."""
    from fury.actor import contour_from_roi
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

    data, affine = _along_the_world(mask)
    fury_actor = contour_from_roi(data, affine=affine, color=np.array(color) / 255)
    contour = fury_actor.GetMapper().GetInputAlgorithm().GetInputAlgorithm()
    contour.SetValue(0, _INSIDE)
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(contour.GetOutputPort())
    smooth.SetNumberOfIterations(_SMOOTHING_STEPS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    mesh = mesh_of(_with_normals(smooth.GetOutput()), color)
    return replace(mesh, normals=_averaged(mesh))


def _with_normals(polygons: Any) -> Any:
    """The same vtkPolyData, all around in one order, with a normal for each point."""
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

    normals = vtkPolyDataNormals()
    normals.SetInputData(polygons)
    normals.SplittingOff()
    normals.AutoOrientNormalsOn()
    normals.Update()
    return normals.GetOutput()


def _averaged(mesh: OverlayMesh) -> NDArray[np.float32]:
    """The normals of a mesh, each averaged with those around it."""
    normals: NDArray[Any] = np.zeros((0, 3)) if mesh.normals is None else mesh.normals
    for _ in range(_NORMALS_AVERAGED if len(normals) else 0):
        of_triangles = np.repeat(normals[mesh.triangles].sum(axis=1), 3, axis=0)
        sums = [np.bincount(mesh.triangles.ravel(), along, len(normals)) for along in of_triangles.T]
        normals = np.stack(sums, axis=1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return normals.astype(np.float32)


def _along_the_world(mask: Volume) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """The same voxels in the order of the world's axes: FURY's grid has a side of the voxels along each of these."""
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    order = io_orientation(mask.affine)
    affine = mask.affine @ inv_ornt_aff(order, mask.data.shape)
    return np.ascontiguousarray(apply_orientation(mask.data, order)), affine


def mesh_of(data: Any, color: Color) -> OverlayMesh:
    """The triangles of a vtkPolyData of one colour, with the normals that it has."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    points = vtk_to_numpy(data.GetPoints().GetData()).astype(np.float32)
    normals = data.GetPointData().GetNormals()
    return OverlayMesh(
        points,
        np.broadcast_to(np.array(color, np.uint8), points.shape),
        vtk_to_numpy(data.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3),
        None if normals is None else vtk_to_numpy(normals).astype(np.float32),
    )


def joined(meshes: Sequence[OverlayMesh]) -> OverlayMesh:
    """Meshes of triangles, all with normals, as one."""
    starts = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    return OverlayMesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.colors for mesh in meshes]),
        np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.normals for mesh in meshes if mesh.normals is not None]),
    )
