"""Makes a worker fail for real. Python runs this at its start where this folder is on PYTHONPATH.

``FAULT`` is ``kind:what`` for every try, or ``kind:what:file`` for the first alone: that makes the file. ``what`` is
how the file's name begins, or the participant whose page it is. The kind may have a place before it, as in
``check-KILL:b1``: ``header`` and ``image`` where these are looked at; ``outline``, ``measure``, ``draw`` (which is
meant where there is none), ``check``, ``checks``, ``page`` and ``group`` as such an action begins; ``read`` where a
tractogram is read meanwhile; ``load`` where an overlay is read to be drawn, and ``show`` where it is drawn. Several may
be given with commas between.
"""

import ctypes
import importlib.abc
import importlib.machinery
import mmap
import os
import signal
import sys
import time
from functools import partial

PLACES = ("header", "image", "outline", "measure", "draw", "check", "checks", "page", "group", "read", "load", "show")


class UnforeseenError(Exception):
    """Nobody expects it."""


def parsed(text):
    """Place, kind, what, file."""
    kind, what, once = [*text.split(":"), "", ""][:3]
    place, dash, bare = kind.partition("-")
    return (place, bare, what, once) if dash and place in PLACES else ("draw", kind, what, once)


FAULTS = [parsed(text) for text in os.environ.get("FAULT", "").split(",") if text]
DOING = [""]
"""The action that this worker is at."""
UNDO = []
"""What ends a fault that lasts, once the action is over."""


def fail(kind) -> None:
    """Do what the kind says, to this very process."""
    if kind == "raise":
        raise UnforeseenError("injected")
    if kind == "memory":
        bytearray(2**40)
    if kind == "hang":
        time.sleep(3600)
    if kind == "segv":
        ctypes.string_at(0)
    if kind == "blank":
        from tractcap.drawing.canvas import Canvas

        UNDO.append(partial(setattr, Canvas, "draw", Canvas.draw))
        Canvas.draw = lambda self, lines: None
    if kind == "unsynced":  # a file is written, and never gets its name
        os.fsync = lambda handle: time.sleep(3600)
    if kind == "shared":  # shared pages: no rlimit counts them, so the kernel's OOM killer has to come
        pages = mmap.mmap(-1, 2**30)
        # in one go: an interpreter's own pages would be dropped and read again, for minutes, before the kernel gives up
        ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(pages)), 1, len(pages))
    if kind in ("KILL", "ABRT"):
        os.kill(os.getpid(), getattr(signal, f"SIG{kind}"))


def due(once) -> bool:
    """Whether this is a try that fails."""
    if not once:
        return True
    try:
        os.close(os.open(once, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def at(place, name) -> None:
    """Fail here, if that was asked for."""
    for where, kind, what, once in FAULTS:
        if where == place and name.startswith(what) and due(once):
            fail(kind)


def actions(module) -> None:
    """Put faults before the actions."""

    def faulty(name, action):
        def act(request, report):
            DOING[0] = name
            path = str(getattr(request, "path", "")).rpartition("/")[2]
            try:
                at(name, str(getattr(request, "stem", "") or getattr(request, "participant", "") or path))
                return action(request, report)
            finally:
                while UNDO:
                    UNDO.pop()()

        return act

    module.ACTIONS.update({name: faulty(name, action) for name, action in module.ACTIONS.items()})


def looked_at(place):
    """Put faults before looking at a file."""

    def wrap(opens):
        def opened(*arguments, **more):
            path = next(one for one in arguments if isinstance(one, os.PathLike))
            if DOING[0] == "headers":
                at(place, path.name)
            return opens(*arguments, **more)

        return opened

    return wrap


def tractograms(module) -> None:
    module.open_tractogram = looked_at("header")(module.open_tractogram)


def images(module) -> None:
    module.ImageFile.__init__ = looked_at("image")(module.ImageFile.__init__)


def reading(module) -> None:
    each = module.each

    def faulty(path, kind, values):
        def read():
            at("read", path.name)
            yield from values

        return each(path, kind, read())

    module.each = faulty


def loaded(module) -> None:
    load = module.load

    def faulty(overlay, *more):
        at("load", overlay.path.rpartition("/")[2])
        return load(overlay, *more)

    module.load = faulty


def shown(module) -> None:
    draw = module.Canvas._draw_overlay

    def faulty(self, overlay, *more):
        at("show", overlay.shown.path.rpartition("/")[2])
        return draw(self, overlay, *more)

    module.Canvas._draw_overlay = faulty


HOOKS = {
    "tractcap.work.worker_actions": actions,
    "tractcap.inputs.tractograms": tractograms,
    "tractcap.inputs.images": images,
    "tractcap.inputs.reading": reading,
    "tractcap.drawing.overlays": loaded,
    "tractcap.drawing.glyphs": loaded,
    "tractcap.drawing.canvas": shown,
}


class Finder(importlib.abc.MetaPathFinder):
    """Puts faults into modules as they are imported."""

    def find_spec(self, name, path, target=None):
        if name not in HOOKS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            HOOKS[name](module)

        spec.loader.exec_module = exec_module
        return spec


if FAULTS:
    sys.meta_path.insert(0, Finder())
