"""Variables that decide how libraries draw: those that workers are not handed, and those that may be why one died."""

import re
from collections.abc import Mapping

_STEERING = re.compile(
    "(MESA|GALLIUM|GALLIVM|LP|DRAW|SOFTPIPE|NIR|TGSI|PP|LIBGL|EGL|VTK|__GLX|__GL)_.*|ST_DEBUG|pp_.*"
    "|MPLBACKEND|MATPLOTLIBRC"
)
"""Of Mesa, Gallium and its drivers, EGL, VTK and matplotlib. Modules of a cluster's ParaView set them, and Jupyter."""

_PLACES = re.compile("LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|LIBGL_DRIVERS_PATH|GBM_BACKENDS_PATH|__EGL_.*")
"""Where libraries are: they may be needed, and they may lead to such as can't draw."""


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What workers are handed of the supervisor's variables."""
    dropped = left_out(environ)
    return {name: value for name, value in environ.items() if name not in dropped}


def left_out(environ: Mapping[str, str]) -> list[str]:
    """Names of variables that would change pictures, or break them."""
    return [name for name in sorted(environ) if _STEERING.fullmatch(name) and not _PLACES.fullmatch(name)]


def library_hint(environ: Mapping[str, str]) -> str:
    """What leads workers to other libraries, of which one may have died, in brackets; or nothing."""
    named = [f"{name}={environ[name]}" for name in sorted(environ) if _PLACES.fullmatch(name) and environ[name]]
    if not named:
        return ""
    return (
        f" (perhaps of a library from elsewhere, since {' and '.join(named)} {'is' if len(named) == 1 else 'are'} set)"
    )
