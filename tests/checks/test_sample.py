"""Samples: each streamline once and whole, the same ones each time, and what they are said to be."""

from pathlib import Path

import numpy as np
import phantoms
import pytest
from checking import silent

from tractcap.checks.kit import needs, sample
from tractcap.checks.kit.check import File
from tractcap.inputs.tractograms import open_tractogram


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return phantoms.save(tmp_path / "a.tck", phantoms.ragged())


def test_all_are_taken_where_there_is_room(path: Path) -> None:
    taken = sample.take(open_tractogram(path), 200, silent)
    assert taken.whole
    assert taken.told == "200 streamlines"
    assert taken.notes("it") == []
    assert all(np.array_equal(*pair) for pair in zip(taken.streamlines, phantoms.ragged(), strict=True))


def test_a_part_is_of_whole_streamlines_in_their_order(path: Path) -> None:
    taken, everything = sample.take(open_tractogram(path), 50, silent), phantoms.ragged()
    assert taken.told == "50 of 200 streamlines"
    assert (np.diff(taken.numbers) > 0).all()
    assert all(np.array_equal(one, everything[at]) for one, at in zip(taken.streamlines, taken.numbers, strict=True))
    assert [note.partition(",")[0] for note in taken.notes("It")] == ["It is of 50 of 200 streamlines"]


def test_chunks_and_formats_don_t_decide_which(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sample.take(open_tractogram(path), 50, silent)
    monkeypatch.setattr("tractcap.checks.kit.sample.CHUNK", 7)
    other = sample.take(open_tractogram(phantoms.save(tmp_path / "b.trk", phantoms.ragged())), 50, silent)
    assert first.numbers.tolist() == other.numbers.tolist()
    assert [len(one) for one in first.streamlines] == [len(one) for one in other.streamlines]


def test_every_streamline_has_the_same_chance(tmp_path: Path) -> None:
    """Of thousands, the sample's places are spread evenly: the mean is that of all of them, within its error."""
    path = phantoms.save(tmp_path / "a.tck", [np.full((2, 3), at, np.float32) for at in range(8000)])
    numbers = sample.take(open_tractogram(path), 1000, silent).numbers / 8000
    assert numbers.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 1000))
    assert np.bincount((numbers * 4).astype(int)) == pytest.approx(250, abs=60)


def test_many_points_make_fewer_streamlines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.checks.kit.sample.MOST_POINTS", 500)
    taken = sample.take(open_tractogram(path), 200, silent)
    assert 0 < len(taken.streamlines) < 50
    assert sum(map(len, taken.streamlines)) <= 500
    assert taken.total == 200


def test_one_that_never_ends_is_left_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is, no more of it is held than a sample may have."""
    monkeypatch.setattr("tractcap.checks.kit.sample.MOST_POINTS", 300)
    monkeypatch.setattr("tractcap.checks.kit.sample.CHUNK", 50)
    endless = np.linspace([0, 0, 0], [90, 0, 0], 1000).astype(np.float32)
    few = phantoms.straight_bundle(4)
    path = phantoms.save(tmp_path / "a.tck", [few[0], endless, *few[1:]])
    taken = sample.take(open_tractogram(path), 10, silent)
    assert [len(one) for one in taken.streamlines] == [30] * 4
    assert taken.notes("it") == [f"1 streamlines {sample.ENDLESS} were left aside"]


def test_what_can_t_be_drawn_is_counted(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.tck", [*phantoms.straight_bundle(3), np.zeros((1, 3), np.float32)])
    taken = sample.take(open_tractogram(path), 10, silent)
    assert (len(taken.streamlines), taken.total) == (3, 3)
    assert taken.notes("it") == ["1 streamlines with fewer than two points were left aside"]


def test_memory_is_bounded_whatever_the_file_holds() -> None:
    small, huge = (needs.sampled(File("a", count, count * 100), 2000) for count in (10_000, 10_000_000))
    assert huge == small
    assert needs.sampled(File("a", 100, 10**9), 2000) <= 4 * 12 * needs.MOST_POINTS + 300 * 4000
