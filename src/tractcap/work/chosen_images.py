"""The images that tractograms are drawn with: those that were asked for, or those that match in the dataset."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tractcap.color_names import DISTINCT, Color, apart
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.matching_overlays import ODFS, ROIS, SURFACES, MatchingOverlays, OverlayChoice
from tractcap.inputs.matching_overlays import PEAKS as PEAKS_IMAGES
from tractcap.inputs.search import Source
from tractcap.records.options import (
    DATA,
    DENSITY,
    GLYPHS,
    ODF,
    PEAKS,
    POSITION,
    ROI,
    SCALAR,
    SURFACE,
    Coloring,
    Overlay,
)
from tractcap.records.tractogram_sidecar import OverlayRecord
from tractcap.records.worker_requests import ImageHeader, OverlayHeader, UnreadableFile
from tractcap.work import memory_plan
from tractcap.work.read_headers import FileHeaders

_KINDS = {ROIS: ROI, SURFACES: SURFACE, PEAKS_IMAGES: PEAKS, ODFS: ODF}
"""As what that which is found is drawn."""


@dataclass(frozen=True)
class ImageState:
    """An image, and which state of it: its size in bytes, and when it was changed (ns)."""

    path: Path
    bytes: int
    modified: int


@dataclass(frozen=True)
class MatchedImages:
    """A tractogram's reference image and scalar map, and ``why`` this reference or none; and what is drawn beside it.

    ``overlays_why`` are sentences on what of a dataset is drawn beside it, or why nothing is. ``missing_map`` says
    which map there should be and isn't, ``warning`` what is wrong with the reference.
    """

    reference: Path | None = None
    why: str = ""
    scalar_map: Path | None = None
    missing_map: str = ""
    warning: str = ""
    overlays: tuple[Overlay, ...] = ()
    overlays_why: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """Of the images that there are."""
        return [path for path in (self.reference, self.scalar_map) if path]

    def without_reference(self, why: str) -> "MatchedImages":
        """The same, where the reference turned out to be broken."""
        return replace(self, reference=None, why=f"none: {why}", warning=why)

    def readable(self, headers: FileHeaders) -> "MatchedImages":
        """The same without images that can't be read."""
        images = self
        if self.reference and isinstance(broken := headers.images[self.reference], UnreadableFile):
            images = images.without_reference(broken.why)
        if self.scalar_map and isinstance(broken := headers.images[self.scalar_map], UnreadableFile):
            images = replace(images, scalar_map=None, missing_map=broken.why)
        return images


def choose(
    source: Source,
    reference: Path | None,
    find: bool,
    coloring: Coloring,
    companions: MatchingImages,
    overlays: tuple[Overlay, ...] = (),
    matching: MatchingOverlays | None = None,
) -> MatchedImages:
    """Choose the images of a tractogram.

    Parameters
    ----------
    reference : the one asked for; None looks for one if ``find`` is true. companions : the images of the dataset.
    overlays : those asked for. matching : chooses others in the dataset.
    """
    if reference:
        chosen = MatchedImages(reference, f"{reference.name}: it was asked for")
    elif find:
        match = companions.reference(source)
        chosen = MatchedImages(match.path, match.why)
    else:
        chosen = MatchedImages(None, "none: none was asked for")
    found = matching.of(source) if matching else ()
    chosen = replace(
        chosen,
        overlays=(*overlays, *_named_apart(overlays, found)),
        overlays_why=tuple(f"{choice.choice}: {choice.why}" for choice in found),
    )
    if coloring.kind != SCALAR:
        return chosen
    if coloring.path:
        return replace(chosen, scalar_map=Path(coloring.path))
    match, name = companions.scalar(source, coloring.name), coloring.name
    if match.path:
        return replace(chosen, scalar_map=match.path)
    why = f"no map {name} to colour by was found ({match.why}): give one with --scalar {name}=IMAGE"
    return replace(chosen, missing_map=f"{source.path}: {why}.")


def _named_apart(given: Sequence[Overlay], choices: Sequence[OverlayChoice]) -> Iterator[Overlay]:
    """What was found, under names that nothing else has."""
    names = {overlay.name for overlay in given}
    for found in (found for choice in choices for found in choice.found):
        name = found.name if found.name not in names else f"{found.name} ({found.path.name})"
        yield Overlay(_KINDS[found.choice], name, str(found.path))


def state_of(path: Path | None, headers: FileHeaders) -> ImageState | None:
    """Which state of an image its header is of; None where there is none that can be read."""
    header = headers.images.get(path) if path else None
    return ImageState(path, header.bytes, header.modified) if path and isinstance(header, ImageHeader) else None


def overlay_records(overlays: Sequence[Overlay], headers: FileHeaders) -> tuple[OverlayRecord, ...]:
    """What of overlays is shown, in which colours, and what isn't, and why."""
    return tuple(_overlay_record(overlay, number, headers) for number, overlay in enumerate(overlays))


def not_shown(overlays: Sequence[OverlayRecord], needed: int) -> tuple[OverlayRecord, ...]:
    """The same where there is no memory for them: ``needed`` MB."""
    why = f"there is no memory for it: give {needed} MB, or ask for a smaller --size"
    return tuple(
        overlay if overlay.missing else replace(overlay, missing=why, colors={}, box=()) for overlay in overlays
    )


def _overlay_record(overlay: Overlay, number: int, headers: FileHeaders) -> OverlayRecord:
    header = headers.overlays[overlay]
    if isinstance(header, UnreadableFile):
        return OverlayRecord(kind=overlay.kind, name=overlay.name, path=overlay.path, missing=header.why)
    return OverlayRecord(
        kind=overlay.kind,
        name=overlay.name,
        path=overlay.path,
        bytes=header.bytes,
        modified=header.modified,
        colors={} if overlay.kind in GLYPHS else _overlay_colors(overlay, number, header),
        names=header.names,
        label_table=header.label_table,
        box=header.box,
        frame=header.frame,
        basis=header.basis,
        note=header.note,
    )


def _overlay_colors(overlay: Overlay, number: int, header: OverlayHeader) -> dict[str, Color]:
    """The colour of each label, or of the whole."""
    colors = header.label_colors
    several = {str(label): overlay.color or colors.get(str(label)) or _overlay_color(label) for label in header.labels}
    return several or {"": overlay.color or _overlay_color(number)}


def _overlay_color(number: int) -> Color:
    """One of many colours; the first are those that bundles get last."""
    colors = [*reversed(apart()[: len(DISTINCT)]), *apart()[len(DISTINCT) :]]
    return colors[number % len(colors)]


def memory_need(images: MatchedImages, headers: FileHeaders, coloring: Coloring) -> int:
    """Bytes that a worker takes beside streamlines and pictures."""
    read = (headers.images.get(path) if path else None for path in (images.reference, images.scalar_map))
    need = memory_plan.images(*(header.shape if isinstance(header, ImageHeader) else None for header in read))
    if (coloring.kind in (DATA, POSITION, DENSITY) or images.overlays) and not need:
        need += memory_plan.SCIENCE
    return need + (memory_plan.DENSITY if coloring.kind == DENSITY else 0)
