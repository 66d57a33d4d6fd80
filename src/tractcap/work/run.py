"""A run carries out the plan: measures each participant's tractograms, draws them in one frame, and tells."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.drawing.views import Frame
from tractcap.inputs.layout import Source
from tractcap.limits import Watch, as_mb
from tractcap.limits.threads import environment
from tractcap.work import plan
from tractcap.work.journal import Journal
from tractcap.work.pool import Event, Limits, Pool, Task
from tractcap.work.prepare import Job, Planned, Settings
from tractcap.work.resume import Recorded, recorded

log = logging.getLogger("tractcap")

_MEASURING = 0.1
"""Share of a job's progress that measuring stands for."""


@dataclass
class Outcome:
    """What a run did.

    ``drawn`` and ``kept`` (from an earlier run) hold the pictures of each tractogram, the mosaic last; ``failed`` why
    others have none; ``retries`` counts the jobs that were tried again.
    """

    drawn: dict[Source, list[Path]] = field(default_factory=dict)
    kept: dict[Source, list[Path]] = field(default_factory=dict)
    failed: dict[Source, str] = field(default_factory=dict)
    retries: int = 0

    def summary(self, planned: Planned, watch: Watch) -> Iterator[str]:
        """What was done, and with what memory, in a few lines; failures with their causes last."""
        peak, whose = watch.peak()
        kept = f", {len(self.kept)} kept from an earlier run" * bool(self.kept)
        again = f", {self.retries} tried again" * bool(self.retries)
        failed = f", {len(self.failed)} failed" * bool(self.failed)
        yield f"{len(self.drawn)} drawn{kept}{again}{failed}"
        workers = f"{planned.crew.workers} worker{'s' * (planned.crew.workers > 1)}"
        yield f"{watch.budget.describe()}; {workers}; peak {as_mb(peak)} MB ({whose})"
        for sentence in self.failed.values():
            yield f"failed: {sentence}"


@dataclass
class _Participant:
    """Whose pictures share a frame: jobs that wait for it, and the extents that make it."""

    jobs: list[Job] = field(default_factory=list)
    boxes: dict[Job, tuple[Any, Any]] = field(default_factory=dict)
    values: dict[Job, tuple[Any, int]] = field(default_factory=dict)  # ends of the data, points without
    earlier: dict[Job, Recorded] = field(default_factory=dict)
    unmeasured: int = 0


