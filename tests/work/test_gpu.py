"""Pictures of a GPU: said not to be reproducible wherever they are told of, and drawn anew when none is asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import phantoms
import pytest

from tractcap.drawing.opengl import GPU_NOTE

STAND_IN = """
import os, sys
if "tractcap.work.worker" in sys.orig_argv:
    from tractcap.drawing import opengl
    choose = opengl.choose

    def choose_without():
        asked = os.environ.pop("TRACTCAP_GL", "")
        chosen = choose()
        os.environ["TRACTCAP_GL"] = asked
        return chosen

    opengl.choose = choose_without
"""
"""Lets workers draw in software, whatever is asked for: here is no GPU."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "sitecustomize.py").write_text(STAND_IN)
    (tmp_path / "in").mkdir()
    return phantoms.save(tmp_path / "in/AF_L.trk", phantoms.asymmetric_bundle())


def run(bundle: Path, *, gpu: bool) -> subprocess.CompletedProcess[str]:
    """Draw the bundle, with a check that has pictures."""
    out = bundle.parents[1] / "out"
    command = [
        sys.executable,
        "-m",
        "tractcap",
        str(bundle),
        str(out),
        "participant",
        "--size",
        "64",
        "--checks",
        "shape",
    ]
    paths = os.pathsep.join(filter(None, [str(bundle.parents[1]), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "TRACTCAP_GL": "gpu" if gpu else ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done


def test_it_is_said(bundle: Path) -> None:
    done = run(bundle, gpu=True)
    assert done.stderr.count(f"TRACTCAP_GL=gpu: pictures are {GPU_NOTE}") == 1
    out = bundle.parents[1] / "out"
    (record,) = (json.loads(path.read_text()) for path in out.rglob("figures/AF_L.json"))
    (check,) = (json.loads(path.read_text()) for path in out.rglob("*check-shape.json"))
    assert record["Notes"] == [GPU_NOTE]
    assert GPU_NOTE in check["Notes"]
    assert record["Software"]["OpenGL"]
    (page,) = out.glob("*.html")
    assert f"a GPU, not reproducible: {record['Software']['OpenGL']}" in page.read_text()


def test_a_run_without_draws_anew(bundle: Path) -> None:
    run(bundle, gpu=True)
    assert "0 drawn, 1 kept from an earlier run" in run(bundle, gpu=True).stderr
    done = run(bundle, gpu=False)
    assert "1 drawn" in done.stderr
    assert "checks: 1 done" in done.stderr
    assert GPU_NOTE not in done.stderr
    assert not [path for path in (bundle.parents[1] / "out").rglob("*") if path.is_file() and GPU_NOTE in text(path)]


def text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
