"""Literal texts of public reports: what ``/proc`` and ``/sys`` said there, and what is settled from it."""

import os
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import psutil
import pytest

from tractcap.errors import SettingsError
from tractcap.limits import MB, Budget, Watch, cgroup, settle, usage

V2 = "29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot"
V1 = "36 32 0:31 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime - cgroup cgroup rw,memory"
PYXIS = "/system.slice/slurm-worker-1_slurmstepd.scope/job_4749/step_0/user/task_0"
APPTAINER = "user.slice/user-1000.slice/user@1000.service/user.slice/apptainer-732229.scope"
CRIO = "crio-45490e76aa8b2d3c2e5f.scope"
POD = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f.slice"
CONTAINER = f"{POD}/cri-containerd-9a.scope"
WSL2 = (
    r"1391 1160 0:151 / /Docker/host rw,noatime - 9p C:\134Program\040Files\134Docker "
    r"rw,dirsync,aname=drvfs;path=C:\My Data - Copy\Docker;symlinkroot=/mnt/,mmap"
)
HIDDEN = "hierarchical_memory_limit"
UNLIMITED = "9223372036854771712"
DOCKER = "docker/1ebedb637aea644ece9c9eb3f93f41cbe6e5a96ce3961f665b83bd12363ab303"
CONTAINERD = "system.slice/containerd.service/kubepods-burstable-podb96a7488.slice:cri-containerd:6ef14b5a"
LIBPOD = "machine.slice/libpod-2521e906f0a0.scope"
NSPAWN = "machine.slice/machine-debian.scope"


def version_1(group: str, cpu: str = "cpu,cpuacct") -> str:
    """The mounts of a container that sees its own group alone."""
    return (
        f"742 740 0:32 /{group} /sys/fs/cgroup/memory ro,nosuid master:14 - cgroup cgroup rw,memory\n"
        f"743 740 0:28 /{group} /sys/fs/cgroup/{cpu} ro,nosuid master:15 - cgroup cgroup rw,{cpu}"
    )


@dataclass(frozen=True)
class Report:
    """Texts of /proc, files below /sys/fs/cgroup, the limit that counts, with part of its name, and CPU quotas."""

    cgroup: str
    mountinfo: str | bytes
    files: dict[str, object]
    limit: int
    where: str
    meminfo: str = "MemTotal:       16384000 kB\nMemAvailable:   16000000 kB\n"
    environ: dict[str, str] = field(default_factory=dict)
    cpus: tuple[float, ...] = ()


