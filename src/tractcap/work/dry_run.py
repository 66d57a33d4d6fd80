"""The plan, in words and as JSON, a line at a time: there may be many jobs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from tractcap.limits import Budget, as_mb
from tractcap.records.identity import EMPTY
from tractcap.records.options import PictureOptions
from tractcap.records.piece import WHOLE
from tractcap.work.prepare import Job, RunPlan, Settings, UndrawnTractogram


def describe(planned: RunPlan, settings: Settings, budget: Budget, checks: Mapping[str, int]) -> Iterator[str]:
    """The plan as lines of text: limits, budget, workers, and each job's and check's estimate."""
    yield "Limits found:"
    yield from (f"  {as_mb(limit.bytes):>9,} MB  {limit.where}{_binds(limit, budget)}" for limit in budget.limits)
    yield from (f"  {note}" for note in budget.notes)
    crew = planned.crew
    yield f"Budget: {budget.describe()}"
    yield f"  for workers: {as_mb(planned.room):,} MB ({settings.margin:.0%} margin and the supervisor taken off)"
    yield (
        f"Workers: {crew.workers} of {crew.threads} threads each, bound by {crew.bound_by}"
        if crew.bound_by
        else "Workers: none"
    )
    yield from (f"Found: {sentence}" for sentence in planned.found)
    yield f"Jobs: {planned.count}, each {_pictures(settings.look)}"
    yield from (f"  {as_mb(job.need):>9,} MB  {_job_line(job)}" for job in _jobs(planned))
    if checks:
        yield "Checks, the most that each takes of a bundle:"
    yield from (f"  {as_mb(need):>9,} MB  {name}{_fits(need, planned.room)}" for name, need in checks.items())
    for one in _undrawn(planned):
        yield f"  is empty: {one.why}" if one.status == EMPTY else f"  can't be drawn: {one.why}"
    yield from (f"  can't be read: {why}" for why in planned.unread)


def as_json(planned: RunPlan, settings: Settings, budget: Budget, checks: Mapping[str, int]) -> Iterator[str]:
    """The plan as lines of one JSON object; all sizes are bytes."""
    told: dict[str, Any] = {
        "limits": [{"bytes": limit.bytes, "where": limit.where} for limit in budget.limits],
        "budget": budget.bytes,
        "bound_by": budget.bound_by.where,
        "cpus": budget.cpus,
        "warnings": budget.warnings,
        "notes": budget.notes,
        "margin": settings.margin,
        "room": planned.room,
        "workers": asdict(planned.crew),
        "jobs": (
            {"path": str(job.source.path), "need": job.need, **job.shape.plain(), "pieces": _pieces(job)}
            for job in _jobs(planned)
        ),
        "checks": dict(checks),
        "people": list(planned.found),
        "empty": (_path_and_why(one) for one in _undrawn(planned) if one.status == EMPTY),
        "failed": (_path_and_why(one) for one in _undrawn(planned) if one.status != EMPTY),
        "unread": list(planned.unread),
    }
    between = "{"
    for name, value in told.items():
        yield from _lines(f"{between}{json.dumps(name)}: ", value)
        between = ", "
    yield "}"


def _lines(first: str, value: Any) -> Iterator[str]:
    """A value of a JSON object, of which an iterator is a list, an item a line."""
    if not isinstance(value, Iterator):
        yield first + json.dumps(value)
        return
    yield f"{first}["
    one = next(value, None)
    while one is not None:
        following = next(value, None)
        yield f"  {json.dumps(one)}{',' * (following is not None)}"
        one = following
    yield "]"


def _jobs(planned: RunPlan) -> Iterator[Job]:
    return (job for name in planned.people for job in planned.of(name)[0] if job.mine)


def _undrawn(planned: RunPlan) -> Iterator[UndrawnTractogram]:
    return (one for name in planned.people for one in planned.of(name)[1])


def _path_and_why(one: UndrawnTractogram) -> dict[str, str]:
    return {"path": str(one.source.path), "status": one.status, "why": one.why}


def _fits(need: int, room: int) -> str:
    if not need:
        return ": no bundle has what it needs"
    return ": more than there is, so it will be refused" if need > room else ""


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _pictures(look: PictureOptions) -> str:
    views = f"{_several(len(look.views), 'view', 'views')} of {look.size}×{look.size} pixels"
    return f"{views} and {look.turning} frames of {look.frame_size}×{look.frame_size}" if look.turning else views


def _binds(limit: object, budget: Budget) -> str:
    return "  (binds)" if limit is budget.bound_by else ""


def _job_line(job: Job) -> str:
    promised = job.header["promised"]
    streamlines = (
        f"{promised:,} streamlines by its header"
        if promised is not None
        else f"{'at most ' * (not job.header['exact'])}{job.header['streamlines']:,} streamlines"
    )
    rough = ", edges not smoothed" * (job.shape.sampling == 1)
    pieces = f", pieces {', '.join(_pieces(job))}" * (job.pieces != (WHOLE,))
    return (
        f"{job.source.path}: {streamlines}, "
        f"{_several(len(job.shape.passes), 'pass', 'passes')}, chunks of {job.shape.max_points:,} points{rough}{pieces}"
    )


def _pieces(job: Job) -> list[str]:
    """Those that are drawn here, counted from 1."""
    return [f"{piece.index + 1}/{piece.count}" for piece in job.pieces]
