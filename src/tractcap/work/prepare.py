"""From what was asked for to jobs: tractograms are found, their headers looked at, and how each is drawn is chosen."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap.drawing import palette
from tractcap.drawing.look import BUNDLE, DATA, DENSITY, POSITION, TUBES, Coloring, Look
from tractcap.drawing.palette import Color
from tractcap.errors import CapTooSmallError, NothingToDrawError, SettingsError
from tractcap.inputs.layout import Source, find, fingerprint
from tractcap.limits import MB, Watch, as_mb
from tractcap.limits.rlimit import ceiling
from tractcap.limits.threads import environment
from tractcap.limits.watch import SUPERVISOR
from tractcap.work import plan
from tractcap.work.pool import Limits, Pool, Task

log = logging.getLogger("tractcap")

_LOOK_NEED = plan.BASE
_BLACK = (0, 0, 0)


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    ``look`` and ``coloring`` are what the pictures shall be; ``reference`` is the image of the anatomy under them.
    ``fit`` frames each tractogram by itself instead of all of a participant's alike; ``overview`` adds a picture of
    them all. ``margin`` is a share of the budget; ``mem_per_job`` overrides the estimates, in bytes; ``batch_size`` is
    how many participants are finished before the next are begun, 0 for all at once; ``timeout`` how many seconds a
    worker may be silent.
    """

    input: Path
    output: Path
    look: Look = field(default_factory=Look)
    coloring: Coloring = field(default_factory=Coloring)
    reference: Path | None = None
    fit: bool = False
    overview: bool = False
    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    nprocs: int = -1
    margin: float = 0.2
    mem_per_job: int | None = None
    vtk_space: str = ""
    stop_on_first_crash: bool = False
    overwrite: bool = False
    batch_size: int = 0
    timeout: float = 600.0


@dataclass(frozen=True, eq=False)
class Job:
    """One tractogram's pictures: what its header tells, how they are made, and the bytes of memory that takes.

    ``bytes`` and ``modified`` (ns) say which state of the file was planned for. ``color`` is the bundle's own.
    """

    source: Source
    header: dict[str, Any]
    content: plan.Content
    shape: plan.Shape
    need: int
    bytes: int
    modified: int
    color: Color


@dataclass(frozen=True)
class Reference:
    """The image of the anatomy: which state of it, and the box in mm around the head or brain in it."""

    path: Path
    bytes: int
    modified: int
    box: tuple[Any, Any]


@dataclass
class Planned:
    """What a run is going to do. ``failed`` holds what can't be drawn already: source and sentence."""

    jobs: list[Job]
    failed: list[tuple[Source, str]]
    crew: plan.Crew
    room: int
    reference: Reference | None = None


def prepare(settings: Settings, watch: Watch, sources: list[Source] | None = None) -> Planned:
    """Look at the tractograms' headers and settle who is drawn how.

    Parameters
    ----------
    watch : what memory allows. sources : what is to be drawn; None finds it in the settings' input.

    Raises
    ------
    NothingToDrawError, CapTooSmallError, SettingsError
    """
    sources = find(settings.input, settings.participants, settings.sessions) if sources is None else sources
    if not sources:
        raise NothingToDrawError(_nothing(settings))
    room = _room(settings, watch)
    headers = _look(sources, settings, watch)
    extra = _extra(settings, headers)
    planned = Planned([], [], plan.Crew(1, watch.budget.cpus, ""), room)
    too_large = []
    for source in sources:
        header = headers[str(source.path)]
        if "failed" in header:
            planned.failed.append((source, header["failed"]))
        elif job := _job(source, header, settings, extra, _most(room, watch)):
            planned.jobs.append(job)
        else:
            too_large.append((source, _too_large(source, header, settings, extra, watch)))
    if too_large and not planned.jobs:
        raise CapTooSmallError(too_large[0][1])
    planned.failed += too_large
    planned.jobs = _colored(planned.jobs, settings.coloring)
    planned.reference = _reference(settings, extra, watch) if planned.jobs else None
    if planned.jobs:
        needs = [job.need for job in planned.jobs]
        planned.crew = plan.crew(settings.nprocs, watch.budget.cpus, needs, room)
    return planned


def _colored(jobs: list[Job], coloring: Coloring) -> list[Job]:
    """Give each job its bundle's colour, the same in all participants."""
    assigned = palette.assign(bundle(job.source) for job in jobs)
    if coloring.kind == BUNDLE and len(assigned) > len(palette.apart()):
        log.warning("there are %d bundles for %d colours: some share one", len(assigned), len(palette.apart()))
    return [replace(job, color=assigned[bundle(job.source)]) for job in jobs]


