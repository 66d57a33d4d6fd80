"""Profiles: scalar maps along a bundle."""

from typing import TYPE_CHECKING, Any

from tractcap.checks.kit import needs
from tractcap.checks.kit.check import Check, File, Findings, Given, Measure, Value

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.kit.along import Along
    from tractcap.checks.kit.desk import Desk
    from tractcap.checks.kit.sample import Sample
    from tractcap.checks.kit.weights import Profile
    from tractcap.inputs.images import Volume

_MOST = 2_000
"""Streamlines that a profile is made of."""

_SHOWN = (2, 98)
"""Percentiles of the values along the streamlines that the colours are between."""

_BYTES_PER_VOXEL = 8


def _run(given: Given, desk: "Desk") -> Findings:
    from tractcap.checks.kit import sample
    from tractcap.checks.kit.along import along
    from tractcap.checks.kit.weights import gaussian

    taken = sample.take(given.tractogram.path, _MOST, desk.report, given.vtk_space)
    if not taken.streamlines:
        return Findings({"Sampled": 0, "Streamlines": 0}, taken.notes("profiles"))
    way = along(taken.streamlines)
    weights = gaussian(way.lines)
    findings = Findings({"Streamlines": taken.total, "Sampled": len(taken.streamlines)}, taken.notes("profiles"))
    rows: list[tuple[Value, ...]] = []
    for name, file in given.maps.items():
        rows += _map(name, file, taken, way, weights, desk, findings)
    columns = ("map", "node", "mean", "standard_deviation", "x_mm", "y_mm", "z_mm")
    desk.table("profiles", "Profiles", columns, rows)
    return findings


def _map(
    name: str, file: File, taken: "Sample", way: "Along", weights: Any, desk: "Desk", findings: Findings
) -> list[tuple[Value, ...]]:
    """Make the profile of one map: its pictures, measures and notes; returns the table's rows."""
    from pathlib import Path

    from tractcap.checks.kit.weights import profile
    from tractcap.errors import InputError
    from tractcap.inputs.images import ImageFile

    volume = ImageFile(Path(file.path)).values()
    found = profile(volume.at(way.lines), weights)
    findings.measures |= _measures(name, found, weights.size)
    if found.lacking == weights.size:
        raise InputError(f"{file.path} has no value anywhere along {desk.title}: give a map in the bundle's own space.")
    if found.lacking:
        share = found.lacking / weights.size
        findings.notes.append(f"{share:.1%} of the nodes of streamlines have no value in {name}, and are left aside")
    desk.picture(
        f"profile-{_plain(name)}", f"{name} along the bundle", _plot(name, volume.unit, found, taken, way, desk)
    )
    desk.picture(f"bundle-{_plain(name)}", f"{name} in the bundle", _pictures(name, volume, found, taken, way, desk))
    numbers = zip(found.mean.tolist(), found.spread.tolist(), way.core.round(3).tolist(), strict=True)
    return [(name, node, _rounded(mean), _rounded(spread), *at) for node, (mean, spread, at) in enumerate(numbers, 1)]


def _plain(name: str) -> str:
    """A map's name as part of a file's."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _rounded(value: float) -> Value:
    return float(f"{value:.6g}") if value == value else None


def _measures(name: str, found: "Profile", nodes: int) -> dict[str, Value]:
    import numpy as np

    known = found.mean[np.isfinite(found.mean)]
    about: dict[str, Any] = {"Mean": np.mean, "Minimum": np.min, "Maximum": np.max}
    told: dict[str, Value] = {f"{key}{name}": _rounded(float(what(known))) if len(known) else None
                              for key, what in about.items()}  # fmt: skip
    return told | {f"Lacking{name}": round(found.lacking / nodes, 6)}


def _plot(name: str, unit: str, found: "Profile", taken: "Sample", way: "Along", desk: "Desk") -> "Image.Image":
    import numpy as np

    from tractcap.checks.kit import plots

    nodes = np.arange(1, len(found.mean) + 1)

    def fill(plot: Any) -> None:
        low, high = found.mean - found.spread, found.mean + found.spread
        plot.axes.fill_between(nodes, low, high, color=plots.BLUE, alpha=0.35, label="± one standard deviation")
        plot.axes.plot(nodes, found.mean, color=plots.BLUE, label="weighted mean")
        plot.axes.set(xlabel=f"node: 1 {way.ends[0]} … {nodes[-1]} {way.ends[1]}", xlim=(1, nodes[-1]))
        plot.axes.set_ylabel(f"{name} ({unit})" if unit else name)
        plot.axes.set_xticks([1, *range(20, len(nodes) + 1, 20)])
        plot.axes.legend()

    title = f"{desk.title}: {name} along {taken.told}"
    return plots.sheet(title, 1, lambda found: fill(found[0]), background=desk.background)


def _pictures(
    name: str, volume: "Volume", found: "Profile", taken: "Sample", way: "Along", desk: "Desk"
) -> "Image.Image":
    import numpy as np
    from scipy.spatial import cKDTree

    from tractcap.checks.kit import panels
    from tractcap.drawing.scales import Scale

    tree = cKDTree(way.core)
    own = [volume.at(one) for one in taken.streamlines]
    known = np.concatenate(own)
    low, high = (float(one) for one in np.percentile(known[np.isfinite(known)], _SHOWN))
    scale = Scale(name, low, high if high > low else low + 1, volume.unit)
    nodes = [found.mean[tree.query(one)[1]] for one in taken.streamlines]
    rows = [
        panels.Row(f"{name} at each point", taken.told, [panels.valued(taken.streamlines, own, scale)]),
        panels.Row(
            "Profile", "the weighted mean at the nearest node", [panels.valued(taken.streamlines, nodes, scale)]
        ),
    ]
    return panels.sheet(
        f"{desk.title}: {name}", f"node 1 {way.ends[0]}, node {len(found.mean)} {way.ends[1]}", rows,
        panels.frame_of(taken.streamlines), desk.report, background=desk.background,
        scale=scale, marks=way.marks,
    )  # fmt: skip


def _lacks(given: Given) -> str:
    return "" if given.maps else "there is no map: give one with --metric, such as FA=fa.nii.gz"


def _need(given: Given) -> int:
    voxels = max((file.voxels for file in given.maps.values()), default=0)
    own = needs.READING + needs.sampled(given.tractogram, _MOST)
    return own + needs.PANELS + needs.PLOTS + voxels * _BYTES_PER_VOXEL


CHECK = Check(
    name="profile",
    title="Profile",
    what="Scalar maps along the bundle: the mean at 100 nodes from one end to the other, where streamlines near the "
    "core count more.",
    source="Yeatman, Dougherty, Myall, Wandell and Feldman (2012), Tract Profiles of White Matter Properties: "
    "Automating Fiber-Tract Quantification, PLoS One 7(11), e49790, doi:10.1371/journal.pone.0049790.",
    measures=(
        Measure("Streamlines", "Streamlines", "That can be drawn"),
        Measure("Sampled", "Sampled", "Streamlines that the profiles are made of"),
        Measure("MeanNAME", "Mean NAME", "Mean of the profile"),
        Measure("MinimumNAME", "Lowest NAME", "Lowest mean at a node"),
        Measure("MaximumNAME", "Highest NAME", "Highest mean at a node"),
        Measure("LackingNAME", "Without NAME", "Share of the streamlines' nodes that have no value in the map"),
    ),
    run=_run,
    need=_need,
    lacks=_lacks,
    uses=("maps",),
    place=30,
)
