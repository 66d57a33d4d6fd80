"""Chooses the OpenGL that VTK draws with, before VTK looks for it: without one that it can load, it segfaults.

OSMesa and EGL are equals: with the same version of Mesa both draw the same bytes. Under EGL Mesa's software renderer is
forced, also where the machine has a GPU, since another GPU or driver would draw other pixels.
"""

import ctypes
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tractcap import python_interpreter
from tractcap.errors import DrawingError, SettingsError

_log = logging.getLogger("tractcap")

VARIABLE = "TRACTCAP_GL"
OSMESA, EGL, GPU = CHOICES = ("osmesa", "egl", "gpu")

_OSMESA_LIBRARY = "libOSMesa.so.8"
_EGL_LIBRARY = "libEGL.so.1"

PACKAGES = (
    "Debian's and Ubuntu's package libosmesa6, or libegl1, libegl-mesa0 and libgl1-mesa-dri; "
    "Fedora's mesa-libEGL and mesa-dri-drivers"
)
"""What to install: any of these will do. Mesa has no OSMesa from version 25.1 on."""

GPU_NOTE = "drawn by a GPU: not reproducible, since another GPU or driver draws other pixels"
"""What pictures, records and pages say of such pictures."""

_SOFTWARE = "llvmpipe"
"""Mesa's renderer whose pictures are the same on all machines."""

_TRY = "from tractcap.drawing.opengl import describe; print(describe())"

_FAULTY = (25, 3, 0), (26, 1, 5)
"""The first and the last version of Mesa with issue 15660."""


def asked(environ: Mapping[str, str] = os.environ) -> str:
    """What ``TRACTCAP_GL`` asks for: ``osmesa``, ``egl``, ``gpu``, or ``""`` where it is left to tractcap.

    Raises
    ------
    SettingsError
        When it has another value.
    """
    name = environ.get(VARIABLE, "")
    if name and name not in CHOICES:
        raise SettingsError(f"{VARIABLE} is {name!r}: choose from {', '.join(CHOICES)}, or leave it out.")
    return name


def gpu_asked() -> bool:
    """Whether pictures shall be drawn by a GPU."""
    return asked() == GPU


@cache
def choose() -> str:
    """Make VTK draw with OSMesa or, if that is missing, with EGL, or with what ``TRACTCAP_GL`` asks for.

    Returns
    -------
    str
        The library's name.

    Raises
    ------
    DrawingError
        When none that may be used can draw.
    SettingsError
        When ``TRACTCAP_GL`` has no such choice.
    """
    wanted, failures = asked(), []
    if wanted in ("", OSMESA):
        try:
            ctypes.CDLL(_OSMESA_LIBRARY)
        except OSError as error:
            failures.append(f"{_OSMESA_LIBRARY} can't be loaded ({error})")
        else:
            os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkOSOpenGLRenderWindow"
            return _OSMESA_LIBRARY
    if wanted != OSMESA:
        os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
        if wanted != GPU:
            os.environ.update(software_only(os.environ))
        description, failure = _try_egl()
        if description and (wanted == GPU) == description.startswith(_SOFTWARE):
            failure = f"{_EGL_LIBRARY} draws with {description}"
        if not failure:
            if fault := known_fault(description):
                _log.warning("%s", fault)
            return _EGL_LIBRARY
        failures.append(failure)
    if wanted == GPU:
        advice = f"let its driver be seen here (--gpus all, --nv), or leave out {VARIABLE}."
        raise DrawingError(f"{VARIABLE}=gpu asks for a GPU, but {failures[-1]}: {advice}")
    advice = f"Install one: {PACKAGES}."
    raise DrawingError(f"{'; '.join(failures)}. VTK needs an OpenGL that draws in software. {advice}")


def software_only(environ: Mapping[str, str], data: Path = Path("/")) -> dict[str, str]:
    """The variables that keep EGL to Mesa's software renderer.

    Parameters
    ----------
    environ : mapping of str to str
        Where glvnd, which hands EGL's calls to a vendor's library, is told to look for vendors.
    data : pathlib.Path
        The folder that holds ``etc`` and ``usr``.
    """
    forced = {"LIBGL_ALWAYS_SOFTWARE": "true", "GALLIUM_DRIVER": _SOFTWARE, "EGL_PLATFORM": "surfaceless"}
    files = [Path(name) for name in environ.get("__EGL_VENDOR_LIBRARY_FILENAMES", "").split(":") if name]
    if not files:
        named = [Path(name) for name in environ.get("__EGL_VENDOR_LIBRARY_DIRS", "").split(":") if name]
        usual = [data / "etc", data / "usr/share", Path(sys.prefix) / "share"]  # the last is conda's
        folders = named or [folder / "glvnd/egl_vendor.d" for folder in usual]
        files = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    if mesa := next(filter(_is_mesa, files), None):
        forced["__EGL_VENDOR_LIBRARY_FILENAMES"] = str(mesa)
    return forced


def _is_mesa(path: Path) -> bool:
    """Whether a vendor's file for glvnd is Mesa's."""
    try:
        return "mesa" in json.loads(path.read_bytes())["ICD"]["library_path"].lower()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # glvnd doesn't use it either


def _try_egl() -> tuple[str, str]:
    """What VTK draws with under EGL, or else why it can't: tried in another process, since VTK may well crash."""
    try:
        ctypes.CDLL(_EGL_LIBRARY)
    except OSError as error:
        return "", f"{_EGL_LIBRARY} can't be loaded ({error})"
    command = [*python_interpreter.command(), "-P", "-c", _TRY]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own
    return ("", f"{_EGL_LIBRARY} can't draw") if tried.returncode else (tried.stdout.strip(), "")


@cache
def describe() -> str:
    """Renderer and version of the OpenGL that VTK uses, after :func:`choose`.

    Raises
    ------
    DrawingError
        When VTK uses another kind of window than the one chosen.
    """
    from vtkmodules.vtkRenderingCore import vtkRenderWindow
    from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderWindow  # noqa: F401  registers its kind of window

    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(1, 1)
    window.Render()
    if (kind := type(window).__name__) != os.environ["VTK_DEFAULT_OPENGL_WINDOW"]:
        raise DrawingError(f"VTK draws with a {kind}, not with a {os.environ['VTK_DEFAULT_OPENGL_WINDOW']}.")
    strings = dict(line.partition(" string:")[::2] for line in window.ReportCapabilities().splitlines())
    return f"{strings.get('OpenGL renderer', '?').strip()}, {strings.get('OpenGL version', '?').strip()}"


def known_fault(description: str) -> str:
    """What is known to be wrong with a renderer, as a sentence without a stop; empty if nothing is.

    Source: https://gitlab.freedesktop.org/mesa/mesa/-/issues/15660
    """
    version = re.search(r"Mesa (\d+)\.(\d+)\.(\d+)", description)
    if not version or not description.startswith(_SOFTWARE):
        return ""
    if not _FAULTY[0] <= tuple(map(int, version.groups())) <= _FAULTY[1]:
        return ""
    return (
        f"{version[0]} has a known fault (its issue 15660, versions 25.3.0 to 26.1.5): its software renderer may take "
        "the colours of other cells for meshes that are coloured by cells; use another version"
    )
