"""The examples for Kubernetes, against the schema of its API, and what they say of shares."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT

pytestmark = pytest.mark.ecosystem

Call = Callable[..., subprocess.CompletedProcess[str]]
EXAMPLES = sorted((ROOT / "examples/kubernetes").glob("*.yaml"))
VERSIONS = ("1.33", "1.37")
"""Since the first of them, an Indexed Job's ``backoffLimitPerIndex`` is stable."""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(call: Call, example: Path, version: str) -> None:
    done = call("kubernetes-validate", "--strict", "--kubernetes-version", version, example)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelt_field_is_found(call: Call, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        (ROOT / "examples/kubernetes/shares.yaml").read_text().replace("completionMode", "completionsMode")
    )
    assert call("kubernetes-validate", "--strict", "--kubernetes-version", VERSIONS[-1], wrong).returncode != 0


def test_there_are_as_many_shares_as_completions() -> None:
    text = (ROOT / "examples/kubernetes/shares.yaml").read_text()
    (completions,) = re.findall(r"^  completions: ([0-9]+)$", text, re.MULTILINE)
    assert f"--shard, auto/{completions}]" in text
    assert len(EXAMPLES) == 3
