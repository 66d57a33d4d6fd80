"""The group level: what participants' runs have left in the output becomes a page and a table."""

from pathlib import Path

from tractcap.errors import NothingToDrawError, TractcapError
from tractcap.limits import MB, Watch
from tractcap.limits.worker_limits import environment
from tractcap.records.tractogram_piece_files import find_folders, newest
from tractcap.records.tractogram_sidecar import DrawnRecord
from tractcap.records.worker_requests import Merge, WriteGroup, WritePage
from tractcap.reports.picture_sets import outdated, page_of
from tractcap.work import memory_plan
from tractcap.work.pool import Event, Pool, PoolLimits, Task, do_alone

NEED = memory_plan.BASE + 256 * MB
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
    need, failures = min(NEED, max(memory_plan.BASE, watch.room())), []
    for folder in find_folders(output):  # pieces whose workers were gone before all of them were there
        piece = newest(folder)
        merge = Merge(str(folder), piece.draw.scene.overlays if piece else ())
        merged = _without_failing_overlays(merge, max(need, piece.need if piece else 0), watch, timeout)
        if merged.failed:
            failures.append(f"{folder}: {merged.failed}")
    with Pool(PoolLimits(1, memory_plan.BASE, timeout=timeout), watch, environment()) as pool:
        pages = {}
        for number, participant in enumerate(outdated(output)):
            pages[number] = page_of(output, participant).name
            pool.submit(Task(WritePage(str(output), participant), memory_plan.BASE, number=number))
        failed = [event for event in pool.events() if event.failed]
        failures += [f"the page {pages[event.task.number]} can't be made: {event.failed}" for event in failed]
    group = do_alone(Task(WriteGroup(str(output)), need), watch, timeout)
    if group.answer is None:
        raise TractcapError(f"the group's page can't be made: {group.failed}")
    if not group.answer.paths:
        raise NothingToDrawError(f"{output} holds nothing of a participant's yet: run the participant level first.")
    return [output / path for path in group.answer.paths], failures


def _without_failing_overlays(merge: Merge, need: int, watch: Watch, timeout: float) -> Event[DrawnRecord]:
    """Merge pieces, and again without an overlay that this failed at."""
    while True:
        event = do_alone(Task(merge, need), watch, timeout)
        without = merge.without(event.reading, event.why_of(event.reading)) if event.reading else None
        if not event.failed or not without:
            return event
        merge = without
