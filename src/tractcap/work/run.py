"""A run carries out the plan: each participant's tractograms are measured, drawn in one frame, checked, and told of."""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.inputs.search import Source
from tractcap.limits import Watch, as_mb
from tractcap.limits.worker_limits import environment
from tractcap.records.identity import DRAWN, EMPTY, FAILED
from tractcap.records.piece import WHOLE, Piece
from tractcap.work import piece_files, plan
from tractcap.work.about import place, tell_of_undrawn
from tractcap.work.checking import KEPT, CheckCounts, ParticipantChecks, PlannedCheck, RunChecks
from tractcap.work.failures import Failures
from tractcap.work.journal import Journal
from tractcap.work.overview import overview_place, together
from tractcap.work.pool import Event, Pool, PoolLimits, Task
from tractcap.work.prepare import Job, RunPlan, Settings, outline_need
from tractcap.work.resume import Recorded, plain, recorded
from tractcap.work.scenes import Participant, Scenes, source
from tractcap.work.spool import Spool
from tractcap.work.steps import MakeWorkers, Step, Story, carry_on

log = logging.getLogger("tractcap")

_MEASURING = 0.1
"""Share of a job's progress that measuring stands for."""

PARTED = "parted"
"""What became of a tractogram of which other shards draw pieces too."""


@dataclass
class RunOutcome:
    """What a run did, in numbers: it is as small for a hundred thousand tractograms as for one.

    So many tractograms were ``drawn``, or ``kept`` from an earlier run; are ``empty``; are ``parted`` among shards that
    draw pieces of them. ``failed`` are those that could not be drawn, or aren't there, ``others`` what could not be
    made of several of them. ``retries`` counts what was tried again, ``checks`` what became of measures of quality.
    ``too_small`` says of the memory that it was too little for anything.
    """

    drawn: int = 0
    kept: int = 0
    empty: int = 0
    parted: int = 0
    failed: Failures = field(default_factory=Failures)
    others: Failures = field(default_factory=Failures)
    retries: int = 0
    checks: CheckCounts = field(default_factory=CheckCounts)
    too_small: str = ""

    @property
    def whole(self) -> bool:
        """Whether all that could be drawn and made was."""
        return not (self.failed or self.others or self.checks.failed)

    def summary(self, planned: RunPlan, watch: Watch) -> Iterator[str]:
        """What was done, and with what memory, in a few lines; failures with their causes last."""
        peak, whose = watch.peak()
        counts = {"kept from an earlier run": self.kept, "drawn in part": self.parted, "tried again": self.retries}
        counts |= {"empty": self.empty, "failed": len(self.failed)}
        yield ", ".join([f"{self.drawn} drawn", *(f"{count} {what}" for what, count in counts.items() if count)])
        yield from self.checks.summary()
        workers = f"{planned.crew.workers} worker{'s' * (planned.crew.workers > 1)}"
        yield f"{watch.budget.describe()}; {workers}; peak {as_mb(peak)} MB ({whose})"
        yield from self.failed.summary()
        yield from self.others.summary()


@dataclass(frozen=True)
class TractogramOutcome:
    """What became of one tractogram: its ``pictures``, the mosaic last, or ``why`` it has none."""

    source: Source
    status: str
    pictures: tuple[Path, ...] = ()
    why: str = ""


class RunListener:
    """Hears of a run as it goes on, and keeps of it what it likes; this one keeps nothing."""

    def progress(self, finished: int, share: float) -> None:
        """So many tractograms have pictures, and so much of all work is done."""

    def told(self, told: TractogramOutcome) -> None:
        """It is known what became of a tractogram."""

    def made(self, paths: Sequence[Path]) -> None:
        """A participant is done: its mosaics, its overviews, and its page."""


