"""Workflows, forms and spelling, checked by others' programs; workflows do all that .ci/run does."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT
from tractcap import __version__

Call = Callable[..., subprocess.CompletedProcess[str]]
RELEASE = ROOT / ".github/workflows/release.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))
CHECKS = {
    "actionlint": ("actionlint", *WORKFLOWS),
    "zizmor": ("zizmor", "--offline", "--no-progress", ROOT / ".github"),
    "spelling": ("codespell", ROOT),
    "issue forms": ("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *FORMS),
    "schema of workflows": ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS),
}
ELSEWHERE = {"test-clusters", "sif", "test-python"}
"""What .ci/run makes and ci.yml doesn't: that needs Slurm and a virtual machine; release.yml makes it; all tests run
under each Python."""


@pytest.mark.ecosystem
@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_found(call: Call, check: str) -> None:
    done = call(*CHECKS[check])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.ecosystem
@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        ("actionlint", "matrix.architecture", "matrix.architektur"),
        ("zizmor", r"actions/checkout@\w+ # \S+", "actions/checkout@v7"),
        ("schema of workflows", "runs-on:", "run-on:"),
    ],
)
def test_what_is_wrong_is_found(call: Call, tmp_path: Path, check: str, right: str, wrong: str) -> None:
    workflow = tmp_path / ".github/workflows/release.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(re.sub(right, wrong, RELEASE.read_text()))
    program, *arguments = CHECKS[check]
    options = [argument for argument in arguments if isinstance(argument, str)]
    assert call(program, *options, workflow).returncode != 0


@pytest.mark.ecosystem
def test_shell_scripts(call: Call) -> None:
    scripts = [path for path in (ROOT / "scripts").glob("[!_]*") if path.read_text().startswith("#!/usr/bin/env bash")]
    done = call("shellcheck", *scripts, ROOT / ".ci/run")
    assert done.returncode == 0, done.stdout


def test_public_runners_do_what_ci_does() -> None:
    targets = re.compile(r"\bmake ((?:[a-z][a-z-]*\b ?)+)")
    here = {word for words in targets.findall((ROOT / ".ci/run").read_text()) for word in words.split()}
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    there = {word for words in targets.findall(text) for word in words.split()}
    there |= set(re.findall(r"[a-z-]+", re.findall(r"what: \[(.*)\]", text)[0]))
    assert here - there == ELSEWHERE
    assert "make sif" in RELEASE.read_text()


def test_no_host_and_no_owner_is_named() -> None:
    for path in (*WORKFLOWS, ROOT / "scripts/push_image", ROOT / "scripts/release_notes"):
        text = re.sub(r"^ *(- )?uses: .*$", "", path.read_text(), flags=re.MULTILINE)
        assert not re.search(r"\b[a-z-]+\.(io|org|com|dev)\b|://", text), path


def test_the_index_shows_a_readme_whose_links_lead_to_the_repository(tmp_path: Path) -> None:
    """By the release's own step, run here."""
    step = re.search(r"- name: Let README's links .*\n        run: \|\n((?: {10}.*\n)+)", RELEASE.read_text())
    assert step
    (tmp_path / "README.md").write_text((ROOT / "README.md").read_text())
    variables = {"GITHUB_SERVER_URL": "https://host", "GITHUB_REPOSITORY": "me/tract", "GITHUB_REF_NAME": "v1"}
    subprocess.run(["bash", "-euc", step[1]], cwd=tmp_path, env={**os.environ, **variables}, check=True)
    before, after = (re.findall(r"\]\((.*?)\)", (folder / "README.md").read_text()) for folder in (ROOT, tmp_path))
    for link, target in zip(before, after, strict=True):
        kind = "raw" if link.endswith(".png") else "blob"
        assert target == (link if ":" in link else f"https://host/me/tract/{kind}/v1/{link}")


def test_release_notes_are_the_versions_section() -> None:
    done = subprocess.run([ROOT / "scripts/release_notes", __version__], capture_output=True, text=True, check=True)
    text = (ROOT / "CHANGELOG.md").read_text()
    assert done.stdout.strip()
    assert done.stdout.strip() == re.split(r"^## .*$", text, flags=re.MULTILINE)[1].strip()
    done = subprocess.run([ROOT / "scripts/release_notes", "99.0"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the tag says 99.0, src/tractcap/version.py doesn't" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["1.2.3", "arm64"], ["--platform linux/arm64", "--sbom true", "--tag host/me/tract:1.2.3-arm64 ."]),
        (["1.2.3"], ["--tag host/me/tract:1.2.3 --tag host/me/tract:latest host/me/tract:1.2.3-amd64"]),
        (["1.2.3rc1"], ["imagetools create --tag host/me/tract:1.2.3rc1 host/me/tract:1.2.3rc1-amd64"]),
    ],
)
def test_images_have_the_repositorys_name(tmp_path: Path, arguments: list[str], expected: list[str]) -> None:
    """With a docker that writes down what it is called with."""
    (tmp_path / "docker").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n')
    (tmp_path / "docker").chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "Me/Tract"}
    command = [ROOT / "scripts/push_image", *arguments]
    environ |= {"REGISTRY": "host", "GITHUB_ACTOR": "me", "TOKEN": "secret"}
    subprocess.run(command, env=environ, capture_output=True, check=True)
    calls = (tmp_path / "calls").read_text()
    assert calls.startswith("login host --username me --password-stdin\n")
    assert [words for words in expected if words not in calls] == []
    assert "secret" not in calls

    done = subprocess.run(command, env={**environ, "REGISTRY": ""}, capture_output=True, text=True, check=False)
    assert "set the repository variable CONTAINER_REGISTRY" in done.stderr


def test_the_bug_form_asks_for_the_self_test() -> None:
    form = (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text()
    assert re.search(r"tractcap --self-test` prints\n(?:.*\n){1,3}    validations: \{ required: true \}", form)
