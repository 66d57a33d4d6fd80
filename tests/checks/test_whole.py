"""A figure of a sample is the whole bundle's, within the error that it states; or it isn't given.

The whole bundles' are in tables, each beside the script that made it: dipy's own of cluster confidence.
"""

import json
from pathlib import Path
from typing import Any

import checking
import cluster_confidence
import phantoms
import pytest
import whole_bundles

from tractcap.checks import checks, flags
from tractcap.checks.cci import confidence
from tractcap.checks.common import estimate, sample
from tractcap.checks.common.check_definition import interval
from tractcap.inputs.tractograms.in_memory import InMemoryTractogram

MOST = 800
"""Streamlines of samples here: fewer than a run takes, so that their error is larger, and the tests are quicker."""

COUNTED = {"Sampled"}
"""What tells of the sample and not of the whole."""

NOT_OF_SAMPLES = {"Similarity"}


def agree(found: dict[str, Any], known: dict[str, Any]) -> list[float]:
    """How far each measure is off, as a part of its stated error; one without any must be the whole's."""
    off = []
    for key, value in known.items():
        low, high = interval(found, key)
        if low == high == value:
            continue
        assert low is not None, key
        assert low < high, f"{key} is {found[key]} without an error, and {value} of the whole"
        reach = high - found[key] if value > found[key] else found[key] - low
        off.append(abs(value - found[key]) / reach)
    return off


@pytest.mark.parametrize("count", whole_bundles.COUNTS)
def test_every_measure_of_every_check(tmp_path: Path, count: int) -> None:
    """One in a hundred may lie outside of its interval, if only just."""
    known = json.loads(whole_bundles.TABLE.read_text(encoding="utf-8"))[str(count)]
    found = whole_bundles.measured(tmp_path, count, MOST)
    assert set(found) | {"cci"} == set(checks())
    off = []
    for name, measures in found.items():
        ends = {f"{key}{end}" for key in measures for end in ("Low", "High")}
        assert set(measures) - ends - COUNTED - NOT_OF_SAMPLES == set(known[name])
        assert all(measures.get(key) is None for key in NOT_OF_SAMPLES)
        off += agree(measures, known[name])
    assert len(off) == 11
    assert max(off) < 1.3
    assert sum(one > 1 for one in off) <= 1


@pytest.mark.parametrize("known", cluster_confidence.known(), ids=lambda one: f"{one['bundle']}-{one['count']:.0f}")
def test_cluster_confidence_is_dipys_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, Any]
) -> None:
    """Also where half of them lie near the threshold: the index of each is exact, whichever are looked at."""
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", MOST)
    count = int(known["count"])
    path = phantoms.save(tmp_path / "a.tck", cluster_confidence.bundle(count, known["width_mm"]))
    found, _ = checking.make("cci", tmp_path / "out", path)
    told = found.measures
    assert (told["Streamlines"], told["Sampled"], told["TooShort"]) == (count, MOST, 0)
    keys = {"Retention": "retention", "CCIMean": "mean", "CCIMedian": "median"}
    assert max(agree(told, {key: known[column] for key, column in keys.items()})) < 1
    assert told["RetentionHigh"] - told["RetentionLow"] < 0.1
    assert flags.raised(flags.read(), "cci", told) == ()


def test_fewer_are_compared_with_very_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that time grows with the number of streamlines at most; and each measure says so by its error."""
    monkeypatch.setattr("tractcap.checks.common.pairwise_distances.MOST", 1_000_000)
    known = next(one for one in cluster_confidence.known() if one["count"] == 2_000)
    path = phantoms.save(tmp_path / "a.tck", cluster_confidence.bundle(2_000, float(known["width_mm"])))
    found, _ = checking.make("cci", tmp_path / "out", path)
    assert found.measures["Sampled"] == 500
    assert max(agree(found.measures, {"Retention": known["retention"], "CCIMean": known["mean"]})) < 1
    assert any("500 of 2,000 streamlines" in note for note in found.notes)
    monkeypatch.setattr("tractcap.checks.common.pairwise_distances.MOST", 10)
    assert checking.make("cci", tmp_path / "out", path)[0].measures["Sampled"] == 200


@pytest.mark.parametrize("name", cluster_confidence.WIDTHS)
def test_intervals_hold_in_99_of_100_samples_whatever_the_seed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One seed may happen to take an odd sample: here are two hundred of them, each of 300 of 2,000 streamlines."""
    known = next(one for one in cluster_confidence.known() if (one["bundle"], one["count"]) == (name, 2_000))
    streamlines = cluster_confidence.bundle(2_000, float(known["width_mm"]))
    held = InMemoryTractogram("all", streamlines)
    index = confidence(streamlines, held, checking.silent)
    assert (index >= 1).mean() == known["retention"]
    held_by: dict[str, list[bool]] = {"retention": [], "mean": [], "median": []}
    monkeypatch.setattr("tractcap.checks.common.sample.MOST_STREAMLINES", 300)
    for seed in range(200):
        monkeypatch.setattr("tractcap.checks.common.sample.SEED", seed)
        taken = sample.take(held, checking.silent)
        values = index[taken.numbers]
        found = {
            "retention": estimate.share(float((values >= 1).mean()), 300, taken.fraction),
            "mean": estimate.mean(values, taken.fraction),
            "median": estimate.median(values, taken.fraction),
        }
        for key, one in found.items():
            held_by[key].append(one.low - 1e-6 <= known[key] <= one.high + 1e-6)
    assert {key for key, several in held_by.items() if sum(several) < 194} == set()
