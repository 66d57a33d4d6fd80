"""The images that tractograms are drawn with: those that were asked for, or those that are found in the dataset."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import Source
from tractcap.records.options import DATA, DENSITY, POSITION, SCALAR, Coloring
from tractcap.work import plan
from tractcap.work.headers import Headers

Box = tuple[Any, Any]
"""Around head or brain: its lowest and its highest coordinates in mm."""


@dataclass(frozen=True)
class State:
    """Which state of an image: its size in bytes, and when it was changed (ns)."""

    path: Path
    bytes: int
    modified: int


@dataclass(frozen=True)
class Images:
    """A tractogram's reference image and scalar map, and ``why`` this reference or none; ``lacks`` says which map."""

    reference: Path | None = None
    why: str = ""
    map: Path | None = None
    lacks: str = ""
    warning: str = ""

    @property
    def paths(self) -> list[Path]:
        """Of the images that there are."""
        return [path for path in (self.reference, self.map) if path]

    def without_reference(self, why: str) -> "Images":
        """The same, where the reference turned out to be broken."""
        told = f"none: {why}"
        return replace(self, reference=None, why=told, warning=why)


def choose(source: Source, reference: Path | None, find: bool, coloring: Coloring, found: MatchingImages) -> Images:
    """Choose the images of a tractogram.

    Parameters
    ----------
    reference : the one asked for; None looks for one if ``find`` is true. found : the images of the dataset.
    """
    if reference:
        chosen = Images(reference, f"{reference.name}: it was asked for")
    elif find:
        choice = found.reference(source)
        chosen = Images(choice.path, choice.why)
    else:
        chosen = Images(None, "none: none was asked for")
    if coloring.kind != SCALAR:
        return chosen
    if coloring.path:
        return replace(chosen, map=Path(coloring.path))
    choice = found.scalar(source, coloring.name)
    lacks = (
        f"no map {coloring.name} to colour by was found ({choice.why}): give one with --scalar {coloring.name}=IMAGE"
    )
    lacks = "" if choice.path else f"{source.path}: {lacks}."
    return replace(chosen, map=choice.path, lacks=lacks)


def usable(images: Images, headers: Headers) -> Images:
    """Leave out images that can't be used."""
    if images.reference and (broken := headers[str(images.reference)].get("failed")):
        images = images.without_reference(str(broken))
    if images.map and (broken := headers[str(images.map)].get("failed")):
        images = replace(images, map=None, lacks=str(broken))
    return images


def state(path: Path | None, headers: Headers) -> State | None:
    """Which state of an image the headers are of."""
    return State(path, *headers[str(path)]["fingerprint"]) if path else None


def extra(images: Images, headers: Headers, coloring: Coloring) -> int:
    """Bytes that a worker takes beside streamlines and pictures."""
    reference, scalar = (headers[str(path)]["shape"] if path else None for path in (images.reference, images.map))
    needed = plan.images(reference, scalar)
    if coloring.kind in (DATA, POSITION, DENSITY) and not needed:
        needed += plan.SCIENCE
    return needed + (plan.DENSITY if coloring.kind == DENSITY else 0)
