"""The group level: what participants' runs have left in the output becomes a page and a table."""

from pathlib import Path

from tractcap.errors import NothingToDrawError, TractcapError
from tractcap.limits import MB, Watch
from tractcap.limits.worker_limits import environment
from tractcap.reports.picture_sets import outdated, page_of
from tractcap.work import plan
from tractcap.work.piece_files import merging_need, places
from tractcap.work.pool import Pool, PoolLimits, Task
from tractcap.work.prepare import alone

NEED = plan.BASE + 256 * MB
"""Of 25,000 tractograms' numbers, and the page that is made of them."""


def gather(output: Path, watch: Watch, timeout: float = 600.0) -> tuple[list[Path], list[str]]:
    """Write the group's page and tables, and participants' pages that are behind.

    Parameters
    ----------
    timeout : how many seconds a worker may be silent.

    Returns the group's paths, and sentences on what could not be made beside them.

    Raises
    ------
    NothingToDrawError, TractcapError
    """
    need = min(NEED, max(plan.BASE, watch.room()))
    failed = [f"{folder}: {why}" for folder in places(output) if (why := _merge(folder, need, watch, timeout))]
    failed += _pages(output, watch, timeout)
    done, why = alone(Task("group", {"output": str(output)}, need), watch, timeout)
    if done is None:
        raise TractcapError(f"the group's page can't be made: {why}")
    if not done["paths"]:
        raise NothingToDrawError(f"{output} holds nothing of a participant's yet: run the participant level first.")
    return [output / path for path in done["paths"]], failed


def _pages(output: Path, watch: Watch, timeout: float) -> list[str]:
    """Write the participants' pages that are behind, one by one; returns sentences on those that can't be."""
    failed = []
    with Pool(PoolLimits(1, plan.BASE, timeout=timeout), watch, environment(1)) as pool:
        for who in outdated(output):
            pool.submit(Task("page", {"output": str(output), "participant": who}, plan.BASE))
        for event in pool.events():
            if event.failed:
                name = page_of(output, event.task.arguments["participant"]).name
                failed.append(f"the page {name} can't be made: {event.failed}")
    return failed


def _merge(folder: Path, need: int, watch: Watch, timeout: float) -> str:
    """Make pictures of pieces whose drawers were gone before all were there; returns why that can't be."""
    return alone(Task("merge", {"folder": str(folder)}, max(need, merging_need(folder))), watch, timeout)[1]
