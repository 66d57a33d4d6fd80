"""Trees of literal /proc and /sys text, each named for where it was seen."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tractcap.limits import cgroup

MB = 2**20
GB = 2**30
MEMINFO = "MemTotal:       16384000 kB\nMemFree:         1000000 kB\n"
V1_UNLIMITED = "9223372036854771712"

V1_MOUNT = "36 32 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:14 - cgroup cgroup rw,memory"
V2_MOUNT = "29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate"


@dataclass
class Seen:
    """Text of /proc/self/cgroup and mountinfo, files below /sys/fs/cgroup, and what must come out."""

    cgroup: str
    mountinfo: str
    files: dict[str, str]
    memory: list[int]
    cpus: list[float] = field(default_factory=list)


SEEN = {
    "docker, v1: the group's own path is the mount's root": Seen(
        "9:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc",
        "36 32 0:31 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
        "37 32 0:32 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct",
        {
            "memory/memory.limit_in_bytes": str(512 * MB),
            "cpu,cpuacct/cpu.cfs_quota_us": "150000",
            "cpu,cpuacct/cpu.cfs_period_us": "100000",
        },
        [512 * MB],
        [1.5],
    ),
    "host, v1: unlimited": Seen("4:memory:/", V1_MOUNT, {"memory/memory.limit_in_bytes": V1_UNLIMITED}, []),
    "host, v1: unlimited, older kernel": Seen(
        "4:memory:/", V1_MOUNT, {"memory/memory.limit_in_bytes": "18446744073709551615"}, []
    ),
    "v1: unlimited, page size of 64 KB": Seen(
        "4:memory:/", V1_MOUNT, {"memory/memory.limit_in_bytes": "9223372036854710272"}, []
    ),
    "v1: limit above the machine's memory is none": Seen(
        "4:memory:/", V1_MOUNT, {"memory/memory.limit_in_bytes": str(64 * GB)}, []
    ),
    "slurm, v1: the leaf is unlimited, its parent is not": Seen(
        "4:memory:/slurm/uid_0/job_7/step_batch/task_0",
        V1_MOUNT,
        {
            "memory/slurm/uid_0/job_7/step_batch/task_0/memory.limit_in_bytes": V1_UNLIMITED,
            "memory/slurm/uid_0/job_7/step_batch/memory.limit_in_bytes": str(600 * MB),
            "memory/slurm/uid_0/job_7/memory.limit_in_bytes": str(700 * MB),
        },
        [600 * MB, 700 * MB],
    ),
    "kubernetes, v1: parents are hidden but count": Seen(
        "4:memory:/kubepods/pod1/c1",
        "36 32 0:31 /kubepods/pod1/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
        {
            "memory/memory.limit_in_bytes": V1_UNLIMITED,
            "memory/memory.stat": f"cache 1\nhierarchical_memory_limit {300 * MB}\nhierarchical_memsw_limit 1",
        },
        [300 * MB],
    ),
    "docker, v2: private namespace": Seen(
        "0::/",
        V2_MOUNT,
        {"memory.max": str(400 * MB), "memory.high": "max", "cpu.max": "50000 100000"},
        [400 * MB],
        [0.5],
    ),
    "v2: no limit": Seen("0::/", V2_MOUNT, {"memory.max": "max", "cpu.max": "max 100000"}, []),
    "v2: root has no memory.max": Seen("0::/", V2_MOUNT, {}, []),
    "v2: an empty file": Seen("0::/", V2_MOUNT, {"memory.max": ""}, []),
    "systemd, v2: the limit is one level up": Seen(
        "0::/box/task", V2_MOUNT, {"box/memory.max": str(400 * MB), "box/task/memory.max": "max"}, [400 * MB]
    ),
    "v2: memory.high throttles, so it is a limit": Seen(
        "0::/box", V2_MOUNT, {"box/memory.max": str(400 * MB), "box/memory.high": str(300 * MB)}, [400 * MB, 300 * MB]
    ),
    "v2: memory.low and memory.min protect and don't limit": Seen(
        "0::/", V2_MOUNT, {"memory.low": str(MB), "memory.min": str(MB)}, []
    ),
    "hybrid: memory is on v1, v2 is mounted without it": Seen(
        "4:memory:/job\n0::/job",
        "38 32 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" + V1_MOUNT,
        {"memory/job/memory.limit_in_bytes": str(256 * MB), "unified/job/cgroup.procs": "1"},
        [256 * MB],
    ),
    "hybrid: memory is on v2": Seen(
        "1:name=systemd:/job\n0::/job",
        "38 32 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        "39 32 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd",
        {"unified/job/memory.max": str(256 * MB)},
        [256 * MB],
    ),
    "hybrid: memory is on v2, and mounts of v1 are none of its": Seen(
        "1:name=systemd:/job\n0::/job",
        "39 32 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
        "38 32 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
        {"unified/job/memory.max": str(256 * MB), "systemd/job/memory.limit_in_bytes": str(MB)},
        [256 * MB],
    ),
    "v1: a mount of other controllers, whatever its device is called": Seen(
        "4:memory:/job\n5:cpu:/job",
        V1_MOUNT + "\n37 32 0:32 / /sys/fs/cgroup/cpu rw - cgroup memory rw,cpu",
        {"memory/job/memory.limit_in_bytes": str(256 * MB), "cpu/job/memory.limit_in_bytes": str(MB)},
        [256 * MB],
    ),
    "a path that holds colons": Seen(
        "0::/system.slice/a:b:c", V2_MOUNT, {"system.slice/a:b:c/memory.max": str(MB)}, [MB]
    ),
    "mountinfo: optional fields, none or several": Seen(
        "0::/a",
        "29 22 0:26 / /sys/fs/cgroup rw shared:4 master:1 propagate_from:2 - cgroup2 cgroup2 rw",
        {"a/memory.max": str(MB)},
        [MB],
    ),
    "mountinfo: octal escapes in the mount point": Seen(
        "0::/a",
        r"29 22 0:26 / /sys/fs/cgroup/my\040groups rw - cgroup2 cgroup2 rw",
        {"my groups/a/memory.max": str(MB)},
        [MB],
    ),
    "mountinfo: mounted twice, counted once": Seen(
        "0::/a", V2_MOUNT + "\n" + V2_MOUNT.replace("29 22", "99 22"), {"a/memory.max": str(MB)}, [MB]
    ),
    "mountinfo: a root outside of the namespace": Seen(
        "0::/../../sibling",
        "29 22 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
        {"memory.max": str(MB)},
        [MB],
    ),
    "podman: the group lies outside of what is mounted": Seen(
        "4:memory:/elsewhere",
        V1_MOUNT.replace("0:31 / ", "0:31 /libpod/x "),
        {"memory/memory.limit_in_bytes": "1048576"},
        [MB],
    ),
}


def plant(root: Path, seen: Seen) -> Path:
    """Lay the text out as files below ``root``."""
    files = {f"sys/fs/cgroup/{name}": text for name, text in seen.files.items()}
    files |= {"proc/self/cgroup": seen.cgroup, "proc/self/mountinfo": seen.mountinfo, "proc/meminfo": MEMINFO}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize("name", SEEN)
def test_limits_as_they_were_seen(tmp_path: Path, name: str) -> None:
    seen = SEEN[name]
    found = cgroup.read(plant(tmp_path, seen))
    assert [limit.bytes for limit in found.memory] == seen.memory
    assert found.cpus == seen.cpus
    assert not found.unreadable


def test_a_limit_says_where_it_was_found(tmp_path: Path) -> None:
    found = cgroup.read(plant(tmp_path, SEEN["systemd, v2: the limit is one level up"]))
    assert found.memory[0].where.endswith("sys/fs/cgroup/box/memory.max")


def test_what_cannot_be_read_is_told_apart_from_no_limit(tmp_path: Path) -> None:
    root = plant(tmp_path, SEEN["v2: no limit"])
    (root / "sys/fs/cgroup/memory.max").unlink()
    (root / "sys/fs/cgroup/memory.max").mkdir()  # reading a folder fails, for root too
    found = cgroup.read(root)
    assert not found.memory
    assert "memory.max" in found.unreadable[0]


def test_no_proc_at_all(tmp_path: Path) -> None:
    assert cgroup.read(tmp_path) == cgroup.CgroupLimits()
