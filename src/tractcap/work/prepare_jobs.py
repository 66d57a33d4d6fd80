"""From what was asked for to jobs: tractograms are found, their headers read, and how each is drawn is chosen."""

import heapq
import logging
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tractcap import color_names
from tractcap.drawing import opengl
from tractcap.errors import CapTooSmallError, NothingToDrawError, SettingsError, defect
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.matching_overlays import MatchingOverlays
from tractcap.inputs.search import SearchResult, Source, search
from tractcap.limits import Watch, as_mb
from tractcap.limits.watch import SUPERVISOR
from tractcap.limits.worker_limits import ceiling
from tractcap.records.options import BUNDLE, TUBES, RenderSettings
from tractcap.records.sidecar_fields import EMPTY, FAILED, MISSING
from tractcap.records.tractogram_piece import WHOLE, Piece, pieces
from tractcap.records.worker_requests import FindOutline, OverlayHeader, UnreadableFile
from tractcap.work import memory_plan
from tractcap.work.chosen_images import MatchedImages, choose, memory_need, not_shown, overlay_records, state_of
from tractcap.work.disk_spool import Spool
from tractcap.work.jobs import Job, RunPlan, UndrawnTractogram
from tractcap.work.pool import PoolLimits, Task
from tractcap.work.read_headers import AT_ONCE, HEADER_NEED, FileHeaders
from tractcap.work.scheduler import Workers, run_stories, together
from tractcap.work.settings import Settings
from tractcap.work.shard import Shares, can_be_parted

log = logging.getLogger("tractcap")

_NO_COLOR = (0, 0, 0)


def prepare(settings: Settings, watch: Watch, workers: Workers, sources: Iterable[Source] | None = None) -> RunPlan:
    """Read the tractograms' headers and settle how each is drawn, and by how many workers.

    Parameters
    ----------
    watch : what memory allows. workers : what reads headers.
    sources : what is to be drawn; None finds it in the settings' input.

    Raises
    ------
    NothingToDrawError, CapTooSmallError, SettingsError
    """
    if opengl.gpu_asked():
        log.warning("%s=gpu: pictures are %s", opengl.VARIABLE, opengl.GPU_NOTE)
    result = SearchResult([])
    if sources is None:
        result = search(settings.input, settings.filters, settings.output, settings.layouts)
        for sentence in result.people:
            log.info("found %s", sentence)
        for sentence in result.warnings:
            log.warning("%s", sentence)
        for sentence in result.failed:
            log.error("%s", sentence)
    people, bundles = Spool[Source](settings.scratch), set()
    for source in result.sources if sources is None else sources:
        people.add(source.participant, [source])
        bundles.add(source.bundle.key)
    result.sources.clear()  # they are on disk now
    if not len(people):
        if result.nothing:
            raise NothingToDrawError(f"{settings.input}: {result.nothing}.")
        what = f" of {settings.filters.description}" if settings.filters.description else ""
        endings = "expected files that end in .trk, .tck, .trx, .vtk, .vtp, .fib, .tt or .tt.gz"
        raise NothingToDrawError(f"{settings.input} holds no tractogram{what}: {endings}.")
    if settings.coloring.kind == BUNDLE and len(bundles) > len(color_names.apart()):
        log.warning("there are %d bundles for %d colours: some share one", len(bundles), len(color_names.apart()))
    matching = MatchingOverlays(
        result.images, settings.filters, settings.find_overlays, settings.freesurfer, settings.freesurfer_space
    )
    planner = _Planner(settings, watch, people, MatchingImages(result.images, settings.filters), matching)
    planner.read_headers(workers)
    planner.settle_workers()
    planned = planner.planned
    planned.colors, planned.found, planned.unread = color_names.assign(bundles), result.people, result.failed
    if planned.count and settings.reference:
        # the head in a reference that was asked for; those that match in the dataset are each person's own
        request = FindOutline(str(settings.reference))
        task = Task(request, HEADER_NEED + planner.extra)
        workers.settle(PoolLimits(1, task.need, timeout=settings.timeout))
        workers.submit(task)
        event = next(event for event in workers.events() if event.ended)
        if event.answer is None:
            raise SettingsError(f"the reference image can't be used: {event.why_of(request.path)}")
        planned.outlines[settings.reference] = event.answer
    return planned


