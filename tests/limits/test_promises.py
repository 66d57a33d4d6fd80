"""What docs/memory.md promises, in figures, on both sides of each edge: in trees of texts that stand for a machine."""

import logging
import os
import resource
import time
from pathlib import Path

import psutil
import pytest

from tractcap.errors import SettingsError
from tractcap.limits import (
    MB,
    Budget,
    Limit,
    Watch,
    as_mb,
    check_memory_available,
    get_n_jobs_with_memory_limit,
    limit_data,
    parse_size,
    settle,
    usage,
)
from tractcap.limits.budget import MACHINE
from tractcap.limits.worker_limits import allowance, ceiling, draw_with, environment

INFINITE = resource.RLIM_INFINITY


def write(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def machine(root: Path, total: int, available: int) -> Path:
    write(root / "proc/meminfo", f"MemTotal: {total // 1024} kB\nMemAvailable: {available // 1024} kB")
    return root


def container(root: Path, limit: int, used: int) -> Path:
    """A container of version 2 on a large machine."""
    machine(root, 64000 * MB, 60000 * MB)
    write(root / "proc/self/cgroup", "0::/")
    write(root / "proc/self/mountinfo", "29 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw")
    write(root / "sys/fs/cgroup/memory.max", limit)
    write(root / "sys/fs/cgroup/memory.current", used)
    return root


def process(root: Path, size: int, pid: int | None = None) -> None:
    """A process that holds so many bytes, and 20 MB of files; None is this one."""
    private, files = size // 4096, 5000
    write(root / f"proc/{pid or os.getpid()}/statm", f"99999 {private + files} {files} 1 0 99999 0")
    write(root / f"proc/{pid or os.getpid()}/stat", f"7 (python) S {' '.join('0' * 49)}")


@pytest.fixture(autouse=True)
def _processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """1,000 MB for a container, 300 of them used."""
    return container(tmp_path, 1000 * MB, 300 * MB)


# check_memory_available, get_n_jobs_with_memory_limit


@pytest.mark.parametrize(("margin", "free"), [(0.0, 700), (0.2, 500), (0.5, 200), (0.7, 0), (0.9, 0)])
def test_memory_is_available_up_to_what_is_free_less_the_margin(root: Path, margin: float, free: int) -> None:
    assert check_memory_available(free, margin, root=root)
    assert not check_memory_available(free + 1 / 1024, margin, root=root)


def test_the_margin_is_a_fifth_unless_said(root: Path) -> None:
    assert check_memory_available(500, root=root)
    assert not check_memory_available(501, root=root)


@pytest.mark.parametrize(
    ("wanted", "each", "margin", "jobs", "warned"),
    [
        (4, 100, 0.3, 4, False),
        (5, 100, 0.3, 4, True),
        (5, 80, 0.3, 5, False),
        (5, 80.1, 0.3, 4, True),
        (3, 233, 0.0, 3, False),
        (3, 234, 0.0, 2, True),
        (1, 5000, 0.3, 1, False),
        (2, 5000, 0.3, 1, True),
        (4, 0.5, 0.3, 4, False),
        (-1, 100, 0.3, 3, False),  # as many as processors
        (-1, 200, 0.3, 2, True),
    ],
)
def test_jobs_are_as_many_as_fit_and_one_at_least(
    root: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    wanted: int,
    each: float,
    margin: float,
    jobs: int,
    warned: bool,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(3)))
    assert get_n_jobs_with_memory_limit(wanted, each, margin, root=root) == jobs
    assert bool(caplog.records) == warned
    if warned:
        assert (
            f"memory allows {jobs} of {3 if wanted < 0 else wanted} jobs at once: one may need {each:.0f} MB"
            in caplog.text
        )
        assert f"{1000 * (1 - margin) - 300:.0f} MB are free (memory 1000 MB, bound by {root}/sys/fs" in caplog.text


def test_a_job_is_2048_mb_unless_said(tmp_path: Path) -> None:
    assert get_n_jobs_with_memory_limit(9, root=container(tmp_path, 10240 * MB, 0)) == 4
    assert get_n_jobs_with_memory_limit(9, root=container(tmp_path, 10239 * MB, 0)) == 3


