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