REPORTS = {
    "another cgroup2 mount comes first": Report(
        "0::/",
        "700 650 0:26 /../../../.. /host/sys/fs/cgroup ro - cgroup2 cgroup rw\n" + V2,
        {"memory.max": 536870912},
        536870912,
        "sys/fs/cgroup/memory.max",
    ),
    "another mount of version 1 comes first, and shows less": Report(
        "4:memory:/docker/4f2",
        V1.replace("0:31 / /sys", "0:31 /docker/other /host/sys") + "\n" + V1,
        {"memory/docker/4f2/memory.limit_in_bytes": 268435456},
        268435456,
        "memory/docker/4f2",
    ),
    "of several mounts the least counts, wherever it stands": Report(
        "0::/a",
        V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/again") + "\n" + V2,
        {"again/a/memory.max": 300 * MB, "a/memory.max": 200 * MB, "memory.max": 500 * MB},
        200 * MB,
        "cgroup/a/memory.max",
    ),
    "canonical/lxd#5905: lxcfs tells the group's limit as the machine's memory": Report(
        "0::/", V2, {"memory.max": 1999998976}, 1999998976, "memory.max", meminfo="MemTotal: 1953124 kB\n"
    ),
    "gVisor: likewise, of version 1": Report(
        "6:memory:/",
        "18 12 0:26 / /sys/fs/cgroup/memory rw,noexec - cgroup none rw,memory",
        {"memory/memory.limit_in_bytes": 17179869184},
        17179869184,
        "memory.limit_in_bytes",
        meminfo="MemTotal:       16777216 kB\n",
    ),
    "KimMachineGun/automemlimit#28, with a blank more: Docker Desktop on WSL2": Report(
        "0::/", f"{WSL2}\n{V2}", {"memory.max": 400 * MB}, 400 * MB, "memory.max"
    ),
    "a mount point that isn't UTF-8": Report(
        "0::/",
        b"50 22 0:40 / /mnt/gr\xf6\xdfe\x85\xff rw - ext4 /dev/sda1 rw\n" + V2.encode(),
        {"memory.max": 400 * MB},
        400 * MB,
        "memory.max",
    ),
    "a group's mount point and name that aren't UTF-8": Report(
        "0::/gr\udcf6\udcdfe",
        V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/\udcff\udc85").encode(errors="surrogateescape"),
        {"\udcff\udc85/gr\udcf6\udcdfe/memory.max": 400 * MB},
        400 * MB,
        "memory.max",
    ),
    "lines that are none": Report(
        "\n::\nx\n0::/\n" + "9" * 5000,
        "- \n - - -\n1 2 3 4 5 6\n1 2 0:3 /a - cgroup2 cgroup2 rw\n"
        "1 2 0:3 \\000 /a\\000b rw - cgroup2 cgroup2 rw\n7 1 0:7 / /\\777 - cgroup2 cgroup2\n"
        "  29  22 0:26  /  /sys/fs/cgroup   rw   -   cgroup2  cgroup  rw  \n",
        {"memory.max": 400 * MB, "memory.high": "9" * 5000, "cpu.max": "² 0", "memory.stat": "x\ny z w\n"},
        400 * MB,
        "memory.max",
        meminfo="\n:\nMemTotal 12\nMemTotal: 16384000 kB\nMemTotal: x kB\n",
        environ={"SLURM_CPUS_PER_TASK": "²"},
    ),
    "NVIDIA/enroot#169: Pyxis": Report(
        f"0::{PYXIS}",
        V2.replace("0:26 / ", f"0:26 {PYXIS} "),
        {"memory.max": "max"},
        4096 * MB,
        "SLURM_MEM_PER_NODE",
        environ={"SLURM_MEM_PER_NODE": "4096"},
    ),
    "apptainer#2367: without root": Report(
        f"0::/{APPTAINER}", V2, {f"{APPTAINER}/memory.max": 1073741824}, 1073741824, f"{APPTAINER}/memory.max"
    ),
    "JDK-8343191: a process that was moved": Report(
        "9:memory:/test",
        V1.replace("0:31 / ", "0:31 /docker/4f2 "),
        {"memory/memory.limit_in_bytes": 419430400},
        419430400,
        "memory/memory.limit_in_bytes",
    ),
    "crun's extra level": Report(
        "0::/container", V2, {"container/memory.max": "max", "memory.max": 536870912}, 536870912, "cgroup/memory.max"
    ),
    "a removed group": Report(
        "0::/user.slice/run-u12.scope (deleted)",
        V2,
        {"user.slice/memory.max": 536870912},
        536870912,
        "user.slice/memory.max",
    ),
    "CRI-O": Report(f"0::/../{CRIO}", V2, {"memory.max": 536870912}, 536870912, "cgroup/memory.max"),
    "lxcfs#30: an empty meminfo": Report("0::/", V2, {"memory.max": 536870912}, 536870912, "memory.max", meminfo=""),
    "OSGeo/gdal#8968: ECS, the container's": Report(
        "4:memory:/ecs/19f0/9b2c",
        V1.replace("0:31 / ", "0:31 /ecs/19f0/9b2c "),
        {"memory/memory.limit_in_bytes": 300 * MB, "memory/memory.stat": f"hierarchical_memory_limit {300 * MB}\n"},
        300 * MB,
        "memory.limit_in_bytes",
    ),
    "OSGeo/gdal#8968: ECS, the task's": Report(
        "4:memory:/ecs/19f0/9b2c",
        V1.replace("0:31 / ", "0:31 /ecs/19f0/9b2c "),
        {"memory/memory.limit_in_bytes": UNLIMITED, "memory/memory.stat": f"hierarchical_memory_limit {200 * MB}\n"},
        200 * MB,
        "hierarchical_memory_limit",
    ),
    "google/gvisor#9580: gVisor under version 2": Report(
        f"0::/{CONTAINER}",
        V2,
        {f"{CONTAINER}/memory.max": "max", f"{POD}/memory.max": 536870912},
        536870912,
        f"{POD}/memory.max",
    ),
}

