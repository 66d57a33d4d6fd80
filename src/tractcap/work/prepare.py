"""From what was asked for to jobs: tractograms are found, their headers looked at, and how each is drawn is chosen."""

import heapq
import logging
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap import palette
from tractcap.errors import CapTooSmallError, NothingToDrawError, SettingsError
from tractcap.inputs.filters import Filters
from tractcap.inputs.layouts import Layout
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import SearchResult, Source, search
from tractcap.limits import MB, Watch, as_mb
from tractcap.limits.watch import SUPERVISOR
from tractcap.limits.worker_limits import ceiling, environment
from tractcap.palette import Color
from tractcap.records.identity import EMPTY, FAILED
from tractcap.records.options import BUNDLE, TUBES, Coloring, PictureOptions, RenderSettings
from tractcap.records.piece import WHOLE, Piece, pieces
from tractcap.work import plan
from tractcap.work.check_options import CheckOptions
from tractcap.work.chosen_images import Box, Images, State, choose, extra, state, usable
from tractcap.work.headers import AT_ONCE, LOOK_NEED, Headers, looks
from tractcap.work.pool import Pool, PoolLimits, Task
from tractcap.work.shard import Shard, Shares, can_be_parted
from tractcap.work.spool import Spool
from tractcap.work.steps import MakeWorkers, Story, carry_on

log = logging.getLogger("tractcap")

_BLACK = (0, 0, 0)


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    ``look`` and ``coloring`` are what the pictures shall be; ``reference`` is the image of the anatomy under them,
    ``references`` those of single participants, and ``find_reference`` looks for each tractogram's own in the dataset
    where none is given.
    ``fit`` frames each tractogram by itself instead of all of a participant's alike; ``overview`` adds a picture of
    them all. ``layouts`` are patterns of the tractograms' paths, empty for those that are known. ``checks`` are the
    measures of quality. ``margin`` is a share of the budget; ``mem_per_job`` overrides the estimates, in bytes;
    ``batch_size`` is how many participants are finished before the next are begun, 0 for all at once; ``shard`` a share
    of the work, None for all; ``timeout`` how many seconds a worker may be silent; ``scratch`` a folder for temporary
    files, None for the system's.
    """

    input: Path
    output: Path
    look: PictureOptions = field(default_factory=PictureOptions)
    coloring: Coloring = field(default_factory=Coloring)
    reference: Path | None = None
    references: Mapping[str, Path] = field(default_factory=dict)
    find_reference: bool = False
    fit: bool = False
    overview: bool = False
    filters: Filters = field(default_factory=Filters)
    layouts: tuple[Layout, ...] = ()
    checks: CheckOptions = field(default_factory=CheckOptions)
    nprocs: int = -1
    margin: float = 0.2
    mem_per_job: int | None = None
    vtk_space: str = ""
    stop_on_first_crash: bool = False
    overwrite: bool = False
    batch_size: int = 0
    shard: Shard | None = None
    timeout: float = 600.0
    scratch: Path | None = None

    def reference_of(self, source: Source) -> Path | None:
        """The image that was asked for, of a tractogram's participant or of all."""
        return self.references.get(source.participant, self.reference)


@dataclass(frozen=True, eq=False)
class Job:
    """One tractogram's pictures: what its header tells, how they are made, and the bytes of memory that takes.

    ``bytes`` and ``modified`` (ns) say which state of the file was planned for, ``reference`` and ``map`` which of the
    images. ``color`` is the bundle's own. ``pieces`` are those that are drawn here. One that is not ``mine`` is another
    shard's to draw: it is measured here too, since all of a participant's share a frame.
    """

    source: Source
    header: Mapping[str, Any]
    content: plan.Workload
    shape: RenderSettings
    need: int
    bytes: int
    modified: int
    color: Color
    images: Images
    reference: State | None
    map: State | None
    pieces: tuple[Piece, ...] = (WHOLE,)

    @property
    def mine(self) -> bool:
        """Whether any of it is drawn here."""
        return bool(self.pieces)

    @property
    def leads(self) -> bool:
        """Whether its beginning is drawn here, and with that what is drawn once, of it and others."""
        return bool(self.pieces) and self.pieces[0].index == 0

    @property
    def points(self) -> int:
        """The most that are drawn here."""
        points: int = self.header["points"]
        return points * len(self.pieces) // self.pieces[0].count if self.pieces else 0


