"""Streamlines far away: what is framed in spite of them, and that they are counted and said."""

from pathlib import Path

import numpy as np
import phantoms
import pytest
from scenes import drawn, rest

from tractcap.checks.common.panels import frame_of
from tractcap.drawing.draw import ColoredTractogram, Scene, draw, draw_piece
from tractcap.drawing.extent import Extent, measure
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.position_along_bundle import Position
from tractcap.drawing.tractogram_piece import PieceWriter
from tractcap.drawing.views import Frame
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import SIX, Coloring, PictureOptions, RenderSettings
from tractcap.records.tractogram_piece import Piece, read_told

Streamlines = phantoms.Streamlines


def silent(_points: int) -> None:
    """No one listens."""


def bundle(count: int) -> Streamlines:
    random, t = np.random.default_rng(0), np.linspace(0, np.pi, 30)
    base = np.stack([0 * t, 40 * np.cos(t), 35 * np.sin(t)], axis=1)
    return [(base + random.normal(0, 3, 3)).astype(np.float32) for _ in range(count)]


def thrown(streamlines: Streamlines, *ways: tuple[float, float, float]) -> Streamlines:
    """The last ones moved, each by one way in mm, and put among the others."""
    moved = [one + np.float32(way) for one, way in zip(streamlines[-len(ways) :], ways, strict=True)]
    return [*streamlines[: -len(ways)][:7], *moved, *streamlines[: -len(ways)][7:]]


def measured(folder: Path, streamlines: Streamlines, max_points: int = 50_000) -> Extent:
    return measure(open_tractogram(phantoms.raw_tck(folder / "a.tck", streamlines)), max_points, silent)


def test_without_strays_all_is_framed_to_the_last_bit(tmp_path: Path) -> None:
    streamlines = [one * 3 for one in phantoms.ragged(300)]
    points = np.concatenate([one for one in streamlines if len(one) > 1])
    found = measured(tmp_path, streamlines)
    assert (found.framed_low, found.framed_high) == (found.low, found.high)
    assert (found.low, found.high) == (tuple(points.min(axis=0)), tuple(points.max(axis=0)))
    assert found.center == pytest.approx(points.mean(axis=0), abs=1e-3)


@pytest.mark.parametrize(
    ("count", "ways"),
    [
        (500, ((3000, 0, 0),)),
        (500, ((-3000, 0, 0), (3000, 0, 0))),
        (500, ((0, 0, -9000),)),
        (500, ((700, -800, 900),)),
        (20, ((200, 0, 0),)),
        (30, ((2000, 0, 0), (0, 3000, 0), (0, 0, 4000))),
        (2000, ((400, 0, 0),) * 10),
    ],
)
@pytest.mark.parametrize("max_points", [7, 1000, 50_000])
def test_a_few_far_away_are_not_framed(
    tmp_path: Path, count: int, ways: tuple[tuple[float, float, float], ...], max_points: int
) -> None:
    ordinary = measured(tmp_path, bundle(count)[: -len(ways)])
    found = measured(tmp_path, thrown(bundle(count), *ways), max_points)
    assert found.framed_low == pytest.approx(ordinary.low, abs=1.001)
    assert found.framed_high == pytest.approx(ordinary.high, abs=1.001)
    assert found.center == pytest.approx(ordinary.center, abs=0.5), "slices stay where the others are"
    assert max(np.subtract(found.high, found.low)) > 200, "the record has where they are"
    assert found == measured(tmp_path, thrown(bundle(count), *ways))


@pytest.mark.parametrize(
    ("count", "ways"),
    [
        (500, ((120, 0, 0), (0, 0, -140))),  # within a head
        (500, ((3000, 0, 0),) * 4),  # more than a few
        (8, ((3000, 0, 0),)),  # one of eight isn't a few
        (19, ((3000, 0, 0),) * 2),
    ],
)
def test_nothing_else_is_left_out_of_the_frame(
    tmp_path: Path, count: int, ways: tuple[tuple[float, float, float], ...]
) -> None:
    found = measured(tmp_path, thrown(bundle(count), *ways))
    assert (found.framed_low, found.framed_high) == (found.low, found.high)


def test_a_streamline_longer_than_a_chunk_is_one(tmp_path: Path) -> None:
    """It leads 2 m away and comes back: were its pieces counted apart, it would be more than a few."""
    way = np.interp(np.arange(5001), [0, 2500, 5000], [0, 2000, 0])
    long = np.stack([way, 0 * way, 0 * way], axis=1).astype(np.float32)
    whole, cut = (measured(tmp_path, [*bundle(99), long], most) for most in (50_000, 100))
    assert whole == cut
    assert whole.framed_high[0] < 20


def test_a_bundle_far_away_is_framed_where_it_is(tmp_path: Path) -> None:
    moved = [one + np.float32([-8800, 4000, 700]) for one in bundle(300)]
    found = measured(tmp_path, moved)
    assert (found.framed_low, found.framed_high) == (found.low, found.high)
    assert found.center == pytest.approx(np.concatenate(moved).mean(axis=0, dtype=float), abs=0.01)


