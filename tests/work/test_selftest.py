"""The self-test's report, and that it finds what is wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tractcap.work import selftest


def test_the_report() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tractcap", "--self-test"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "tractcap 0",
        "Python 3",
        "vtk 9",
        "Limit: ",
        "Budget: ",
        "OpenGL: libOSMesa",
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
