"""A run carries out the plan: measures each participant's tractograms, draws them in one frame, and tells."""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tractcap.drawing.views import Frame
from tractcap.inputs.layout import Source
from tractcap.limits.threads import environment
from tractcap.work.pool import Event, Pool, Task
from tractcap.work.prepare import Job, Planned, Settings

log = logging.getLogger("tractcap")

_MEASURING = 0.1
"""Share of a job's progress that measuring stands for."""


@dataclass
class Outcome:
    """What a run did: the mosaics that are there now, and what failed."""

    drawn: list[Path] = field(default_factory=list)
    failed: list[tuple[Source, str]] = field(default_factory=list)


class Run:
    """Carries out what was planned; ``outcome`` grows as it goes."""

    def __init__(self, settings: Settings, planned: Planned, tell: Callable[[int, float], None]) -> None:
        self.settings, self.planned, self._tell = settings, planned, tell
        self.outcome = Outcome(failed=list(planned.failed))
        self._waiting: dict[str, list[Job]] = defaultdict(list)  # measured or not, by participant
        self._boxes: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
        self._unmeasured: dict[str, int] = defaultdict(int)
        self._parts: dict[str, float] = {}  # of each job by its path, from 0 to 1
        self._jobs: dict[str, Job] = {str(job.source.path): job for job in planned.jobs}
        self._bytes = max(1, sum(job.bytes for job in planned.jobs))

    def go(self) -> Outcome:
        """Measure and draw everything; a job that fails leaves the others alone."""
        crew = self.planned.crew
        with Pool(crew.workers, self.planned.room, environment(crew.threads)) as pool:
            for job in self.planned.jobs:
                self._unmeasured[job.source.participant] += 1
                pool.submit(self._measuring(job))
            for event in pool.events():
                self._take(event, pool)
                if self.outcome.failed and self.settings.stop_on_first_crash:
                    break
        return self.outcome

    def _measuring(self, job: Job) -> Task:
        path = str(job.source.path)
        arguments = {"path": path, "vtk_space": self.settings.vtk_space, "max_points": job.shape.max_points}
        return Task("measure", arguments, job.need)

    def _take(self, event: Event, pool: Pool) -> None:
        job = self._jobs[event.task.arguments["path"]]
        if event.failed:
            self._fail(job, event.failed)
        if event.task.action == "measure" and (event.failed or event.done):
            self._measured(job, event.done, pool)
        elif event.done:
            self._drawn(job, event.done)
        self._tell(len(self.outcome.drawn), self._share(event, job))

    def _share(self, event: Event, job: Job) -> float:
        """The share of the run that is done: of all files' bytes, a tenth for measuring and the rest for drawing."""
        part = 1.0 if event.failed or event.done else min(1.0, event.progress / max(1, job.header["points"]))
        drawing = event.task.action == "draw" or event.failed
        self._parts[str(job.source.path)] = _MEASURING + (1 - _MEASURING) * part if drawing else _MEASURING * part
        return sum(part * self._jobs[path].bytes for path, part in self._parts.items()) / self._bytes

    def _measured(self, job: Job, box: Any, pool: Pool) -> None:
        """Note an extent; once a participant's are all known, so is the one frame of its pictures."""
        who = job.source.participant
        self._unmeasured[who] -= 1
        if box:
            self._waiting[who].append(job)
            self._boxes[who].append((box["low"], box["high"]))
        if not self._unmeasured[who] and self._waiting[who]:
            frame = Frame.around(self._boxes[who])
            for ready in sorted(self._waiting.pop(who), key=lambda job: job.source.path, reverse=True):
                pool.submit(self._drawing(ready, frame), first=True)

    def _drawing(self, job: Job, frame: Frame) -> Task:
        source, settings = job.source, self.settings
        arguments = {
            "path": str(source.path),
            "source": source.name,
            "vtk_space": settings.vtk_space,
            "frame": (frame.low, frame.high),
            "views": settings.views,
            "size": settings.size,
            "max_points": job.shape.max_points,
            "views_per_pass": job.shape.views_per_pass,
            "folder": str(settings.output / source.folder),
            "stem": source.stem,
            "title": source.title,
        }
        return Task("draw", arguments, job.need)

    def _fail(self, job: Job, why: str) -> None:
        path = str(job.source.path)
        sentence = why if path in why else f"{path}: {why}"
        self.outcome.failed.append((job.source, sentence))
        log.error("%s", sentence)

    def _drawn(self, job: Job, told: Any) -> None:
        folder = self.settings.output / job.source.folder
        self.outcome.drawn.append(folder / told["Pictures"][-1])
        for note in told["Notes"]:
            log.warning("%s: %s", job.source.name, note)
        for reason, count in told["StreamlinesLeftOut"].items():
            of = f"{count:,} of {told['Streamlines']:,} streamlines"
            log.warning("%s: left out %s, %s", job.source.name, of, reason)
        log.info("drew %s: %s streamlines", job.source.name, f"{told['StreamlinesDrawn']:,}")
