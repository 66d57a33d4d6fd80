"""The plan, in words and as JSON, a line at a time: there may be many jobs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import chain, pairwise
from typing import Any

from tractcap.limits import Budget, as_mb
from tractcap.records.sidecar_fields import EMPTY
from tractcap.records.tractogram_piece import WHOLE
from tractcap.work.jobs import Job, RunPlan, UndrawnTractogram
from tractcap.work.settings import Settings


def describe(planned: RunPlan, settings: Settings, budget: Budget, checks: Mapping[str, int]) -> Iterator[str]:
    """The plan as lines of text: limits, budget, workers, and each job's and check's estimate."""
    yield "Limits found:"
    for limit in budget.limits:
        yield f"  {as_mb(limit.bytes):>9,} MB  {limit.where}{'  (binds)' * (limit is budget.bound_by)}"
    yield from (f"  {note}" for note in budget.notes)
    yield f"Budget: {budget.describe()}"
    yield f"  for workers: {as_mb(planned.room):,} MB ({settings.margin:.0%} margin and the supervisor taken off)"
    crew, picture = planned.crew, settings.picture
    of = f"{crew.workers} of {crew.threads} threads each, bound by {crew.bound_by}"
    yield f"Workers: {of if crew.bound_by else 'none'}"
    yield from (f"Found: {sentence}" for sentence in planned.found)
    views = f"{_several(len(picture.views), 'view', 'views')} of {picture.size}×{picture.size} pixels"
    frames = f" and {picture.turning} frames of {picture.frame_size}×{picture.frame_size}"
    yield f"Jobs: {planned.count}, each {views}{frames * bool(picture.turning)}"
    for job in _jobs(planned):
        header, render = job.header, job.render
        streamlines = f"{'at most ' * (not header.exact)}{header.streamlines:,} streamlines"
        if header.promised is not None:
            streamlines = f"{header.promised:,} streamlines by its header"
        how = f"{_several(len(render.passes), 'pass', 'passes')}, chunks of {render.max_points:,} points"
        rough = ", edges not smoothed" * (render.sampling == 1)
        pieces = f", pieces {', '.join(_pieces(job))}" * (job.pieces != (WHOLE,))
        yield f"  {as_mb(job.need):>9,} MB  {job.source.path}: {streamlines}, {how}{rough}{pieces}"
    if checks:
        yield "Checks, the most that each takes of a bundle:"
    for name, need in checks.items():
        refused = ": more than there is, so it will be refused" * (need > planned.room)
        yield f"  {as_mb(need):>9,} MB  {name}{refused if need else ': no bundle has what it needs'}"
    for undrawn in _undrawn(planned):
        yield f"  is empty: {undrawn.why}" if undrawn.status == EMPTY else f"  can't be drawn: {undrawn.why}"
    yield from (f"  can't be read: {why}" for why in planned.unread)


def as_json(planned: RunPlan, settings: Settings, budget: Budget, checks: Mapping[str, int]) -> Iterator[str]:
    """The plan as lines of one JSON object; all sizes are bytes."""
    content: dict[str, Any] = {
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
            {"path": str(job.source.path), "need": job.need, **job.render.plain(), "pieces": _pieces(job)}
            for job in _jobs(planned)
        ),
        "checks": dict(checks),
        "people": list(planned.found),
        "empty": (_path_and_why(undrawn) for undrawn in _undrawn(planned) if undrawn.status == EMPTY),
        "failed": (_path_and_why(undrawn) for undrawn in _undrawn(planned) if undrawn.status != EMPTY),
        "unread": list(planned.unread),
    }
    between = "{"
    for name, value in content.items():
        if isinstance(value, Iterator):  # a list, an item a line
            yield f"{between}{json.dumps(name)}: ["
            for item, following in pairwise(chain(value, [None])):
                yield f"  {json.dumps(item)}{',' * (following is not None)}"
            yield "]"
        else:
            yield f"{between}{json.dumps(name)}: {json.dumps(value)}"
        between = ", "
    yield "}"


def _jobs(planned: RunPlan) -> Iterator[Job]:
    return (job for name in planned.people for job in planned.of(name)[0] if job.mine)


def _undrawn(planned: RunPlan) -> Iterator[UndrawnTractogram]:
    return (undrawn for name in planned.people for undrawn in planned.of(name)[1])


def _path_and_why(undrawn: UndrawnTractogram) -> dict[str, str]:
    return {"path": str(undrawn.source.path), "status": undrawn.status, "why": undrawn.why}


def _several(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}"


def _pieces(job: Job) -> list[str]:
    """Those that are drawn here, counted from 1."""
    return [f"{piece.index + 1}/{piece.count}" for piece in job.pieces]
