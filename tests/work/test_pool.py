"""A worker that dies takes its own task along and nothing else."""

import os
import signal
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import phantoms
import pytest
from waiting import until

from tractcap.limits import MB, Watch, settle
from tractcap.limits.watch import Left
from tractcap.limits.worker_limits import allowance
from tractcap.work.pool import Event, Pool, PoolLimits, Task
from tractcap.work.process import Process, cause_of_death


def measuring(path: Path, need: int = 100 * MB) -> Task:
    return Task("measure", {"path": str(path), "vtk_space": "", "max_points": 1000, "coloring": {}}, need)


def make_pool(workers: int, room: int, timeout: float = 600) -> Pool:
    return Pool(PoolLimits(workers, room, timeout=timeout), Watch(settle, settle(), 0.2), {})


def ended(events: list[Event]) -> list[Event]:
    return [event for event in events if event.done or event.failed]


def test_a_killed_worker_fails_its_task_alone(tmp_path: Path) -> None:
    tasks = [measuring(phantoms.save(tmp_path / f"{n}.trk", phantoms.ragged(10))) for n in range(6)]
    with make_pool(2, 300 * MB) as pool:
        for task in tasks:
            pool.submit(task)
        events = pool.events()
        assert not list(pool._assign())
        victim = pool._seats[0]
        assert victim.task is not None
        os.kill(victim.process.pid, signal.SIGKILL)
        outcome = ended(list(events))
    assert len(outcome) == 6
    failed = [event for event in outcome if event.failed]
    assert [event.task for event in failed] == [victim.task]
    assert "SIGKILL" in failed[0].failed


def test_a_bad_file_and_an_unexpected_error_leave_the_worker_alive(tmp_path: Path) -> None:
    good = measuring(phantoms.save(tmp_path / "good.trk", phantoms.ragged(10)))
    missing = measuring(tmp_path / "missing.trk")
    wrong = Task("measure", {"path": str(tmp_path / "good.trk")}, 100 * MB)
    with make_pool(1, 100 * MB) as pool:
        for task in (missing, wrong, good):
            pool.submit(task)
        outcome = ended(list(pool.events()))
        assert len(pool._seats) == 1, "one worker did all"
    assert "missing.trk" in outcome[0].failed
    assert "defect of tractcap" in outcome[1].failed
    assert outcome[2].done