@pytest.mark.parametrize(("wanted", "each"), [(0, 100), (-2, 100), (1, 0), (1, -1)])
def test_jobs_that_make_no_sense(root: Path, wanted: int, each: float) -> None:
    with pytest.raises(ValueError, match="base_n_jobs must be above zero or -1"):
        get_n_jobs_with_memory_limit(wanted, each, root=root)


# the budget


def test_the_least_limit_counts_whichever_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_AS: INFINITE, resource.RLIMIT_DATA: INFINITE}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limits[kind], INFINITE))

    def least(cap: int | None = None) -> tuple[int, str]:
        budget = settle(cap and cap * MB, "--mem", root, {"SLURM_MEM_PER_NODE": "10"})
        return as_mb(budget.bytes), budget.bound_by.kind

    assert least() == (1000, "a control group"), "Slurm's variable only counts where there is none"
    assert least(1000) == (1000, "a control group")
    assert least(999) == (999, "--mem")
    limits[resource.RLIMIT_AS] = 900 * MB
    assert least(999) == (900, "ulimit -v")
    limits[resource.RLIMIT_DATA] = 800 * MB
    assert least(999) == (800, "ulimit -d")
    assert least(799) == (799, "--mem")
    write(root / "sys/fs/cgroup/memory.high", 600 * MB)
    assert least(799) == (600, "a control group")
    machine(root, 600 * MB, 600 * MB)
    assert least() == (600, "a control group")
    machine(root, 599 * MB, 599 * MB)
    (root / "sys/fs/cgroup/memory.max").unlink()
    assert settle(None, "--mem", root, {}).bound_by.where == MACHINE


@pytest.mark.parametrize(("cap", "warned"), [(1000, False), (1001, True)])
def test_a_cap_above_a_limit_is_said(root: Path, cap: int, warned: bool) -> None:
    budget = settle(cap * MB, "--mem", root, {})
    assert (budget.bytes, bool(budget.warnings)) == (1000 * MB, warned)
    assert budget.notes == ()


def test_a_limit_that_can_not_be_read_is_said(root: Path) -> None:
    (root / "sys/fs/cgroup/memory.high").mkdir()
    (warning,) = settle(root=root, environ={}).warnings
    assert warning == f"could not read {root}/sys/fs/cgroup/memory.high (Is a directory): a limit there is not seen"


SLURM = {
    "of the node": ({"SLURM_MEM_PER_NODE": "600", "SLURM_MEM_PER_CPU": "1"}, 600, "SLURM_MEM_PER_NODE"),
    "of a processor": ({"SLURM_MEM_PER_CPU": "300", "SLURM_CPUS_ON_NODE": "4"}, 1200, "SLURM_MEM_PER_CPU × 4"),
    "of a processor alone": ({"SLURM_MEM_PER_CPU": "300"}, 300, "SLURM_MEM_PER_CPU × 1"),
    "all of the node": ({"SLURM_MEM_PER_NODE": "0", "SLURM_MEM_PER_CPU": "0"}, 4000, MACHINE),
    "no number": ({"SLURM_MEM_PER_NODE": "4G", "SLURM_MEM_PER_CPU": "²"}, 4000, MACHINE),
}


@pytest.mark.parametrize("name", SLURM)
def test_slurms_variables_count_where_no_control_group_does(tmp_path: Path, name: str) -> None:
    environ, size, where = SLURM[name]
    budget = settle(root=machine(tmp_path, 4000 * MB, 4000 * MB), environ=environ)
    assert (as_mb(budget.bytes), budget.bound_by.where) == (size, where)


CPUS = {
    "the affinity": ({}, {}, 8),
    "a quota": ({"cpu.max": "250000 100000"}, {}, 2),
    "a quota below one": ({"cpu.max": "10000 100000"}, {}, 1),
    "a quota of all": ({"cpu.max": "max 100000"}, {}, 8),
    "a quota above all": ({"cpu.max": "1600000 100000"}, {}, 8),
    "Slurm's task": ({}, {"SLURM_CPUS_PER_TASK": "3"}, 3),
    "Slurm's task, more than a quota": ({"cpu.max": "200000 100000"}, {"SLURM_CPUS_PER_TASK": "3"}, 2),
    "Slurm's task of none": ({}, {"SLURM_CPUS_PER_TASK": "0"}, 8),
}


