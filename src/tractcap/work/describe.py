"""The plan, in words and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tractcap.drawing.look import Look
from tractcap.drawing.piece import WHOLE
from tractcap.limits import Budget, as_mb
from tractcap.work.prepare import Job, Planned, Settings


def describe(planned: Planned, settings: Settings, budget: Budget, checks: Mapping[str, int]) -> str:
    """The plan as text: limits, budget, workers, and each job's and check's estimate."""
    lines = ["Limits found:"]
    lines += [f"  {as_mb(limit.bytes):>9,} MB  {limit.where}{_binds(limit, budget)}" for limit in budget.limits]
    lines += [f"  {note}" for note in budget.notes]
    crew = planned.crew
    lines.append(f"Budget: {budget.describe()}")
    lines.append(
        f"  for workers: {as_mb(planned.room):,} MB ({settings.margin:.0%} margin and the supervisor taken off)"
    )
    lines.append(
        f"Workers: {crew.workers} of {crew.threads} threads each, bound by {crew.bound_by}"
        if crew.bound_by
        else "Workers: none"
    )
    jobs = [job for job in planned.jobs if job.mine]
    lines += [f"Found: {sentence}" for sentence in planned.people]
    lines.append(f"Jobs: {len(jobs)}, each {_pictures(settings.look)}")
    lines += [f"  {as_mb(job.need):>9,} MB  {_job_line(job)}" for job in jobs]
    if checks:
        lines.append("Checks, the most that each takes of a bundle:")
    lines += [f"  {as_mb(need):>9,} MB  {name}{_fits(need, planned.room)}" for name, need in checks.items()]
    lines += [f"  can't be drawn: {why}" for _, why in planned.failed]
    lines += [f"  can't be read: {why}" for why in planned.unread]
    return "\n".join(lines)


def as_json(planned: Planned, settings: Settings, budget: Budget, checks: Mapping[str, int]) -> dict[str, Any]:
    """The plan as values that JSON holds; all sizes are bytes."""
    return {
        "limits": [{"bytes": limit.bytes, "where": limit.where} for limit in budget.limits],
        "budget": budget.bytes,
        "bound_by": budget.bound_by.where,
        "cpus": budget.cpus,
        "warnings": budget.warnings,
        "notes": budget.notes,
        "margin": settings.margin,
        "room": planned.room,
        "workers": asdict(planned.crew),
        "jobs": [
            {"path": str(job.source.path), "need": job.need, **asdict(job.shape), "pieces": _pieces(job)}
            for job in planned.jobs
            if job.mine
        ],
        "checks": dict(checks),
        "people": list(planned.people),
        "failed": [{"path": str(source.path), "why": why} for source, why in planned.failed],
        "unread": list(planned.unread),
    }


def _fits(need: int, room: int) -> str:
    if not need:
        return ": no bundle has what it needs"
    return ": more than there is, so it will be refused" if need > room else ""


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _pictures(look: Look) -> str:
    views = f"{_several(len(look.views), 'view', 'views')} of {look.size}×{look.size} pixels"
    return f"{views} and {look.turning} frames of {look.frame_size}×{look.frame_size}" if look.turning else views


def _binds(limit: object, budget: Budget) -> str:
    return "  (binds)" if limit is budget.bound_by else ""


def _job_line(job: Job) -> str:
    exactly = "" if job.header["exact"] else "at most "
    rough = ", edges not smoothed" * (job.shape.sampling == 1)
    pieces = f", pieces {', '.join(_pieces(job))}" * (job.pieces != (WHOLE,))
    return (
        f"{job.source.path}: {exactly}{job.header['streamlines']:,} streamlines, "
        f"{_several(len(job.shape.passes), 'pass', 'passes')}, chunks of {job.shape.max_points:,} points{rough}{pieces}"
    )


def _pieces(job: Job) -> list[str]:
    """Those that are drawn here, counted from 1."""
    return [f"{piece.index + 1}/{piece.count}" for piece in job.pieces]
