"""Which tractograms are shown together, and where."""

from collections.abc import Iterable
from pathlib import Path

from tractcap.inputs.source import Source, Variant, short
from tractcap.work.about import whose
from tractcap.work.prepare import Job


def together(jobs: Iterable[Job]) -> list[list[Job]]:
    """Jobs of one participant that can be shown in one picture, since they are of one session and one variant."""
    groups: dict[tuple[str, Variant], list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.source.path):
        groups.setdefault((job.source.session, job.source.variant), []).append(job)
    return [group for group in groups.values() if len(group) > 1]


def overview_place(output: Path, source: Source) -> Path:
    """The JSON file of the picture of several tractograms together, of which ``source`` is one."""
    folder = output / source.folder if source.participant else output / "figures"
    return folder / "_".join([*filter(None, [short("_".join(whose(source)))]), "desc-overview.json"])
