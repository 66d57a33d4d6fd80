"""The pool of workers: starts them as memory allows, hands out tasks, and outlives their deaths.

    supervisor ── stdin: one request a line ──▶ worker 1 (rlimit, thread counts, its own process)
        ▲ ╲─────────────────────────────────────────▶ worker 2 …
        ╰── stdout: progress, done, failed ── or the end of the pipe, which is a death

Seats are taken only while their sizes, together with all others under the limits, leave the margin free, and while no
task stands still for want of memory. Close to a limit, or where tasks go on standing still, the youngest of several is
put back into the queue before the kernel chooses a process to kill. A worker
that can't even be killed, since the kernel waits for a dead file server or disk, is given up: its memory counts as
taken.
"""

import logging
import math
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self

from tractcap.files import clear_parts
from tractcap.interrupts import deferred
from tractcap.limits import Watch, as_mb
from tractcap.limits.usage import private_memory
from tractcap.limits.worker_limits import allowance, environment
from tractcap.records.json_record import WrongValueError
from tractcap.records.worker_requests import Answer, LoggedWarning, Message, Progress, Reading, Request, TaskEnded
from tractcap.work.worker_process import Death, Process, cause_of_death, library_hint, own_doing

log = logging.getLogger("tractcap")
memory_log = logging.getLogger("tractcap.memory")

_TICK_SECONDS = 0.2
"""How often memory is looked at while nothing else happens."""

_PATIENCE_SECONDS = 20.0
"""How long a task waits, with no other running, for memory that others in the limit may give back."""

_STALLED_SECONDS = 6.0
"""How long tasks may stand still for want of memory until the youngest is put back."""

_LOG_SECONDS = 2.0
_TIRED = 1.5
"""A worker that holds so many times as much at rest as it held when new is replaced: libraries leak a little."""


@dataclass(frozen=True)
class Task(Generic[Answer]):
    """A request to a worker, and the bytes it may need.

    ``alone`` keeps all other tasks away while it runs. ``number`` is the submitter's own, to know it again.
    """

    request: Request[Answer]
    need: int
    alone: bool = False
    number: int = 0


@dataclass(frozen=True)
class Event(Generic[Answer]):
    """What happened to a task: it has an ``answer``, has ``failed`` with a sentence, or made ``progress``.

    ``status`` is that of a tractogram of which that failed. ``again`` says of a failure that it was the
    worker's and not the input's: another try may go well; ``reading`` is the input that was being read when it died, or
    the overlay that failed. ``peak`` is the most bytes that the worker held at once.
    """

    task: Task[Answer]
    answer: Answer | None = None
    failed: str = ""
    status: str = "failed"
    again: bool = False
    reading: str = ""
    progress: int = 0
    peak: int = 0

    @property
    def ended(self) -> bool:
        """Whether the task is over."""
        return self.answer is not None or bool(self.failed)

    def why_of(self, file: Path | str) -> str:
        """Why it failed, as a sentence that names the file."""
        return self.failed if str(file) in self.failed else f"{file}: {self.failed}"


@dataclass(eq=False)
class _Seat:
    """A worker, the bytes that it may take, and the task that it does."""

    process: Process
    size: int
    started: float
    task: Task[Any] | None = None
    since: float = 0.0
    known: set[str] = field(default_factory=set)
    """Kinds of tasks that it has done."""
    fresh: int = 0
    """Bytes held at rest, the most after the first task of each kind: that may have loaded libraries."""
    reading: str = ""


@dataclass(frozen=True)
class PoolLimits:
    """Of a pool: most ``workers`` at once, ``room`` in bytes for all of them, ``threads`` of each.

    A worker that shows no sign of life for ``timeout`` seconds is ended. ``usual`` bytes are what tasks often need.
    A further worker is started only while less than half of those at work are younger than ``new`` seconds, so that
    one does what takes no time.
    """

    workers: int = 1
    room: int = 0
    threads: int = 1
    timeout: float = 600.0
    usual: int = 0
    new: float = 0.5


Start = Callable[[Mapping[str, str], int], Process]
"""Starts a worker in an environment, with a limit in bytes of its private memory."""


