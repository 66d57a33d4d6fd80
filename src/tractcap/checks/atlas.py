"""Against an atlas: the bundle beside the one of the same name in an atlas, in the same space."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tractcap.checks.kit import needs
from tractcap.checks.kit.check import Check, File, Findings, Given, Measure, Value
from tractcap.drawing.palette import DISTINCT
from tractcap.limits import MB

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.kit.desk import Desk
    from tractcap.checks.kit.sample import Sample
    from tractcap.drawing.territory import Territory

_MOST = 2_000
"""Streamlines of each bundle that distances and similarity are measured of, and which are drawn."""

_OURS, _THEIRS = DISTINCT["orange"], DISTINCT["skyblue"]

_BYTES_PER_VOXEL = 8
_SIMILARITY = 40 * MB
"""What dipy's code and clusters take, and the trees of points."""


@dataclass(frozen=True)
class _Atlas:
    """The atlas's bundle: streamlines to be ``drawn``, ``points`` (N, 3) in mm, and the ``territory``.

    Of a tractogram there is the ``sample``; of an image, what takes points to the ``grid`` of its territory.
    """

    name: str
    told: str
    drawn: list[Any]
    points: Any
    territory: "Territory"
    sample: "Sample | None" = None
    grid: Any = None


def _run(given: Given, desk: "Desk") -> Findings:
    from tractcap.checks.kit import compare
    from tractcap.checks.kit.survey import survey

    assert given.atlas is not None
    notes = _space(given.tractogram, given.atlas)
    theirs = _atlas(given, desk)
    found = survey(given.tractogram, _MOST, desk.report, given.vtk_space, theirs.grid)
    taken = found.sample
    ours = compare.points(taken.streamlines)
    if notes and compare.box_apart(ours, theirs.points):
        raise _apart(given)
    there, back = compare.distances(ours, theirs.points), compare.distances(theirs.points, ours)
    desk.picture("overlay", f"With {theirs.name}", _pictures(taken, theirs, desk))
    desk.picture("distances", "Distances to the atlas", _plot(there, back, desk))
    measures = {
        "Similarity": _similarity(taken, theirs),
        **compare.overlap(found.territory, theirs.territory),
        **_distances(there, back),
        "Streamlines": taken.total,
        "Sampled": len(taken.streamlines),
        "AtlasStreamlines": theirs.sample.total if theirs.sample else None,
    }
    return Findings(measures, [*notes, *_notes(taken, theirs)])


def _space(ours: File, theirs: File) -> list[str]:
    """What must be said of the spaces, which must not be known to be different."""
    from tractcap.errors import InputError

    if ours.space and ours.space == theirs.space:
        return []
    if ours.space and theirs.space:
        raise InputError(
            f"{ours.name} is in space {ours.space}, and {theirs.path} in {theirs.space}: give an atlas of the same "
            "space, or the bundle in the atlas's."
        )
    unknown = " and ".join(file.name for file in (ours, theirs) if not file.space)
    return [f"the space of {unknown} isn't told by the name; it was only seen that both bundles' boxes meet"]


def _apart(given: Given) -> Exception:
    from tractcap.errors import InputError

    assert given.atlas is not None
    return InputError(
        f"{given.tractogram.name} and {given.atlas.path} lie wholly apart, and names don't tell that both are in one "
        "space: give them in the same space, with space- and its label in both names."
    )


def _atlas(given: Given, desk: "Desk") -> _Atlas:
    from tractcap.checks.kit import compare, mask
    from tractcap.checks.kit.survey import survey

    file = given.atlas
    assert file is not None
    if file.image:
        held = mask.read(file)
        return _Atlas(file.name, held.told, held.strokes, held.centers, held.territory, grid=held.on_grid)
    found = survey(file, _MOST, desk.report, given.vtk_space)
    taken = found.sample
    return _Atlas(file.name, taken.told, taken.streamlines, compare.points(taken.streamlines), found.territory, taken)


