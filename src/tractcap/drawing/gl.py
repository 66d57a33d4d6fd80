"""Which OpenGL there is, looked for before VTK does: without a library that it can load, VTK ends in a segfault."""

import ctypes
import os

from tractcap.errors import DrawingError

_OSMESA = "libOSMesa.so.8"


def choose() -> str:
    """Make VTK draw in memory with OSMesa; returns the library's name.

    Raises
    ------
    DrawingError
        When libOSMesa can't be loaded.
    """
    try:
        ctypes.CDLL(_OSMESA)
    except OSError as error:
        raise DrawingError(
            f"{_OSMESA} can't be loaded ({error}), and VTK can't draw without it: install Debian's package libosmesa6."
        ) from error
    os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkOSOpenGLRenderWindow"
    return _OSMESA


def describe() -> str:
    """The renderer and the version of the OpenGL that VTK has found, after :func:`choose`."""
    from vtkmodules.vtkRenderingCore import vtkRenderWindow
    from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderWindow  # noqa: F401  registers its kind of window

    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.Render()
    told = dict(line.partition(" string:")[::2] for line in window.ReportCapabilities().splitlines())
    return f"{told.get('OpenGL renderer', '?').strip()}, {told.get('OpenGL version', '?').strip()}"
