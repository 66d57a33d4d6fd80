"""The pool of workers: starts them as memory allows, hands out tasks, and outlives their deaths."""

import selectors
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tractcap.files import PART
from tractcap.interrupts import deferred
from tractcap.limits import MB
from tractcap.work.process import Process, cause_of_death

ADDRESSES = 192 * MB
"""Private memory that a worker maps but never touches (stacks of threads, llvmpipe's spare buffers), allowed on
top of its need: the limit on data counts it, the container doesn't."""


@dataclass(frozen=True)
class Task:
    """Something for a worker: an action of :mod:`tractcap.work.worker`, its arguments, and bytes it may need."""

    action: str
    arguments: Mapping[str, Any]
    need: int


@dataclass(frozen=True)
class Event:
    """What happened to a task: it is ``done`` with a result, has ``failed`` with a sentence, or made ``progress``."""

    task: Task
    done: Mapping[str, Any] | None = None
    failed: str = ""
    progress: int = 0


@dataclass
class _Seat:
    process: Process
    size: int
    task: Task | None = None


class Pool:
    """Workers up to a number and up to an amount of memory. Use it in a ``with`` block: it leaves none behind.

    Parameters
    ----------
    workers : most processes at once. room : bytes for all of them.
    environment : variables for them beside the supervisor's own.
    """

    def __init__(self, workers: int, room: int, environment: Mapping[str, str]) -> None:
        self._workers, self._room, self._environment = workers, room, environment
        self._queue: deque[Task] = deque()
        self._seats: list[_Seat] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with deferred():
            for seat in list(self._seats):
                self._dismiss(seat)
            self._selector.close()

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Queue a task, behind the others or before them."""
        if first:
            self._queue.appendleft(task)
        else:
            self._queue.append(task)

    def events(self) -> Iterator[Event]:
        """What happens, until nothing is queued and nothing runs. Tasks may be submitted on the way."""
        while self._queue or any(seat.task for seat in self._seats):
            self._assign()
            for key, _ in self._selector.select():
                yield from self._hear(*key.data)

    def _assign(self) -> None:
        """Give queued tasks, in their order, to workers that are free or may be started."""
        while self._queue:
            seat = self._seat_for(self._queue[0])
            if seat is None:
                return
            seat.task = self._queue.popleft()
            seat.process.send(seat.task.action, seat.task.arguments)

    def _seat_for(self, task: Task) -> _Seat | None:
        idle = [seat for seat in self._seats if seat.task is None]
        if fitting := [seat for seat in idle if seat.size >= task.need]:
            return min(fitting, key=lambda seat: seat.size)
        busy = [seat.size for seat in self._seats if seat.task is not None]
        if busy and (len(busy) >= self._workers or sum(busy) + task.need > self._room):
            return None
        for seat in idle:  # too small: its place and its memory go to a new one
            self._dismiss(seat)
        return self._start(task.need)

    def _start(self, size: int) -> _Seat:
        with deferred():  # a process that isn't seated yet would be left behind
            seat = _Seat(Process(self._environment, size + ADDRESSES), size)
            self._seats.append(seat)
        self._selector.register(seat.process.out, selectors.EVENT_READ, (seat, "out"))
        self._selector.register(seat.process.err, selectors.EVENT_READ, (seat, "err"))
        return seat

    def _hear(self, seat: _Seat, stream: str) -> Iterator[Event]:
        if seat not in self._seats:
            return
        if stream == "err":
            if not seat.process.listen():
                self._selector.unregister(seat.process.err)
            return
        for message in seat.process.messages():
            yield from self._take(seat, message)

    def _take(self, seat: _Seat, message: dict[str, Any]) -> Iterator[Event]:
        task = seat.task
        if "ended" in message:
            seat.process.listen()
            self._dismiss(seat)
            if task:
                last = seat.process.last_words()
                yield Event(task, failed=f"{cause_of_death(message['ended'])}{f' ({last})' * bool(last)}")
        elif task and "progress" in message:
            yield Event(task, progress=message["progress"])
        elif task:
            seat.task = None
            yield Event(task, done=message.get("done"), failed=message.get("failed", ""))

    def _dismiss(self, seat: _Seat) -> None:
        """End a worker, and clear away what it was writing."""
        for stream in (seat.process.out, seat.process.err):
            if stream in self._selector.get_map():
                self._selector.unregister(stream)
        seat.process.stop()
        self._seats.remove(seat)
        if seat.task and (folder := seat.task.arguments.get("folder")):
            _clear(folder, seat.process.pid)


def _clear(folder: str, pid: int) -> None:
    for part in Path(folder).glob(f".*.{pid}{PART}"):
        part.unlink(missing_ok=True)
