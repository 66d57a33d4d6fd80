"""What drawing takes beside plain VTK, which draws the same lines, held in memory and uploaded, into the same views."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import files
import nibabel as nib
import numpy as np
from measuring import Asked, Goal, Step, Table, ratio, side_by_side, timed
from measuring import draw as draw_by_command

from tractcap.drawing import opengl
from tractcap.drawing.draw import ColoredTractogram, Scene, draw
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import VIEWS, Frame
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import SIX, Coloring, PictureOptions, RenderSettings

GOAL = 1
"""Times plain VTK, on a canvas of either size."""

_SAMPLING = 2
"""Samples that tractcap averages, along a pixel."""


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Draw a file by tractcap, and its lines by VTK alone."""
    path = files.of_size(folder / "bare.trk", asked.bare_size)
    points, lengths = _streamlines(path)
    scene = _scene(path, Frame(tuple(points.min(0).tolist()), tuple(points.max(0).tolist())))
    ours, command = "tractcap, draw()", "tractcap, the command line"
    steps: dict[str, Step] = {
        ours: lambda: timed(lambda: _draw(scene)),
        command: lambda: draw_by_command(path, "--style", "lines").seconds,
    }
    sides = {f"VTK, {side}×{side}": side for side in (scene.options.size * _SAMPLING, scene.options.size)}
    steps |= {name: _plain(scene, side, points, lengths) for name, side in sides.items()}
    taken = side_by_side(steps, asked.rounds)
    table = Table(f"bare: six views of {asked.bare_size} MB beside plain VTK", ("what", "seconds", *_over(sides)))
    for name in steps:
        table.rows.append((name, median(taken[name]), *(ratio(taken[name], taken[side]) for side in sides)))
    table.goals += [Goal(f"draw(), times {side}", ratio(taken[ours], taken[side]), GOAL) for side in sides]
    table.notes += [
        "VTK has all lines in memory and has drawn them before, so that they are uploaded; only drawing six views is "
        "timed, without reading out the pictures.",
        "draw() is that of tractcap.drawing: it reads the file, draws 1600×1600 samples a view and averages them. "
        "The command line also starts, measures the extent, labels and writes the pictures.",
    ]
    yield table


def _over(sides: dict[str, int]) -> Iterator[str]:
    return (f"× {name}" for name in sides)


def _streamlines(path: Path) -> tuple[Any, Any]:
    """Points (N, 3) float32 in mm, and how many each streamline has."""
    held = nib.streamlines.load(path).streamlines
    return held.get_data().astype(np.float32), np.array([len(one) for one in held])


# tractcap


def _scene(path: Path, frame: Frame) -> Scene:
    return Scene([ColoredTractogram(open_tractogram(path), Coloring())], frame, PictureOptions(style="lines"))


def _draw(scene: Scene) -> None:
    for _ in draw(scene, RenderSettings(50_000, (len(SIX),), _SAMPLING), StreamlineCounts(), lambda _points: None):
        pass


# VTK alone


def _plain(scene: Scene, side: int, points: Any, lengths: Any) -> Step:
    """Make a window of ``side`` pixels, draw into it once; what is returned draws six views again."""
    opengl.choose()
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
    from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderWindow  # noqa: F401  registers its kind of window

    window, renderer = vtkRenderWindow(), vtkRenderer()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(side, side)
    window.AddRenderer(renderer)
    renderer.AddActor(_actor(points, lengths, _width(scene, side)))
    _six(window, renderer, scene.frame)
    assert _colours(window, side) > 1, "VTK drew nothing"
    return lambda: timed(lambda: _six(window, renderer, scene.frame))


def _colours(window: Any, side: int) -> int:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

    pixels = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, side - 1, side - 1, 0, pixels, 0)
    return len(np.unique(vtk_to_numpy(pixels)))


def _width(scene: Scene, side: int) -> float:
    """The width of tractcap's lines, in pixels of this window."""
    return max(1.0, scene.options.thickness(scene.frame.width) * side / scene.frame.width)


def _actor(points: Any, lengths: Any, width: float) -> Any:
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(_data(points, lengths))
    mapper.SetStatic(True)
    mapper.SetColorModeToDirectScalars()
    actor.SetMapper(mapper)
    actor.GetProperty().SetLighting(False)
    actor.GetProperty().SetLineWidth(width)
    return actor


def _data(points: Any, lengths: Any) -> Any:
    """Lines coloured by their direction."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    data, places, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    places.SetData(numpy_to_vtk(points, deep=True))
    offsets = np.append(0, np.cumsum(lengths))
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(np.arange(len(points)), deep=True)
    )
    data.SetPoints(places)
    data.SetLines(cells)
    steps = np.abs(np.diff(points, axis=0, append=points[-1:]))
    colors = steps * (255 / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-6))
    data.GetPointData().SetScalars(numpy_to_vtk(colors.astype(np.uint8), deep=True))
    return data


def _six(window: Any, renderer: Any, frame: Frame) -> None:
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(*frame.center)
    camera.SetParallelScale(frame.width / 2)
    for view in map(VIEWS.__getitem__, SIX):
        away = zip(frame.center, view.seen_from, strict=True)
        camera.SetPosition(*(at + frame.depth * side for at, side in away))
        camera.SetViewUp(*view.up)
        camera.SetClippingRange(frame.depth / 2, frame.depth * 3 / 2)
        window.Render()
        window.WaitForCompletion()
