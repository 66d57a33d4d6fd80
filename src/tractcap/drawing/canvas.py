"""The canvas: for each shot buffers of colour and depth, into which lines are drawn chunk after chunk.

VTK's render window stays tiny, and tells its renderer of a larger size by its tile scale; what is drawn goes into
framebuffers of our own, since the window would hold five times as much for its copies. Where there are few lines, they
are drawn when a shot is read, into one buffer for all shots, of which only what they cover is cleared.
Nothing that is drawn depends on
the chunk: the vertices are used as they are (no shift and scale by their bounds), and the clipping planes are the
frame's, or the slab's.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import VTK_FLOAT, VTK_UNSIGNED_CHAR, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkRecti
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLFramebufferObject, vtkPixelBufferObject, vtkTextureObject

from tractcap.drawing.anatomy import GLASS_POWER, Mesh
from tractcap.drawing.lines import DrawableLines, joined
from tractcap.drawing.occlusion import Occlusion
from tractcap.drawing.overlays import DrawableOverlay, blamed
from tractcap.drawing.shading import lit
from tractcap.drawing.shot import Shot
from tractcap.drawing.views import Frame
from tractcap.errors import DrawingError

Array = NDArray[Any]

# OpenGL's names
_ONE, _SRC_ALPHA, _ONE_MINUS_SRC_ALPHA = 1, 0x0302, 0x0303
_FRAMEBUFFER, _COMPLETE = 0x8D40, 1
_RGBA, _DEPTH, _UNSIGNED_BYTE, _FLOAT = 0x1908, 0x1902, 0x1401, 0x1406

_AMBIENT, _DIFFUSE, _SPECULAR, _SHININESS = 0.35, 0.75, 0.25, 30
"""How tubes are lit, by a light at the eye."""

_IN_FLIGHT = 6
"""Shots that llvmpipe may draw at once: it holds in memory what it has not drawn yet."""

_MOST_QUEUED, _ALWAYS_QUEUED = 300_000, 5_000
"""Points that are queued at most, in all shots together; but so many in each in any case."""

_WORTH_HIDING = 50_000
"""Points from which on it pays to find out which lines are hidden: before, little is."""

_LEARN_AGAIN = 1.5
"""Reading depths takes its time too: it is worth it when so many times as many points are drawn as at the last time."""

_DRAWN = 255
"""Alpha that clearing and drawing leave in every sample: memory that OpenGL never wrote holds something else."""

_ROUNDED = 2.0
"""Samples that OpenGL may draw beyond a line's width and place, at most."""

_THINNEST = 1e-3
"""mm between two planes that something can be seen between."""


