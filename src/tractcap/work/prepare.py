"""From what was asked for to jobs: tractograms are found, their headers looked at, and how each is drawn is chosen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.errors import CapTooSmallError, NothingToDrawError
from tractcap.inputs.layout import Source, find
from tractcap.limits import Budget, as_mb
from tractcap.limits.threads import environment
from tractcap.work import plan
from tractcap.work.pool import Pool, Task

_LOOK_NEED = 2 * plan.BASE


@dataclass(frozen=True)
class Settings:
    """What was asked for. ``margin`` is a share of the budget; ``mem_per_job`` overrides the estimates, in bytes."""

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
    stop_on_first_crash: bool = False


@dataclass(frozen=True)
class Job:
    """One tractogram's pictures: what its header tells, how they are made, and the bytes of memory that takes."""

    source: Source
    header: dict[str, Any]
    shape: plan.Shape
    need: int

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return self.source.path.stat().st_size


@dataclass
class Planned:
    """What a run is going to do. ``failed`` holds what can't be drawn already: source and sentence."""

    jobs: list[Job]
    failed: list[tuple[Source, str]]
    crew: plan.Crew
    room: int


def prepare(settings: Settings, budget: Budget) -> Planned:
    """Find the tractograms, look at their headers and settle who is drawn how.

    Raises
    ------
    NothingToDrawError, CapTooSmallError, SettingsError
    """
    sources = find(settings.input, settings.participants, settings.sessions)
    if not sources:
        raise NothingToDrawError(_nothing(settings))
    headers = _look(sources, settings.vtk_space)
    room = plan.usable(budget.bytes, settings.margin)
    jobs, failed, too_large = [], [], []
    for source in sources:
        header = headers[str(source.path)]
        if "failed" in header:
            failed.append((source, header["failed"]))
        elif job := _job(source, header, settings, room):
            jobs.append(job)
        else:
            too_large.append((source, _too_large(source, header, settings, budget)))
    if too_large and not jobs:
        raise CapTooSmallError(too_large[0][1])
    needs = [job.need for job in jobs]
    crew = plan.crew(settings.nprocs, budget.cpus, needs, room) if jobs else plan.Crew(1, budget.cpus, "")
    return Planned(jobs, failed + too_large, crew, room)


def _nothing(settings: Settings) -> str:
    filters = [f"participant {name}" for name in settings.participants] + [
        f"session {name}" for name in settings.sessions
    ]
    of = f" of {', '.join(filters)}" if filters else ""
    return f"{settings.input} holds no tractogram{of}: expected files that end in .trk, .tck, .trx, .vtk or .vtp."


def _look(sources: list[Source], vtk_space: str) -> dict[str, dict[str, Any]]:
    """Look at all headers in one worker of its own: the supervisor never loads what that takes."""
    task = Task("look", {"paths": [str(source.path) for source in sources], "vtk_space": vtk_space}, _LOOK_NEED)
    with Pool(1, _LOOK_NEED, environment(1)) as pool:
        pool.submit(task)
        for event in pool.events():
            if event.done is not None:
                return dict(event.done)
            if event.failed:
                return {str(source.path): {"failed": f"{source.path}: {event.failed}"} for source in sources}
    raise AssertionError("a pool always tells how a task ended")


def _job(source: Source, header: dict[str, Any], settings: Settings, room: int) -> Job | None:
    views, loaded = len(settings.views), header["loaded"]
    if settings.mem_per_job is not None:
        shape = plan.fit(views, settings.size, loaded, settings.mem_per_job) or plan.Shape(plan.CHUNKS[0], views)
        return Job(source, header, shape, settings.mem_per_job) if settings.mem_per_job <= room else None
    shape_that_fits = plan.fit(views, settings.size, loaded, room)
    if shape_that_fits is None:
        return None
    return Job(source, header, shape_that_fits, plan.need(views, settings.size, loaded, shape_that_fits))


def _too_large(source: Source, header: dict[str, Any], settings: Settings, budget: Budget) -> str:
    least = plan.least(len(settings.views), settings.size, header["loaded"], settings.margin)
    if settings.mem_per_job is not None:
        least = int((settings.mem_per_job + plan.SUPERVISOR) / (1 - settings.margin))
    return (
        f"{source.path} can't be drawn in {as_mb(budget.bytes)} MB (bound by {budget.bound_by.where}): "
        f"it takes {as_mb(least)} MB; give more memory, or ask for a smaller --size."
    )
