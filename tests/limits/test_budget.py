"""The least limit binds, and what was asked for is checked against it."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from test_cgroup import MB, SEEN, plant

from tractcap.errors import SettingsError
from tractcap.limits import parse_size, settle


def test_the_container_binds(tmp_path: Path) -> None:
    budget = settle(
        None, root=plant(tmp_path, SEEN["docker, v1: the group's own path is the mount's root"]), environ={}
    )
    assert budget.bytes == 512 * MB
    assert "memory.limit_in_bytes" in budget.describe()
    assert budget.cpus == 1, "a quota of 1.5 processors is one worker's worth"


def test_a_cap_below_the_limit_binds(tmp_path: Path) -> None:
    root = plant(tmp_path, SEEN["docker, v2: private namespace"])
    budget = settle(256 * MB, "--mem", root=root, environ={})
    assert (budget.bytes, budget.bound_by.where) == (256 * MB, "--mem")
    assert not budget.warnings


def test_a_cap_above_the_limit_is_said_once_and_not_used(tmp_path: Path) -> None:
    root = plant(tmp_path, SEEN["docker, v2: private namespace"])
    budget = settle(1000 * MB, "MAX_MEMORY_MB", root=root, environ={})
    assert budget.bytes == 400 * MB
    assert len(budget.warnings) == 1
    assert "MAX_MEMORY_MB asks for 1000 MB" in budget.warnings[0]
    assert "400 MB is used" in budget.warnings[0]


def test_a_quota_below_one_processor_still_leaves_one(tmp_path: Path) -> None:
    assert settle(None, root=plant(tmp_path, SEEN["docker, v2: private namespace"]), environ={}).cpus == 1


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SLURM_MEM_PER_NODE": "600"}, 600 * MB),
        ({"SLURM_MEM_PER_CPU": "300", "SLURM_CPUS_ON_NODE": "4"}, 1200 * MB),
        ({"SLURM_MEM_PER_NODE": "0"}, 16384000 * 1024),  # all of the node
    ],
)
def test_slurm_is_believed_where_no_control_group_tells(tmp_path: Path, environ: dict[str, str], expected: int) -> None:
    budget = settle(None, root=plant(tmp_path, SEEN["v2: no limit"]), environ=environ)
    assert budget.bytes == expected
    assert "no control group" in budget.notes[0]


def test_processors_of_a_slurm_task_are_those_it_asked_for(tmp_path: Path) -> None:
    root = plant(tmp_path, SEEN["v2: no limit"])
    assert settle(None, root=root, environ={"SLURM_CPUS_PER_TASK": "1"}).cpus == 1
    assert (
        settle(None, root=root, environ={"SLURM_CPUS_PER_TASK": "999"}).cpus == settle(None, root=root, environ={}).cpus
    )


def test_slurm_is_not_asked_where_a_control_group_tells(tmp_path: Path) -> None:
    root = plant(tmp_path, SEEN["docker, v2: private namespace"])
    assert settle(None, root=root, environ={"SLURM_MEM_PER_NODE": "100"}).bytes == 400 * MB


@pytest.mark.parametrize(("flag", "name"), [("RLIMIT_AS", "ulimit -v"), ("RLIMIT_DATA", "ulimit -d")])
def test_an_inherited_ulimit_binds(flag: str, name: str) -> None:
    code = "from tractcap.limits import settle; b = settle(); print(b.bytes, b.bound_by.where)"

    def limit() -> None:
        resource.setrlimit(getattr(resource, flag), (300 * MB, 300 * MB))

    found = subprocess.run([sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True, check=True)
    assert found.stdout.split(" ", 1) == [str(300 * MB), f"{name}\n"]


def test_nothing_to_go_by(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--mem"):
        settle(None, root=tmp_path, environ={})


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256", 256 * MB),
        (" 2048 ", 2**31),
        ("512M", 512 * MB),
        ("4G", 2**32),
        ("4g", 2**32),
        ("4GiB", 2**32),
        ("1024K", MB),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text, "--mem") == size


@pytest.mark.parametrize("text", ["0", "-5", "1.5G", "lots", "", "  ", "4GG", "0M", "1e3", "٣"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(SettingsError, match="MAX_MEMORY_MB"):
        parse_size(text, "MAX_MEMORY_MB")
