"""What each task draws: from measured tractograms to frames, colours and the worker's arguments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap.drawing.look import BUNDLE, ONE, SLICES, Coloring, in_slices
from tractcap.drawing.views import Frame
from tractcap.inputs.layout import fingerprint
from tractcap.work.prepare import Job, Planned, Settings, bundle

Extent = Mapping[str, Any]


@dataclass
class Participant:
    """Whose pictures share a frame: jobs that wait for it, and what was measured of them."""

    jobs: list[Job] = field(default_factory=list)
    extents: dict[Job, Extent] = field(default_factory=dict)
    unmeasured: int = 0
    limits: tuple[float, float] | None = None
    drawing: bool = False
    undrawn: int = 0
    done: list[Job] = field(default_factory=list)


class Scenes:
    """Settles what is drawn, once it was measured."""

    def __init__(self, settings: Settings, planned: Planned) -> None:
        self._settings, self._planned = settings, planned
        self._map = list(fingerprint(Path(settings.coloring.path))) if settings.coloring.path else None

    def measured_by(self) -> dict[str, Any]:
        """What the extents, and the ranges in them, depend on beside the tractograms."""
        coloring = self._settings.coloring
        if not coloring.measured:
            return {"vtk_space": self._settings.vtk_space}
        what = {"kind": coloring.kind, "name": coloring.name, "path": coloring.path, "map": self._map}
        return {"vtk_space": self._settings.vtk_space, **what}

    def limits(self, extents: Iterable[Extent]) -> tuple[float, float] | None:
        """The ends of the colours of values, one range for all of these."""
        coloring = self._settings.coloring
        if not coloring.measured or coloring.limits:
            return coloring.limits
        ends = [extent["values"] for extent in extents]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def coloring(self, job: Job, limits: tuple[float, float] | None) -> Coloring:
        """A job's colours."""
        asked = replace(self._settings.coloring, limits=limits)
        return replace(asked, kind=ONE, color=job.color) if asked.kind == BUNDLE else asked

    def legend(self, job: Job, limits: tuple[float, float] | None) -> Coloring:
        """A job's colours among others: its bundle's own, unless others were asked for."""
        asked = self.coloring(job, limits)
        return Coloring(ONE, color=job.color) if asked.kind == "direction" else asked

    def made(self, person: Participant, jobs: Sequence[Job], missing: Sequence[str] = ()) -> dict[str, Any]:
        """All that decides what pictures of these jobs of a participant show, beside their files and colours."""
        settings, reference = self._settings, self._planned.reference
        boxes = [(person.extents[job]["low"], person.extents[job]["high"]) for job in jobs]
        if not settings.fit:
            boxes = [(extent["low"], extent["high"]) for extent in person.extents.values()]
            boxes += [reference.box] if reference else []
        frame = Frame.around(boxes)
        return {
            "Look": settings.look.dump(),
            "Frame": [frame.low, frame.high],
            "Reference": {"path": str(reference.path), "bytes": reference.bytes, "modified": reference.modified}
            if reference
            else None,
            "SlicesAt": self._slices_at(person, jobs),
            "Map": self._map,
            "VtkSpace": settings.vtk_space,
            "Missing": list(missing),
        }

    def _slices_at(self, person: Participant, jobs: Sequence[Job]) -> list[float] | None:
        look = self._settings.look
        if not (in_slices(look.views) or (self._planned.reference and SLICES in look.anatomy)):
            return None
        if look.slices_at:
            return list(look.slices_at)
        centers = [person.extents[job]["center"] for job in jobs]
        return [round(sum(axis) / len(centers), 3) for axis in zip(*centers, strict=True)]

    def arguments(
        self, jobs: Sequence[Job], colorings: Sequence[Coloring], made: Mapping[str, Any], extent: Extent
    ) -> dict[str, Any]:
        """What a worker needs to draw these jobs together."""
        return {
            "bundles": [
                {
                    "path": str(job.source.path),
                    "name": bundle(job.source),
                    "coloring": coloring.dump(),
                    "source": source(job),
                }
                for job, coloring in zip(jobs, colorings, strict=True)
            ],
            "vtk_space": self._settings.vtk_space,
            "made": made,
            "making": self.making(jobs[0]),
            "extent": {**extent, "measured_by": self.measured_by()},
        }

    @staticmethod
    def making(job: Job) -> dict[str, Any]:
        """How a job's pictures are made."""
        shape = job.shape
        return {"max_points": shape.max_points, "passes": shape.passes, "sampling": shape.sampling}


def source(job: Job) -> dict[str, Any]:
    """A job's file, and which state of it."""
    return {"name": job.source.name, "bytes": job.bytes, "modified": job.modified}
