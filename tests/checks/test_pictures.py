"""What pictures and plots of checks say and show: captions, how many streamlines, scales, bars and thresholds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from PIL import Image

from tractcap.checks.common import panels
from tractcap.checks.common.check_definition import CheckFile
from tractcap.checks.common.output import CheckOutput

Made = Callable[[str], "Seen"]


@dataclass
class Seen:
    """Of each sheet of pictures: its heading, its rows with how many streamlines each bundle has, scale and legend."""

    sheets: list[dict[str, Any]] = field(default_factory=list)
    axes: list[Any] = field(default_factory=list)

    def sheet(self, output: Any, heading: str, subtitle: str, rows: Any, frame: Any, **more: Any) -> Image.Image:
        scale = more.get("scale")
        self.sheets.append({
            "heading": (f"{output.title}: {heading}", subtitle),
            "rows": [(one.title, one.words, [b.tractogram.header.streamlines for b in one.bundles]) for one in rows],
            "scale": scale and (scale.name, round(scale.low, 2), round(scale.high, 2), scale.unit),
            "legend": [name for name, _ in more.get("legend", ())],
            "marks": [one.text for one in more.get("marks", ())],
        })  # fmt: skip
        return Image.new("RGB", (1, 1))

    @contextmanager
    def figure(self, *_: Any, columns: int = 1, **__: Any) -> Iterator[list[Any]]:
        self.axes = list(Figure().subplots(1, columns, squeeze=False)[0])
        yield self.axes


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Makes a check of 12 lines, 20 to 75 mm long, 2 mm apart; 8 of them were there before, 4 are on the right."""
    lines = [np.linspace([-20 - 2 * at, 0, 0], [-20 - 2 * at, 20 + 5 * at, 0], 12).astype("f4") for at in range(12)]
    path = phantoms.save(tmp_path / "AF_L.tck", lines)
    before = CheckFile(str(phantoms.save(tmp_path / "raw.tck", lines[:8])))
    right = CheckFile(str(phantoms.save(tmp_path / "AF_R.tck", [one * np.float32([-1, 1, 1]) for one in lines[8:]])))
    ramp = np.broadcast_to((np.arange(109) * 2.0 - 126)[None, :, None], (91, 109, 91)).astype(np.float32)
    nib.save(nib.Nifti1Image(ramp, phantoms.affine()), tmp_path / "y.nii")
    given = {
        "atlas": before,
        "before": before,
        "mirror": right,
        "hemisphere": "L",
        "maps": {"Y": CheckFile(f"{tmp_path}/y.nii")},
    }

    def make(name: str) -> Seen:
        seen = Seen()
        monkeypatch.setattr("tractcap.checks.common.panels.sheet", seen.sheet)
        monkeypatch.setattr("tractcap.checks.common.plots.figure", seen.figure)
        checking.make(name, tmp_path / "out", path, **given)
        return seen

    return make


