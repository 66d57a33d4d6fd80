"""Samples: each streamline once and whole, the same ones each time, and what they are said to be."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import checking
import numpy as np
import phantoms
import pytest
from checking import silent

from tractcap.checks import checks
from tractcap.checks.common import sample
from tractcap.checks.common.check_definition import MOST_POINTS, CheckFile, CheckInput
from tractcap.inputs.tractograms import open_tractogram


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many streamlines a sample has at most."""
    return partial(monkeypatch.setattr, "tractcap.checks.common.sample.MOST_STREAMLINES")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return phantoms.save(tmp_path / "a.tck", phantoms.ragged())


def test_all_are_taken_where_there_is_room(path: Path, most: Callable[[int], None]) -> None:
    most(200)
    taken = sample.take(open_tractogram(path), silent)
    assert taken.whole
    assert taken.caption == "200 streamlines"
    assert taken.notes("it") == []
    assert all(np.array_equal(*pair) for pair in zip(taken.streamlines, phantoms.ragged(), strict=True))


def test_a_part_is_of_whole_streamlines_in_their_order(path: Path, most: Callable[[int], None]) -> None:
    most(50)
    taken, everything = sample.take(open_tractogram(path), silent), phantoms.ragged()
    assert taken.caption == "50 of 200 streamlines"
    assert (np.diff(taken.numbers) > 0).all()
    assert all(np.array_equal(one, everything[at]) for one, at in zip(taken.streamlines, taken.numbers, strict=True))
    assert [note.partition(",")[0] for note in taken.notes("It")] == ["It is of 50 of 200 streamlines"]


def test_chunks_and_formats_don_t_decide_which(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: Callable[[int], None]
) -> None:
    most(50)
    first = sample.take(open_tractogram(path), silent)
    monkeypatch.setattr("tractcap.checks.common.sample.CHUNK", 7)
    other = sample.take(open_tractogram(phantoms.save(tmp_path / "b.trk", phantoms.ragged())), silent)
    assert first.numbers.tolist() == other.numbers.tolist()
    assert [len(one) for one in first.streamlines] == [len(one) for one in other.streamlines]


def test_every_streamline_has_the_same_chance(tmp_path: Path, most: Callable[[int], None]) -> None:
    """Of thousands, the sample's places are spread evenly: the mean is that of all of them, within its error."""
    path = phantoms.save(tmp_path / "a.tck", [np.full((2, 3), at, np.float32) for at in range(8000)])
    most(1000)
    numbers = sample.take(open_tractogram(path), silent).numbers / 8000
    assert numbers.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 1000))
    assert np.bincount((numbers * 4).astype(int)) == pytest.approx(250, abs=60)


def test_many_points_make_fewer_streamlines(
    path: Path, monkeypatch: pytest.MonkeyPatch, most: Callable[[int], None]
) -> None:
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_POINTS", 500)
    most(200)
    taken = sample.take(open_tractogram(path), silent)
    assert 0 < len(taken.streamlines) < 50
    assert sum(map(len, taken.streamlines)) <= 500
    assert taken.total == 200


def test_one_that_never_ends_is_left_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: Callable[[int], None]
) -> None:
    """However long it is, no more of it is held than a sample may have."""
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_POINTS", 300)
    monkeypatch.setattr("tractcap.checks.common.sample.CHUNK", 50)
    endless = np.linspace([0, 0, 0], [90, 0, 0], 1000).astype(np.float32)
    few = phantoms.straight_bundle(4)
    path = phantoms.save(tmp_path / "a.tck", [few[0], endless, *few[1:]])
    most(10)
    taken = sample.take(open_tractogram(path), silent)
    assert [len(one) for one in taken.streamlines] == [30] * 4
    assert taken.notes("it") == [f"1 streamlines {sample.ENDLESS} were left out"]


def test_what_can_t_be_drawn_is_counted(tmp_path: Path, most: Callable[[int], None]) -> None:
    path = phantoms.save(tmp_path / "a.tck", [*phantoms.straight_bundle(3), np.zeros((1, 3), np.float32)])
    most(10)
    taken = sample.take(open_tractogram(path), silent)
    assert (len(taken.streamlines), taken.total) == (3, 3)
    assert taken.notes("it") == ["1 streamlines with fewer than two points were left out"]


