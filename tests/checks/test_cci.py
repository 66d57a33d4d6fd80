"""Cluster confidence: the values of dipy's function, and what it doesn't say."""

from pathlib import Path

import checking
import numpy as np
import phantoms
import pytest
from dipy.tracking.streamline import cluster_confidence

from tractcap.checks.cci import confidence
from tractcap.checks.common import plots
from tractcap.inputs.tractograms.in_memory import InMemoryTractogram


def parallel(count: int, apart: float = 1.0, mm: float = 50.0) -> phantoms.Streamlines:
    """Straight streamlines beside each other."""
    return [np.linspace([0, apart * at, 0], [mm, apart * at, 0], 20).astype(np.float32) for at in range(count)]


def index(streamlines: phantoms.Streamlines) -> np.ndarray:
    """Of each of them, among all of them."""
    return confidence(streamlines, InMemoryTractogram("all", streamlines), checking.silent)


def test_the_index_of_parallel_streamlines_is_known() -> None:
    """Each of three has others 1, 1 and 2 mm away: 1 + 1/2, 1 + 1, 1/2 + 1."""
    assert index(parallel(3)) == pytest.approx([1.5, 2, 1.5], rel=1e-5)


def test_crossing_bundles_don_t_support_each_other() -> None:
    """They meet, but go other ways: each has the index that it has alone."""
    one = parallel(3)
    other = [line[:, [1, 0, 2]] + np.float32([25, -25, 0]) for line in one]
    both = index([*one, *other])
    assert both == pytest.approx([1.5, 2, 1.5] * 2, rel=1e-5)


def test_it_is_dipys() -> None:
    streamlines = phantoms.asymmetric_bundle(250)
    assert index(streamlines) == pytest.approx(cluster_confidence(streamlines), rel=1e-6)


def test_what_dipy_declines() -> None:
    """Streamlines that are there twice, and short ones: dipy stops at both."""
    with pytest.raises(ValueError, match="Identical streamlines"):
        cluster_confidence([*parallel(2), parallel(1)[0]])
    with pytest.raises(ValueError, match="Short streamlines"):
        cluster_confidence(parallel(3, mm=10))
    assert index([*parallel(2), parallel(1)[0]]) == pytest.approx([1, 2, 1], rel=1e-5)


def test_kept_removed_and_too_short_are_three(tmp_path: Path) -> None:
    far = [np.linspace([0, 90, 0], [50, 90, 0], 20).astype(np.float32)]
    short = parallel(2, mm=10)
    path = phantoms.save(tmp_path / "a.tck", [*parallel(4), *far, *short])
    found, output = checking.make("cci", tmp_path / "out", path)
    told = found.measures
    assert (told["Streamlines"], told["TooShort"], told["Sampled"], told["Retention"]) == (7, 2, 5, 0.8)
    assert any("2 streamlines shorter than 20 mm" in note for note in found.notes)
    rows = [line.split("\t") for line in (tmp_path / "out/a_check-cci_values.tsv").read_text().splitlines()]
    assert rows[0] == ["streamline", "cci"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4"]
    assert float(rows[5][1]) == 0
    assert len(output.figures) == 2


def test_all_too_short(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.tck", parallel(5, mm=10))
    found, output = checking.make("cci", tmp_path / "out", path)
    assert (found.measures["Retention"], found.measures["CCIMean"], found.measures["TooShort"]) == (None, None, 5)
    assert any("there is no index" in note for note in found.notes)
    assert not output.figures


def test_a_sample_says_so_and_is_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", 20)
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle(60))
    found, _ = checking.make("cci", tmp_path / "one", path)
    assert (found.measures["Sampled"], found.measures["Streamlines"]) == (20, 60)
    assert any("20 of 60 streamlines, taken at random" in note for note in found.notes)
    again, _ = checking.make("cci", tmp_path / "two", path)
    assert again == found
    for one in (tmp_path / "one").iterdir():
        assert one.read_bytes() == (tmp_path / "two" / one.name).read_bytes()


@pytest.mark.parametrize(("apart", "kept"), [(1.0, 1.0), (1.01, 0.0)])
def test_an_index_of_one_is_kept(tmp_path: Path, apart: float, kept: float) -> None:
    """Two streamlines 1 mm apart have it; with a little more between them they have less."""
    path = phantoms.save(tmp_path / "a.tck", parallel(2, apart))
    told = checking.make("cci", tmp_path / "out", path)[0].measures
    assert (told["Threshold"], told["Retention"]) == (1, kept)
    assert told["CCIMean"] == pytest.approx(1 / apart)


@pytest.mark.parametrize(("mm", "near"), [(4.99, 1 / 4.99), (5.01, 0)])
def test_support_ends_at_five_mm_and_begins_beyond_a_micrometre(mm: float, near: float) -> None:
    assert index(parallel(2, mm)) == pytest.approx([near] * 2, rel=1e-4)
    assert index(parallel(2, 0.0005)).tolist() == [0, 0]
    assert index(parallel(2, 0.002)) == pytest.approx([500] * 2, rel=0.01)


@pytest.mark.parametrize("most", [0.5, 1.0, 3.0, 900.0])
def test_bins_have_an_edge_at_the_threshold(most: float) -> None:
    values = np.linspace(0, most, 50)
    edges = plots.bins(values, 1.0)
    assert edges[0] == 0
    assert edges[-1] >= most
    assert np.abs(edges - 1).min() == pytest.approx(0, abs=1e-9) or most > 40
    assert 20 <= len(edges) <= 85
