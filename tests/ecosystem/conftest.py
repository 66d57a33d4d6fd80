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


@pytest.fixture
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Call one of the programs, with a home that is empty; they find this environment's ``tractcap``."""
    home = tmp_path_factory.mktemp("home")
    environ = {**os.environ, "HOME": str(home), "DENO_DIR": str(home / "deno"), "NO_COLOR": "1"}

    def run(program: str, *arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        found = [folder / program for folder in PROGRAMS if (folder / program).exists()]
        assert found, f"{program} is missing: run make test-ecosystem, which installs it"
        command = [str(found[0]), *map(str, arguments)]
        path = os.pathsep.join([str(Path(sys.executable).parent), str(found[0].parent), os.environ["PATH"]])
        return subprocess.run(
            command, cwd=folder, env={**environ, "PATH": path}, capture_output=True, text=True, check=False
        )

    return run
