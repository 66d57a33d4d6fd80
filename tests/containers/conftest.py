"""A real container engine, and the image built from the Dockerfile of this tree."""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGE = "tractcap-test"


@dataclass
class Finished:
    """What a container did: its status, its output, its cgroup's peak in bytes, and whether the OOM killer came."""

    status: int
    stderr: str
    stdout: str
    peak: int
    oom_killed: bool


def engine() -> list[str]:
    """The engine's command; these tests never pass without one."""
    command = shlex.split(os.environ.get("CONTAINER_ENGINE", ""))
    assert command, "set CONTAINER_ENGINE to docker or podman"
    return command


def call(*arguments: str) -> str:
    """Run the engine; returns what it printed."""
    done = subprocess.run([*engine(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="session")
def image() -> str:
    """The image, built anew where anything changed."""
    call("build", "--network", "host", "-t", IMAGE, str(ROOT))
    return IMAGE


Run = Callable[..., Finished]


@pytest.fixture
def contained(image: str, tmp_path: Path) -> Iterator[Run]:
    """Run tractcap in a container on a folder: read-only, without network, not as root, without swap."""
    out = tmp_path / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    started: list[str] = []

    def run(
        data: Path, *arguments: str, memory: str = "512m", options: tuple[str, ...] = (), user: str = "1000:1000"
    ) -> Finished:
        limits = ("-m", memory, "--memory-swap", memory, "--read-only", "--network", "none", "--user", user)
        mounts = ("-v", f"{data}:/data:ro", "-v", f"{out}:/out")
        container = call("create", *limits, *mounts, *options, image, *arguments)
        started.append(container)
        return finish(container, tmp_path)

    yield run
    for container in started:
        call("rm", "-f", container)


def finish(container: str, folder: Path) -> Finished:
    """Start a container and see it through, watching its control group as long as there is one."""
    with (folder / "stdout").open("w+") as stdout, (folder / "stderr").open("w+") as stderr:
        child = subprocess.Popen([*engine(), "start", "--attach", container], stdout=stdout, stderr=stderr)
        peak = 0
        while child.poll() is None:
            peak = max(peak, read_peak(container))
            try:
                child.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        state = call("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", container).split()
        stdout.seek(0)
        stderr.seek(0)
        return Finished(int(state[0]), stderr.read(), stdout.read(), peak, state[1] == "true")


def read_peak(container: str) -> int:
    """The kernel's own high-water mark of a running container's memory: what it needs and page cache together."""
    groups = Path("/sys/fs/cgroup")
    names = ("memory.max_usage_in_bytes", "memory.peak")
    for pattern in (f"memory/*/*{container}*", f"*/*/*{container}*", f"*/*{container}*"):
        for found in groups.glob(pattern):
            for name in names:
                try:
                    return int((found / name).read_text())
                except (OSError, ValueError):
                    continue
    return 0