def _similarity(taken: "Sample", theirs: _Atlas) -> Value:
    from tractcap.checks.kit import compare

    return round(compare.similarity(taken.streamlines, theirs.sample.streamlines), 6) if theirs.sample else None


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
    from tractcap.checks.kit.mask import INSIDE

    image = f"the atlas's bundle is {theirs.name} above {INSIDE:g} of its highest value, which has no shape similarity"
    of_theirs = theirs.sample.notes("the atlas's part in distances and similarity") if theirs.sample else [image]
    return [*taken.notes("distances and similarity"), *of_theirs]


def _pictures(taken: "Sample", theirs: _Atlas, desk: "Desk") -> "Image.Image":
    from tractcap.checks.kit import panels

    ours, atlas = panels.plain("bundle", taken.streamlines, _OURS), panels.plain("atlas", theirs.drawn, _THEIRS)
    rows = [
        panels.Row("Both", "", [ours, atlas]),
        panels.Row("Bundle", taken.told, [ours]),
        panels.Row("Atlas", theirs.told, [atlas]),
    ]
    return panels.sheet(
        f"{desk.title}: against an atlas", theirs.name, rows, panels.frame_of(taken.streamlines, theirs.drawn),
        desk.report, background=desk.background, legend=(("bundle", _OURS), ("atlas", _THEIRS)),
    )  # fmt: skip


def _plot(there: Any, back: Any, desk: "Desk") -> "Image.Image":
    import numpy as np

    from tractcap.checks.kit import plots

    edges = np.linspace(0, max(1.0, float(there.max()), float(back.max())), 41)

    def fill(plot: Any) -> None:
        named = ((there, _OURS, "bundle to atlas"), (back, _THEIRS, "atlas to bundle"))
        for values, color, label in named:
            shares = np.full(len(values), 100 / len(values))
            plot.axes.hist(values, edges, weights=shares, histtype="step", color=plots.as_hex(color), label=label)
        plot.axes.set(xlabel="distance to the nearest point (mm)", ylabel="points (%)")
        plot.axes.legend()

    title = f"{desk.title}: distances to the atlas"
    return plots.sheet(title, 1, lambda found: fill(found[0]), background=desk.background)


def _lacks(given: Given) -> str:
    return "" if given.atlas else "there is no bundle of this name in an atlas: give one with --atlas"


def _need(given: Given) -> int:
    one = needs.sampled(given.tractogram, _MOST) + needs.SURVEY
    other = given.atlas.voxels * _BYTES_PER_VOXEL if given.atlas else 0
    other += needs.sampled(given.atlas, _MOST) + needs.SURVEY if given.atlas else 0
    return needs.READING + one + other + needs.PANELS + needs.PLOTS + _SIMILARITY


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
        Measure("Similarity", "Shape similarity", "Adjacency of both bundles' clusters, from 0 to 1"),
        Measure("Dice", "Dice", "Twice the volume that both have, over the sum of both"),
        Measure("Overlap", "Overlap", "Share of the atlas's volume that the bundle reaches"),
        Measure("Overreach", "Overreach", "Volume beyond the atlas's, as a share of the atlas's"),
        Measure("DistanceMean", "Mean distance", "From the bundle's points to the nearest of the atlas's", "mm"),
        Measure("DistanceMedian", "Median distance", "Of the same", "mm"),
        Measure("Distance95", "95 % are nearer than", "Of the same", "mm"),
        Measure("DistanceBackMean", "Mean distance back", "From the atlas's points to the nearest of ours", "mm"),
        Measure("DistanceBack95", "95 % back are nearer than", "Of the same", "mm"),
        Measure("Streamlines", "Streamlines", "That can be drawn"),
        Measure("Sampled", "Sampled", "Streamlines that distances and similarity are of"),
        Measure("AtlasStreamlines", "Streamlines in the atlas", "Of the bundle there"),
    ),
    run=_run,
    need=_need,
    lacks=_lacks,
    uses=("atlas",),
    place=50,
)
