"""Lengths and shape, of streamlines whose lengths, bends and ends are known."""

import os
from pathlib import Path

import checking
import numpy as np
import phantoms
import pytest
from PIL import Image

from tractcap.checks.common.check_definition import CheckFile
from tractcap.checks.common.duplicates import Duplicates
from tractcap.checks.common.estimate import Estimate
from tractcap.checks.common.sample import length
from tractcap.checks.shape import curvature, cut, even, span
from tractcap.drawing import anatomy
from tractcap.drawing.colors import ColorScale
from tractcap.errors import InputError
from tractcap.inputs.images import ImageFile
from tractcap.inputs.tractograms import open_tractogram


def straight(start: tuple[float, float, float], mm: float, points: int = 11) -> np.ndarray:
    return np.linspace(start, np.add(start, [mm, 0, 0]), points).astype(np.float32)


def circle(radius: float, points: int = 200) -> np.ndarray:
    angles = np.linspace(0, np.pi, points)
    return (radius * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)).astype(np.float32)


def test_curvature_is_that_of_the_circle() -> None:
    assert curvature(circle(25)) == pytest.approx(1 / 25, rel=0.01)
    assert curvature(circle(25, points=17)) == pytest.approx(1 / 25, rel=0.05)  # whatever points it is given by
    assert curvature(straight((0, 0, 0), 50)) == pytest.approx(0, abs=1e-6)
    assert curvature(np.zeros((3, 3), np.float32)) is None


def test_lengths_and_spans() -> None:
    assert length(circle(25)) == pytest.approx(25 * np.pi, rel=1e-3)
    assert span(circle(25)) == pytest.approx(50, rel=1e-5)


def test_ends_are_cut_off_at_their_length() -> None:
    first, last, between = cut(straight((0, 0, 0), 50, points=8), 4)
    assert (length(first), length(last), length(between)) == pytest.approx((4, 4, 42), rel=1e-5)
    first, last, between = cut(straight((0, 0, 0), 6), 4)
    assert (length(first), length(last), len(between)) == pytest.approx((3, 3, 0), rel=1e-5)


def test_what_a_bundle_holds(tmp_path: Path) -> None:
    one = straight((0, 0, 0), 40)
    streamlines = [one, one[::-1], straight((0, 10, 0), 20), straight((0, 20, 0), 60), one[:1]]
    path = phantoms.save(tmp_path / "a.tck", streamlines)
    found, output = checking.make("shape", tmp_path / "out", path)
    told = found.measures
    assert (told["Streamlines"], told["SinglePoint"], told["Duplicates"]) == (5, 1, 1)
    assert told["DuplicateShare"] == 0.25
    assert (told["LengthMean"], told["LengthMedian"]) == pytest.approx((40, 40), abs=0.06)
    assert (told["LengthMinimum"], told["LengthMaximum"]) == (20, 60)
    assert (told["CurvatureMean"], told["Straightness"]) == pytest.approx((0, 1), abs=1e-5)
    assert told["OutsideReference"] is None  # there is none
    assert any("the same as another" in note for note in found.notes)
    assert any("1 streamlines with fewer than two points" in note for note in found.notes)
    assert {one.file.rpartition("_")[2] for one in output.figures} == {"streamlines.png", "distributions.png"}
    counted = [line.split("\t") for line in (tmp_path / "out/a_check-shape_lengths.tsv").read_text().splitlines()[1:]]
    assert sum(int(count) for *_, count in counted) == 4


