"""The images that tractograms are drawn with: those that were asked for, or those that match in the dataset."""

from dataclasses import dataclass, replace
from pathlib import Path

from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import Source
from tractcap.records.options import DATA, DENSITY, POSITION, SCALAR, Coloring
from tractcap.records.worker_requests import ImageHeader, UnreadableFile
from tractcap.work import memory_plan
from tractcap.work.read_headers import FileHeaders


@dataclass(frozen=True)
class ImageState:
    """An image, and which state of it: its size in bytes, and when it was changed (ns)."""

    path: Path
    bytes: int
    modified: int


@dataclass(frozen=True)
class MatchedImages:
    """A tractogram's reference image and scalar map, and ``why`` this reference or none.

    ``missing_map`` says which map there should be and isn't, ``warning`` what is wrong with the reference.
    """

    reference: Path | None = None
    why: str = ""
    scalar_map: Path | None = None
    missing_map: str = ""
    warning: str = ""

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
    source: Source, reference: Path | None, find: bool, coloring: Coloring, companions: MatchingImages
) -> MatchedImages:
    """Choose the images of a tractogram.

    Parameters
    ----------
    reference : the one asked for; None looks for one if ``find`` is true. companions : the images of the dataset.
    """
    if reference:
        chosen = MatchedImages(reference, f"{reference.name}: it was asked for")
    elif find:
        match = companions.reference(source)
        chosen = MatchedImages(match.path, match.why)
    else:
        chosen = MatchedImages(None, "none: none was asked for")
    if coloring.kind != SCALAR:
        return chosen
    if coloring.path:
        return replace(chosen, scalar_map=Path(coloring.path))
    match, name = companions.scalar(source, coloring.name), coloring.name
    if match.path:
        return replace(chosen, scalar_map=match.path)
    why = f"no map {name} to colour by was found ({match.why}): give one with --scalar {name}=IMAGE"
    return replace(chosen, missing_map=f"{source.path}: {why}.")


def state_of(path: Path | None, headers: FileHeaders) -> ImageState | None:
    """Which state of an image its header is of; None where there is none that can be read."""
    header = headers.images.get(path) if path else None
    return ImageState(path, header.bytes, header.modified) if path and isinstance(header, ImageHeader) else None


def memory_need(images: MatchedImages, headers: FileHeaders, coloring: Coloring) -> int:
    """Bytes that a worker takes beside streamlines and pictures."""
    read = (headers.images.get(path) if path else None for path in (images.reference, images.scalar_map))
    need = memory_plan.images(*(header.shape if isinstance(header, ImageHeader) else None for header in read))
    if coloring.kind in (DATA, POSITION, DENSITY) and not need:
        need += memory_plan.SCIENCE
    return need + (memory_plan.DENSITY if coloring.kind == DENSITY else 0)
