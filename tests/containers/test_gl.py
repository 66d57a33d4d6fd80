"""The image with EGL in place of OSMesa, which Mesa has no more from 25.1 on: the same bytes; and what can't draw."""

import shutil
import subprocess
from pathlib import Path

import phantoms
import pytest

from conftest import ROOT, call, engine

DEBIAN = "docker.io/library/debian:trixie-slim"

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def with_egl(image: str) -> str:
    """The same image, but for the OpenGL in it."""
    name = f"{image}-egl"
    call("build", "--network", "host", "--build-arg", "OPENGL=egl", "-t", name, str(ROOT))
    return name


def run(folder: Path, image: str, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run tractcap in a container, in which a folder is /here."""
    command = [*engine(), "run", "--rm", "--network", "none", "--user", "0", "-v", f"{folder}:/here", *options, image]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def draw(folder: Path, image: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Draw a bundle."""
    (folder / "in").mkdir(exist_ok=True)
    phantoms.save(folder / "in/a.tck", phantoms.asymmetric_bundle())
    return run(folder, image, "/here/in", "/here/out", "participant", "--size", "300", options=options)


def test_egl_draws_osmesas_bytes(image: str, with_egl: str, tmp_path: Path) -> None:
    """All pictures of the demo, and those of overlays and checks, which FURY and VTK's tubes draw."""
    for number, name in enumerate((image, with_egl)):
        arguments = ("demo", f"/here/{number}", "participant", "--overview", "--size", "400", "--checks", "shape")
        done = run(tmp_path, name, *arguments, "--animation", "gif", "--frames", "4")
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr.lower()
    ours, theirs = (
        {path.relative_to(folder): path for path in pictures(folder)} for folder in (tmp_path / "0", tmp_path / "1")
    )
    assert ours.keys() == theirs.keys()
    assert len(ours) > 100
    assert [str(name) for name in ours if ours[name].read_bytes() != theirs[name].read_bytes()] == []
    assert "libOSMesa.so.8: llvmpipe" in run(tmp_path, image, "--self-test").stdout
    assert "libEGL.so.1: llvmpipe" in run(tmp_path, with_egl, "--self-test").stdout


def pictures(folder: Path) -> list[Path]:
    """All pictures and animations below a folder."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix in (".png", ".gif")]


def test_make_demo_where_debian_has_no_osmesa(image: str, tmp_path: Path) -> None:
    """As in Debian after 13: scripts/setup takes EGL, and the pictures are those of OSMesa."""
    tree, preferences = tmp_path / "tree", tmp_path / "no-osmesa"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    preferences.write_text("Package: libosmesa6\nPin: release *\nPin-Priority: -1\n")
    steps = (
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends make python3 python3-venv",
        "cd /here/tree",
        "make demo",
        "ls /usr/lib/*/libEGL.so.1",
        "! ls /usr/lib/*/libOSMesa*",
    )
    hidden = ("-v", f"{preferences}:/etc/apt/preferences.d/no-osmesa:ro", "-v", f"{tmp_path}:/here")
    call("run", "--rm", "--network", "host", *hidden, DEBIAN, "sh", "-exc", "\n".join(steps))
    done = run(tmp_path, image, "demo", "/here/osmesa", "participant", "--overview")
    assert done.returncode == 0, done.stderr
    ours, theirs = (
        {path.relative_to(folder): path.read_bytes() for path in pictures(folder)}
        for folder in (tree / "demo-output", tmp_path / "osmesa")
    )
    assert len(ours) > 100
    assert ours.keys() == theirs.keys()
    assert [str(name) for name in ours if ours[name] != theirs[name]] == []


def test_each_image_has_one_opengl(image: str, with_egl: str) -> None:
    def libraries(name: str) -> set[str]:
        found = call("run", "--rm", "--entrypoint", "sh", name, "-c", "ls /usr/lib/*-linux-gnu")
        return {line.partition(".so")[0] for line in found.split("\n")} & {"libOSMesa", "libEGL", "libEGL_mesa"}

    assert libraries(image) == {"libOSMesa"}
    assert libraries(with_egl) == {"libEGL", "libEGL_mesa"}
    linked = ("-c", "find /opt/tractcap /usr/lib -name '*.so*' -type f -exec ldd {} + 2>&1")
    assert "not found" not in call("run", "--rm", "--entrypoint", "sh", with_egl, *linked)


def test_another_vendor_of_egl_is_passed_by(with_egl: str, tmp_path: Path) -> None:
    """As --gpus brings NVIDIA's, whose file comes first: here its library ends whoever loads it."""
    (tmp_path / "vendor.c").write_text(
        "#include <unistd.h>\n__attribute__((constructor)) void end(void) { _exit(99); }\n"
    )
    library, file = tmp_path / "libEGL_nvidia.so.0", tmp_path / "10_nvidia.json"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "vendor.c"], check=True)
    file.write_text('{"file_format_version": "1.0.0", "ICD": {"library_path": "/here/libEGL_nvidia.so.0"}}')
    brought = ("-v", f"{file}:/usr/share/glvnd/egl_vendor.d/10_nvidia.json:ro")
    done = draw(tmp_path, with_egl, *brought)
    assert done.returncode == 0, done.stderr
    asked = run(tmp_path, with_egl, "--self-test", options=(*brought, "-e", "TRACTCAP_GL=gpu"))
    assert asked.returncode == 1, "the GPU's library isn't loaded even where it is asked for: this test shows nothing"
    assert "libEGL.so.1 can't draw" in asked.stdout


def test_an_egl_that_can_not_draw(with_egl: str, tmp_path: Path) -> None:
    done = draw(tmp_path, with_egl, "-e", "__EGL_VENDOR_LIBRARY_DIRS=/nowhere")
    assert "libEGL.so.1 can't draw" in done.stderr
    assert_no_crash(done)


def test_neither(image: str, tmp_path: Path) -> None:
    library = call("run", "--rm", "--entrypoint", "sh", image, "-c", "ls /usr/lib/*/libOSMesa.so.8.0.0")
    done = draw(tmp_path, image, "-v", f"/dev/null:{library}:ro")
    assert "libEGL.so.1 can't be loaded" in done.stderr
    assert_no_crash(done)


def assert_no_crash(done: subprocess.CompletedProcess[str]) -> None:
    """A sentence that says what to install."""
    assert done.returncode == 1
    assert "libOSMesa.so.8 can't be loaded" in done.stderr
    assert "libosmesa6, or libegl1, libegl-mesa0 and libgl1-mesa-dri" in done.stderr
    assert "SIGSEGV" not in done.stderr
    assert "defect" not in done.stderr
