"""A worker that dies takes its own task along and nothing else."""

import itertools
import os
import re
import signal
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import phantoms
import pytest
import sample_requests
from waiting import until

from tractcap.files import PART
from tractcap.limits import MB, Watch, settle
from tractcap.limits.watch import Left, Stall
from tractcap.limits.worker_limits import allowance
from tractcap.records.options import Coloring
from tractcap.records.tractogram_sidecar import Measurements
from tractcap.records.worker_requests import Message, ReadHeaders, TaskEnded
from tractcap.work.pool import Event, Pool, PoolLimits, Task
from tractcap.work.worker_process import Death, Process, cause_of_death, own_doing


def measuring(path: Path, need: int = 100 * MB) -> Task[Measurements]:
    return Task(sample_requests.measure(path), need)


def make_pool(workers: int, room: int, timeout: float = 600) -> Pool:
    return Pool(PoolLimits(workers, room, timeout=timeout, new=0), Watch(settle, settle(), 0.2), {})


def data_limit(pid: int) -> int:
    """The soft one, which holds."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    return int(next(line for line in limits.splitlines() if line.startswith("Max data size")).split()[3])


def ended(events: list[Event]) -> list[Event]:
    return [event for event in events if event.answer or event.failed]


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
    assert (failed[0].again, failed[0].status, failed[0].reading, failed[0].peak) == (True, "failed", "", 0)
    assert all(event.peak > MB for event in outcome if event.answer)


def test_a_bad_file_and_an_unexpected_error_leave_the_worker_alive(tmp_path: Path) -> None:
    good = measuring(phantoms.save(tmp_path / "good.trk", phantoms.ragged(10)))
    missing = measuring(tmp_path / "missing.trk")
    wrong = replace(good, request=replace(good.request, max_points="many"))
    with make_pool(1, 100 * MB) as pool:
        for task in (missing, wrong, good):
            pool.submit(task)
        outcome = ended(list(pool.events()))
        assert len(pool._seats) == 1, "one worker did all"
    assert "missing.trk" in outcome[0].failed
    assert "defect of tractcap" in outcome[1].failed
    assert outcome[2].answer


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
        assert all(event.answer for event in ended(list(pool.events())))
        assert data_limit(pool._seats[0].process.pid) == 100 * MB + allowance(1)


def test_no_worker_outlives_the_pool(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with make_pool(1, 100 * MB) as pool:
        pool.submit(measuring(path))
        assert not list(pool._assign())
        process = pool._seats[0].process
        assert Path(f"/proc/{process.pid}").exists()
    assert not Path(f"/proc/{process.pid}").exists()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (-9, "was ended by SIGKILL"),
        (-6, "was ended by SIGABRT"),
        (-11, "was ended by SIGSEGV"),
        (-1, "was ended by SIGHUP"),
        (-40, "was ended by signal 40"),  # a real-time signal without a name
        (0, "ended with status 0"),
        (1, "ended with status 1"),
        (3, "ended with status 3"),
        (None, "closed its pipe, and could not be ended"),
    ],
)
def test_causes_are_named(status: int | None, words: str) -> None:
    assert cause_of_death(status, None, {}).startswith(f"the worker {words}")


@pytest.mark.parametrize("oom_killed", [True, False, None])
def test_an_abort_may_be_for_want_of_memory_whatever_the_kernel_counted(oom_killed: bool | None) -> None:
    assert cause_of_death(-6, oom_killed, {}).endswith("often for want of memory")


@pytest.mark.parametrize(
    ("status", "own"),
    [
        *((-signal_, True) for signal_ in (4, 5, 6, 7, 8, 11, 31)),
        *((status, False) for status in (-9, -10, -15, 11, 0, None)),
    ],
)
def test_which_signals_a_worker_brings_upon_itself(status: int | None, own: bool) -> None:
    assert own_doing(status) == own


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
    with Pool(PoolLimits(2, 300 * MB, new=0), Crowded(settle, settle(), 0.2), {}) as pool:
        for _ in range(3):
            pool.submit(measuring(path))
        events = ended(list(pool.events()))
    assert caplog.text.count("stopped and queued again") == 1
    assert f"{path}: stopped and queued again, because 1 MB are left under " in caplog.text
    assert [bool(event.answer) for event in events] == [True] * 3
    assert events[-1].task.alone, "what was put back runs when the others are done"


def test_nothing_is_begun_beside_tasks_that_stand_still(tmp_path: Path) -> None:
    """The first is, since nothing would go on else; the others follow when tasks go on."""

    class Pressed(Watch):
        still = True

        def stalled(self) -> Stall | None:
            return Stall(0.5, "memory.pressure") if Pressed.still else None

    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with Pool(PoolLimits(3, 400 * MB, new=0), Pressed(settle, settle(), 0.2), {}) as pool:
        for _ in range(3):
            pool.submit(measuring(path))
        assert not list(pool._assign())
        assert len(pool._seats) == 1
        Pressed.still = False
        assert not list(pool._assign())
        assert len(pool._seats) == 3
        assert len(ended(list(pool.events()))) == 3


def test_the_youngest_is_put_back_where_tasks_go_on_standing_still(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tractcap.work.pool._STALLED_SECONDS", 0.0)

    class Pressed(Watch):
        def stalled(self) -> Stall | None:
            busy = len(pool._busy())
            return Stall(0.5, "memory.pressure") if busy > 1 and not caplog.text else None

    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(200) * 100)
    with Pool(PoolLimits(2, 300 * MB, new=0), Pressed(settle, settle(), 0.2), {}) as pool:
        for _ in range(3):
            pool.submit(measuring(path))
        events = ended(list(pool.events()))
    said = "stopped and queued again, because tasks stand still for want of memory 50% of the time (memory.pressure)"
    assert caplog.text.count(said) == 1
    assert [bool(event.answer) for event in events] == [True] * 3


def test_a_task_that_others_leave_no_memory_for_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.work.pool._PATIENCE_SECONDS", 0.5)

    class Full(Watch):
        def left(self, workers: Collection[int] = ()) -> Left:
            del workers
            return Left(50 * MB, self.budget.bound_by)

    with Pool(PoolLimits(2, 300 * MB, new=0), Full(settle, settle(), 0.2), {}) as pool:
        pool.submit(measuring(tmp_path / "a.trk"))
        (event,) = pool.events()
    assert "it needs 100 MB, and other processes leave only 50 MB free" in event.failed


class Growing(Process):
    """Holds more at rest from task to task."""

    def __init__(self, environment: Mapping[str, str], data_limit: int) -> None:
        super().__init__(environment, data_limit)
        self._resting = iter((10 * MB, 14 * MB, 40 * MB, 59 * MB, 61 * MB))

    def messages(self) -> Iterator[Message | Death]:
        for message in super().messages():
            yield replace(message, resting=next(self._resting)) if isinstance(message, TaskEnded) else message


def test_a_worker_that_grows_at_rest_is_replaced(tmp_path: Path) -> None:
    """Once it holds half as much again as after the first task of any kind: each kind may load its own libraries."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    workers: list[Process] = []

    def start(environment: Mapping[str, str], data_limit: int) -> Process:
        workers.append(Growing(environment, data_limit))
        return workers[-1]

    with Pool(PoolLimits(1, 100 * MB), Watch(settle, settle(), 0.2), {}, start) as pool:
        headers = Task(ReadHeaders((str(path),), (), ""), 100 * MB)
        tasks = (measuring(path), measuring(path), headers, measuring(path), headers, headers)
        for task, started in zip(tasks, (1, 1, 1, 1, 1, 2), strict=True):
            pool.submit(task)
            assert len(ended(list(pool.events()))) == 1
            assert len(workers) == started
        assert [worker.ended for worker in workers] == [True, False]


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
    monkeypatch.setattr("tractcap.work.worker_process._ENDING_SECONDS", 0.2)
    Immortal.made.clear()
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with Pool(PoolLimits(2, 250 * MB, timeout=8, new=0), Watch(settle, settle(), 0.2), {}, Immortal) as pool:
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
        assert fitting.answer
        assert "workers that can't be ended hold 100 MB of the 250 MB for all" in too_large.failed
        until(lambda: Immortal.made[0].ended, "the end of the worker")
        pool.submit(measuring(path, 240 * MB))
        assert all(event.answer for event in ended(list(pool.events())))
    assert caplog.text.count("can't be ended") == 1
    assert "its 100 MB count as taken" in caplog.text


