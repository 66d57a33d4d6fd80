"""The group level: what participants' runs have left in the output becomes a page and a table."""

import logging
from collections.abc import Sequence
from pathlib import Path

from tractcap.errors import NothingToDrawError, TractcapError
from tractcap.limits import MB, Watch
from tractcap.limits.worker_limits import environment
from tractcap.records.tractogram_piece_files import find_folders, newest
from tractcap.records.tractogram_sidecar import DrawnRecord
from tractcap.records.worker_requests import Merge, WriteGroup, WritePage
from tractcap.reports.participants_table import find_participants, read_groups
from tractcap.reports.picture_sets import outdated, page_of
from tractcap.work import memory_plan
from tractcap.work.pool import Event, Pool, PoolLimits, Task, do_alone

log = logging.getLogger("tractcap")

NEED = memory_plan.BASE + 640 * MB
"""Of three million tractograms, of which some 200 bytes each are in memory; as far as there is room."""


def gather(
    output: Path, watch: Watch, timeout: float = 600.0, source: Path | None = None, group_by: Sequence[str] = ()
) -> tuple[list[Path], list[str]]:
    """Write the group's page and tables, and participants' pages that are behind.

    Parameters
    ----------
    timeout : how many seconds a worker may be silent.
    source, group_by : the input, where ``participants.tsv`` is looked for too, and its columns to compare within.

    Returns the group's paths, and sentences on what could not be made beside them.

    Raises
    ------
    NothingToDrawError, SettingsError, TractcapError
    """
    participants = find_participants([source or output, output]) if group_by else Path()
    if group_by:
        read_groups(participants, group_by)  # so that it is refused before anything else is done
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
    request = WriteGroup(str(output), str(participants), tuple(group_by))
    group = do_alone(Task(request, need), watch, timeout)
    if group.answer is None:
        raise TractcapError(f"the group's page can't be made: {group.failed}")
    for note in group.answer.notes:
        log.info("%s", note)
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
