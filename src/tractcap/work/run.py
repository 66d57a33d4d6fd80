"""A run carries out the plan: measures each participant's tractograms, draws them in one frame, and tells."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.drawing.piece import WHOLE, Piece
from tractcap.inputs.layout import Source
from tractcap.limits import Watch, as_mb
from tractcap.limits.threads import environment
from tractcap.records.whose import EMPTY, FAILED
from tractcap.work import pieces, plan
from tractcap.work.about import place, tell_of_undrawn
from tractcap.work.checking import Checking, Order, Tally
from tractcap.work.images import Box
from tractcap.work.journal import Journal
from tractcap.work.overview import overview_place, together
from tractcap.work.pool import Event, Limits, Pool, Task
from tractcap.work.prepare import Job, Planned, Settings, outline_need
from tractcap.work.resume import Recorded, plain, recorded
from tractcap.work.scenes import Extent, Participant, Scenes, source

log = logging.getLogger("tractcap")

_MEASURING = 0.1
"""Share of a job's progress that measuring stands for."""


@dataclass
class Outcome:
    """What a run did.

    ``drawn`` and ``kept`` (from an earlier run) hold the pictures of each tractogram, the mosaic last; ``failed`` why
    others have none, ``empty`` why there is nothing to draw; ``parted`` those that other shards
    have pieces of too; ``overviews`` are the mosaics of several tractograms
    together, ``pages`` the participants', ``others`` sentences why some of these could not be made; ``retries`` counts
    the jobs that were tried again, ``checks`` what became of measures of quality.
    """

    drawn: dict[Source, list[Path]] = field(default_factory=dict)
    kept: dict[Source, list[Path]] = field(default_factory=dict)
    failed: dict[Source, str] = field(default_factory=dict)
    empty: dict[Source, str] = field(default_factory=dict)
    parted: list[Source] = field(default_factory=list)
    overviews: list[Path] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    retries: int = 0
    checks: Tally = field(default_factory=Tally)

    def summary(self, planned: Planned, watch: Watch) -> Iterator[str]:
        """What was done, and with what memory, in a few lines; failures with their causes last."""
        peak, whose = watch.peak()
        kept = f", {len(self.kept)} kept from an earlier run" * bool(self.kept)
        again = f", {self.retries} tried again" * bool(self.retries)
        empty = f", {len(self.empty)} empty" * bool(self.empty)
        failed = f", {len(self.failed)} failed" * bool(self.failed)
        parted = f", {len(self.parted)} drawn in part" * bool(self.parted)
        yield f"{len(self.drawn)} drawn{kept}{parted}{again}{empty}{failed}"
        yield from self.checks.summary()
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
        self._checking = Checking(settings, planned, watch)
        self.outcome = Outcome(checks=self._checking.tally)
        self._outlines: dict[Path, Box | None] = dict(planned.outlines)
        self._scenes = Scenes(settings, self._outlines, watch.budget)
        self._parts: dict[Job, float] = defaultdict(float)  # of each job, from 0 to 1
        self._share = 0.0
        self._tried: set[int] = set()  # tasks that were tried again, and those that draw several together, by number
        self._together: set[int] = set()
        self._orders: dict[int, Order] = {}  # checks, by their tasks' numbers
        self._tasks: dict[int, tuple[str, tuple[Job, ...]]] = {}  # whom and what tasks are about, by their number
        self._bytes = max(1, sum(job.bytes for job in planned.jobs))

    def go(self) -> Outcome:
        """Measure and draw everything, a batch of participants at a time; a job that fails leaves others alone."""
        everyone: dict[str, Participant] = {}
        for job in self.planned.jobs:
            everyone.setdefault(job.source.participant, Participant()).jobs.append(job)
        empty = ((one, f"{one.name} stands without a tractogram: it has no streamlines") for one in self.planned.empty)
        for status, undrawn in ((FAILED, self.planned.failed), (EMPTY, empty)):
            for one, why in undrawn:
                everyone.setdefault(one.participant, Participant())  # has a page too
                self._undrawn(one, status, why)
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
            for name, person in people.items():
                self._measure(name, person)
            for name in people:
                self._frame(name)
            for event in pool.events():
                self._take(event, *self._tasks[event.task.number])
                if self.outcome.failed and settings.stop_on_first_crash:
                    return False
        return True

    def _submit(self, action: str, arguments: dict[str, Any], need: int, name: str, jobs: tuple[Job, ...] = ()) -> int:
        number = len(self._tasks)
        self._tasks[number] = (name, jobs)
        self._pool.submit(
            Task(action, arguments, need, number=number), first=action in ("draw", "piece", "merge", "page")
        )
        return number

    # measured

    def _measure(self, name: str, person: Participant) -> None:
        """Measure what no earlier run has measured."""
        at = {job: place(self.settings.output, job.source) for job in person.jobs}
        earlier = {job: self._recorded(at[job], [job], say=job.mine) for job in person.jobs}
        for job, told in earlier.items():
            if told and (extent := told.extent(plain(self._scenes.measured_by(job)))):
                person.extents[job] = extent
        missing = [job for job in person.jobs if job not in person.extents]
        outlined = [told for told in earlier.values() if told]
        new = [job for path, job in person.references.items() if not self._outlined(job, outlined)]
        person.unmeasured = len(missing) + len(new)
        for job in new:
            self._submit("outline", {"path": str(job.images.reference)}, outline_need(job), name, (job,))
        for job in missing:
            arguments: dict[str, Any] = {"path": str(job.source.path), "vtk_space": self.settings.vtk_space}
            arguments |= {"max_points": job.shape.max_points, "coloring": self._scenes.asked(job).dump()}
            self._submit("measure", arguments, job.need, name, (job,))

    def _outlined(self, job: Job, earlier: Sequence[Recorded]) -> bool:
        """Whether the outline of a job's reference is known, from this run or an earlier one."""
        if (reference := job.reference) and reference.path not in self._outlines:
            known = (box for told in earlier if (box := told.outline(reference)))
            if (box := next(known, None)) is None:
                return False
            self._outlines[reference.path] = box
        return True

    def _recorded(self, sidecar: Path, jobs: Sequence[Job], *, say: bool = True) -> Recorded | None:
        return None if self.settings.overwrite else recorded(sidecar, [source(job) for job in jobs], say=say)

    def _frame(self, name: str) -> None:
        """Once all that shares a frame, or a range of colours, is measured, draw it."""
        person = self._people[name]
        if not self.settings.coloring.over_group:
            if not person.unmeasured:
                self._draw(name, person.extents.values())
        elif not any(one.unmeasured for one in self._people.values()):
            extents = [extent for one in self._people.values() for extent in one.extents.values()]
            for one in self._people:
                self._draw(one, extents)

    # drawn

    def _draw(self, name: str, ranged: Collection[Extent]) -> None:
        person = self._people[name]
        if person.drawing:
            return
        mine = [job for job in person.extents if job.mine]
        person.drawing, person.undrawn = True, len(mine)
        person.limits = self._scenes.limits(ranged) if ranged else None
        for job in sorted(mine, key=lambda job: job.source.path, reverse=True):
            made = self._scenes.made(person, [job])
            coloring = self._scenes.coloring(job, person.limits)
            at = place(self.settings.output, job.source)
            earlier = self._recorded(at, [job], say=False)
            if earlier and earlier.shows(made, [coloring.dump()], job.shape.sampling):
                self._kept(job, earlier)
                person.undrawn -= 1
                person.done.append(job)
                continue
            arguments = self._scenes.arguments([job], [coloring], made, person.extents[job])
            arguments |= {"folder": str(at.parent), "stem": job.source.stem, "title": job.source.title}
            if job.pieces == (WHOLE,):
                self._submit("draw", arguments, job.need, name, (job,))
            else:
                self._draw_pieces(name, job, arguments)
        if not person.undrawn:
            self._settled(name)

    def _draw_pieces(self, name: str, job: Job, arguments: dict[str, Any]) -> None:
        """Draw those pieces of a tractogram that are to be drawn here, and aren't there yet."""
        person = self._people[name]
        person.begun[job] = arguments = arguments | {"making": self._scenes.making(job.shape)}
        folder = pieces.place(Path(arguments["folder"]), arguments["stem"])
        missing = [one for one in job.pieces if not pieces.there(pieces.file_of(folder, one), arguments)]
        person.to_come[job] = len(missing)
        need = plan.need(job.content, plan.merging(job.content, job.shape))
        for piece in missing:
            content, shape = plan.of_piece(job.content, job.shape, piece.drawn)
            order = {"arguments": arguments | {"making": self._scenes.making(shape)}, "piece": asdict(piece)}
            self._submit("piece", order | {"need": need}, plan.need(content, shape), name, (job,))
        if not missing:
            self._merge(name, job)

    def _merge(self, name: str, job: Job) -> None:
        """Make the pictures of pieces that are there, unless others are still to be drawn by other shards."""
        person = self._people[name]
        arguments, count = person.begun[job], job.pieces[0].count
        folder = pieces.place(Path(arguments["folder"]), arguments["stem"])
        all_of_them = [pieces.file_of(folder, Piece(index, count)) for index in range(count)]
        if job.source in self.outcome.failed or not all(pieces.there(one, arguments) for one in all_of_them):
            person.undrawn -= 1
            self._waits(person, job)
            return
        need = plan.need(job.content, plan.merging(job.content, job.shape))
        self._submit("merge", {"folder": str(folder)}, need, name, (job,))

    def _waits(self, person: Participant, job: Job) -> None:
        if job.source in self.outcome.failed:
            return
        person.done.append(job)
        self.outcome.parted.append(job.source)
        which = f"{len(job.pieces)} of {job.pieces[0].count} pieces"
        log.info("drew %s of %s: whichever share draws the last one merges them", which, job.source.name)
        self._journal.write("parted", source=job.source.name, pieces=which)

    def _settled(self, name: str) -> None:
        """All of a participant's jobs are drawn: draw them together, check them, and write the page."""
        person = self._people[name]
        drawn = {*person.done, *(job for job in person.extents if not job.mine)}
        for jobs in together(person.jobs) if self.settings.overview else []:
            if jobs[0].leads and (done := [job for job in jobs if job in drawn]):
                self._overview(name, done, [job for job in jobs if job not in drawn])
        self._check(name)
        self._page(name)  # with what there is; once more when all is there

    def _check(self, name: str) -> None:
        """Check what was drawn here."""
        person = self._people[name]
        for job in sorted(person.done, key=lambda job: job.source.path):
            for order in self._checking.orders(job) if job.leads else ():
                number = self._submit("check", dict(order.arguments), order.need, name, (job,))
                self._orders[number] = order
                person.awaited += 1

    def _overview(self, name: str, jobs: list[Job], left_out: list[Job]) -> None:
        person = self._people[name]
        made = self._scenes.made(person, jobs, [job.source.bundle.readable for job in left_out])
        colorings = [self._scenes.legend(job, person.limits) for job in jobs]
        at = overview_place(self.settings.output, jobs[0].source)
        earlier = self._recorded(at, jobs)
        if earlier and earlier.shows(made, [one.dump() for one in colorings], jobs[0].shape.sampling):
            self.outcome.overviews.append(at.with_name(earlier.record.pictures[-1]))
            return
        largest = max(jobs, key=lambda job: job.need)
        arguments = self._scenes.arguments(jobs, colorings, made, {"low": made["Frame"][0], "high": made["Frame"][1]})
        arguments["making"] = self._scenes.making(largest.shape)
        arguments |= {"folder": str(at.parent), "stem": at.stem, "title": arguments["about"]["Title"]}
        person.awaited += 1
        # not to be known by its jobs: only one may have been drawn
        self._together.add(self._submit("draw", arguments, largest.need, name, tuple(jobs)))

    def _page(self, name: str) -> None:
        """Write a participant's page, after the one that may be on its way: the later must be the last."""
        person = self._people[name]
        person.outdated = person.paging
        if person.paging:
            return
        person.paging = True
        self._submit("page", {"output": str(self.settings.output), "participant": name}, plan.BASE, name)

    # what came of it

    def _take(self, event: Event, name: str, jobs: tuple[Job, ...]) -> None:
        number = event.task.number
        if event.again and number not in self._tried:
            self._tried.add(number)
            self._try_again(event, name, jobs)
        elif event.task.action == "page":
            self._paged(event, name)
        elif event.task.action == "outline":
            self._outline(event, name, jobs[0])
        elif number in self._orders:
            self._checked(event, name, self._orders[number])
        elif number in self._together:
            self._overviewed(event, name, jobs)
        else:
            self._told(event, name, jobs[0])

    def _told(self, event: Event, name: str, job: Job) -> None:
        """A job was measured or drawn, or is on its way."""
        person = self._people[name]
        if event.failed:
            self._fail(job, event.failed)
        self._advance(job, _part(event, job, person.to_come[job]))
        if not (event.done or event.failed):
            return
        if event.task.action == "measure":
            person.unmeasured -= 1
            if event.done:
                person.extents[job] = event.done
            self._frame(name)
            return
        if event.task.action == "piece":
            self._pieced(person, job, event)
            if not person.to_come[job]:
                self._merge(name, job)
        else:
            person.undrawn -= 1
            if event.done:
                person.done.append(job)
                self._drawn(job, event)
        if not person.undrawn:
            self._settled(name)

    def _pieced(self, person: Participant, job: Job, event: Event) -> None:
        person.to_come[job] -= 1
        if event.done:
            piece = Piece(**event.task.arguments["piece"])
            which = f"{piece.index + 1}/{piece.count}"
            self._journal.write("piece", source=job.source.name, piece=which, need=event.task.need, peak=event.peak)

    def _outline(self, event: Event, name: str, job: Job) -> None:
        """The head in a found reference image is known, or the image is no use."""
        path = job.images.reference
        if path is None or not (event.done or event.failed):
            return
        self._outlines[path] = (event.done["low"], event.done["high"]) if event.done else None
        if event.failed:
            sentence = event.failed if str(path) in event.failed else f"{path}: {event.failed}"
            log.warning("%s; sub-%s is drawn without a reference image", sentence, name)
        self._people[name].unmeasured -= 1
        self._frame(name)

    def _overviewed(self, event: Event, name: str, jobs: Sequence[Job]) -> None:
        """All bundles together are drawn, or could not be."""
        at = overview_place(self.settings.output, jobs[0].source)
        if event.failed:
            self._other_failed(f"the picture of all bundles, {at.stem}: {event.failed}", at.stem)
        elif event.done:
            self.outcome.overviews.append(at.with_name(event.done["Pictures"][-1]))
            log.info("drew %d bundle%s together: %s", len(jobs), "s" * (len(jobs) > 1), at.stem)
            self._journal.write("drawn", source=at.stem, need=event.task.need, peak=event.peak)
        if event.failed or event.done:
            self._arrived(name)

    def _checked(self, event: Event, name: str, order: Order) -> None:
        """A check was made, or could not be."""
        which = f"{order.check.name} of {order.job.source.name}"
        if event.failed:
            self._checking.fail(order, event.failed)
            self._journal.write("failed", source=which, why=event.failed)
        elif event.done:
            self._checking.made(order, event.done)
            log.info("checked %s", which)
            self._journal.write("checked", source=which, need=event.task.need, peak=event.peak)
        if event.failed or event.done:
            self._arrived(name)

    def _arrived(self, name: str) -> None:
        """Something that a participant's page waits for is there."""
        person = self._people[name]
        person.awaited -= 1
        if not person.awaited:
            self._page(name)

    def _paged(self, event: Event, name: str) -> None:
        if event.failed:
            whose = f"sub-{name}" if name else "all tractograms"
            self._other_failed(f"the page of {whose}: {event.failed}", whose)
        elif event.done and event.done["path"]:
            path = self.settings.output / event.done["path"]
            self.outcome.pages += [path] if path not in self.outcome.pages else []
        if event.failed or event.done:
            person = self._people[name]
            person.paging = False
            if person.outdated:
                self._page(name)

    def _other_failed(self, sentence: str, source: str) -> None:
        log.error("%s", sentence)
        self.outcome.others.append(sentence)
        self._journal.write("failed", source=source, why=sentence)

    def _advance(self, job: Job, part: float) -> None:
        """Tell how much of the run is done, of all files' bytes."""
        self._share += (part - self._parts[job]) * job.bytes / self._bytes
        self._parts[job] = part
        self._tell(len(self.outcome.drawn) + len(self.outcome.kept), self._share)

    def _try_again(self, event: Event, name: str, jobs: Sequence[Job]) -> None:
        """Once more, alone and smaller, with all the memory there is."""
        self.outcome.retries += 1
        what = f"{event.task.action} {jobs[0].source.name}" if jobs else f"the page of sub-{name}"
        log.warning("%s: %s; it is tried again, alone and smaller", what, event.failed)
        self._journal.write("again", source=what, action=event.task.action, why=event.failed)
        room = min(self.planned.room, self.watch.room())  # less than planned where the limit has changed
        arguments, need = _smaller(event.task, jobs), max(event.task.need, room)
        self._pool.submit(replace(event.task, arguments=arguments, need=need, alone=True))

    def _fail(self, job: Job, why: str) -> None:
        path = str(job.source.path)
        if job.source in self.outcome.failed:
            return  # another piece of it told
        if not job.mine:
            log.warning("%s; another shard tells of it", why if path in why else f"{path}: {why}")
            return
        self._undrawn(job.source, FAILED, why if path in why else f"{path}: {why}", (job.bytes, job.modified))
        log.error("%s", self.outcome.failed[job.source])

    def _undrawn(self, source: Source, status: str, why: str, state: tuple[int, int] | None = None) -> None:
        """Tell of a tractogram that has no pictures, beside where they would be too."""
        (self.outcome.failed if status == FAILED else self.outcome.empty)[source] = why
        self._journal.write(status, source=source.name, why=why)
        try:
            tell_of_undrawn(self.settings.output, source, status, why, state)
        except OSError as error:
            at = place(self.settings.output, source)
            log.error("%s can't be written (%s): no page will tell of it", at, error.strerror)

    def _kept(self, job: Job, earlier: Recorded) -> None:
        self.outcome.kept[job.source] = self._pictures(job, earlier.record.pictures)
        self._advance(job, 1.0)
        log.debug("kept %s: its pictures are there, of the same file and options", job.source.name)
        self._journal.write("kept", source=job.source.name)

    def _drawn(self, job: Job, event: Event) -> None:
        told: Any = event.done
        self.outcome.drawn[job.source] = self._pictures(job, told["Pictures"])
        for note in _notes(told):
            log.warning("%s: %s", job.source.name, note)
        log.info("drew %s: %s streamlines", job.source.name, f"{told['StreamlinesDrawn']:,}")
        self._journal.write("drawn", source=job.source.name, need=event.task.need, peak=event.peak)

    def _pictures(self, job: Job, names: Sequence[str]) -> list[Path]:
        return [self.settings.output / job.source.folder / name for name in names]


