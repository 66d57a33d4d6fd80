"""The self-test's report, and that it finds what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tractcap import __version__
from tractcap.work import selftest


def test_the_report() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tractcap", "--self-test"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        f"tractcap {__version__}",
        "Python 3",
        "vtk 9",
        "Limit: ",
        "Budget: ",
        "OpenGL: lib",
        "Cells: as they must be",
        "Picture: as it must be",
    ):
        assert words in done.stdout


def test_libraries_that_can_not_draw_are_told_of(tmp_path: Path) -> None:
    """Files of their names that hold nothing: found first, and of no use."""
    for name in ("libOSMesa.so.8", "libEGL.so.1"):
        (tmp_path / name).write_text("nothing")
    done = subprocess.run(
        [sys.executable, "-m", "tractcap", "--self-test"],
        capture_output=True, text=True, check=False, env={"LD_LIBRARY_PATH": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Picture: FAILED" in done.stdout
    assert "libOSMesa.so.8 can't be loaded" in done.stdout
    assert "libEGL.so.1 can't be loaded" in done.stdout


def test_another_choice_of_opengl_is_a_wrong_setting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tractcap", "--self-test"],
        capture_output=True, text=True, check=False, env={**os.environ, "TRACTCAP_GL": "cuda"},
    )  # fmt: skip
    assert done.returncode == 2
    assert "TRACTCAP_GL is 'cuda': choose from osmesa, egl, gpu" in done.stderr


def test_a_gpu_that_is_not_there() -> None:
    """It is asked for by its name: nothing else draws in its place."""
    done = subprocess.run(
        [sys.executable, "-m", "tractcap", "--self-test"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "TRACTCAP_GL": "gpu", "__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Note: TRACTCAP_GL=gpu: pictures are drawn by a GPU: not reproducible" in done.stdout
    assert "TRACTCAP_GL=gpu asks for a GPU, but libEGL.so.1 " in done.stdout


@pytest.mark.parametrize("damage", ["flipped", "blank", "channels"])
def test_a_wrong_picture_is_found(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tractcap.drawing import draw as drawing

    real = drawing.draw

    def wrong(*arguments: object) -> object:
        for one in real(*arguments):
            pixels = {"flipped": one.pixels[:, ::-1], "blank": one.pixels * 0, "channels": one.pixels[..., ::-1]}
            yield type(one)(one.view, np.ascontiguousarray(pixels[damage]), one.scale)

    assert selftest.known_picture(tmp_path) == []
    monkeypatch.setattr(drawing, "draw", wrong)
    assert selftest.known_picture(tmp_path)


FATES = {
    "a crash": ("os.kill(os.getpid(), 11)", "Picture: FAILED after ", "the worker was ended by SIGSEGV"),
    "an exit": ("os._exit(3)", "Picture: FAILED after ", "the worker ended with status 3"),
    "OpenGL that is too old": ("os.environ['MESA_GL_VERSION_OVERRIDE'] = '2.1'", "Picture: FAILED after ", "blank"),
    "a blank": (
        "from tractcap.drawing import canvas; canvas.Canvas.draw = lambda self, lines: None",
        "Picture: FAILED after ",
        "came out blank",
    ),
    "OpenGL that does nothing": ("os.environ['GALLIUM_NOOP'] = '1'", "Picture: FAILED after ", "OpenGL drew nothing"),
    "another picture": (
        "from tractcap.drawing import compositing as c; right = c.picture; "
        "c.picture = lambda *given: (right(*given)[0][:, ::-1], 1.0)",
        "Picture: WRONG: ",
        "is expected",
    ),
}
"""What befalls a worker as it starts."""


@pytest.mark.parametrize("fate", FATES)
def test_a_worker_that_dies_or_draws_nothing_is_told_of(tmp_path: Path, fate: str) -> None:
    """With the variable that may have led to it, and all else that the report holds."""
    code, picture, cause = FATES[fate]
    (tmp_path / "sitecustomize.py").write_text(
        f"import os, sys\nif 'tractcap.work.worker' in sys.orig_argv:\n    {code}\n"
    )
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "LD_LIBRARY_PATH": "/apps/paraview/lib", "GALLIUM_DRIVER": "swr"}
    done = subprocess.run(
        [sys.executable, "-m", "tractcap", "--self-test"], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith(picture)
    assert cause in last
    assert "since LD_LIBRARY_PATH=/apps/paraview/lib is set" in last
    for words in (
        "Limit: ",
        "Budget: ",
        "Note: not handed to workers, since pictures could depend on them: GALLIUM_DRIVER",
    ):
        assert words in done.stdout
