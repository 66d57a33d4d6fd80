"""Against an atlas: the bundle beside the one of the same name in an atlas, in the same space."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from dipy.segment.clustering import QuickBundles
from dipy.segment.metricspeed import AveragePointwiseEuclideanMetric
from dipy.tracking.distances import bundles_distances_mdf
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tractcap.checks.common import bundle_mask, estimate, pairwise_distances, panels, plots
from tractcap.checks.common.bundle_mask import BundleMask
from tractcap.checks.common.check_definition import CheckFile, CheckInput, Findings, Report
from tractcap.checks.common.estimate import Estimate
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import SEED, Sample, Streamline
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.checks.common.whole_file import survey
from tractcap.color_names import DISTINCT, as_hex
from tractcap.drawing.position_along_bundle import resampled
from tractcap.drawing.volume import VOXEL, VisitedVolume
from tractcap.errors import InputError
from tractcap.inputs.tractograms import Tractogram
from tractcap.records.check_sidecar import Value

POINTS = 20
"""That streamlines are compared at."""

CLUSTERING = 1.5
"""mm; threshold by which streamlines are clustered before bundles are compared (the method's default)."""

ADJACENT = 6.0
"""mm; clusters nearer than that are taken for the same (the method's default)."""

_OURS, _THEIRS = DISTINCT["orange"], DISTINCT["skyblue"]
_BINS = 30
_REFUSED = "it can't be compared with an atlas"


@dataclass(frozen=True)
class _Atlas:
    """The atlas's bundle: the ``streamlines`` that are drawn, and the ``territory``.

    Of a tractogram there is the ``tractogram`` and its ``sample``; of an image the ``mask``, on whose grid territories
    are.
    """

    streamlines: list[Streamline]
    territory: VisitedVolume
    tractogram: Tractogram | None = None
    sample: Sample | None = None
    mask: BundleMask | None = None

    @property
    def caption(self) -> str:
        """How much of it there is."""
        return self.sample.caption if self.sample else self.mask.caption if self.mask else ""

    def centers(self, territory: VisitedVolume) -> NDArray[np.float64]:
        """The middles of a territory's voxels, (N, 3) in mm."""
        return self.mask.off_grid(territory.centers) if self.mask else territory.centers


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    assert inputs.atlas is not None
    notes = _space_notes(inputs.tractogram, inputs.atlas)
    tractogram = files.open_placed(inputs.tractogram, _REFUSED)
    atlas = _read(files, inputs.atlas, output.report)
    if atlas.mask:
        ours = survey(tractogram, output.report, atlas.mask.on_grid)
    else:
        ours = files.survey(inputs.tractogram, output.report)
    sample = ours.sample
    if atlas.sample:  # as many streamlines of both as can be compared with all of the other's
        sample = pairwise_distances.thinned(ours.sample, atlas.sample.total)
        thinned = pairwise_distances.thinned(atlas.sample, ours.sample.total)
        atlas = replace(atlas, sample=thinned, streamlines=thinned.streamlines)
    centers, atlas_centers = atlas.centers(ours.territory), atlas.centers(atlas.territory)
    lows, highs = (np.array([edge(points, axis=0) for points in (centers, atlas_centers)]) for edge in (np.min, np.max))
    if notes and (lows.max(axis=0) > highs.min(axis=0)).any():  # the boxes around both don't even touch
        raise InputError(
            f"{inputs.tractogram.name} and {inputs.atlas.path} don't overlap at all, and their names don't say that "
            "both are in one space: give them in the same space, with space- and its label in both names."
        )
    there, back = cKDTree(atlas_centers).query(centers)[0], cKDTree(centers).query(atlas_centers)[0]

    name = inputs.atlas.name
    _draw(sample, atlas, name, there, back, output)

    similarity, adjacent = None, estimate.NONE
    if atlas.sample and atlas.tractogram:
        adjacent = adjacency(sample, tractogram, atlas.sample, atlas.tractogram, output.report)
        if sample.whole and atlas.sample.whole:
            similarity = round(shape_similarity(sample.streamlines, atlas.sample.streamlines), 6)
    volume, atlas_volume, both = ours.territory.volumes(atlas.territory)
    measures: dict[str, Value] = {
        "Similarity": similarity,
        **adjacent.measures("Adjacency"),
        "Dice": round(2 * both / (volume + atlas_volume), 6),
        "Overlap": round(both / atlas_volume, 6),  # overlap and overreach: Maier-Hein et al. 2017
        "Overreach": round((volume - both) / atlas_volume, 6),
        "DistanceMean": round(float(there.mean()), 3),
        "DistanceMedian": round(float(np.median(there)), 3),
        "Distance95": round(float(np.percentile(there, 95)), 3),
        "DistanceBackMean": round(float(back.mean()), 3),
        "DistanceBack95": round(float(np.percentile(back, 95)), 3),
        "Streamlines": sample.total,
        "Sampled": len(sample.streamlines),
        "AtlasStreamlines": atlas.sample.total if atlas.sample else None,
    }
    if atlas.sample:
        if not (sample.whole and atlas.sample.whole):
            notes.append("shape similarity changes with the number of streamlines, so it isn't given for a sample")
        notes += sample.notes("the bundle's part in adjacency")
        notes += atlas.sample.notes("the atlas's part in adjacency")
    else:
        notes.append(
            f"the atlas's bundle is {name} above {bundle_mask.INSIDE:g} of its highest value, which has neither "
            "adjacency nor shape similarity"
        )
        notes += sample.notes("the picture", measured=False)
    return Findings(measures, notes)


def _space_notes(ours: CheckFile, theirs: CheckFile) -> list[str]:
    """Notes on the spaces, which must not be known to be different."""
    if ours.space or theirs.space:
        notes = ours.space_notes(theirs)
    else:
        notes = [f"the names of {ours.name} and {theirs.name} don't say which space they are in"]
    return [f"{note}; it was only checked that the boxes around both bundles meet" for note in notes]


def _read(files: SharedFiles, file: CheckFile, report: Report) -> _Atlas:
    if file.image:
        mask = bundle_mask.read(file)
        return _Atlas(mask.strokes, mask.territory, mask=mask)
    tractogram = files.open_placed(file, _REFUSED)
    theirs = files.survey(file, report)
    return _Atlas(theirs.sample.streamlines, theirs.territory, tractogram, theirs.sample)


def adjacency(
    ours: Sample, our_tractogram: Tractogram, theirs: Sample, their_tractogram: Tractogram, report: Report
) -> Estimate:
    """Bundle adjacency, from 0 to 1: the mean share of two bundles' streamlines that have one of the other's near.

    Garyfallidis et al. (2012), doi:10.3389/fnins.2012.00175. Those of both samples are compared with all of the other
    bundle's: among some only, fewer would have one near.
    """
    shares = []
    for sample, others in ((ours, their_tractogram), (theirs, our_tractogram)):
        near = np.zeros(len(sample.streamlines), bool)
        for apart in pairwise_distances.distances(sample.streamlines, others, POINTS, report):
            near |= (apart < ADJACENT).any(axis=1)
        shares.append(estimate.share(float(near.mean()), len(near), sample.fraction))
    return estimate.average(*shares)


def shape_similarity(ours: Sequence[Streamline], theirs: Sequence[Streamline]) -> float:
    """Shape similarity, from 0 to 1: the mean share of two bundles' clusters that have one of the other's near.

    Garyfallidis et al. (2012), doi:10.3389/fnins.2012.00175; Chandio et al. (2020), doi:10.1038/s41598-020-74054-4. Of
    whole bundles: the more streamlines, the more of the clusters are those of stray ones.
    """
    random = np.random.default_rng(SEED)
    clusters = []
    for streamlines in (ours, theirs):
        # not dipy's resampling, which leaves streamlines without length undefined
        lines = np.array([resampled(streamline, POINTS) for streamline in streamlines], np.float32)
        bundles = QuickBundles(CLUSTERING, metric=AveragePointwiseEuclideanMetric())
        clusters.append(bundles.cluster(lines, ordering=random.permutation(len(lines))).centroids)
    near = bundles_distances_mdf(*clusters) < ADJACENT
    return float((near.any(axis=1).mean() + near.any(axis=0).mean()) / 2)


def _draw(
    sample: Sample,
    atlas: _Atlas,
    name: str,
    there: NDArray[np.float64],
    back: NDArray[np.float64],
    output: CheckOutput,
) -> None:
    """Show both bundles, and plot how far their voxels are from each other's: ``there`` and ``back``, in mm."""
    ours = panels.plain("bundle", sample.streamlines, _OURS)
    theirs = panels.plain("atlas", atlas.streamlines, _THEIRS)
    rows = [
        panels.PanelRow("Both", "", [ours, theirs]),
        panels.PanelRow("Bundle", sample.caption, [ours]),
        panels.PanelRow("Atlas", atlas.caption, [theirs]),
    ]
    frame = panels.frame_of(sample.streamlines, atlas.streamlines)
    legend = (("bundle", _OURS), ("atlas", _THEIRS))
    picture = panels.sheet(output, "against an atlas", name, rows, frame, legend=legend)
    output.picture("overlay", f"With {name}", picture)

    farthest = max(float(there.max()), float(back.max()))
    wide = max(VOXEL, farthest / _BINS)  # distances between voxels come in steps
    edges = np.arange(0, farthest + 2 * wide, wide)
    with plots.figure(output, "distances", "Distances to the atlas", "distances to the atlas") as (axes,):
        for values, color, label in ((there, _OURS, "bundle to atlas"), (back, _THEIRS, "atlas to bundle")):
            shares = np.full(len(values), 100 / len(values))
            axes.hist(values, edges.tolist(), weights=shares, histtype="step", color=as_hex(color), label=label)
        axes.set(xlabel="distance to the nearest voxel (mm)", ylabel="voxels (%)")
        axes.legend()
