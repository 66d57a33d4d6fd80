"""Before and after: the same bundle in two states, such as before it was filtered, or of another software."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.checks.common import panels
from tractcap.checks.common.check_definition import CheckInput, Findings
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.sample import Sample
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.checks.common.whole_file import Survey
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.density import Density
from tractcap.records.check_sidecar import Value

_DIVERGING = "coolwarm"
_SHOWN = 90
"""Percentile of the densities that the colours reach to."""


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    assert inputs.before is not None
    notes = inputs.tractogram.space_notes(inputs.before)
    pair = (inputs.before, inputs.tractogram)
    tractograms = [files.open_placed(file, "it can't be compared with another state of the bundle") for file in pair]
    before, after = (files.survey(file, output.report) for file in pair)
    densities = [Density(tractogram, output.report) for tractogram in tractograms]  # of all streamlines
    samples = [before.sample, after.sample]
    picture = _picture(samples, [file.name for file in pair], densities, output)
    output.picture("density", "Before, after, and the difference", picture)

    figures = [_figures(before), _figures(after)]
    rows = [(key, value, figures[1][key], round(figures[1][key] - value, 3)) for key, value in figures[0].items()]
    output.table("measures", "Before and after", ("measure", "before", "after", "difference"), rows)
    named = dict(zip(("Before", "After"), figures, strict=True))
    measures: dict[str, Value] = {f"{key}{state}": value for state, its in named.items() for key, value in its.items()}
    measures["Retention"] = round(after.counts.drawn / before.counts.drawn, 6)
    volume_after, volume_before, both = after.territory.volumes(before.territory)
    measures["Dice"] = round(2 * both / (volume_after + volume_before), 6)
    for state, sample in zip(("before", "after"), samples, strict=True):
        notes += sample.notes(f"the picture {state}", measured=False)
    return Findings(measures, notes)


def _figures(whole: Survey) -> dict[str, float]:
    return {
        "Streamlines": whole.counts.drawn,
        "MeanLength": whole.lengths.mean,
        "MedianLength": whole.lengths.median,
        "Volume": whole.territory.volume,
    }


def _picture(samples: list[Sample], names: list[str], densities: list[Density], output: CheckOutput) -> Image.Image:
    """Both states on one scale, and on a second sheet below, all streamlines by how the density differs."""
    frame = panels.frame_of(*(sample.streamlines for sample in samples))
    unit = densities[1].unit
    own = [_along(sample, density) for sample, density in zip(samples, densities, strict=True)]
    scale = ColorScale("density", 0.0, max(1.0, *map(_reach, own)), unit)
    rows = [
        panels.PanelRow(title, f"{sample.caption} · {name}", [panels.valued(sample.streamlines, values, scale)])
        for title, sample, name, values in zip(("Before", "After"), samples, names, own, strict=True)
    ]
    states = panels.sheet(output, "before and after", "", rows, frame, scale=scale)

    streamlines = [streamline for sample in samples for streamline in sample.streamlines]
    changes = [
        now - then
        for sample in samples
        for then, now in zip(*(_along(sample, density) for density in densities), strict=True)
    ]
    reach = max(1.0, _reach([abs(change) for change in changes]))
    scale = ColorScale("difference", -reach, reach, unit, _DIVERGING)
    row = panels.PanelRow("Difference", "after less before, on both", [panels.valued(streamlines, changes, scale)])
    difference = panels.sheet(output, "difference of densities", "", [row], frame, scale=scale)

    size = max(states.width, difference.width), states.height + difference.height
    picture = Image.new("RGB", size, output.background)
    picture.paste(states, (0, 0))
    picture.paste(difference, (0, states.height))
    return picture


def _along(sample: Sample, density: Density) -> list[NDArray[np.float32]]:
    """The density at each point of each streamline; where its grid ends nothing is."""
    return [np.nan_to_num(density.sampled(streamline)) for streamline in sample.streamlines]


def _reach(values: list[NDArray[np.float32]]) -> float:
    return float(np.percentile(np.concatenate(values), _SHOWN))
