"""Against an atlas: the bundle beside the one of the same name in an atlas, in the same space."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckFile, CheckInput, Findings, Measure, Value, estimated
from tractcap.limits import MB
from tractcap.palette import DISTINCT

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.bundle_mask import Mask
    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.sample import Sample
    from tractcap.drawing.volume import VisitedVolume
    from tractcap.inputs.tractograms import Tractogram

_MOST = 2_000
"""Streamlines of each bundle that adjacency and similarity are measured of, and which are drawn."""

_OURS, _THEIRS = DISTINCT["orange"], DISTINCT["skyblue"]

_BYTES_PER_VOXEL = 8
_BINS = 30
_SIMILARITY = 40 * MB
"""What dipy's code and clusters take, distances of pairs, and the trees of voxels."""


@dataclass(frozen=True)
class _Atlas:
    """The atlas's bundle: streamlines to be ``drawn``, and the ``territory``.

    Of a tractogram there is the ``tractogram`` and its ``sample``; of an image the ``mask``, on whose grid territories
    are.
    """

    name: str
    drawn: list[Any]
    territory: "VisitedVolume"
    tractogram: "Tractogram | None" = None
    sample: "Sample | None" = None
    mask: "Mask | None" = None

    @property
    def told(self) -> str:
        """How much of it there is, for captions."""
        return self.sample.told if self.sample else self.mask.told if self.mask else ""

    def centers(self, territory: "VisitedVolume") -> Any:
        """The middles of a territory's voxels, (N, 3) in mm."""
        return self.mask.off_grid(territory.centers) if self.mask else territory.centers


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common import comparison, same_space
    from tractcap.checks.common.survey import survey

    assert given.atlas is not None
    notes = _space(given.tractogram, given.atlas)
    tractogram = given.open(given.tractogram)
    same_space.placed([tractogram], _REFUSED)
    theirs = _atlas(given, given.atlas, desk)
    found = survey(tractogram, _MOST, desk.report, theirs.mask.on_grid if theirs.mask else None)
    taken, theirs = _comparable(found.sample, theirs)
    ours, other = theirs.centers(found.territory), theirs.centers(theirs.territory)
    if notes and comparison.box_apart(ours, other):
        raise _apart(given.tractogram, given.atlas)
    there, back = comparison.distances(ours, other), comparison.distances(other, ours)
    desk.picture("overlay", f"With {theirs.name}", _pictures(taken, theirs, desk))
    desk.picture("distances", "Distances to the atlas", _plot(there, back, desk))
    measures = {
        **_alike(taken, tractogram, theirs, desk),
        **comparison.overlap(found.territory, theirs.territory),
        **_distances(there, back),
        "Streamlines": taken.total,
        "Sampled": len(taken.streamlines),
        "AtlasStreamlines": theirs.sample.total if theirs.sample else None,
    }
    return Findings(measures, [*notes, *_notes(taken, theirs)])


_REFUSED = "it can't be compared with an atlas"


def _space(ours: CheckFile, theirs: CheckFile) -> list[str]:
    """What must be said of the spaces, which must not be known to be different."""
    from tractcap.checks.common import same_space

    if not (ours.space or theirs.space):
        unknown = [f"the spaces of {ours.name} and {theirs.name} aren't told by the names"]
    else:
        unknown = same_space.shared(ours, theirs)
    return [f"{one}; it was only seen that both bundles' boxes meet" for one in unknown]


def _apart(ours: CheckFile, theirs: CheckFile) -> Exception:
    from tractcap.errors import InputError

    return InputError(
        f"{ours.name} and {theirs.path} lie wholly apart, and names don't tell that both are in one "
        "space: give them in the same space, with space- and its label in both names."
    )


def _atlas(given: CheckInput, file: CheckFile, desk: "CheckOutput") -> _Atlas:
    from tractcap.checks.common import bundle_mask, same_space
    from tractcap.checks.common.survey import survey

    if file.image:
        held = bundle_mask.read(file)
        return _Atlas(file.name, held.strokes, held.territory, mask=held)
    tractogram = given.open(file)
    same_space.placed([tractogram], _REFUSED)
    found = survey(tractogram, _MOST, desk.report)
    return _Atlas(file.name, found.sample.streamlines, found.territory, tractogram, found.sample)


def _comparable(taken: "Sample", theirs: _Atlas) -> tuple["Sample", _Atlas]:
    """As many streamlines of both as can be compared with all of the other's."""
    from tractcap.checks.common import pairwise_distances

    if theirs.sample is None:
        return taken, theirs
    other = pairwise_distances.thinned(theirs.sample, taken.total)
    return pairwise_distances.thinned(taken, theirs.sample.total), replace(
        theirs, sample=other, drawn=other.streamlines
    )


def _alike(taken: "Sample", tractogram: "Tractogram", theirs: _Atlas, desk: "CheckOutput") -> dict[str, Value]:
    """Shape similarity of whole bundles, and adjacency of all; an image has neither."""
    from tractcap.checks.common import comparison, estimate

    found, similarity = estimate.NONE, None
    if theirs.sample and theirs.tractogram:
        found = comparison.adjacency(taken, tractogram, theirs.sample, theirs.tractogram, desk.report)
        if taken.whole and theirs.sample.whole:
            similarity = round(comparison.similarity(taken.streamlines, theirs.sample.streamlines), 6)
    return {"Similarity": similarity, **found.measures("Adjacency")}


