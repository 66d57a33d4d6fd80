"""Reading the headers of tractograms and images: each file by itself, whatever becomes of another one's worker."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tractcap.records.options import SURFACE, Overlay
from tractcap.records.worker_requests import (
    ImageHeader,
    InspectOverlay,
    OverlayHeader,
    ReadHeaders,
    TractogramHeader,
    UnreadableFile,
)
from tractcap.work import memory_plan
from tractcap.work.pool import Task
from tractcap.work.scheduler import do, together

log = logging.getLogger("tractcap")

HEADER_NEED = memory_plan.BASE

_UNPACKED = 12
"""Bytes that a surface takes at most while it is read, for each that its file has: GIFTI's are compressed."""

AT_ONCE = 50
"""How many headers a worker reads one after the other, before it answers."""


@dataclass
class FileHeaders:
    """What is known of files by their headers."""

    tractograms: dict[Path, TractogramHeader | UnreadableFile] = field(default_factory=dict)
    images: dict[Path, ImageHeader | UnreadableFile] = field(default_factory=dict)
    overlays: dict[Overlay, OverlayHeader | UnreadableFile] = field(default_factory=dict)

    async def read(self, tractograms: Iterable[Path], images: Iterable[Path], vtk_space: str) -> None:
        """Read those headers that aren't known yet.

        A file that its worker dies of, or hangs at, is read once more, alone; the others in other workers.
        """
        files = [(path, False) for path in dict.fromkeys(tractograms) if path not in self.tractograms]
        files += [(path, True) for path in dict.fromkeys(images) if path not in self.images]
        batches = (files[first : first + AT_ONCE] for first in range(0, len(files), AT_ONCE))
        await together(self._read(batch, vtk_space) for batch in batches)

    async def inspect(self, overlays: Iterable[Overlay], vtk_space: str) -> None:
        """Read what some overlays hold, each by itself; what its worker dies of is tried once more."""
        await together(self._inspect(overlay, vtk_space) for overlay in overlays)

    async def _inspect(self, overlay: Overlay, vtk_space: str) -> None:
        request, path = InspectOverlay(overlay, vtk_space), Path(overlay.path)
        need = HEADER_NEED
        if overlay.kind == SURFACE and path.is_file():  # they are read whole, images a slice at a time
            need += path.stat().st_size * _UNPACKED
        event = await do(Task(request, need))
        if event.again:
            event = await do(Task(request, need, alone=True))
        why = event.failed if overlay.path in event.failed else f"{overlay.path}: {event.failed}"
        self.overlays[overlay] = event.answer or UnreadableFile(why, event.status)

    async def _read(self, files: Sequence[tuple[Path, bool]], vtk_space: str, *, alone: bool = False) -> None:
        """Read the headers of files, of each of which is said whether it is an image."""
        paths, images = (tuple(str(path) for path, image in files if image == which) for which in (False, True))
        event = await do(Task(ReadHeaders(paths, images, vtk_space), HEADER_NEED, alone))
        if event.answer:
            self.tractograms |= {Path(path): header for path, header in event.answer.tractograms.items()}
            self.images |= {Path(path): header for path, header in event.answer.images.items()}
        elif event.again and not alone:
            # of several files, the one that was being read is alone to blame
            guilty = [file for file in files if str(file[0]) == event.reading] or files
            if len(guilty) == 1:
                log.warning("%s: %s; it is read again, alone", guilty[0][0], event.failed)
            others = [file for file in files if file not in guilty]
            await together(self._read([file], vtk_space, alone=True) for file in guilty)
            if others:
                await self._read(others, vtk_space)
        else:
            for path, image in files:
                known: dict[Path, UnreadableFile] = {path: UnreadableFile(event.why_of(path), event.status)}
                (self.images if image else self.tractograms).update(known)
