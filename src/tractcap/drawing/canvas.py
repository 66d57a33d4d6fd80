"""The canvas: for each shot buffers of colour and depth, into which lines are drawn chunk after chunk.

VTK's render window stays tiny, and tells its renderer of a larger size by its tile scale. Nothing that is drawn
depends on the chunk: the vertices are used as they are (no shift and scale by their bounds), and the clipping planes
are the frame's, or the slab's.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow

from tractcap.drawing.anatomy import GLASS_POWER, Mesh
from tractcap.drawing.framebuffers import Buffer, transfer_buffer
from tractcap.drawing.lighting import lit
from tractcap.drawing.lines import DrawableLines, joined
from tractcap.drawing.occlusion import Occlusion
from tractcap.drawing.views import Frame, View
from tractcap.errors import DrawingError

_ONE, _SRC_ALPHA, _ONE_MINUS_SRC_ALPHA = 1, 0x0302, 0x0303  # OpenGL's names

_AMBIENT, _DIFFUSE, _SPECULAR, _SHININESS = 0.35, 0.75, 0.25, 30
"""How tubes are lit, by a light at the eye."""


_IN_FLIGHT = 6
"""Shots that llvmpipe may draw at once: it holds in memory what it has not drawn yet."""

_WAITING = 300_000
_FEW = 5_000
"""Points that wait to be drawn together at most, in all shots; but so many in each are drawn together in any case."""

_WORTH = 1.5

_DRAWN = 255
"""Alpha that clearing and drawing leave in every sample: memory that OpenGL never wrote holds something else."""

_THINNEST = 1e-3
"""mm between two planes that something can be seen between."""


@dataclass(frozen=True)
class Shot:
    """A view as a square picture of ``size`` samples, seen between two planes ``near`` and ``far`` mm from the front.

    Both count from the frame's nearest plane. ``split`` is where a slice parts the layers that are summed.
    """

    view: View
    size: int
    near: float
    far: float
    split: float

    @property
    def halves(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What lies before the slice and what lies behind it, each from mm to mm."""
        split = min(max(self.split, self.near), self.far)
        return (self.near, split), (split, self.far)

    def in_mm(self, depths: NDArray[np.float32]) -> NDArray[np.float32]:
        """Depths from 0 to 1 in mm from the frame's nearest plane; infinite where nothing is drawn."""
        mm = depths * np.float32(self.far - self.near) + np.float32(self.near)
        return np.where(depths < 1, mm, np.float32(np.inf))


@dataclass(frozen=True)
class Brush:
    """Lines, or tubes that are lit, ``width`` mm wide."""

    width: float
    tubes: bool = False