@dataclass(frozen=True)
class UndrawnTractogram:
    """A tractogram that has no pictures: its ``status``, and ``why``, as a sentence.

    Of one that is ``too_large``, memory is all that is wrong.
    """

    source: Source
    status: str
    why: str
    too_large: bool = False


@dataclass
class RunPlan:
    """What a run is going to do: the plan of each participant, on disk, and a few numbers that are of all.

    ``count`` tractograms are drawn here, ``failed`` can't be, and ``bytes`` is the size of all that are measured.
    ``too_small`` says of the memory that it is too little for any of them, if nothing else is wrong of any.
    ``usual`` is the most that a job takes of those that all workers may do at once. ``outlines`` are boxes around the
    heads in references that were asked for, ``companions`` the images of the dataset, ``tops`` the folders in the
    output that pictures go to. ``found`` are sentences on who was found, ``unread`` on folders and files that can't be.
    """

    room: int
    crew: plan.WorkerPlan
    people: Sequence[str]
    companions: MatchingImages
    plans: Spool[Job | UndrawnTractogram]
    colors: Mapping[str, Color]
    tops: set[str] = field(default_factory=set)
    outlines: dict[Path, Box] = field(default_factory=dict)
    parted: dict[Source, Job] = field(default_factory=dict)
    count: int = 0
    failed: int = 0
    bytes: int = 0
    usual: int = 0
    too_small: str = ""
    found: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def of(self, participant: str) -> tuple[list[Job], list[UndrawnTractogram]]:
        """The jobs of a participant, and what of it can't be drawn or is empty."""
        plans = self.plans.of(participant)
        jobs = [self.parted.get(one.source, one) for one in plans if isinstance(one, Job)]
        jobs = [replace(job, color=self.colors[job.source.bundle.key]) for job in jobs]
        return jobs, [one for one in plans if isinstance(one, UndrawnTractogram)]


def prepare(
    settings: Settings, watch: Watch, sources: Iterable[Source] | None = None, make_workers: MakeWorkers = Pool
) -> RunPlan:
    """Look at the tractograms' headers and settle who is drawn how.

    Parameters
    ----------
    watch : what memory allows. sources : what is to be drawn; None finds it in the settings' input. make_workers :
        makes what looks at headers.

    Raises
    ------
    NothingToDrawError, CapTooSmallError, SettingsError
    """
    found = _found(settings) if sources is None else SearchResult([])
    people, keys = Spool[Source](settings.scratch), set()
    for source in found.sources if sources is None else sources:
        people.add(source.participant, [source])
        keys.add(source.bundle.key)
    found.sources.clear()  # they are on disk now
    if not len(people):
        raise NothingToDrawError(_nothing(settings, found))
    planner = _Planner(settings, watch, people, MatchingImages(found.images, settings.filters))
    planner.look(make_workers)
    planned = planner.planned(_colors(keys, settings.coloring))
    planned.found, planned.unread = found.people, found.failed
    if planned.count:
        _outline(planned, planner.extra, settings, watch)
    return planned


def _found(settings: Settings) -> SearchResult:
    found = search(settings.input, settings.filters, settings.output, settings.layouts)
    for sentence in found.people:
        log.info("found %s", sentence)
    for sentence in found.warnings:
        log.warning("%s", sentence)
    for sentence in found.failed:
        log.error("%s", sentence)
    return found


def _colors(keys: Collection[str], coloring: Coloring) -> dict[str, Color]:
    """Each bundle's colour, the same in all participants."""
    if coloring.kind == BUNDLE and len(keys) > len(palette.apart()):
        log.warning("there are %d bundles for %d colours: some share one", len(keys), len(palette.apart()))
    return palette.assign(keys)


