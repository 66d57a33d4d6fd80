"""What a run is going to do: a job for each tractogram, and the plan of them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tractcap.color_names import Color
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import Source
from tractcap.records.options import RenderSettings
from tractcap.records.tractogram_piece import WHOLE, Piece
from tractcap.records.tractogram_sidecar import Box, OverlayRecord
from tractcap.records.worker_requests import SourceState, TractogramHeader
from tractcap.work import memory_plan
from tractcap.work.chosen_images import ImageState, MatchedImages
from tractcap.work.disk_spool import Spool


@dataclass(frozen=True, eq=False)
class Job:
    """One tractogram's pictures: what its header says, how they are rendered, and the bytes of memory that takes.

    ``reference`` and ``scalar_map`` are the state of the images that was planned for. ``color`` is the bundle's own.
    ``overlays`` are drawn beside it. ``pieces`` are those that are drawn here. One that is not ``mine`` is another
    shard's to draw: it is measured here too, since all of a participant's share a frame.
    """

    source: Source
    header: TractogramHeader
    workload: memory_plan.Workload
    render: RenderSettings
    need: int
    color: Color
    images: MatchedImages
    reference: ImageState | None
    scalar_map: ImageState | None
    pieces: tuple[Piece, ...] = (WHOLE,)
    overlays: tuple[OverlayRecord, ...] = ()

    @property
    def mine(self) -> bool:
        """Whether any of it is drawn here."""
        return bool(self.pieces)

    @property
    def leads(self) -> bool:
        """Whether its beginning is drawn here, and with that what is drawn once, of it and others."""
        return bool(self.pieces) and self.pieces[0].index == 0

    @property
    def points(self) -> int:
        """The most that are drawn here."""
        return self.header.points * len(self.pieces) // self.pieces[0].count if self.pieces else 0

    @property
    def state(self) -> SourceState:
        """Which state of the file was planned for."""
        return SourceState(self.source.name, self.header.bytes, self.header.modified)


@dataclass(frozen=True)
class UndrawnTractogram:
    """A tractogram that has no pictures: its ``status``, and ``why``, as a sentence.

    Of one that is ``too_large``, memory is all that is wrong.
    """

    source: Source
    status: str
    why: str
    too_large: bool = False


@dataclass
class RunPlan:
    """What a run is going to do: the plan of each participant, on disk, and a few numbers that are of all.

    ``count`` tractograms are drawn here, ``failed`` can't be, and ``bytes`` is the size of all that are measured.
    ``too_small`` says of the memory that it is too little for any of them, if nothing else is wrong of any.
    ``usual`` is the most that a job takes of those that all workers may do at once. ``outlines`` are boxes around the
    heads in references that were asked for, ``companions`` the images of the dataset, ``tops`` the folders in the
    output that pictures go to. ``found`` are sentences on the participants found, ``unread`` on folders and files that
    can't be read.
    """

    room: int
    crew: memory_plan.WorkerPlan
    people: Sequence[str]
    companions: MatchingImages
    plans: Spool[Job | UndrawnTractogram]
    colors: Mapping[str, Color] = field(default_factory=dict)
    tops: set[str] = field(default_factory=set)
    outlines: dict[Path, Box] = field(default_factory=dict)
    parted: dict[Source, Job] = field(default_factory=dict)
    count: int = 0
    failed: int = 0
    bytes: int = 0
    usual: int = 0
    too_small: str = ""
    found: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def of(self, participant: str) -> tuple[list[Job], list[UndrawnTractogram]]:
        """The jobs of a participant, and what of it can't be drawn or is empty."""
        plans = self.plans.of(participant)
        jobs = [self.parted.get(plan.source, plan) for plan in plans if isinstance(plan, Job)]
        jobs = [replace(job, color=self.colors[job.source.bundle.key]) for job in jobs]
        return jobs, [plan for plan in plans if isinstance(plan, UndrawnTractogram)]
