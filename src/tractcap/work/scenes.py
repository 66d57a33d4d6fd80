"""What each task draws: from measured tractograms to frames, colours and the worker's arguments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap.drawing.views import Frame
from tractcap.limits import Budget
from tractcap.records.options import BUNDLE, ONE, SCALAR, SLICES, Coloring, RenderSettings
from tractcap.work.about import about, about_all
from tractcap.work.chosen_images import Box, State
from tractcap.work.prepare import Job, Settings

_WAY = 2
"""Of measuring: what was measured in another way is measured anew."""

Extent = Mapping[str, Any]


@dataclass
class Participant:
    """Whose pictures share a frame, and one range of colours (``limits``): jobs, and what is known of them so far.

    ``extents`` are what was measured of them, ``outlines`` the boxes around the head in each reference image, None for
    one that can't be used. ``parts`` say how much of each job is done, from 0 to 1; ``told`` are those of which it is
    told what became of them, ``done`` those that have pictures, or pieces of them; ``empty`` have no streamlines.
    ``mosaics``, ``overviews`` and the ``page`` are what is there in the end.
    """

    name: str
    jobs: list[Job]
    outlines: dict[Path, Box | None]
    extents: dict[Job, Extent] = field(default_factory=dict)
    limits: tuple[float, float] | None = None
    parts: dict[Job, float] = field(default_factory=dict)
    told: set[Job] = field(default_factory=set)
    done: list[Job] = field(default_factory=list)
    empty: set[Job] = field(default_factory=set)
    mosaics: list[Path] = field(default_factory=list)
    overviews: list[Path] = field(default_factory=list)
    page: Path | None = None

    @property
    def who(self) -> str:
        """As the log names it."""
        return f"sub-{self.name}" if self.name else "all tractograms"

    @property
    def references(self) -> dict[Path, Job]:
        """The reference images that its jobs have, and a job that has it."""
        return {job.reference.path: job for job in self.jobs if job.reference}


class Scenes:
    """Settles what is drawn, once it was measured."""

    def __init__(self, settings: Settings, budget: Budget) -> None:
        self._settings, self._budget = settings, budget

    def measured_by(self, job: Job) -> dict[str, Any]:
        """What a job's extent, and the range in it, depend on beside the tractogram."""
        coloring, always = self.asked(job), {"vtk_space": self._settings.vtk_space, "way": _WAY}
        if not coloring.measured:
            return always
        what = {"kind": coloring.kind, "name": coloring.name, "path": coloring.path, "map": _fingerprint(job.map)}
        return {**always, **what}

    def asked(self, job: Job) -> Coloring:
        """The colours that were asked for, by the map that is the job's."""
        coloring = self._settings.coloring
        return replace(coloring, path=str(job.map.path)) if coloring.kind == SCALAR and job.map else coloring

    def limits(self, extents: Iterable[Extent]) -> tuple[float, float] | None:
        """The ends of the colours of values, one range for all of these."""
        coloring = self._settings.coloring
        if not coloring.measured or coloring.limits:
            return coloring.limits
        ends = [extent["values"] for extent in extents]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def coloring(self, job: Job, limits: tuple[float, float] | None) -> Coloring:
        """A job's colours."""
        asked = replace(self.asked(job), limits=limits)
        return replace(asked, kind=ONE, color=job.color) if asked.kind == BUNDLE else asked

    def legend(self, job: Job, limits: tuple[float, float] | None) -> Coloring:
        """A job's colours among others: its bundle's own, unless others were asked for."""
        asked = self.coloring(job, limits)
        return Coloring(ONE, color=job.color) if asked.kind == "direction" else asked

    def made(self, person: Participant, jobs: Sequence[Job], missing: Sequence[str] = ()) -> dict[str, Any]:
        """All that decides what pictures of these jobs of a participant show, beside their files and colours."""
        settings, reference = self._settings, _reference(person, jobs[0])
        frame = self._frame(person, jobs)
        return {
            "Look": settings.look.plain(),
            "Frame": [frame.low, frame.high],
            "Reference": asdict(reference)
            | {"path": str(reference.path), "box": [list(corner) for corner in person.outlines[reference.path] or ()]}
            if reference
            else None,
            "SlicesAt": self._slices_at(person, jobs, reference),
            "Map": _fingerprint(jobs[0].map),
            "VtkSpace": settings.vtk_space,
            "Missing": list(missing),
        }

    def _frame(self, person: Participant, jobs: Sequence[Job]) -> Frame:
        """What pictures of these jobs show: the same for all of a participant's, unless each is to fit."""
        if self._settings.fit:
            return Frame.around(_framed(person.extents[job]) for job in jobs)
        heads = [box for path in person.references if (box := person.outlines[path])]
        head = Frame.around(heads) if heads else None
        return Frame.around([*heads, *(_framed(extent, head) for extent in person.extents.values())])

    def _slices_at(self, person: Participant, jobs: Sequence[Job], reference: State | None) -> list[float] | None:
        look = self._settings.look
        if not (look.in_slices or (reference and SLICES in look.anatomy)):
            return None
        if look.slices_at:
            return list(look.slices_at)
        centers = [person.extents[job]["center"] for job in jobs]
        return [round(sum(axis) / len(centers), 3) for axis in zip(*centers, strict=True)]

    def arguments(
        self,
        person: Participant,
        jobs: Sequence[Job],
        colorings: Sequence[Coloring],
        made: Mapping[str, Any],
        extent: Extent,
    ) -> dict[str, Any]:
        """What a worker needs to draw these jobs together."""
        return {
            "bundles": [
                {
                    "path": str(job.source.path),
                    "name": job.source.bundle.readable,
                    "coloring": coloring.plain(),
                    "source": source(job),
                }
                for job, coloring in zip(jobs, colorings, strict=True)
            ],
            "vtk_space": self._settings.vtk_space,
            "made": made,
            "making": self.making(jobs[0].shape),
            "extent": {**extent, "measured_by": self.measured_by(jobs[0])},
            "about": self.about(person, jobs),
        }

    def about(self, person: Participant, jobs: Sequence[Job]) -> dict[str, Any]:
        """Whose pictures these are, and what else is told of them that does not decide what they show."""
        first = jobs[0]
        images = first.images
        if first.reference and not person.outlines[first.reference.path]:
            images = images.without_reference(f"{first.reference.path} can't be used as a reference image")
        told = {
            "ReferenceChosen": images.why,
            "Memory": {"BudgetBytes": self._budget.bytes, "BoundBy": self._budget.bound_by.kind},
            "Warnings": [images.warning] if images.warning else [],
        }
        return {**(about(first.source) if len(jobs) == 1 else about_all(first.source)), **told}

    @staticmethod
    def making(shape: RenderSettings) -> dict[str, Any]:
        """How pictures are made."""
        return {"max_points": shape.max_points, "passes": shape.passes, "sampling": shape.sampling}


def _reference(person: Participant, job: Job) -> State | None:
    return job.reference if job.reference and person.outlines[job.reference.path] else None


def _framed(extent: Extent, head: Frame | None = None) -> Box:
    """What of a tractogram a frame shall hold: all, but for a few streamlines that lie far away, or outside a head."""
    low, high = extent["framed_low"], extent["framed_high"]
    if head is None:
        return low, high
    lows = zip(low, extent["most_low"], head.low, strict=True)
    highs = zip(high, extent["most_high"], head.high, strict=True)
    x, y, z = (max(one, edge) if most >= edge else one for one, most, edge in lows)
    right, front, top = (min(one, edge) if most <= edge else one for one, most, edge in highs)
    return (x, y, z), (right, front, top)


def _fingerprint(state: State | None) -> list[int] | None:
    return [state.bytes, state.modified] if state else None


def source(job: Job) -> dict[str, Any]:
    """A job's file, and which state of it."""
    return {"name": job.source.name, "bytes": job.bytes, "modified": job.modified}
