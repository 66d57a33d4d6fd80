"""Finds OpenGL before VTK looks for it: without a library that it can load, VTK ends in a segfault."""

import ctypes
import logging
import os
import subprocess
from functools import cache

from tractcap import python_interpreter
from tractcap.errors import DrawingError

_log = logging.getLogger("tractcap")

_OSMESA = "libOSMesa.so.8"
_EGL = "libEGL.so.1"

_TRY_EGL = """
from vtkmodules.vtkRenderingCore import vtkRenderWindow
import vtkmodules.vtkRenderingOpenGL2
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.Render()
assert type(window).__name__ == "vtkEGLRenderWindow"
"""


@cache
def choose() -> str:
    """Make VTK draw in memory with OSMesa, or else with EGL, with a warning; returns the library's name.

    Raises
    ------
    DrawingError
        When neither can be used.
    """
    try:
        ctypes.CDLL(_OSMESA)
    except OSError as error:
        os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
        if not _egl_draws():
            raise DrawingError(
                f"{_OSMESA} can't be loaded ({error}), nor can {_EGL} draw in its place, and VTK needs one of them: "
                "install Debian's package libosmesa6."
            ) from error
        _log.warning(
            "%s can't be loaded (%s): %s draws in its place. Pictures may differ slightly.", _OSMESA, error, _EGL
        )
        return _EGL
    os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkOSOpenGLRenderWindow"
    return _OSMESA


def _egl_draws() -> bool:
    """Whether VTK can draw with EGL: it is tried in another process, since it may well crash."""
    try:
        ctypes.CDLL(_EGL)
    except OSError:
        return False
    tried = subprocess.run([*python_interpreter.command(), "-c", _TRY_EGL], capture_output=True, check=False)  # noqa: S603  our own
    return tried.returncode == 0


def describe() -> str:
    """Renderer and version of the OpenGL that VTK uses, after :func:`choose`."""
    from vtkmodules.vtkRenderingCore import vtkRenderWindow
    from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderWindow  # noqa: F401  registers its kind of window

    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.Render()
    strings = dict(line.partition(" string:")[::2] for line in window.ReportCapabilities().splitlines())
    return f"{strings.get('OpenGL renderer', '?').strip()}, {strings.get('OpenGL version', '?').strip()}"
