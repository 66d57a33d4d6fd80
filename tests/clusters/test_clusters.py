"""Limits as Slurm and version 2 of the control groups really set them: one level above the process.

``SBATCH`` is the command that submits to a Slurm that enforces memory, and whose only node is this machine.
``CGROUP2_VM`` runs a command of an image under a version 2 limit (``--limit``, ``--input``, ``--env``), and prints the
group's ``memory.events`` at its end.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import phantoms
import pytest
import slurm
from engines import command
from left_files import files
from waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MB = 2**20
FAULTS = Path(__file__).parents[1] / "helpers/faults"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(3):
        phantoms.save(folder / f"b{number}.tck", phantoms.asymmetric_bundle(seed=number))
    return folder


def submit(tmp_path: Path, data: Path, memory: int, *options: str) -> tuple[str, str]:
    """Run tractcap in a job; returns the state in which it ended and its stdout."""
    arguments = [str(slurm.TRACTCAP), str(data), str(tmp_path / "out"), "participant", *options]
    script = tmp_path / "job.sh"
    script.write_text(f"#!/bin/bash\nexec {shlex.join(arguments)} 2>{tmp_path}/stderr\n")
    log = tmp_path / "stdout"
    limits = [f"--mem={memory}", "--cpus-per-task=1"]
    job = slurm.say(*command("SBATCH"), "--parsable", *limits, "-o", str(log), str(script))
    return slurm.wait(job), log.read_text()


def test_slurm(data: Path, tmp_path: Path) -> None:
    state, text = submit(tmp_path, data, 600, "--dry-run", "--json")
    assert state == "COMPLETED"
    plan = json.loads(text)
    assert plan["budget"] == 600 * MB
    assert "slurm" in plan["bound_by"]
    assert "task_" not in plan["bound_by"], "the leaf has no limit"
    assert plan["cpus"] == 1
    state, text = submit(tmp_path, data, 400)
    assert state == "COMPLETED", (tmp_path / "stderr").read_text()
    assert len(text.splitlines()) == 3 + 1, "three mosaics and the page"
    assert "memory 400 MB" in (tmp_path / "stderr").read_text()


DOOR = ("/opt/tractcap/bin/python", "-I", "/opt/tractcap/entrypoint.py")


def in_machine(
    limit: str, *arguments: str, data: Path | None = None, program: tuple[str, ...] = DOOR, **variables: str
) -> str:
    """Run tractcap in a machine of version 2 alone, the limit one level above its group; returns what was said."""
    machine = [*command("CGROUP2_VM"), "--limit", limit, "--memory", "1500", *(["--input", str(data)] if data else [])]
    told = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    tool = ["tractcap", *program]
    small = ["--size", "64", "--views", "left"]
    called = [*machine, *told, *tool, *arguments, "/out", "participant", *small]
    with subprocess.Popen(called, stdout=subprocess.PIPE, text=True, start_new_session=True) as child:
        try:
            return child.communicate(timeout=400)[0]
        finally:  # a machine that hangs doesn't end with the script that started it
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)


def test_version_2_with_the_limit_one_level_up() -> None:
    said = in_machine("400M", "demo", MAX_MEMORY_MB="500")
    assert "run-in-vm: status 0" in said, said
    assert "MAX_MEMORY_MB asks for 500 MB, but /sys/fs/cgroup/box/memory.max allows 400 MB: 400 MB is used" in said
    assert "memory 400 MB, bound by /sys/fs/cgroup/box/memory.max; 2 CPUs; up to 2 workers; peak" in said
    assert "15 drawn" in said
    assert "oom_kill 0" in said
    assert "the control group's own figure" in said


def test_the_oom_killer_of_version_2(data: Path) -> None:
    """It is counted one level up, told of, and costs one bundle.

    There is one worker: of several, one may be stopped to free memory just as the killer ends it, and that is no try.
    """
    shutil.copytree(FAULTS, data / "faults", ignore=shutil.ignore_patterns("__pycache__"))
    unlocked = ("/opt/tractcap/bin/python", "-m", "tractcap")  # the image's door lets no other Python code in
    faults = {"PYTHONPATH": "/data/faults", "FAULT": "shared:b1"}
    said = in_machine("300M", "--nprocs", "1", "/data", data=data, program=unlocked, **faults)
    assert "run-in-vm: status 1" in said, said
    assert "memory 300 MB, bound by /sys/fs/cgroup/box/memory.max" in said
    assert "2 drawn, 1 tried again, 1 failed" in said
    assert "failed: /data/b1.tck: the worker was ended by SIGKILL: the kernel's OOM killer, for want of memory" in said
    assert "oom_kill 2" in said


ALL_AT_ONCE = """#!/bin/bash
group=/sys/fs/cgroup/box/killed
mkdir $group
echo 1 >$group/memory.oom.group
run() { (echo 0 >$group/cgroup.procs; exec /opt/tractcap/bin/python -m tractcap "$@" --nprocs 1); echo "status: $?"; }
run "$@" --dry-run
PYTHONPATH=/data/faults FAULT=shared:b1 run "$@"
run "$@"
"""
"""Runs in a group whose processes the kernel kills all at once, as in Kubernetes: planned, killed, and run again."""


def test_a_run_that_the_kernel_kills_all_at_once(data: Path) -> None:
    """It can say nothing at its end, and has left only whole files: a rerun goes on."""
    shutil.copytree(FAULTS, data / "faults", ignore=shutil.ignore_patterns("__pycache__"))
    (data / "twice").write_text(ALL_AT_ONCE)
    said = in_machine("300M", "/data", data=data, program=("/bin/bash", "/data/twice"))
    planned, killed, rerun, _ = said.split("status: ")
    assert "killed/memory.oom.group: for want of memory the kernel ends all of the run; a rerun goes on" in planned
    assert killed.startswith("0")
    assert rerun.startswith("137"), "supervisor and worker were killed"
    assert "drew b0.tck" in killed
    assert "tried again" not in killed
    assert "oom_group_kill 1" in said
    assert "2 drawn, 1 kept from an earlier run" in rerun
    assert "status: 0" in said.rpartition("2 drawn")[2]


OPTIONS = ("--size", "100", "--overview", "--nprocs", "1")

DISTURBED = """#!/bin/bash
# tasks meet a fault the first time that they run: 1 and 4 never end writing a file, 3 makes the kernel kill its workers
export PYTHONPATH={faults} FAULT=
task=${{SLURM_ARRAY_TASK_ID:-group}}
if mkdir {marks}/$task 2>/dev/null; then
  case $task in
    1) FAULT=unsynced:b1 ;;
    3) FAULT=shared:AF_L ;;
    4) FAULT=unsynced:CST_R ;;
  esac
