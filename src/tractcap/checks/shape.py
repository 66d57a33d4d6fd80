"""Lengths and shape: what there is in a bundle, how long and bent its streamlines are, and where they end."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckFile, CheckInput, Findings, Measure, Value, estimated
from tractcap.limits import MB
from tractcap.palette import DISTINCT

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.sample import Sample
    from tractcap.checks.common.survey import Survey
    from tractcap.inputs.tractograms import Chunk, Tractogram

_MOST = 2_000
"""Streamlines whose form is looked at and which are drawn."""

_END = 4.0
"""mm at each end that the picture marks."""

_BINS = 30
_ENDS, _REST = DISTINCT["orange"], (110, 110, 110)
_ANATOMY, _MOST_VOXELS = 90 * MB, 320**3
"""What telling the head from air in a reference image takes beside its voxels."""
_GRID = 4 * MB
"""Of that, what tells them apart."""

_HALF = 127
"""Of the 255 that are inside head or brain."""


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common.survey import survey

    tractogram = given.open(given.tractogram)
    outside = _Outside(given.reference, tractogram)
    found = survey(tractogram, _MOST, desk.report, look=outside.add)
    taken = found.sample
    forms = _forms(taken)
    desk.picture("streamlines", "Streamlines by length, and where they end", _pictures(taken, forms, desk))
    desk.picture("distributions", "Lengths and curvature", _plots(found, forms, desk))
    desk.table("lengths", "Lengths", ("length_from_mm", "length_to_mm", "streamlines"), _bins(found))
    measures = {**_counted(found), **_formed(forms, taken.fraction), "OutsideReference": outside.share}
    return Findings({**measures, "Sampled": len(taken.streamlines)}, [*outside.notes, *_notes(found)])


class _Outside:
    """Takes chunks, and counts the points that lie outside of what the reference image shows of head or brain."""

    def __init__(self, reference: CheckFile | None, tractogram: "Tractogram") -> None:
        from tractcap.checks.common import same_space
        from tractcap.drawing.anatomy import Anatomy
        from tractcap.errors import InputError
        from tractcap.inputs.images import ImageFile

        self._inside, self._out, self._points = None, 0, 0
        self.notes: list[str] = []
        if reference is None:
            return
        try:
            same_space.placed([tractogram], "what lies outside the reference image can't be told")
            self._inside = Anatomy(ImageFile(Path(reference.path))).inside
        except InputError as error:
            self.notes = [str(error)]  # all else of the shape doesn't need it

    def add(self, chunk: "Chunk") -> None:
        """Count a chunk's points."""
        if self._inside is not None:
            points = chunk.points[chunk.new]
            self._points += len(points)
            self._out += int((~(self._inside.at(points) >= _HALF)).sum())  # beyond the grid it is not a number

    @property
    def share(self) -> float | None:
        """Of all points."""
        return round(self._out / self._points, 6) if self._points else None


def _forms(taken: "Sample") -> dict[str, Any]:
    """Length, curvature and span of each streamline of the sample, each an array (S,)."""
    import numpy as np

    from tractcap.checks.common import streamline_shape

    each: dict[str, Callable[[Any], float | None]] = {
        "length": streamline_shape.length, "curvature": streamline_shape.curvature, "span": streamline_shape.span
    }  # fmt: skip
    return {name: np.array([what(one) for one in taken.streamlines], float) for name, what in each.items()}


def _counted(found: "Survey") -> dict[str, Value]:
    same, lengths = found.twins, found.lengths
    return {
        "Streamlines": found.streamlines,
        "SinglePoint": found.single,
        "NotFinite": found.broken,
        **same.measures("Duplicates", 0),
        **same.over(found.measured).measures("DuplicateShare"),
        "LengthMean": lengths.mean,
        "LengthMedian": lengths.median,
        "LengthMinimum": lengths.minimum,
        "LengthMaximum": lengths.maximum,
        "Volume": found.volume,
    }


def _formed(forms: dict[str, Any], fraction: float) -> dict[str, Value]:
    import numpy as np

    from tractcap.checks.common import estimate

    bent = forms["curvature"][np.isfinite(forms["curvature"])]
    long = forms["length"] > 0
    return {
        **estimate.mean(bent, fraction).measures("CurvatureMean"),
        **estimate.median(bent, fraction).measures("CurvatureMedian"),
        **estimate.mean(forms["span"], fraction).measures("SpanMean", 3),
        **estimate.mean(forms["span"][long] / forms["length"][long], fraction).measures("Straightness"),
    }


def _notes(found: "Survey") -> list[str]:
    same = found.twins
    if same.low != same.high:
        said = ["there are so many streamlines that duplicates were looked for in a part of them"]
    else:
        said = [f"{same.value:,.0f} streamlines are the same as another one"] if same.value else []
    return [*said, *found.sample.notes("curvature, span, straightness, and the picture,")]