@pytest.mark.parametrize("name", CPUS)
def test_processors(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    files, environ, cpus = CPUS[name]
    monkeypatch.setattr(os, "sched_getaffinity", {0: range(8)}.get)
    for file, text in files.items():
        write(root / "sys/fs/cgroup" / file, text)
    budget = settle(root=root, environ=environ)
    assert budget.cpus == cpus
    assert budget.describe().endswith(f"memory.max; {cpus} CPU{'s' if cpus > 1 else ''}")


# the watch


def watched(root: Path, cap: int | None = None, margin: float = 0.0) -> Watch:
    budget = settle(cap, "--mem", root, {})
    return Watch(lambda: budget, budget, margin, root)


def test_what_is_left_of_a_cap_is_without_what_supervisor_and_workers_hold(tmp_path: Path) -> None:
    root = machine(tmp_path, 64000 * MB, 60000 * MB)
    for pid, size in ((None, 40), (7, 100), (8, 200)):
        process(root, size * MB, pid)
    watch = watched(root, 1000 * MB)
    assert watch.peak()[0] == 0, "nothing was seen yet"
    assert watch.left().bytes == 960 * MB
    assert watch.left([7, 8]).bytes == 660 * MB
    assert watch.peak() == (340 * MB, "supervisor and workers together, as they were seen")
    assert watch.left([7]).bytes == 860 * MB
    assert watch.peak()[0] == 340 * MB, "the highest, not the last"


@pytest.mark.parametrize(("margin", "held", "room"), [(0.0, 40, 960), (0.2, 40, 760), (0.2, 32, 768), (0.2, 12, 768)])
def test_room_is_without_the_margin_and_the_supervisor(tmp_path: Path, margin: float, held: int, room: int) -> None:
    """A supervisor that holds less than 32 MB may yet come to them."""
    root = machine(tmp_path, 64000 * MB, 60000 * MB)
    process(root, held * MB)
    process(root, 100 * MB, 7)
    assert watched(root, 1000 * MB, margin).room() == room * MB
    assert watched(root, 1000 * MB, margin).room([7]) == room * MB, "what workers hold is theirs"
    assert watched(root, 20 * MB, margin).room() == 0


def test_others_in_the_control_group_leave_less(root: Path) -> None:
    process(root, 40 * MB)
    assert watched(root, margin=0.2).room() == 500 * MB
    write(root / "sys/fs/cgroup/memory.current", 600 * MB)
    assert watched(root, margin=0.2).room() == 200 * MB
    write(root / "sys/fs/cgroup/memory.stat", f"active_file {50 * MB}\ninactive_file {100 * MB}\nfile {500 * MB}")
    assert watched(root, margin=0.2).room() == 350 * MB, "pages of files can be given back"


@pytest.mark.parametrize(("total", "near_at"), [(1000, 40), (500, 20), (200, 8), (100, 8)])
def test_near_is_less_than_four_percent_or_8_mb(tmp_path: Path, total: int, near_at: int) -> None:
    root = container(tmp_path, total * MB, (total - near_at) * MB)
    assert watched(root).near() is None
    write(root / "sys/fs/cgroup/memory.current", (total - near_at) * MB + 1)
    near = watched(root).near()
    assert near is not None
    assert near.bytes == near_at * MB - 1


def test_limits_are_read_again_each_second(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch(lambda: settle(root=root, environ={}), settle(root=root, environ={}), 0.0, root)
    write(root / "sys/fs/cgroup/memory.max", 500 * MB)
    now = 100.9
    assert watch.left().bytes == 700 * MB
    now = 101.0
    assert watch.left().bytes == 200 * MB


def test_a_changed_limit_is_a_warning(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch(lambda: settle(root=root, environ={}), settle(root=root, environ={}), 0.0, root)
    for size in (1000, 500, 500):
        write(root / "sys/fs/cgroup/memory.max", size * MB)
        now += 1
        watch.left()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "the memory limit changed: 1000 MB before, now memory 500 MB" in record.getMessage()


def test_the_peak_is_the_groups_own_figure(root: Path) -> None:
    process(root, 40 * MB)
    watch = watched(root)
    watch.left()
    assert watch.peak()[0] == 40 * MB
    write(root / "sys/fs/cgroup/memory.peak", 345 * MB)
    assert watch.peak() == (345 * MB, "the control group's own figure, pages of files included")


# one process's limits


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "set_to"),
    [(INFINITE, INFINITE, 512, 512), (300, INFINITE, 512, 300), (INFINITE, 400, 512, 400), (600, 700, 512, 512)],
)
def test_a_process_is_limited_to_what_is_asked_or_less(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, asked: int, set_to: int
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *call: calls.append(call))
    assert limit_data(asked) == set_to
    assert calls == [(resource.RLIMIT_DATA, (set_to, set_to))]
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1, hard))
    assert limit_data(asked, (soft, hard)) == set_to, "its own limit doesn't stand in the way of a later one"
    assert calls[1:] == [(resource.RLIMIT_DATA, (set_to, hard))]