class _Planner:
    """Plans one participant after the other, and remembers of most tractograms no more than two numbers.

    ``planned`` is the plan so far, ``extra`` the most bytes of memory that images take.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        people: Spool[Source],
        companions: MatchingImages,
        matching: MatchingOverlays,
    ) -> None:
        self._settings, self._watch, self._people, self._matching = settings, watch, people, matching
        # what all workers may take, by the budget and by what others leave of it
        self._room = min(memory_plan.usable(watch.budget.bytes, settings.margin), watch.room())
        if self._room < HEADER_NEED:
            smallest = memory_plan.least(memory_plan.Workload(1, (64,), 0), settings.margin)
            raise CapTooSmallError(
                f"nothing can be drawn in {as_mb(watch.budget.bytes)} MB (bound by {watch.budget.bound_by.where}), "
                f"of which the margin, the supervisor and others leave {as_mb(self._room)} MB: "
                f"give at least {as_mb(smallest)} MB."
            )
        crew = memory_plan.WorkerPlan(1, watch.budget.cpus, "")
        self.planned = RunPlan(self._room, crew, list(people), companions, Spool(settings.scratch))
        self._most_workers = settings.nprocs if settings.nprocs > 0 else watch.budget.cpus
        self._shares = Shares(settings.shard, people, 0 if settings.picture.sums else len(settings.picture.sizes))
        self._asked_for = FileHeaders()  # headers of the images that were asked for
        self._points, self._needs = array("Q"), array("Q")
        self._largest: list[tuple[int, int, Job]] = []  # a heap of those that may be worth pieces: points, number
        self._in_pieces: list[Job] = []  # shares of large ones
        self._too_large = self.extra = 0

    # reading headers

    def read_headers(self, workers: Workers) -> None:
        """Read all headers, and plan each tractogram."""
        count = max(1, min(self._most_workers, self._room // HEADER_NEED))
        workers.settle(PoolLimits(count, self._room, timeout=self._settings.timeout))
        for stories in ([self._read_asked_for()], map(self._plan_safely, self._batches())):
            for _ in run_stories(stories, workers, count + 2):
                pass

    async def _read_asked_for(self) -> None:
        """Read the headers of the images that were asked for, for everyone."""
        paths = [Path(path) for path in (self._settings.reference, self._settings.coloring.path) if path]
        await self._asked_for.read((), paths, self._settings.vtk_space)
        await self._asked_for.inspect(self._settings.overlays, self._settings.vtk_space)
        for path in paths:
            if isinstance(header := self._asked_for.images[path], UnreadableFile):
                raise SettingsError(header.why)
        for overlay in self._asked_for.overlays.values():
            if isinstance(overlay, UnreadableFile) and overlay.status == MISSING:
                raise SettingsError(overlay.why)
            if isinstance(overlay, UnreadableFile):
                log.warning("%s; everything is drawn without it", overlay.why.rstrip("."))

    def _batches(self) -> Iterator[dict[str, list[Source]]]:
        """Some participants at a time, so that a worker has enough headers to read."""
        batch: dict[str, list[Source]] = {}
        for name in self._people:
            batch[name] = self._people.of(name)
            if sum(map(len, batch.values())) >= AT_ONCE:
                yield batch
                batch = {}
        yield batch

    async def _plan_safely(self, people: Mapping[str, Sequence[Source]]) -> None:
        """What goes wrong here with a participant, as it never should, costs that one alone."""
        try:
            await self._plan_people(people)
        except Exception as error:
            if len(people) > 1:
                await together(self._plan_safely({name: sources}) for name, sources in people.items())
                return
            for name, sources in people.items():
                here = self._shares.of(name, sources)
                self._add(
                    name, [UndrawnTractogram(source, FAILED, f"{source.path}: {defect(error)}") for source in here]
                )

    async def _plan_people(self, people: Mapping[str, Sequence[Source]]) -> None:
        """Read the headers of some participants' tractograms, and plan how each of them is drawn.

        All of a participant's share a frame, so all are read where any of them is drawn here.
        """
        settings = self._settings
        mine = {name: self._shares.of(name, sources) for name, sources in people.items()}
        to_read = [source for name in people if mine[name] for source in people[name] if not source.empty]
        chosen = {
            source: choose(
                source,
                settings.reference_of(source),
                settings.find_reference,
                settings.coloring,
                self.planned.companions,
                settings.overlays,
                self._matching,
            )
            for source in to_read
        }
        images = {path for images_of in chosen.values() for path in images_of.paths}
        headers = FileHeaders(images=dict(self._asked_for.images), overlays=dict(self._asked_for.overlays))
        await headers.read([source.path for source in to_read], sorted(images), settings.vtk_space)
        await self._inspect_found(chosen, headers)
        plans: dict[str, list[Job | UndrawnTractogram]] = {name: [] for name in people}
        for name, source in ((name, source) for name, sources in people.items() for source in sources):
            pieces_here = mine[name].get(source, ())
            if source in chosen:
                plan = self._plan(source, chosen[source], headers, pieces_here)
            elif source.empty:
                why = f"{source.name} stands without a tractogram: it has no streamlines"
                plan = UndrawnTractogram(source, EMPTY, why)
            else:
                continue
            if isinstance(plan, Job) or pieces_here:
                plans[name].append(plan)
        for name in people:  # only now: where planning goes wrong, none of these is kept
            self._add(name, plans[name])

    async def _inspect_found(self, chosen: Mapping[Source, MatchedImages], headers: FileHeaders) -> None:
        """Read what overlays hold that were found with these tractograms; what is wrong is said once of each."""
        found = dict.fromkeys(overlay for images in chosen.values() for overlay in images.overlays)
        unknown = [overlay for overlay in found if overlay not in headers.overlays]
        await headers.inspect(unknown, self._settings.vtk_space)
        for overlay in unknown:
            if isinstance(header := headers.overlays[overlay], UnreadableFile):
                log.warning("%s; what goes with it is drawn without it", header.why.rstrip("."))
        whys = {(source.participant, why): None for source, images in chosen.items() for why in images.overlays_why}
        for _, why in whys:
            log.log(logging.WARNING if ": none: " in why else logging.INFO, "%s", why)

    def _plan(
        self, source: Source, chosen: MatchedImages, headers: FileHeaders, mine: tuple[Piece, ...]
    ) -> Job | UndrawnTractogram:
        """How a tractogram is drawn within the memory that there is."""
        settings, picture = self._settings, self._settings.picture
        header, images = headers.tractograms[source.path], chosen.readable(headers)
        if isinstance(header, UnreadableFile):
            return UndrawnTractogram(source, header.status, header.why)
        if images.missing_map:
            return UndrawnTractogram(source, FAILED, images.missing_map)
        shown = [known for one in images.overlays if isinstance(known := headers.overlays[one], OverlayHeader)]
        workload = memory_plan.Workload(
            len(picture.views), picture.sizes, header.points, header.loaded, picture.sums,
            memory_need(images, headers, settings.coloring), tubes=picture.style == TUBES,
            sheets=sum(header.sheets for header in shown), geometry=memory_plan.geometry(shown),
            making=memory_plan.making(shown),
        )  # fmt: skip
        overlays = overlay_records(images.overlays, headers)
        bound = ceiling(self._watch.budget.cpus)  # of each process, by a ulimit
        room = self._room if bound is None else min(self._room, bound)
        render = memory_plan.fit(workload, room)
        if render is None and shown:
            overlays = not_shown(overlays, as_mb(memory_plan.least(workload, settings.margin)))
            workload = replace(workload, sheets=0, geometry=0, making=0)
            render = memory_plan.fit(workload, room)
        need = memory_plan.need(workload, render) if render else 0
        if settings.mem_per_job is not None:
            need = settings.mem_per_job
            render = memory_plan.fit(workload, need) or RenderSettings(memory_plan.CHUNKS[0], (len(workload.sizes),))
        if render is None or need > room:
            budget, least, smaller = self._watch.budget, memory_plan.least(workload, settings.margin), "--size"
            if settings.mem_per_job is not None:
                least, smaller = int((settings.mem_per_job + SUPERVISOR) / (1 - settings.margin)), "--mem-per-job"
            within = f"{as_mb(budget.bytes)} MB (bound by {budget.bound_by.where})"
            if budget.bytes >= least:
                within += ", of which a ulimit or other processes leave too little"
            why = (
                f"{source.path} can't be drawn in {within}: it takes {as_mb(least)} MB; "
                f"give more memory, or ask for a smaller {smaller}."
            )
            return UndrawnTractogram(source, FAILED, why, too_large=True)
        reference, scalar_map = (state_of(path, headers) for path in (images.reference, images.scalar_map))
        return Job(source, header, workload, render, need, _NO_COLOR, images, reference, scalar_map, mine, overlays)

    def _add(self, name: str, plans: Sequence[Job | UndrawnTractogram]) -> None:
        """Keep the plans of a participant, and count them."""
        planned = self.planned
        planned.plans.add(name, plans)
        for plan in plans:
            planned.tops.add(plan.source.folder.partition("/")[0])
            if isinstance(plan, UndrawnTractogram):
                planned.failed += plan.status != EMPTY
                self._too_large += plan.too_large
                planned.too_small = planned.too_small or plan.why * plan.too_large
                continue
            planned.count += plan.mine
            planned.bytes += plan.header.bytes
            self.extra = max(self.extra, plan.workload.extra)
            self._points.append(plan.points)
            if plan.pieces not in ((), (WHOLE,)):
                self._in_pieces.append(plan)
                continue
            heapq.heappush(self._largest, (plan.points, len(self._points) - 1, plan))
            if len(self._largest) > self._most_workers:
                self._needs.append(heapq.heappop(self._largest)[2].need)

    # all together

    def settle_workers(self) -> None:
        """Settle how many workers there are, and draw large tractograms in pieces where some would have nothing to do.

        No more tractograms are worth it than there are workers: each of them is more than a worker's share.
        """
        planned, room, workers, parted = self.planned, self._room, self._most_workers, []
        if len(self._points) or planned.failed != self._too_large:
            planned.too_small = ""  # something else is wrong, or nothing is
        while len(self._points):
            counts = memory_plan.counts(self._points, workers)
            parted = [self._part(job, counts[number], room // workers) for _, number, job in self._largest]
            parted += [self._part(job, 1, room // workers) for job in self._in_pieces]
            needs = [*self._needs, *(job.need for job in parted for _ in job.pieces or (WHOLE,))]
            planned.crew = memory_plan.crew(self._settings.nprocs, self._watch.budget.cpus, needs, room)
            planned.usual = max((need for need in needs if need <= room // planned.crew.workers), default=0)
            if planned.crew.bound_by != "memory" or planned.crew.workers >= workers:
                break
            workers = planned.crew.workers  # there is no memory for more, so fewer pieces will do
        planned.parted = {job.source: job for job in parted}

    def _part(self, job: Job, count: int, room: int) -> Job:
        """Let a job be drawn in so many pieces, or in those that it has, where each fits into ``room`` bytes."""
        if self._settings.picture.sums or not can_be_parted(job.source):
            count = 1
        parted = pieces(count, len(job.workload.sizes)) if job.pieces == (WHOLE,) and count > 1 else job.pieces
        if parted in ((WHOLE,), ()):
            return job
        fitting = memory_plan.fit_pieces(job.workload, job.render.sampling, [piece.drawn for piece in parted], room)
        return replace(job, pieces=parted, render=fitting[0], need=fitting[1]) if fitting else job
