"""Lengths and shape: what there is in a bundle, how long and bent its streamlines are, and where they end."""

import numpy as np
from numpy.typing import NDArray

from tractcap.checks.common import estimate, panels, plots
from tractcap.checks.common.check_definition import CheckFile, CheckInput, Findings
from tractcap.checks.common.duplicates import Duplicates
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import Sample, Streamline, length
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.color_names import DISTINCT
from tractcap.drawing.anatomy import read_anatomy
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.extent import LengthSummary
from tractcap.drawing.lines import NOT_FINITE, TOO_SHORT
from tractcap.errors import InputError
from tractcap.inputs.tractograms import Chunk, Tractogram
from tractcap.records.check_sidecar import Value

STEP = 2.0
"""mm between the points that curvature is measured at: closer ones show the tracking's own jitter."""

_END = 4.0
"""mm at each end that the picture marks."""

_BINS = 30
_ENDS, _REST = DISTINCT["orange"], (110, 110, 110)

_HALF = 127
"""Of the 255 that are inside head or brain."""


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    tractogram, duplicates = files.open_file(inputs.tractogram), Duplicates()
    outside = _OutsideReference(inputs.reference, tractogram)

    def also(chunk: Chunk) -> None:
        duplicates.add(chunk)
        outside.add(chunk)

    whole = files.survey(inputs.tractogram, output.report, also)
    sample, counts, lengths = whole.sample, whole.counts, whole.lengths
    same = duplicates.count(counts.drawn)

    each_length = np.array([length(streamline) for streamline in sample.streamlines])
    spans = np.array([span(streamline) for streamline in sample.streamlines])
    curvatures = np.array([curvature(streamline) for streamline in sample.streamlines], float)
    bent, long = curvatures[np.isfinite(curvatures)], each_length > 0

    _draw(sample, each_length, lengths, bent, output)
    starts = [round(lengths.start + at * lengths.width, 3) for at in range(len(lengths.counts))]
    rows = [
        (start, round(start + lengths.width, 3), count) for start, count in zip(starts, lengths.counts, strict=True)
    ]
    output.table("lengths", "Lengths", ("length_from_mm", "length_to_mm", "streamlines"), rows)

    fraction = sample.fraction
    measures: dict[str, Value] = {
        "Streamlines": counts.streamlines,
        "SinglePoint": counts.left_out[TOO_SHORT],
        "NotFinite": counts.left_out[NOT_FINITE],
        **same.measures("Duplicates", 0),
        **same.over(counts.drawn).measures("DuplicateShare"),
        "LengthMean": lengths.mean,
        "LengthMedian": lengths.median,
        "LengthMinimum": lengths.minimum,
        "LengthMaximum": lengths.maximum,
        "Volume": whole.territory.volume,
        **estimate.mean(bent, fraction).measures("CurvatureMean"),
        **estimate.median(bent, fraction).measures("CurvatureMedian"),
        **estimate.mean(spans, fraction).measures("SpanMean", 3),
        **estimate.mean(spans[long] / each_length[long], fraction).measures("Straightness"),
        "OutsideReference": outside.share,
        "Sampled": len(sample.streamlines),
    }
    notes = [*outside.notes]
    if same.low != same.high:
        notes.append("there are so many streamlines that duplicates were counted in a part of them")
    elif same.value:
        notes.append(f"{same.value:,.0f} streamlines are the same as another one")
    return Findings(measures, [*notes, *sample.notes("curvature, span, straightness, and the picture,")])


class _OutsideReference:
    """Takes chunks, and counts the points that lie outside of what the reference image shows of head or brain."""

    def __init__(self, reference: CheckFile | None, tractogram: Tractogram) -> None:
        self._inside, self._outside, self._points = None, 0, 0
        self.notes: list[str] = []
        if reference and (why := tractogram.header.unplaced):
            self.notes.append(
                f"{tractogram.path.name}: {why}, so what lies outside the head or brain can't be measured."
            )
        elif reference:
            try:
                self._inside = read_anatomy(reference.path).inside
            except InputError as error:
                self.notes.append(str(error))  # all else of the shape doesn't need it

    def add(self, chunk: Chunk) -> None:
        """Count a chunk's points."""
        if self._inside is not None:
            points = chunk.points[chunk.new]
            self._points += len(points)
            self._outside += int((~(self._inside.at(points) >= _HALF)).sum())  # beyond the grid it is not a number

    @property
    def share(self) -> float | None:
        """Of all points."""
        return round(self._outside / self._points, 6) if self._points else None