ALL = "12 streamlines"
SHEETS: dict[str, list[tuple[Any, ...]]] = {
    "shape": [
        (("AF_L: lengths and ends", ALL),
         [("Lengths", ALL, [12]), ("Ends", "the last 4 mm at both ends", [12, 24])],
         ("length", 20, 75, "mm"), ["ends", "between them"], []),
    ],
    "cci": [
        (("AF_L: cluster confidence", ALL),
         [("Before", ALL, [12]), ("After", "CCI of 1 or more: 0 kept, 12 removed", [0]),
          ("Removed", "CCI below 1", [12])],
         ("CCI", 0, 1, ""), [], []),
    ],
    "profile": [
        (("AF_L: Y", "node 1 posterior, node 100 anterior"),
         [("Y at each point", ALL, [12]), ("Profile", "the weighted mean at the nearest node", [12])],
         ("Y", 0, 61.68, ""), [], ["1", "100"]),
    ],
    "segments": [
        (("AF_L: 10 segments", ALL), [("Segments", "1 posterior, 10 anterior", [12, 12, 12, 10, 11, 9, 8, 6, 7, 6])],
         None, [*map(str, range(1, 11))], [*map(str, range(1, 11))]),
    ],
    "atlas": [
        (("AF_L: against an atlas", "raw.tck"),
         [("Both", "", [12, 8]), ("Bundle", ALL, [12]), ("Atlas", "8 streamlines", [8])],
         None, ["bundle", "atlas"], []),
    ],
    "before": [
        (("AF_L: before and after", ""),
         [("Before", "8 streamlines · raw.tck", [8]), ("After", "12 streamlines · AF_L.tck", [12])],
         ("density", 0, 1, "streamlines per (2 mm)³"), [], []),
        (("AF_L: difference of densities", ""), [("Difference", "after less before, on both", [20])],
         ("difference", -1, 1, "streamlines per (2 mm)³"), [], []),
    ],
    "sides": [
        (("AF_L: left and right", ""),
         [("Both sides", "left 12 streamlines · right 4 streamlines", [12, 4])], None, ["left", "right"], []),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_pictures_say_and_show(made: Made, name: str) -> None:
    seen = made(name).sheets
    assert [tuple(one.values()) for one in seen] == SHEETS[name]


def heights(axes: Any) -> list[float]:
    """Of bars, and of the steps of a histogram, as far as there are any."""
    each = [patch.get_data().values if isinstance(patch, StepPatch) else [patch.get_height()] for patch in axes.patches]
    return [round(float(height), 3) for height in np.concatenate(each) if height]


def test_plots_of_lengths_and_curvatures(made: Made) -> None:
    lengths, bends = made("shape").axes
    assert (lengths.get_title(), lengths.get_xlabel()) == ("all 12; median 47.5 mm", "length (mm)")
    assert heights(lengths) == [1] * 12
    assert lengths.lines[0].get_xdata()[0] == pytest.approx(47.5, abs=0.06)
    assert (bends.get_title(), heights(bends)) == ("12 sampled; median 0.000 1/mm", [12])
    assert (bends.get_xlabel(), bends.get_ylabel()) == ("mean curvature (1/mm)", "streamlines")


def test_the_plot_of_the_index_has_its_threshold(made: Made) -> None:
    (axes,) = made("cci").axes
    assert axes.lines[0].get_xdata() == [1, 1]
    assert axes.get_legend_handles_labels()[1] == ["threshold 1"]
    assert sum(heights(axes)) == 12


def test_the_plot_of_a_profile(made: Made) -> None:
    """A mean of lines from 0 to 47.5 mm on average, nodes from 1 to 100; the band is one standard deviation wide."""
    (axes,) = made("profile").axes
    nodes, mean = axes.lines[0].get_data()
    assert nodes.tolist() == list(range(1, 101))
    assert (mean[0], np.diff(mean).min() > 0) == (pytest.approx(0, abs=1e-3), True)
    band = axes.collections[0].get_paths()[0].vertices
    last = band[band[:, 0] == 100][:, 1]
    assert last.min() < mean[-1] < last.max()
    assert (last.min() + last.max()) / 2 == pytest.approx(mean[-1], abs=1e-6)
    assert axes.get_xlabel() == "node: 1 posterior … 100 anterior"


@pytest.mark.parametrize("swapped", [False, True])
def test_the_plot_of_distances_is_in_percent(made: Made, tmp_path: Path, swapped: bool) -> None:
    """In bins no narrower than a voxel, and all distances in one of them, whichever of the two reaches farther."""
    if swapped:
        (tmp_path / "AF_L.tck").rename(tmp_path / "all.tck")
        (tmp_path / "raw.tck").rename(tmp_path / "AF_L.tck")
        (tmp_path / "all.tck").rename(tmp_path / "raw.tck")
    (axes,) = made("atlas").axes
    assert axes.get_legend_handles_labels()[1] == ["bundle to atlas", "atlas to bundle"]
    for outline in axes.patches:
        corners = outline.get_xy()
        edges = np.unique(corners[:, 0])
        assert np.diff(edges).min() >= 2
        inner = corners[1:-1]
        shares = inner[::2, 1]
        assert shares.sum() == pytest.approx(100)


def test_plots_of_both_sides(made: Made) -> None:
    streamlines, length, volume = made("sides").axes
    assert (heights(streamlines), streamlines.get_title()) == ([12, 4], "index +0.50")
    assert (heights(length), length.get_title()) == ([pytest.approx(47.5), pytest.approx(67.5)], "index -0.17")
    assert length.get_ylabel() == "mean length (mm)"
    assert volume.get_ylabel() == "volume (mm³)"


def test_marks_lie_where_their_points_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the left, anterior is on the left; from the front, the left; from above, the left, and anterior above."""
    seen = []
    monkeypatch.setattr(panels.labels, "word", lambda image, at, text, *_: seen.append((text, at)))
    line = np.float32([[-10, -20, -30], [10, 20, 30]])
    frame = panels.frame_of([line])
    row = panels.PanelRow("", "", [panels.plain("a", [line], (255, 0, 0))])
    output = CheckOutput(tmp_path, "a", "segments", "A", checking.silent)
    panels.sheet(output, "", "", [row], frame, marks=[panels.Mark("a", (5.0, 10.0, 20.0))])
    middle, mm = panels.SIZE / 2, panels.SIZE / frame.width
    expected = [(-10, -20), (5, -20), (5, -10)]  # leftwards and rightwards; pixels count downwards
    assert [at for text, at in seen if text == "a"] == [
        pytest.approx((middle + sign * x * mm, middle + y * mm), abs=0.01)
        for (x, y), sign in zip(expected, (1, -1, 1), strict=True)
    ]
