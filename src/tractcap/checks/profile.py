"""Profiles: scalar maps along a bundle, where each streamline counts the more, the nearer it is to the core.

Yeatman, Dougherty, Myall, Wandell and Feldman (2012), Tract Profiles of White Matter Properties: Automating Fiber-Tract
Quantification, PLoS One 7(11), e49790, doi:10.1371/journal.pone.0049790.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tractcap.checks.common import estimate, panels, plots
from tractcap.checks.common.alignment import AlignedBundle, align
from tractcap.checks.common.check_definition import CheckFile, CheckInput, Findings
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import Sample
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.drawing.colors import ColorScale
from tractcap.errors import InputError
from tractcap.inputs.images import ImageFile, Volume
from tractcap.records.check_sidecar import Value

_SHOWN = (2, 98)
"""Percentiles of the values along the streamlines that the colours are between."""

_COLUMNS = ("map", "node", "mean", "standard_deviation", "at_least", "at_most", "x_mm", "y_mm", "z_mm")


@dataclass(frozen=True)
class Profile:
    """Of each node (N,): the weighted ``mean``, the weighted standard deviation ``spread``; not a number where no
    streamline has a value. ``without_value`` counts the streamlines' nodes without one.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    without_value: int

    @property
    def figures(self) -> NDArray[np.float64]:
        """The mean of all nodes that have a value, then each node's, (1 + N,)."""
        known = self.mean[np.isfinite(self.mean)]
        return np.concatenate([[known.mean() if len(known) else np.nan], self.mean])


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    files.open_placed(inputs.tractogram, "maps can't be read along it")
    sample = files.sample(inputs.tractogram, output.report)
    bundle = align(sample.streamlines)
    findings = Findings({"Streamlines": sample.total, "Sampled": len(sample.streamlines)}, sample.notes("profiles"))
    rows: list[tuple[Value, ...]] = []
    refused: list[str] = []
    for name, file in inputs.maps.items():
        try:
            rows += _map(name, file, sample, bundle, output, findings)
        except InputError as error:
            refused.append(str(error))  # the other maps don't need it
    if not rows:
        raise InputError(" ".join(refused))
    output.table("profiles", "Profiles", _COLUMNS, rows)
    findings.notes += refused
    return findings


def _map(
    name: str, file: CheckFile, sample: Sample, bundle: AlignedBundle, output: CheckOutput, findings: Findings
) -> list[tuple[Value, ...]]:
    """Make the profile of one map: its pictures, measures and notes; returns the table's rows, one for each node."""
    volume = ImageFile(Path(file.path)).values()
    values = volume.at(bundle.lines)
    whole = profile(values, gaussian(bundle.lines))
    if whole.without_value == values.size:
        raise InputError(
            f"{file.path} has no value anywhere along {output.title}: give a map in the bundle's own space."
        )
    margins = estimate.margins(
        lambda some: profile(values[some], gaussian(bundle.lines[some])).figures, len(values), sample.fraction
    )
    overall, *nodes = map(estimate.about, whole.figures.tolist(), margins.tolist())
    known = [node for node, mean in zip(nodes, whole.mean, strict=True) if np.isfinite(mean)]
    lowest, highest = estimate.extreme(known, min), estimate.extreme(known, max)
    for key, figure in (("Mean", overall), ("Minimum", lowest), ("Maximum", highest)):
        findings.measures |= {
            end: None if value is None else _rounded(float(value))
            for end, value in figure.measures(f"{key}{name}", 15).items()
        }
    share = whole.without_value / values.size
    findings.measures |= estimate.share(share, len(values), sample.fraction).measures(f"Lacking{name}")
    if share:
        findings.notes.append(f"{share:.1%} of the nodes of streamlines have no value in {name}, and are left out")

    _draw(name, volume, whole, sample, bundle, output)
    columns = (whole.mean, whole.spread, whole.mean - margins[1:], whole.mean + margins[1:])
    return [
        (name, number, *(_rounded(float(value)) for value in row), *place)
        for number, (row, place) in enumerate(
            zip(zip(*columns, strict=True), bundle.core.round(3).tolist(), strict=True), 1
        )
    ]


