"""Programs of others, called as their users call them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = (ROOT / ".venv-ecosystem/bin", ROOT / ".venv-ecosystem-older/bin")

Call = Callable[..., subprocess.CompletedProcess[str]]


APPTAINER = """#!/bin/sh
# Stands for Apptainer: writes down what it is called with, then calls what it would call in the image.
echo "$@" >>"$0.calls"
door=
while [ $# -gt 0 ]; do
  case $1 in
    run) door=tractcap ;;
    *.sif | */image) shift; exec $door "$@" ;;
  esac
  shift
done
"""


@pytest.fixture
def apptainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says what a stand-in for Apptainer, the first on PATH, was called with."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "apptainer").write_text(APPTAINER)
    (folder / "apptainer").chmod(0o755)
    (folder / "singularity").symlink_to("apptainer")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    (folder / "singularity.calls").symlink_to("apptainer.calls")
    return folder / "apptainer.calls"


@pytest.fixture
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Call one of the programs, with a home that is empty; they find this environment's ``tractcap``."""
    home = tmp_path_factory.mktemp("home")

    def run(program: str, *arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        found = [folder / program for folder in PROGRAMS if (folder / program).exists()]
        assert found, f"{program} is missing: run make test-ecosystem, which installs it"
        command = [str(found[0]), *map(str, arguments)]
        path = os.pathsep.join([str(Path(sys.executable).parent), str(found[0].parent), os.environ["PATH"]])
        own = {"HOME": str(home), "DENO_DIR": str(home / "deno"), "NO_COLOR": "1", "PATH": path}
        environ = {**os.environ, **own}
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)

    return run
