"""The wheel and the source archive: what they hold, and that a clean environment draws with what they bring."""

import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import fiber_images
import numpy as np
import phantoms
import pytest
from conftest import ROOT

from tractcap import __version__

pytestmark = pytest.mark.ecosystem

Call = Callable[..., subprocess.CompletedProcess[str]]


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


@pytest.fixture(scope="module")
def python(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment's Python, with the wheel and what it asks for, in the versions of the lock."""
    venv = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin/python"
    lock = ROOT / "requirements/run.txt"
    install(python, "--constraint", lock, *packages.glob("*.whl"))
    return python


def install(python: Path, *arguments: object) -> None:
    run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *arguments)


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
    run(tractcap, "demo", tmp_path / "out", "participant", "--size", 64)
    run(tractcap, "demo", tmp_path / "out", "group")
    assert len(list((tmp_path / "out").glob("sub-*/figures/*_mosaic.png"))) == 15
    assert (tmp_path / "out/group.html").is_file()


def test_fury_is_installed_as_the_message_says(python: Path, tmp_path: Path) -> None:
    """It can't be an extra: it asks for an older VTK."""
    phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle(5))
    mask = np.pad(np.ones((4, 4, 4), np.uint8), 2)
    fiber_images.save_nifti(tmp_path / "mask.nii.gz", mask, fiber_images.turned())
    command = [python.with_name("tractcap"), tmp_path / "a.trk", tmp_path / "out", "participant", "--size", "64"]
    command += ["--roi", tmp_path / "mask.nii.gz"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    advised = re.search(r"FURY is not installed: pip install (.*?) \(", done.stderr)
    assert advised, done.stderr
    install(python, *shlex.split(advised[1]))
    drawn = run(*command)
    assert "FURY is not installed" not in drawn
    assert "1 drawn" in drawn