def test_a_worker_may_map_more_than_it_needs() -> None:
    """As docs/memory.md says, with each thread of llvmpipe."""
    assert allowance(1) == 176 * MB
    assert allowance(8) == (160 + 8 * 16) * MB


@pytest.mark.parametrize(
    ("addresses", "data", "most"),
    [
        (INFINITE, INFINITE, None),
        (INFINITE, 1000, 1000 - 192),
        (2000, INFINITE, 2000 - 192 - 768),
        (2000, 1000, 808),
        (1500, 1000, 540),
        (960, INFINITE, 0),
        (900, INFINITE, 0),
        (INFINITE, 192, 0),
    ],
)
def test_a_ulimit_bounds_each_worker(
    monkeypatch: pytest.MonkeyPatch, addresses: int, data: int, most: int | None
) -> None:
    sizes = {resource.RLIMIT_AS: addresses, resource.RLIMIT_DATA: data}
    monkeypatch.setattr(
        resource, "getrlimit", lambda kind: (sizes[kind] if sizes[kind] == INFINITE else sizes[kind] * MB, INFINITE)
    )
    assert ceiling(2) == (None if most is None else most * MB)


def test_a_workers_libraries_keep_to_its_threads_and_give_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    malloc = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "2097152", "MALLOC_TRIM_THRESHOLD_": "2097152"}
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    assert environment() == {**one, **malloc}
    monkeypatch.setenv("LP_NUM_THREADS", "")
    draw_with(4)
    assert os.environ["LP_NUM_THREADS"] == "4"


# sizes


@pytest.mark.parametrize(("text", "size"), [("1", MB), ("1K", 1024), ("1M", MB), ("1G", 1024 * MB), ("1T", MB * MB)])
def test_units(text: str, size: int) -> None:
    assert parse_size(text, "--mem") == size
    assert parse_size(f"{text}b".replace("1b", "1MB"), "--mem") == size


@pytest.mark.parametrize("text", ["9" * 16, "9" * 5000])
def test_a_number_too_long_to_be_meant(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a size"):
        parse_size(text, "--mem")


@pytest.mark.parametrize(("size", "mb"), [(0, 0), (MB // 2 + 1, 1), (MB // 2 - 1, 0), (3 * MB, 3)])
def test_whole_mb(size: int, mb: int) -> None:
    assert as_mb(size) == mb


# use


def test_use_of_a_group_is_never_below_nothing(tmp_path: Path) -> None:
    write(tmp_path / "memory.current", 5)
    write(tmp_path / "memory.stat", "active_file 4\ninactive_file 4")
    assert usage.group_memory(tmp_path) == 0


@pytest.mark.parametrize(("kind", "kept"), [("tmpfs", True), ("ramfs", True), ("ext4", False), ("overlay", False)])
def test_files_in_memory(tmp_path: Path, kind: str, kept: bool) -> None:
    lines = f"1 0 0:1 / / rw - {'ext4' if kept else 'tmpfs'} a rw\n2 1 0:2 / {tmp_path} rw - {kind} b rw"
    write(tmp_path / "proc/self/mountinfo", lines)
    assert usage.in_memory(tmp_path, tmp_path) is kept
    assert usage.in_memory(tmp_path.parent, tmp_path) is not kept


def test_a_limit_of_no_group_is_named_by_where_it_stands() -> None:
    assert Limit(1, "--mem").kind == "--mem"
    assert Limit(1, "/sys/fs/cgroup/x/memory.max", Path("/sys/fs/cgroup/x")).kind == "a control group"
    assert Budget(MB, Limit(MB, "--mem"), (), 1).describe() == "memory 1 MB, bound by --mem; 1 CPU"