class Pool:
    """Workers up to a number and up to an amount of memory. Use it in a ``with`` block: it leaves none behind.

    Parameters
    ----------
    limits : what was planned. watch : what memory allows at each moment.
    environment : variables for workers beside the supervisor's own. start : starts them.
    """

    def __init__(
        self, limits: PoolLimits, watch: Watch, environment: Mapping[str, str], start: Start = Process
    ) -> None:
        self._limits, self._watch, self._environment, self._new = limits, watch, environment, start
        self._queue: deque[Task[Any]] = deque()
        self._seats: list[_Seat] = []
        self._given_up: list[_Seat] = []
        self._selector = selectors.DefaultSelector()
        self._warned: set[str] = set()
        self._waiting_since = self._logged = self._flowing = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with deferred():
            self.release()
            self._selector.close()

    def settle(self, limits: PoolLimits) -> None:
        """Work within other limits from now on, with the workers that are there. Nothing may be queued or running."""
        self._limits = limits
        for seat in self._seats[limits.workers :]:
            self._dismiss(seat)

    def release(self) -> None:
        """Forget what is queued, and end all workers."""
        self._queue.clear()
        with deferred():
            for seat in self._seats:
                seat.process.kill()  # all of them, before any is waited for
            for seat in list(self._seats):
                self._dismiss(seat)

    def submit(self, task: Task[Any]) -> None:
        """Queue a task, behind the others."""
        self._queue.append(task)

    def events(self) -> Iterator[Event[Any]]:
        """What happens, until nothing is queued and nothing runs. Tasks may be submitted on the way."""
        while self._queue or self._busy():
            yield from self._assign()
            for key, _ in self._selector.select(_TICK_SECONDS):
                yield from self._hear(*key.data)
            yield from self._look_after()

    def _busy(self) -> list[_Seat]:
        return [seat for seat in self._seats if seat.task is not None]

    def _pids(self) -> list[int]:
        return [seat.process.pid for seat in self._seats]

    # who works at what

    def _assign(self) -> Iterator[Event[Any]]:
        """Give queued tasks to workers that are free or may be started: those that fit overtake those that don't."""
        refused: float = math.inf
        for task in list(self._queue):
            if len(self._busy()) >= self._limits.workers:
                break
            if task.need >= refused:
                continue
            seat = self._seat_for(task)
            if seat is None:
                refused = refused if task.alone else task.need
            else:
                self._queue.remove(task)
                seat.task, seat.since = task, time.monotonic()
                threads = self._limits.threads
                if not seat.process.send(task.request, seat.size + allowance(threads), threads):
                    self._selector.register(seat.process.into, selectors.EVENT_WRITE, (seat, "into"))
        if self._busy() or not self._queue:
            self._waiting_since = time.monotonic()
        elif time.monotonic() - self._waiting_since > _PATIENCE_SECONDS:
            task, left = self._queue.popleft(), self._watch.left(self._pids())
            why = f"other processes leave only {as_mb(left.bytes)} MB free under {left.limit.where}"
            if lost := self._promised([]):
                why = f"workers that can't be ended hold {as_mb(lost)} MB of the {as_mb(self._limits.room)} MB for all"
            failed = f"it needs {as_mb(task.need)} MB, and {why}; free some memory, or rerun later."
            yield Event(task, failed=failed)

    def _seat_for(self, task: Task[Any]) -> _Seat | None:
        """A seat that is free, or a new one, if there is memory for the task."""
        busy, pids = self._busy(), self._pids()
        idle = [seat for seat in self._seats if seat.task is None]
        promised, room = self._promised(busy), self._limits.room
        if any(seat.task and seat.task.alone for seat in busy) or (task.alone and busy) or promised + task.need > room:
            return None
        if busy and self._watch.stalled():
            return None
        if busy:
            fits = promised + task.need <= self._watch.room(pids)
        else:  # the first may use the margin too: that is what it is for
            fits = task.need <= self._watch.left(pids).bytes + sum(map(private_memory, pids))
        if not fits:
            return None
        if fitting := [seat for seat in idle if seat.size >= task.need]:
            return min(fitting, key=lambda seat: seat.size)
        # as much as a later task may need, so that one worker does many, but no more than its share
        share = (room - self._promised(busy)) // max(1, self._limits.workers - len(busy))
        later = (self._limits.usual, *(waiting.need for waiting in self._queue))
        size = max(task.need, *(need for need in later if need <= share), 0)
        if idle:  # too small: one is allowed more, and what the others hold goes to it
            for seat in idle[1:]:
                self._dismiss(seat)
            idle[0].size = size
            return idle[0]
        now = time.monotonic()
        if busy and 2 * sum(now - seat.started < self._limits.new for seat in busy) >= len(busy):
            return None
        with deferred():  # a process that isn't seated yet would be left behind
            seat = _Seat(self._new(self._environment, size + allowance(self._limits.threads)), size, now)
            self._seats.append(seat)
        self._selector.register(seat.process.out, selectors.EVENT_READ, (seat, "out"))
        self._selector.register(seat.process.err, selectors.EVENT_READ, (seat, "err"))
        return seat

    def _promised(self, busy: list[_Seat]) -> int:
        """Bytes of those that work, and of those that could not be ended."""
        self._given_up = [seat for seat in self._given_up if not seat.process.ended]
        return sum(seat.size for seat in (*busy, *self._given_up))

    # what they answer

    def _hear(self, seat: _Seat, stream: str) -> Iterator[Event[Any]]:
        if seat not in self._seats:
            return
        if stream == "into":
            if seat.process.send_rest():
                self._selector.unregister(seat.process.into)
        elif stream == "err":
            if not seat.process.listen():
                self._selector.unregister(seat.process.err)
        else:
            for message in seat.process.messages():
                yield from self._take(seat, message)

    def _take(self, seat: _Seat, message: Message | Death) -> Iterator[Event[Any]]:
        task = seat.task
        if isinstance(message, Death):
            seat.process.listen()
            why = cause_of_death(message.status, self._watch.oom_killed())
            yield from self._lose(seat, why + _while_reading(seat), own_doing(message.status))
        elif isinstance(message, LoggedWarning):
            if message.warning not in self._warned:  # what any number of workers found is said once
                self._warned.add(message.warning)
                log.warning("%s", message.warning)
        elif isinstance(message, Reading):
            seat.reading = message.reading
        elif task and isinstance(message, Progress):
            yield Event(task, progress=message.progress)
        elif task and isinstance(message, TaskEnded):
            seat.task = None
            if task.request.action not in seat.known:
                seat.known.add(task.request.action)
                seat.fresh = max(seat.fresh, message.resting)
            if message.resting > _TIRED * seat.fresh:
                self._dismiss(seat)
            try:
                answer = None if message.done is None else task.request.answer.parse(message.done)
            except WrongValueError as wrong:
                yield Event(task, failed=f"an unexpected answer, which is a defect of tractcap: {wrong}")
            else:
                yield Event(
                    task, answer, message.failed, message.status, message.again, message.overlay, peak=message.peak
                )

    def _lose(self, seat: _Seat, why: str, own_doing: bool = False) -> Iterator[Event[Any]]:
        """Dismiss a worker that is of no more use; a file is to blame where it died of nothing but reading it."""
        self._dismiss(seat)
        if seat.task is None:
            return
        if last := seat.process.last_words():
            why += f" ({last})"
        damaged = bool(own_doing and seat.reading and seat.task.alone)
        if damaged:
            why += ": the file is damaged, most likely"
            why += "; this machine is not the cause" * (not library_hint(os.environ))
        status = "damaged" if damaged else "failed"
        yield Event(seat.task, failed=why, status=status, again=True, reading=seat.reading)

    def _dismiss(self, seat: _Seat) -> None:
        """End a worker, and clear away what it was writing."""
        for stream in (seat.process.into, seat.process.out, seat.process.err):
            if stream in self._selector.get_map():
                self._selector.unregister(stream)
        if not seat.process.stop():
            self._given_up.append(seat)
            log.warning(
                "a worker (process %d) can't be ended, as if it waited for a file server or disk that doesn't answer: "
                "it is given up, and its %s MB count as taken until it ends",
                seat.process.pid,
                as_mb(seat.size),
            )
        self._seats.remove(seat)
        if seat.task and (unfinished := seat.task.request.unfinished):
            clear_parts(*unfinished)

    # memory and time

    def _look_after(self) -> Iterator[Event[Any]]:
        """End workers that hang, stop the youngest close to a limit, and log the memory for debugging."""
        busy = self._busy()
        for seat in busy:
            if seat.process.silent_for() > self._limits.timeout:
                silent = f"nothing was heard of its worker for {self._limits.timeout:g} seconds{_while_reading(seat)}"
                yield from self._lose(seat, f"it hung: {silent}, so it was ended")
        near, stall, now = self._watch.near(self._pids()), self._watch.stalled(), time.monotonic()
        self._flowing = self._flowing if stall else now
        if (near or now - self._flowing > _STALLED_SECONDS) and len(busy) > 1:
            youngest = max(busy, key=lambda seat: seat.since)
            if youngest in self._seats and youngest.task:
                if near:
                    why = f"{as_mb(near.bytes)} MB are left under {near.limit.where}"
                elif stall:
                    why = f"tasks stand still for want of memory {stall.share:.0%} of the time ({stall.where})"
                self._flowing = now
                log.warning("%s: stopped and queued again, because %s", youngest.task.request.subject, why)
                self._dismiss(youngest)
                self._queue.appendleft(replace(youngest.task, alone=True))
        if memory_log.isEnabledFor(logging.DEBUG) and time.monotonic() - self._logged > _LOG_SECONDS:
            self._logged = time.monotonic()
            left = self._watch.left(self._pids())
            held = ", ".join(f"{as_mb(private_memory(pid))} MB" for pid in self._pids()) or "none"
            memory_log.debug("memory: workers %s; %s MB left under %s", held, as_mb(left.bytes), left.limit.where)


def pool(watch: Watch) -> Pool:
    """A pool without a worker yet, for whoever settles its limits."""
    return Pool(PoolLimits(), watch, environment())


def do_alone(task: Task[Answer], watch: Watch, timeout: float = 600.0) -> Event[Answer]:
    """Let a worker of its own do one task; returns how that ended."""
    with Pool(PoolLimits(1, task.need, timeout=timeout), watch, environment()) as pool:
        pool.submit(task)
        return next(event for event in pool.events() if event.ended)


def _while_reading(seat: _Seat) -> str:
    """What a worker was reading, to be put behind what became of it."""
    return f" while {seat.reading} was read" if seat.reading else ""