def _distances(there: Any, back: Any) -> dict[str, Value]:
    import numpy as np

    return {
        "DistanceMean": round(float(there.mean()), 3),
        "DistanceMedian": round(float(np.median(there)), 3),
        "Distance95": round(float(np.percentile(there, 95)), 3),
        "DistanceBackMean": round(float(back.mean()), 3),
        "DistanceBack95": round(float(np.percentile(back, 95)), 3),
    }


def _notes(taken: "Sample", theirs: _Atlas) -> list[str]:
    from tractcap.checks.common.bundle_mask import INSIDE

    if theirs.sample is None:
        image = f"the atlas's bundle is {theirs.name} above {INSIDE:g} of its highest value"
        return [
            f"{image}, which has neither adjacency nor shape similarity",
            *taken.notes("the picture", measured=False),
        ]
    whole = taken.whole and theirs.sample.whole
    return [
        *([] if whole else ["shape similarity changes with the number of streamlines, so it isn't given of a sample"]),
        *taken.notes("the bundle's part in adjacency"),
        *theirs.sample.notes("the atlas's part in adjacency"),
    ]


def _pictures(taken: "Sample", theirs: _Atlas, desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import panels

    ours, atlas = panels.plain("bundle", taken.streamlines, _OURS), panels.plain("atlas", theirs.drawn, _THEIRS)
    rows = [
        panels.PanelRow("Both", "", [ours, atlas]),
        panels.PanelRow("Bundle", taken.told, [ours]),
        panels.PanelRow("Atlas", theirs.told, [atlas]),
    ]
    return panels.sheet(
        f"{desk.title}: against an atlas", theirs.name, rows, panels.frame_of(taken.streamlines, theirs.drawn),
        desk.report, background=desk.background, legend=(("bundle", _OURS), ("atlas", _THEIRS)),
    )  # fmt: skip


def _plot(there: Any, back: Any, desk: "CheckOutput") -> "Image.Image":
    import numpy as np

    from tractcap.checks.common import plots
    from tractcap.drawing.volume import VOXEL

    farthest = max(float(there.max()), float(back.max()))
    wide = max(VOXEL, farthest / _BINS)  # distances between voxels come in steps
    edges = np.arange(0, farthest + 2 * wide, wide)

    def fill(plot: Any) -> None:
        named = ((there, _OURS, "bundle to atlas"), (back, _THEIRS, "atlas to bundle"))
        for values, color, label in named:
            shares = np.full(len(values), 100 / len(values))
            plot.axes.hist(values, edges, weights=shares, histtype="step", color=plots.as_hex(color), label=label)
        plot.axes.set(xlabel="distance to the nearest voxel (mm)", ylabel="voxels (%)")
        plot.axes.legend()

    title = f"{desk.title}: distances to the atlas"
    return plots.sheet(title, 1, lambda found: fill(found[0]), background=desk.background)


def _lacks(given: CheckInput) -> str:
    return "" if given.atlas else "there is no bundle of this name in an atlas: give one with --atlas"


def _need(given: CheckInput) -> int:
    one = memory.sampled(given.tractogram, _MOST) + memory.SURVEY
    other = given.atlas.voxels * _BYTES_PER_VOXEL if given.atlas else 0
    other += memory.sampled(given.atlas, _MOST) + memory.SURVEY if given.atlas else 0
    return memory.READING + one + other + memory.PANELS + memory.PLOTS + _SIMILARITY


CHECK = Check(
    name="atlas",
    title="Against an atlas",
    what="How alike the bundle is to the one of the same name in an atlas, how much of its volume it reaches and goes "
    "beyond, and how far they lie apart. Nothing is registered: both must be in the same space.",
    source="Shape similarity (QuickBundles of 1.5 mm, adjacent below 6 mm): Garyfallidis et al. (2012), Front "
    "Neurosci 6, 175, doi:10.3389/fnins.2012.00175, and Chandio et al. (2020), Sci Rep 10, 17149, "
    "doi:10.1038/s41598-020-74054-4. Overlap and overreach: Maier-Hein et al. (2017), Nat Commun 8, 1349, "
    "doi:10.1038/s41467-017-01285-x.",
    measures=(
        Measure("Similarity", "Shape similarity", "Adjacency of both bundles' clusters, from 0 to 1; of whole bundles"),
        *estimated("Adjacency", "Bundle adjacency", "Mean share of streamlines of each bundle that have one of the "
                   "other within 6 mm, from 0 to 1"),
        Measure("Dice", "Dice", "Twice the volume that both have, over the sum of both"),
        Measure("Overlap", "Overlap", "Share of the atlas's volume that the bundle reaches"),
        Measure("Overreach", "Overreach", "Volume beyond the atlas's, as a share of the atlas's"),
        Measure("DistanceMean", "Mean distance", "From the bundle's voxels to the nearest of the atlas's", "mm"),
        Measure("DistanceMedian", "Median distance", "Of the same", "mm"),
        Measure("Distance95", "95 % are nearer than", "Of the same", "mm"),
        Measure("DistanceBackMean", "Mean distance back", "From the atlas's voxels to the nearest of ours", "mm"),
        Measure("DistanceBack95", "95 % back are nearer than", "Of the same", "mm"),
        Measure("Streamlines", "Streamlines", "That can be drawn"),
        Measure("Sampled", "Sampled", "Streamlines that adjacency is of"),
        Measure("AtlasStreamlines", "Streamlines in the atlas", "Of the bundle there"),
    ),
    run=_run,
    need=_need,
    lacks=_lacks,
    uses=("atlas",),
    place=50,
)  # fmt: skip
