"""A run carries out the plan: each participant's tractograms are measured, drawn in one frame, checked, and paged."""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from tractcap.errors import defect
from tractcap.inputs.search import Source
from tractcap.limits import Watch
from tractcap.records import tractogram_piece_files as piece_files
from tractcap.records.sidecar_fields import DRAWN, EMPTY, FAILED
from tractcap.records.tractogram_piece import WHOLE, Piece
from tractcap.records.tractogram_sidecar import Box, DrawnRecord
from tractcap.records.worker_requests import (
    Answer,
    CheckFindings,
    Draw,
    DrawPiece,
    FindOutline,
    Merge,
    SourceState,
    WritePage,
)
from tractcap.version import __version__
from tractcap.work import memory_plan
from tractcap.work.check_requests import MakeChecks
from tractcap.work.chosen_images import ImageState
from tractcap.work.disk_spool import Spool
from tractcap.work.earlier_pictures import load_earlier, record_path, write_undrawn
from tractcap.work.jobs import Job, RunPlan
from tractcap.work.outcome import KEPT, PARTED, Journal, RunListener, RunOutcome, TractogramOutcome
from tractcap.work.pool import Event, PoolLimits, Task
from tractcap.work.read_headers import HEADER_NEED
from tractcap.work.retry import Retry
from tractcap.work.run_checks import ParticipantChecks, PlannedCheck, RunChecks, need_together
from tractcap.work.scenes import Participant, Scenes, overview_path, shown_together
from tractcap.work.scheduler import Story, Workers, do, run_stories, together
from tractcap.work.settings import Settings

log = logging.getLogger("tractcap")

_MEASURING = 0.1
"""Share of a job's progress that measuring stands for."""

_HAS_PICTURES = (DRAWN, KEPT, PARTED)
"""What became of tractograms that have pictures, or pieces of them."""