class Canvas:
    """Shots of one frame, drawn all at once.

    Parameters
    ----------
    width : mm across lines or tubes. tubes : whether tubes are drawn, which are lit.
    layered : also sum the colours of all lines behind each other, before and behind a slice, at five times the memory.
        Otherwise lines that are hidden by what was drawn before are not drawn, which changes no pixel, and those of
        each shot are queued, to be drawn many at once: call :meth:`finish`.
    together : points of a shot that are drawn at once, at most.

    Raises
    ------
    DrawingError
        When OpenGL can't make the buffers.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        frame: Frame,
        width: float,
        *,
        together: int,
        tubes: bool = False,
        layered: bool = False,
    ) -> None:
        self.shots: Sequence[Shot] = list(shots)
        self.frame, self._tubes, self._layered = frame, tubes, layered
        # in whole samples, as OpenGL draws lines: a half is always rounded up, whatever the last digits
        self._widths = [max(1, math.floor(width * shot.size / frame.width + 0.5 + 1e-6)) for shot in self.shots]
        self._stage = _STAGES.pop() if _STAGES else _Stage()
        self._window, self._renderer = self._stage.window, self._stage.renderer
        self._data, self._actor = self._stage.data, self._stage.actor
        self._renderings = 0
        self._together = min(together, max(_ALWAYS_QUEUED, _MOST_QUEUED // len(self.shots)))
        self._first = _Queue()  # the same lines for all shots
        self._queues = [_Queue() for _ in self.shots]
        self._occlusion: Occlusion | None = None
        self._transfer = vtkPixelBufferObject()
        self._transfer.SetContext(self._window)
        self._buffers: dict[int, _Framebuffer] = {}
        """By the places of shots that have their own."""
        self._shared: _Framebuffer | None = None
        self._held: int | None = None  # the shot that is in it
        self._sums = [
            [_Framebuffer(self._window, shot.size, summing=True) for _ in shot.halves] if layered else []
            for shot in self.shots
        ]
        self._overlays: list[_Framebuffer] = []
        self.wipe()

    def draw(self, lines: DrawableLines) -> None:
        """Draw lines into every shot; where something nearer was drawn before, that stays."""
        self._widen(lines.points)
        if self._layered or self._tubes:
            self._draw_at_once(lines)
            return
        if not self._occlusion:
            if self._first.points + len(lines.points) <= _WORTH_HIDING:
                self._first.add(lines)
                return
            self._draw_first()
            self._occlusion = Occlusion(self.shots, self.frame, self._widths, lines)
        for place, seen in self._occlusion.seen(lines):
            queue = self._queues[place]
            if queue.points and queue.points + len(seen.points) > self._together:
                self._draw_lit(place, queue.take())
                if queue.is_worth_learning():
                    self._occlusion.learn(place, partial(self._depths_of_rows, place))
            queue.add(seen)

    def _depths_of_rows(self, place: int, first: int, last: int) -> NDArray[np.float32]:
        return self.depths(place, range(first, last), range(self.shots[place].size))

    def finish(self) -> None:
        """Draw what is queued; nothing comes after it that it could hide."""
        if self._buffers:
            self._draw_first()
        for place, queue in enumerate(self._queues):
            if queue.points:
                self._draw_lit(place, queue.take())
        self._window.WaitForCompletion()

    def _draw_first(self) -> None:
        for lines in self._first.parts(self._together):
            for place in range(len(self.shots)):
                self._draw_lit(place, lines)
        self._first = _Queue()

    def _draw_lit(self, place: int, lines: DrawableLines) -> None:
        buffer = self._own(place)
        self._load_lit(lines, self.shots[place])
        self._prepare(place, self.shots[place].near, self.shots[place].far, tubes=False)
        self._render(buffer)

    def _own(self, place: int) -> "_Framebuffer":
        """A shot's own buffer, which is clear at first."""
        if place not in self._buffers:
            self._buffers[place] = _Framebuffer(self._window, self.shots[place].size)
            self._wipe([self._buffers[place]])
        return self._buffers[place]

    def _drawn(self, place: int) -> "_Framebuffer":
        """The buffer that a shot is in, as far as it was :meth:`touched`: its own, or else the shared one."""
        if place in self._buffers:
            return self._buffers[place]
        shot = self.shots[place]
        if self._shared and self._shared.size != shot.size:
            self._shared.close()
            self._shared = None
        if not self._shared:
            self._shared, self._held = _Framebuffer(self._window, shot.size), None
        if self._held != place:
            self._prepare(place, shot.near, shot.far, tubes=False)
            rows, columns = self.touched(place)
            camera = self._renderer.GetActiveCamera()
            camera.SetScissorRect(vtkRecti(columns.start, shot.size - rows.stop, len(columns), len(rows)))
            camera.SetUseScissor(True)
            for number, lines in enumerate(self._first.parts(self._together)):
                self._load_lit(lines, shot)
                self._render(self._shared, clear=number == 0)
            camera.SetUseScissor(False)
            self._held = place
        return self._shared

    def _load_lit(self, lines: DrawableLines, shot: Shot) -> None:
        lines = lit(lines, shot.view)
        self._load(lines.points, lines.colors, lines=_cells(lines.offsets, np.arange(len(lines.points))))

    def _draw_at_once(self, lines: DrawableLines) -> None:
        buffers = [self._own(place) for place in range(len(self.shots))]
        self._load(lines.points, lines.colors, lines=_cells(lines.offsets, np.arange(len(lines.points))))
        for place, shot in enumerate(self.shots):
            self._prepare(place, shot.near, shot.far, tubes=self._tubes)
            self._render(buffers[place])
            for (near, far), sums in zip(shot.halves, self._sums[place], strict=False):
                if far - near > _THINNEST:
                    self._prepare(place, near, far, tubes=False)
                    self._render(sums, add=True)
        self._window.WaitForCompletion()

    def glass(self, mesh: Mesh) -> None:
        """Draw the rim of a surface's front, from 0 where it faces the eye to 255, in all three colours."""
        triangles = _cells_of(mesh.triangles)
        self._widen(mesh.points)
        for place, shot in enumerate(self.shots):
            buffer = self._own(place)
            facing = np.abs(sum(mesh.normals[:, axis] * np.float32(shot.view.seen_from[axis]) for axis in range(3)))
            rim = (np.clip(1 - facing, 0, 1) ** GLASS_POWER * 255).astype(np.uint8)
            self._load(mesh.points, np.repeat(rim[:, None], 3, axis=1), polygons=triangles)
            self._prepare(place, 0, self.frame.depth, tubes=False)
            self._render(buffer)

    def draw_overlays(self, shot: int, overlays: Sequence[DrawableOverlay]) -> None:
        """Draw what lies beside a shot's streamlines, each sheet into buffers of its own, until the next shot's."""
        size, sheets = self.shots[shot].size, sum(overlay.sheets for overlay in overlays)
        while self._overlays and (len(self._overlays) > sheets or self._overlays[-1].size != size):
            self._overlays.pop().close()
        while len(self._overlays) < sheets:
            self._overlays.append(_Framebuffer(self._window, size))
        self._wipe(self._overlays)
        self._prepare(shot, self.shots[shot].near, self.shots[shot].far, tubes=False)
        buffers = iter(self._overlays)
        for overlay in overlays:
            with blamed(overlay.shown.path):
                self._draw_overlay(overlay, self.shots[shot], [next(buffers) for _ in range(overlay.sheets)])
        self._actor.GetProperty().FrontfaceCullingOff()
        self._window.WaitForCompletion()

    def _draw_overlay(self, overlay: DrawableOverlay, shot: Shot, sheets: Sequence["_Framebuffer"]) -> None:
        for mesh in overlay.meshes(shot.view):
            segments = None if mesh.segments is None else _cells_of(mesh.segments)
            self._load(mesh.points, mesh.lit(shot.view), lines=segments, polygons=_cells_of(mesh.triangles))
            for number, buffer in enumerate(sheets):
                self._actor.GetProperty().SetFrontfaceCulling(number > 0)
                self._render(buffer)

    def sheet(
        self, shot: int, number: int, rows: range, columns: range
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Samples of a sheet of the overlays that were drawn last, as of :meth:`colors` and :meth:`depths`."""
        buffer = self._overlays[number]
        depths = buffer.depths(self._transfer, rows, columns)
        return self._colors(buffer, rows, columns), self.shots[shot].in_mm(depths)

    def wipe(self) -> None:
        """Clear all buffers."""
        self._low, self._high = np.full(3, np.inf), np.full(3, -np.inf)  # corners of what was drawn
        self._wipe(self._all_buffers())

    def _wipe(self, buffers: Iterable["_Framebuffer"]) -> None:
        self._data.Initialize()
        for buffer in buffers:
            self._render(buffer, clear=True)

    def touched(self, shot: int) -> tuple[range, range]:
        """Rows and columns of a shot's samples outside of which nothing was drawn: those of the box around it all."""
        view, size, frame = self.shots[shot].view, self.shots[shot].size, self.frame
        drawn = shot in self._buffers or self._first.points
        if not drawn or not (self._low <= self._high).all():
            return range(0), range(0)
        scale = size / frame.width
        around = self._widths[shot] + _ROUNDED + frame.precision * scale
        middle, half = (self._low + self._high) / 2 - frame.center, (self._high - self._low) / 2
        sides = []
        for direction in (np.negative(view.up), np.array(view.rightwards)):
            at, reach = size / 2 + scale * float(direction @ middle), scale * float(np.abs(direction) @ half) + around
            first, last = (min(max(0, place), size) for place in (math.floor(at - reach), math.ceil(at + reach)))
            sides.append(range(first, last))
        return sides[0], sides[1]

    def _widen(self, points: NDArray[np.float32]) -> None:
        """Let the box around what was drawn hold more points."""
        columns = np.ascontiguousarray(points.T)  # fifty times as fast along rows
        self._low = np.minimum(self._low, columns.min(axis=1))
        self._high = np.maximum(self._high, columns.max(axis=1))

    def colors(self, shot: int, rows: range, columns: range) -> NDArray[np.uint8]:
        """A shot's samples in rows, counted from the top, and columns: (rows, columns, 3) uint8.

        Raises
        ------
        DrawingError
            When they aren't what OpenGL drew.
        """
        nothing = np.zeros((len(rows), len(columns), 3), np.uint8)
        return self._filled(nothing, shot, rows, columns, lambda *part: self._colors(self._drawn(shot), *part))

    def _filled(
        self, nothing: Array, shot: int, rows: range, columns: range, read: Callable[[range, range], Array]
    ) -> Array:
        """Samples of a shot in which nothing was drawn, with what was drawn read into them."""
        down, right = (
            range(max(wanted.start, drawn.start), min(wanted.stop, drawn.stop))
            for wanted, drawn in zip((rows, columns), self.touched(shot), strict=True)
        )
        if (down, right) == (rows, columns):
            return read(rows, columns)
        if len(down) and len(right):
            part = nothing[down.start - rows.start :, right.start - columns.start :]
            part[: len(down), : len(right)] = read(down, right)
        return nothing

    def _colors(self, buffer: "_Framebuffer", rows: range, columns: range) -> NDArray[np.uint8]:
        colors: NDArray[np.uint8] = buffer.colors(self._transfer, rows, columns)
        if (colors[..., 3] != _DRAWN).any():
            raise DrawingError(
                "OpenGL drew nothing, not even a background: its library, or a variable that steers it, is at fault."
            )
        return colors[..., :3]

    def depths(self, shot: int, rows: range, columns: range) -> NDArray[np.float32]:
        """Depths (rows, columns) float32 in mm from the frame's nearest plane; infinite where nothing is drawn."""
        return self.shots[shot].in_mm(self.raw_depths(shot, rows, columns))

    def raw_depths(self, shot: int, rows: range, columns: range) -> NDArray[np.float32]:
        """Depths as they are: from 0, the nearest plane, to 1, where nothing is drawn."""
        nothing = np.ones((len(rows), len(columns)), np.float32)
        return self._filled(nothing, shot, rows, columns, lambda *part: self._drawn(shot).depths(self._transfer, *part))

    def sums(self, shot: int, rows: range, columns: range) -> list[NDArray[np.float32]]:
        """Sums (rows, columns, 4) float32 of the colours of all layers, 1 the brightest, and of how many they are.

        One of what lies before the slice, one of what lies behind it; none if the canvas isn't layered.
        """
        nothing = np.zeros((len(rows), len(columns), 4), np.float32)
        return [
            self._filled(nothing.copy(), shot, rows, columns, partial(sums.colors, self._transfer))
            for sums in self._sums[shot]
        ]

    def close(self) -> None:
        """Give the buffers back."""
        one_by_one = not (self._buffers or any(self._sums) or self._overlays)
        for buffer in self._all_buffers():
            buffer.close()
        self._buffers, self._shared, self._sums, self._overlays = {}, None, [], []
        self._transfer.ReleaseMemory()
        if one_by_one:
            self._stage.clear()
            _STAGES.append(self._stage)
        else:  # llvmpipe holds on to buffers that it drew into side by side
            self._stage.close()

    def _all_buffers(self) -> Iterator["_Framebuffer"]:
        yield from self._buffers.values()
        yield from filter(None, [self._shared])
        for sums in self._sums:
            yield from sums
        yield from self._overlays

    def _load(
        self, places: NDArray[np.float32], colors: NDArray[np.uint8], *, lines: Any = None, polygons: Any = None
    ) -> None:
        """Take the geometry to be rendered next."""
        points = vtkPoints()
        points.SetData(numpy_to_vtk(places))
        self._data.SetPoints(points)
        self._data.GetPointData().SetScalars(numpy_to_vtk(colors))
        self._data.SetLines(lines)
        self._data.SetPolys(polygons)

    def _prepare(self, place: int, near: float, far: float, *, tubes: bool) -> None:
        """Set the camera of a shot, what lies between two planes being seen, and how lines are drawn."""
        view, frame = self.shots[place].view, self.frame
        distance = frame.depth  # any: the projection is parallel
        front = distance - frame.depth / 2
        camera = self._renderer.GetActiveCamera()
        camera.ParallelProjectionOn()
        camera.SetFocalPoint(*frame.center)
        camera.SetPosition(*(at + distance * side for at, side in zip(frame.center, view.seen_from, strict=True)))
        camera.SetViewUp(*view.up)
        camera.SetParallelScale(frame.width / 2)
        camera.SetClippingRange(front + near, front + far)
        style = self._actor.GetProperty()
        style.SetLineWidth(self._widths[place])
        style.SetRenderLinesAsTubes(tubes)
        style.SetLighting(tubes)
        style.SetAmbient(_AMBIENT if tubes else 0)  # without lighting, both still weigh the colour
        style.SetDiffuse(_DIFFUSE if tubes else 1)

    def _render(self, buffer: "_Framebuffer", *, add: bool = False, clear: bool = False) -> None:
        self._window.SetTileScale(buffer.size, buffer.size)
        self._renderer.SetPreserveColorBuffer(not clear)
        self._renderer.SetPreserveDepthBuffer(not clear)
        self._renderer.SetBackgroundAlpha(0 if buffer.summing else _DRAWN / 255)
        state = self._window.GetState()
        with buffer.bound():
            if add:
                state.vtkglBlendFuncSeparate(_ONE, _ONE, _ONE, _ONE)
            self._renderer.Render()
            self._renderings += 1
            if self._renderings % min(_IN_FLIGHT, len(self.shots)) == 0:
                self._window.WaitForCompletion()
            if add:
                state.vtkglBlendFuncSeparate(_SRC_ALPHA, _ONE_MINUS_SRC_ALPHA, _ONE, _ONE_MINUS_SRC_ALPHA)


def _cells(offsets: NDArray[np.int64], order: NDArray[np.int64]) -> Any:
    """Lines or polygons of points in this order, the i-th from ``offsets[i]`` up to ``offsets[i + 1]``."""
    cells = vtkCellArray()
    cells.SetData(numpy_to_vtkIdTypeArray(offsets), numpy_to_vtkIdTypeArray(order))
    return cells


def _cells_of(rows: NDArray[np.int64]) -> Any:
    """Segments (S, 2) or triangles (T, 3) of points, each a row of their numbers."""
    return _cells(np.arange(0, rows.size + 1, rows.shape[1]), np.ascontiguousarray(rows).reshape(-1))


class _Stage:
    """A window, and what is in it: an actor of ``data``, which is drawn as lines or as a mesh.

    To make one, with the programs that OpenGL compiles for it, takes as long as to draw a small picture: where pictures
    were drawn one by one, the next canvas uses it again.
    """

    def __init__(self) -> None:
        self.window, self.renderer = vtkRenderWindow(), vtkRenderer()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(1, 1)
        self.renderer.SetBackground(0, 0, 0)
        self.window.AddRenderer(self.renderer)
        self.data, self.actor = vtkPolyData(), vtkActor()
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self.data)
        mapper.SetStatic(True)
        mapper.SetVBOShiftScaleMethod(0)
        mapper.SetColorModeToDirectScalars()
        self.actor.SetMapper(mapper)
        self.actor.GetProperty().SetSpecular(_SPECULAR)
        self.actor.GetProperty().SetSpecularPower(_SHININESS)
        self.renderer.AddActor(self.actor)
        self.window.Render()

    def clear(self) -> None:
        """Let go of what was drawn last, and of the buffer that it was drawn into."""
        self.data.Initialize()
        self.actor.GetMapper().ReleaseGraphicsResources(self.window)
        self.window.SetTileScale(1, 1)
        self.window.Render()

    def close(self) -> None:
        """Give all of its memory back."""
        self.renderer.RemoveAllViewProps()
        self.window.Finalize()


