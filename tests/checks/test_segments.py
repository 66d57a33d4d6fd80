"""Segments of a straight bundle: ten of equal length, numbered from the same end as profiles."""

from pathlib import Path

import checking
import numpy as np
import phantoms
import pytest
from dipy.stats.analysis import assignment_map
from nibabel.streamlines import ArraySequence
from PIL import Image

from tractcap.checks.segments import COLORS, SEGMENTS


def test_segments_are_of_equal_length(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(flipped=True))
    found, _ = checking.make("segments", tmp_path / "out", path)
    lines = (tmp_path / "out/a_check-segments_segments.tsv").read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    assert [int(row["segment"]) for row in rows] == list(range(1, SEGMENTS + 1))
    assert [float(row["y_mm"]) for row in rows] == pytest.approx(np.arange(-36, 40, 8), abs=0.5)
    assert [row["color"] for row in rows] == ["#{:02x}{:02x}{:02x}".format(*color) for color in COLORS]
    assert {(row["sampled_streamlines"], row["streamlines_share"]) for row in rows} == {("40", "1")}
    assert sum(int(row["sampled_points"]) for row in rows) == 40 * 30
    assert all(2 * 40 <= int(row["sampled_points"]) <= 4 * 40 for row in rows)
    assert found.measures["FewestShare"] == 1
    assert found.measures["DistanceMean"] < 4


def test_colors_are_fixed(tmp_path: Path) -> None:
    """The posterior end has the first colour, the anterior one the last, seen from above."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(flipped=True))
    _, output = checking.make("segments", tmp_path / "out", path)
    with Image.open(tmp_path / "out" / output.figures[0].file) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(float)
    above = pixels[60:500, 980:1420]  # the view from above: anterior is on top
    colored = np.ptp(above, axis=2) > 40
    rows = np.flatnonzero(colored.any(axis=1))
    for number, part in ((1, rows[-20:]), (SEGMENTS, rows[:20])):
        color = np.array(COLORS[number - 1]) / np.linalg.norm(COLORS[number - 1])
        seen = above[part][colored[part]]
        alike = (seen / np.linalg.norm(seen, axis=1)[:, None]) @ color
        assert len(seen) > 20
        assert np.median(alike) > 0.99


def test_segments_are_dipys_of_a_straight_core(tmp_path: Path) -> None:
    streamlines = phantoms.straight_bundle()
    path = phantoms.save(tmp_path / "a.tck", streamlines)
    checking.make("segments", tmp_path / "out", path)
    lines = (tmp_path / "out/a_check-segments_segments.tsv").read_text().splitlines()[1:]
    core = np.array([[float(word) for word in line.split("\t")[2:5]] for line in lines], np.float32)
    _, numbers = assignment_map(ArraySequence(streamlines), ArraySequence([core]), SEGMENTS)
    assert [int(line.split("\t")[5]) for line in lines] == np.bincount(numbers, minlength=SEGMENTS).tolist()


def test_what_dipy_does_with_a_bundle_that_bends_far() -> None:
    """Its model's centroids may be several, which are numbered through: so here the core alone is the model."""
    near, far = (np.linspace([x, 0, 0], [x, 50, 0], 20).astype(np.float32) for x in (0, 200))
    _, numbers = assignment_map(ArraySequence([near, far]), ArraySequence([near, far]), 10)
    assert numbers.max() == 19
