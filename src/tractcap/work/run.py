"""A run carries out the plan: measures each participant's tractograms, draws them in one frame, and tells."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.inputs.layout import Source
from tractcap.limits import Watch, as_mb
from tractcap.limits.threads import environment
from tractcap.work import plan
from tractcap.work.journal import Journal
from tractcap.work.pool import Event, Limits, Pool, Task
from tractcap.work.prepare import Job, Planned, Settings, bundle
from tractcap.work.resume import Recorded, plain, recorded
from tractcap.work.scenes import Extent, Participant, Scenes, source

log = logging.getLogger("tractcap")

_MEASURING = 0.1
"""Share of a job's progress that measuring stands for."""


@dataclass
class Outcome:
    """What a run did.

    ``drawn`` and ``kept`` (from an earlier run) hold the pictures of each tractogram, the mosaic last; ``failed`` why
    others have none; ``overviews`` are the mosaics of several tractograms together, ``others`` sentences why some could
    not be drawn; ``retries`` counts the jobs that were tried again.
    """

    drawn: dict[Source, list[Path]] = field(default_factory=dict)
    kept: dict[Source, list[Path]] = field(default_factory=dict)
    failed: dict[Source, str] = field(default_factory=dict)
    overviews: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
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
        for sentence in (*self.failed.values(), *self.others):
            yield f"failed: {sentence}"


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
        self._scenes = Scenes(settings, planned)
        self._parts: dict[Job, float] = defaultdict(float)  # of each job, from 0 to 1
        self._share = 0.0
        self._tried: set[tuple[Any, ...]] = set()
        self._tasks: dict[int, tuple[Job, ...]] = {}  # what tasks are about, by their number
        self._bytes = max(1, sum(job.bytes for job in planned.jobs))

    def go(self) -> Outcome:
        """Measure and draw everything, a batch of participants at a time; a job that fails leaves others alone."""
        everyone: dict[str, Participant] = defaultdict(Participant)
        for job in self.planned.jobs:
            everyone[job.source.participant].jobs.append(job)
        names, size = list(everyone), self.settings.batch_size or max(1, len(everyone))
        for first in range(0, len(names), size):
            if not self._batch({name: everyone[name] for name in names[first : first + size]}):
                break
        return self.outcome

    def _batch(self, people: dict[str, Participant]) -> bool:
        """Carry out the jobs of some participants; False when the run is to stop. Its workers are gone afterwards."""
        crew, settings = self.planned.crew, self.settings
        limits = Limits(crew.workers, self.planned.room, crew.threads, settings.timeout)
        with Pool(limits, self.watch, environment(crew.threads)) as pool:
            self._pool, self._people = pool, people
            for person in people.values():
                self._measure(person)
            for person in people.values():
                self._frame(person)
            for event in pool.events():
                self._take(event, self._tasks[event.task.number])
                if self.outcome.failed and settings.stop_on_first_crash:
                    return False
        return True

    def _submit(self, action: str, arguments: dict[str, Any], need: int, jobs: tuple[Job, ...]) -> None:
        number = len(self._tasks)
        self._tasks[number] = jobs
        self._pool.submit(Task(action, arguments, need, number=number), first=action == "draw")

    # measured

    def _measure(self, person: Participant) -> None:
        """Measure what no earlier run has measured."""
        measured_by = plain(self._scenes.measured_by())
        for job in person.jobs:
            earlier = self._recorded(self._place(job), [job])
            if earlier and (extent := earlier.extent(measured_by)):
                person.extents[job] = extent
        missing = [job for job in person.jobs if job not in person.extents]
        person.unmeasured = len(missing)
        for job in missing:
            arguments: dict[str, Any] = {"path": str(job.source.path), "vtk_space": self.settings.vtk_space}
            arguments |= {"max_points": job.shape.max_points, "coloring": self.settings.coloring.dump()}
            self._submit("measure", arguments, job.need, (job,))

    def _recorded(self, sidecar: Path, jobs: Sequence[Job]) -> Recorded | None:
        return None if self.settings.overwrite else recorded(sidecar, [source(job) for job in jobs])

    def _place(self, job: Job) -> Path:
        return self.settings.output / job.source.folder / f"{job.source.stem}.json"

    def _frame(self, person: Participant) -> None:
        """Once all that shares a frame, or a range of colours, is measured, draw it."""
        if not self.settings.coloring.over_group:
            if not person.unmeasured:
                self._draw(person, person.extents.values())
        elif not any(one.unmeasured for one in self._people.values()):
            extents = [extent for one in self._people.values() for extent in one.extents.values()]
            for one in self._people.values():
                self._draw(one, extents)

    # drawn

    def _draw(self, person: Participant, ranged: Collection[Extent]) -> None:
        if person.drawing:
            return
        person.drawing, person.undrawn = True, len(person.extents)
        person.limits = self._scenes.limits(ranged) if ranged else None
        for job in sorted(person.extents, key=lambda job: job.source.path, reverse=True):
            made = self._scenes.made(person, [job])
            coloring = self._scenes.coloring(job, person.limits)
            earlier = self._recorded(self._place(job), [job])
            if earlier and earlier.shows(made, [coloring.dump()], job.shape.sampling):
                self._kept(job, earlier)
                self._settled(person, job)
            else:
                arguments = self._scenes.arguments([job], [coloring], made, person.extents[job])
                arguments |= {"folder": str(self._place(job).parent), "stem": job.source.stem}
                self._submit("draw", {**arguments, "title": job.source.title}, job.need, (job,))

    def _settled(self, person: Participant, job: Job, *, failed: bool = False) -> None:
        """One job of a participant's is done; after the last of several, draw all together."""
        person.undrawn -= 1
        if not failed:
            person.done.append(job)
        if self.settings.overview and not person.undrawn and len(person.jobs) > 1 and person.done:
            self._overview(person)

    def _overview(self, person: Participant) -> None:
        jobs = sorted(person.done, key=lambda job: job.source.path)
        missing = [bundle(job.source) for job in person.jobs if job not in person.done]
        made = self._scenes.made(person, jobs, missing)
        colorings = [self._scenes.legend(job, person.limits) for job in jobs]
        place = overview_place(self.settings.output, jobs)
        earlier = self._recorded(place, jobs)
        if earlier and earlier.shows(made, [one.dump() for one in colorings], jobs[0].shape.sampling):
            self.outcome.overviews.append(place.with_name(earlier.told["Pictures"][-1]))
            return
        largest = max(jobs, key=lambda job: job.need)
        arguments = self._scenes.arguments(jobs, colorings, made, {"low": made["Frame"][0], "high": made["Frame"][1]})
        arguments["making"] = self._scenes.making(largest)
        arguments |= {"folder": str(place.parent), "stem": place.stem, "title": _overview_title(jobs)}
        self._submit("draw", arguments, largest.need, tuple(jobs))

    # what came of it

    def _take(self, event: Event, jobs: tuple[Job, ...]) -> None:
        job, measuring = jobs[0], event.task.action == "measure"
        key = (event.task.action, *jobs)
        if event.again and key not in self._tried:
            self._tried.add(key)
            self._try_again(event, job)
            return
        if len(jobs) > 1:
            self._overviewed(event, jobs)
            return
        person = self._people[job.source.participant]
        if event.failed:
            self._fail(job, event.failed)
        if measuring and (event.failed or event.done):
            person.unmeasured -= 1
            if event.done:
                person.extents[job] = event.done
            self._frame(person)
        elif event.done or event.failed:
            if event.done:
                self._drawn(job, event)
            self._settled(person, job, failed=bool(event.failed))
        self._advance(job, _part(event, job))

    def _overviewed(self, event: Event, jobs: Sequence[Job]) -> None:
        """All bundles together are drawn, or could not be."""
        place = overview_place(self.settings.output, jobs)
        if event.failed:
            sentence = f"the picture of all bundles, {place.stem}: {event.failed}"
            log.error("%s", sentence)
            self.outcome.others.append(sentence)
            self._journal.write("failed", source=place.stem, why=sentence)
        elif event.done:
            self.outcome.overviews.append(place.with_name(event.done["Pictures"][-1]))
            log.info("drew %d bundles together: %s", len(jobs), place.stem)
            self._journal.write("drawn", source=place.stem, need=event.task.need, peak=event.peak)

    def _advance(self, job: Job, part: float) -> None:
        """Tell how much of the run is done, of all files' bytes."""
        self._share += (part - self._parts[job]) * job.bytes / self._bytes
        self._parts[job] = part
        self._tell(len(self.outcome.drawn) + len(self.outcome.kept), self._share)

    def _try_again(self, event: Event, job: Job) -> None:
        """Once more, alone and smaller, with all the memory there is."""
        self.outcome.retries += 1
        log.warning("%s: %s; it is tried again, alone and smaller", job.source.name, event.failed)
        self._journal.write("again", source=job.source.name, action=event.task.action, why=event.failed)
        shape, arguments = plan.smaller(job.content, job.shape), dict(event.task.arguments)
        if "making" in arguments:
            arguments["making"] = {**arguments["making"], "max_points": shape.max_points, "passes": shape.passes}
        else:
            arguments["max_points"] = shape.max_points
        room = min(self.planned.room, self.watch.room())  # less than planned where the limit has changed
        need = max(event.task.need, room)
        self._pool.submit(replace(event.task, arguments=arguments, need=need, alone=True))

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

    def _pictures(self, job: Job, told: Mapping[str, Any]) -> list[Path]:
        return [self.settings.output / job.source.folder / name for name in told["Pictures"]]


def overview_place(output: Path, jobs: Sequence[Job]) -> Path:
    """The JSON file of the picture of several tractograms together, in the figures of the one they are of."""
    source = jobs[0].source
    folder = Path(f"sub-{source.participant}", "figures") if source.participant else Path("figures")
    stem = f"sub-{source.participant}_desc-overview" if source.participant else "desc-overview"
    return output / folder / f"{stem}.json"


def _overview_title(jobs: Sequence[Job]) -> str:
    participant = jobs[0].source.participant
    return f"sub-{participant}" if participant else "all bundles"


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
    for bad, why in planned.failed:
        journal.write("failed", source=bad.name, why=why)
    outcome = Run(settings, planned, watch, journal, tell).go()
    peak, whose = watch.peak()
    counts = {name: len(getattr(outcome, name)) for name in ("drawn", "kept", "failed")}
    journal.write("ended", **counts, retries=outcome.retries, peak=peak, peak_is=whose)
    return outcome
