"""Work that is done ahead, in a thread of its own, while what was done before is used."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")

_AHEAD = 8
"""Items that are made before they are asked for: memory plans count them."""


def ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same items in the same order; the next ones are made in another thread. What they raise is raised here.

    NumPy lets other threads run while it calculates, so that a second processor is used.
    """
    end = object()
    with closing(items), ThreadPoolExecutor(1) as thread:
        made: deque[Future[T | object]] = deque(thread.submit(next, items, end) for _ in range(_AHEAD))
        try:
            while (item := made.popleft().result()) is not end:
                made.append(thread.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            thread.shutdown(cancel_futures=True)
