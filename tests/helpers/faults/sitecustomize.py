"""Makes a worker die for real. Python runs this at its start where this folder is on PYTHONPATH.

``FAULT`` is ``kind:stem`` for every try of a tractogram, or ``kind:stem:file`` for the first alone: that makes the
file. ``check-kind`` instead of ``kind`` is for its checks, ``page-kind:participant`` for a participant's page.
"""

import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time

KIND, STEM, ONCE = [*os.environ.get("FAULT", "").split(":"), "", "", ""][:3]
ACTION = next((one for one in ("check", "page") if KIND.startswith(f"{one}-")), "draw")
KIND = KIND.removeprefix(f"{ACTION}-")


def fail() -> None:
    """Do what the kind says, to this very process."""
    if KIND == "raise":
        raise ArithmeticError("injected")
    if KIND == "memory":
        bytearray(2**40)
    if KIND == "hang":
        time.sleep(3600)
    if KIND == "segv":
        ctypes.string_at(0)
    if KIND == "blank":
        from tractcap.drawing import canvas

        canvas.Canvas.draw = lambda self, lines: None
    if KIND == "unsynced":  # a file is written, and never gets its name
        os.fsync = lambda handle: time.sleep(3600)
    if KIND == "shared":  # shared pages: no rlimit counts them, so the kernel's OOM killer has to come
        import mmap

        pages = mmap.mmap(-1, 2**30)
        # in one go: an interpreter's own pages would be dropped and read again, for minutes, before the kernel gives up
        ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(pages)), 1, len(pages))
    if KIND in ("KILL", "ABRT"):
        os.kill(os.getpid(), getattr(signal, f"SIG{KIND}"))


def due() -> bool:
    """Whether this is a try that fails."""
    if not ONCE:
        return True
    try:
        os.close(os.open(ONCE, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Finder(importlib.abc.MetaPathFinder):
    """Puts the fault before the action that draws, or checks."""

    def find_spec(self, name, path, target=None):
        if name != "tractcap.work.actions":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            draw = module.ACTIONS[ACTION]

            def faulty(**arguments):
                if arguments.get("stem", arguments.get("participant")) == STEM and due():
                    fail()
                return draw(**arguments)

            module.ACTIONS[ACTION] = faulty

        spec.loader.exec_module = exec_module
        return spec


if KIND:
    sys.meta_path.insert(0, Finder())
