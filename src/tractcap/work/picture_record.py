"""What is told of pictures: the words on them, and the record beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.drawing.bounds import cropping_notes
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.draw import Scene
from tractcap.drawing.labels import Captions
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import View
from tractcap.drawing.volume import VOXEL
from tractcap.records.tractogram import DrawnRecord
from tractcap.work.about import GENERATED_BY, MEASURED
from tractcap.work.resume import plain

_PACKAGES = {"VTK": "vtk", "NumPy": "numpy", "nibabel": "nibabel", "SciPy": "scipy", "dipy": "dipy"}

SOFTWARE = f"tractcap {__version__}"


@dataclass(frozen=True)
class PictureFacts:
    """What there is to be told.

    ``about`` says whose pictures they are, ``made`` all that decides what they show, ``tally`` what was counted.
    """

    title: str
    about: Mapping[str, Any]
    made: Mapping[str, Any]
    bundles: Sequence[Mapping[str, Any]]
    scene: Scene
    tally: StreamlineCounts

    @property
    def reference(self) -> str:
        """The reference image's name; empty where there is none."""
        return Path(self.made["Reference"]["path"]).name if self.made["Reference"] else ""

    @property
    def outside(self) -> float:
        """The share of all points that lie outside the reference image."""
        return self.tally.outside / max(1, self.tally.points)

    def warnings(self) -> Iterator[str]:
        """What a viewer must know, as sentences without a stop."""
        headers = [bundle.tractogram.header for bundle in self.scene.bundles]
        yield from dict.fromkeys(note for header in headers for note in header.notes)
        promised = [header.promised for header in headers if header.promised is not None]
        if len(promised) == len(headers) and sum(promised) != self.tally.streamlines:
            yield f"the header promises {sum(promised):,} streamlines, but there are {self.tally.streamlines:,}"
        if self.tally.outside:
            yield f"{percent(self.outside)} of the points lie outside {self.reference}"
        yield from cropping_notes(self.tally)
        if (precision := self.scene.frame.precision) > self.scene.frame.width / self.scene.options.size:
            yield f"so far from the origin, points are placed to {precision:.1g} mm, which is more than a pixel"
        if missing := self.made.get("Missing"):
            yield f"not in the picture: {', '.join(missing)}"


def percent(share: float) -> str:
    """A share in percent; what is above none is never shown as none."""
    return f"{100 * share:.1f} %" if share >= 0.0005 else "less than 0.1 %"


def words(facts: PictureFacts, scale: ColorScale | None) -> Captions:
    """The words on the pictures."""
    parts = [_several(facts), count_line(facts.tally), f"mean {facts.tally.mean_length:.1f} mm", _on(facts)]
    legend = tuple((one["name"], tuple(one["coloring"]["color"])) for one in facts.bundles if one["coloring"]["color"])
    return Captions(
        facts.title,
        " · ".join(part for part in parts if part),
        tuple(facts.warnings()),
        scale,
        legend if len(facts.bundles) > 1 else (),
        facts.scene.options.background,
    )


def _several(facts: PictureFacts) -> str:
    return f"{len(facts.bundles)} bundles" if len(facts.bundles) > 1 else ""


def _on(facts: PictureFacts) -> str:
    return f"on {facts.reference}" if facts.reference else ""


def note(facts: PictureFacts, view: View) -> str:
    """Where a view's slice lies, if it shows one."""
    scene = facts.scene
    if not scene.at or not (view.in_slice or (scene.anatomy and "slices" in scene.options.anatomy)):
        return ""
    axis, _ = view.toward
    slab = f" ± {scene.options.slab:g}" if view.in_slice else ""
    return f"{'xyz'[axis]} = {scene.at[axis]:.0f}{slab} mm"


def count_line(tally: StreamlineCounts) -> str:
    """How many streamlines the picture shows, and of how many if any were left out."""
    of = f" of {tally.streamlines:,}" if tally.drawn < tally.streamlines else ""
    return f"{tally.drawn:,}{of} streamline{'s' * (tally.streamlines != 1)}"


def _measured(extent: Mapping[str, Any], tally: StreamlineCounts) -> dict[str, Any]:
    if "lengths" not in extent:  # several tractograms
        return {"Lengths": {"Mean": round(tally.mean_length, 3)}}
    return {told: extent[name] for name, told in MEASURED.items()}


def sidecar(facts: PictureFacts, sampling: int, extent: Mapping[str, Any], pictures: Mapping[str, int]) -> DrawnRecord:
    """The record beside the pictures, whose bytes ``pictures`` tells by their names."""
    tally, scene = facts.tally, facts.scene
    sources = [one["source"] for one in facts.bundles]
    told = {
        **{name: value for name, value in facts.about.items() if name != "Warnings"},
        "Sources": [one["name"] for one in sources],
        "SourceBytes": [one["bytes"] for one in sources],
        "SourceModified": [one["modified"] for one in sources],
        "GeneratedBy": GENERATED_BY,
        "Software": {name: version(package) for name, package in _PACKAGES.items()},
        "Made": facts.made,
        "Colorings": [one["coloring"] for one in facts.bundles],
        "Style": scene.options.style,
        "WidthMillimetres": scene.options.thickness(scene.frame.width),
        "MillimetresPerPixel": scene.frame.width / scene.options.size,
        "SamplesPerPixel": sampling**2,
        "Streamlines": tally.streamlines,
        "StreamlinesDrawn": tally.drawn,
        "StreamlinesOutsidePicture": tally.beyond,
        "StreamlinesLeftOut": {reason: count for reason, count in tally.left_out.items() if count},
        **_measured(extent, tally),
        "Points": tally.points,
        **({"PointsOutsideReference": round(facts.outside, 6)} if scene.anatomy else {}),
        "Extent": {name: value for name, value in extent.items() if name not in MEASURED},
        "Notes": list(_notes(facts, sampling, extent)),
        "Pictures": list(pictures),
        "PictureBytes": list(pictures.values()),
    }
    return DrawnRecord.parse(plain(told))


def _notes(facts: PictureFacts, sampling: int, extent: Mapping[str, Any]) -> Iterator[str]:
    yield from facts.about["Warnings"]
    yield from facts.warnings()
    if (kept := extent.get("sampled", 0)) < (total := extent.get("valued", 0)):
        yield f"the range of its values is that of {kept:,} of {total:,}, spread evenly over the file"
    if (voxel := extent.get("voxel", VOXEL)) > VOXEL:
        yield f"its volume is on voxels of {voxel:g} mm, since it reaches over more space than a head"
    if sampling == 1:
        yield "edges are not smoothed: the memory left no room for it"
    if without := extent.get("without"):
        yield f"{without:,} points have no value and are gray"
    if facts.scene.anatomy and facts.scene.anatomy.coarse > 1:
        yield f"{facts.reference} is shown at every {facts.scene.anatomy.coarse} voxels' mean"