REPORTS |= {
    "systemd/systemd#17902: Docker, version 1": Report(
        f"4:memory:/{DOCKER}\n3:cpu,cpuacct:/{DOCKER}",
        version_1(DOCKER),
        {
            "memory/memory.limit_in_bytes": 300 * MB,
            "cpu,cpuacct/cpu.cfs_quota_us": 150000,
            "cpu,cpuacct/cpu.cfs_period_us": 100000,
        },
        300 * MB,
        "memory/memory.limit_in_bytes",
        cpus=(1.5,),
    ),
    "dotnet/coreclr#13895: a mount of processors the other way round": Report(
        f"4:memory:/{DOCKER}\n3:cpuacct,cpu:/{DOCKER}",
        version_1(DOCKER, "cpuacct,cpu"),
        {
            "memory/memory.limit_in_bytes": 300 * MB,
            "cpuacct,cpu/cpu.cfs_quota_us": 50000,
            "cpuacct,cpu/cpu.cfs_period_us": 100000,
        },
        300 * MB,
        "memory/memory.limit_in_bytes",
        cpus=(0.5,),
    ),
    "moby/moby#12394: Docker, version 1, by systemd, with the host's groups mounted": Report(
        "4:memory:/system.slice/docker-898b44c4.scope",
        V1,
        {"memory/system.slice/docker-898b44c4.scope/memory.limit_in_bytes": 4294967296},
        4294967296,
        "docker-898b44c4.scope",
    ),
    "coder/coder#15156: Docker, version 2, --cgroupns=private": Report(
        "0::/", V2, {"memory.max": 300 * MB, "cpu.max": "50000 100000"}, 300 * MB, "memory.max", cpus=(0.5,)
    ),
    "coder/coder#15156: Docker, version 2, --cgroupns=host": Report(
        "0::/docker/aa86ac98959e",
        V2,
        {"docker/aa86ac98959e/memory.max": 300 * MB, "docker/aa86ac98959e/cpu.max": "max 100000"},
        300 * MB,
        "docker/aa86ac98959e/memory.max",
    ),
    "duckdb/duckdb#16608: Kubernetes by containerd, version 1, whose names hold colons": Report(
        f"11:memory:/{CONTAINERD}\n9:cpu,cpuacct:/{CONTAINERD}",
        version_1(CONTAINERD),
        {
            "memory/memory.limit_in_bytes": 300 * MB,
            "cpu,cpuacct/cpu.cfs_quota_us": 200000,
            "cpu,cpuacct/cpu.cfs_period_us": 100000,
        },
        300 * MB,
        "memory/memory.limit_in_bytes",
        cpus=(2.0,),
    ),
    "kubernetes/kubernetes#114142: version 1, the pod's limit": Report(
        "4:memory:/kubepods/burstable/pod22697648/5f",
        V1.replace("0:31 / ", "0:31 /kubepods/burstable/pod22697648/5f "),
        {"memory/memory.limit_in_bytes": UNLIMITED, "memory/memory.stat": f"{HIDDEN} 524288000\n"},
        524288000,
        HIDDEN,
    ),
    "Kubernetes, version 2, the pod's limits, seen by a privileged container": Report(
        f"0::/{CONTAINER}",
        V2,
        {
            f"{CONTAINER}/memory.max": "max",
            f"{POD}/memory.max": 500 * MB,
            f"{CONTAINER}/cpu.max": "max 100000",
            f"{POD}/cpu.max": "250000 100000",
        },
        500 * MB,
        f"{POD}/memory.max",
        cpus=(2.5,),
    ),
    "google/gvisor#190: Kubernetes, a container's limit of 286 MB that gVisor doesn't show": Report(
        "6:memory:/",
        "18 12 0:26 / /sys/fs/cgroup/memory rw,noexec - cgroup none rw,memory",
        {"memory/memory.limit_in_bytes": UNLIMITED},
        2097152 * 1024,
        "the machine's memory",
        meminfo="MemTotal:        2097152 kB\n",
    ),
    "podman#10602: Podman, both versions, systemd inside": Report(
        f"11:memory:/{LIBPOD}\n1:name=systemd:/{LIBPOD}/init.scope\n0::/{LIBPOD}/init.scope",
        V1.replace("0:31 / ", f"0:31 /{LIBPOD} ") + "\n" + V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
        {"memory/memory.limit_in_bytes": 300 * MB, f"unified/{LIBPOD}/memory.max": 100 * MB},
        300 * MB,
        "memory/memory.limit_in_bytes",
    ),
    "podman#20073: Podman without root, --systemd=always": Report(
        "0::/",
        "584 582 0:26 /../../../../../.. /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
        "601 584 0:79 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,size=4k,nr_inodes=1,uid=1000,gid=1000,inode64\n"
        "602 601 0:26 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate",
        {"memory.max": 300 * MB, "cpu.max": "100000 100000"},
        300 * MB,
        "memory.max",
        cpus=(1.0,),
    ),
    "podman#20073: the same with the host's groups, among which its own isn't told": Report(
        "0::/",
        "582 580 0:26 /../../../../../.. /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate",
        {"user.slice/user-1000.slice/memory.max": 300 * MB},
        16384000 * 1024,
        "the machine's memory",
    ),
    "systemd/systemd#18104: systemd-nspawn": Report(
        f"0::/{NSPAWN}/payload",
        V2,
        {f"{NSPAWN}/payload/memory.max": "max", f"{NSPAWN}/memory.max": 900 * MB, f"{NSPAWN}/cpu.max": "150000 100000"},
        900 * MB,
        f"{NSPAWN}/memory.max",
        cpus=(1.5,),
    ),
    "systemd/systemd#19497: systemd-nspawn, in a namespace that ends at the payload": Report(
        "0::/", V2, {"memory.max": "max"}, 16384000 * 1024, "the machine's memory"
    ),
}