def test_memory_is_bounded_whatever_the_file_holds() -> None:
    small, huge = (CheckFile("a", count, count * 100).sample_need for count in (10_000, 10_000_000))
    assert huge == small
    assert CheckFile("a", 100, 10**9).sample_need <= 5 * 12 * MOST_POINTS + 300 * 4000


@pytest.mark.parametrize("file", [CheckFile("a.trk.gz", 10**7, 10**7), CheckFile("a.trk.gz", 10**9, 2 * 10**6)])
def test_memory_suffices_however_much_a_header_promises(file: CheckFile) -> None:
    """That of a compressed file, or a .vtk, tells only how much there may be: its streamlines may be long."""
    assert file.sample_need >= 12 * MOST_POINTS


def test_what_must_be_loaded_whole_counts() -> None:
    assert CheckFile("a.vtk", 10, 100, loaded=10**9).sample_need > 10**9
    for one in checks().values():
        given = CheckInput(
            CheckFile("a.vtk", 10, 100, loaded=10**9), hemisphere="L", mirror=CheckFile("b.vtk", loaded=10**8)
        )
        assert one.need(given) > 10**9 + 10**8 * ("mirror" in one.uses)


def test_only_long_ones_are_taken(path: Path, most: Callable[[int], None]) -> None:
    """Of those each has the same chance; their places are among all."""
    everything = phantoms.ragged()
    long = [at for at, one in enumerate(everything) if sample.length(one) >= 30]
    assert 20 < len(long) < 180
    most(200)
    taken = sample.take(open_tractogram(path), silent, shortest=30)
    assert taken.numbers.tolist() == long
    assert (taken.total, taken.whole) == (len(long), True)
    assert taken.notes("it") == [f"{200 - len(long)} streamlines shorter than 30 mm were left out"]
    most(20)
    some = sample.take(open_tractogram(path), silent, shortest=30)
    assert (len(some.streamlines), some.total, some.fraction) == (20, len(long), 20 / len(long))
    assert set(some.numbers.tolist()) < set(long)


@pytest.mark.parametrize("name", ["shape", "cci", "segments", "atlas"])
def test_samples_and_figures_are_the_same_in_all_packings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever headers tell, and however much is read at once."""
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", 40)
    other = CheckFile(str(phantoms.save(tmp_path / "other.tck", phantoms.asymmetric_bundle(50, seed=3))))
    found = {}
    for number, ending in enumerate(("tck", *phantoms.ENDINGS)):
        for module in ("sample", "whole_file"):
            monkeypatch.setattr(f"tractcap.checks.common.{module}.CHUNK", 20_000 >> number)
        at = phantoms.save(tmp_path / f"{number}.{ending}", phantoms.asymmetric_bundle(90))
        with checking.no_pictures():
            made = checking.make(name, tmp_path / "out", at, atlas=other, vtk_space="RAS")
        found[number, ending] = made[0].measures
    first = found.pop((0, "tck"))
    assert first["Sampled"] == 40
    for measures in found.values():
        assert {key for key, value in measures.items() if value is None} == {key for key in first if first[key] is None}
        told = {key: value for key, value in measures.items() if value is not None}
        assert told == pytest.approx({key: first[key] for key in told}, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", checks())
def test_an_image_s_voxels_are_planned_for(name: str) -> None:
    """A map, and an atlas's image, in single precision and what is made of them; of a reference what is shown."""
    own = {"tractogram": CheckFile("a.tck", 10, 100), "hemisphere": "L"}
    for use in {"maps", "reference", "atlas"} & set(checks()[name].uses):
        small, large = (CheckFile("a.nii", voxels=voxels) for voxels in (0, 10**8))
        needs_ = [
            checks()[name].need(CheckInput(**own, **{use: {"FA": image} if use == "maps" else image}))
            for image in (small, large)
        ]
        assert needs_[1] - needs_[0] >= (4 * 10**8 if use != "reference" else 30 * 10**6)
        assert needs_[1] - needs_[0] <= 16 * 10**8
    assert (
        100 * 10**6
        < checks()[name].need(CheckInput(**own, mirror=CheckFile("b.tck"), before=CheckFile("b.tck")))
        < 300 * 10**6
    )


def test_the_order_of_checks() -> None:
    assert list(checks()) == ["shape", "cci", "profile", "segments", "atlas", "before", "sides"]
