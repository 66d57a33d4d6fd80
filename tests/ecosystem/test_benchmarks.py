"""Benchmarks run: on tiny files, whose figures mean nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

pytestmark = pytest.mark.ecosystem


@pytest.mark.parametrize("names", [("floor", "bare", "start"), ("growth", "small")], ids=" ".join)
def test_tables_are_printed(tmp_path: Path, names: tuple[str, ...]) -> None:
    command = [sys.executable, ROOT / "benchmarks/run.py", *names, "--quick", "--json", tmp_path / "results.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {line.split(":")[0].removeprefix("### ") for line in done.stdout.splitlines() if line[:4] == "### "} == {
        *names
    }
