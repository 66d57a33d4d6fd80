"""Segments: parts along a bundle, each in its own colour."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from tractcap.checks.common import estimate, panels
from tractcap.checks.common.alignment import AlignedBundle, align
from tractcap.checks.common.check_definition import CheckInput, Findings
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import Sample, Streamline
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.color_names import apart, as_hex

SEGMENTS = 10
COLORS = tuple(apart()[:SEGMENTS])
"""Of the segments, always the same."""

_COLUMNS = (
    "segment", "color", "x_mm", "y_mm", "z_mm", "sampled_points", "sampled_streamlines", "streamlines_share",
    "distance_mean_mm",
)  # fmt: skip


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    sample = files.sample(inputs.tractogram, output.report)
    bundle = align(sample.streamlines)
    marks = bundle.part_marks(SEGMENTS)
    # as dipy's assignment_map finds them for a model that is the core alone: of a whole bundle that bends far it would
    # make several centroids, and number them through
    apart, numbers = cKDTree([mark.at for mark in marks]).query(np.concatenate(sample.streamlines))
    counts = np.array([len(streamline) for streamline in sample.streamlines])
    of_each = np.split(numbers, np.cumsum(counts)[:-1])  # the segments of each streamline's points
    output.picture("streamlines", "Segments along the bundle", _picture(sample, of_each, bundle, output))

    rows, shares = [], []
    for number, (mark, color) in enumerate(zip(marks, COLORS, strict=True)):
        within = numbers == number
        crossing = sum(bool((segments == number).any()) for segments in of_each)
        distance = round(float(apart[within].mean()), 3) if within.any() else None
        shares.append(estimate.share(crossing / len(of_each), len(of_each), sample.fraction))
        rows.append((
            number + 1, as_hex(color), *mark.at, int(within.sum()), crossing,
            crossing / len(of_each), distance,
        ))  # fmt: skip
    output.table("segments", "Segments", _COLUMNS, rows)

    away = np.add.reduceat(apart, np.cumsum(counts) - counts)
    measures = {
        "Segments": SEGMENTS,
        "Streamlines": sample.total,
        "Sampled": len(sample.streamlines),
        **estimate.extreme(shares, min).measures("FewestShare"),
        **estimate.ratio(away, counts, sample.fraction).measures("DistanceMean", 3),
    }
    return Findings(measures, sample.notes("segments"))


def _picture(
    sample: Sample, of_each: list[NDArray[np.int64]], bundle: AlignedBundle, output: CheckOutput
) -> Image.Image:
    """A bundle of each segment's parts of streamlines, in its colour; a part ends at the next one's first point."""
    parts: list[list[Streamline]] = [[] for _ in range(SEGMENTS)]
    for streamline, segments in zip(sample.streamlines, of_each, strict=True):
        starts = [0, *(np.flatnonzero(np.diff(segments)) + 1).tolist(), len(streamline)]
        for start, stop in pairwise(starts):
            if len(part := streamline[start : stop + 1]) > 1:
                parts[segments[start]].append(part)
    legend = tuple((str(number), color) for number, color in enumerate(COLORS, 1))
    bundles = [panels.plain(name, part, color) for (name, color), part in zip(legend, parts, strict=True) if part]
    first, last = bundle.ends
    row = panels.PanelRow("Segments", f"1 {first}, {SEGMENTS} {last}", bundles)
    return panels.sheet(
        output, f"{SEGMENTS} segments", sample.caption, [row], panels.frame_of(sample.streamlines),
        legend=legend, marks=bundle.part_marks(SEGMENTS),
    )  # fmt: skip
