"""Tasks that stand still for want of memory are felt, as the kernel counts it, and memory.oom.group is told of."""

from pathlib import Path

import pytest

from tractcap.limits import MB, Budget, Limit, Watch, settle, usage
from tractcap.limits import watch as watching

PRESSURE = "some avg10=0.00 avg60=0.00 avg300=0.00 total={some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n"
"""As Linux 6.12 writes it, below a group of version 2 and in /proc/pressure/memory."""


def press(path: Path, full: int, some: int = 10**12) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PRESSURE.format(some=some, full=full))


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)
    return clock


def watch(root: Path, *groups: Path) -> Watch:
    limit = Limit(100 * MB, "--mem")
    budget = Budget(limit.bytes, limit, (limit,), 1, groups=groups)
    return Watch(lambda: budget, budget, 0.0, root)


@pytest.mark.parametrize(("stood", "felt"), [(0, False), (99_000, False), (100_000, True), (2_000_000, True)])
def test_a_twentieth_of_the_time_is_felt(tmp_path: Path, clock: Clock, stood: int, felt: bool) -> None:
    own = tmp_path / "own"
    press(own / "memory.pressure", 5_000_000)
    now = watch(tmp_path, own)
    press(own / "memory.pressure", 5_000_000 + stood)
    assert not now.stalled(), "what stood still before is the past"
    clock.now += 2
    stall = now.stalled()
    assert bool(stall) == felt
    assert now.stalled_seconds == 2 * felt
    if stall:
        assert stall.where == str(own / "memory.pressure")
        assert stall.share == pytest.approx(stood / 2e6)
    clock.now += 2
    assert not now.stalled(), "they go on"
    assert now.stalled_seconds == 2 * felt


def test_the_own_group_is_before_those_above_and_the_machine(tmp_path: Path, clock: Clock) -> None:
    own, above, machine = tmp_path / "own", tmp_path, tmp_path / "proc/pressure/memory"
    for path in (own / "memory.pressure", above / "memory.pressure", machine):
        press(path, 0)
    now = watch(tmp_path, own, above)
    press(above / "memory.pressure", 2_000_000)
    press(machine, 2_000_000)
    clock.now += 2
    assert not now.stalled(), "others stand still, not we"


def test_the_machine_is_the_last_resort(tmp_path: Path, clock: Clock) -> None:
    """As under version 1, whose groups don't count it."""
    machine = tmp_path / "proc/pressure/memory"
    press(machine, 0)
    now = watch(tmp_path, tmp_path / "v1")
    press(machine, 1_000_000)
    clock.now += 2
    stall = now.stalled()
    assert stall
    assert stall.where == "/proc/pressure/memory"


@pytest.mark.parametrize("text", ["", "some avg10=0.00 total=5\n", "full avg10=0.00 total=x\n", "full\n"])
def test_a_kernel_that_does_not_count(tmp_path: Path, clock: Clock, text: str) -> None:
    (tmp_path / "memory.pressure").write_text(text)
    now = watch(tmp_path, tmp_path)
    clock.now += 2
    assert not now.stalled()


def test_a_count_that_begins_later_is_no_stall(tmp_path: Path, clock: Clock) -> None:
    now = watch(tmp_path, tmp_path)
    press(tmp_path / "memory.pressure", 10**9)
    clock.now += 2
    assert not now.stalled()


@pytest.mark.parametrize(("text", "told"), [("1\n", True), ("0\n", False), ("", False)])
def test_a_group_that_is_killed_together(tmp_path: Path, text: str, told: bool) -> None:
    """Kubernetes sets it for each container of version 2 from release 1.28 on."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "proc/self/mountinfo").write_text("29 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("536870912\n")
    (tmp_path / "sys/fs/cgroup/memory.oom.group").write_text(text)
    assert usage.killed_together(tmp_path / "sys/fs/cgroup") == told
    notes = settle(root=tmp_path, environ={}).notes
    assert any("memory.oom.group: for want of memory the kernel ends all of the run" in note for note in notes) == told
