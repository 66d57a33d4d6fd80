"""Work that is done ahead, in a thread of its own, while what was done before is used."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from tractcap.inputs.reading import announced
from tractcap.inputs.tractograms import Tractogram

T = TypeVar("T")

_AHEAD = 2
"""Items that are made before they are asked for: memory plans count them."""


def ahead(items: Generator[T, None, None], tractogram: Tractogram, max_points: int) -> Generator[T, None, None]:
    """What is made of a tractogram's chunks of so many points, in the same order, but the next ones in another thread.

    NumPy lets other threads run while it calculates, so that a second processor is used. What is raised there is raised
    here. A tractogram of one chunk isn't worth a thread.
    """
    return items if tractogram.header.points <= max_points else _ahead(items, tractogram.path)


def _ahead(items: Generator[T, None, None], path: Path) -> Generator[T, None, None]:
    end = object()
    with ThreadPoolExecutor(1) as thread:
        made: deque[Future[T | object]] = deque(thread.submit(next, items, end) for _ in range(_AHEAD))
        try:
            while (item := _result(made.popleft(), path)) is not end:
                made.append(thread.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            for item in made:
                item.cancel()
            thread.submit(items.close).result()  # where it was begun: what it ends may belong to the thread


def _result(item: Future[T], path: Path) -> T:
    with nullcontext() if item.done() else announced(path):
        return item.result()
