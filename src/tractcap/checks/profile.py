"""Profiles: scalar maps along a bundle."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckFile, CheckInput, Findings, Measure, Value, estimated

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.alignment import Along
    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.profile_weights import Profile
    from tractcap.checks.common.sample import Sample
    from tractcap.inputs.images import Volume

_MOST = 2_000
"""Streamlines that a profile is made of."""

_SHOWN = (2, 98)
"""Percentiles of the values along the streamlines that the colours are between."""

_BYTES_PER_VOXEL = 8


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common import same_space, sample
    from tractcap.checks.common.alignment import along
    from tractcap.errors import InputError

    tractogram = given.open(given.tractogram)
    same_space.placed([tractogram], "maps can't be read along it")
    taken = sample.take(tractogram, _MOST, desk.report)
    way = along(taken.streamlines)
    findings = Findings({"Streamlines": taken.total, "Sampled": len(taken.streamlines)}, taken.notes("profiles"))
    rows: list[tuple[Value, ...]] = []
    refused: list[str] = []
    for name, file in given.maps.items():
        try:
            rows += _map(name, file, taken, way, desk, findings)
        except InputError as error:
            refused.append(str(error))  # the other maps don't need it
    if not rows:
        raise InputError(" ".join(refused))
    desk.table("profiles", "Profiles", _COLUMNS, rows)
    findings.notes += refused
    return findings


_COLUMNS = ("map", "node", "mean", "standard_deviation", "at_least", "at_most", "x_mm", "y_mm", "z_mm")


def _map(
    name: str, file: CheckFile, taken: "Sample", way: "Along", desk: "CheckOutput", findings: Findings
) -> list[tuple[Value, ...]]:
    """Make the profile of one map: its pictures, measures and notes; returns the table's rows."""
    from tractcap.checks.common import estimate
    from tractcap.checks.common.profile_weights import gaussian, profile
    from tractcap.errors import InputError
    from tractcap.inputs.images import ImageFile

    volume = ImageFile(Path(file.path)).values()
    values = volume.at(way.lines)
    found = profile(values, gaussian(way.lines))
    if found.lacking == values.size:
        raise InputError(f"{file.path} has no value anywhere along {desk.title}: give a map in the bundle's own space.")
    margins = estimate.margins(
        lambda some: _figures(profile(values[some], gaussian(way.lines[some]))), len(values), taken.fraction
    )
    share = found.lacking / values.size
    findings.measures |= {
        **_measures(name, _figures(found), margins),
        **estimate.share(share, len(values), taken.fraction).measures(f"Lacking{name}"),
    }
    if found.lacking:
        findings.notes.append(f"{share:.1%} of the nodes of streamlines have no value in {name}, and are left aside")
    desk.picture(
        f"profile-{_plain(name)}", f"{name} along the bundle", _plot(name, volume.unit, found, taken, way, desk)
    )
    desk.picture(f"bundle-{_plain(name)}", f"{name} in the bundle", _pictures(name, volume, found, taken, way, desk))
    return list(_rows(name, found, margins, way))


def _rows(name: str, found: "Profile", margins: Any, way: "Along") -> Iterator[tuple[Value, ...]]:
    """A row of the table for each node."""
    columns = (found.mean, found.spread, found.mean - margins[1:], found.mean + margins[1:])
    for node, (values, at) in enumerate(zip(zip(*columns, strict=True), way.core.round(3).tolist(), strict=True), 1):
        yield name, node, *(_rounded(float(one)) for one in values), *at


def _figures(found: "Profile") -> Any:
    """The mean of a profile, and its nodes; not a number where no streamline has a value."""
    import numpy as np

    known = found.mean[np.isfinite(found.mean)]
    return np.concatenate([[known.mean() if len(known) else np.nan], found.mean])


def _plain(name: str) -> str:
    """A map's name as part of a file's."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _rounded(value: float) -> Value:
    return float(f"{value:.6g}") if value == value else None


def _measures(name: str, figures: Any, margins: Any) -> dict[str, Value]:
    import numpy as np

    from tractcap.checks.common import estimate

    each = [estimate.about(*pair) for pair in zip(figures.tolist(), margins.tolist(), strict=True)]
    nodes = [one for one, known in zip(each[1:], np.isfinite(figures[1:]), strict=True) if known]
    told = {"Mean": each[0], "Minimum": estimate.extreme(nodes, min), "Maximum": estimate.extreme(nodes, max)}
    measures = {key: value for start, one in told.items() for key, value in one.measures(f"{start}{name}", 15).items()}
    return {key: None if value is None else _rounded(float(value)) for key, value in measures.items()}


def _plot(name: str, unit: str, found: "Profile", taken: "Sample", way: "Along", desk: "CheckOutput") -> "Image.Image":
    import numpy as np

    from tractcap.checks.common import plots

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
    name: str, volume: "Volume", found: "Profile", taken: "Sample", way: "Along", desk: "CheckOutput"
) -> "Image.Image":
    import numpy as np
    from scipy.spatial import cKDTree

    from tractcap.checks.common import panels
    from tractcap.drawing.colors import ColorScale

    tree = cKDTree(way.core)
    own = [volume.at(one) for one in taken.streamlines]
    known = np.concatenate([*own, found.mean])
    low, high = (float(one) for one in np.percentile(known[np.isfinite(known)], _SHOWN))
    scale = ColorScale(name, low, high if high > low else low + 1, volume.unit)
    nodes = [found.mean[tree.query(one)[1]] for one in taken.streamlines]
    rows = [
        panels.PanelRow(f"{name} at each point", taken.told, [panels.valued(taken.streamlines, own, scale)]),
        panels.PanelRow(
            "Profile", "the weighted mean at the nearest node", [panels.valued(taken.streamlines, nodes, scale)]
        ),
    ]
    return panels.sheet(
        f"{desk.title}: {name}", f"node 1 {way.ends[0]}, node {len(found.mean)} {way.ends[1]}", rows,
        panels.frame_of(taken.streamlines), desk.report, background=desk.background,
        scale=scale, marks=way.marks,
    )  # fmt: skip


def _lacks(given: CheckInput) -> str:
    return "" if given.maps else "there is no map: give one with --metric, such as FA=fa.nii.gz"


def _need(given: CheckInput) -> int:
    voxels = max((file.voxels for file in given.maps.values()), default=0)
    own = memory.READING + memory.sampled(given.tractogram, _MOST)
    return own + memory.PANELS + memory.PLOTS + voxels * _BYTES_PER_VOXEL


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
        *estimated("MeanNAME", "Mean NAME", "Mean of the profile"),
        *estimated("MinimumNAME", "Lowest NAME", "Lowest mean at a node"),
        *estimated("MaximumNAME", "Highest NAME", "Highest mean at a node"),
        *estimated("LackingNAME", "Without NAME", "Share of the streamlines' nodes that have no value in the map"),
    ),
    run=_run,
    need=_need,
    lacks=_lacks,
    uses=("maps",),
    place=30,
)
