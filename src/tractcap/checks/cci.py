"""Cluster confidence: which streamlines have others that follow the same way, the nearer the more.

Jordan, Amirbekian, Keshavan and Henry (2018), Cluster Confidence Index: A Streamline-Wise Pathway Reproducibility
Metric for Diffusion-Weighted MRI Tractography, J Neuroimaging 28(1), 64-69, doi:10.1111/jon.12467.
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.checks.common import estimate, pairwise_distances, panels, plots
from tractcap.checks.common.check_definition import CheckInput, Findings, Report
from tractcap.checks.common.duplicates import PRECISION
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import Sample, Streamline, length, take
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.drawing.colors import ColorScale
from tractcap.inputs.tractograms import Tractogram

FARTHEST = 5.0
"""mm; streamlines at that distance or beyond give no support (the method's default)."""

POINTS = 12
"""That distances are measured at, of each streamline (the method's default)."""

SHORTEST = 20.0
"""mm; below it dipy declines to measure."""

_SHOWN = 90
"""Percentile of the index that the colours reach to: few streamlines have by far the most support."""

_THRESHOLD = 1.0
"""Streamlines below it are taken for removed, as pyTractoViz does."""


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    tractogram = files.open_file(inputs.tractogram)
    sample = take(tractogram, output.report, SHORTEST)
    sample = pairwise_distances.thinned(sample, sample.total)
    values = confidence(sample.streamlines, tractogram, output.report)
    kept = values >= _THRESHOLD
    if sample.streamlines:
        output.picture("streamlines", "Before and after", _picture(sample, values, kept, output))
        heading = f"cluster confidence of {sample.caption}"
        with plots.figure(output, "histogram", "Distribution of the index", heading) as (axes,):
            axes.stairs(*np.histogram(values, plots.bins(values, _THRESHOLD)), fill=True, color=plots.BLUE)
            plots.line_at(axes, _THRESHOLD, f"threshold {_THRESHOLD:g}")
            axes.set(xlabel="cluster confidence index (1/mm)", ylabel="streamlines")
            axes.locator_params(axis="y", integer=True)
            axes.legend()
    rows = zip(sample.numbers.tolist(), values.round(6).tolist(), strict=True)
    output.table("values", "Values", ("streamline", "cci"), rows)

    short = sum(count for why, count in sample.left_out.items() if why.startswith("shorter"))
    measures = {
        "Streamlines": sample.total + short,
        "TooShort": short,
        "Sampled": len(values),
        **estimate.mean(values, sample.fraction).measures("CCIMean"),
        **estimate.median(values, sample.fraction).measures("CCIMedian"),
        **estimate.deviation(values, sample.fraction).measures("CCIStandardDeviation"),
        "Threshold": _THRESHOLD,
        **estimate.share(float(kept.mean()) if len(kept) else 0.0, len(kept), sample.fraction).measures("Retention"),
    }
    notes = sample.notes("cluster confidence")
    if not sample.total:
        notes.append(f"no streamline is {SHORTEST:g} mm or longer: there is no index")
    return Findings(measures, notes)


def confidence(some: Sequence[Streamline], tractogram: Tractogram, report: Report) -> NDArray[np.float64]:
    """The index of some of a tractogram's streamlines, (S,): the sum of 1/MDF over all others nearer than ``FARTHEST``.

    The same as dipy's ``cluster_confidence`` of all of them. Streamlines that are the same give each other no support,
    where dipy declines to go on; short ones give none either.
    """
    index = np.zeros(len(some))
    for apart in pairwise_distances.distances(some, tractogram, POINTS, report, lambda line: length(line) >= SHORTEST):
        near = (apart > PRECISION) & (apart < FARTHEST)
        index += np.divide(1, apart, out=np.zeros_like(apart), where=near).sum(axis=1)
    return index


def _picture(sample: Sample, values: NDArray[np.float64], kept: NDArray[np.bool_], output: CheckOutput) -> Image.Image:
    scale = ColorScale("CCI", 0.0, max(float(np.percentile(values, _SHOWN)), _THRESHOLD))
    of = "" if sample.whole else f" of the {len(values):,} drawn"
    named = (
        ("Before", sample.caption, np.ones_like(kept)),
        (
            "After",
            f"CCI of {_THRESHOLD:g} or more: {int(kept.sum()):,} kept, {int((~kept).sum()):,} removed{of}",
            kept,
        ),
        ("Removed", f"CCI below {_THRESHOLD:g}", ~kept),
    )
    rows = [
        panels.PanelRow(title, words, [panels.valued([*compress(sample.streamlines, shown)], values[shown], scale)])
        for title, words, shown in named
    ]
    frame = panels.frame_of(sample.streamlines)
    return panels.sheet(output, "cluster confidence", sample.caption, rows, frame, scale=scale)
