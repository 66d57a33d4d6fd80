"""What is made ahead comes as if it had been made when it was asked for."""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tractcap.drawing.ahead import ahead
from tractcap.inputs import reading
from tractcap.inputs.tractograms.base import Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block

PATIENCE = 60.0
"""Seconds until a test that waits for another thread fails."""

PATH = Path("a.trk")


class Large(Tractogram):
    """A tractogram of two points, which are two chunks."""

    format = "made up"

    def _read_header(self) -> Header:
        return Header(1, True, 2)

    def _read_blocks(self, data: str) -> Iterator[Block]:
        raise NotImplementedError(data)


MANY = Large(PATH), 1


class Making:
    """Numbers, and what is known of how they are made."""

    def __init__(self, count: int, fails_at: int = -1) -> None:
        self.made = [threading.Event() for _ in range(count)]
        self.threads: set[int] = set()
        self.ended = threading.Event()
        self._fails_at = fails_at

    def numbers(self) -> Generator[int, None, None]:
        try:
            for number, made in enumerate(self.made):
                if number == self._fails_at:
                    raise ValueError(f"no {number}")
                self.threads.add(threading.get_ident())
                made.set()
                yield number
        finally:
            self.ended.set()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_all_come_in_their_order(count: int) -> None:
    making = Making(count)
    assert list(ahead(making.numbers(), *MANY)) == list(range(count))
    assert making.ended.is_set()
    assert threading.get_ident() not in making.threads


def test_the_next_is_made_while_one_is_used() -> None:
    making = Making(10)
    with closing(ahead(making.numbers(), *MANY)) as numbers:
        assert next(numbers) == 0
        assert making.made[1].wait(PATIENCE)


def test_no_more_than_two_wait_to_be_used() -> None:
    making = Making(20)
    with closing(ahead(making.numbers(), *MANY)) as numbers:
        for number in range(7):
            assert next(numbers) == number
            assert making.made[number + 2].wait(PATIENCE)
    assert sum(made.is_set() for made in making.made) == 9


def test_what_goes_wrong_is_raised_in_its_place() -> None:
    numbers = ahead(Making(10, fails_at=3).numbers(), *MANY)
    assert [next(numbers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no 3"):
        next(numbers)


def test_who_stops_early_ends_it() -> None:
    making = Making(10)
    before = threading.active_count()
    with closing(ahead(making.numbers(), *MANY)) as numbers:
        next(numbers)
    assert making.ended.is_set(), "its files are closed"
    assert threading.active_count() == before


def test_the_file_is_named_while_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another thread reads while this one draws isn't to blame for what drawing does."""
    heard: list[str] = []
    waited_for, drawn = threading.Event(), threading.Event()

    def hear(path: str) -> None:
        heard.append(path)
        waited_for.set()

    def items() -> Generator[int, None, None]:
        assert waited_for.wait(PATIENCE)
        with reading.reading(PATH):
            yield 0
        with reading.reading(PATH):
            drawn.set()
            yield 1

    monkeypatch.setattr(reading._Read, "listener", None)
    reading.listen(hear)
    with closing(ahead(items(), *MANY)) as numbers:
        assert next(numbers) == 0
        assert heard == [str(PATH), ""]
        assert drawn.wait(PATIENCE)
        assert heard == [str(PATH), ""]


def test_one_chunk_is_not_worth_a_thread() -> None:
    making = Making(3)
    assert list(ahead(making.numbers(), Large(PATH), 2)) == [0, 1, 2]
    assert making.threads == {threading.get_ident()}
