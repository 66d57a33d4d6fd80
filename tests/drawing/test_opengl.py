"""Without OSMesa EGL draws, and it is said; without either there is a sentence, not a segfault."""

import ctypes
import logging
import os
import subprocess
from collections.abc import Iterator

import pytest

from tractcap.drawing import opengl
from tractcap.errors import DrawingError


@pytest.fixture(autouse=True)
def chosen_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "")
    opengl.choose.cache_clear()
    yield
    opengl.choose.cache_clear()


def egl_draws(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Let there be EGL and no OSMesa, and VTK end with a status when it tries."""
    monkeypatch.setattr(opengl, "_OSMESA", "libNoSuchMesa.so.8")
    monkeypatch.setattr(opengl, "_EGL", "libc.so.6")
    ended = subprocess.CompletedProcess([], status)
    monkeypatch.setattr(opengl.subprocess, "run", lambda *_arguments, **_settings: ended)  # type: ignore[attr-defined]


def test_osmesa_is_first(caplog: pytest.LogCaptureFixture) -> None:
    ctypes.CDLL("libOSMesa.so.8")
    assert opengl.choose() == "libOSMesa.so.8"
    assert os.environ["VTK_DEFAULT_OPENGL_WINDOW"] == "vtkOSOpenGLRenderWindow"
    assert not caplog.records


def test_egl_takes_its_place_with_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    egl_draws(monkeypatch, 0)
    with caplog.at_level(logging.WARNING):
        assert opengl.choose() == "libc.so.6"
    assert os.environ["VTK_DEFAULT_OPENGL_WINDOW"] == "vtkEGLRenderWindow"
    (said,) = caplog.messages
    assert said.startswith("libNoSuchMesa.so.8 can't be loaded")
    assert "libc.so.6 draws in its place" in said


def test_a_crash_of_egl_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    egl_draws(monkeypatch, -11)
    with pytest.raises(DrawingError, match=r"nor can libc.so.6 draw in its place"):
        opengl.choose()


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_OSMESA", "libNoSuchMesa.so.8")
    monkeypatch.setattr(opengl, "_EGL", "libNoSuchEGL.so.1")
    with pytest.raises(DrawingError, match=r"libNoSuchMesa.*libNoSuchEGL.*install Debian's package libosmesa6"):
        opengl.choose()
