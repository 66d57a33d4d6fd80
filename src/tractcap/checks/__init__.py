"""Measures of quality, one module each: what it needs, what memory it takes, what it measures, what it draws.

A module here that has a ``CHECK`` is a check; nothing else need know of it. What they share is in ``kit``. The
supervisor imports them all, so they import numpy and what is heavier within their functions.
"""

import pkgutil
from functools import cache
from importlib import import_module

from tractcap.checks.common.check import Check


@cache
def checks() -> dict[str, Check]:
    """All checks by name, in the order in which they are shown."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    found: list[Check] = [import_module(f"{__name__}.{name}").CHECK for name in names]
    return {one.name: one for one in sorted(found, key=lambda one: (one.place, one.name))}
