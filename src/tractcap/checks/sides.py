"""Left and right: how a bundle differs from the same one of the other hemisphere."""

from tractcap.checks.common import panels, plots
from tractcap.checks.common.check_definition import CheckInput, Findings
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.color_names import DISTINCT, as_hex
from tractcap.records.check_sidecar import Value

_COLORS = {"Left": DISTINCT["skyblue"], "Right": DISTINCT["orange"]}

_FIGURES = {"Streamlines": "streamlines", "Length": "mean length (mm)", "Volume": "volume (mm³)"}
"""What is compared, and what the axes of the plots say."""


def run(inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """See :func:`~tractcap.checks.common.run_check.run_check`."""
    assert inputs.mirror is not None
    notes = inputs.tractogram.space_notes(inputs.mirror)
    both = [inputs.tractogram, inputs.mirror][:: 1 if inputs.hemisphere == "L" else -1]
    for file in both:
        files.open_placed(file, "it can't be compared with the other side")
    left, right = (files.survey(file, output.report) for file in both)
    surveys = {"Left": left, "Right": right}
    figures: dict[str, dict[str, float]] = {
        side: {"Streamlines": whole.counts.drawn, "Length": whole.lengths.mean, "Volume": whole.territory.volume}
        for side, whole in surveys.items()
    }
    indices: dict[str, float | None] = {}
    for key in _FIGURES:
        of_left, of_right = figures["Left"][key], figures["Right"][key]
        indices[key] = round((of_left - of_right) / (of_left + of_right), 6) if of_left + of_right else None

    bundles = [panels.plain(side, whole.sample.streamlines, _COLORS[side]) for side, whole in surveys.items()]
    words = " · ".join(f"{side.lower()} {whole.sample.caption}" for side, whole in surveys.items())
    frame = panels.frame_of(left.sample.streamlines, right.sample.streamlines)
    legend = tuple((side.lower(), color) for side, color in _COLORS.items())
    row = panels.PanelRow("Both sides", words, bundles)
    output.picture("both", "Both sides", panels.sheet(output, "left and right", "", [row], frame, legend=legend))
    with plots.figure(output, "bars", "Left and right", "left and right", columns=len(_FIGURES), wide=8.4) as several:
        for axes, (key, label) in zip(several, _FIGURES.items(), strict=True):
            values, index = [figures[side][key] for side in _COLORS], indices[key]
            axes.bar([side.lower() for side in _COLORS], values, color=[*map(as_hex, _COLORS.values())])
            axes.set(title=f"index {index:+.2f}" if index is not None else "no index", ylabel=label)

    measures: dict[str, Value] = {
        f"{key}{side}": value for side, of_side in figures.items() for key, value in of_side.items()
    }
    for key, index in indices.items():
        measures[f"Laterality{key}"] = index
        measures[f"Asymmetry{key}"] = None if index is None else abs(index)
    for side, whole in surveys.items():
        notes += whole.sample.notes(f"the picture of the {side.lower()} side", measured=False)
    return Findings(measures, notes)
