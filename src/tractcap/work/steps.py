"""What is to be done, one after the other and side by side: stories of steps, which a pool of workers carries out.

A story yields all steps that may be done now. It goes on when each of them has come to its end. So what is done for a
participant is read from top to bottom, and what is known of it lasts as long as its story.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Protocol

from tractcap.limits import Watch
from tractcap.work.pool import Event, PoolLimits, Task


@dataclass(frozen=True, eq=False)
class Step:
    """A task, and what follows of it: ``ended`` takes how it ended, and may return steps that the story waits for too.

    ``heard`` takes its progress. ``again`` returns what to do when it failed for the first time and may go well
    the second time.
    """

    task: Task
    ended: Callable[[Event], "Iterable[Step] | None"]
    again: "Callable[[Step, Event], Iterable[Step]]" = lambda step, _event: [step.retry()]
    heard: Callable[[Event], None] = lambda _event: None
    tried: bool = False

    def retry(self, **changed: Any) -> "Step":
        """The same once more, with no other beside it; ``changed`` of its task."""
        return replace(self, task=replace(self.task, alone=True, **changed), tried=True)


Story = Generator[Iterable[Step], None, None]


class Workers(Protocol):
    """What carries out tasks: a :class:`~tractcap.work.pool.Pool`, or what stands in for one."""

    def submit(self, task: Task) -> None:
        """Queue a task."""

    def events(self) -> Iterator[Event]:
        """What happens, until nothing is queued and nothing runs."""


MakeWorkers = Callable[[PoolLimits, Watch, Mapping[str, str]], AbstractContextManager[Workers]]
"""Makes workers by limits, a watch over memory and variables for their environment, as ``Pool`` does."""


def carry_on(stories: Iterator[Story], workers: Workers, ahead: int) -> Iterator[None]:
    """Carry out stories, one begun after the other as workers have time; yields whenever a task has come to its end.

    Parameters
    ----------
    ahead : how many tasks are given to the workers at most, so that some wait when one is done.
    """
    yield from _Stories(stories, workers, ahead).carry_on()


class _Begun:
    """A story that was begun, with the steps that are to be done before it goes on."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._steps: Iterator[Step] = iter(())
        self._further: deque[Step] = deque()
        self._wrong: Exception | None = None
        self.running = 0
        self.over = False

    def next(self) -> Step | None:
        """A step that can be done now."""
        while not self.over:
            if step := self._further.popleft() if self._further else self._next_step():
                self.running += 1
                return step
            if self.running:
                return None
            self._go_on()
        return None

    def _next_step(self) -> Step | None:
        try:
            return next(self._steps, None)
        except Exception as error:
            self._wrong, self._steps = error, iter(())
            return None

    def _go_on(self) -> None:
        wrong, self._wrong = self._wrong, None
        try:
            self._steps = iter(self._story.throw(wrong) if wrong else next(self._story))
        except StopIteration:
            self.over = True

    def ended(self, step: Step, event: Event) -> None:
        """A step is done. What goes wrong as its result is taken goes wrong in the story."""
        self.running -= 1
        take = partial(step.again, step) if event.again and not step.tried else step.ended
        try:
            self._further.extend(take(event) or ())
        except Exception as error:
            self._wrong = error


class _Stories:
    def __init__(self, stories: Iterator[Story], workers: Workers, ahead: int) -> None:
        self._stories, self._workers, self._ahead = stories, workers, ahead
        self._begun: list[_Begun] = []
        self._given: dict[int, tuple[Step, _Begun]] = {}
        self._number = 0

    def carry_on(self) -> Iterator[None]:
        self._give()
        for event in self._workers.events():
            step, story = self._given[event.task.number]
            step.heard(event)
            if event.done is None and not event.failed:
                continue
            del self._given[event.task.number]
            story.ended(step, event)
            self._give()
            yield

    def _give(self) -> None:
        """Give the workers the next steps, of the stories that were begun first."""
        for step, story in islice(self._next(), max(0, self._ahead - len(self._given))):
            self._number += 1
            self._given[self._number] = (step, story)
            self._workers.submit(replace(step.task, number=self._number))

    def _next(self) -> Iterator[tuple[Step, _Begun]]:
        while True:
            for one in list(self._begun):
                while step := one.next():
                    yield step, one
                if one.over:
                    self._begun.remove(one)
            if (story := next(self._stories, None)) is None:
                return
            self._begun.append(_Begun(story))
