"""Cluster confidence: which streamlines have others that follow the same way."""

from typing import TYPE_CHECKING, Any

from tractcap.checks.kit import needs
from tractcap.checks.kit.check import Check, Findings, Given, Measure, Value

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.kit.desk import Desk
    from tractcap.checks.kit.sample import Sample

_MOST = 2_000
"""Streamlines that are compared with each other: time grows with the square of it."""

_THRESHOLD = 1.0
"""Streamlines below it are taken for removed, as pyTractoViz does."""


def _run(given: Given, desk: "Desk") -> Findings:
    import numpy as np

    from tractcap.checks.kit import cluster, forms, sample

    taken = sample.take(given.tractogram.path, _MOST, desk.report, given.vtk_space)
    long = np.array([forms.length(one) >= cluster.SHORTEST for one in taken.streamlines], bool)
    streamlines = [one for one, enough in zip(taken.streamlines, long, strict=True) if enough]
    values = cluster.confidence(streamlines, desk.report) if streamlines else np.zeros(0)
    short = int((~long).sum())
    if streamlines:
        desk.picture("streamlines", "Before and after", _pictures(taken, streamlines, values, desk))
        desk.picture("histogram", "Distribution of the index", _plot(values, _of(taken, values), desk))
    numbers = taken.numbers[long].tolist()
    desk.table("values", "Values", ("streamline", "cci"), zip(numbers, values.round(6).tolist(), strict=True))
    return Findings(_measures(taken, short, values), _notes(taken, short, values))


def _measures(taken: "Sample", short: int, values: Any) -> dict[str, Value]:
    import numpy as np

    kept, count = int((values >= _THRESHOLD).sum()), len(values)
    about: dict[str, Any] = {"CCIMean": np.mean, "CCIMedian": np.median, "CCIStandardDeviation": np.std}
    return {
        "Streamlines": taken.total,
        "Sampled": len(taken.streamlines),
        "TooShort": short,
        "Measured": count,
        **{key: round(float(what(values)), 6) if count else None for key, what in about.items()},
        "Threshold": _THRESHOLD,
        "Kept": kept,
        "Removed": count - kept,
        "Retention": round(kept / count, 6) if count else None,
    }


def _notes(taken: "Sample", short: int, values: Any) -> list[str]:
    from tractcap.checks.kit.cluster import SHORTEST

    found = taken.notes("cluster confidence")
    if not taken.whole:
        found.append("the index grows with the number of streamlines, so compare it between samples of the same size")
    if short:
        found.append(f"{short:,} streamlines shorter than {SHORTEST:g} mm have no index, and don't count as removed")
    if not len(values):
        found.append(f"no streamline is {SHORTEST:g} mm or longer: there is no index")
    return found


def _of(taken: "Sample", values: Any) -> str:
    of = "" if taken.whole else f" of {taken.total:,}"
    return f"{len(values):,}{of} streamlines"


def _pictures(taken: "Sample", streamlines: Any, values: Any, desk: "Desk") -> "Image.Image":
    import numpy as np

    from tractcap.checks.kit import panels
    from tractcap.drawing.scales import Scale

    scale = Scale("CCI", 0.0, max(float(np.percentile(values, 98)), _THRESHOLD))
    kept = values >= _THRESHOLD
    left = f"CCI of {_THRESHOLD:g} or more: {int(kept.sum()):,} kept, {int((~kept).sum()):,} removed"
    rows = [
        panels.Row("Before", _of(taken, values), [panels.valued(streamlines, values, scale)]),
        panels.Row("After", left, [panels.valued(_those(streamlines, kept), values[kept], scale)]),
        panels.Row(
            "Removed", f"CCI below {_THRESHOLD:g}", [panels.valued(_those(streamlines, ~kept), values[~kept], scale)]
        ),
    ]
    return panels.sheet(
        f"{desk.title}: cluster confidence", _of(taken, values), rows, panels.frame_of(streamlines), desk.report,
        background=desk.background, scale=scale,
    )  # fmt: skip


def _those(streamlines: Any, which: Any) -> list[Any]:
    return [one for one, wanted in zip(streamlines, which, strict=True) if wanted]


def _plot(values: Any, of: str, desk: "Desk") -> "Image.Image":
    from tractcap.checks.kit import plots

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
        Measure("Sampled", "Sampled", "Streamlines that were looked at"),
        Measure("TooShort", "Too short", "Sampled streamlines shorter than 20 mm, which have no index"),
        Measure("Measured", "Measured", "Sampled streamlines that have an index"),
        Measure("CCIMean", "Mean CCI", "Of those measured", "1/mm"),
        Measure("CCIMedian", "Median CCI", "Of those measured", "1/mm"),
        Measure("CCIStandardDeviation", "Standard deviation", "Of those measured", "1/mm"),
        Measure("Threshold", "Threshold", "From which on a streamline is kept", "1/mm"),
        Measure("Kept", "Kept", "Measured streamlines at or above the threshold"),
        Measure("Removed", "Removed", "Measured streamlines below the threshold"),
        Measure("Retention", "Retention", "Share of those measured that are kept"),
    ),
    run=_run,
    need=lambda given: needs.READING + needs.sampled(given.tractogram, _MOST) + needs.PANELS + needs.PLOTS,
    place=20,
)  # fmt: skip
