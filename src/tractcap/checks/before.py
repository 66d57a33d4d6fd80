"""Before and after: the same bundle in two states, such as before it was filtered, or of another software."""

from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckInput, Findings, Measure, Value
from tractcap.limits import MB

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.sample import Sample
    from tractcap.checks.common.survey import Survey

_MOST = 2_000
"""Streamlines of each state that are drawn."""

_DIVERGING = "coolwarm"
_SHOWN = 90
"""Percentile of the densities that the colours reach to."""

_DENSITIES = 64 * MB
"""What two grids of densities take."""


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common import comparison, same_space
    from tractcap.checks.common.survey import survey
    from tractcap.drawing.density import Density

    assert given.before is not None
    spaces = same_space.shared(given.tractogram, given.before)
    both = [given.open(file) for file in (given.before, given.tractogram)]
    same_space.placed(both, "it can't be compared with another state of the bundle")
    first, second = (survey(one, _MOST, desk.report) for one in both)
    taken = [first.sample, second.sample]
    densities = [Density(one, desk.report) for one in both]  # of all streamlines
    desk.picture("density", "Before, after, and the difference", _pictures(given, taken, densities, desk))
    desk.table("measures", "Before and after", ("measure", "before", "after", "difference"), _rows(first, second))
    measures: dict[str, Value] = {
        f"{key}{state}": value
        for state, one in (("Before", first), ("After", second))
        for key, value in _measures(one).items()
    }
    measures["Retention"] = round(second.measured / first.measured, 6)
    measures["Dice"] = comparison.overlap(second.territory, first.territory)["Dice"]
    named = zip(("before", "after"), taken, strict=True)
    notes = [note for state, one in named for note in one.notes(f"the picture {state}", measured=False)]
    return Findings(measures, [*spaces, *notes])


def _measures(found: "Survey") -> dict[str, float | int]:
    lengths = found.lengths
    return {
        "Streamlines": found.measured,
        "MeanLength": lengths.mean,
        "MedianLength": lengths.median,
        "Volume": found.volume,
    }


def _rows(first: "Survey", second: "Survey") -> list[tuple[Value, ...]]:
    pairs = zip(_measures(first).items(), _measures(second).values(), strict=True)
    return [(key, before, after, round(after - before, 3)) for (key, before), after in pairs]


def _pictures(given: CheckInput, taken: list["Sample"], densities: list[Any], desk: "CheckOutput") -> "Image.Image":
    """Both states on one scale, and on a second sheet below, all streamlines by how the density differs."""
    from PIL import Image

    from tractcap.checks.common import panels

    frame = panels.frame_of(*(one.streamlines for one in taken))
    sheets = [_states(given, taken, densities, frame, desk), _difference(taken, densities, frame, desk)]
    whole = Image.new("RGB", (max(one.width for one in sheets), sum(one.height for one in sheets)), desk.background)
    top = 0
    for one in sheets:
        whole.paste(one, (0, top))
        top += one.height
    return whole


def _states(
    given: CheckInput, taken: list["Sample"], densities: list[Any], frame: Any, desk: "CheckOutput"
) -> "Image.Image":
    from tractcap.checks.common import panels
    from tractcap.drawing.colors import ColorScale

    assert given.before is not None
    values = [_at(density, one) for density, one in zip(densities, taken, strict=True)]
    scale = ColorScale("density", 0.0, max(1.0, *(_reach(one) for one in values)), densities[1].unit)
    named = (("Before", given.before.name), ("After", given.tractogram.name))
    rows = [
        panels.PanelRow(title, f"{one.told} · {name}", [panels.valued(one.streamlines, found, scale)])
        for (title, name), one, found in zip(named, taken, values, strict=True)
    ]
    title = f"{desk.title}: before and after"
    return panels.sheet(title, "", rows, frame, desk.report, background=desk.background, scale=scale)


def _difference(taken: list["Sample"], densities: list[Any], frame: Any, desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import panels
    from tractcap.drawing.colors import ColorScale

    streamlines = [one for sample in taken for one in sample.streamlines]
    found = [now - then for sample in taken for then, now in zip(*(_at(d, sample) for d in densities), strict=True)]
    reach = max(1.0, _reach([abs(one) for one in found]))
    scale = ColorScale("difference", -reach, reach, densities[1].unit, _DIVERGING)
    row = panels.PanelRow("Difference", "after less before, on both", [panels.valued(streamlines, found, scale)])
    title = f"{desk.title}: difference of densities"
    return panels.sheet(title, "", [row], frame, desk.report, background=desk.background, scale=scale)


def _at(density: Any, taken: "Sample") -> list[Any]:
    """The density at each point of each streamline; where its grid ends nothing is."""
    import numpy as np

    return [np.nan_to_num(density.sampled(one)) for one in taken.streamlines]


def _reach(values: list[Any]) -> float:
    import numpy as np

    return float(np.percentile(np.concatenate(values), _SHOWN))


def _need(given: CheckInput) -> int:
    both = [file for file in (given.tractogram, given.before) if file]
    of_both = sum(memory.sampled(file, _MOST) + memory.SURVEY for file in both)
    return memory.READING + of_both + memory.PANELS + _DENSITIES


CHECK = Check(
    name="before",
    title="Before and after",
    what="The bundle beside an earlier state of itself, or beside what another software made of it: streamlines, "
    "lengths, volume, and how the density differs.",
    source="Density, as visits of voxels: Calamante et al. (2010), NeuroImage 53, 1233-1243, "
    "doi:10.1016/j.neuroimage.2010.07.024.",
    measures=(
        *(
            Measure(f"{key}{state}", f"{name} {state.lower()}", what, unit)
            for key, name, what, unit in (
                ("Streamlines", "Streamlines", "Of two points or more", ""),
                ("MeanLength", "Mean length", "Of these", "mm"),
                ("MedianLength", "Median length", "Of these", "mm"),
                ("Volume", "Volume", "Of the voxels of 2 mm that these pass through", "mm^3"),
            )
            for state in ("Before", "After")
        ),
        Measure("Retention", "Retention", "Streamlines after, over those before"),
        Measure("Dice", "Dice", "Twice the volume that both have, over the sum of both"),
    ),
    run=_run,
    need=_need,
    lacks=lambda given: "" if given.before else "there is no earlier state of this bundle: give one with --before",
    uses=("before",),
    place=60,
)