def even(streamline: Streamline, step: float = STEP) -> NDArray[np.float64]:
    """Points (N, 3) at equal distances along a streamline, about a step apart, three at least."""
    exact = streamline.astype(np.float64)
    along = np.concatenate([[0], np.cumsum(np.sqrt((np.diff(exact, axis=0) ** 2).sum(axis=1)))])
    places = np.linspace(0, along[-1], max(3, round(along[-1] / step) + 1))
    return np.stack([np.interp(places, along, exact[:, axis]) for axis in range(3)], axis=1)


def curvature(streamline: Streamline) -> float | None:
    """Mean curvature in 1/mm: the angle between neighbouring steps over their length; None for one without length.

    The discrete curvature of do Carmo, Differential Geometry of Curves and Surfaces (1976), section 1.5, as a
    quotient of differences.
    """
    steps = np.diff(even(streamline), axis=0)
    long = np.sqrt((steps**2).sum(axis=1))
    if not long.min(initial=np.inf) > 0:
        return None
    along = (steps[1:] * steps[:-1]).sum(axis=1) / (long[1:] * long[:-1])
    angles = np.arccos(np.clip(along, -1, 1))
    return float((angles / ((long[1:] + long[:-1]) / 2)).mean())


def span(streamline: Streamline) -> float:
    """From end to end in mm."""
    return float(np.sqrt(((streamline[-1].astype(np.float64) - streamline[0]) ** 2).sum()))


def cut(streamline: Streamline, end: float) -> tuple[Streamline, Streamline, Streamline]:
    """Both ends of a streamline, ``end`` mm long or half of it, and what is between them, which may have no points."""
    steps = np.sqrt((np.diff(streamline.astype(np.float64), axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0], np.cumsum(steps)])
    short = min(end, along[-1] / 2)
    at = np.stack([np.interp([short, along[-1] - short], along, streamline[:, axis]) for axis in range(3)], axis=1)
    first, last = at.astype(np.float32)[:1], at.astype(np.float32)[1:]
    before, after = streamline[along < short], streamline[along > along[-1] - short]
    middle = streamline[(along > short) & (along < along[-1] - short)]
    between = np.concatenate([first, middle, last]) if along[-1] > 2 * end else middle[:0]
    return np.concatenate([before, first]), np.concatenate([last, after]), between


def _draw(
    sample: Sample,
    each_length: NDArray[np.float64],
    lengths: LengthSummary,
    curvatures: NDArray[np.float64],
    output: CheckOutput,
) -> None:
    """Show the sample by its lengths in mm and its ends, and plot all lengths and the known curvatures in 1/mm."""
    scale = ColorScale("length", float(each_length.min()), float(each_length.max()), "mm")
    parts = [cut(streamline, _END) for streamline in sample.streamlines]
    ends = [end for first, last, _ in parts for end in (first, last)]
    between = [middle for _, _, middle in parts if len(middle) > 1]
    named = (("between", between, _REST), ("ends", ends, _ENDS))
    with_ends = [panels.plain(name, streamlines, color) for name, streamlines, color in named if streamlines]
    rows = [
        panels.PanelRow("Lengths", sample.caption, [panels.valued(sample.streamlines, each_length, scale)]),
        panels.PanelRow("Ends", f"the last {_END:g} mm at both ends", with_ends),
    ]
    picture = panels.sheet(
        output, "lengths and ends", sample.caption, rows, panels.frame_of(sample.streamlines),
        scale=scale, legend=(("ends", _ENDS), ("between them", _REST)),
    )  # fmt: skip
    output.picture("streamlines", "Streamlines by length, and where they end", picture)

    heading = "lengths and curvature"
    with plots.figure(output, "distributions", "Lengths and curvature", heading, columns=2, wide=8.4) as (left, right):
        edges = [round(lengths.start + at * lengths.width, 3) for at in range(len(lengths.counts) + 1)]
        left.stairs(lengths.counts, edges, fill=True, color=plots.BLUE)
        plots.line_at(left, lengths.median)
        left.set(title=f"all {sum(lengths.counts):,}; median {lengths.median:.1f} mm", xlabel="length (mm)")
        sampled = len(sample.streamlines)
        of = "" if len(curvatures) == sampled else f" of {sampled:,}"
        title = f"{len(curvatures):,}{of} sampled"
        if len(curvatures):
            right.stairs(*np.histogram(curvatures, _BINS), fill=True, color=plots.ORANGE)
            plots.line_at(right, float(np.median(curvatures)))
            title += f"; median {np.median(curvatures):.3f} 1/mm"
        right.set(title=title, xlabel="mean curvature (1/mm)")
        for axes in (left, right):
            axes.set_ylabel("streamlines")
            axes.locator_params(axis="x", nbins=6)
            axes.locator_params(axis="y", integer=True)