class Run:
    """Carries out what was planned; ``outcome`` counts as it goes."""

    def __init__(
        self,
        settings: Settings,
        planned: RunPlan,
        watch: Watch,
        journal: Journal,
        listener: RunListener,
        make_workers: MakeWorkers = Pool,
    ) -> None:
        self._settings, self._planned, self._watch = settings, planned, watch
        self._journal, self._listener, self._make_workers = journal, listener, make_workers
        self._checks = RunChecks(settings, planned, journal)
        self._scenes = Scenes(settings, watch.budget)
        self._bytes = 0.0  # of files, that are done with
        self.outcome = RunOutcome(checks=self._checks.tally, too_small=planned.too_small)

    def go(self) -> RunOutcome:
        """Draw everyone, a batch of participants at a time; what fails leaves others alone."""
        people, stories = self._planned.people, self._over_group if self._settings.coloring.over_group else self._each
        size = self._settings.batch_size or len(people)
        for first in range(0, len(people), size):
            if not self._carry_out(stories(people[first : first + size])):
                break
        return self.outcome

    def _carry_out(self, phases: Iterator[Iterator[Story]]) -> bool:
        """Carry out stories; False when the run is to stop. Its workers are gone afterwards."""
        crew, settings = self._planned.crew, self._settings
        limits = PoolLimits(crew.workers, self._planned.room, crew.threads, settings.timeout, self._planned.usual)
        with self._make_workers(limits, self._watch, environment(crew.threads)) as workers:
            for stories in phases:
                for _ in carry_on(stories, workers, 3 * crew.workers + 8):
                    if self.outcome.failed and settings.stop_on_first_crash:
                        return False
        return True

    # the story of a participant

    def _each(self, people: Sequence[str]) -> Iterator[Iterator[Story]]:
        """One after the other, each by itself."""

        def story(name: str) -> Story:
            person = self._begin(name)
            yield from self._safe(person, self._measured(person), self._drawn(person))

        yield map(story, people)

    def _over_group(self, people: Sequence[str]) -> Iterator[Iterator[Story]]:
        """Everyone is measured before anyone is drawn: one range of colours is for all."""
        spool: Spool[Participant] = Spool(self._settings.scratch)

        def measure(name: str) -> Story:
            person = self._begin(name)
            yield from self._safe(person, self._measured(person))
            spool.add(name, [person])

        def draw(limits: tuple[float, float] | None, name: str) -> Story:
            for person in spool.of(name):
                person.limits = limits
                yield from self._safe(person, self._drawn(person))

        yield map(measure, people)
        extents = (extent for name in people for person in spool.of(name) for extent in person.extents.values())
        yield map(partial(draw, self._scenes.limits(extents)), people)

    def _safe(self, person: Participant, *stories: Story) -> Story:
        """What goes wrong here of a participant, as it never should, costs that one alone."""
        try:
            for story in stories:
                yield from story
        except Exception as error:
            why = f"an unexpected error, which is a defect of tractcap: {type(error).__name__}: {error}"
            log.debug("%s", traceback.format_exc())
            self._other_failed(f"{person.who}: {why}", person.who)
            for job in person.jobs:
                if job.mine and job not in person.told:
                    self._undrawn(job.source, FAILED, f"{job.source.path}: {why}")
            yield self._page(person)
            self._made(person)

    def _begin(self, name: str) -> Participant:
        jobs, undrawn = self._planned.of(name)
        for one in undrawn:
            self._undrawn(one.source, one.status, one.why)
        return Participant(name, jobs, dict(self._planned.outlines))

    def _measured(self, person: Participant) -> Story:
        """Read all that shares a frame for its extent, as far as no earlier run has."""
        yield self._measuring(person)
        if person.extents and not self._settings.coloring.over_group:
            person.limits = self._scenes.limits(person.extents.values())

    def _drawn(self, person: Participant) -> Story:
        """Draw each tractogram, then all together; check them; and write the page, with what there is, and with all."""
        yield self._drawing(person)
        checking = self._checks.of(person.jobs)
        overviews = list(self._overviews(person))
        yield [*overviews, *self._page(person), *checking.looks()]
        orders = [order for job in _by_path(person.done) if job.leads for order in checking.orders(job)]
        yield [self._checking(checking, order) for order in orders]
        if overviews or orders:
            yield self._page(person)
        self._made(person)

    def _made(self, person: Participant) -> None:
        pages = [person.page] if person.page else []
        self._listener.made([*sorted(person.mosaics), *sorted(person.overviews), *pages])

    # measured

    def _measuring(self, person: Participant) -> list[Step]:
        """The steps of measuring what no earlier run has measured."""
        at = {job: place(self._settings.output, job.source) for job in person.jobs}
        earlier = {job: self._recorded(at[job], [job], say=job.mine) for job in person.jobs}
        for job, told in earlier.items():
            if told and (extent := told.extent(plain(self._scenes.measured_by(job)))):
                person.extents[job] = extent
        for job in person.references.values():
            self._outlined_before(person, job, [told for told in earlier.values() if told])
        new = [job for path, job in person.references.items() if path not in person.outlines]
        missing = [job for job in person.jobs if job not in person.extents]
        return [*(self._outlining(person, job) for job in new), *(self._measure(person, job) for job in missing)]

    def _outlined_before(self, person: Participant, job: Job, earlier: Sequence[Recorded]) -> None:
        """Take the outline of a job's reference from an earlier run, if it is known."""
        if (reference := job.reference) and reference.path not in person.outlines:
            known = (box for told in earlier if (box := told.outline(reference)))
            if box := next(known, None):
                person.outlines[reference.path] = box

    def _outlining(self, person: Participant, job: Job) -> Step:
        path = str(job.images.reference)

        def outlined(event: Event) -> None:
            person.outlines[Path(path)] = (event.done["low"], event.done["high"]) if event.done else None
            if event.failed:
                sentence = event.failed if path in event.failed else f"{path}: {event.failed}"
                log.warning("%s; %s is drawn without a reference image", sentence.rstrip("."), person.who)

        return self._step("outline", {"path": path}, outline_need(job), outlined, job)

    def _measure(self, person: Participant, job: Job) -> Step:
        def measured(event: Event) -> None:
            if event.done:
                person.extents[job] = event.done
            else:
                self._fail(person, job, event)

        arguments: dict[str, Any] = {"path": str(job.source.path), "vtk_space": self._settings.vtk_space}
        arguments |= {"max_points": job.shape.max_points, "coloring": self._scenes.asked(job).plain()}
        return self._step("measure", arguments, job.need, measured, job, partial(self._advance, person, job))

    def _recorded(self, sidecar: Path, jobs: Sequence[Job], *, say: bool = True) -> Recorded | None:
        return None if self._settings.overwrite else recorded(sidecar, [source(job) for job in jobs], say=say)

    # drawn

    def _drawing(self, person: Participant) -> Iterator[Step]:
        """The steps of drawing what no earlier run has drawn the same way."""
        for job in _by_path(job for job in person.extents if job.mine):
            made = self._scenes.made(person, [job])
            coloring = self._scenes.coloring(job, person.limits)
            at = place(self._settings.output, job.source)
            earlier = self._recorded(at, [job], say=False)
            if earlier and earlier.shows(made, [coloring.plain()], job.shape.sampling):
                self._kept(person, job, earlier)
                continue
            arguments = self._scenes.arguments(person, [job], [coloring], made, person.extents[job])
            arguments |= {"folder": str(at.parent), "stem": job.source.stem, "title": job.source.title}
            if job.pieces == (WHOLE,):
                yield self._draw(person, job, "draw", arguments, job.need)
            else:
                yield from self._draw_pieces(person, job, arguments)

    def _draw(self, person: Participant, job: Job, action: str, arguments: Mapping[str, Any], need: int) -> Step:
        def drawn(event: Event) -> None:
            if event.done:
                self._has_pictures(person, job, event)
            else:
                self._fail(person, job, event)

        return self._step(action, arguments, need, drawn, job, partial(self._advance, person, job))

    def _draw_pieces(self, person: Participant, job: Job, arguments: dict[str, Any]) -> Iterator[Step]:
        """The steps of drawing those pieces that are to be drawn here, and aren't there yet; the last one merges."""
        arguments |= {"making": self._scenes.making(job.shape)}
        folder = piece_files.place(Path(arguments["folder"]), arguments["stem"])
        missing = [one for one in job.pieces if not piece_files.there(piece_files.file_of(folder, one), arguments)]
        to_come = set(missing)

        def drawn(piece: Piece, event: Event) -> Iterator[Step]:
            to_come.remove(piece)
            which = f"{piece.index + 1}/{piece.count}"
            if event.done:
                self._journal.write("piece", source=job.source.name, piece=which, need=event.task.need, peak=event.peak)
            else:
                self._fail(person, job, event)
            return iter(()) if to_come else self._merge(person, job, arguments, folder)

        def advance(event: Event) -> None:
            self._advance(person, job, event, len(to_come))

        need = plan.need(job.content, plan.merging(job.content, job.shape))
        for piece in missing:
            content, shape = plan.of_piece(job.content, job.shape, piece.drawn)
            own = arguments | {"making": self._scenes.making(shape)}
            order = {"arguments": own, "piece": asdict(piece), "need": need}
            yield self._step("piece", order, plan.need(content, shape), partial(drawn, piece), job, advance)
        if not missing:
            yield from self._merge(person, job, arguments, folder)

    def _merge(self, person: Participant, job: Job, arguments: Mapping[str, Any], folder: Path) -> Iterator[Step]:
        """Make the pictures of pieces that are there, unless others are still to be drawn by other shards."""
        if job in person.told:  # one could not be drawn
            return
        count = job.pieces[0].count
        if all(
            piece_files.there(piece_files.file_of(folder, Piece(index, count)), arguments) for index in range(count)
        ):
            need = plan.need(job.content, plan.merging(job.content, job.shape))
            yield self._draw(person, job, "merge", {"folder": str(folder)}, need)
            return
        person.done.append(job)
        person.told.add(job)
        self.outcome.parted += 1
        which = f"{len(job.pieces)} of {count} pieces"
        log.info("drew %s of %s: whichever share draws the last one merges them", which, job.source.name)
        self._journal.write("parted", source=job.source.name, pieces=which)
        self._listener.told(TractogramOutcome(job.source, PARTED))

    def _overviews(self, person: Participant) -> Iterator[Step]:
        """The steps of drawing together what lies in one anatomy."""
        drawn = {*person.done, *(job for job in person.extents if not job.mine)}
        for jobs in together(person.jobs) if self._settings.overview else []:
            done = [job for job in jobs if job in drawn]
            if done and jobs[0].leads:
                yield from self._overview(person, done, [job for job in jobs if job not in (*drawn, *person.empty)])

    def _overview(self, person: Participant, jobs: list[Job], left_out: list[Job]) -> Iterator[Step]:
        made = self._scenes.made(person, jobs, [job.source.bundle.readable for job in left_out])
        colorings = [self._scenes.legend(job, person.limits) for job in jobs]
        at = overview_place(self._settings.output, jobs[0].source)
        earlier = self._recorded(at, jobs)
        if earlier and earlier.shows(made, [one.plain() for one in colorings], jobs[0].shape.sampling):
            person.overviews.append(at.with_name(earlier.record.pictures[-1]))
            return

        def drawn(event: Event) -> None:
            if not event.done:
                self._other_failed(f"the picture of all bundles, {at.stem}: {event.failed}", at.stem)
                return
            person.overviews.append(at.with_name(event.done["Pictures"][-1]))
            log.info("drew %d bundle%s together: %s", len(jobs), "s" * (len(jobs) > 1), at.stem)
            self._journal.write(DRAWN, source=at.stem, need=event.task.need, peak=event.peak)

        largest = max(jobs, key=lambda job: job.need)
        box = {"low": made["Frame"][0], "high": made["Frame"][1]}
        arguments = self._scenes.arguments(person, jobs, colorings, made, box)
        arguments["making"] = self._scenes.making(largest.shape)
        arguments |= {"folder": str(at.parent), "stem": at.stem, "title": arguments["about"]["Title"]}
        yield self._step("draw", arguments, largest.need, drawn, largest)

    # checked, and told of

    def _checking(self, checking: ParticipantChecks, order: PlannedCheck) -> Step:
        which = f"{order.check.name} of {order.job.source.name}"

        def checked(event: Event) -> None:
            if not event.done:
                checking.fail(order, event.failed)
                return
            checking.made(order, event.done)
            log.info("checked %s", which)
            self._journal.write("checked", source=which, need=event.task.need, peak=event.peak)

        return self._step("check", dict(order.arguments), order.need, checked, order.job)

    def _page(self, person: Participant) -> list[Step]:
        def written(event: Event) -> None:
            if event.failed:
                self._other_failed(f"the page of {person.who}: {event.failed}", person.who)
            elif event.done and event.done["path"]:
                person.page = self._settings.output / event.done["path"]

        arguments = {"output": str(self._settings.output), "participant": person.name}
        return [self._step("page", arguments, plan.BASE, written, person.who)]

    # what all steps have in common

    def _step(
        self,
        action: str,
        arguments: Mapping[str, Any],
        need: int,
        ended: Callable[[Event], Iterator[Step] | None],
        about: Job | str,
        heard: Callable[[Event], None] = lambda _event: None,
    ) -> Step:
        """A step that is tried again when its worker failed, alone and smaller, with all the memory there is."""

        def again(step: Step, event: Event) -> Iterator[Step]:
            self.outcome.retries += 1
            what = f"{action} {about.source.name}" if isinstance(about, Job) else f"the page of {about}"
            log.warning("%s: %s; it is tried again, alone and smaller", what, event.failed)
            self._journal.write("again", source=what, action=action, why=event.failed)
            room = min(self._planned.room, self._watch.room())  # less than planned where the limit has changed
            yield step.retry(arguments=_smaller(step.task, about), need=max(step.task.need, room))

        return Step(Task(action, arguments, need), ended, again, heard)

    def _advance(self, person: Participant, job: Job, event: Event, to_come: int = 0) -> None:
        """Tell how much of the run is done, of all files' bytes."""
        part = _part(event, job, to_come)
        self._share(person, job, part)

    def _share(self, person: Participant, job: Job, part: float) -> None:
        self._bytes += (part - person.parts.get(job, 0.0)) * job.bytes
        person.parts[job] = part
        self._listener.progress(self.outcome.drawn + self.outcome.kept, self._bytes / max(1, self._planned.bytes))

    def _fail(self, person: Participant, job: Job, event: Event) -> None:
        """A job could not be measured or drawn, or has nothing to draw."""
        path = str(job.source.path)
        why = event.failed if path in event.failed else f"{path}: {event.failed}"
        if job in person.told:
            return  # another piece of it told
        person.told.add(job)
        if event.status == EMPTY:
            person.empty.add(job)
        if job.mine:
            self._undrawn(job.source, event.status, why, (job.bytes, job.modified))
        else:
            log.warning("%s; another shard tells of it", why)

    def _undrawn(self, source: Source, status: str, why: str, state: tuple[int, int] | None = None) -> None:
        """Tell of a tractogram that has no pictures, beside where they would be too.

        Parameters
        ----------
        state : its bytes and when it was changed (ns), files beside it included, if that is known.
        """
        if status == EMPTY:
            self.outcome.empty += 1
            log.warning("%s", why)
        else:
            self.outcome.failed.add(why)
            log.error("%s", why)
        self._journal.write(status, source=source.name, why=why)
        try:
            tell_of_undrawn(self._settings.output, source, status, why, state)
        except OSError as error:
            at = place(self._settings.output, source)
            log.error("%s can't be written (%s): no page will tell of it", at, error.strerror)
        self._listener.told(TractogramOutcome(source, status, why=why))

    def _other_failed(self, sentence: str, source: str) -> None:
        log.error("%s", sentence)
        self.outcome.others.add(sentence)
        self._journal.write("failed", source=source, why=sentence)

    def _kept(self, person: Participant, job: Job, earlier: Recorded) -> None:
        self.outcome.kept += 1
        log.debug("kept %s: its pictures are there, of the same file and options", job.source.name)
        self._journal.write(KEPT, source=job.source.name)
        self._share(person, job, 1.0)
        self._pictures(person, job, KEPT, earlier.record.pictures)

    def _has_pictures(self, person: Participant, job: Job, event: Event) -> None:
        told: Any = event.done
        self.outcome.drawn += 1
        for note in _notes(told):
            log.warning("%s: %s", job.source.name, note)
        log.info("drew %s: %s streamlines", job.source.name, f"{told['StreamlinesDrawn']:,}")
        self._journal.write(DRAWN, source=job.source.name, need=event.task.need, peak=event.peak)
        self._pictures(person, job, DRAWN, told["Pictures"])

    def _pictures(self, person: Participant, job: Job, status: str, names: Sequence[str]) -> None:
        pictures = tuple(self._settings.output / job.source.folder / name for name in names)
        person.done.append(job)
        person.told.add(job)
        person.mosaics.append(pictures[-1])
        self._listener.told(TractogramOutcome(job.source, status, pictures))


