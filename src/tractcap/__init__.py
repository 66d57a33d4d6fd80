"""Tractograms in, pictures out, under a memory cap.

Importing this package loads nothing heavy: no numpy, no nibabel, no VTK; its names are loaded when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tractcap.version import __version__

if TYPE_CHECKING:
    from tractcap.errors import (
        CapTooSmallError,
        DamagedError,
        DrawingError,
        EmptyError,
        InputError,
        MissingError,
        NothingToDrawError,
        RecordError,
        SettingsError,
        TractcapError,
    )
    from tractcap.limits import check_memory_available, get_n_jobs_with_memory_limit
    from tractcap.viz import Overlay, Result, TractographyVisualizer


__all__ = [
    "CapTooSmallError",
    "DamagedError",
    "DrawingError",
    "EmptyError",
    "InputError",
    "MissingError",
    "NothingToDrawError",
    "Overlay",
    "RecordError",
    "Result",
    "SettingsError",
    "TractcapError",
    "TractographyVisualizer",
    "__version__",
    "check_memory_available",
    "get_n_jobs_with_memory_limit",
]

_MODULES = {
    "Overlay": "viz",
    "Result": "viz",
    "TractographyVisualizer": "viz",
    "check_memory_available": "limits",
    "get_n_jobs_with_memory_limit": "limits",
}
"""Where names are, but for errors."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'tractcap' has no attribute {name!r}")
    return getattr(import_module(f"tractcap.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__
