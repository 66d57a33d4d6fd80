"""What is drawn of a participant: from what was measured to frames, colours and requests to workers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tractcap.drawing import opengl
from tractcap.drawing.views import Frame
from tractcap.inputs.tractogram_source import Source, Variant, short
from tractcap.limits import Budget
from tractcap.records.json_record import Vector
from tractcap.records.options import BUNDLE, DIRECTION, GLYPHS, ONE, SCALAR, SLICES, Coloring
from tractcap.records.sidecar_fields import OVERVIEW, BundleRecord
from tractcap.records.tractogram_sidecar import (
    OVERVIEW_STEM,
    Box,
    Extent,
    MeasuredBy,
    MeasuredByValues,
    Measurements,
    Memory,
    ReferenceRecord,
    SceneRecord,
)
from tractcap.records.worker_requests import BundleToDraw, Draw, Measure
from tractcap.work.earlier_pictures import identity_of
from tractcap.work.jobs import Job
from tractcap.work.settings import Settings

_WAY = 2
"""The version of measuring: what was measured in another way is measured anew."""

_WIDEST = 350.0
"""mm; overlays don't make pictures wider than that: no head is."""

Corners = tuple[Vector, Vector]


@dataclass
class Participant:
    """A participant, whose pictures share a frame and one range of colours (``limits``), and what is known so far.

    ``measured`` is what was measured of each job's tractogram, ``outlines`` the boxes around the head in each reference
    image, None for one that can't be used. ``status`` is what became of each job, once that is known, and ``parts`` say
    how much of it is done, from 0 to 1. ``mosaics``, ``overviews`` and the ``page`` are what is there in the end.
    """

    name: str
    jobs: list[Job]
    outlines: dict[Path, Box | None]
    measured: dict[Job, Measurements] = field(default_factory=dict)
    limits: tuple[float, float] | None = None
    parts: dict[Job, float] = field(default_factory=dict)
    status: dict[Job, str] = field(default_factory=dict)
    mosaics: list[Path] = field(default_factory=list)
    overviews: list[Path] = field(default_factory=list)
    page: Path | None = None

    @property
    def readable(self) -> str:
        """As the log names it."""
        return f"sub-{self.name}" if self.name else "all tractograms"

    @property
    def references(self) -> dict[Path, Job]:
        """The reference images that its jobs have, and a job that has it."""
        return {job.reference.path: job for job in self.jobs if job.reference}

    def reference(self, job: Job) -> ReferenceRecord | None:
        """A job's reference image, if it can be used."""
        image = job.reference
        if not image or not (box := self.outlines[image.path]):
            return None
        return ReferenceRecord(
            path=str(image.path), bytes=image.bytes, modified=image.modified, box=(box.low, box.high)
        )


def shown_together(jobs: Iterable[Job]) -> list[list[Job]]:
    """Jobs of one participant that can be shown in one picture, since they are of one session and one variant.

    A file is left out where bundles within it are shown.
    """
    jobs = list(jobs)
    shown_by_bundle = {job.source.file for job in jobs if job.source.file != job.source.name}
    groups: dict[tuple[str, Variant], list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.source.path):
        if job.source.name in shown_by_bundle:
            continue
        groups.setdefault((job.source.session, job.source.variant), []).append(job)
    return [group for group in groups.values() if len(group) > 1]


def overview_path(output: Path, source: Source) -> Path:
    """The record of the picture of several tractograms together, of which ``source`` is one."""
    folder = output / source.folder if source.participant else output / "figures"
    name = short("_".join(_in_common(source)))
    return folder / (f"{name}_{OVERVIEW_STEM}.json" if name else f"{OVERVIEW_STEM}.json")


def _in_common(source: Source) -> list[str]:
    """The entities that all tractograms that are shown together have in common."""
    labels = (("sub", source.participant), ("ses", source.session), *source.variant)
    return [f"{entity}-{label}" for entity, label in labels if label]


