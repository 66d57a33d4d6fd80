"""The plan, in words and as JSON."""

from dataclasses import asdict
from typing import Any

from tractcap.limits import Budget, as_mb
from tractcap.work.prepare import Job, Planned, Settings


def describe(planned: Planned, settings: Settings, budget: Budget) -> str:
    """The plan as text: limits, budget, workers, and each job's estimate."""
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
    lines.append(
        f"Jobs: {len(planned.jobs)}, each {len(settings.views)} views of {settings.size}×{settings.size} pixels"
    )
    lines += [f"  {as_mb(job.need):>9,} MB  {_job_line(job)}" for job in planned.jobs]
    lines += [f"  can't be drawn: {why}" for _, why in planned.failed]
    return "\n".join(lines)


def as_json(planned: Planned, settings: Settings, budget: Budget) -> dict[str, Any]:
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
        "jobs": [{"path": str(job.source.path), "need": job.need, **asdict(job.shape)} for job in planned.jobs],
        "failed": [{"path": str(source.path), "why": why} for source, why in planned.failed],
    }


def _binds(limit: object, budget: Budget) -> str:
    return "  (binds)" if limit is budget.bound_by else ""


def _job_line(job: Job) -> str:
    exactly = "" if job.header["exact"] else "at most "
    rough = ", edges not smoothed" * (job.shape.sampling == 1)
    return (
        f"{job.source.path}: {exactly}{job.header['streamlines']:,} streamlines, "
        f"{job.shape.views_per_pass} views a pass, chunks of {job.shape.max_points:,} points{rough}"
    )