def test_an_order_that_the_worker_doesn_t_read_is_not_waited_for(tmp_path: Path) -> None:
    """More than a pipe holds, for a worker that is stopped before it reads."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    order = measuring(path)
    long = replace(order, request=replace(order.request, coloring=Coloring(name="x" * 2**21)))
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
    assert second.answer, "all of it arrives"


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


class Started:
    """Starts workers, and keeps for how many bytes."""

    def __init__(self) -> None:
        self.workers: list[Process] = []
        self.sizes: list[int] = []

    def __call__(self, environment: Mapping[str, str], data_limit: int) -> Process:
        self.workers.append(Process(environment, data_limit))
        self.sizes.append(data_limit - allowance(1))
        return self.workers[-1]


class Scripted(Watch):
    """What memory allows is what a test says; all that isn't said is as it is."""

    def __init__(self, *, free: int = 2**40, room: int = 2**40, near: bool = False, failing: bool = False) -> None:
        super().__init__(settle, settle(), 0.2)
        self._free, self._all, self._is_near, self._failing = free, room, near, failing

    def left(self, workers: Collection[int] = ()) -> Left:
        return Left(self._free, self.budget.bound_by)

    def room(self, workers: Collection[int] = ()) -> int:
        return self._all

    def near(self, workers: Collection[int] = ()) -> Left | None:
        if self._failing:
            raise KeyboardInterrupt
        return Left(MB, self.budget.bound_by) if self._is_near else None