class Run:
    """Does what was planned, and keeps a journal of it beside the outputs.

    Parameters
    ----------
    workers : what draws. listener : hears what becomes of each tractogram.
    """

    def __init__(
        self,
        settings: Settings,
        planned: RunPlan,
        watch: Watch,
        workers: Workers,
        listener: RunListener | None = None,
    ) -> None:
        self._settings, self._planned, self._watch = settings, planned, watch
        self._listener, self._workers = listener or RunListener(), workers
        self._journal = Journal(settings.output)
        self._checks = RunChecks(settings, planned, self._journal)
        self._scenes = Scenes(settings, watch.budget)
        self._bytes_done = 0.0
        self._outcome = RunOutcome(checks=self._checks.counts, too_small=planned.too_small)
        retry = Retry(self._outcome, self._journal, lambda: min(planned.room, watch.room()))
        self._do_with_retry, self._draw_with_retry = retry.do, retry.draw

    def carry_out(self) -> RunOutcome:
        """Draw everyone; what fails leaves others alone."""
        crew, budget, outcome = self._planned.crew, self._watch.budget, self._outcome
        self._journal.write(
            "started",
            version=__version__,
            command=self._settings.command,
            budget=budget.bytes,
            bound_by=budget.bound_by.where,
            limits=[{"bytes": limit.bytes, "where": limit.where} for limit in budget.limits],
            workers=crew.workers,
            jobs=self._planned.count,
        )
        self._draw_batches()
        peak, of_what = self._watch.peak()
        counts = {"drawn": outcome.drawn, "kept": outcome.kept, "empty": outcome.empty, "failed": len(outcome.failed)}
        stalled = round(self._watch.stalled_seconds, 1)
        self._journal.write(
            "ended", **counts, retries=outcome.retries, peak=peak, peak_is=of_what, stalled_seconds=stalled
        )
        return outcome

    def _draw_batches(self) -> None:
        """Draw a batch of participants at a time, up to the first failure where that stops all."""
        crew, people, settings = self._planned.crew, self._planned.people, self._settings
        size = settings.batch_size or len(people)
        limits = PoolLimits(crew.workers, self._planned.room, crew.threads, settings.timeout, self._planned.usual)
        self._workers.settle(limits)
        for first in range(0, len(people), size):
            for stories in self._phases(people[first : first + size]):
                for _ in run_stories(stories, self._workers, 3 * crew.workers + 8):
                    if self._outcome.failed and settings.stop_on_first_crash:
                        self._workers.release()
                        return
            self._workers.release()

    # what is done for a participant

    def _phases(self, people: Sequence[str]) -> Iterator[Iterable[Story]]:
        """Measure and draw each participant; all are measured first where one range of colours is for all."""

        async def measure_and_draw(name: str) -> None:
            await self._safely(self._begin(name), self._measure_all, self._draw_all)

        async def measure(name: str) -> None:
            person = self._begin(name)
            await self._safely(person, self._measure_all)
            spool.add(name, [person])

        async def draw(person: Participant) -> None:
            person.limits = limits
            await self._safely(person, self._draw_all)

        if not self._settings.coloring.over_group:
            yield map(measure_and_draw, people)
            return
        spool: Spool[Participant] = Spool(self._settings.scratch)
        yield map(measure, people)
        everyone = (person for name in people for person in spool.of(name))
        limits = self._scenes.limits(measured.extent for person in everyone for measured in person.measured.values())
        yield (draw(person) for name in people for person in spool.of(name))

    def _begin(self, name: str) -> Participant:
        jobs, undrawn = self._planned.of(name)
        for tractogram in undrawn:
            self._record_undrawn(tractogram.source, tractogram.status, tractogram.why)
        return Participant(name, jobs, dict(self._planned.outlines))

    async def _safely(self, person: Participant, *steps: Callable[[Participant], Story]) -> None:
        """What goes wrong here with a participant, as it never should, costs that one alone."""
        try:
            for step in steps:
                await step(person)
        except Exception as error:
            log.debug("%s", traceback.format_exc())
            self._other_failed(f"{person.readable}: {defect(error)}", person.readable)
            for job in person.jobs:
                if job.mine and job not in person.status:
                    self._record_undrawn(job.source, FAILED, f"{job.source.path}: {defect(error)}")
            await self._write_page(person)
            self._done(person)

    async def _measure_all(self, person: Participant) -> None:
        """Measure all that shares a frame, and find the heads in reference images, as far as no earlier run has."""
        heads: dict[ImageState, Box] = {}
        for job in person.jobs:
            path = record_path(self._settings.output, job.source)
            if record := self._earlier(path, [job], warn=job.mine):
                if measured := record.measurements(self._scenes.measured_by(job)):
                    person.measured[job] = measured
                if (image := record.scene.reference) and len(image.box) == 2:
                    heads[ImageState(Path(image.path), image.bytes, image.modified)] = Box(*image.box)
        for path, job in person.references.items():
            if job.reference in heads:
                person.outlines.setdefault(path, heads[job.reference])
        to_find = [job for path, job in person.references.items() if path not in person.outlines]
        to_measure = [job for job in person.jobs if job not in person.measured]
        finding = (self._find_outline(person, job) for job in to_find)
        measuring = (self._measure(person, job) for job in to_measure)
        await together(chain(finding, measuring))
        if person.measured and not self._settings.coloring.over_group:
            person.limits = self._scenes.limits(measured.extent for measured in person.measured.values())

    async def _draw_all(self, person: Participant) -> None:
        """Draw each tractogram, then all together; check them; and write the page, with what there is, and with all."""
        await together(self._draw(person, job) for job in _by_path(person.measured) if job.mine)
        checks = self._checks.of(person.jobs)
        overviews = list(self._overviews(person))

        def stories() -> Iterator[Story]:
            for request, jobs in overviews:
                yield self._draw_overview(person, request, jobs)
            yield self._write_page(person)
            yield checks.read_headers()

        await together(stories())
        drawn = [job for job in _by_path(person.jobs) if job.leads and person.status.get(job) in _HAS_PICTURES]
        to_make = [of_one for job in drawn if (of_one := list(checks.to_make(job)))]
        await together(self._make_checks(checks, of_one) for of_one in to_make)
        if overviews or to_make:
            await self._write_page(person)
        self._done(person)

    def _done(self, person: Participant) -> None:
        pages = [person.page] if person.page else []
        self._listener.participant([*sorted(person.mosaics), *sorted(person.overviews), *pages])

    # measuring

    async def _find_outline(self, person: Participant, job: Job) -> None:
        path = str(job.images.reference)
        event = await self._do_with_retry(FindOutline(path), HEADER_NEED + job.workload.extra, job.source.name)
        person.outlines[Path(path)] = event.answer
        if event.failed:
            why = event.why_of(path).rstrip(".")
            log.warning("%s; %s is drawn without a reference image", why, person.readable)

    async def _measure(self, person: Participant, job: Job) -> None:
        def on_progress(points: int) -> None:
            self._advance(person, job, _MEASURING * min(1.0, points / max(1, job.header.points)))

        request = self._scenes.measure(job)
        smaller = replace(request, max_points=memory_plan.CHUNKS[-1])
        event = await self._do_with_retry(request, job.need, job.source.name, smaller, on_progress)
        if event.answer:
            person.measured[job] = event.answer
            self._advance(person, job, _MEASURING)
        else:
            self._fail(person, job, event)

    def _earlier(self, path: Path, jobs: Sequence[Job], *, warn: bool = True) -> DrawnRecord | None:
        """The record of pictures of these jobs that an earlier run has left."""
        return None if self._settings.overwrite else load_earlier(path, [job.state for job in jobs], warn=warn)

    # drawing

    async def _draw(self, person: Participant, job: Job) -> None:
        """Draw what no earlier run has drawn the same way."""
        scene, coloring = self._scenes.scene(person, [job]), self._scenes.coloring(job, person.limits)
        path = record_path(self._settings.output, job.source)
        earlier = self._earlier(path, [job], warn=False)
        if earlier and earlier.shows(scene, (coloring,), job.render.sampling):
            self._outcome.kept += 1
            _warn_of_failed_overlays(job.source.name, earlier)
            log.debug("kept %s: its pictures are there, of the same file and options", job.source.name)
            self._journal.write(KEPT, source=job.source.name)
            self._has_pictures(person, job, KEPT, earlier)
            return
        request = self._scenes.draw(person, [job], [coloring], scene, path)
        if job.pieces != (WHOLE,):
            await self._draw_pieces(person, job, request)
            return

        def on_progress(points: int) -> None:
            share = min(1.0, points / max(1, job.header.points))
            self._advance(person, job, _MEASURING + (1 - _MEASURING) * share)

        smaller = replace(request, render=memory_plan.smaller(job.workload, job.render))
        self._drawn(person, job, await self._draw_with_retry(request, job.need, job.source.name, smaller, on_progress))

    async def _draw_pieces(self, person: Participant, job: Job, request: Draw) -> None:
        """Draw those pieces that are to be drawn here, and aren't there yet; whoever draws the last one merges all."""
        folder = piece_files.folder_of(Path(request.folder), request.stem)
        missing = [
            piece for piece in job.pieces if not piece_files.is_drawn(piece_files.file_of(folder, piece), request)
        ]
        merging = memory_plan.need(job.workload, memory_plan.merging(job.workload, job.render))
        finished = len(job.pieces) - len(missing)

        async def draw(piece: Piece) -> None:
            nonlocal finished
            workload, render = memory_plan.of_piece(job.workload, job.render, piece.drawn)
            to_draw = DrawPiece(replace(request, render=render), piece, merging)
            one_by_one = replace(render, passes=(1,) * len(piece.drawn))
            smaller = replace(to_draw, draw=replace(request, render=one_by_one))
            most = max(1, int(min(job.header.points, piece.bounds(job.header.points)[1])))

            def on_progress(points: int) -> None:
                share = (finished + min(1.0, points / most)) / len(job.pieces)
                self._advance(person, job, _MEASURING + (1 - _MEASURING) * share)

            event = await self._do_with_retry(
                to_draw, memory_plan.need(workload, render), job.source.name, smaller, on_progress
            )
            finished += 1
            if event.answer:
                which = f"{piece.index + 1}/{piece.count}"
                self._journal.write("piece", source=job.source.name, piece=which, need=event.task.need, peak=event.peak)
            else:
                self._fail(person, job, event)

        await together(draw(piece) for piece in missing)
        if job in person.status:  # a piece could not be drawn
            return
        count = job.pieces[0].count
        files = (piece_files.file_of(folder, Piece(index, count)) for index in range(count))
        if all(piece_files.is_drawn(path, request) for path in files):
            merge = Merge(str(folder), request.scene.overlays)
            self._drawn(person, job, await self._draw_with_retry(merge, merging, job.source.name))
            return
        self._outcome.parted += 1
        which = f"{len(job.pieces)} of {count} pieces"
        log.info("drew %s of %s: whichever share draws the last one merges them", which, job.source.name)
        self._journal.write("parted", source=job.source.name, pieces=which)
        person.status[job] = PARTED
        self._advance(person, job, 1.0)
        self._listener.tractogram(TractogramOutcome(job.source, PARTED))

    def _drawn(self, person: Participant, job: Job, event: Event[DrawnRecord]) -> None:
        if event.answer is None:
            self._fail(person, job, event)
            return
        record = event.answer
        self._outcome.drawn += 1
        left_out = (
            f"left out {count:,} of {record.streamlines:,} streamlines, {reason}"
            for reason, count in record.streamlines_left_out.items()
        )
        for note in (*record.notes, *left_out):
            log.warning("%s: %s", job.source.name, note)
        log.info("drew %s: %s streamlines", job.source.name, f"{record.streamlines_drawn:,}")
        self._journal.write(DRAWN, source=job.source.name, need=event.task.need, peak=event.peak)
        self._has_pictures(person, job, DRAWN, record)

    def _has_pictures(self, person: Participant, job: Job, status: str, record: DrawnRecord) -> None:
        pictures = tuple(self._settings.output / job.source.folder / name for name in record.pictures)
        person.status[job] = status
        person.mosaics.append(pictures[-1])
        self._advance(person, job, 1.0)
        self._listener.tractogram(TractogramOutcome(job.source, status, pictures))

    def _overviews(self, person: Participant) -> Iterator[tuple[Draw, list[Job]]]:
        """The requests to draw together what lies in one anatomy, and what they show, unless an earlier run has."""
        for group in shown_together(person.jobs) if self._settings.overview else []:
            theirs = {job for job in person.measured if not job.mine}  # other shards' to draw
            jobs = [job for job in group if job in theirs or person.status.get(job) in _HAS_PICTURES]
            if not jobs or not group[0].leads:
                continue
            missing = [job for job in group if job not in jobs and person.status.get(job) != EMPTY]
            scene = self._scenes.scene(person, jobs, missing)
            colorings = tuple(self._scenes.coloring_among_others(job, person.limits) for job in jobs)
            path = overview_path(self._settings.output, jobs[0].source)
            earlier = self._earlier(path, jobs)
            if earlier and earlier.shows(scene, colorings, jobs[0].render.sampling):
                person.overviews.append(path.with_name(earlier.pictures[-1]))
                _warn_of_failed_overlays(path.stem, earlier)
            else:
                yield self._scenes.draw(person, jobs, colorings, scene, path, overview=True), jobs

    async def _draw_overview(self, person: Participant, request: Draw, jobs: Sequence[Job]) -> None:
        largest, name = max(jobs, key=lambda job: job.need), request.stem
        smaller = replace(request, render=memory_plan.smaller(largest.workload, largest.render))
        room = max(largest.need, self._planned.room)
        need = min(room, largest.need + len(jobs) * memory_plan.BYTES_PER_BUNDLE)
        event = await self._draw_with_retry(request, need, largest.source.name, smaller)
        if event.answer is None:
            self._other_failed(f"the picture of all bundles, {name}: {event.failed}", name)
            return
        person.overviews.append(Path(request.folder) / event.answer.pictures[-1])
        _warn_of_failed_overlays(name, event.answer)
        log.info("drew %d bundle%s together: %s", len(jobs), "s" * (len(jobs) > 1), name)
        self._journal.write(DRAWN, source=name, need=event.task.need, peak=event.peak)

    # checks and pages

    async def _make_checks(self, checks: ParticipantChecks, to_make: Sequence[PlannedCheck]) -> None:
        """Make all checks of a bundle in one go, which reads its files once; what fails then, each by itself."""
        left, need = to_make, need_together(to_make)
        if len(to_make) > 1 and need <= self._planned.room:
            event = await do(Task(MakeChecks(tuple(check.request for check in to_make)), need))
            if event.answer:
                ended = [*zip(to_make, event.answer.findings, strict=True)]
                for check, findings in ended:
                    if findings:
                        self._checked(checks, check, findings, event)
                left = [check for check, findings in ended if not findings]
            else:
                what = f"the checks of {to_make[0].job.source.name}"
                log.warning("%s: %s; each is tried again by itself", what, event.failed)
                self._outcome.retries += 1
                self._journal.write("again", source=what, action=MakeChecks.action, why=event.failed)
        await together(self._make_check(checks, check) for check in left)

    async def _make_check(self, checks: ParticipantChecks, check: PlannedCheck) -> None:
        event = await self._do_with_retry(check.request, check.need, check.job.source.name)
        if event.answer is None:
            checks.fail(check, event.failed)
        else:
            self._checked(checks, check, event.answer, event)

    def _checked(
        self, checks: ParticipantChecks, check: PlannedCheck, findings: CheckFindings, event: Event[Any]
    ) -> None:
        checks.take(check, findings)
        what = f"{check.check.name} of {check.job.source.name}"
        log.info("checked %s", what)
        self._journal.write("checked", source=what, need=event.task.need, peak=event.peak)

    async def _write_page(self, person: Participant) -> None:
        request = WritePage(str(self._settings.output), person.name)
        event = await self._do_with_retry(request, memory_plan.BASE, person.readable)
        if event.failed:
            self._other_failed(f"the page of {person.readable}: {event.failed}", person.readable)
        elif event.answer and event.answer.paths:
            person.page = self._settings.output / event.answer.paths[0]

    # what all of them have in common

    def _advance(self, person: Participant, job: Job, part: float) -> None:
        """Report how much of the run is done, of all files' bytes."""
        self._bytes_done += (part - person.parts.get(job, 0.0)) * job.header.bytes
        person.parts[job] = part
        share = self._bytes_done / max(1, self._planned.bytes)
        self._listener.progress(self._outcome.drawn + self._outcome.kept, share)

    def _fail(self, person: Participant, job: Job, event: Event[Answer]) -> None:
        """A job could not be measured or drawn, or has nothing to draw."""
        if job in person.status:
            return  # known of another piece of it
        why = event.why_of(job.source.path)
        person.status[job] = event.status
        self._advance(person, job, 1.0)
        if job.mine:
            self._record_undrawn(job.source, event.status, why, job.state)
        else:
            log.warning("%s; another shard records it", why)

    def _record_undrawn(self, source: Source, status: str, why: str, state: SourceState | None = None) -> None:
        """Record a tractogram that has no pictures where they would be.

        Parameters
        ----------
        state : of its file, files beside it included, if that is known.
        """
        if status == EMPTY:
            self._outcome.empty += 1
            log.warning("%s", why)
        else:
            self._outcome.failed.add(why)
            log.error("%s", why)
        self._journal.write(status, source=source.name, why=why)
        try:
            write_undrawn(self._settings.output, source, status, why, state)
        except OSError as error:
            path = record_path(self._settings.output, source)
            log.error("%s can't be written (%s): no page will show it", path, error.strerror)
        self._listener.tractogram(TractogramOutcome(source, status, why=why))

    def _other_failed(self, sentence: str, source: str) -> None:
        log.error("%s", sentence)
        self._outcome.others.add(sentence)
        self._journal.write("failed", source=source, why=sentence)


def _warn_of_failed_overlays(name: str, record: DrawnRecord) -> None:
    """Log what pictures are without; of what is known since the run began, it was logged then."""
    for overlay in record.scene.overlays:
        if overlay.failed:
            log.warning("%s: %s", name, overlay.absence)


def _by_path(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.source.path)
