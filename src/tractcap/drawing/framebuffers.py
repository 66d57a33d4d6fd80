"""Framebuffers of our own: what a view is drawn into.

VTK's render window would hold five times as much for its own copies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import VTK_FLOAT, VTK_UNSIGNED_CHAR
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLFramebufferObject, vtkPixelBufferObject, vtkTextureObject

from tractcap.errors import DrawingError

_GL_FRAMEBUFFER, _GL_COMPLETE = 0x8D40, 1
_GL_RGBA, _GL_DEPTH, _GL_UNSIGNED_BYTE, _GL_FLOAT = 0x1908, 0x1902, 0x1401, 0x1406


class Buffer:
    """Square, ``size`` samples along each side: colour and depth, or with ``summing`` sums of colours alone.

    Raises
    ------
    DrawingError
        When OpenGL can't make it.
    """

    def __init__(self, window: Any, size: int, *, summing: bool = False) -> None:
        self.size, self.summing, self._window = size, summing, window
        self._color, self._object = vtkTextureObject(), vtkOpenGLFramebufferObject()
        self._depth = None if summing else vtkTextureObject()
        for resource in self._resources():
            resource.SetContext(window)
        made = self._color.Allocate2D(size, size, 4, VTK_FLOAT if summing else VTK_UNSIGNED_CHAR)
        made = made and (not self._depth or self._depth.AllocateDepth(size, size, vtkTextureObject.Float32))
        with self.bound():
            self._object.AddColorAttachment(0, self._color)
            if self._depth:
                self._object.AddDepthAttachment(self._depth)
            made = made and self._object.CheckFrameBufferStatus(_GL_FRAMEBUFFER) == _GL_COMPLETE
        if not made:
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

    def colors(self, transfer: Any, first: int, last: int) -> NDArray[Any]:
        """Rows from ``first`` up to ``last``, counted from the top: (rows, size, 4), uint8 or of sums float32."""
        kind = (VTK_FLOAT, 4, _GL_FLOAT) if self.summing else (VTK_UNSIGNED_CHAR, 4, _GL_UNSIGNED_BYTE)
        into = np.empty((last - first, self.size, 4), np.float32 if self.summing else np.uint8)
        return self._download(transfer, (first, last), kind, _GL_RGBA, into)

    def depths(self, transfer: Any, first: int, last: int) -> NDArray[np.float32]:
        """Rows as of :meth:`colors`: (rows, size) float32 from 0, the nearest plane, to 1."""
        into = np.empty((last - first, self.size), np.float32)
        return self._download(transfer, (first, last), (VTK_FLOAT, 1, _GL_FLOAT), _GL_DEPTH, into)

    def close(self) -> None:
        """Give its memory back."""
        for resource in self._resources():
            resource.ReleaseGraphicsResources(self._window)

    def _resources(self) -> list[Any]:
        return [resource for resource in (self._object, self._color, self._depth) if resource]

    def _download(
        self, transfer: Any, rows: tuple[int, int], kind: tuple[int, int, int], gl_format: int, into: NDArray[Any]
    ) -> NDArray[Any]:
        extent = [0, self.size - 1, self.size - rows[1], self.size - 1 - rows[0]]
        with self.bound():
            self._object.ActivateReadBuffer(0)
            # the method that returns a new transfer buffer leaks it: its caller would own it, and Python doesn't know
            vtkOpenGLFramebufferObject.Download(extent, *kind, gl_format, transfer)
        transfer.Download2D(kind[0], into, (into.shape[1], into.shape[0]), kind[1], (0, 0))
        return into[::-1]


def transfer_buffer(window: Any) -> Any:
    """What pixels pass through on their way out."""
    transfer = vtkPixelBufferObject()
    transfer.SetContext(window)
    return transfer
