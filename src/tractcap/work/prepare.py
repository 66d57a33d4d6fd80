"""From what was asked for to jobs: tractograms are found, their headers looked at, and how each is drawn is chosen."""

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tractcap.drawing import palette
from tractcap.drawing.palette import Color
from tractcap.errors import CapTooSmallError, NothingToDrawError
from tractcap.inputs.layout import Source, find, fingerprint
from tractcap.limits import MB, Watch, as_mb
from tractcap.limits.rlimit import ceiling
from tractcap.limits.threads import environment
from tractcap.limits.watch import SUPERVISOR
from tractcap.work import plan
from tractcap.work.pool import Limits, Pool, Task

log = logging.getLogger("tractcap")

_LOOK_NEED = plan.BASE


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    ``margin`` is a share of the budget; ``mem_per_job`` overrides the estimates, in bytes; ``batch_size`` is how many
    participants are finished before the next are begun, 0 for all at once; ``timeout`` how many seconds a worker may
    be silent; ``color`` is one for all lines, or ``direction`` (the local one's), or ``bundle`` (one for each name);
    ``data`` names what is stored beside the points to colour by instead, between the ends of ``data_range`` or, if
    None, of what a participant's files hold.
    """

    input: Path
    output: Path
    views: tuple[str, ...]
    size: int
    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    nprocs: int = -1
    margin: float = 0.2
    mem_per_job: int | None = None
    vtk_space: str = ""
    color: str | Color = "direction"
    data: str = ""
    data_range: tuple[float, float] | None = None
    background: Color = (0, 0, 0)
    stop_on_first_crash: bool = False
    overwrite: bool = False
    batch_size: int = 0
    timeout: float = 600.0


@dataclass(frozen=True, eq=False)
class Job:
    """One tractogram's pictures: what its header tells, how they are made, and the bytes of memory that takes.

    ``bytes`` and ``modified`` (ns) say which state of the file was planned for.
    """

    source: Source
    header: dict[str, Any]
    content: plan.Content
    shape: plan.Shape
    need: int
    bytes: int
    modified: int
    color: Color | None = None


@dataclass
class Planned:
    """What a run is going to do. ``failed`` holds what can't be drawn already: source and sentence."""

    jobs: list[Job]
    failed: list[tuple[Source, str]]
    crew: plan.Crew
    room: int


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
    headers = _look(sources, settings.vtk_space, watch)
    planned = Planned([], [], plan.Crew(1, watch.budget.cpus, ""), room)
    too_large = []
    for source in sources:
        header = headers[str(source.path)]
        if "failed" in header:
            planned.failed.append((source, header["failed"]))
        elif job := _job(source, header, settings, _most(room, watch)):
            planned.jobs.append(job)
        else:
            too_large.append((source, _too_large(source, header, settings, watch)))
    if too_large and not planned.jobs:
        raise CapTooSmallError(too_large[0][1])
    planned.failed += too_large
    planned.jobs = _colored(planned.jobs, settings.color)
    if planned.jobs:
        needs = [job.need for job in planned.jobs]
        planned.crew = plan.crew(settings.nprocs, watch.budget.cpus, needs, room)
    return planned


def _colored(jobs: list[Job], color: str | Color) -> list[Job]:
    """Give each job its colour; a bundle's is the same in all participants."""
    if color == "direction":
        return jobs
    assigned = palette.assign(_bundle(job.source) for job in jobs)
    if color == "bundle" and len(assigned) > len(palette.DISTINCT):
        log.warning("there are %d bundles for %d colours: some share one", len(assigned), len(palette.DISTINCT))
    return [replace(job, color=color if isinstance(color, tuple) else assigned[_bundle(job.source)]) for job in jobs]


def _bundle(source: Source) -> str:
    """What a tractogram is called in every participant and session."""
    return re.sub("(?<![a-zA-Z0-9])(sub|ses)-[a-zA-Z0-9]+_?", "", source.stem)


def _room(settings: Settings, watch: Watch) -> int:
    """What all workers may take, by the budget and by what others leave of it."""
    room = min(plan.usable(watch.budget.bytes, settings.margin), watch.room())
    if room < _LOOK_NEED:
        least = int((plan.need(plan.Content(1, 64, 0), plan.Shape(0, 1, 1)) + SUPERVISOR) / (1 - settings.margin)) + MB
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


def _look(sources: list[Source], vtk_space: str, watch: Watch) -> dict[str, dict[str, Any]]:
    """Look at all headers in one worker of its own: the supervisor never loads what that takes."""
    task = Task("look", {"paths": [str(source.path) for source in sources], "vtk_space": vtk_space}, _LOOK_NEED)
    with Pool(Limits(1, _LOOK_NEED), watch, environment(1)) as pool:
        pool.submit(task)
        for event in pool.events():
            if event.done is not None:
                return {path: _with_fingerprint(path, header) for path, header in event.done.items()}
            if event.failed:
                return {str(source.path): {"failed": f"{source.path}: {event.failed}"} for source in sources}
    raise AssertionError("a pool always tells how a task ended")


def _with_fingerprint(path: str, header: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**header, "fingerprint": fingerprint(Path(path))}
    except OSError as error:
        return {"failed": f"{path} can't be read: {error.strerror}."}


def _job(source: Source, header: dict[str, Any], settings: Settings, room: int) -> Job | None:
    content = plan.Content(len(settings.views), settings.size, header["points"], header["loaded"])
    size, modified = header["fingerprint"]
    if (asked := settings.mem_per_job) is not None:
        shape = plan.fit(content, asked) or plan.Shape(plan.CHUNKS[0], content.views)
        return Job(source, header, content, shape, asked, size, modified) if asked <= room else None
    if (fitting := plan.fit(content, room)) is None:
        return None
    return Job(source, header, content, fitting, plan.need(content, fitting), size, modified)


def _too_large(source: Source, header: dict[str, Any], settings: Settings, watch: Watch) -> str:
    content = plan.Content(len(settings.views), settings.size, header["points"], header["loaded"])
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
