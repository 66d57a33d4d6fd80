"""Variables that change pictures aren't handed to workers; others that may kill one are named when it dies."""

import os
import subprocess
import sys
from pathlib import Path

import phantoms

from tractcap.work.worker_process import cause_of_death, inherited, left_out, library_hint

BREAKING = {
    "MESA_GL_VERSION_OVERRIDE": "2.1",
    "MESA_GLSL_VERSION_OVERRIDE": "110",
    "MESA_EXTENSION_OVERRIDE": "-GL_ARB_framebuffer_object",
    "GALLIUM_DRIVER": "swr",
    "GALLIUM_NOOP": "1",
    "GALLIUM_DDEBUG": "always",
    "LP_NO_RAST": "1",
    "LP_PERF": "no_depth",
    "DRAW_USE_LLVM": "0",
    "GALLIUM_OVERRIDE_CPU_CAPS": "nosse",
    "ST_DEBUG": "wf",
}
"""Each of these alone ends the worker, or makes another picture, with Mesa 22.3 and VTK 9.6."""

STEERING = (
    *BREAKING, "LIBGL_ALWAYS_SOFTWARE", "EGL_PLATFORM", "__GLX_VENDOR_LIBRARY_NAME", "VTK_DEFAULT_OPENGL_WINDOW",
    "GALLIVM_PERF", "SOFTPIPE_DEBUG", "pp_celshade", "MPLBACKEND", "MATPLOTLIBRC",
)  # fmt: skip
PLACES = ("LD_PRELOAD", "LD_LIBRARY_PATH", "LIBGL_DRIVERS_PATH", "__EGL_VENDOR_LIBRARY_FILENAMES")
OTHERS = ("PATH", "HOME", "PYTHONPATH", "MAX_MEMORY_MB", "ALP_X", "MY_VTK_HOME", "TMPDIR")


def drawn(path: Path, out: Path, extra: dict[str, str]) -> tuple[dict[str, bytes], str]:
    """Pictures by name, and what was said."""
    command = [
        sys.executable,
        "-m",
        "tractcap",
        str(path),
        str(out),
        "participant",
        "--size",
        "100",
        "--opacity",
        "0.5",
    ]
    environ = {name: value for name, value in os.environ.items() if name not in STEERING}  # drawing here sets one
    done = subprocess.run(command, env={**environ, **extra}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in out.rglob("*.png")}, done.stderr


def test_pictures_do_not_depend_on_them(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle())
    pictures, said = drawn(path, tmp_path / "plain", {})
    assert "not handed to workers" not in said
    others, said = drawn(path, tmp_path / "steered", BREAKING)
    assert others == pictures
    assert said.count("not handed to workers, since pictures could depend on them: DRAW_USE_LLVM, GALLIUM_DDEBUG") == 1


def test_plots_do_not_depend_on_a_matplotlibrc(tmp_path: Path) -> None:
    """Which matplotlib looks for where it is called, and in the home."""
    path = phantoms.save(tmp_path / "AF_L.trk", phantoms.asymmetric_bundle())
    home = tmp_path / "home"
    (home / ".config/matplotlib").mkdir(parents=True)
    (home / "matplotlibrc").write_text("text.usetex: True\nfont.size: 40\nbackend: qt4agg\n")
    command = [sys.executable, "-m", "tractcap", str(path), "OUT", "participant", "--size", "64", "--checks", "shape"]
    plots = []
    for name, extra in {"plain": {}, "home": {"HOME": str(home), "MPLBACKEND": "qt4agg"}}.items():
        (tmp_path / name).mkdir(exist_ok=True)
        done = subprocess.run(
            command, cwd=tmp_path / name, env={**os.environ, **extra}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        plots.append({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*_check-*.png")})
    assert plots[0] == plots[1]
    assert plots[0]


def test_which_are_handed_on() -> None:
    environ = dict.fromkeys((*STEERING, *PLACES, *OTHERS), "x")
    assert left_out(environ) == sorted(STEERING)
    assert inherited(environ) == dict.fromkeys((*PLACES, *OTHERS), "x")


def test_libraries_from_elsewhere_are_named_when_a_worker_dies() -> None:
    one = {"LD_PRELOAD": "libvglfaker.so", "PATH": "/bin", "LD_LIBRARY_PATH": ""}
    named = " (perhaps of a library from elsewhere, since LD_PRELOAD=libvglfaker.so is set)"
    assert library_hint(one) == named
    assert library_hint({"PATH": "/bin"}) == ""
    assert cause_of_death(-11, None, one) == f"the worker was ended by SIGSEGV{named}"
    assert cause_of_death(127, None, one) == f"the worker ended with status 127{named}"
    assert named not in cause_of_death(-9, True, one), "the kernel's kill has its reason"
    two = {**one, "LD_LIBRARY_PATH": "/apps/paraview/lib"}
    assert "since LD_LIBRARY_PATH=/apps/paraview/lib and LD_PRELOAD=libvglfaker.so are set" in library_hint(two)


def test_a_run_names_them_when_a_worker_dies(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle())
    faults = Path(__file__).parents[1] / "helpers/faults"
    paths = os.pathsep.join(filter(None, [str(faults), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "FAULT": "segv:a", "LD_LIBRARY_PATH": "/apps/paraview/lib"}
    command = [sys.executable, "-m", "tractcap", str(path), str(tmp_path / "out"), "participant", "--size", "64"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"failed: {path}: the worker was ended by SIGSEGV (perhaps of a library from elsewhere, since " in last
    assert "LD_LIBRARY_PATH=/apps/paraview/lib is set)" in last
    assert "this machine is not the cause" not in last