class _Planner:
    """Plans one participant after the other, and remembers of most tractograms no more than two numbers."""

    def __init__(self, settings: Settings, watch: Watch, people: Spool[Source], companions: MatchingImages) -> None:
        self._settings, self._watch, self._people, self._companions = settings, watch, people, companions
        self._room = _room(settings, watch)
        self._shares = Shares(settings.shard, people, 0 if settings.look.sums else len(settings.look.sizes))
        self._plans: Spool[Job | UndrawnTractogram] = Spool(settings.scratch)
        self._given: dict[str, dict[str, Any]] = {}  # headers of the images that were asked for
        self._points, self._needs = array("Q"), array("Q")
        self._largest: list[tuple[int, int, Job]] = []  # a heap of those that may be worth pieces: points, number
        self._in_pieces: list[Job] = []  # shares of large ones
        self._tops: set[str] = set()
        self._mine = self._bytes = self._failed = self._too_large = self.extra = 0
        self._too_small = ""

    # looking at headers

    def look(self, make_workers: MakeWorkers) -> None:
        """Look at all headers, and plan."""
        settings, cpus = self._settings, self._watch.budget.cpus
        most = settings.nprocs if settings.nprocs > 0 else cpus
        limits = PoolLimits(max(1, min(most, self._room // LOOK_NEED)), self._room, timeout=settings.timeout)
        with make_workers(limits, self._watch, environment(1)) as workers:
            for stories in (iter([self._look_at_given()]), map(self._safe, self._together())):
                for _ in carry_on(stories, workers, limits.workers + 2):
                    pass

    def _look_at_given(self) -> Story:
        """Look at the images that were asked for, for everyone."""
        given = (self._settings.reference, self._settings.coloring.path)
        asked = [Path(path) for path in given if path]
        yield looks((), asked, self._settings.vtk_space, self._given)
        for path in asked:
            if broken := self._given[str(path)].get("failed"):
                raise SettingsError(str(broken))

    def _together(self) -> Iterator[dict[str, list[Source]]]:
        """Some participants at a time, so that a worker has enough to look at."""
        several: dict[str, list[Source]] = {}
        for name in self._people:
            several[name] = self._people.of(name)
            if sum(map(len, several.values())) >= AT_ONCE:
                yield several
                several = {}
        yield several

    def _safe(self, people: Mapping[str, Sequence[Source]]) -> Story:
        """What goes wrong here of a participant, as it never should, costs that one alone."""
        try:
            yield from self._look_at(people)
        except Exception as error:
            if len(people) > 1:
                for name, sources in people.items():
                    yield from self._safe({name: sources})
                return
            why = f"an unexpected error, which is a defect of tractcap: {type(error).__name__}: {error}"
            for name, sources in people.items():
                here = self._shares.of(name, sources)
                self._add(name, [UndrawnTractogram(source, FAILED, f"{source.path}: {why}") for source in here])

    def _look_at(self, people: Mapping[str, Sequence[Source]]) -> Story:
        """Look at the headers of some participants, and plan how each of their tractograms is drawn.

        All of a participant share a frame, so all are looked at where any of them is drawn here.
        """
        mine = {name: self._shares.of(name, sources) for name, sources in people.items()}
        looked_at = [one for name in people if mine[name] for one in people[name] if not one.empty]
        chosen = {source: self._choose(source) for source in looked_at}
        images = {path for one in chosen.values() for path in one.paths if str(path) not in self._given}
        headers = dict(self._given)
        yield looks([source.path for source in looked_at], sorted(images), self._settings.vtk_space, headers)
        plans = {
            name: [
                _empty(one) if one.empty else self._plan(one, chosen[one], headers, mine[name].get(one, ()))
                for one in sources
                if one.empty or one in chosen
            ]
            for name, sources in people.items()
        }
        for name, several in plans.items():
            self._add(name, [one for one in several if isinstance(one, Job) or one.source in mine[name]])

    def _choose(self, source: Source) -> Images:
        """The images of a tractogram."""
        reference, find = self._settings.reference_of(source), self._settings.find_reference
        return choose(source, reference, find, self._settings.coloring, self._companions)

    def _plan(
        self, source: Source, chosen: Images, headers: Headers, mine: tuple[Piece, ...]
    ) -> Job | UndrawnTractogram:
        header, images = headers[str(source.path)], usable(chosen, headers)
        if "failed" in header:
            return UndrawnTractogram(source, header["status"], header["failed"])
        if images.lacks:
            return UndrawnTractogram(source, FAILED, images.lacks)
        if job := _job(source, headers, images, self._settings, _most(self._room, self._watch)):
            return replace(job, pieces=mine)
        why = _too_large(source, headers, images, self._settings, self._watch)
        return UndrawnTractogram(source, FAILED, why, too_large=True)

    def _add(self, name: str, plans: Sequence[Job | UndrawnTractogram]) -> None:
        """Keep the plans of a participant, and count them."""
        self._plans.add(name, plans)
        for one in plans:
            self._tops.add(one.source.folder.partition("/")[0])
            if isinstance(one, Job):
                self._count(one)
            else:
                self._failed += one.status != EMPTY
                self._too_large += one.too_large
                self._too_small = self._too_small or one.why * one.too_large

    def _count(self, one: Job) -> None:
        self._mine += one.mine
        self._bytes += one.bytes
        self.extra = max(self.extra, one.content.extra)
        self._points.append(one.points)
        if one.pieces not in ((), (WHOLE,)):
            self._in_pieces.append(one)
            return
        heapq.heappush(self._largest, (one.points, len(self._points) - 1, one))
        if len(self._largest) > self._most_workers:
            self._needs.append(heapq.heappop(self._largest)[2].need)

    @property
    def _most_workers(self) -> int:
        return self._settings.nprocs if self._settings.nprocs > 0 else self._watch.budget.cpus

    # all together

    def planned(self, colors: Mapping[str, Color]) -> RunPlan:
        """Settle how many workers there are, and draw large tractograms in pieces where some would have nothing to do.

        No more tractograms are worth it than there are workers: each of them is more than a worker's share.
        """
        room, workers = self._room, self._most_workers
        crew, parted = plan.WorkerPlan(1, self._watch.budget.cpus, ""), []
        while len(self._points):
            counts = plan.counts(self._points, workers)
            parted = [self._parted(job, counts[number], room // workers) for _, number, job in self._largest]
            parted += [self._parted(job, 1, room // workers) for job in self._in_pieces]
            needs = [*self._needs, *(job.need for job in parted for _ in job.pieces or (WHOLE,))]
            crew = plan.crew(self._settings.nprocs, self._watch.budget.cpus, needs, room)
            if crew.bound_by != "memory" or crew.workers >= workers:
                break
            workers = crew.workers  # there is no memory for more, so fewer pieces will do
        usual = max((need for need in needs if need <= room // crew.workers), default=0) if len(self._points) else 0
        nothing_else = not len(self._points) and self._failed == self._too_large
        return RunPlan(
            room, crew, list(self._people), self._companions, self._plans, colors,
            self._tops, parted={job.source: job for job in parted},
            count=self._mine, failed=self._failed, bytes=self._bytes, usual=usual,
            too_small=self._too_small if nothing_else else "",
        )  # fmt: skip

    def _parted(self, job: Job, count: int, room: int) -> Job:
        """Let a job be drawn in so many pieces, or in those that it has, where each fits into ``room`` bytes."""
        if self._settings.look.sums or not can_be_parted(job.source):
            count = 1
        parted = pieces(count, len(job.content.sizes)) if job.pieces == (WHOLE,) and count > 1 else job.pieces
        if parted in ((WHOLE,), ()):
            return job
        fitting = plan.fit_pieces(job.content, job.shape.sampling, [piece.drawn for piece in parted], room)
        return replace(job, pieces=parted, shape=fitting[0], need=fitting[1]) if fitting else job


def _empty(source: Source) -> UndrawnTractogram:
    return UndrawnTractogram(source, EMPTY, f"{source.name} stands without a tractogram: it has no streamlines")


def _room(settings: Settings, watch: Watch) -> int:
    """What all workers may take, by the budget and by what others leave of it."""
    room = min(plan.usable(watch.budget.bytes, settings.margin), watch.room())
    if room < LOOK_NEED:
        least = (
            int(
                (plan.need(plan.Workload(1, (64,), 0), RenderSettings(0, (1,), 1)) + SUPERVISOR) / (1 - settings.margin)
            )
            + MB
        )
        raise CapTooSmallError(
            f"nothing can be drawn in {as_mb(watch.budget.bytes)} MB (bound by {watch.budget.bound_by.where}), "
            f"of which the margin, the supervisor and others leave {as_mb(room)} MB: "
            f"it takes {as_mb(least)} MB at least."
        )
    return room


def _most(room: int, watch: Watch) -> int:
    """What one worker may take: less than all of them where a ulimit bounds each process."""
    bound = ceiling(watch.budget.cpus)
    return room if bound is None else min(room, bound)


def _nothing(settings: Settings, found: SearchResult) -> str:
    if found.nothing:
        return f"{settings.input}: {found.nothing}."
    of = f" of {told}" if (told := settings.filters.description) else ""
    return f"{settings.input} holds no tractogram{of}: expected files that end in .trk, .tck, .trx, .vtk, .vtp or .fib."


def alone(task: Task, watch: Watch, timeout: float = 600.0) -> tuple[Mapping[str, Any] | None, str]:
    """What a worker makes of one task, or why it could not."""
    with Pool(PoolLimits(1, task.need, timeout=timeout), watch, environment(1)) as pool:
        pool.submit(task)
        for event in pool.events():
            if event.done is not None or event.failed:
                return event.done, event.failed
    raise AssertionError("a pool always tells how a task ended")


def _outline(planned: RunPlan, extra: int, settings: Settings, watch: Watch) -> None:
    """Find head or brain in the reference image that was asked for; those that were found are each person's own.

    Parameters
    ----------
    extra : the most bytes that images take.
    """
    path = settings.reference
    if path is None:
        return
    done, why = alone(Task("outline", {"path": str(path)}, LOOK_NEED + extra), watch, settings.timeout)
    if done is None:
        raise SettingsError(f"the reference image can't be used: {why if str(path) in why else f'{path}: {why}'}")
    planned.outlines[path] = (done["low"], done["high"])


def outline_need(job: Job) -> int:
    """Bytes that finding the head in a job's reference image takes."""
    return LOOK_NEED + job.content.extra


def _content(header: Mapping[str, Any], settings: Settings, needed: int) -> plan.Workload:
    look = settings.look
    counted = header["points"], header["loaded"]
    return plan.Workload(len(look.views), look.sizes, *counted, look.sums, needed, tubes=look.style == TUBES)


def _job(source: Source, headers: Headers, images: Images, settings: Settings, room: int) -> Job | None:
    header = headers[str(source.path)]
    content = _content(header, settings, extra(images, headers, settings.coloring))
    shape = plan.fit(content, room)
    if (asked := settings.mem_per_job) is not None:
        shape = plan.fit(content, asked) or RenderSettings(plan.CHUNKS[0], (len(content.sizes),))
    needed = asked if asked is not None else plan.need(content, shape) if shape else 0
    if shape is None or needed > room:
        return None
    size, modified = header["fingerprint"]
    reference, scalar = state(images.reference, headers), state(images.map, headers)
    return Job(
        source, header, content, shape, needed, size, modified, _BLACK, images=images, reference=reference, map=scalar
    )


def _too_large(source: Source, headers: Headers, images: Images, settings: Settings, watch: Watch) -> str:
    content = _content(headers[str(source.path)], settings, extra(images, headers, settings.coloring))
    least, smaller = plan.least(content, settings.margin), "--size"
    if settings.mem_per_job is not None:
        least, smaller = int((settings.mem_per_job + SUPERVISOR) / (1 - settings.margin)), "--mem-per-job"
    budget = watch.budget
    why = f"{as_mb(budget.bytes)} MB (bound by {budget.bound_by.where})"
    if budget.bytes >= least:
        why += ", of which a ulimit or other processes leave too little"
    return (
        f"{source.path} can't be drawn in {why}: it takes {as_mb(least)} MB; "
        f"give more memory, or ask for a smaller {smaller}."
    )