def bundle(source: Source) -> str:
    """What a tractogram is called in every participant and session."""
    return re.sub("(?<![a-zA-Z0-9])(sub|ses)-[a-zA-Z0-9]+_?", "", source.stem)


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


def _nothing(settings: Settings) -> str:
    filters = [f"participant {name}" for name in settings.participants] + [
        f"session {name}" for name in settings.sessions
    ]
    of = f" of {', '.join(filters)}" if filters else ""
    return f"{settings.input} holds no tractogram{of}: expected files that end in .trk, .tck, .trx, .vtk or .vtp."


def _look(sources: list[Source], settings: Settings, watch: Watch) -> dict[str, dict[str, Any]]:
    """Look at all headers, images' too, in one worker of its own: the supervisor never loads what that takes."""
    paths, pictures = [str(source.path) for source in sources], _images(settings)
    arguments = {"paths": paths, "images": pictures, "vtk_space": settings.vtk_space}
    done, why = _alone(Task("look", arguments, _LOOK_NEED), watch)
    if done is None:
        return {path: {"failed": f"{path}: {why}"} for path in paths}
    if broken := [done[path]["failed"] for path in pictures if "failed" in done[path]]:
        raise SettingsError(broken[0])
    return {path: _with_fingerprint(path, header) for path, header in done.items()}


def _images(settings: Settings) -> list[str]:
    """Paths of the reference image and of the scalar map that colours stand for."""
    reference = str(settings.reference) if settings.reference else ""
    return [path for path in (reference, settings.coloring.path) if path]


def _alone(task: Task, watch: Watch) -> tuple[Mapping[str, Any] | None, str]:
    """What a worker makes of one task, or why it could not."""
    with Pool(Limits(1, task.need), watch, environment(1)) as pool:
        pool.submit(task)
        for event in pool.events():
            if event.done is not None or event.failed:
                return event.done, event.failed
    raise AssertionError("a pool always tells how a task ended")


def _extra(settings: Settings, headers: Mapping[str, dict[str, Any]]) -> int:
    """Bytes that a worker takes beside streamlines and pictures."""
    reference = headers[str(settings.reference)]["shape"] if settings.reference else None
    path, kind = settings.coloring.path, settings.coloring.kind
    extra = plan.images(reference, headers[path]["shape"] if path else None)
    if kind in (DATA, POSITION, DENSITY) and not extra:
        extra += plan.SCIENCE
    return extra + (plan.DENSITY if kind == DENSITY else 0)


def _reference(settings: Settings, extra: int, watch: Watch) -> Reference | None:
    """Find head or brain in the reference image."""
    if settings.reference is None:
        return None
    path = settings.reference
    done, why = _alone(Task("outline", {"path": str(path)}, _LOOK_NEED + extra), watch)
    if done is None:
        raise SettingsError(f"the reference image can't be used: {why if str(path) in why else f'{path}: {why}'}")
    return Reference(path, *fingerprint(path), (done["low"], done["high"]))


def _with_fingerprint(path: str, header: dict[str, Any]) -> dict[str, Any]:
    try:
        found = [fingerprint(Path(file)) for file in (path, *header.get("beside", ()))]
        return {**header, "fingerprint": (sum(size for size, _ in found), max(time for _, time in found))}
    except OSError as error:
        return {"failed": f"{path} can't be read: {error.strerror}."}


def _content(header: dict[str, Any], settings: Settings, extra: int) -> plan.Content:
    look = settings.look
    tubes = look.for_streamlines(header["streamlines"]).style == TUBES
    return plan.Content(len(look.views), look.sizes, header["points"], header["loaded"], look.sums, extra, tubes)


def _job(source: Source, header: dict[str, Any], settings: Settings, extra: int, room: int) -> Job | None:
    content = _content(header, settings, extra)
    size, modified = header["fingerprint"]
    if (asked := settings.mem_per_job) is not None:
        shape = plan.fit(content, asked) or plan.Shape(plan.CHUNKS[0], (len(content.sizes),))
        return Job(source, header, content, shape, asked, size, modified, _BLACK) if asked <= room else None
    if (fitting := plan.fit(content, room)) is None:
        return None
    return Job(source, header, content, fitting, plan.need(content, fitting), size, modified, _BLACK)


def _too_large(source: Source, header: dict[str, Any], settings: Settings, extra: int, watch: Watch) -> str:
    content = _content(header, settings, extra)
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
