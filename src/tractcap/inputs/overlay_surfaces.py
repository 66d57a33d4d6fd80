"""Surfaces: GIFTI's, FreeSurfer's own, and VTK's polygons, each brought to RAS+ mm by what its file says of its space.

FreeSurfer counts from the middle of its volume, wherever that lies in the scanner ("tkRAS"): its files, and the GIFTI
files that it writes, hold the volume's geometry too (https://surfer.nmr.mgh.harvard.edu/fswiki/CoordinateSystems).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.affines import places, to_rasmm
from tractcap.inputs.images import Vector
from tractcap.inputs.reading import check_file, reading
from tractcap.inputs.tractograms.vtk import SPACES, errors_of_vtk
from tractcap.inputs.tractograms.vtk_header import read_header

_WANTED = "give a surface: GIFTI (.gii), FreeSurfer's geometry, .vtk or .vtp"

COLORS = "tractcap_rasmm_colors"
"""Data of the points of a VTK file that tractcap made of an actor: their colours. The points are RAS+ mm."""

_TAKEN = "doesn't say its space: RAS+ mm is taken"

_GIFTI_SPACES = {1: "scanner", 2: "aligned", 3: "talairach", 4: "mni"}
"""What NIfTI's codes of spaces stand for; 0 is unknown."""