@pytest.mark.parametrize(
    ("usual", "sizes"),
    [
        (0, [100, 100]),
        (150, [150, 150]),  # both may do with it what comes later
        (200, [200, 200]),  # just its share
        (201, [100, 201]),  # more than its share of all, but not of what the first one leaves
    ],
)
def test_a_worker_is_as_large_as_later_tasks_need_within_its_share(
    tmp_path: Path, usual: int, sizes: list[int]
) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started = Started()
    with Pool(PoolLimits(2, 400 * MB, usual=usual * MB, new=0), Scripted(), {}, started) as pool:
        for _ in range(2):
            pool.submit(measuring(path))
        assert len(ended(list(pool.events()))) == 2
    assert [size / MB for size in started.sizes] == sizes


def test_a_worker_that_is_too_small_is_allowed_more(tmp_path: Path) -> None:
    """And what needs less than a worker has, or as much, is done within what it has."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started, sizes = Started(), []
    with Pool(PoolLimits(1, 300 * MB), Scripted(), {}, started) as pool:
        for needs in ((100, 140), (140,), (141,), (100,)):
            for need in needs:
                pool.submit(measuring(path, need * MB))
            assert all(event.answer for event in ended(list(pool.events())))
            sizes.append(data_limit(started.workers[0].pid) - allowance(1))
    assert [size / MB for size in sizes] == [140, 140, 141, 141]
    assert len(started.workers) == 1


def test_workers_go_on_within_other_limits(tmp_path: Path) -> None:
    """As many as are wanted then, with the threads that are wanted; none after a release, nor what was queued."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started = Started()
    with Pool(PoolLimits(2, 400 * MB, new=0), Scripted(), {}, started) as pool:
        for limits, running in ((PoolLimits(2, 400 * MB, new=0), 2), (PoolLimits(1, 150 * MB, 3), 1)):
            pool.settle(limits)
            for _ in range(2):
                pool.submit(measuring(path))
            assert all(event.answer for event in ended(list(pool.events())))
            assert sum(not worker.ended for worker in started.workers) == running
        assert [data_limit(worker.pid) for worker in started.workers if not worker.ended] == [100 * MB + allowance(3)]
        pool.submit(measuring(path))
        pool.release()
        assert not list(pool.events())
    assert len(started.workers) == 2
    assert all(worker.ended for worker in started.workers)


