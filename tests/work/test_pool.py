"""A worker that dies takes its own task along and nothing else."""

import os
import signal
from collections.abc import Collection
from pathlib import Path

import phantoms
import pytest

from tractcap.limits import MB, Watch, settle
from tractcap.limits.rlimit import allowance
from tractcap.limits.watch import Left
from tractcap.work.pool import Event, Limits, Pool, Task
from tractcap.work.process import cause_of_death


def measuring(path: Path, need: int = 100 * MB) -> Task:
    return Task("measure", {"path": str(path), "vtk_space": "", "max_points": 1000, "coloring": {}}, need)


def make_pool(workers: int, room: int, timeout: float = 600) -> Pool:
    return Pool(Limits(workers, room, timeout=timeout), Watch(settle, settle(), 0.2), {})


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
    with Pool(Limits(2, 300 * MB), Crowded(settle, settle(), 0.2), {}) as pool:
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

    with Pool(Limits(2, 300 * MB), Full(settle, settle(), 0.2), {}) as pool:
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