class Scenes:
    """Settles how tractograms are measured and, once they were, what is drawn."""

    def __init__(self, settings: Settings, budget: Budget) -> None:
        self._settings, self._memory = settings, Memory(budget_bytes=budget.bytes, bound_by=budget.bound_by.kind)

    def measure(self, job: Job) -> Measure:
        """The request to measure a job's tractogram."""
        return Measure(
            str(job.source.path), self._settings.vtk_space, job.render.max_points, self._own_map(job),
            self.measured_by(job),
        )  # fmt: skip

    def measured_by(self, job: Job) -> MeasuredByValues | MeasuredBy:
        """What a job's extent, and the range in it, depend on beside the tractogram."""
        coloring, vtk_space = self._own_map(job), self._settings.vtk_space
        if not coloring.measured:
            return MeasuredBy(vtk_space, _WAY)
        return MeasuredByValues(vtk_space, _WAY, coloring.kind, coloring.name, coloring.path, _map_state(job))

    def _own_map(self, job: Job) -> Coloring:
        """The colours that were asked for, by the map that is the job's."""
        coloring = self._settings.coloring
        if coloring.kind == SCALAR and job.scalar_map:
            return replace(coloring, path=str(job.scalar_map.path))
        return coloring

    def limits(self, extents: Iterable[Extent]) -> tuple[float, float] | None:
        """The ends of the colours of values, one range for all of these."""
        coloring = self._settings.coloring
        if not coloring.measured or coloring.limits:
            return coloring.limits
        ends = [extent.values for extent in extents if extent.values]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def coloring(self, job: Job, limits: tuple[float, float] | None) -> Coloring:
        """A job's colours."""
        coloring = replace(self._own_map(job), limits=limits)
        return replace(coloring, kind=ONE, color=job.color) if coloring.kind == BUNDLE else coloring

    def coloring_among_others(self, job: Job, limits: tuple[float, float] | None) -> Coloring:
        """A job's colours in an overview: its bundle's own, unless others were asked for."""
        coloring = self.coloring(job, limits)
        return Coloring(ONE, color=job.color) if coloring.kind == DIRECTION else coloring

    def scene(self, person: Participant, jobs: Sequence[Job], missing: Sequence[Job] = ()) -> SceneRecord:
        """All that decides what pictures of these jobs show, beside their files and colours.

        Their frame is the same for all of a participant's, unless each is to fit.
        """
        picture, reference = self._settings.picture, person.reference(jobs[0])
        extents = [person.measured[job].extent for job in jobs]
        if self._settings.fit:
            frame = Frame.around((extent.framed_low, extent.framed_high) for extent in extents)
        else:
            heads = [(box.low, box.high) for path in person.references if (box := person.outlines[path])]
            head = Frame.around(heads) if heads else None
            frame = Frame.around([*heads, *(_framed(measured.extent, head) for measured in person.measured.values())])
            frame = frame if head else _with_overlays(frame, person.jobs)
        shared = [{overlay.path for overlay in job.overlays} for job in jobs]
        # in one picture of several bundles, what is one bundle's own is left to the pictures of that one
        overlays = [
            overlay for job in jobs for overlay in job.overlays if all(overlay.path in paths for paths in shared)
        ]
        glyphs = any(overlay.kind in GLYPHS for overlay in overlays)
        slices_at = None
        if picture.in_slices or glyphs or (reference and SLICES in picture.anatomy):
            centers = zip(*(extent.center for extent in extents), strict=True)
            x, y, z = (round(sum(axis) / len(jobs), 3) for axis in centers)
            slices_at = picture.slices_at or (x, y, z)
        return SceneRecord(
            options=picture,
            frame=(frame.low, frame.high),
            reference=reference,
            slices_at=slices_at,
            map=_map_state(jobs[0]),
            vtk_space=self._settings.vtk_space,
            missing=tuple(job.source.bundle.readable for job in missing),
            overlays=tuple(dict.fromkeys(overlays)),
            gpu=opengl.gpu_asked() or None,
        )

    def draw(
        self,
        person: Participant,
        jobs: Sequence[Job],
        colorings: Sequence[Coloring],
        scene: SceneRecord,
        record_path: Path,
        *,
        overview: bool = False,
    ) -> Draw:
        """The request to draw a job, or several together in an ``overview``, beside the place of their record."""
        first = jobs[0]
        images, identity, title = first.images, identity_of(first.source), first.source.title
        if first.reference and not person.outlines[first.reference.path]:
            images = images.without_reference(f"{first.reference.path} can't be used as a reference image")
        measured: Measurements | Box = person.measured[first]
        if overview:
            title = " ".join(_in_common(first.source)) or "all bundles"
            bundle = BundleRecord(key="", readable="all bundles")
            identity = replace(identity, kind=OVERVIEW, title=title, bundle=bundle)
            measured = Box(*scene.frame, measured_by=self.measured_by(first))
        warnings = [images.warning] if images.warning else []
        drawn = {overlay.path for overlay in scene.overlays}
        if left := {overlay.path for job in jobs for overlay in job.overlays} - drawn:
            warnings.append(f"{len(left)} overlays of single bundles are in these bundles' own pictures alone")
        bundles = zip(jobs, colorings, strict=True)
        return Draw(
            bundles=tuple(
                BundleToDraw(str(job.source.path), job.source.bundle.readable, coloring, job.state)
                for job, coloring in bundles
            ),
            vtk_space=self._settings.vtk_space,
            scene=scene,
            render=max(jobs, key=lambda job: job.need).render,
            measured=measured,
            folder=str(record_path.parent),
            stem=record_path.stem,
            title=title,
            identity=identity,
            reference_chosen=images.why,
            overlays_chosen=images.overlays_why,
            memory=self._memory,
            warnings=tuple(warnings),
        )


def _with_overlays(frame: Frame, jobs: Iterable[Job]) -> Frame:
    """A frame with the overlays that lie near; those that don't are outside, and said to be. Glyphs fill any frame."""
    overlays = (overlay for job in jobs for overlay in job.overlays if overlay.kind not in GLYPHS)
    for low, high in dict.fromkeys(overlay.box for overlay in overlays if overlay.box):
        wider = Frame.around([(frame.low, frame.high), (low, high)])
        if wider.width <= max(_WIDEST, frame.width):
            frame = wider
    return frame


def _framed(extent: Extent, head: Frame | None) -> Corners:
    """What of a tractogram a frame holds: all, but for a few streamlines that lie far away, or outside a head."""
    low, high = extent.framed_low, extent.framed_high
    if head is None:
        return low, high
    lows = zip(low, extent.most_low, head.low, strict=True)
    highs = zip(high, extent.most_high, head.high, strict=True)
    x, y, z = (max(framed, edge) if most >= edge else framed for framed, most, edge in lows)
    right, front, top = (min(framed, edge) if most <= edge else framed for framed, most, edge in highs)
    return (x, y, z), (right, front, top)


def _map_state(job: Job) -> tuple[int, int] | None:
    return (job.scalar_map.bytes, job.scalar_map.modified) if job.scalar_map else None
