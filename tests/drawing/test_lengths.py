"""Lengths and volumes against what numpy makes of whole streamlines."""

from pathlib import Path

import numpy as np
import phantoms
import pytest

from tractcap.drawing.extent import Extent, measure
from tractcap.inputs.tractograms import open_tractogram


def measured(path: Path, max_points: int = 50_000) -> Extent:
    return measure(open_tractogram(path), max_points, lambda points: None)


def line(*ends: tuple[float, float, float], points: int = 5) -> np.ndarray:
    return np.linspace(*ends, points, dtype=np.float32)


@pytest.mark.parametrize("count", [301, 300])
def test_lengths_are_those_of_the_streamlines(tmp_path: Path, count: int) -> None:
    streamlines = phantoms.ragged(count)
    found = measured(phantoms.raw_tck(tmp_path / "a.tck", streamlines)).lengths
    drawn = [s for s in streamlines if len(s) > 1]
    truth = np.array([np.linalg.norm(np.diff(s.astype(float), axis=0), axis=1).sum() for s in drawn])
    assert found.mean == pytest.approx(truth.mean(), abs=0.01)
    assert found.median == pytest.approx(np.median(truth), abs=0.06)
    assert (found.minimum, found.maximum) == pytest.approx((truth.min(), truth.max()), abs=0.02)
    edges = found.start + found.width * np.arange(len(found.counts) + 1)
    assert abs(np.histogram(truth, edges)[0] - found.counts).sum() <= 2, "but for rounding at an edge"
    assert sum(found.counts) == len(truth)
    assert len(found.counts) <= 30


@pytest.mark.parametrize("max_points", [7, 100, 1777])
def test_the_same_whatever_the_chunk(tmp_path: Path, max_points: int) -> None:
    long = [line((-60, -60, -60), (60, 60, 60), points=3000), line((300, 0, 0), (300, 90, 0), points=31)]
    path = phantoms.save(tmp_path / "a.trk", [*phantoms.ragged(200), *long])
    whole, cut = measured(path), measured(path, max_points)
    assert whole.lengths == cut.lengths
    assert whole.volume == cut.volume


def test_a_streamline_longer_than_any_brain(tmp_path: Path) -> None:
    zigzag = np.float32([[0, 0, 0], [9000, 0, 0]] * 6)
    found = measured(phantoms.raw_tck(tmp_path / "a.tck", [zigzag, line((0, 0, 0), (30, 0, 0))])).lengths
    assert (found.minimum, found.maximum) == (30, 99_000)
    assert found.median == pytest.approx(49_515, abs=0.1)
    assert found.counts[0] == found.counts[-1] == 1
    assert sum(found.counts) == 2


def test_the_volume_is_that_of_the_voxels_passed_through(tmp_path: Path) -> None:
    along = line((1, 1, 1), (41, 1, 1), points=2)
    assert measured(phantoms.raw_tck(tmp_path / "a.tck", [along, along])).volume == 21 * 8
    far = line((1001, 1, 1), (1041, 1, 1), points=2)
    assert measured(phantoms.raw_tck(tmp_path / "b.tck", [along, far, far])).volume == 2 * 21 * 8


def test_a_gap_between_streamlines_is_not_passed_through(tmp_path: Path) -> None:
    apart = [line((1, 1, 1), (5, 1, 1)), line((61, 1, 1), (65, 1, 1))]
    assert measured(phantoms.raw_tck(tmp_path / "a.tck", apart)).volume == 2 * 3 * 8
