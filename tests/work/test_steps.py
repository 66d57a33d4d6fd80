"""Stories of steps: one after the other within each, side by side among them, and begun as workers have time."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from tractcap.work.pool import Event, Task
from tractcap.work.spool import Spool
from tractcap.work.steps import Step, Story, carry_on


class Workers:
    """Does what ``results`` tells of each task by name and turn: a result, or a sentence on why not."""

    def __init__(self, **results: list[str]) -> None:
        self.queue: deque[Task] = deque()
        self.done: list[str] = []
        self.most = 0
        self._results = results

    def submit(self, task: Task) -> None:
        self.queue.append(task)
        self.most = max(self.most, len(self.queue))

    def events(self) -> Iterator[Event]:
        while self.queue:
            task = self.queue.popleft()
            self.done.append(task.action + "!" * task.alone)
            why = (self._results.get(task.action) or [""]).pop(0)
            yield Event(task, progress=1)
            yield Event(task, failed=why, again=True) if why else Event(task, done={"name": task.action})


def step(name: str, taken: list[Any], *further: Step) -> Step:
    def ended(event: Event) -> tuple[Step, ...]:
        taken.append(event.done["name"] if event.done else event.failed)
        return further

    return Step(Task(name, {}, 1), ended)


def go(stories: list[Story], workers: Workers, ahead: int = 3) -> None:
    for _ in carry_on(iter(stories), workers, ahead):
        assert len(workers.queue) <= ahead


def test_a_story_goes_on_when_all_of_its_steps_are_done() -> None:
    taken: list[str] = []

    def story() -> Story:
        yield [step("a", taken, step("a, then", taken)), step("b", taken)]
        taken.append("all")
        yield []
        yield [step("c", taken)]
        taken.append("end")

    go([story()], Workers())
    assert sorted(taken[:3]) == ["a", "a, then", "b"]
    assert taken[3:] == ["all", "c", "end"]


def test_a_failure_is_tried_again_alone_and_once() -> None:
    taken: list[str] = []

    def story() -> Story:
        yield [step("a", taken), step("b", taken)]

    workers = Workers(a=["died"], b=["died", "died again"])
    go([story()], workers)
    assert sorted(taken) == ["a", "died again"]
    assert sorted(workers.done) == ["a", "a!", "b", "b!"]


def test_stories_are_begun_as_workers_have_time() -> None:
    begun: list[int] = []
    taken: list[str] = []

    def story(number: int) -> Story:
        begun.append(number)
        yield [step(f"{number}", taken)]
        yield [step(f"{number} again", taken)]

    workers = Workers()
    for _ in carry_on(map(story, range(100)), workers, 4):
        assert len(begun) - len([name for name in taken if "again" in name]) <= 5
    assert len(taken) == 200
    assert workers.most <= 4


@pytest.mark.parametrize("place", ["story", "steps", "ended"])
def test_what_a_story_raises_is_its_own(place: str) -> None:
    """It may catch it and go on; nothing else notices."""
    taken: list[str] = []

    def wrong(_event: Event) -> None:
        raise KeyError("ended")

    def steps() -> Iterator[Step]:
        yield step("first", taken)
        if place == "steps":
            raise KeyError(place)

    def story() -> Story:
        try:
            yield steps()
            if place == "ended":
                yield [Step(Task("wrong", {}, 1), wrong), step("beside", taken)]
            if place == "story":
                raise KeyError(place)
        except KeyError as error:
            taken.append(str(error))
        yield [step("last", taken)]

    go([story()], Workers())
    assert taken == ["first", *(["beside"] if place == "ended" else []), f"'{place}'", "last"]


def test_a_spool_gives_back_what_came() -> None:
    spool: Spool[tuple[str, int]] = Spool()
    for number in range(300):
        spool.add("abc"[number % 3 if number > 150 else 0], [("x" * 9000, number)])
    assert list(spool) == ["a", "b", "c"]
    assert [number for _, number in spool.of("a")] == [n for n in range(300) if n <= 150 or n % 3 == 0]
    spool.add("b", [("", -1)])
    assert spool.of("b")[-1] == ("", -1)
    assert spool.of("d") == []