_STAGES: list[_Stage] = []
"""Those that no canvas uses."""


class _Queue:
    """Lines that are still to be drawn into a shot."""

    def __init__(self) -> None:
        self._lines: list[DrawableLines] = []
        self.points = 0
        self._drawn, self._learnt = 0, 0

    def add(self, lines: DrawableLines) -> None:
        self._lines.append(lines)
        self.points += len(lines.points)

    def parts(self, most: int) -> Iterator[DrawableLines]:
        """All of them, in their order: so many points at once, or more where they came at once."""
        begin, points = 0, 0
        for number, lines in enumerate(self._lines):
            if points and points + len(lines.points) > most:
                yield joined(self._lines[begin:number])
                begin, points = number, 0
            points += len(lines.points)
        if points:
            yield joined(self._lines[begin:])

    def take(self) -> DrawableLines:
        """All of them, in their order; the queue is empty then."""
        lines = joined(self._lines)
        self._drawn += self.points
        self._lines, self.points = [], 0
        return lines

    def is_worth_learning(self) -> bool:
        """Whether enough was drawn since this was last so that much more is hidden."""
        worth = self._drawn > _LEARN_AGAIN * self._learnt
        self._learnt = self._drawn if worth else self._learnt
        return worth


class _Framebuffer:
    """Square, ``size`` samples along each side: colour and depth, or with ``summing`` sums of colours alone."""

    def __init__(self, window: Any, size: int, *, summing: bool = False) -> None:
        self.size, self.summing, self._window = size, summing, window
        self._color, self._object = vtkTextureObject(), vtkOpenGLFramebufferObject()
        self._depth = None if summing else vtkTextureObject()
        self._resources = [resource for resource in (self._object, self._color, self._depth) if resource]
        for resource in self._resources:
            resource.SetContext(window)
        complete = self._color.Allocate2D(size, size, 4, VTK_FLOAT if summing else VTK_UNSIGNED_CHAR)
        complete = complete and (not self._depth or self._depth.AllocateDepth(size, size, vtkTextureObject.Float32))
        with self.bound():
            self._object.AddColorAttachment(0, self._color)
            if self._depth:
                self._object.AddDepthAttachment(self._depth)
            complete = complete and self._object.CheckFrameBufferStatus(_FRAMEBUFFER) == _COMPLETE
        if not complete:
            raise DrawingError(f"OpenGL could not make a picture of {size}×{size} samples; ask for a smaller --size.")

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Draw into it, and read from it, within this context."""
        state = self._window.GetState()
        state.PushFramebufferBindings()
        try:
            self._object.Bind()
            self._object.ActivateDrawBuffer(0)
            yield
        finally:
            state.PopFramebufferBindings()

    def colors(self, transfer: Any, rows: range, columns: range) -> NDArray[Any]:
        """Samples of rows, counted from the top, and columns: (rows, columns, 4), uint8 or of sums float32."""
        values = np.empty((len(rows), len(columns), 4), np.float32 if self.summing else np.uint8)
        kind = (VTK_FLOAT, 4, _FLOAT) if self.summing else (VTK_UNSIGNED_CHAR, 4, _UNSIGNED_BYTE)
        return self._read(transfer, rows, columns, values, kind, _RGBA)

    def depths(self, transfer: Any, rows: range, columns: range) -> NDArray[np.float32]:
        """Samples as of :meth:`colors`: (rows, columns) float32 from 0, the nearest plane, to 1."""
        values = np.empty((len(rows), len(columns)), np.float32)
        return self._read(transfer, rows, columns, values, (VTK_FLOAT, 1, _FLOAT), _DEPTH)

    def _read(
        self,
        transfer: Any,
        rows: range,
        columns: range,
        values: NDArray[Any],
        kind: tuple[int, int, int],
        gl_format: int,
    ) -> NDArray[Any]:
        """Fill an array with samples, of a kind that is VTK's type, how many a sample has, and OpenGL's type."""
        extent = [columns.start, columns.stop - 1, self.size - rows.stop, self.size - 1 - rows.start]
        with self.bound():
            self._object.ActivateReadBuffer(0)
            # the method that returns a new transfer buffer leaks it: its caller would own it, and Python doesn't know
            vtkOpenGLFramebufferObject.Download(extent, *kind, gl_format, transfer)
        transfer.Download2D(kind[0], values, (len(columns), len(rows)), kind[1], (0, 0))
        return values[::-1]

    def close(self) -> None:
        """Give its memory back."""
        for resource in self._resources:
            resource.ReleaseGraphicsResources(self._window)