def test_volume_is_that_of_the_voxels(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", [straight((1, 1, 1), 39.9)])
    found, _ = checking.make("shape", tmp_path / "out", path)
    assert found.measures["Volume"] == 21 * 8  # 20 voxels of 2 mm are passed, and another one is entered


def test_outside_the_head(tmp_path: Path) -> None:
    """Half of the bundle lies in the head, the other one far from it."""
    head = phantoms.save_head(tmp_path / "head.nii.gz")
    inside = [straight((-20, y, 0), 40) for y in range(4)]
    beyond = [straight((200, y, 0), 40) for y in range(4)]
    path = phantoms.save(tmp_path / "a.tck", inside + beyond)
    found, _ = checking.make("shape", tmp_path / "out", path, reference=CheckFile(str(head), voxels=10**6))
    assert found.measures["OutsideReference"] == 0.5


def test_a_reference_is_read_once_for_all_bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    prepare = anatomy.Anatomy

    def counted(file: ImageFile) -> anatomy.Anatomy:
        reads.append(file)
        return prepare(file)

    monkeypatch.setattr(anatomy, "Anatomy", counted)
    head = phantoms.save_head(tmp_path / "head.nii")
    shares = []
    for name, x in (("a", -20), ("b", 200)):
        path = phantoms.save(tmp_path / f"{name}.tck", [straight((x, y, 0), 40) for y in range(4)])
        found, _ = checking.make("shape", tmp_path / name, path, reference=CheckFile(str(head), voxels=10**6))
        shares.append(found.measures["OutsideReference"])
    assert (shares, len(reads)) == ([0, 1], 1)
    os.utime(head, (0, 0))  # another image, perhaps
    checking.make("shape", tmp_path / "c", path, reference=CheckFile(str(head), voxels=10**6))
    assert len(reads) == 2


@pytest.mark.parametrize("size", [7, 11, 10_000])
def test_twins_are_found_across_chunks(tmp_path: Path, size: int) -> None:
    random = np.random.default_rng(0)
    one, other = (np.cumsum(random.normal(0, 1, (53, 3)), axis=0).astype(np.float32) for _ in range(2))
    path = phantoms.save(tmp_path / "a.tck", [one, other, one[::-1], one + np.float32(0.1), other])
    twins = Duplicates()
    for chunk in open_tractogram(path).chunks(size):
        twins.add(chunk)
    assert twins.count(5) == Estimate(2, 2, 2)


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_twins_of_many_are_told_from_a_part_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: int
) -> None:
    """Beyond what may be held, those below a bar tell how many differ; as long as few do, they are counted."""
    monkeypatch.setattr("tractcap.checks.common.duplicates.MOST", 500)
    random = np.random.default_rng(0)
    several = [np.cumsum(random.normal(0, 1, (4, 3)), axis=0).astype(np.float32) for _ in range(1000)]
    for different, exact in ((several, False), (several[:200], True)):
        twins = Duplicates()
        for chunk in open_tractogram(phantoms.save(tmp_path / "a.tck", different * copies)).chunks(1000):
            twins.add(chunk)
        found, expected = twins.count(len(different) * copies), len(different) * (copies - 1)
        assert found.low <= expected <= found.high
        assert (found.low == found.value == found.high) == exact
        assert found.high - found.low < 500
        assert found.low >= 0


def test_all_of_one_that_is_there_very_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is there, its number is held once: they are counted, although there are many."""
    monkeypatch.setattr("tractcap.checks.common.duplicates.MOST", 50)
    path = phantoms.save(tmp_path / "a.tck", phantoms.straight_bundle(1) * 300)
    found, _ = checking.make("shape", tmp_path / "out", path)
    assert [found.measures[f"Duplicates{end}"] for end in ("", "Low", "High")] == [299] * 3
    assert found.measures["DuplicateShare"] == pytest.approx(299 / 300, abs=1e-6)
    assert "299 streamlines are the same as another one" in found.notes


def test_nothing_to_measure(tmp_path: Path) -> None:
    """Streamlines are there, but none can be measured: that is a failure, unlike an empty file."""
    path = phantoms.save(tmp_path / "a.tck", [np.zeros((1, 3), np.float32)] * 3)
    with pytest.raises(InputError, match=r"a\.tck has no streamline of two points or more: there is nothing to"):
        checking.make("shape", tmp_path / "out", path)


def test_colours_reach_from_the_shortest_to_the_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scales = []

    def sheet(*_: object, scale: ColorScale, **__: object) -> Image.Image:
        scales.append((scale.low, scale.high, scale.unit))
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr("tractcap.checks.common.panels.sheet", sheet)
    path = phantoms.save(tmp_path / "a.tck", [straight((0, y, 0), mm) for y, mm in ((0, 40), (9, 20), (18, 60))])
    checking.make("shape", tmp_path / "out", path)
    assert scales == [(20, 60, "mm")]


@pytest.mark.parametrize(("mm", "points"), [(10, 6), (11.2, 7), (1, 3)])
def test_points_are_evened_to_steps_of_two_mm(mm: float, points: int) -> None:
    found = even(straight((0, 0, 0), mm, points=40))
    assert len(found) == points
    assert np.diff(found[:, 0]) == pytest.approx(np.full(points - 1, mm / (points - 1)))


def test_what_is_between_the_ends_follows_the_streamline() -> None:
    first, last, between = cut(circle(25), 4)
    assert (length(first), length(last)) == pytest.approx((4, 4), rel=1e-3)
    assert length(between) == pytest.approx(25 * np.pi - 8, rel=1e-3)


def test_straight_streamlines_of_any_direction_have_no_curvature() -> None:
    """Rounding may make a cosine larger than 1, which no angle has."""
    ends = np.random.default_rng(0).normal(0, 30, (300, 3))
    found = [curvature(np.linspace([0, 0, 0], end, 30).astype(np.float32)) for end in ends]
    assert np.array(found) == pytest.approx(np.zeros(300), abs=1e-4)