@pytest.mark.parametrize(("room", "together"), [(200, True), (199, False)])
def test_two_work_at_once_only_where_the_watch_has_room_for_both(tmp_path: Path, room: int, together: bool) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started = Started()
    with Pool(PoolLimits(2, 400 * MB, new=0), Scripted(room=room * MB), {}, started) as pool:
        for _ in range(2):
            pool.submit(measuring(path))
        assert all(event.answer for event in ended(list(pool.events())))
    assert len(started.workers) == 1 + together


def test_one_worker_does_what_takes_no_time(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started = Started()
    with Pool(PoolLimits(2, 400 * MB, new=1e9), Scripted(), {}, started) as pool:
        for _ in range(3):
            pool.submit(measuring(path))
        assert all(event.answer for event in ended(list(pool.events())))
    assert len(started.workers) == 1


def test_others_start_beside_one_that_takes_longer(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started = Started()
    with Pool(PoolLimits(2, 400 * MB, new=0.1), Scripted(), {}, started) as pool:
        tasks = [replace(measuring(path), number=number) for number in range(3)]
        for task in tasks:
            pool.submit(task)
        assert not list(pool._assign())
        os.kill(started.workers[0].pid, signal.SIGSTOP)
        outcome = []
        for event in pool.events():
            outcome += ended([event])
            if len(outcome) == 2:
                os.kill(started.workers[0].pid, signal.SIGCONT)
    assert [event.task.number for event in outcome] == [1, 2, 0]
    assert len(started.workers) == 2


@pytest.mark.parametrize(("free", "begun"), [(100 * MB, True), (100 * MB - 1, False)])
def test_the_first_task_may_use_all_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, begun: bool
) -> None:
    """The margin too, of which a watch's room says nothing."""
    monkeypatch.setattr("tractcap.work.pool._PATIENCE_SECONDS", 0.0)
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with Pool(PoolLimits(2, 400 * MB, new=0), Scripted(free=free, room=0), {}) as pool:
        pool.submit(measuring(path))
        (event,) = ended(list(pool.events()))
    assert bool(event.answer) == begun


def test_close_to_the_limit_a_task_that_is_alone_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    started = Started()
    with Pool(PoolLimits(1, 100 * MB), Scripted(near=True), {}, started) as pool:
        pool.submit(measuring(path))
        assert [bool(event.answer) for event in ended(list(pool.events()))] == [True]
    assert len(started.workers) == 1
    assert "queued again" not in caplog.text


def test_what_is_left_when_a_run_is_broken_off(tmp_path: Path) -> None:
    """No worker, and none of the half-written files of its task."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    request = replace(sample_requests.draw(tmp_path, "mine"), vtk_space="mm")
    request = replace(request, bundles=(replace(request.bundles[0], path=str(path)),))
    drawn = Task(request, 100 * MB)
    halves = [tmp_path / f".{stem}_x{PART}" for stem in ("mine", "other")]
    for half in halves:
        half.touch()
    started = Started()
    with Pool(PoolLimits(1, 100 * MB), Scripted(failing=True), {}, started) as pool:
        pool.submit(drawn)
        with pytest.raises(KeyboardInterrupt):
            list(pool.events())
    assert [worker.ended for worker in started.workers] == [True]
    assert [half.exists() for half in halves] == [False, True]


def at_start(folder: Path, code: str) -> dict[str, str]:
    """Variables by which workers run some code as they start."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))}


def test_a_worker_that_writes_much_to_stderr_is_heard_to_the_end(tmp_path: Path) -> None:
    """More than a pipe holds, while it works; what it wrote last explains its death."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    code = "import os\nfor _ in range(5000): os.write(2, b'x' * 78 + b'\\n')\n"
    with Pool(PoolLimits(1, 100 * MB, timeout=30), Scripted(), at_start(tmp_path, code)) as pool:
        pool.submit(measuring(path))
        assert [bool(event.answer) for event in ended(list(pool.events()))] == [True]


def test_what_many_workers_warn_of_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    code = (
        "import threading, logging, time\n"
        "def warn():\n"
        "    log = logging.getLogger('tractcap')\n"
        "    while not log.handlers: time.sleep(0.001)\n"
        "    log.warning('the same of all')\n"
        "threading.Thread(target=warn, daemon=True).start()\n"
    )
    with Pool(PoolLimits(2, 200 * MB, new=0), Scripted(), at_start(tmp_path, code)) as pool:
        for _ in range(2):
            pool.submit(measuring(path))
        assert len(ended(list(pool.events()))) == 2
    assert caplog.messages.count("the same of all") == 1


@pytest.mark.parametrize(("level", "step", "said"), [("DEBUG", 3, True), ("DEBUG", 0, False), ("INFO", 3, False)])
def test_memory_is_logged_every_two_seconds_where_that_is_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    level: str,
    step: int,
    said: bool,
) -> None:
    """By a clock that goes some seconds further each time that it is looked at, or stands still."""
    clock = itertools.count(0, step)
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    caplog.set_level(level, "tractcap")
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with Pool(PoolLimits(1, 100 * MB, timeout=1e9), Scripted(free=5000 * MB), {}) as pool:
        pool.submit(measuring(path))
        assert all(event.answer for event in ended(list(pool.events())))
    words = re.compile(r"memory: workers \d+ MB; 5000 MB left under .+")
    found = {record.name for record in caplog.records if words.fullmatch(record.getMessage())}
    assert found == ({"tractcap.memory"} if said else set())


def test_what_a_worker_wrote_last_explains_its_death(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    code = "import os\nos.write(2, b'looking\\n libz is too old \\n\\n')\nos._exit(3)\n"
    with Pool(PoolLimits(1, 100 * MB), Scripted(), at_start(tmp_path, code)) as pool:
        pool.submit(measuring(path))
        (event,) = ended(list(pool.events()))
    assert event.failed == "the worker ended with status 3 (libz is too old)"
    assert (event.again, event.status, event.peak) == (True, "failed", 0)


def test_a_worker_that_hangs_is_no_sign_of_a_damaged_file(tmp_path: Path) -> None:
    """Unlike one that dies of reading it, even if it was alone: it may be a file server."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    begun = tmp_path / "begun"

    class Hanging(Process):
        looked = 0

        def silent_for(self) -> float:
            self.looked += begun.exists()
            return 1e9 if self.looked > 1 else 0.0  # what it has said until then has been heard

    faults = str(Path(__file__).parents[1] / "helpers/faults")
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, [faults, os.environ.get("PYTHONPATH")]))}
    environment["FAULT"] = f"read-hang:a.trk:{begun}"
    with Pool(PoolLimits(1, 100 * MB, timeout=600), Scripted(), environment, Hanging) as pool:
        pool.submit(replace(measuring(path), alone=True))
        (event,) = ended(list(pool.events()))
    assert event.failed == (
        f"it hung: nothing was heard of its worker for 600 seconds while {path} was read, so it was ended"
    )
    assert (event.status, event.again, event.reading) == ("failed", True, str(path))


