"""Cluster confidence: which streamlines have others that follow the same way."""

from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckInput, Findings, Measure, Value, estimated

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.sample import Sample

_MOST = 2_000
"""Streamlines that are compared with all others, as long as these aren't too many: see ``pairs``."""

_SHOWN = 90
"""Percentile of the index that the colours reach to: few streamlines have by far the most support."""

_THRESHOLD = 1.0
"""Streamlines below it are taken for removed, as pyTractoViz does."""


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common import cluster_confidence, pairwise_distances, sample

    tractogram = given.open(given.tractogram)
    taken = sample.take(tractogram, _MOST, desk.report, cluster_confidence.SHORTEST)
    taken = pairwise_distances.thinned(taken, taken.total)
    values = cluster_confidence.confidence(taken.streamlines, tractogram, desk.report)
    if taken.streamlines:
        desk.picture("streamlines", "Before and after", _pictures(taken, values, desk))
        desk.picture("histogram", "Distribution of the index", _plot(values, taken.told, desk))
    rows = zip(taken.numbers.tolist(), values.round(6).tolist(), strict=True)
    desk.table("values", "Values", ("streamline", "cci"), rows)
    notes = taken.notes("cluster confidence")
    if not taken.total:
        notes.append(f"no streamline is {cluster_confidence.SHORTEST:g} mm or longer: there is no index")
    return Findings(_measures(taken, values), notes)


def _measures(taken: "Sample", values: Any) -> dict[str, Value]:
    from tractcap.checks.common import estimate

    short = sum(count for why, count in taken.left_out.items() if why.startswith("shorter"))
    kept = float((values >= _THRESHOLD).mean()) if len(values) else 0.0
    return {
        "Streamlines": taken.total + short,
        "TooShort": short,
        "Sampled": len(values),
        **estimate.mean(values, taken.fraction).measures("CCIMean"),
        **estimate.median(values, taken.fraction).measures("CCIMedian"),
        **estimate.deviation(values, taken.fraction).measures("CCIStandardDeviation"),
        "Threshold": _THRESHOLD,
        **estimate.share(kept, len(values), taken.fraction).measures("Retention"),
    }


def _pictures(taken: "Sample", values: Any, desk: "CheckOutput") -> "Image.Image":
    import numpy as np

    from tractcap.checks.common import panels
    from tractcap.drawing.colors import ColorScale

    scale = ColorScale("CCI", 0.0, max(float(np.percentile(values, _SHOWN)), _THRESHOLD))
    kept = values >= _THRESHOLD
    of = "" if taken.whole else f" of the {len(values):,} drawn"
    left = f"CCI of {_THRESHOLD:g} or more: {int(kept.sum()):,} kept, {int((~kept).sum()):,} removed{of}"
    rows = [
        panels.PanelRow("Before", taken.told, [panels.valued(taken.streamlines, values, scale)]),
        panels.PanelRow("After", left, [panels.valued(_those(taken, kept), values[kept], scale)]),
        panels.PanelRow(
            "Removed", f"CCI below {_THRESHOLD:g}", [panels.valued(_those(taken, ~kept), values[~kept], scale)]
        ),
    ]
    return panels.sheet(
        f"{desk.title}: cluster confidence", taken.told, rows, panels.frame_of(taken.streamlines), desk.report,
        background=desk.background, scale=scale,
    )  # fmt: skip


def _those(taken: "Sample", which: Any) -> list[Any]:
    return [one for one, wanted in zip(taken.streamlines, which, strict=True) if wanted]


def _plot(values: Any, of: str, desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import plots

    def fill(plot: Any) -> None:
        plot.axes.hist(values, plots.bins(values, _THRESHOLD), color=plots.BLUE)
        plot.axes.axvline(_THRESHOLD, color=plot.ink, linestyle="--", label=f"threshold {_THRESHOLD:g}")
        plot.axes.set(xlabel="cluster confidence index (1/mm)", ylabel="streamlines")
        plot.axes.locator_params(axis="y", integer=True)
        plot.axes.legend()

    title = f"{desk.title}: cluster confidence of {of}"
    return plots.sheet(title, 1, lambda found: fill(found[0]), background=desk.background)


CHECK = Check(
    name="cci",
    title="Cluster confidence",
    what="How well each streamline is supported by others that follow the same way: those with little support are "
    "likely to be false.",
    source="Jordan, Amirbekian, Keshavan and Henry (2018), Cluster Confidence Index: A Streamline-Wise Pathway "
    "Reproducibility Metric for Diffusion-Weighted MRI Tractography, J Neuroimaging 28(1), 64-69, "
    "doi:10.1111/jon.12467. The distance: Garyfallidis et al. (2012), Front Neurosci 6, 175, "
    "doi:10.3389/fnins.2012.00175.",
    measures=(
        Measure("Streamlines", "Streamlines", "That can be drawn"),
        Measure("TooShort", "Too short", "Streamlines shorter than 20 mm, which have no index and give no support"),
        Measure("Sampled", "Sampled", "Streamlines that were compared with all others"),
        *estimated("CCIMean", "Mean CCI", "Of all that aren't too short", "1/mm"),
        *estimated("CCIMedian", "Median CCI", "Of all that aren't too short", "1/mm"),
        *estimated("CCIStandardDeviation", "Standard deviation", "Of all that aren't too short", "1/mm"),
        Measure("Threshold", "Threshold", "From which on a streamline is kept", "1/mm"),
        *estimated("Retention", "Retention", "Share of those that aren't too short which are kept"),
    ),
    run=_run,
    need=lambda given: memory.READING + memory.sampled(given.tractogram, _MOST) + memory.PANELS + memory.PLOTS,
    place=20,
)  # fmt: skip