def _rounded(value: float) -> Value:
    return float(f"{value:.6g}") if value == value else None


def gaussian(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (S, N) of streamlines' nodes (S, N, 3), of each node 1 in sum.

    They are the Gaussian density at the Mahalanobis distance from the node's mean, as in the paper. dipy's
    ``gaussian_weights`` takes the inverse of that distance, which is infinite on the core, and reads the covariance's
    upper half alone.
    """
    weights = np.ones(lines.shape[:2])
    for node in range(lines.shape[1]):
        away = lines[:, node] - lines[:, node].mean(axis=0)
        spread = away.T @ away / len(away)
        squared = np.einsum("sa,ab,sb->s", away, np.linalg.pinv(spread, hermitian=True), away)
        weights[:, node] = np.exp(-squared / 2)
    weights /= weights.sum(axis=0)
    return weights


def profile(values: NDArray[np.floating], weights: NDArray[np.float64]) -> Profile:
    """The profile of values (S, N), which needn't be numbers everywhere."""
    known = np.isfinite(values)
    counted = np.where(known, weights, 0)
    total = counted.sum(axis=0)
    share = np.divide(counted, total, out=np.zeros_like(counted), where=total > 0)
    numbers = np.where(known, values, 0).astype(np.float64)
    mean = (share * numbers).sum(axis=0)
    spread = np.sqrt((share * (numbers - mean) ** 2).sum(axis=0))
    none = total == 0
    mean[none], spread[none] = np.nan, np.nan
    return Profile(mean, spread, int((~known).sum()))


def _draw(
    name: str, volume: Volume, whole: Profile, sample: Sample, bundle: AlignedBundle, output: CheckOutput
) -> None:
    """Plot the profile, and show the map and the profile on the bundle."""
    stem = "".join(letter if letter.isalnum() else "-" for letter in name)
    count, (first, last) = len(whole.mean), bundle.ends
    title, heading = f"{name} along the bundle", f"{name} along {sample.caption}"
    with plots.figure(output, f"profile-{stem}", title, heading) as (axes,):
        nodes = np.arange(1, count + 1)
        low, high = whole.mean - whole.spread, whole.mean + whole.spread
        axes.fill_between(nodes, low, high, color=plots.BLUE, alpha=0.35, label="± one standard deviation")
        axes.plot(nodes, whole.mean, color=plots.BLUE, label="weighted mean")
        axes.set(xlabel=f"node: 1 {first} … {count} {last}", xlim=(1, count))
        axes.set_ylabel(f"{name} ({volume.unit})" if volume.unit else name)
        axes.set_xticks([1, *range(20, count + 1, 20)])
        axes.legend()

    own = [volume.at(streamline) for streamline in sample.streamlines]
    known = np.concatenate([*own, whole.mean])
    darkest, brightest = (float(value) for value in np.percentile(known[np.isfinite(known)], _SHOWN))
    scale = ColorScale(name, darkest, brightest if brightest > darkest else darkest + 1, volume.unit)
    tree = cKDTree(bundle.core)
    nearest = [whole.mean[tree.query(streamline)[1]] for streamline in sample.streamlines]
    words = "the weighted mean at the nearest node"
    rows = [
        panels.PanelRow(f"{name} at each point", sample.caption, [panels.valued(sample.streamlines, own, scale)]),
        panels.PanelRow("Profile", words, [panels.valued(sample.streamlines, nearest, scale)]),
    ]
    picture = panels.sheet(
        output, name, f"node 1 {first}, node {count} {last}", rows, panels.frame_of(sample.streamlines),
        scale=scale, marks=bundle.end_marks,
    )  # fmt: skip
    output.picture(f"bundle-{stem}", f"{name} in the bundle", picture)
