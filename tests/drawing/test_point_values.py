"""What a file holds beside its points becomes colours, with a range that doesn't depend on how it was read."""

from pathlib import Path

import numpy as np
import phantoms
import pytest

from tractcap.drawing.colors import NO_VALUE, ColorScale
from tractcap.drawing.extent import measure
from tractcap.errors import InputError
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import Coloring


def bundle_with_data(path: Path) -> Path:
    lines = phantoms.ragged(400)
    random = np.random.default_rng(0)
    return phantoms.save(
        path,
        lines,
        data_per_point={"fa": [random.uniform(0, 1, (len(line), 1)).astype("f4") for line in lines]},
        data_per_streamline={"weight": np.arange(400, dtype="f4")[:, None]},
    )


def test_colors_are_viridis_and_beyond_the_ends_those_of_the_ends() -> None:
    found = ColorScale("fa", 0, 1).colors(np.array([-5, 0, 0.5, 1, 9, np.nan, np.inf], np.float32))
    assert found[:2].tolist() == [[68, 1, 84]] * 2
    assert found[2].tolist() == [35, 145, 142] or np.abs(found[2] - [33, 145, 140]).max() <= 3, "viridis(0.5)"
    assert found[3:5].tolist() == [[253, 231, 36]] * 2
    assert found[5].tolist() == list(NO_VALUE)
    assert found[6].tolist() == [253, 231, 36]


def test_lightness_rises_evenly() -> None:
    found = ColorScale("fa", 0, 1).colors(np.linspace(0, 1, 50, dtype=np.float32)).astype(float)
    luma = found @ [0.299, 0.587, 0.114]
    assert (np.diff(luma) > 0).all()


@pytest.mark.parametrize("name", ["fa", "weight"])
def test_the_range_is_robust_and_the_same_whatever_the_chunks(tmp_path: Path, name: str) -> None:
    file = open_tractogram(bundle_with_data(tmp_path / "a.trk"))
    found = [measure(file, size, lambda points: None, Coloring("data", name)).values for size in (7, 100, 50_000)]
    assert found[0] == found[1] == found[2]
    counts = {measure(file, size, lambda points: None).tally.points for size in (7, 100, 50_000)}
    assert counts == {sum(map(len, phantoms.ragged(400)))}
    low, high = found[0] or (0, 0)
    expected = (0.02, 0.98) if name == "fa" else (8, 392)
    assert (low, high) == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize("ending", ["trk", "trk.gz"])
@pytest.mark.parametrize("size", [7, 1000, 50_000])
def test_the_range_is_exact_whatever_the_packing(tmp_path: Path, ending: str, size: int) -> None:
    lines = phantoms.ragged(3000)
    values = [
        np.random.default_rng(number).beta(2, 5, (len(line), 1)).astype("f4") for number, line in enumerate(lines)
    ]
    file = open_tractogram(phantoms.save(tmp_path / f"a.{ending}", lines, data_per_point={"fa": values}))
    extent = measure(file, size, lambda points: None, Coloring("data", "fa"))
    drawn = np.concatenate([one for one, line in zip(values, lines, strict=True) if len(line) > 1])
    assert extent.values == pytest.approx(tuple(np.percentile(drawn.astype(float), (2, 98))), rel=1e-12)
    assert extent.sampled == extent.valued == len(drawn)


@pytest.mark.parametrize("points", [63, 64, 100])
def test_a_sample_stands_for_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: int) -> None:
    """Values that repeat in each streamline: a sample at equal distances may have the same ones again and again."""
    monkeypatch.setattr("tractcap.drawing.point_values._SAMPLE", 500)
    lines = [line.astype("f4") for line in np.random.default_rng(0).normal(0, 9, (500, points, 3))]
    values = [np.arange(points, dtype="f4")[:, None]] * 500
    for ending in ("trk", "trk.gz"):
        file = open_tractogram(phantoms.save(tmp_path / f"a.{ending}", lines, data_per_point={"place": values}))
        found = [measure(file, size, lambda points: None, Coloring("data", "place")) for size in (7, 50_000)]
        assert found[0].values == found[1].values == pytest.approx((0.02 * points, 0.98 * points), abs=0.02 * points)
        assert 500 < found[0].sampled == found[1].sampled <= 1000
        assert found[0].valued == 500 * points


def test_data_of_trx(tmp_path: Path) -> None:
    file = open_tractogram(phantoms.save(tmp_path / "a.trx", phantoms.ragged(50)))
    assert measure(file, 1000, lambda points: None, Coloring("data", "number")).values == pytest.approx((1, 48), abs=2)


def test_data_that_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    file = open_tractogram(bundle_with_data(tmp_path / "a.trk"))
    with pytest.raises(InputError, match=r"no data 'md' to colour by: it has fa, weight\."):
        measure(file, 100, lambda points: None, Coloring("data", "md"))
    bare = open_tractogram(phantoms.save(tmp_path / "b.tck", phantoms.ragged(5)))
    with pytest.raises(InputError, match="it has none"):
        measure(bare, 100, lambda points: None, Coloring("data", "md"))


def test_values_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    lines = phantoms.ragged(10)
    data = [np.full((len(line), 1), np.nan if n < 2 else 5.0, "f4") for n, line in enumerate(lines)]
    file = open_tractogram(phantoms.save(tmp_path / "a.trk", lines, data_per_point={"fa": data}))
    extent = measure(file, 1000, lambda points: None, Coloring("data", "fa"))
    assert extent.without == sum(map(len, lines[:2]))
    assert extent.values == (5, 5)
