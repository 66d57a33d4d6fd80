"""Far coordinates cost what near ones do, and figures stay what they are."""

import tracemalloc
from pathlib import Path

import numpy as np
import phantoms
import pytest
from numpy.typing import NDArray

from tractcap.drawing.extent import Extent, measure
from tractcap.drawing.views import Frame
from tractcap.drawing.volume import VisitedVolume
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import Coloring


def measured(path: Path, max_points: int = 20_000, coloring: Coloring | None = None) -> Extent:
    return measure(open_tractogram(path), max_points, lambda _points: None, coloring)


def scattered(reach: float, count: int = 4000, step: float = 3.0) -> phantoms.Streamlines:
    """Wandering lines everywhere in a cube of so many mm, whose steps are the longer the larger it is."""
    random = np.random.default_rng(0)
    start = random.uniform(-reach, reach, (count, 1, 3))
    steps = random.normal(0, step * reach / 90, (count, 20, 3))
    return list(np.clip(np.cumsum(steps, axis=1) + start, -9999, 9999).astype(np.float32))


@pytest.mark.parametrize("coloring", [None, Coloring("density")])
def test_memory_does_not_depend_on_where_points_lie(tmp_path: Path, coloring: Coloring | None) -> None:
    peaks = []
    for reach in (90.0, 90.0, 900.0, 9000.0):  # the first loads what is needed
        path = phantoms.raw_tck(tmp_path / "a.tck", scattered(reach))
        tracemalloc.start()
        measured(path, coloring=coloring)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks[1:]) < min(peaks[1:]) + 20 * 2**20


def test_as_many_points_are_looked_at_wherever_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle in tenths of mm takes no more than some times as many, and one that was moved as many."""
    seen = [0]
    mark = VisitedVolume.mark

    def counted(self: VisitedVolume, points: NDArray[np.float32]) -> None:
        seen[-1] += len(points)
        mark(self, points)

    monkeypatch.setattr(VisitedVolume, "mark", counted)
    near = [np.cumsum(np.full((100, 3), 0.5), axis=0) + number for number in range(200)]
    for streamlines in (near, [one + 8000 for one in near], [one * 100 for one in near]):
        measured(phantoms.raw_tck(tmp_path / "a.tck", [one.astype(np.float32) for one in streamlines]))
        seen.append(0)
    plain, moved, longer, _ = seen
    assert plain == moved
    assert longer < 130 * plain


@pytest.mark.parametrize("way", [(0, 0, 0), (600, 0, 0), (-3000, 5000, -9000)])
def test_the_volume_is_the_same_wherever_a_bundle_lies(tmp_path: Path, way: tuple[int, int, int]) -> None:
    """Moved by whole voxels, its points exact there too."""
    bundle = [np.round(one * 16) / 16 for one in phantoms.asymmetric_bundle(60)]
    found = measured(phantoms.raw_tck(tmp_path / "a.tck", [one + np.float32(way) for one in bundle]))
    assert found.volume == measured(phantoms.raw_tck(tmp_path / "b.tck", bundle)).volume
    assert found.voxel == 2.0


def test_a_stray_does_not_coarsen_the_volume_of_the_others(tmp_path: Path) -> None:
    bundle = phantoms.asymmetric_bundle(60)
    stray = np.linspace([1, 1, 1], [3001, 1, 1], 1000, dtype=np.float32)
    alone, line, both = (
        measured(phantoms.raw_tck(tmp_path / "a.tck", some)) for some in (bundle, [stray], [*bundle, stray])
    )
    assert both.voxel == 2.0
    assert both.volume == pytest.approx(alone.volume + line.volume, abs=200)


@pytest.mark.parametrize("reach", [250.0, 900.0, 9000.0])
def test_voxels_are_as_long_as_they_must_be_and_counted_rightly(reach: float) -> None:
    random = np.random.default_rng(1)
    points = random.uniform(-reach, reach, (50_000, 3)).astype(np.float32)
    points[: len(points) // 2] = points[: len(points) // 2] / 50
    ahead, back = VisitedVolume(), VisitedVolume()
    for part in np.array_split(points, 7):
        ahead.mark(part)
    for part in np.array_split(points[::-1], 11):
        back.mark(part)
    truth = len(np.unique(np.floor(points.astype(float) / ahead.voxel), axis=0)) * ahead.voxel**3
    assert ahead.volume == back.volume == truth
    assert ahead.volumes(back) == (truth,) * 3
    assert 2 * reach / 512 <= ahead.voxel <= 2 * reach / 32


def test_what_two_have_in_common_is_told_on_the_coarser_grid() -> None:
    random = np.random.default_rng(1)
    small = random.uniform(-40, 40, (5000, 3)).astype(np.float32)
    one, other = VisitedVolume(), VisitedVolume()
    one.mark(small)
    other.mark(small)
    other.mark(random.uniform(-9000, 9000, (50_000, 3)).astype(np.float32))
    own, theirs, both = one.volumes(other)
    assert both == own < theirs
    assert one.voxel == 2.0, "it isn't changed"
    assert own == len(np.unique(np.floor(small / other.voxel), axis=0)) * other.voxel**3


@pytest.mark.parametrize(("at", "fine"), [(0.0, True), (300.0, True), (9500.0, False)])
def test_a_frame_knows_how_exactly_points_are_placed_in_it(at: float, fine: bool) -> None:
    """Single precision has 24 bits: a mm at 9.5 m is 2^-10 mm wide at best."""
    frame = Frame((at, at, at), (at + 2, at + 2, at + 2))
    assert (frame.precision < frame.width / 800) == fine
    assert frame.precision >= np.spacing(np.float32(at))
