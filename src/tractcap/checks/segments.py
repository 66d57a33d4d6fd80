"""Segments: parts along a bundle, each in its own colour."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tractcap.checks.common import memory
from tractcap.checks.common.check import Check, CheckInput, Findings, Measure, Value, estimated
from tractcap.palette import apart

if TYPE_CHECKING:
    from PIL import Image

    from tractcap.checks.common.alignment import Along
    from tractcap.checks.common.output import CheckOutput
    from tractcap.checks.common.sample import Sample

_MOST = 2_000
"""Streamlines that are looked at."""

SEGMENTS = 10
COLORS = tuple(apart()[:SEGMENTS])
"""Of the segments, always the same."""


def _run(given: CheckInput, desk: "CheckOutput") -> Findings:
    from tractcap.checks.common import sample
    from tractcap.checks.common.alignment import along

    taken = sample.take(given.open(given.tractogram), _MOST, desk.report)
    way = along(taken.streamlines)
    apart, numbers = _assigned(taken, way)
    desk.picture("streamlines", "Segments along the bundle", _pictures(taken, numbers, way, desk))
    rows = list(_rows(numbers, apart, way))
    desk.table("segments", "Segments", _COLUMNS, rows)
    return Findings(_measures(taken, rows, apart, numbers), taken.notes("segments"))


_COLUMNS = (
    "segment", "color", "x_mm", "y_mm", "z_mm", "sampled_points", "sampled_streamlines", "streamlines_share",
    "distance_mean_mm",
)  # fmt: skip


def _measures(taken: "Sample", rows: Sequence[Any], apart: Any, numbers: Sequence[Any]) -> dict[str, Value]:
    import numpy as np

    from tractcap.checks.common import estimate

    shares = [estimate.share(row[7], len(numbers), taken.fraction) for row in rows]
    points = np.array([len(one) for one in numbers])
    away = np.add.reduceat(apart, np.cumsum(points) - points)
    return {
        "Segments": SEGMENTS,
        "Streamlines": taken.total,
        "Sampled": len(taken.streamlines),
        **estimate.extreme(shares, min).measures("FewestShare"),
        **estimate.ratio(away, points, taken.fraction).measures("DistanceMean", 3),
    }


def _assigned(taken: "Sample", way: "Along") -> tuple[Any, list[Any]]:
    """The distance of each point (P,) from the bundle's core, and of each streamline its points' segments (N,).

    As dipy's ``assignment_map`` finds them for a model that is the core alone: of a whole bundle that bends far it
    would make several centroids, and number them through.
    """
    import numpy as np
    from scipy.spatial import cKDTree

    middles = np.array([mark.at for mark in way.part(SEGMENTS)])
    apart, numbers = cKDTree(middles).query(np.concatenate(taken.streamlines))
    return apart, np.split(numbers, np.cumsum([len(one) for one in taken.streamlines])[:-1])


def _rows(numbers: Sequence[Any], apart: Any, way: "Along") -> Iterator[tuple[Any, ...]]:
    import numpy as np

    every = np.concatenate(numbers)
    for number, mark in enumerate(way.part(SEGMENTS)):
        within = every == number
        crossing = sum(bool((one == number).any()) for one in numbers)
        distance = round(float(apart[within].mean()), 3) if within.any() else None
        color = "#{:02x}{:02x}{:02x}".format(*COLORS[number])
        yield number + 1, color, *mark.at, int(within.sum()), crossing, crossing / len(numbers), distance


def _pictures(taken: "Sample", numbers: Sequence[Any], way: "Along", desk: "CheckOutput") -> "Image.Image":
    from tractcap.checks.common import panels

    words = f"1 {way.ends[0]}, {SEGMENTS} {way.ends[1]}"
    legend = tuple((str(number), color) for number, color in enumerate(COLORS, 1))
    row = panels.PanelRow("Segments", words, _colored(taken, numbers))
    return panels.sheet(
        f"{desk.title}: {SEGMENTS} segments", taken.told, [row],
        panels.frame_of(taken.streamlines), desk.report, background=desk.background, legend=legend,
        marks=way.part(SEGMENTS),
    )  # fmt: skip


def _colored(taken: "Sample", numbers: Sequence[Any]) -> list[Any]:
    """A bundle of each segment's parts of streamlines, in its colour."""
    from tractcap.checks.common import panels

    parts: list[list[Any]] = [[] for _ in range(SEGMENTS)]
    for streamline, segments in zip(taken.streamlines, numbers, strict=True):
        for number, part in _parts(streamline, segments):
            parts[number].append(part)
    return [
        panels.plain(str(number), part, color)
        for number, (part, color) in enumerate(zip(parts, COLORS, strict=True), 1)
        if part
    ]


def _parts(streamline: Any, segments: Any) -> Iterator[tuple[int, Any]]:
    """The parts of a streamline within a segment each, up to the next one's first point."""
    import numpy as np

    begins = [0, *(np.flatnonzero(np.diff(segments)) + 1).tolist(), len(streamline)]
    for first, last in pairwise(begins):
        if len(part := streamline[first : last + 1]) > 1:
            yield int(segments[first]), part


CHECK = Check(
    name="segments",
    title="Segments",
    what=f"The bundle in {SEGMENTS} segments of equal length along its core: each point belongs to the nearest one.",
    source="Chandio et al. (2020), Bundle analytics, a computational framework for investigating the shapes and "
    "profiles of brain pathways across populations, Sci Rep 10, 17149, doi:10.1038/s41598-020-74054-4.",
    measures=(
        Measure("Segments", "Segments", "Along the core"),
        Measure("Streamlines", "Streamlines", "That can be drawn"),
        Measure("Sampled", "Sampled", "Streamlines that were looked at"),
        *estimated("FewestShare", "Fewest streamlines", "Share of streamlines in the segment that has the fewest"),
        *estimated("DistanceMean", "Mean distance", "Of points from the middle of their segment", "mm"),
    ),
    run=_run,
    need=lambda given: memory.READING + memory.sampled(given.tractogram, _MOST) + memory.PANELS + memory.PLOTS,
    place=40,
)
