"""What is tried again: the task of a worker that died, hung or ran out of memory, once, alone and smaller."""

import logging
from collections.abc import Callable
from typing import TypeVar

from tractcap.records.tractogram_sidecar import DrawnRecord
from tractcap.records.worker_requests import Answer, Draw, Merge, Request, WritePage
from tractcap.work.outcome import Journal, RunOutcome
from tractcap.work.pool import Event, Task
from tractcap.work.scheduler import do

log = logging.getLogger("tractcap")

_ToDraw = TypeVar("_ToDraw", Draw, Merge)


class Retry:
    """Lets workers do tasks, and counts and logs those that are tried again.

    Parameters
    ----------
    room : gives the bytes that all workers may take now, which may be less than planned where a limit has changed.
    """

    def __init__(self, outcome: RunOutcome, journal: Journal, room: Callable[[], int]) -> None:
        self._outcome, self._journal, self._room = outcome, journal, room
        self._deadly: dict[str, str] = {}
        """Overlays that workers died of, by their files, and why: no worker tries them again."""

    async def draw(
        self,
        request: _ToDraw,
        need: int,
        name: str,
        smaller: _ToDraw | None = None,
        on_progress: Callable[[int], None] = lambda _points: None,
    ) -> Event[DrawnRecord]:
        """Let a worker draw, as :meth:`do` does, and then again without an overlay that it failed at."""
        for path, why in self._deadly.items():
            request, smaller = _without(request, path, why), smaller and _without(smaller, path, why)
        while True:
            event = await self.do(request, need, name, smaller, on_progress)
            path, why = event.reading, event.why_of(event.reading)
            if not event.failed or not request.without(path, why):
                return event
            if event.again:
                why = self._deadly[path] = f"{why.rstrip('.')}; --overwrite tries it again."
            self._journal.write("without", source=name, overlay=path, why=why)
            request, smaller = _without(request, path, why), smaller and _without(smaller, path, why)

    async def do(
        self,
        request: Request[Answer],
        need: int,
        name: str,
        smaller: Request[Answer] | None = None,
        on_progress: Callable[[int], None] = lambda _points: None,
    ) -> Event[Answer]:
        """Let a worker do it; where the worker failed, it is tried again, alone and smaller, with all the memory.

        Parameters
        ----------
        need : bytes of memory. name : of what it is about, for the log. smaller : what takes less memory, if that is
            another request.
        """
        event = await do(Task(request, need), on_progress)
        if not event.again:
            return event
        self._outcome.retries += 1
        what = f"the page of {name}" if isinstance(request, WritePage) else f"{request.action} {name}"
        log.warning("%s: %s; it is tried again, alone and smaller", what, event.failed)
        self._journal.write("again", source=what, action=request.action, why=event.failed)
        return await do(Task(smaller or request, max(need, self._room()), alone=True), on_progress)


def _without(request: _ToDraw, path: str, why: str) -> _ToDraw:
    return request.without(path, why) or request