def write(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else str(text).encode(errors="surrogateescape"))


def plant(root: Path, report: Report) -> Path:
    write(root / "proc/self/cgroup", report.cgroup)
    write(root / "proc/self/mountinfo", report.mountinfo)
    write(root / "proc/meminfo", report.meminfo)
    for name, text in report.files.items():
        write(root / "sys/fs/cgroup" / name, text)
    return root


@pytest.mark.parametrize("name", REPORTS)
def test_what_was_reported_is_read_rightly(tmp_path: Path, name: str) -> None:
    report = REPORTS[name]
    root = plant(tmp_path, report)
    budget = settle(root=root, environ=report.environ)
    assert budget.bytes == report.limit
    assert report.where in budget.bound_by.where
    assert not budget.warnings
    processors = len(os.sched_getaffinity(0))
    assert budget.cpus == min([processors, *(max(1, int(quota)) for quota in report.cpus)])
    assert cgroup.read(root).cpus == [*report.cpus]
    assert not usage.in_memory(tmp_path, root), "the same lines are read for tmpfs"


def processes(root: Path, monkeypatch: pytest.MonkeyPatch, *pids: int, rss: int, shared: int) -> None:
    """Pages that processes hold, as the kernel tells them to psutil."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(root / "proc"))
    for pid in pids:
        write(root / f"proc/{pid}/statm", f"203085 {rss} {shared} 0 0 0 0\n")
        write(root / f"proc/{pid}/stat", f"{pid} (python) S {' '.join('0' * 49)}\n")


def test_gvisor_does_not_tell_pages_of_files_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its statm counts nothing as shared, its status has no more than this; others count as well as workers."""
    status = "Name:\tpython\nVmSize:\t  812340 kB\nVmRSS:\t  243020 kB\nVmData:\t  240000 kB\nThreads:\t3\n"
    processes(tmp_path, monkeypatch, 7, os.getpid(), rss=243020 // 4, shared=0)
    write(tmp_path / "proc/self/status", status)
    assert usage.private_memory(7) == 243020 * 1024
    assert usage.PrivatePeak(tmp_path).bytes == 243020 * 1024
    assert usage.private_memory(8) == 0
    write(tmp_path / "proc/meminfo", "")
    budget = settle(1000 * MB, root=tmp_path, environ={})
    watch = Watch(lambda: budget, budget, 0.2, tmp_path)
    assert watch.left([7]).bytes == 1000 * MB - 2 * 243020 * 1024
    assert watch.room([7]) == 1000 * MB - 243020 * 1024 - 200 * MB
    assert watch.peak()[0] == 2 * 243020 * 1024


def test_what_linux_tells_apart_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes(tmp_path, monkeypatch, 7, os.getpid(), rss=100, shared=40)
    assert usage.private_memory(7) == 240 * 1024
    write(tmp_path / "proc/self/status", "VmHWM: 500 kB\nVmRSS: 400 kB\nRssAnon: 240 kB\nRssFile: 150 kB\n")
    assert usage.PrivatePeak(tmp_path).bytes == 350 * 1024
    write(tmp_path / "proc/self/status", "VmHWM: 500 kB\nVmRSS: 400 kB\n")
    assert usage.PrivatePeak(tmp_path).bytes == 500 * 1024, "before Linux 4.5"


def test_a_peak_is_not_raised_by_pages_of_files_that_are_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a tight limit the kernel drops them; what the process itself holds doesn't grow by that."""
    status = tmp_path / "proc/self/status"
    processes(tmp_path, monkeypatch, os.getpid(), rss=75, shared=37)
    write(status, "VmHWM: 300 kB\nVmRSS: 300 kB\nRssAnon: 150 kB\nRssFile: 150 kB\n")
    peak = usage.PrivatePeak(tmp_path)
    write(status, "VmHWM: 300 kB\nVmRSS: 170 kB\nRssAnon: 150 kB\nRssFile: 20 kB\n")
    peak.update()
    assert peak.bytes == 152 * 1024, "what psutil says is held now, in pages"
    write(status, "VmHWM: 420 kB\nVmRSS: 170 kB\nRssAnon: 150 kB\nRssFile: 20 kB\n")
    peak.update()
    assert peak.bytes == 400 * 1024, "a rise since is the process's own"


@pytest.mark.parametrize("text", ["", "x y z", "1 2\n"])
def test_a_process_that_is_told_of_in_another_form_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    processes(tmp_path, monkeypatch, 7, rss=100, shared=40)
    write(tmp_path / "proc/7/statm", text)
    assert usage.private_memory(7) == 0


NEITHER = "MemTotal:              0 kB\nMemAvailable:   18446744073708785356 kB\n"


@pytest.mark.parametrize("number", ["9223372036854771712", "9223372036854710272", "18446744073709551615"])
def test_no_limit_of_version_1_is_a_huge_number(tmp_path: Path, number: str) -> None:
    """Where the machine's memory isn't told either."""
    files: dict[str, object] = {"memory/memory.limit_in_bytes": number, "memory/memory.stat": f"{HIDDEN} {number}\n"}
    root = plant(tmp_path, Report("4:memory:/", V1, files, 0, "", meminfo=""))
    with pytest.raises(SettingsError, match="--mem"):
        settle(root=root, environ={})


def test_lxcfs_389_that_knows_no_memory_is_refused(tmp_path: Path) -> None:
    root = plant(tmp_path, Report("0::/", V2, {"memory.max": "max"}, 0, "", meminfo=NEITHER))
    with pytest.raises(SettingsError, match="say how much may be used with --mem"):
        settle(root=root, environ={})
    assert settle(256 * MB, "--mem", root=root, environ={}).bytes == 256 * MB


def test_lxcfs_389_is_never_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it starts in the middle of a run too: what was settled last counts."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    root = plant(tmp_path, Report("0::/", V2, {}, 0, "", meminfo=NEITHER.replace(" 0 kB", " 1024000 kB")))
    watch = watched(root)
    assert watch.left().bytes == 1000 * MB
    write(root / "proc/meminfo", NEITHER)
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert watch.left().bytes == 1000 * MB


def watched(root: Path) -> Watch:
    def again() -> Budget:
        return settle(root=root, environ={})

    return Watch(again, again(), 0.0, root)


def test_lxd_11088_that_goes_to_and_fro_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    root = plant(tmp_path, Report("0::/", V2, {}, 0, ""))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    sizes = cycle((12582912, 16777216))
    write(root / "proc/meminfo", f"MemTotal: {next(sizes)} kB\nMemAvailable: 16000000 kB\n")
    watch = watched(root)
    for _ in range(20):
        now += 1
        write(root / "proc/meminfo", f"MemTotal: {(size := next(sizes))} kB\nMemAvailable: 16000000 kB\n")
        assert watch.left().bytes == min(size, 16000000) * 1024
    assert caplog.text.count("the memory limit changed") == 1
    write(root / "sys/fs/cgroup/memory.max", 300 * MB)
    now += 1
    watch.left()
    assert "the memory limit changed: 12288 MB before, now memory 300 MB" in caplog.text


KILLS = {
    "version 1, in the own group": (1, {"a/b": 0, "a": 3}, "a/b", True),
    "version 1, in its parent": (1, {"a/b": 0, "a": 3}, "a", True),
    "version 1, in the only group, unlimited": (1, {"a/b": 7}, "a/b", True),
    "version 1, in none": (1, {"a/b": 1, "a": 3}, None, False),
    "version 2, in the own group": (2, {"a/b": 0, "a": 3}, "a/b", True),
    "version 2, in its parent": (2, {"a/b": 0, "a": 3}, "a", True),
    "version 2, in none": (2, {"a/b": 1, "a": 3}, None, False),
    "not counted": (1, {}, None, None),
}


@pytest.mark.parametrize("name", KILLS)
def test_who_killed(tmp_path: Path, name: str) -> None:
    """A limit of the parent alone; the kernel of version 1 counts where the process was that it killed."""
    version, before, where, killed = KILLS[name]
    v1 = version == 1
    top = tmp_path / "sys/fs/cgroup" / ("memory" if v1 else "")

    def count(group: str, number: int) -> None:
        if v1:
            write(top / group / "memory.oom_control", f"oom_kill_disable 0\nunder_oom 0\noom_kill {number}\n")
        else:
            write(top / group / "memory.events", f"low 0\nhigh 0\nmax 9\noom 1\noom_kill {number}\noom_group_kill 0\n")

    limit = {"memory/a/memory.limit_in_bytes" if v1 else "a/memory.max": 400 * MB}
    root = plant(tmp_path, Report("4:memory:/a/b" if v1 else "0::/a/b", V1 if v1 else V2, limit, 0, ""))
    for group, number in before.items():
        count(group, number)
    watch = watched(root)
    if where:
        count(where, before[where] + 1)
    assert watch.oom_killed() is killed
    assert watch.oom_killed() is (None if killed is None else False), "asked again, nobody was killed since"