def _by_path(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.source.path)


def _smaller(task: Task, about: Job | str) -> dict[str, Any]:
    """A task's arguments, so that it takes less memory where it can."""
    arguments = dict(task.arguments)
    if "making" in arguments and isinstance(about, Job):
        shape = plan.smaller(about.content, about.shape)
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
    planned: RunPlan,
    watch: Watch,
    listener: RunListener | None = None,
    make_workers: MakeWorkers = Pool,
) -> RunOutcome:
    """Do what was planned, and keep a journal of it beside the outputs.

    Parameters
    ----------
    listener : hears what becomes of each tractogram. make_workers : makes what draws.
    """
    journal = Journal(settings.output)
    crew, budget = planned.crew, watch.budget
    journal.write(
        "started",
        version=__version__,
        budget=budget.bytes,
        bound_by=budget.bound_by.where,
        limits=[{"bytes": limit.bytes, "where": limit.where} for limit in budget.limits],
        workers=crew.workers,
        jobs=planned.count,
    )
    outcome = Run(settings, planned, watch, journal, listener or RunListener(), make_workers).go()
    peak, whose = watch.peak()
    counts = {"drawn": outcome.drawn, "kept": outcome.kept, "empty": outcome.empty, "failed": len(outcome.failed)}
    journal.write("ended", **counts, retries=outcome.retries, peak=peak, peak_is=whose)
    return outcome