class Run:
    """Carries out what was planned; ``outcome`` grows as it goes."""

    def __init__(
        self,
        settings: Settings,
        planned: Planned,
        watch: Watch,
        journal: Journal,
        tell: Callable[[int, float], None] = lambda _finished, _share: None,
    ) -> None:
        self.settings, self.planned, self.watch = settings, planned, watch
        self._journal, self._tell = journal, tell
        self.outcome = Outcome(failed=dict(planned.failed))
        self._parts: dict[Job, float] = defaultdict(float)  # of each job, from 0 to 1
        self._share = 0.0
        self._jobs = {str(job.source.path): job for job in planned.jobs}
        self._tried: set[Job] = set()
        self._bytes = max(1, sum(job.bytes for job in planned.jobs))

    def go(self) -> Outcome:
        """Measure and draw everything, a batch of participants at a time; a job that fails leaves others alone."""
        everyone: dict[str, _Participant] = defaultdict(_Participant)
        for job in self.planned.jobs:
            everyone[job.source.participant].jobs.append(job)
        names, size = list(everyone), self.settings.batch_size or max(1, len(everyone))
        for first in range(0, len(names), size):
            if not self._batch({name: everyone[name] for name in names[first : first + size]}):
                break
        return self.outcome

    def _batch(self, people: dict[str, _Participant]) -> bool:
        """Carry out the jobs of some participants; False when the run is to stop. Its workers are gone afterwards."""
        crew, settings = self.planned.crew, self.settings
        limits = Limits(crew.workers, self.planned.room, crew.threads, settings.timeout)
        with Pool(limits, self.watch, environment(crew.threads)) as pool:
            for person in people.values():
                self._begin(person, pool)
            for event in pool.events():
                job = self._jobs[event.task.arguments["path"]]
                self._take(event, job, people[job.source.participant], pool)
                if self.outcome.failed and settings.stop_on_first_crash:
                    return False
        return True

    def _begin(self, person: _Participant, pool: Pool) -> None:
        """Measure what no earlier run has measured."""
        for job in person.jobs:
            earlier = None if self.settings.overwrite else recorded(self._sidecar(job), self._source(job))
            if earlier and earlier.tells_of(self.settings.data):
                person.earlier[job], person.boxes[job] = earlier, (earlier.low, earlier.high)
                person.values[job] = (earlier.told.get("DataRange"), earlier.told.get("PointsWithoutValue", 0))
        missing = [job for job in person.jobs if job not in person.boxes]
        person.unmeasured = len(missing)
        for job in missing:
            pool.submit(self._measuring(job))
        self._frame(person, pool)

    def _sidecar(self, job: Job) -> Path:
        return self.settings.output / job.source.folder / f"{job.source.stem}.json"

    def _source(self, job: Job) -> dict[str, Any]:
        """Which state of the file, as the JSON beside the pictures tells it."""
        return {"SourceBytes": job.bytes, "SourceModified": job.modified, "VtkSpace": self.settings.vtk_space}

    def _measuring(self, job: Job) -> Task:
        path = str(job.source.path)
        arguments = {"path": path, "vtk_space": self.settings.vtk_space, "max_points": job.shape.max_points}
        arguments["data"] = self.settings.data
        return Task("measure", arguments, job.need)

    def _take(self, event: Event, job: Job, person: _Participant, pool: Pool) -> None:
        measuring = event.task.action == "measure"
        if event.again and job not in self._tried:
            self._try_again(event, job, pool)
            return
        if event.failed:
            self._fail(job, event.failed)
        if measuring and (event.failed or event.done):
            person.unmeasured -= 1
            if event.done:
                person.boxes[job] = (event.done["low"], event.done["high"])
                person.values[job] = (event.done["values"], event.done["without"])
            self._frame(person, pool)
        elif event.done:
            self._drawn(job, event)
        self._advance(job, _part(event, job))

    def _advance(self, job: Job, part: float) -> None:
        """Tell how much of the run is done, of all files' bytes."""
        self._share += (part - self._parts[job]) * job.bytes / self._bytes
        self._parts[job] = part
        self._tell(len(self.outcome.drawn) + len(self.outcome.kept), self._share)

    def _try_again(self, event: Event, job: Job, pool: Pool) -> None:
        """Once more, alone and smaller, with all the memory there is."""
        self._tried.add(job)
        self.outcome.retries += 1
        log.warning("%s: %s; it is tried again, alone and smaller", job.source.name, event.failed)
        self._journal.write("again", source=job.source.name, action=event.task.action, why=event.failed)
        shape = plan.smaller(job.shape)
        changed = {
            name: getattr(shape, name) for name in ("max_points", "views_per_pass") if name in event.task.arguments
        }
        arguments = {**event.task.arguments, **changed}
        room = min(self.planned.room, self.watch.room())  # less than planned where the limit has changed
        need = max(event.task.need, room)
        pool.submit(replace(event.task, arguments=arguments, need=need, alone=True))

    def _frame(self, person: _Participant, pool: Pool) -> None:
        """Once a participant's extents are all known, so is the one frame of its pictures."""
        if person.unmeasured or not person.boxes:
            return
        frame = Frame.around(person.boxes.values())
        for job in sorted(person.boxes, key=lambda job: job.source.path, reverse=True):
            earlier = person.earlier.get(job)
            scale = self._scale(job, person)
            if earlier and earlier.shows(frame, self._options(job, scale), job.shape.sampling):
                self._kept(job, earlier)
            else:
                pool.submit(self._drawing(job, person.boxes[job], frame, scale), first=True)

    def _scale(self, job: Job, person: _Participant) -> dict[str, Any] | None:
        """The colours of data, the same for all of a participant's tractograms."""
        if not self.settings.data:
            return None
        ends = [values for values, _ in person.values.values()]
        low, high = self.settings.data_range or (min(low for low, _ in ends), max(high for _, high in ends))
        own, without = person.values[job]
        return {"name": self.settings.data, "low": low, "high": high, "own": own, "without": without}

    def _options(self, job: Job, scale: dict[str, Any] | None) -> dict[str, Any]:
        """What the pictures shall show, as the JSON beside them tells it."""
        color = list(job.color) if job.color else "direction"
        background = list(self.settings.background)
        views = list(self.settings.views)
        told = {"Views": views, "Size": self.settings.size, "Color": color, "Background": background}
        if scale:
            told |= {"Color": f"data:{scale['name']}", "ColorRange": [scale["low"], scale["high"]]}
        return told

    def _drawing(self, job: Job, box: tuple[Any, Any], frame: Frame, scale: dict[str, Any] | None) -> Task:
        source, settings = job.source, self.settings
        arguments = {
            "path": str(source.path),
            "source": {"name": source.name, "bytes": job.bytes, "modified": job.modified},
            "vtk_space": settings.vtk_space,
            "box": box,
            "frame": (frame.low, frame.high),
            "views": settings.views,
            "size": settings.size,
            "max_points": job.shape.max_points,
            "views_per_pass": job.shape.views_per_pass,
            "sampling": job.shape.sampling,
            "color": job.color,
            "scale": scale,
            "background": settings.background,
            "folder": str(settings.output / source.folder),
            "stem": source.stem,
            "title": source.title,
        }
        return Task("draw", arguments, job.need)

    # what came of it

    def _fail(self, job: Job, why: str) -> None:
        path = str(job.source.path)
        sentence = why if path in why else f"{path}: {why}"
        self.outcome.failed[job.source] = sentence
        log.error("%s", sentence)
        self._journal.write("failed", source=job.source.name, why=sentence)

    def _kept(self, job: Job, earlier: Recorded) -> None:
        self.outcome.kept[job.source] = self._pictures(job, earlier.told)
        self._advance(job, 1.0)
        log.debug("kept %s: its pictures are there, of the same file and options", job.source.name)
        self._journal.write("kept", source=job.source.name)

    def _drawn(self, job: Job, event: Event) -> None:
        told: Any = event.done
        self.outcome.drawn[job.source] = self._pictures(job, told)
        for note in _notes(told):
            log.warning("%s: %s", job.source.name, note)
        log.info("drew %s: %s streamlines", job.source.name, f"{told['StreamlinesDrawn']:,}")
        self._journal.write("drawn", source=job.source.name, need=event.task.need, peak=event.peak)

    def _pictures(self, job: Job, told: dict[str, Any]) -> list[Path]:
        return [self.settings.output / job.source.folder / name for name in told["Pictures"]]


