"""The wheel and the source archive: what they hold, and that a clean environment draws with what they bring."""

import os
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import fiber_images
import numpy as np
import phantoms
import pytest

from conftest import ROOT
from tractcap import __version__

pytestmark = pytest.mark.ecosystem

Call = Callable[..., subprocess.CompletedProcess[str]]

PYTHONS = os.environ.get("PYTHONS", sys.executable).split()
"""Under which pip installs tractcap: paths, or commands."""


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive; the wheel is made from the archive."""
    folder = tmp_path_factory.mktemp("packages")
    run(sys.executable, "-m", "uv", "build", "--quiet", "--no-build-isolation", "--out-dir", folder, ROOT)
    return folder


@pytest.fixture(scope="module", params=PYTHONS)
def python(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A clean environment's Python, where ``pip install .`` was run, with the versions of the lock."""
    folder = tmp_path_factory.mktemp("clean")
    locked = re.sub(r" *\\\n *--hash=\S+", "", (ROOT / "requirements/run.txt").read_text())
    (folder / "versions.txt").write_text(locked)
    run(request.param, "-m", "venv", folder / "venv")
    python = folder / "venv/bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--no-compile", "--constraint", folder / "versions.txt", ROOT)
    return python


def test_the_wheel_holds_the_package_and_nothing_else(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    assert wheel.name == f"tractcap-{__version__}-py3-none-any.whl"
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "src").split("\n")
    assert found == {name.removeprefix("src/") for name in listed if (ROOT / name).is_file()} > {"tractcap/py.typed"}


def test_the_source_archive(packages: Path) -> None:
    (archive,) = packages.glob("*.tar.gz")
    with tarfile.open(archive) as members:
        names = {name.partition("/")[2] for name in members.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "entrypoint.py", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests/", ".venv", "docs/"))]


def test_a_package_index_would_take_them(call: Call, packages: Path) -> None:
    done = call("twine", "check", "--strict", *packages.glob("tractcap-*"))
    assert done.returncode == 0, done.stdout


def test_it_draws_in_a_clean_environment(python: Path, tmp_path: Path) -> None:
    tractcap = python.with_name("tractcap")
    assert run(tractcap, "--version") == f"tractcap {__version__}\n"
    assert "Picture: as it must be" in run(tractcap, "--self-test")
    run(tractcap, "demo", tmp_path / "out", "participant", "--size", 64, "--participant-label", "1")
    run(tractcap, "demo", tmp_path / "out", "group")
    assert len(list((tmp_path / "out").glob("sub-*/figures/*_mosaic.png"))) == 3
    assert (tmp_path / "out/group.html").is_file()


def test_where_nothing_can_draw_it_says_what_to_install(python: Path, region: list[object], tmp_path: Path) -> None:
    """The loader finds these libraries first, and refuses them."""
    for library in ("libOSMesa.so.8", "libEGL.so.1"):
        (tmp_path / library).touch()
    environ = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    tractcap = str(python.with_name("tractcap"))
    for arguments in (["--self-test"], region):
        done = subprocess.run(
            [tractcap, *map(str, arguments)], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "Install one: Debian's and Ubuntu's package libosmesa6, or libegl1, " in done.stdout + done.stderr


@pytest.fixture
def region(tmp_path: Path) -> list[object]:
    """A command line, without the program, that draws a region beside streamlines."""
    phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle(5))
    mask = np.pad(np.ones((4, 4, 4), np.uint8), 2)
    fiber_images.save_nifti(tmp_path / "mask.nii.gz", mask, fiber_images.turned())
    return [tmp_path / "a.trk", tmp_path / "out", "participant", "--size", 64, "--roi", tmp_path / "mask.nii.gz"]


def test_fury_is_installed_as_the_message_says(python: Path, region: list[object], tmp_path: Path) -> None:
    """It can't be an extra: it asks for an older VTK."""
    command = [str(part) for part in (python.with_name("tractcap"), *region)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    advised = re.search(r"FURY is not installed: (pip install .*?) \(", done.stderr)
    assert advised, done.stderr
    words = shlex.split(advised[1])
    run(sys.executable, "-m", "uv", *words, "--quiet", "--python", python, "--target", tmp_path / "by uv")
    assert (tmp_path / "by uv/fury").is_dir()
    run(python, "-m", *words)
    assert "1 drawn" in drawn_with_fury(command)


def drawn_with_fury(command: Iterable[object]) -> str:
    said = run(*command)
    assert "FURY is not installed" not in said
    return said


def test_pipx_does_what_the_readme_says(packages: Path, region: list[object], tmp_path: Path) -> None:
    """With the wheel in the place of the name, which is on no index yet."""
    (wheel,) = packages.glob("*.whl")
    commands = re.findall(r"^pipx .*?(?=  |$)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["install", "runpip"]
    commands[0] = commands[0].replace("tractcap", str(wheel))
    environ = {**os.environ, "PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    environ["PATH"] = f"{ROOT / '.venv-ecosystem/bin'}{os.pathsep}{environ['PATH']}"
    for command in commands:
        done = subprocess.run(shlex.split(command), env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "1 drawn" in drawn_with_fury([tmp_path / "bin/tractcap", *region])
