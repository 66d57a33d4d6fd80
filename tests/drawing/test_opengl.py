"""Which OpenGL draws: OSMesa or EGL in software, a GPU only if asked for; where none can, a sentence, not a crash."""

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tractcap.drawing import opengl
from tractcap.errors import DrawingError, SettingsError

LLVMPIPE = "llvmpipe (LLVM 19.1.7, 256 bits), 4.5 (Core Profile) Mesa 25.0.7-2"
NVIDIA = "NVIDIA H100/PCIe/SSE2, 4.6.0 NVIDIA 580.65"


@pytest.fixture(autouse=True)
def chosen_anew() -> Iterator[None]:
    before = {**os.environ}
    opengl.choose.cache_clear()
    yield
    opengl.choose.cache_clear()
    os.environ.clear()
    os.environ.update(before)


def ask_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "asked", lambda: name)


def have_egl(monkeypatch: pytest.MonkeyPatch, description: str, status: int = 0) -> list[dict[str, str]]:
    """Let there be EGL, and VTK tell this of it when it tries; returns the variables that each try sees."""
    seen: list[dict[str, str]] = []

    def tried(*_arguments: object, **_settings: object) -> subprocess.CompletedProcess[str]:
        seen.append({**os.environ})
        return subprocess.CompletedProcess([], status, stdout=f"{description}\n")

    monkeypatch.setattr(opengl, "_EGL_LIBRARY", "libc.so.6")
    monkeypatch.setattr(opengl.subprocess, "run", tried)  # type: ignore[attr-defined]
    return seen


def lack_osmesa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_OSMESA_LIBRARY", "libNoSuchMesa.so.8")