class Garbled(Process):
    """Answers something else than was asked for."""

    def messages(self) -> Iterator[Message | Death]:
        for message in super().messages():
            yield replace(message, done={"Extent": 3}) if isinstance(message, TaskEnded) else message


def test_an_answer_of_another_kind_fails_its_task_alone(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    with Pool(PoolLimits(1, 100 * MB), Watch(settle, settle(), 0.2), {}, Garbled) as pool:
        for _ in range(2):
            pool.submit(measuring(path))
        outcome = ended(list(pool.events()))
    assert [event.answer for event in outcome] == [None, None]
    said = "an unexpected answer, which is a defect of tractcap: “Extent” is a number, not an object"
    assert [event.failed for event in outcome] == [said] * 2


def test_a_worker_that_closes_its_pipe_and_goes_on_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.work.worker_process._ENDING_SECONDS", 0.2)
    path = phantoms.save(tmp_path / "a.trk", phantoms.ragged(10))
    code = "import os, time\nos.close(1)\nos.close(2)\ntime.sleep(3600)\n"
    started = Started()
    with Pool(PoolLimits(1, 100 * MB), Scripted(), at_start(tmp_path, code), started) as pool:
        pool.submit(measuring(path))
        (event,) = ended(list(pool.events()))
        assert started.workers[0].ended
    assert "the worker was ended by SIGKILL" in event.failed