def _smaller(task: Task, jobs: Sequence[Job]) -> dict[str, Any]:
    """A task's arguments, so that it takes less memory where it can."""
    arguments = dict(task.arguments)
    if "making" in arguments:
        shape = plan.smaller(jobs[0].content, jobs[0].shape)
        arguments["making"] = {**arguments["making"], "max_points": shape.max_points, "passes": shape.passes}
    elif "piece" in arguments:
        one_by_one = (1,) * len(Piece(**arguments["piece"]).drawn)
        told = arguments["arguments"]
        arguments["arguments"] = told | {"making": told["making"] | {"passes": one_by_one}}
    elif "max_points" in arguments:
        arguments["max_points"] = plan.CHUNKS[-1]
    return arguments


def _part(event: Event, job: Job, to_come: int) -> float:
    """How much of a job is done: a tenth is measuring, the rest drawing."""
    action, points = event.task.action, max(1, job.header["points"])
    if action == "piece":
        points = max(1, int(min(points, Piece(**event.task.arguments["piece"]).bounds(points)[1])))
    part = 1.0 if event.failed or event.done else min(1.0, event.progress / points)
    if action == "piece":
        part = (len(job.pieces) - to_come + part) / len(job.pieces)
    drawing = action != "measure" or event.failed
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
        jobs=sum(job.mine for job in planned.jobs),
    )
    outcome = Run(settings, planned, watch, journal, tell).go()
    peak, whose = watch.peak()
    counts = {name: len(getattr(outcome, name)) for name in ("drawn", "kept", "empty", "failed")}
    journal.write("ended", **counts, retries=outcome.retries, peak=peak, peak_is=whose)
    return outcome