def _part(event: Event, job: Job) -> float:
    """How much of a job is done: a tenth is measuring, the rest drawing."""
    part = 1.0 if event.failed or event.done else min(1.0, event.progress / max(1, job.header["points"]))
    drawing = event.task.action == "draw" or event.failed
    return _MEASURING + (1 - _MEASURING) * part if drawing else _MEASURING * part


def _notes(told: dict[str, Any]) -> Iterator[str]:
    yield from told["Notes"]
    for reason, count in told["StreamlinesLeftOut"].items():
        yield f"left out {count:,} of {told['Streamlines']:,} streamlines, {reason}"


def carry_out(
    settings: Settings,
    planned: Planned,
    watch: Watch,
    tell: Callable[[int, float], None] = lambda _finished, _share: None,
) -> Outcome:
    """Do what was planned, and keep a journal of it beside the outputs."""
    journal = Journal(settings.output)
    crew, budget = planned.crew, watch.budget
    journal.write(
        "started",
        version=__version__,
        budget=budget.bytes,
        bound_by=budget.bound_by.where,
        limits=[{"bytes": limit.bytes, "where": limit.where} for limit in budget.limits],
        workers=crew.workers,
        jobs=len(planned.jobs),
    )
    for source, why in planned.failed:
        journal.write("failed", source=source.name, why=why)
    outcome = Run(settings, planned, watch, journal, tell).go()
    peak, whose = watch.peak()
    counts = {name: len(getattr(outcome, name)) for name in ("drawn", "kept", "failed")}
    journal.write("ended", **counts, retries=outcome.retries, peak=peak, peak_is=whose)
    return outcome