def test_pictures_are_those_of_the_others(tmp_path: Path) -> None:
    strays = thrown(bundle(500), (3000, 0, 0))
    extent = measured(tmp_path, strays)
    frame = Frame(extent.framed_low, extent.framed_high)
    tally = StreamlineCounts()
    found = drawn(phantoms.raw_tck(tmp_path / "a.tck", strays), frame, tally=tally)
    others = drawn(phantoms.raw_tck(tmp_path / "b.tck", bundle(500)[:-1]), frame)
    for name in SIX:
        np.testing.assert_array_equal(found[name], others[name], name)
        assert found[name].any(axis=2).mean() > 0.05
    assert tally.beyond == 1
    assert tally.farthest == pytest.approx(extent.high[0] - frame.center[0] - frame.width / 2, abs=0.01)


@pytest.mark.parametrize("max_points", [7, 333, 50_000])
@pytest.mark.parametrize("passes", [(3,), (1, 2)])
def test_who_reaches_out_of_the_picture_is_counted_once(
    tmp_path: Path, max_points: int, passes: tuple[int, ...]
) -> None:
    way = np.linspace(0, 500, 2000)
    long = np.stack([way, 0 * way, 0 * way], axis=1).astype(np.float32)
    streamlines = [*bundle(40), long, *(one + np.float32([0, 0, 90]) for one in bundle(3)), long[::-1]]
    path, tally = phantoms.raw_tck(tmp_path / "a.tck", streamlines), StreamlineCounts()
    frame = Frame((-50, -50, -50), (50, 50, 50))
    drawn(path, frame, views=SIX[:3], passes=passes, max_points=max_points, tally=tally)
    assert tally.beyond == 5
    assert tally.farthest == pytest.approx(500 - frame.width / 2, abs=0.01)


def test_pieces_count_them_as_one_worker_does(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.trk", thrown(bundle(300), (0, 400, 0), (-600, 0, 0)))
    frame = Frame((-20, -60, -20), (20, 60, 60))
    scene = Scene(
        [ColoredTractogram(open_tractogram(path), Coloring())], frame, PictureOptions(views=("left",), size=100)
    )
    making, alone, apart = RenderSettings(1000, (1,), 1), StreamlineCounts(), StreamlineCounts()
    list(draw(scene, making, alone, silent))
    paths = [tmp_path / f"{number}.zip" for number in range(3)]
    for number, at in enumerate(paths):
        with at.open("wb") as file, PieceWriter(file) as writer:
            writer.write_facts({"facts": draw_piece(scene, making, Piece(number, 3), silent, writer)})
    list(draw(scene, making, apart, silent, paths))
    assert alone == apart
    assert apart.beyond == read_told(paths[-1])["facts"]["tally"]["beyond"] == 2


def test_colours_of_density_are_as_fine_as_without_strays(tmp_path: Path) -> None:
    """A voxel is 2 mm long, not a share of three metres; what is outside has no value."""
    strays = thrown(bundle(500), (3000, 0, 0))
    extent = measure(open_tractogram(phantoms.raw_tck(tmp_path / "a.tck", strays)), 1000, silent, Coloring("density"))
    others = measure(
        open_tractogram(phantoms.raw_tck(tmp_path / "b.tck", bundle(500)[:-1])), 1000, silent, Coloring("density")
    )
    assert extent.values == pytest.approx(others.values, rel=0.05)
    assert extent.without == 30
    assert others.without == 0


def test_a_streamline_between_a_bundle_and_far_away_is_drawn_where_it_is_seen(tmp_path: Path) -> None:
    long = np.linspace([0, 0, 0], [0, 3000, 0], 300, dtype=np.float32)
    extent = measured(tmp_path, [*bundle(200), long])
    frame = Frame(extent.framed_low, extent.framed_high)
    with_it, without = (
        rest(phantoms.raw_tck(tmp_path / "c.tck", some), frame, views=("left",))
        for some in ([*bundle(200), long], bundle(200))
    )
    assert frame.high[1] < 60
    assert (with_it != without).any()


def test_positions_are_those_without_strays(tmp_path: Path) -> None:
    """The core that they are counted along is the others'."""
    cores = []
    for some in (thrown(bundle(60), (2000, 0, 0)), [*bundle(60)[:7], *bundle(60)[7:-1]]):
        path = phantoms.raw_tck(tmp_path / "a.tck", some)
        cores.append(Position(open_tractogram(path), silent).core)
    np.testing.assert_allclose(*cores, atol=1e-9)


def test_sheets_of_checks_frame_as_pictures_do() -> None:
    low, high = (np.array(corner) for corner in (frame_of(bundle(200)).low, frame_of(bundle(200)).high))
    strays = frame_of(thrown(bundle(200), (0, 3000, 0)))
    assert np.abs(low - strays.low).max() <= 1
    assert np.abs(high - strays.high).max() <= 1
