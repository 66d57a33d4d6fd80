"""FURY's and VTK's actors as files, so that workers can draw them like surfaces."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tractcap.errors import SettingsError
from tractcap.files import write_text
from tractcap.inputs.overlay_surfaces import COLORS
from tractcap.records.options import SURFACE, Overlay


def save_actor(actor: Any, name: str, folder: Path) -> Overlay:
    """Write what an actor shows as polygons, in RAS+ mm, into a file that is named by its content.

    Parameters
    ----------
    actor : vtkActor
        Its own transform counts. Colours are those of its points, or its one colour.
    name : str
        What the legend calls it.
    folder : pathlib.Path
        Where the file goes; it is made if need be.

    Raises
    ------
    SettingsError
        When it is no actor, or shows no polygons.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonTransforms import vtkTransform
    from vtkmodules.vtkFiltersCore import vtkTriangleFilter
    from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter

    mapper = getattr(actor, "GetMapper", lambda: None)()
    if mapper is None or not hasattr(actor, "GetProperty"):
        raise SettingsError(f"the overlay {name} is {actor!r}: give a file, or an actor of FURY or VTK.")
    mapper.Update()
    where = vtkTransform()
    where.SetMatrix(actor.GetMatrix())
    moved, triangles = vtkTransformPolyDataFilter(), vtkTriangleFilter()
    moved.SetTransform(where)
    moved.SetInputData(mapper.GetInput())
    triangles.SetInputConnection(moved.GetOutputPort())
    triangles.PassLinesOff()
    triangles.PassVertsOff()
    triangles.Update()
    data = triangles.GetOutput()
    if not data.GetNumberOfPolys():
        raise SettingsError(f"the overlay {name} has no polygons: lines and points of actors aren't drawn.")

    one = tuple(round(255 * part) for part in actor.GetProperty().GetColor())
    mapped = mapper.MapScalars(1.0) if mapper.GetScalarVisibility() else None
    if mapped and mapped.GetNumberOfTuples() == data.GetNumberOfPoints():
        colors = vtk_to_numpy(mapped)
    else:
        colors = np.tile(np.array(one, np.uint8), (data.GetNumberOfPoints(), 1))
    digest = hashlib.sha1(usedforsecurity=False)
    for array in (data.GetPoints().GetData(), data.GetPolys().GetConnectivityArray()):
        digest.update(vtk_to_numpy(array).tobytes())
    digest.update(colors.tobytes())
    path = folder / f"{digest.hexdigest()[:16]}.vtp"
    if not path.exists():
        array = numpy_to_vtk(np.ascontiguousarray(colors[:, :3]))
        array.SetName(COLORS)
        data.GetPointData().Initialize()
        data.GetPointData().AddArray(array)
        folder.mkdir(parents=True, exist_ok=True)
        _write_vtp(data, path)
    return Overlay(SURFACE, name, str(path), one)


def _write_vtp(data: Any, path: Path) -> None:
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    writer = vtkXMLPolyDataWriter()
    writer.SetInputData(data)
    writer.WriteToOutputStringOn()
    writer.SetDataModeToBinary()
    writer.Write()
    write_text(path, str(writer.GetOutputString()))
