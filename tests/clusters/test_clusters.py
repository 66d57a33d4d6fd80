"""Limits as Slurm and version 2 of the control groups really set them: one level above the process.

``SBATCH`` is the command that submits to a Slurm that enforces memory; ``CGROUP2_VM`` runs a command of an image under
a version 2 limit (``--limit``, ``--input``, ``--env``), and prints the group's ``memory.events`` at its end.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import phantoms
import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MB = 2**20


def command(variable: str) -> list[str]:
    found = shlex.split(os.environ.get(variable, ""))
    assert found, f"set {variable}, as the top of this file says"
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(3):
        phantoms.save(folder / f"b{number}.tck", phantoms.asymmetric_bundle(seed=number))
    return folder


def submit(tmp_path: Path, data: Path, memory: int, *options: str) -> tuple[int, str]:
    arguments = [sys.executable, "-m", "tractcap", str(data), str(tmp_path / "out"), "participant", *options]
    script = tmp_path / "job.sh"
    script.write_text(f"#!/bin/bash\nexec {shlex.join(arguments)} 2>{tmp_path}/stderr\n")
    log = tmp_path / "stdout"
    batch = [*command("SBATCH"), "--wait", f"--mem={memory}", "--cpus-per-task=1", "-o", str(log), str(script)]
    status = subprocess.run(batch, check=False, capture_output=True).returncode
    return status, log.read_text()


def test_slurm(data: Path, tmp_path: Path) -> None:
    status, text = submit(tmp_path, data, 600, "--dry-run", "--json")
    assert status == 0
    plan = json.loads(text)
    assert plan["budget"] == 600 * MB
    assert "slurm" in plan["bound_by"]
    assert "task_" not in plan["bound_by"], "the leaf has no limit"
    assert plan["cpus"] == 1
    status, text = submit(tmp_path, data, 400)
    assert status == 0, (tmp_path / "stderr").read_text()
    assert len(text.splitlines()) == 3 + 1, "three mosaics and the page"
    assert "memory 400 MB" in (tmp_path / "stderr").read_text()


def test_version_2_with_the_limit_one_level_up(data: Path) -> None:
    machine = [*command("CGROUP2_VM"), "--limit", "300M", "--memory", "1500", "--input", str(data)]
    tool = ["tractcap", "/opt/tractcap/bin/python", "/opt/tractcap/entrypoint.py", "/data", "/out", "participant"]
    options = ["--env", "MAX_MEMORY_MB=400", *tool, "--size", "200", "--views", "left"]
    done = subprocess.run([*machine, *options], capture_output=True, text=True, check=False)
    assert "run-in-vm: status 0" in done.stdout, done.stdout
    assert "MAX_MEMORY_MB asks for 400 MB, but /sys/fs/cgroup/box/memory.max allows 300 MB" in done.stdout
    assert "3 drawn" in done.stdout
    assert "oom_kill 0" in done.stdout
    assert "the control group's own figure" in done.stdout


def array(data: Path, out: Path, tasks: int, *options: str) -> None:
    """Submit as the example does, and wait for its last job."""
    example = Path(__file__).parents[2] / "examples/slurm/submit"
    program = Path(sys.executable).with_name("tractcap")
    env = {**os.environ, "TASKS": str(tasks), "SBATCH_MEM_PER_NODE": "600", "SBATCH_TIMELIMIT": "10"}
    said = subprocess.run([example, program, data, out, *options], env=env, check=True, capture_output=True, text=True)
    last = said.stdout.split()[-1]
    waiting = [*command("SBATCH"), "--wait", f"--dependency=afterany:{last}", "--wrap", "true", "-o", "/dev/null"]
    subprocess.run(waiting, check=True, capture_output=True)


def files(out: Path) -> dict[str, bytes]:
    found = (path for path in out.rglob("*") if path.is_file() and path.parent.name != "logs")
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def test_the_examples_array(data: Path, tmp_path: Path) -> None:
    """Four tasks and a group leave what one task and a group leave."""
    for bundle in ("AF_L", "CST_R"):
        for who in ("01", "02"):
            (data / f"sub-{who}").mkdir(exist_ok=True)
            phantoms.save(data / f"sub-{who}/{bundle}.tck", phantoms.asymmetric_bundle(seed=int(who)))
    options = ("--size", "100", "--overview")
    array(data, tmp_path / "parts", 4, *options)
    array(data, tmp_path / "whole", 1, *options)
    parts, whole = files(tmp_path / "parts"), files(tmp_path / "whole")
    assert parts == whole
    assert {"group.html", "sub-01.html", "sub-02/figures/CST_R_mosaic.png"} <= parts.keys()
    told = json.loads(parts["sub-01/figures/AF_L.json"])
    assert told["Memory"] == {"BudgetBytes": 600 * MB, "BoundBy": "a control group"}
