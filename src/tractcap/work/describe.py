"""The plan in words."""

from tractcap.limits import Budget, as_mb
from tractcap.work.prepare import Job, Planned, Settings


def describe(planned: Planned, settings: Settings, budget: Budget) -> str:
    """The plan as text: limits, budget, workers, and each job's estimate."""
    lines = ["Limits found:"]
    lines += [f"  {as_mb(limit.bytes):>9,} MB  {limit.where}" for limit in budget.limits]
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


def _job_line(job: Job) -> str:
    exactly = "" if job.header["exact"] else "at most "
    return (
        f"{job.source.path}: {exactly}{job.header['streamlines']:,} streamlines, "
        f"{job.shape.views_per_pass} views a pass, chunks of {job.shape.max_points:,} points"
    )