def _pictures(taken: "Sample", forms: dict[str, Any], desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import panels
    from tractcap.drawing.colors import ColorScale

    low, high = (float(one) for one in (forms["length"].min(), forms["length"].max()))
    scale = ColorScale("length", low, high, "mm")
    rows = [
        panels.PanelRow("Lengths", taken.told, [panels.valued(taken.streamlines, forms["length"], scale)]),
        panels.PanelRow("Ends", f"the last {_END:g} mm at both ends", _with_ends(taken)),
    ]
    return panels.sheet(
        f"{desk.title}: lengths and ends", taken.told, rows, panels.frame_of(taken.streamlines), desk.report,
        background=desk.background, scale=scale, legend=(("ends", _ENDS), ("between them", _REST)),
    )  # fmt: skip


def _with_ends(taken: "Sample") -> list[Any]:
    from tractcap.checks.common import panels, streamline_shape

    cut = [streamline_shape.cut(one, _END) for one in taken.streamlines]
    ends, between = [end for one in cut for end in one[:2]], [one[2] for one in cut if len(one[2]) > 1]
    named = (("between", between, _REST), ("ends", ends, _ENDS))
    return [panels.plain(name, which, color) for name, which, color in named if which]


def _bins(found: "Survey") -> Sequence[tuple[float, float, int]]:
    lengths = found.lengths
    starts = [round(lengths.start + at * lengths.width, 3) for at in range(len(lengths.counts))]
    ends = [round(start + lengths.width, 3) for start in starts]
    return list(zip(starts, ends, lengths.counts, strict=True))


def _plots(found: "Survey", forms: dict[str, Any], desk: "CheckOutput") -> "Image.Image":
    import numpy as np

    from tractcap.checks.common import plots

    bent = forms["curvature"][np.isfinite(forms["curvature"])]

    def fill(both: list[Any]) -> None:
        _lengths(both[0], found)
        _curvatures(both[1], bent, len(forms["curvature"]))
        for plot in both:
            plot.axes.set_ylabel("streamlines")
            plot.axes.locator_params(axis="x", nbins=6)
            plot.axes.locator_params(axis="y", integer=True)

    return plots.sheet(f"{desk.title}: lengths and curvature", 2, fill, wide=8.4, background=desk.background)


def _lengths(plot: Any, found: "Survey") -> None:
    from tractcap.checks.common import plots

    lengths = found.lengths
    starts = [start for start, _, _ in _bins(found)]
    plot.axes.bar(starts, lengths.counts, lengths.width, align="edge", color=plots.BLUE)
    plot.axes.axvline(lengths.median, color=plot.ink, linestyle="--")
    plot.axes.set(title=f"all {sum(lengths.counts):,}; median {lengths.median:.1f} mm", xlabel="length (mm)")


def _curvatures(plot: Any, bent: Any, sampled: int) -> None:
    import numpy as np

    from tractcap.checks.common import plots

    of = "" if len(bent) == sampled else f" of {sampled:,}"
    title = f"{len(bent):,}{of} sampled"
    if len(bent):
        plot.axes.hist(bent, _BINS, color=plots.ORANGE)
        plot.axes.axvline(np.median(bent), color=plot.ink, linestyle="--")
        title += f"; median {np.median(bent):.3f} 1/mm"
    plot.axes.set(title=title, xlabel="mean curvature (1/mm)")


def _need(given: CheckInput) -> int:
    anatomy = _ANATOMY + min(given.reference.voxels, _MOST_VOXELS) if given.reference else 0
    own = memory.READING + memory.sampled(given.tractogram, _MOST) + memory.SURVEY
    return own + _GRID + max(memory.PANELS + memory.PLOTS, anatomy)


CHECK = Check(
    name="shape",
    title="Lengths and shape",
    what="How many streamlines there are, how long and how bent they are, what volume they pass through, where they "
    "end, and which of them are no streamlines or there twice.",
    source="Curvature: do Carmo, Differential Geometry of Curves and Surfaces (1976), section 1.5. Volume, span and "
    "length as shape measures of bundles: Yeh (2020), Shape analysis of the human association pathways, NeuroImage "
    "223, 117329, doi:10.1016/j.neuroimage.2020.117329.",
    measures=(
        Measure("Streamlines", "Streamlines", "In the file"),
        Measure("SinglePoint", "With fewer than two points", "Streamlines that can't be drawn or measured"),
        Measure("NotFinite", "With points that are none", "Streamlines with coordinates not finite or beyond 10 m"),
        *estimated("Duplicates", "Duplicates", "Streamlines whose points are those of another one, to 0.001 mm"),
        *estimated("DuplicateShare", "Share of duplicates", "Of all that can be measured"),
        Measure("LengthMean", "Mean length", "Of all that can be measured", "mm"),
        Measure("LengthMedian", "Median length", "Of all that can be measured", "mm"),
        Measure("LengthMinimum", "Shortest", "Of all that can be measured", "mm"),
        Measure("LengthMaximum", "Longest", "Of all that can be measured", "mm"),
        Measure("Volume", "Volume", "Of the voxels of 2 mm that streamlines pass through", "mm^3"),
        *estimated("CurvatureMean", "Mean curvature", "Mean of streamlines' mean curvatures", "1/mm"),
        *estimated("CurvatureMedian", "Median curvature", "Median of these", "1/mm"),
        *estimated("SpanMean", "Mean span", "Distance from end to end, mean of streamlines", "mm"),
        *estimated("Straightness", "Straightness", "Span over length, mean of streamlines; 1 is straight"),
        Measure("OutsideReference", "Outside head or brain", "Share of all points that lie outside what the reference "
                "image shows of it"),
        Measure("Sampled", "Sampled", "Streamlines whose form was looked at"),
    ),
    run=_run,
    need=_need,
    uses=("reference",),
    place=10,
)  # fmt: skip
