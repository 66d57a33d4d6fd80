"""What is left is measured at the level of each limit, and the limits are read again."""

import os
import time
from pathlib import Path

import pytest

from tractcap.limits import MB, Budget, Limit, Watch, usage
from tractcap.limits.budget import MACHINE

V1_STAT = "cache 90\nactive_file 1\ninactive_file 1\ntotal_active_file {}\ntotal_inactive_file {}\n"
V2_STAT = "anon 5\nfile 90\nshmem 7\nactive_file {}\ninactive_file {}\n"


def group(folder: Path, used: int, active: int, inactive: int, version: int = 2) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / ("memory.current" if version == 2 else "memory.usage_in_bytes")).write_text(f"{used}\n")
    (folder / "memory.stat").write_text((V2_STAT if version == 2 else V1_STAT).format(active, inactive))
    return folder


def budget(*limits: Limit) -> Budget:
    least = min(limits, key=lambda limit: limit.bytes)
    return Budget(least.bytes, least, limits, 2)


def watch(*limits: Limit, margin: float = 0.0, root: Path = Path("/")) -> Watch:
    return Watch(lambda: budget(*limits), budget(*limits), margin, root)


@pytest.mark.parametrize("version", [1, 2])
def test_pages_of_files_can_be_given_back_but_tmpfs_can_not(tmp_path: Path, version: int) -> None:
    """Files on tmpfs are in the use and in neither of the two lists of file pages."""
    at = group(tmp_path / "g", 300 * MB, 50 * MB, 100 * MB, version)
    assert usage.group_memory(at) == 150 * MB
    assert watch(Limit(400 * MB, "group", at)).left().bytes == 250 * MB


def test_the_limit_that_leaves_least_counts_not_the_least_limit(tmp_path: Path) -> None:
    crowded = group(tmp_path / "parent", 900 * MB, 0, 0)
    quiet = group(tmp_path / "child", 10 * MB, 0, 0)
    left = watch(Limit(300 * MB, "child", quiet), Limit(1000 * MB, "parent", crowded)).left()
    assert (left.bytes, left.limit.where) == (100 * MB, "parent")


def test_the_machine_counts_what_others_use(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 2097152 kB\nMemAvailable: 102400 kB\n")
    assert watch(Limit(2048 * MB, MACHINE), root=tmp_path).left().bytes == 100 * MB


def test_a_cap_counts_supervisor_and_workers() -> None:
    ours = usage.private_memory()
    cap = watch(Limit(1000 * MB, "--mem"))
    assert 1000 * MB - cap.left().bytes == pytest.approx(ours, abs=5 * MB)
    assert 1000 * MB - cap.left([os.getpid()]).bytes == pytest.approx(2 * ours, abs=5 * MB)


def test_room_leaves_the_margin_and_gives_workers_what_they_hold(tmp_path: Path) -> None:
    limit = Limit(1000 * MB, "group", group(tmp_path / "g", 100 * MB, 0, 0))
    reserve = max(0, 32 * MB - usage.private_memory())
    assert watch(limit, margin=0.2).room() == pytest.approx(700 * MB - reserve, abs=5 * MB)
    held = usage.private_memory()
    assert watch(limit, margin=0.2).room([os.getpid()]) == pytest.approx(700 * MB - reserve + held, abs=5 * MB)


def test_near_the_limit(tmp_path: Path) -> None:
    limit = Limit(500 * MB, "group", group(tmp_path / "g", 470 * MB, 0, 0))
    assert watch(limit).near() is None
    group(tmp_path / "g", 485 * MB, 0, 0)
    near = watch(limit).near()
    assert near
    assert near.bytes == 15 * MB


def test_a_limit_that_changes_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = group(tmp_path / "g", 100 * MB, 0, 0)
    limits = [Limit(1000 * MB, "group", at)]
    now = Watch(lambda: budget(*limits), budget(*limits), 0.0)
    limits[0] = Limit(600 * MB, "group", at)
    assert now.left().bytes == 900 * MB, "read again after a second, not each time"
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert now.left().bytes == 500 * MB
    assert "the memory limit changed: 1000 MB before, now memory 600 MB" in caplog.text


def test_the_peak_is_the_groups_own_where_it_keeps_one(tmp_path: Path) -> None:
    at = group(tmp_path / "g", 0, 0, 0)
    (at / "memory.peak").write_text("12345\n")
    assert watch(Limit(MB, "group", at)).peak()[0] == 12345
    own = watch(Limit(1000 * MB, "--mem"))
    own.left()
    assert own.peak()[0] == pytest.approx(usage.private_memory(), abs=5 * MB)


def test_tmpfs_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    out = tmp_path / "with blank/out"
    out.mkdir(parents=True)
    escaped = str(out.parent).replace(" ", "\\040")
    (tmp_path / "proc/self/mountinfo").write_text(
        f"1 0 0:1 / / rw - ext4 disk rw\n2 1 0:2 / {escaped} rw shared:1 - tmpfs none rw\n"
    )
    assert usage.in_memory(out, tmp_path)
    assert not usage.in_memory(tmp_path, tmp_path)
