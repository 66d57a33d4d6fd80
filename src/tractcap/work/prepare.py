"""From what was asked for to jobs: tractograms are found, their headers looked at, and how each is drawn is chosen."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap.drawing import palette
from tractcap.drawing.look import BUNDLE, TUBES, Coloring, Look
from tractcap.drawing.palette import Color
from tractcap.drawing.piece import WHOLE, Piece, pieces
from tractcap.errors import CapTooSmallError, NothingToDrawError, SettingsError
from tractcap.inputs.companions import Companions
from tractcap.inputs.filters import Filters
from tractcap.inputs.layout import Found, Source, fingerprint, search
from tractcap.inputs.patterns import Pattern
from tractcap.limits import MB, Watch, as_mb
from tractcap.limits.rlimit import ceiling
from tractcap.limits.threads import environment
from tractcap.limits.watch import SUPERVISOR
from tractcap.work import plan
from tractcap.work.asked import Asked
from tractcap.work.images import Box, Images, State, checked, choose, extra, state
from tractcap.work.pool import Limits, Pool, Task
from tractcap.work.shard import Shard, can_be_parted

log = logging.getLogger("tractcap")

_LOOK_NEED = plan.BASE
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
    of the work, None for all; ``timeout`` how many seconds a worker may be silent.
    """

    input: Path
    output: Path
    look: Look = field(default_factory=Look)
    coloring: Coloring = field(default_factory=Coloring)
    reference: Path | None = None
    references: Mapping[str, Path] = field(default_factory=dict)
    find_reference: bool = False
    fit: bool = False
    overview: bool = False
    filters: Filters = field(default_factory=Filters)
    layouts: tuple[Pattern, ...] = ()
    checks: Asked = field(default_factory=Asked)
    nprocs: int = -1
    margin: float = 0.2
    mem_per_job: int | None = None
    vtk_space: str = ""
    stop_on_first_crash: bool = False
    overwrite: bool = False
    batch_size: int = 0
    shard: Shard | None = None
    timeout: float = 600.0

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
    content: plan.Content
    shape: plan.Shape
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


@dataclass
class Planned:
    """What a run is going to do.

    ``failed`` holds what can't be drawn already, source and sentence; ``empty`` bundles that hold no streamlines, as
    their JSON files without a tractogram say. ``outlines`` are boxes around the heads in references, ``companions`` the
    images of the dataset. ``people`` are sentences on who was found, ``unread`` on folders and files that can't be.
    """

    jobs: list[Job]
    failed: list[tuple[Source, str]]
    crew: plan.Crew
    room: int
    empty: list[Source] = field(default_factory=list)
    outlines: dict[Path, Box] = field(default_factory=dict)
    companions: Companions = field(default_factory=lambda: Companions(()))
    people: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def folders(self) -> set[str]:
        """Where pictures go, below the output."""
        drawn, failed = (job.source for job in self.jobs), (source for source, _ in self.failed)
        return {source.folder for source in (*drawn, *failed, *self.empty)}


def prepare(settings: Settings, watch: Watch, sources: list[Source] | None = None) -> Planned:
    """Look at the tractograms' headers and settle who is drawn how.

    Parameters
    ----------
    watch : what memory allows. sources : what is to be drawn; None finds it in the settings' input.

    Raises
    ------
    NothingToDrawError, CapTooSmallError, SettingsError
    """
    found = _found(settings) if sources is None else Found(sources)
    if not (sources := found.sources):
        raise NothingToDrawError(_nothing(settings, found))
    companions = Companions(found.images, settings.filters)
    room = _room(settings, watch)
    mine = _mine(settings, sources)
    planned = Planned([], [], plan.Crew(1, watch.budget.cpus, ""), room, companions=companions)
    planned.people, planned.unread = found.people, found.failed
    planned.empty = [source for source in mine if source.empty]
    _jobs(planned, _touched(sources, mine), companions, settings, watch)
    _keep(planned, mine)
    if planned.jobs:
        planned.jobs = _colored(planned.jobs, sources, settings.coloring)
        _outline(planned, settings, watch)
        _share_out(planned, settings, watch)
    return planned


def _mine(settings: Settings, sources: Sequence[Source]) -> dict[Source, tuple[Piece, ...]]:
    """What of which sources is drawn here. What shines through isn't drawn in pieces: its sums would differ."""
    if settings.shard:
        return settings.shard.share(sources, 0 if settings.look.sums else len(settings.look.sizes))
    return dict.fromkeys(sources, (WHOLE,))


