"""Coroutines that workers carry out tasks for: side by side, and begun as the workers have time.

    event = await do(task)          a worker does a task; the coroutine goes on when that has ended
    await together(coroutines)      begins them one by one as workers have time; goes on when all are done

So what is done for a participant is read from top to bottom, and what is known of it lasts as long as its coroutine.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol

from tractcap.records.worker_requests import Answer
from tractcap.work.pool import Event, PoolLimits, Task

Story = Coroutine[Any, Any, None]


class Workers(Protocol):
    """What carries out tasks: a :class:`~tractcap.work.pool.Pool`, or what stands in for one."""

    def submit(self, task: Task[Any]) -> None:
        """Queue a task."""

    def events(self) -> Iterator[Event[Any]]:
        """What happens, until nothing is queued and nothing runs."""

    def settle(self, limits: PoolLimits) -> None:
        """Work within other limits from now on. Nothing may be queued or running."""

    def release(self) -> None:
        """Forget what is queued, and end all workers."""


async def do(task: Task[Answer], on_progress: Callable[[int], None] = lambda _points: None) -> Event[Answer]:
    """Let a worker do a task; returns how it ended. ``on_progress`` takes the points that were read so far."""
    return await _Doing(task, on_progress)


async def together(stories: Iterable[Story]) -> None:
    """Carry out coroutines side by side, one begun after the other as workers have time.

    Where one raises an error, no more are begun, and the first error is raised once those that run are done.
    """
    await _Group(iter(stories))


def run_stories(stories: Iterable[Story], workers: Workers, ahead: int) -> Iterator[None]:
    """Carry out coroutines as :func:`together` does; yields whenever a task has ended.

    Parameters
    ----------
    ahead : how many tasks are given to the workers at most, so that some wait when one is done.
    """
    scheduler = _Scheduler(workers, ahead)
    everything = _Group(iter(stories))
    scheduler.begin(everything)
    for event in workers.events():
        if event.ended:
            scheduler.ended(event)
            scheduler.begin(everything)
            yield
        else:
            scheduler.running[event.task.number][1].on_progress(event.progress)
    if everything.error:
        raise everything.error


@dataclass(eq=False)
class _Doing(Generic[Answer]):
    """What a coroutine waits for while a worker does a task."""

    task: Task[Answer]
    on_progress: Callable[[int], None]

    def __await__(self) -> Generator[Any, Event[Answer], Event[Answer]]:
        return (yield self)


@dataclass(eq=False)
class _Running:
    """A coroutine that was begun, and the group that it belongs to."""

    story: Story
    group: "_Group"


@dataclass(eq=False)
class _Group:
    """What a coroutine waits for while others are carried out; ``parent`` is that one."""

    waiting: Iterator[Story]
    parent: _Running | None = None
    running: int = 0
    groups: "list[_Group]" = field(default_factory=list)
    """Those that its coroutines wait for, in the order in which they came."""
    error: Exception | None = None

    def __await__(self) -> Generator[Any, None, None]:
        yield self

    def next_story(self) -> Story | None:
        """The next that is to be begun."""
        if self.error:
            return None
        try:
            return next(self.waiting, None)
        except Exception as error:
            self.error = error
            return None


class _Scheduler:
    def __init__(self, workers: Workers, ahead: int) -> None:
        self._workers, self._ahead = workers, ahead
        self.running: dict[int, tuple[_Running, _Doing[Any]]] = {}
        self._number = 0

    def begin(self, everything: _Group) -> None:
        """Begin coroutines until the workers have enough to do."""
        while len(self.running) < self._ahead and self._begin_one(everything):
            pass

    def _begin_one(self, group: _Group) -> bool:
        """Begin a coroutine of a group, or rather of one that one of its coroutines already waits for."""
        if any(self._begin_one(inner) for inner in list(group.groups)):
            return True
        if (story := group.next_story()) is not None:
            group.running += 1
            self._go_on(_Running(story, group), None)
            return True
        if group.running or group.parent is None:
            return False
        group.parent.group.groups.remove(group)  # it is done, and what waits for it goes on
        self._go_on(group.parent, group.error)
        return True

    def ended(self, event: Event[Any]) -> None:
        """Let go on what waits for a task that has ended."""
        running, _ = self.running.pop(event.task.number)
        self._go_on(running, event)

    def _go_on(self, running: _Running, with_what: Event[Any] | Exception | None) -> None:
        """Carry out a coroutine up to where it waits again."""
        try:
            if isinstance(with_what, Exception):
                waits_for = running.story.throw(with_what)
            else:
                waits_for = running.story.send(with_what)
        except StopIteration:
            running.group.running -= 1
        except Exception as error:
            running.group.running -= 1
            running.group.error = running.group.error or error
        else:
            if isinstance(waits_for, _Group):
                waits_for.parent = running
                running.group.groups.append(waits_for)
            else:
                self._number += 1
                self.running[self._number] = (running, waits_for)
                self._workers.submit(replace(waits_for.task, number=self._number))
