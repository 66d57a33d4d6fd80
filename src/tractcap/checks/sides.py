"""Left and right: how a bundle differs from the same one of the other hemisphere."""

from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckInput, Findings, Measure, Value
from tractcap.palette import DISTINCT

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.sample import Sample
    from tractcap.checks.common.survey import Survey

_MOST = 2_000
"""Streamlines of each side that are drawn."""

_COLORS = {"Left": DISTINCT["skyblue"], "Right": DISTINCT["orange"]}


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common import same_space
    from tractcap.checks.common.survey import survey

    assert given.mirror is not None
    spaces = same_space.shared(given.tractogram, given.mirror)
    ours_first = given.hemisphere == "L"
    files = (given.tractogram, given.mirror) if ours_first else (given.mirror, given.tractogram)
    named = dict(zip(_COLORS, files, strict=True))
    tractograms = {side: given.open(file) for side, file in named.items()}
    same_space.placed(list(tractograms.values()), "it can't be compared with the other side")
    surveys = {side: survey(one, _MOST, desk.report) for side, one in tractograms.items()}
    found = {side: _measured(one) for side, one in surveys.items()}
    taken = {side: one.sample for side, one in surveys.items()}
    desk.picture("both", "Both sides", _pictures(taken, desk))
    desk.picture("bars", "Left and right", _plot(found, desk))
    measures: dict[str, Value] = {f"{key}{side}": value for side, one in found.items() for key, value in one.items()}
    for key in _NAMED:
        measures[f"Laterality{key}"] = index = _laterality(found["Left"][key], found["Right"][key])
        measures[f"Asymmetry{key}"] = None if index is None else abs(index)
    shown = ((one, f"the picture of the {side.lower()} side") for side, one in taken.items())
    return Findings(measures, [*spaces, *(note for one, what in shown for note in one.notes(what, measured=False))])


def _measured(found: "Survey") -> dict[str, float]:
    return {"Streamlines": found.measured, "Length": found.lengths.mean, "Volume": found.volume}


def _laterality(left: float, right: float) -> float | None:
    return round((left - right) / (left + right), 6) if left + right else None


def _pictures(taken: dict[str, "Sample"], desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import panels

    bundles = [panels.plain(side, one.streamlines, _COLORS[side]) for side, one in taken.items()]
    words = " · ".join(f"{side.lower()} {one.told}" for side, one in taken.items())
    legend = tuple((side.lower(), color) for side, color in _COLORS.items())
    return panels.sheet(
        f"{desk.title}: left and right", "", [panels.PanelRow("Both sides", words, bundles)],
        panels.frame_of(*(one.streamlines for one in taken.values())), desk.report, background=desk.background,
        legend=legend,
    )  # fmt: skip


def _plot(found: dict[str, dict[str, float]], desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import plots

    colors = [plots.as_hex(color) for color in _COLORS.values()]

    def fill(all_of_them: list[Any]) -> None:
        for plot, (key, (name, unit)) in zip(all_of_them, _NAMED.items(), strict=True):
            values = [found[side][key] for side in _COLORS]
            plot.axes.bar([side.lower() for side in _COLORS], values, color=colors)
            index = _laterality(*values)
            plot.axes.set(title=f"index {index:+.2f}" if index is not None else "no index")
            plot.axes.set_ylabel(f"{name} ({unit})" if unit else name)

    return plots.sheet(f"{desk.title}: left and right", len(_NAMED), fill, wide=8.4, background=desk.background)


_NAMED = {"Streamlines": ("streamlines", ""), "Length": ("mean length", "mm"), "Volume": ("volume", "mm³")}


def _lacks(given: CheckInput) -> str:
    if not given.hemisphere:
        return "the name tells no hemisphere, so there is no other side"
    return "" if given.mirror else "the same bundle of the other hemisphere isn't there"


def _need(given: CheckInput) -> int:
    both = [file for file in (given.tractogram, given.mirror) if file]
    of_both = sum(memory.sampled(file, _MOST) + memory.SURVEY for file in both)
    return memory.READING + of_both + memory.PANELS + memory.PLOTS


CHECK = Check(
    name="sides",
    title="Left and right",
    what="How the bundle differs from the same one of the other hemisphere: (left - right) / (left + right) of "
    "streamlines, mean length and volume. Healthy brains are asymmetric too.",
    source="The index: Seghier (2008), Laterality index in functional MRI: methodological issues, Magn Reson Imaging "
    "26, 594-601, doi:10.1016/j.mri.2007.10.010. Of tracts: Catani et al. (2007), Symmetries in human brain language "
    "pathways correlate with verbal recall, PNAS 104, 17163-17168, doi:10.1073/pnas.0702116104.",
    measures=(
        *(
            Measure(f"{key}{side}", f"{name.capitalize()}, {side.lower()}", "Of all that can be measured", unit)
            for side in _COLORS
            for key, (name, unit) in {**_NAMED, "Volume": ("volume", "mm^3")}.items()
        ),
        *(
            Measure(f"{kind}{key}", f"{kind} of {name}", what)
            for key, (name, _) in _NAMED.items()
            for kind, what in (
                ("Laterality", "From -1, all on the right, to 1, all on the left"),
                ("Asymmetry", "The same without its sign"),
            )
        ),
    ),
    run=_run,
    need=_need,
    lacks=_lacks,
    uses=("mirror",),
    place=70,
)
