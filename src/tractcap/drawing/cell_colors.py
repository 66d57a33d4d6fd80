"""A mesh that is coloured by cells, drawn for the self-test: some versions of Mesa mistake one cell for another."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderWindow  # noqa: F401  registers its kind of window

_COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255))
"""Of the cells, from left to right. VTK's shader looks them up by ``gl_PrimitiveID``."""

_CELL = 10
"""Pixels along a cell."""

_TOLERANCE = 30


def wrong_cells() -> list[str]:
    """Draw a row of cells, and say which have another colour than theirs, as sentences without a stop."""
    count = len(_COLORS)
    points, cells = vtkPoints(), vtkCellArray()
    for left in range(count):
        corners = ((left, 0, 0), (left + 1, 0, 0), (left + 1, 1, 0), (left, 1, 0))
        cells.InsertNextCell(4, [points.InsertNextPoint(*corner) for corner in corners])
    mesh = vtkPolyData()
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    mesh.GetCellData().SetScalars(numpy_to_vtk(np.array(_COLORS, np.uint8), deep=True))
    mapper, actor, renderer, window = vtkPolyDataMapper(), vtkActor(), vtkRenderer(), vtkRenderWindow()
    mapper.SetInputData(mesh)
    mapper.SetScalarModeToUseCellData()
    actor.SetMapper(mapper)
    renderer.AddActor(actor)
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetParallelScale(0.5)
    camera.SetFocalPoint(count / 2, 0.5, 0)
    camera.SetPosition(count / 2, 0.5, 1)
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(count * _CELL, _CELL)
    window.AddRenderer(renderer)
    window.Render()
    pixels = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, count * _CELL - 1, _CELL - 1, 0, pixels, 0)
    row = vtk_to_numpy(pixels).reshape(_CELL, count * _CELL, 3)[_CELL // 2, _CELL // 2 :: _CELL].astype(int)
    wrong = np.abs(row - np.array(_COLORS)).max(axis=1) > _TOLERANCE
    return [f"cell {number + 1} of a mesh has the colour {row[number].tolist()}" for number in np.flatnonzero(wrong)]
