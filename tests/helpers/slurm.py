"""A Slurm whose only node is this machine, asked as its users ask it: by its commands."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from waiting import processes, until

EXAMPLE = Path(__file__).parents[2] / "examples/slurm/submit"
TRACTCAP = Path(sys.executable).with_name("tractcap")
OVER = {"COMPLETED", "FAILED", "CANCELLED", "OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL"}


def say(*command: str | Path, **variables: str) -> str:
    """Run one of Slurm's commands; returns what it printed."""
    done = subprocess.run(command, env={**os.environ, **variables}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def state(job: str) -> str:
    """The state of a job or of a task (``12_3``)."""
    return say("squeue", "--noheader", "--states", "all", "--jobs", job, "--format", "%T")


def wait(job: str) -> str:
    """Wait until a job is over; returns the state in which it ended."""
    return until(lambda: found if (found := state(job)) in OVER else "", f"the end of job {job}", 240)


@dataclass(frozen=True)
class Array:
    """Jobs that the example has submitted: the tasks' and the group's, with the folder that they write to."""

    tasks: str
    group: str
    out: Path

    def task(self, index: int) -> str:
        """How Slurm calls a task."""
        return f"{self.tasks}_{index}"

    def log(self, index: int) -> str:
        """What a task has said, if it has said anything yet."""
        path = self.out / f"logs/slurm-{self.task(index)}.txt"
        return path.read_text() if path.exists() else ""

    def alive(self, index: int) -> list[str]:
        """The processes of a task."""
        job, task = f"SLURM_ARRAY_JOB_ID={self.tasks}\0", f"SLURM_ARRAY_TASK_ID={index}\0"
        return processes(job.encode(), task.encode())


def submit(program: Path, data: Path, out: Path, options: tuple[str, ...], **variables: str) -> Array:
    """Submit as the example says."""
    limits = {"SBATCH_MEM_PER_NODE": "600", "SBATCH_TIMELIMIT": "10"}
    said = say(EXAMPLE, program, data, out, *options, **limits, **variables)
    tasks, group = (word.rstrip(",") for word in said.split() if word.rstrip(",").isdigit())
    return Array(tasks, group, out)