def test_memory_is_never_promised_twice(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with make_pool(4, 250 * MB) as pool:
        for _ in range(8):
            pool.submit(measuring(path))
        for _ in pool.events():
            assert sum(seat.size for seat in pool._seats) <= 250 * MB
            assert len(pool._seats) <= 2


def test_a_worker_limits_itself(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with make_pool(1, 100 * MB) as pool:
        pool.submit(measuring(path))
        assert all(event.done for event in ended(list(pool.events())))
        limits = Path(f"/proc/{pool._seats[0].process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max data size"))
    assert line.split()[3:5] == [str(100 * MB + allowance(1))] * 2


def test_no_worker_outlives_the_pool(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with make_pool(1, 100 * MB) as pool:
        pool.submit(measuring(path))
        assert not list(pool._assign())
        process = pool._seats[0].process
        assert Path(f"/proc/{process.pid}").exists()
    assert not Path(f"/proc/{process.pid}").exists()


@pytest.mark.parametrize(("status", "words"), [(-9, "SIGKILL"), (-6, "SIGABRT"), (-11, "SIGSEGV"), (3, "status 3")])
def test_causes_are_named(status: int, words: str) -> None:
    assert words in cause_of_death(status, None)


def test_small_tasks_run_beside_a_large_one(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with make_pool(2, 300 * MB) as pool:
        for need in (200, 200, 100):
            pool.submit(measuring(path, need * MB))
        assert not list(pool._assign())
        assert [seat.task.need // MB for seat in pool._seats if seat.task] == [200, 100]
        assert len(ended(list(pool.events()))) == 3


def test_close_to_the_limit_the_youngest_is_put_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Crowded(Watch):
        calls = 0

        def near(self, workers: Collection[int] = ()) -> Left | None:
            Crowded.calls += 1
            return Left(MB, self.budget.bound_by) if len(list(workers)) > 1 and Crowded.calls == 1 else None

    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(200) * 100)
    with Pool(PoolLimits(2, 300 * MB), Crowded(settle, settle(), 0.2), {}) as pool:
        for _ in range(3):
            pool.submit(measuring(path))
        events = ended(list(pool.events()))
    assert caplog.text.count("stopped and queued again") == 1
    assert [bool(event.done) for event in events] == [True] * 3
    assert events[-1].task.alone, "what was put back runs when the others are done"


def test_a_task_that_others_leave_no_memory_for_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.work.pool._PATIENCE_SECONDS", 0.5)

    class Full(Watch):
        def left(self, workers: Collection[int] = ()) -> Left:
            del workers
            return Left(50 * MB, self.budget.bound_by)

    with Pool(PoolLimits(2, 300 * MB), Full(settle, settle(), 0.2), {}) as pool:
        pool.submit(measuring(tmp_path / "a.trk"))
        (event,) = pool.events()
    assert "it needs 100 MB, and other processes leave only 50 MB free" in event.failed


def test_a_worker_that_grows_at_rest_is_replaced(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with make_pool(1, 100 * MB) as pool:
        pool.submit(measuring(path))
        assert len(ended(list(pool.events()))) == 1
        seat = pool._seats[0]
        pool._rest(seat, int(seat.fresh * 1.4))
        assert pool._seats
        pool._rest(seat, int(seat.fresh * 1.6))
        assert not pool._seats


@pytest.mark.parametrize(
    ("oom_killed", "words"), [(True, "OOM killer"), (False, "sent by someone"), (None, "perhaps by the kernel")]
)
def test_a_kill_is_told_from_the_kernels(oom_killed: bool | None, words: str) -> None:
    assert words in cause_of_death(-9, oom_killed)


class Immortal(Process):
    """Signals don't reach it, as they don't reach a process that waits in the kernel for a dead file server."""

    made: ClassVar[list["Immortal"]] = []

    def __init__(self, environment: Mapping[str, str], data_limit: int) -> None:
        super().__init__(environment, data_limit)
        Immortal.made.append(self)

    def kill(self) -> None:
        if self is not Immortal.made[0]:
            super().kill()


def test_a_worker_that_can_t_be_ended_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said once; its memory counts as taken until it ends, and nobody waits for it."""
    monkeypatch.setattr("tractcap.work.process._ENDING_SECONDS", 0.2)
    Immortal.made.clear()
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with Pool(PoolLimits(2, 250 * MB, timeout=8), Watch(settle, settle(), 0.2), {}, Immortal) as pool:
        pool.submit(measuring(path))
        assert not list(pool._assign())
        os.kill(Immortal.made[0].pid, signal.SIGSTOP)
        try:
            (first,) = ended(list(pool.events()))
            assert "it hung" in first.failed
            for need in (100 * MB, 240 * MB):
                pool.submit(measuring(path, need))
            monkeypatch.setattr("tractcap.work.pool._PATIENCE_SECONDS", 0.5)
            fitting, too_large = ended(list(pool.events()))
        finally:
            os.kill(Immortal.made[0].pid, signal.SIGKILL)
        assert fitting.done
        assert "workers that can't be ended hold 100 MB of the 250 MB for all" in too_large.failed
        until(lambda: Immortal.made[0].ended, "the end of the worker")
        pool.submit(measuring(path, 240 * MB))
        assert all(event.done for event in ended(list(pool.events())))
    assert caplog.text.count("can't be ended") == 1
    assert "its 100 MB count as taken" in caplog.text


def test_an_order_that_the_worker_doesn_t_read_is_not_waited_for(tmp_path: Path) -> None:
    """More than a pipe holds, for a worker that is stopped before it reads."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    order = measuring(path)
    long = replace(order, arguments={**order.arguments, "coloring": {"name": "x" * 2**21}})
    started: list[Process] = []

    def start(environment: Mapping[str, str], data_limit: int) -> Process:
        started.append(Process(environment, data_limit))
        if len(started) == 1:
            os.kill(started[0].pid, signal.SIGSTOP)
        return started[-1]

    with Pool(PoolLimits(1, 100 * MB, timeout=8), Watch(settle, settle(), 0.2), {}, start) as pool:
        for task in (long, long):
            pool.submit(task)
        first, second = ended(list(pool.events()))
    assert "it hung" in first.failed
    assert second.done, "all of it arrives"


def test_the_file_is_named_that_a_worker_died_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time it may be the machine; alone, and by a signal of its own, it is the file."""
    faults = str(Path(__file__).parents[1] / "helpers/faults")
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    for kind, blamed in (("segv", True), ("KILL", False)):
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, [faults, os.environ.get("PYTHONPATH")]))}
        environment["FAULT"] = f"read-{kind}:a.trk"
        with Pool(PoolLimits(1, 100 * MB), Watch(settle, settle(), 0.2), environment) as pool:
            for task in (measuring(path), replace(measuring(path), alone=True)):
                pool.submit(task)
            first, alone = ended(list(pool.events()))
        assert (first.reading, alone.reading) == (str(path), str(path))
        assert f"while {path} was read" in first.failed
        assert "damaged" not in first.failed
        assert ("the file is damaged, most likely; this machine is not the cause" in alone.failed) == blamed
        assert alone.status == ("damaged" if blamed else "failed")