def _share_out(planned: Planned, settings: Settings, watch: Watch) -> None:
    """Settle how many workers there are, and draw large tractograms in pieces where some would have nothing to do."""
    workers = settings.nprocs if settings.nprocs > 0 else watch.budget.cpus
    while True:
        parted = [
            _parted(job, count, planned.room // workers) for job, count in _counts(planned.jobs, settings, workers)
        ]
        needs = [job.need for job in parted for _ in job.pieces or (WHOLE,)]
        planned.crew = plan.crew(settings.nprocs, watch.budget.cpus, needs, planned.room)
        if planned.crew.bound_by != "memory" or planned.crew.workers >= workers:
            break
        workers = planned.crew.workers  # there is no memory for more, so fewer pieces will do
    planned.jobs = parted


def _counts(jobs: Sequence[Job], settings: Settings, workers: int) -> Iterator[tuple[Job, int]]:
    counts = plan.counts([job.points for job in jobs], workers)
    for job, count in zip(jobs, counts, strict=True):
        yield job, count if can_be_parted(job.source) and not settings.look.sums else 1


def _parted(job: Job, count: int, room: int) -> Job:
    """Let a job be drawn in so many pieces, or in those that it has, where each fits into ``room`` bytes."""
    parted = pieces(count, len(job.content.sizes)) if job.pieces == (WHOLE,) and count > 1 else job.pieces
    if parted in ((WHOLE,), ()):
        return job
    fitting = plan.fit_pieces(job.content, job.shape.sampling, [piece.drawn for piece in parted], room)
    return replace(job, pieces=parted, shape=fitting[0], need=fitting[1]) if fitting else job


def _touched(sources: Sequence[Source], mine: Collection[Source]) -> list[Source]:
    """All tractograms of the participants that a shard has any of."""
    people = {source.participant for source in mine}
    return [source for source in sources if source.participant in people and not source.empty]


def _keep(planned: Planned, mine: Mapping[Source, tuple[Piece, ...]]) -> None:
    """Mark what other shards draw, and leave to them what fails of it."""
    planned.jobs = [replace(job, pieces=mine.get(job.source, ())) for job in planned.jobs]
    planned.failed = [(source, why) for source, why in planned.failed if source in mine]


def _found(settings: Settings) -> Found:
    found = search(settings.input, settings.filters, settings.output, settings.layouts)
    for sentence in found.people:
        log.info("found %s", sentence)
    for sentence in found.warnings:
        log.warning("%s", sentence)
    for sentence in found.failed:
        log.error("%s", sentence)
    return found


def _jobs(
    planned: Planned, sources: Sequence[Source], companions: Companions, settings: Settings, watch: Watch
) -> None:
    """Plan how each tractogram is drawn, or tell why it can't be."""
    coloring = settings.coloring
    chosen = {
        source: choose(source, settings.reference_of(source), settings.find_reference, coloring, companions)
        for source in sources
    }
    asked = [path for path in (settings.reference, Path(coloring.path) if coloring.path else None) if path]
    images = dict.fromkeys([*asked, *(path for one in chosen.values() for path in one.paths)])
    headers = look([source.path for source in sources], images, settings, watch) if sources else {}
    too_large = []
    for source, one in checked(chosen, headers, asked if sources else ()).items():
        header = headers[str(source.path)]
        if why := header.get("failed") or one.lacks:
            planned.failed.append((source, why))
        elif job := _job(source, headers, one, settings, _most(planned.room, watch)):
            planned.jobs.append(job)
        else:
            too_large.append((source, _too_large(source, headers, one, settings, watch)))
    if too_large and not planned.jobs:
        raise CapTooSmallError(too_large[0][1])
    planned.failed += too_large


def _colored(jobs: list[Job], sources: Sequence[Source], coloring: Coloring) -> list[Job]:
    """Give each job its bundle's colour, the same in all participants."""
    assigned = palette.assign(source.bundle.key for source in sources)
    if coloring.kind == BUNDLE and len(assigned) > len(palette.apart()):
        log.warning("there are %d bundles for %d colours: some share one", len(assigned), len(palette.apart()))
    return [replace(job, color=assigned[job.source.bundle.key]) for job in jobs]


def _room(settings: Settings, watch: Watch) -> int:
    """What all workers may take, by the budget and by what others leave of it."""
    room = min(plan.usable(watch.budget.bytes, settings.margin), watch.room())
    if room < _LOOK_NEED:
        least = (
            int((plan.need(plan.Content(1, (64,), 0), plan.Shape(0, (1,), 1)) + SUPERVISOR) / (1 - settings.margin))
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


def _nothing(settings: Settings, found: Found) -> str:
    if found.nothing:
        return f"{settings.input}: {found.nothing}."
    of = f" of {told}" if (told := settings.filters.told) else ""
    return f"{settings.input} holds no tractogram{of}: expected files that end in .trk, .tck, .trx, .vtk or .vtp."


def look(
    tractograms: Iterable[Path], images: Iterable[Path], settings: Settings, watch: Watch
) -> dict[str, dict[str, Any]]:
    """Look at all headers, images' too, in one worker of its own: the supervisor never loads what that takes.

    By path, each has a ``fingerprint`` of its file, or has ``failed`` with a sentence.
    """
    paths, pictures = [str(path) for path in tractograms], [str(path) for path in images]
    arguments = {"paths": paths, "images": pictures, "vtk_space": settings.vtk_space}
    done, why = alone(Task("look", arguments, _LOOK_NEED), watch)
    if done is None:
        return {path: {"failed": f"{path}: {why}"} for path in [*paths, *pictures]}
    return {path: _with_fingerprint(path, header) for path, header in done.items()}


def alone(task: Task, watch: Watch) -> tuple[Mapping[str, Any] | None, str]:
    """What a worker makes of one task, or why it could not."""
    with Pool(Limits(1, task.need), watch, environment(1)) as pool:
        pool.submit(task)
        for event in pool.events():
            if event.done is not None or event.failed:
                return event.done, event.failed
    raise AssertionError("a pool always tells how a task ended")


def _outline(planned: Planned, settings: Settings, watch: Watch) -> None:
    """Find head or brain in the reference image that was asked for; those that were found are each person's own."""
    path = settings.reference
    if path is None:
        return
    need = max(outline_need(job) for job in planned.jobs)
    done, why = alone(Task("outline", {"path": str(path)}, need), watch)
    if done is None:
        raise SettingsError(f"the reference image can't be used: {why if str(path) in why else f'{path}: {why}'}")
    planned.outlines[path] = (done["low"], done["high"])


def outline_need(job: Job) -> int:
    """Bytes that finding the head in a job's reference image takes."""
    return _LOOK_NEED + job.content.extra


def _with_fingerprint(path: str, header: dict[str, Any]) -> dict[str, Any]:
    try:
        found = [fingerprint(Path(file)) for file in (path, *header.get("beside", ()))]
        return {**header, "fingerprint": (sum(size for size, _ in found), max(time for _, time in found))}
    except OSError as error:
        return {"failed": f"{path} can't be read: {error.strerror}."}


def _content(header: Mapping[str, Any], settings: Settings, needed: int) -> plan.Content:
    look = settings.look
    tubes = look.for_streamlines(header["streamlines"]).style == TUBES
    return plan.Content(len(look.views), look.sizes, header["points"], header["loaded"], look.sums, needed, tubes)


def _job(
    source: Source, headers: Mapping[str, dict[str, Any]], images: Images, settings: Settings, room: int
) -> Job | None:
    header = headers[str(source.path)]
    content = _content(header, settings, extra(images, headers, settings.coloring))
    shape = plan.fit(content, room)
    if (asked := settings.mem_per_job) is not None:
        shape = plan.fit(content, asked) or plan.Shape(plan.CHUNKS[0], (len(content.sizes),))
    needed = asked if asked is not None else plan.need(content, shape) if shape else 0
    if shape is None or needed > room:
        return None
    size, modified = header["fingerprint"]
    reference, scalar = state(images.reference, headers), state(images.map, headers)
    return Job(
        source, header, content, shape, needed, size, modified, _BLACK, images=images, reference=reference, map=scalar
    )


def _too_large(
    source: Source, headers: Mapping[str, dict[str, Any]], images: Images, settings: Settings, watch: Watch
) -> str:
    content = _content(headers[str(source.path)], settings, extra(images, headers, settings.coloring))
    least = plan.least(content, settings.margin)
    if settings.mem_per_job is not None:
        least = int((settings.mem_per_job + SUPERVISOR) / (1 - settings.margin))
    budget = watch.budget
    why = f"{as_mb(budget.bytes)} MB (bound by {budget.bound_by.where})"
    if budget.bytes >= least:
        why += ", of which a ulimit or other processes leave too little"
    return (
        f"{source.path} can't be drawn in {why}: it takes {as_mb(least)} MB; "
        "give more memory, or ask for a smaller --size."
    )