_TO_TKRAS = np.array([[-1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Directions of the voxels of FreeSurfer's own volumes, in columns."""

_FREESURFER_MAGIC = b"\xff\xff\xfe"
"""How FreeSurfer's files of triangles begin."""


_END, _OF_THE_SCANNER = 2**16, bytes([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 20]) + b"valid"
"""Where a file of FreeSurfer says that its points are the scanner's (the tag USEREALRAS), and how: before the geometry
of its volume, at the end but for the commands that made it."""


@dataclass(frozen=True)
class SurfaceFile:
    """A surface in RAS+ mm: ``points`` (N, 3) float32 and ``triangles`` (T, 3) int64, the points' numbers.

    ``space`` is how the file placed it; ``note`` says what was taken where it is silent, without a stop. ``colors`` are
    (N, 3) uint8 of points that have some of their own.
    """

    points: NDArray[np.float32]
    triangles: NDArray[np.int64]
    space: str
    note: str = ""
    colors: NDArray[np.uint8] | None = None

    @property
    def box(self) -> tuple[Vector, Vector]:
        """The lowest and the highest coordinates of its points."""
        low, high = self.points.min(axis=0).tolist(), self.points.max(axis=0).tolist()
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def read_surface(path: Path, vtk_space: str = "") -> SurfaceFile:
    """Read a surface.

    Parameters
    ----------
    vtk_space : RAS or LPS, for a VTK file that doesn't say it.

    Raises
    ------
    InputError
        When it can't be read, has no triangles, or a space that isn't known here.
    """
    check_file(path, _WANTED)
    with reading(path, "a surface"):
        name = path.name.lower()
        if name.endswith((".gii", ".gii.gz")):
            surface = _read_gifti(path)
        elif name.endswith((".vtk", ".vtp")):
            surface = _read_vtk(path, vtk_space)
        else:
            surface = _read_freesurfer(path)
    if not len(surface.triangles):
        raise InputError(f"{path} has no triangles: {_WANTED}.")
    if surface.triangles.min() < 0 or surface.triangles.max() >= len(surface.points):
        raise InputError(f"{path} is damaged: its triangles name points that it doesn't have.")
    if wrong := np.count_nonzero(~np.isfinite(surface.points).all(axis=1)):
        raise InputError(f"{path} has {wrong:,} points that are no numbers: it can't be drawn.")
    return surface


def _read_gifti(path: Path) -> SurfaceFile:
    import nibabel as nib

    image = nib.load(path)
    points, triangles = (
        image.get_arrays_from_intent(f"NIFTI_INTENT_{kind}") if hasattr(image, "get_arrays_from_intent") else []
        for kind in ("POINTSET", "TRIANGLE")
    )
    if not points or not triangles:
        raise InputError(f"{path} holds no points and triangles, but other data: {_WANTED}.")
    code = getattr(points[0].coordsys, "dataspace", 0)
    affine, space = None, _GIFTI_SPACES.get(code, "")
    if code != 1 and "VolGeomC_R" in points[0].meta:
        affine, space = _scanner_from_tkras(_volume_of(points[0].meta)), "FreeSurfer's, moved by its volume's geometry"
    surfaces = max(len(points), len(triangles))
    notes = ("" if space else _TAKEN, f"holds {surfaces} surfaces: the first is drawn" if surfaces > 1 else "")
    return SurfaceFile(
        _moved(points[0].data, affine),
        np.asarray(triangles[0].data, np.int64).reshape(-1, 3),
        space or "RAS+ mm, as it doesn't say",
        ", and ".join(note for note in notes if note),
    )


def _volume_of(meta: Mapping[str, str]) -> dict[str, list[float]]:
    """The geometry of FreeSurfer's volume in the metadata of a GIFTI file, as in FreeSurfer's own files."""
    volume = {"cras": [float(meta[f"VolGeomC_{axis}"]) for axis in "RAS"]}
    if "VolGeomX_R" in meta and "VolGeomWidth" in meta:
        volume |= {f"{side.lower()}ras": [float(meta[f"VolGeom{side}_{axis}"]) for axis in "RAS"] for side in "XYZ"}
    return volume


def _scanner_from_tkras(volume: Mapping[str, Any]) -> NDArray[np.float64]:
    """The affine from FreeSurfer's coordinates to the scanner's: both have the volume's middle in common."""
    directions = np.transpose([volume[f"{side}ras"] for side in "xyz"]) if "xras" in volume else _TO_TKRAS
    affine = np.eye(4)
    affine[:3, :3] = directions @ np.linalg.inv(_TO_TKRAS)
    affine[:3, 3] = volume["cras"]
    return affine


def _read_freesurfer(path: Path) -> SurfaceFile:
    import warnings

    from nibabel.freesurfer import read_geometry

    with path.open("rb") as file:
        if file.read(3) != _FREESURFER_MAGIC:
            raise InputError(f"{path} is not a surface that is known here: {_WANTED}.")
        comment = file.readline(_END), file.readline(_END)
        counts = np.frombuffer(file.read(8), ">i4") if all(line.endswith(b"\n") for line in comment) else np.empty(0)
    if len(counts) != 2 or counts.min() < 0 or 12 * int(counts.sum()) > path.stat().st_size:
        raise InputError(f"{path} is damaged: it promises more points and triangles than it can hold.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it holds no geometry of a volume
        points, triangles, volume = read_geometry(path, read_metadata=True)
    if _OF_THE_SCANNER in _end(path):  # nibabel knows no such file
        affine, space, note = None, "FreeSurfer's, of the scanner", ""
    elif str(volume.get("valid", "")).startswith("1"):
        affine, space, note = _scanner_from_tkras(volume), "FreeSurfer's, moved by its volume's geometry", ""
    else:
        affine, space = None, "FreeSurfer's, where its volume lies is unknown"
        note = "doesn't say where its volume lies: RAS+ mm is taken, which may be centimetres off"
    return SurfaceFile(_moved(points, affine), np.asarray(triangles, np.int64).reshape(-1, 3), space, note)


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-min(_END, path.stat().st_size), os.SEEK_END)
        return file.read()


def _read_vtk(path: Path, vtk_space: str) -> SurfaceFile:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkTriangleFilter
    from vtkmodules.vtkIOLegacy import vtkPolyDataReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    damaged = InputError(f"{path} is damaged: VTK can't read it as polygons; it may be cut off.")
    with path.open("rb") as file, errors_of_vtk(damaged):
        header = read_header(mmap(file.fileno(), 0, access=ACCESS_READ))
    if header is None:
        raise InputError(f"{path} begins like neither a legacy nor an XML file of VTK: {_WANTED}.")
    told = {space.upper() for space in header.spaces}
    if told and (len(told) > 1 or not told <= set(SPACES)):
        raise InputError(f"{path} says that its space is {' and '.join(sorted(told))}: it must be RAS or LPS.")
    reader: Any = (vtkXMLPolyDataReader if header.xml else vtkPolyDataReader)()
    reader.SetFileName(str(path))
    triangles = vtkTriangleFilter()
    triangles.SetInputConnection(reader.GetOutputPort())
    triangles.PassLinesOff()
    triangles.PassVertsOff()
    with errors_of_vtk(damaged):
        triangles.Update()
    data = triangles.GetOutput()
    if reader.GetErrorCode() or data.GetPoints() is None:
        raise damaged
    colors = data.GetPointData().GetArray(COLORS)
    space = "RAS" if colors else next(iter(told), vtk_space)
    return SurfaceFile(
        _moved(vtk_to_numpy(data.GetPoints().GetData()), SPACES[space or "RAS"]),
        vtk_to_numpy(data.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3),
        f"{space} mm" if space else "RAS+ mm, as it doesn't say",
        "" if space else _TAKEN,
        vtk_to_numpy(colors).astype(np.uint8) if colors else None,
    )


def _moved(points: NDArray[Any], affine: NDArray[np.float64] | None) -> NDArray[np.float32]:
    if affine is not None and not places(affine):
        raise ValueError("the geometry of its volume places nothing")
    return to_rasmm(np.asarray(points).reshape(-1, 3), np.eye(4) if affine is None else affine)