class Canvas:
    """Shots of one frame, drawn all at once.

    ``layered`` also sums the colours of all lines behind each other, before and behind a slice, at five times the
    memory. Otherwise lines that are hidden by what was drawn before are not drawn, which changes no pixel, and those of
    each shot wait until they are many, at most ``together`` points: call :meth:`finish`.

    Raises
    ------
    DrawingError
        When OpenGL can't make the buffers.
    """

    def __init__(
        self, shots: Sequence[Shot], frame: Frame, brush: Brush, *, together: int, layered: bool = False
    ) -> None:
        self.shots: Sequence[Shot] = list(shots)
        self.frame, self._brush = frame, brush
        self._window = _window()
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(0, 0, 0)
        self._window.AddRenderer(self._renderer)
        self._data, self._actor = _actor()
        self._renderer.AddActor(self._actor)
        self._window.Render()
        self._begun = 0
        self._together = min(together, max(_FEW, _WAITING // len(self.shots)))
        self._waiting = [_Waiting() for _ in self.shots]
        self._occlusion: Occlusion | None = None
        self._all_is_seen = layered or brush.tubes
        self._transfer = transfer_buffer(self._window)
        self._buffers = [Buffer(self._window, shot.size) for shot in self.shots]
        self._sums = [
            [Buffer(self._window, shot.size, summing=True) for _ in shot.halves] if layered else []
            for shot in self.shots
        ]
        self.wipe()

    def draw(self, lines: DrawableLines) -> None:
        """Draw lines into every shot; where something nearer was drawn before, that stays."""
        if self._all_is_seen:
            self._draw_all(lines)
            return
        if not self._occlusion:
            self._occlusion = Occlusion(self.shots, self.frame, [self._width(shot) for shot in self.shots], lines)
        for place, seen in self._occlusion.seen(lines):
            waiting = self._waiting[place]
            if waiting.points and waiting.points + len(seen.points) > self._together:
                self._draw_waiting(place, self._occlusion)
            waiting.add(seen)

    def finish(self) -> None:
        """Draw what waits."""
        for place in range(len(self.shots)):
            if self._occlusion and self._waiting[place].points:
                self._draw_waiting(place, self._occlusion)
        self._window.WaitForCompletion()

    def _draw_waiting(self, place: int, occlusion: Occlusion) -> None:
        shot, waiting = self.shots[place], self._waiting[place]
        _fill(self._data, lit(waiting.take(), shot.view))
        self._look(shot, shot.near, shot.far)
        self._set(shot, tubes=False)
        self._render(self._buffers[place])
        if waiting.is_worth_learning():
            occlusion.learn(place, lambda first, last: self.depths(place, first, last))

    def _draw_all(self, lines: DrawableLines) -> None:
        _fill(self._data, lines)
        for place, shot in enumerate(self.shots):
            self._look(shot, shot.near, shot.far)
            self._set(shot, tubes=self._brush.tubes)
            self._render(self._buffers[place])
            for (near, far), sums in zip(shot.halves, self._sums[place], strict=False):
                if far - near > _THINNEST:
                    self._look(shot, near, far)
                    self._set(shot, tubes=False)
                    self._render(sums, add=True)
        self._window.WaitForCompletion()

    def glass(self, mesh: Mesh) -> None:
        """Draw the rim of a surface's front, from 0 where it faces the eye to 255, in all three colours."""
        for shot, buffer in zip(self.shots, self._buffers, strict=True):
            facing = np.abs(sum(mesh.normals[:, axis] * np.float32(shot.view.seen_from[axis]) for axis in range(3)))
            rim = (np.clip(1 - facing, 0, 1) ** GLASS_POWER * 255).astype(np.uint8)
            _fill_surface(self._data, mesh, np.repeat(rim[:, None], 3, axis=1))
            self._look(shot, 0, self.frame.depth)
            self._set(shot, tubes=False)
            self._render(buffer)
        _clear(self._data)

    def wipe(self) -> None:
        """Clear all buffers."""
        self._renderer.PreserveColorBufferOff()
        self._renderer.PreserveDepthBufferOff()
        for buffer in self._all():
            self._renderer.SetBackgroundAlpha(0 if buffer.summing else _DRAWN / 255)
            self._render(buffer)  # of no data: clears
        self._renderer.PreserveColorBufferOn()
        self._renderer.PreserveDepthBufferOn()

    def colors(self, shot: int, first: int, last: int) -> NDArray[np.uint8]:
        """Rows ``first`` up to ``last`` of a shot, counted from the top: (rows, size, 3) uint8.

        Raises
        ------
        DrawingError
            When they aren't what OpenGL drew.
        """
        colors: NDArray[np.uint8] = self._buffers[shot].colors(self._transfer, first, last)
        if (colors[..., 3] != _DRAWN).any():
            raise DrawingError(
                "OpenGL drew nothing, not even a background: its library, or a variable that steers it, is at fault."
            )
        return colors[..., :3]

    def depths(self, shot: int, first: int, last: int) -> NDArray[np.float32]:
        """Rows of depths (rows, size) float32 in mm from the frame's nearest plane; infinite where nothing is drawn."""
        return self.shots[shot].in_mm(self._buffers[shot].depths(self._transfer, first, last))

    def samples(self, shot: int, first: int, last: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Rows of colours, and of depths as they are: from 0, the nearest plane, to 1, where nothing is drawn."""
        return self.colors(shot, first, last), self._buffers[shot].depths(self._transfer, first, last)

    def sums(self, shot: int, first: int, last: int) -> list[NDArray[np.float32]]:
        """Rows of sums (rows, size, 4) float32: of the colours of all layers, 1 the brightest, and how many they are.

        One of what lies before the slice, one of what lies behind it; none if the canvas isn't layered.
        """
        return [sums.colors(self._transfer, first, last) for sums in self._sums[shot]]

    def close(self) -> None:
        """Give the buffers back."""
        for buffer in self._all():
            buffer.close()
        self._buffers, self._sums = [], []
        self._transfer.ReleaseMemory()
        self._renderer.RemoveAllViewProps()
        self._window.Finalize()

    def _render(self, buffer: Buffer, *, add: bool = False) -> None:
        self._window.SetTileScale(buffer.size, buffer.size)
        state = self._window.GetState()
        with buffer.bound():
            if add:
                state.vtkglBlendFuncSeparate(_ONE, _ONE, _ONE, _ONE)
            self._renderer.Render()
            self._begun += 1
            if self._begun % min(_IN_FLIGHT, len(self.shots)) == 0:
                self._window.WaitForCompletion()
            if add:
                state.vtkglBlendFuncSeparate(_SRC_ALPHA, _ONE_MINUS_SRC_ALPHA, _ONE, _ONE_MINUS_SRC_ALPHA)

    def _all(self) -> Iterator[Buffer]:
        yield from self._buffers
        for sums in self._sums:
            yield from sums

    def _set(self, shot: Shot, *, tubes: bool) -> None:
        look = self._actor.GetProperty()
        look.SetLineWidth(self._width(shot))
        look.SetRenderLinesAsTubes(tubes)
        look.SetLighting(tubes)
        look.SetAmbient(_AMBIENT if tubes else 0)  # without lighting, both still weigh the colour
        look.SetDiffuse(_DIFFUSE if tubes else 1)

    def _width(self, shot: Shot) -> int:
        """Of lines, in whole samples, as OpenGL draws them: a half is always rounded up, whatever the last digits."""
        return max(1, math.floor(self._brush.width * shot.size / self.frame.width + 0.5 + 1e-6))

    def _look(self, shot: Shot, near: float, far: float) -> None:
        camera, frame = self._renderer.GetActiveCamera(), self.frame
        distance = frame.depth  # any: the projection is parallel
        place = (at + distance * side for at, side in zip(frame.center, shot.view.seen_from, strict=True))
        camera.ParallelProjectionOn()
        camera.SetFocalPoint(*frame.center)
        camera.SetPosition(*place)
        camera.SetViewUp(*shot.view.up)
        camera.SetParallelScale(frame.width / 2)
        front = distance - frame.depth / 2
        camera.SetClippingRange(front + near, front + far)


class _Waiting:
    """Lines that are to be drawn into a shot."""

    def __init__(self) -> None:
        self._lines: list[DrawableLines] = []
        self.points = 0
        self._drawn, self._learnt = 0, 0

    def add(self, lines: DrawableLines) -> None:
        self._lines.append(lines)
        self.points += len(lines.points)

    def take(self) -> DrawableLines:
        """All of them, in their order; none wait any more."""
        lines = joined(self._lines)
        self._drawn += self.points
        self._lines, self.points = [], 0
        return lines

    def is_worth_learning(self) -> bool:
        """Whether a fifth of what was drawn was drawn since this was last so: reading depths takes its time too."""
        worth = self._drawn > _WORTH * self._learnt
        self._learnt = self._drawn if worth else self._learnt
        return worth


def _window() -> Any:
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(1, 1)
    return window


def _actor() -> tuple[Any, Any]:
    data, mapper, actor = vtkPolyData(), vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    mapper.SetStatic(True)
    mapper.SetVBOShiftScaleMethod(0)
    mapper.SetColorModeToDirectScalars()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetSpecular(_SPECULAR)
    look.SetSpecularPower(_SHININESS)
    return data, actor


def _fill(data: Any, lines: DrawableLines) -> None:
    _fill_points(data, lines.points, lines.colors)
    data.SetPolys(None)
    data.SetLines(_cells(lines.offsets, np.arange(len(lines.points))))


def _fill_surface(data: Any, mesh: Mesh, colors: NDArray[np.uint8]) -> None:
    _fill_points(data, mesh.points, colors)
    data.SetLines(None)
    data.SetPolys(_cells(np.arange(0, 3 * len(mesh.triangles) + 1, 3), mesh.triangles.reshape(-1)))


def _fill_points(data: Any, places: NDArray[np.float32], colors: NDArray[np.uint8]) -> None:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(places))
    data.SetPoints(points)
    data.GetPointData().SetScalars(numpy_to_vtk(colors))


def _cells(offsets: NDArray[np.int64], order: NDArray[np.int64]) -> Any:
    cells = vtkCellArray()
    cells.SetData(numpy_to_vtkIdTypeArray(offsets), numpy_to_vtkIdTypeArray(order))
    return cells


def _clear(data: Any) -> None:
    data.Initialize()