fi
exec {program} "$@"
"""


@pytest.fixture
def disturbed(tmp_path: Path) -> Path:
    """A program to submit in tractcap's place."""
    (tmp_path / "marks").mkdir()
    program = tmp_path / "disturbed"
    program.write_text(DISTURBED.format(faults=FAULTS, marks=tmp_path / "marks", program=slurm.TRACTCAP))
    program.chmod(0o755)
    return program


def ends(array: slurm.Array, index: int, part: str, *how: str) -> None:
    """A task that is writing a file is ended: within 5 seconds nothing of it is left, be it process or file."""
    until(lambda: list(array.out.glob(part)), f"a file that task {index} writes")
    assert array.alive(index)
    slurm.say(*how, array.task(index))
    until(lambda: not array.alive(index), f"task {index} to end", 5)
    assert not list(array.out.glob(part))
    assert "interrupted; what was drawn is whole, and a rerun goes on" in array.log(index)


def start_now(task: str) -> None:
    """Let a task that was queued again start: Slurm would have it wait for two minutes."""
    until(lambda: slurm.state(task) == "PENDING", f"task {task} to be queued again")
    slurm.say("scontrol", "update", f"JobId={task}", "StartTime=now")


def test_the_examples_array(data: Path, disturbed: Path, tmp_path: Path) -> None:
    """Four tasks leave what one does, though one was preempted, one met the OOM killer and one was cancelled."""
    for bundle in ("AF_L", "CST_R"):
        for who in ("01", "02"):
            (data / f"sub-{who}").mkdir(exist_ok=True)
            phantoms.save(data / f"sub-{who}/{bundle}.tck", phantoms.asymmetric_bundle(seed=int(who)))
    assert command("SBATCH")
    out = tmp_path / "parts"
    array = slurm.submit(disturbed, data, out, OPTIONS, TASKS="4")
    ends(array, 1, "figures/.b1_*.part", "scontrol", "requeue")  # as Slurm does when it preempts
    start_now(array.task(1))
    ends(array, 4, "sub-02/figures/.CST_R_*.part", "scancel")
    states = [slurm.wait(array.task(index)) for index in (1, 2, 3, 4)]
    assert states == ["COMPLETED", "COMPLETED", "OUT_OF_MEMORY", "CANCELLED"]
    assert "1 drawn, 1 kept from an earlier run" in array.log(1)
    told_of_the_kernel(array.log(3), out)

    again = slurm.submit(disturbed, data, out, OPTIONS, TASKS="4", ONLY="3,4")
    whole = slurm.submit(slurm.TRACTCAP, data, tmp_path / "whole", OPTIONS, TASKS="1")
    assert [slurm.wait(job) for job in (again.group, whole.group)] == ["COMPLETED", "COMPLETED"]
    for index in (3, 4):
        assert "1 drawn, 1 kept from an earlier run" in again.log(index)
    found, expected = files(out), files(tmp_path / "whole")
    assert found == expected
    assert {"group.html", "sub-01.html", "sub-02/figures/CST_R_mosaic.png"} <= found.keys()
    told = json.loads(found["sub-01/figures/AF_L.json"])
    assert told["Memory"] == {"BudgetBytes": 600 * MB, "BoundBy": "a control group"}


def told_of_the_kernel(log: str, out: Path) -> None:
    """The bundle whose workers the kernel killed is told of, in the log and on the page; the other one is drawn."""
    assert "1 drawn, 1 tried again, 1 failed" in log
    failed = next(line for line in log.splitlines() if line.startswith("tractcap: failed: "))
    assert "AF_L.tck: the worker was ended by SIGKILL: the kernel's OOM killer, for want of memory" in failed
    assert "OOM killer, for want of memory" in (out / "sub-01.html").read_text()