def test_osmesa_is_first(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_OSMESA_LIBRARY", "libm.so.6")
    tries = have_egl(monkeypatch, LLVMPIPE)
    assert opengl.choose() == "libm.so.6"
    assert os.environ["VTK_DEFAULT_OPENGL_WINDOW"] == "vtkOSOpenGLRenderWindow"
    assert not tries
    assert not caplog.records


def test_egl_is_its_equal(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Without a warning, and in software, whatever a GPU's driver would draw."""
    lack_osmesa(monkeypatch)
    tries = have_egl(monkeypatch, LLVMPIPE)
    assert opengl.choose() == "libc.so.6"
    (tried,) = tries
    assert tried["VTK_DEFAULT_OPENGL_WINDOW"] == "vtkEGLRenderWindow"
    assert tried["LIBGL_ALWAYS_SOFTWARE"] == "true"
    assert tried["GALLIUM_DRIVER"] == "llvmpipe"
    assert tried["EGL_PLATFORM"] == "surfaceless"
    assert not caplog.records


@pytest.mark.parametrize("name", ["egl", ""])
def test_a_gpu_never_draws_unasked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lack_osmesa(monkeypatch)
    ask_for(name, monkeypatch)
    have_egl(monkeypatch, NVIDIA)
    with pytest.raises(DrawingError, match=r"libc\.so\.6 draws with NVIDIA H100"):
        opengl.choose()


def test_osmesa_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lack_osmesa(monkeypatch)
    ask_for("osmesa", monkeypatch)
    tries = have_egl(monkeypatch, LLVMPIPE)
    with pytest.raises(DrawingError, match="libNoSuchMesa"):
        opengl.choose()
    assert not tries


def test_a_gpu_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for("gpu", monkeypatch)
    tries = have_egl(monkeypatch, NVIDIA)
    monkeypatch.delenv("LIBGL_ALWAYS_SOFTWARE", raising=False)
    assert opengl.choose() == "libc.so.6"
    assert "LIBGL_ALWAYS_SOFTWARE" not in tries[0]


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for("gpu", monkeypatch)
    have_egl(monkeypatch, LLVMPIPE)
    with pytest.raises(DrawingError, match=r"TRACTCAP_GL=gpu asks for a GPU, but libc.so.6 draws with llvmpipe"):
        opengl.choose()


def test_another_choice() -> None:
    with pytest.raises(SettingsError, match="TRACTCAP_GL is 'mesa': choose from osmesa, egl, gpu"):
        opengl.asked({"TRACTCAP_GL": "mesa"})
    assert opengl.asked({"TRACTCAP_GL": "egl"}) == "egl"
    assert opengl.asked({"TRACTCAP_GL": ""}) == opengl.asked({}) == ""


def test_a_crash_of_egl_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    lack_osmesa(monkeypatch)
    have_egl(monkeypatch, "", status=-11)
    with pytest.raises(DrawingError, match=r"libNoSuchMesa.*; libc.so.6 can't draw. VTK needs"):
        opengl.choose()


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lack_osmesa(monkeypatch)
    monkeypatch.setattr(opengl, "_EGL_LIBRARY", "libNoSuchEGL.so.1")
    with pytest.raises(
        DrawingError, match=r"libNoSuchMesa.*libNoSuchEGL.*libosmesa6, or libegl1, libegl-mesa0 and libgl1"
    ):
        opengl.choose()


def vendor(folder: Path, name: str, library: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({"file_format_version": "1.0.0", "ICD": {"library_path": library}}))
    return folder / name


def test_mesa_is_told_from_other_vendors(tmp_path: Path) -> None:
    """NVIDIA's container toolkit and Apptainer's --nv bring theirs, which comes first; others are damaged."""
    usual = tmp_path / "usr/share/glvnd/egl_vendor.d"
    vendor(usual, "10_nvidia.json", "libEGL_nvidia.so.0")
    (usual / "20_damaged.json").write_text("{")
    (usual / "30_other.json").write_text("[1]")
    mesa = vendor(usual, "50_mesa.json", "libEGL_mesa.so.0")
    assert opengl.software_only({}, tmp_path)["__EGL_VENDOR_LIBRARY_FILENAMES"] == str(mesa)


def test_vendors_that_a_user_names(tmp_path: Path) -> None:
    own, nvidia = (
        vendor(tmp_path / "a", "m.json", "/opt/libEGL_mesa.so.0"),
        vendor(tmp_path, "n.json", "libEGL_nvidia.so.0"),
    )
    forced = opengl.software_only({"__EGL_VENDOR_LIBRARY_FILENAMES": f"{nvidia}:{own}"}, tmp_path)
    assert forced["__EGL_VENDOR_LIBRARY_FILENAMES"] == str(own)
    forced = opengl.software_only({"__EGL_VENDOR_LIBRARY_DIRS": str(own.parent)}, tmp_path)
    assert forced["__EGL_VENDOR_LIBRARY_FILENAMES"] == str(own)
    assert "__EGL_VENDOR_LIBRARY_FILENAMES" not in opengl.software_only(
        {"__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"}, tmp_path
    )


@pytest.mark.parametrize(
    ("version", "faulty"),
    {
        "22.3.6": False,
        "25.2.8": False,
        "25.3.0": True,
        "26.0.8-1ubuntu1": True,
        "26.1.5": True,
        "26.1.6": False,
    }.items(),
)
def test_known_faults_of_mesa(version: str, faulty: bool) -> None:
    """Issue 15660 of Mesa: the versions that have it, of its software renderer alone."""
    assert bool(opengl.known_fault(f"llvmpipe (LLVM 21.1, 256 bits), 4.5 (Core Profile) Mesa {version}")) == faulty
    assert not opengl.known_fault(f"AMD Radeon RX 7900 (radeonsi), 4.6 (Core Profile) Mesa {version}")


def test_a_known_fault_is_warned_of(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    lack_osmesa(monkeypatch)
    have_egl(monkeypatch, LLVMPIPE.replace("25.0.7", "25.3.6"))
    with caplog.at_level(logging.WARNING):
        opengl.choose()
    (message,) = caplog.messages
    assert message.startswith("Mesa 25.3.6 has a known fault")


def test_another_window_than_the_one_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    opengl.choose()
    opengl.describe.cache_clear()
    assert opengl.describe().startswith("llvmpipe")
    opengl.describe.cache_clear()
    monkeypatch.setitem(os.environ, "VTK_DEFAULT_OPENGL_WINDOW", "vtkNoSuchWindow")
    with pytest.raises(DrawingError, match="not with a vtkNoSuchWindow"):
        opengl.describe()
    opengl.describe.cache_clear()
