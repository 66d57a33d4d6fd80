"""Coroutines: one task after the other within each, side by side among them, and begun as workers have time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tractcap.records.worker_requests import WritePage, WrittenFiles
from tractcap.work.disk_spool import Spool
from tractcap.work.pool import Event, Task
from tractcap.work.scheduler import Story, do, run_stories, together


class Workers:
    """Does what ``results`` has for each task by name and turn: an answer, or a sentence on why not."""

    def __init__(self, **results: list[str]) -> None:
        self.queue: deque[Task[Any]] = deque()
        self.done: list[str] = []
        self.most = 0
        self._results = results

    def submit(self, task: Task[Any]) -> None:
        self.queue.append(task)
        self.most = max(self.most, len(self.queue))

    def events(self) -> Iterator[Event[Any]]:
        while self.queue:
            task = self.queue.popleft()
            name = task.request.participant
            self.done.append(name + "!" * task.alone)
            why = (self._results.get(name) or [""]).pop(0)
            yield Event(task, progress=1)
            yield Event(task, failed=why, again=True) if why else Event(task, WrittenFiles((name,)))


async def step(name: str, taken: list[Any], progress: Callable[[int], None] = lambda _points: None) -> None:
    event = await do(Task(WritePage("", name), 1), progress)
    taken.append(event.answer.paths[0] if event.answer else event.failed)


def go(stories: Iterable[Story], workers: Workers, ahead: int = 3) -> None:
    for _ in run_stories(stories, workers, ahead):
        assert len(workers.queue) <= ahead


def test_a_coroutine_goes_on_when_all_that_it_waits_for_is_done() -> None:
    taken: list[str] = []

    async def two() -> None:
        await step("a", taken)
        await step("a, then", taken)

    async def story() -> None:
        await together(begin() for begin in (two, lambda: step("b", taken)))
        taken.append("all")
        await together(iter(()))
        await step("c", taken)
        taken.append("end")

    go([story()], Workers())
    assert sorted(taken[:3]) == ["a", "a, then", "b"]
    assert taken[3:] == ["all", "c", "end"]


def test_how_a_task_goes_on_and_fails_is_heard() -> None:
    taken: list[str] = []
    points: list[int] = []
    workers = Workers(b=["died"])
    go((step(name, taken, points.append) for name in ("a", "b", "b")), workers)
    assert taken == ["a", "died", "b"]
    assert points == [1, 1, 1]


def test_coroutines_are_begun_as_workers_have_time() -> None:
    begun: list[int] = []
    taken: list[str] = []

    async def story(number: int) -> None:
        begun.append(number)
        await step(f"{number}", taken)
        await together(step(f"{number} again", taken) for _ in range(1))

    workers = Workers()
    for _ in run_stories(map(story, range(100)), workers, 4):
        assert len(begun) - len([name for name in taken if "again" in name]) <= 5
    assert len(taken) == 200
    assert workers.most <= 4


def test_what_was_begun_first_is_finished_first() -> None:
    taken: list[str] = []

    async def story(name: str) -> None:
        await together(step(f"{name}{number}", taken) for number in range(5))

    go(map(story, "ab"), Workers(), 2)
    assert taken == [f"{name}{number}" for name in "ab" for number in range(5)]


@pytest.mark.parametrize("place", ["story", "iterable", "other"])
def test_what_a_coroutine_raises_is_its_own(place: str) -> None:
    """It may catch it and go on, once all that it waits for is over; nothing else notices."""
    taken: list[str] = []

    async def wrong() -> None:
        await do(Task(WritePage("", "wrong"), 1))
        raise KeyError("other")

    def steps() -> Iterator[Story]:
        yield step("first", taken)
        if place == "iterable":
            raise KeyError(place)

    async def story() -> None:
        try:
            await together(steps())
            if place == "other":
                await together(begin() for begin in (wrong, lambda: step("beside", taken)))
            if place == "story":
                raise KeyError(place)
        except KeyError as error:
            taken.append(str(error))
        await step("last", taken)

    go([story()], Workers())
    assert taken == ["first", *(["beside"] if place == "other" else []), f"'{place}'", "last"]


def test_what_nothing_catches_is_raised_when_all_is_over() -> None:
    taken: list[str] = []

    async def wrong() -> None:
        await step("wrong", taken)
        raise KeyError("nobody")

    with pytest.raises(KeyError, match="nobody"):
        go((begin() for begin in (wrong, lambda: step("beside", taken))), Workers())
    assert taken == ["wrong", "beside"]


def test_a_spool_gives_back_what_came() -> None:
    spool: Spool[tuple[str, int]] = Spool()
    for number in range(300):
        spool.add("abc"[number % 3 if number > 150 else 0], [("x" * 9000, number)])
    assert list(spool) == ["a", "b", "c"]
    assert [number for _, number in spool.of("a")] == [n for n in range(300) if n <= 150 or n % 3 == 0]
    spool.add("b", [("", -1)])
    assert spool.of("b")[-1] == ("", -1)
    assert spool.of("d") == []
