"""The canvas: for each view a colour and a depth buffer, into which lines are drawn chunk after chunk.

The buffers are framebuffer objects of our own: eight bytes a pixel. VTK's render window would hold five
times as much for its own copies, so it stays tiny, and tells its renderer of a larger size by its tile scale.
Nothing that is drawn depends on the chunk: the vertices are used as they are (no shift and scale by their
bounds), and the clipping planes are the frame's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import VTK_FLOAT, VTK_UNSIGNED_CHAR, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLFramebufferObject, vtkPixelBufferObject, vtkTextureObject

from tractcap.drawing.lines import Lines
from tractcap.drawing.views import Frame, View
from tractcap.errors import DrawingError

BYTES_PER_PIXEL = 8
"""Of a view's buffers: four of colour, four of depth."""

_GL_FRAMEBUFFER, _GL_COMPLETE = 0x8D40, 1
_GL_RGBA, _GL_DEPTH, _GL_UNSIGNED_BYTE, _GL_FLOAT = 0x1908, 0x1902, 0x1401, 0x1406


class Canvas:
    """Square views of one frame, ``size`` pixels each, seen all at once.

    Raises
    ------
    DrawingError
        When OpenGL can't make the buffers.
    """

    def __init__(self, views: Sequence[View], frame: Frame, size: int, line_width: float) -> None:
        self.views, self.frame, self.size = list(views), frame, size
        self._window = _window(size)
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(0, 0, 0)
        self._window.AddRenderer(self._renderer)
        self._data, self._actor = _actor(line_width)
        self._renderer.AddActor(self._actor)
        self._window.Render()
        self._transfer = vtkPixelBufferObject()
        self._transfer.SetContext(self._window)
        self._buffers = [self._buffer() for _ in self.views]
        self._wipe()

    def draw(self, lines: Lines) -> None:
        """Draw lines into every view; where something nearer was drawn before, that stays."""
        _fill(self._data, lines)
        for view, buffer in zip(self.views, self._buffers, strict=True):
            _look(self._renderer.GetActiveCamera(), view, self.frame)
            with self._bound(buffer):
                self._renderer.Render()
        self._window.WaitForCompletion()

    def read(self, view: int, first: int, last: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Rows ``first`` up to ``last`` of a view, counted from the top.

        Returns
        -------
        Colours (rows, size, 4) uint8, whose fourth value is above zero where something was drawn, and depths
        (rows, size) float32 in mm from the nearest plane.
        """
        extent = [0, self.size - 1, self.size - last, self.size - 1 - first]
        shape = (last - first, self.size)
        colors, depths = np.empty((*shape, 4), np.uint8), np.empty(shape, np.float32)
        with self._bound(self._buffers[view]) as buffer:
            buffer.ActivateReadBuffer(0)
            _download(self._transfer, extent, VTK_UNSIGNED_CHAR, 4, _GL_UNSIGNED_BYTE, _GL_RGBA, colors)
            _download(self._transfer, extent, VTK_FLOAT, 1, _GL_FLOAT, _GL_DEPTH, depths)
        colors[..., 3] = depths < 1
        return colors[::-1], depths[::-1] * np.float32(self.frame.depth)

    def close(self) -> None:
        """Give the buffers back."""
        for buffer, color, depth in self._buffers:
            for resource in (buffer, color, depth):
                resource.ReleaseGraphicsResources(self._window)
        self._buffers = []
        self._transfer.ReleaseMemory()
        self._renderer.RemoveAllViewProps()
        self._window.Finalize()

    def _buffer(self) -> tuple[Any, Any, Any]:
        color, depth, buffer = vtkTextureObject(), vtkTextureObject(), vtkOpenGLFramebufferObject()
        for resource in (color, depth, buffer):
            resource.SetContext(self._window)
        made = color.Allocate2D(self.size, self.size, 4, VTK_UNSIGNED_CHAR)
        made = depth.AllocateDepth(self.size, self.size, vtkTextureObject.Float32) and made
        with self._bound((buffer, color, depth)):
            buffer.AddColorAttachment(0, color)
            buffer.AddDepthAttachment(depth)
            made = made and buffer.CheckFrameBufferStatus(_GL_FRAMEBUFFER) == _GL_COMPLETE
        if not made:
            raise DrawingError(
                f"OpenGL could not make a picture of {self.size}×{self.size} pixels; ask for a smaller --size."
            )
        return buffer, color, depth

    def _wipe(self) -> None:
        for buffer in self._buffers:
            with self._bound(buffer):
                self._renderer.Render()  # of no data yet: clears
        self._renderer.PreserveColorBufferOn()
        self._renderer.PreserveDepthBufferOn()

    @contextmanager
    def _bound(self, buffer: tuple[Any, Any, Any]) -> Iterator[Any]:
        state = self._window.GetState()
        state.PushFramebufferBindings()
        try:
            buffer[0].Bind()
            buffer[0].ActivateDrawBuffer(0)
            yield buffer[0]
        finally:
            state.PopFramebufferBindings()


def _window(size: int) -> Any:
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(1, 1)
    window.SetTileScale(size, size)
    return window


def _actor(line_width: float) -> tuple[Any, Any]:
    data, mapper, actor = vtkPolyData(), vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    mapper.SetStatic(True)
    mapper.SetVBOShiftScaleMethod(0)
    mapper.SetColorModeToDirectScalars()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetLineWidth(line_width)
    return data, actor


def _fill(data: Any, lines: Lines) -> None:
    points, cells = vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(lines.points))
    cells.SetData(numpy_to_vtkIdTypeArray(lines.offsets), numpy_to_vtkIdTypeArray(lines.order))
    data.SetPoints(points)
    data.SetLines(cells)
    data.GetPointData().SetScalars(numpy_to_vtk(lines.colors))


def _look(camera: Any, view: View, frame: Frame) -> None:
    distance = frame.depth  # any: the projection is parallel
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(*frame.center)
    camera.SetPosition(*(at + distance * side for at, side in zip(frame.center, view.seen_from, strict=True)))
    camera.SetViewUp(*view.up)
    camera.SetParallelScale(frame.width / 2)
    camera.SetClippingRange(distance - frame.depth / 2, distance + frame.depth / 2)


def _download(
    transfer: Any, extent: list[int], kind: int, columns: int, gl_kind: int, gl_format: int, into: Any
) -> None:
    # the method that returns a new transfer buffer leaks it: its caller would own it, and Python doesn't know that
    vtkOpenGLFramebufferObject.Download(extent, kind, columns, gl_kind, gl_format, transfer)
    transfer.Download2D(kind, into, (into.shape[1], into.shape[0]), columns, (0, 0))
