"""Looking at the headers of tractograms and images: each file by itself, whatever becomes of another one's worker."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tractcap.work import plan
from tractcap.work.pool import Event, Task
from tractcap.work.steps import Step

log = logging.getLogger("tractcap")

Headers = Mapping[str, Mapping[str, Any]]
"""By path: what the header tells, with the file's ``fingerprint``; or ``failed``, a sentence, and a ``status``."""

LOOK_NEED = plan.BASE

AT_ONCE = 50
"""How many files a worker looks at one after the other, before it tells of them."""


def looks(
    tractograms: Iterable[Path], images: Iterable[Path], vtk_space: str, found: dict[str, dict[str, Any]]
) -> Iterator[Step]:
    """The steps of looking at some headers.

    A file that its worker dies of, or hangs at, is looked at once more, alone; the others in other workers.

    Parameters
    ----------
    found : gets what is found, by path.
    """
    looking = _Looking(vtk_space, found)
    files = [*((str(path), False) for path in tractograms), *((str(path), True) for path in images)]
    for first in range(0, len(files), AT_ONCE):
        yield looking.step(files[first : first + AT_ONCE])


class _Looking:
    def __init__(self, vtk_space: str, found: dict[str, dict[str, Any]]) -> None:
        self._vtk_space, self._found = vtk_space, found

    def step(self, files: Sequence[tuple[str, bool]]) -> Step:
        """Look at files, of each of which is said whether it is an image."""
        paths, images = ([path for path, image in files if image == which] for which in (False, True))
        arguments = {"paths": paths, "images": images, "vtk_space": self._vtk_space}
        return Step(Task("look", arguments, LOOK_NEED), self._looked, self._again)

    def _looked(self, event: Event) -> None:
        if event.done is not None:
            self._found.update(event.done)
            return
        for path, _ in _files(event.task):
            why = event.failed if path in event.failed else f"{path}: {event.failed}"
            self._found[path] = {"failed": why, "status": event.status}

    def _again(self, _step: Step, event: Event) -> Iterator[Step]:
        """Of several files, the one that was being read is alone to blame."""
        files = _files(event.task)
        guilty = [one for one in files if one[0] == event.reading] or files
        for path, _ in guilty if len(guilty) == 1 else ():
            log.warning("%s: %s; it is looked at again, alone", path, event.failed)
        yield from (self.step([one]).retry() for one in guilty)
        if others := [one for one in files if one not in guilty]:
            yield self.step(others)


def _files(task: Task) -> list[tuple[str, bool]]:
    return [*((path, False) for path in task.arguments["paths"]), *((path, True) for path in task.arguments["images"])]
