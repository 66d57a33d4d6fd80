"""The command line of review."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from reviewing import Server


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | variables)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "group.html").touch()
    return tmp_path


def test_with_an_input_and_whatever_the_memory(output: Path) -> None:
    server = Server(output, environment={"MAX_MEMORY_MB": "1"})
    server.start()
    assert server.address.startswith("http://127.0.0.1:")
    server.stop()
    command = [sys.executable, "-m", "tractcap", "/nowhere", output, "review", "--port", "0"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.terminate()


def test_what_cant_be_served_is_told(output: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, status, words in (
        ((tmp_path / "gone", "review"), 2, "is no folder"),
        ((tmp_path / "empty", "review"), 3, "holds no pages yet"),
        ((output, "review", "--address", "192.0.2.1"), 2, "--address"),
        ((output, "review", "--address", "0.0.0.0"), 2, "to the whole network"),
    ):
        found = run(*arguments, APPTAINER_CONTAINER="x.sif")
        assert (found.returncode, words in found.stderr) == (status, True), found.stderr
        assert not found.stdout


def test_a_port_that_is_taken_is_told(output: Path) -> None:
    server = Server(output).start()
    found = run(output, "review", "--port", server.port)
    server.stop()
    assert (found.returncode, "--port" in found.stderr) == (2, True)


def test_a_level_is_still_needed(output: Path) -> None:
    found = run(output, output)
    assert (found.returncode, "review" in found.stderr) == (2, True)


def test_a_folder_may_be_called_review(tmp_path: Path) -> None:
    found = run(tmp_path, tmp_path / "review", "group")
    assert found.returncode == 3
    assert (tmp_path / "review").is_dir()


def test_it_loads_nothing_heavy(output: Path) -> None:
    code = (
        "import sys, tractcap.cli, tractcap.review.server, tractcap.work.output_folder\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "jinja2", "nibabel", "vtkmodules", "scipy", "PIL"} & set(loaded)
