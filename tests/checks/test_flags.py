"""Rules: those that come with tractcap, those of a lab, and those that can't be understood."""

from pathlib import Path

import pytest

from tractcap.checks.flags import Rule, raised, read, sentence
from tractcap.errors import SettingsError
from tractcap.records.check_sidecar import Flag


def rules(path: Path, *lines: str) -> tuple[Rule, ...]:
    path.write_text("\n".join(lines))
    return read(path)


def rule(name: str = "a", check: str = "cci", measure: str = "Retention") -> tuple[str, ...]:
    return "[[flag]]", f'name = "{name}"', f'check = "{check}"', f'measure = "{measure}"'


def test_our_own_rules() -> None:
    found = {(one.check, one.measure): one for one in read()}
    assert found["cci", "Retention"].below == 0.2
    assert found["atlas", "Adjacency"].below == 0.2
    assert {"Streamlines", "OutsideReference"} <= {measure for check, measure in found if check == "shape"}
    assert any(check == "sides" for check, _ in found)


def test_a_flag_has_its_rule_its_value_and_its_threshold(tmp_path: Path) -> None:
    one = rules(
        tmp_path / "f.toml", "[[flag]]", 'name = "few left"', 'check = "cci"', 'measure = "Retention"', "below = 0.2"
    )
    assert raised(one, "cci", {"Retention": 0.15}) == (
        Flag(name="few left", measure="Retention", value=0.15, below=0.2),
    )
    assert sentence(raised(one, "cci", {"Retention": 0.15})[0]) == "few left: Retention is 0.15, below 0.2"
    assert raised(one, "cci", {"Retention": 0.2}) == ()
    assert raised(one, "cci", {"Retention": None}) == ()
    assert raised(one, "before", {"Retention": 0.1}) == ()


def test_a_rule_for_every_map(tmp_path: Path) -> None:
    head = ("[[flag]]", 'name = "high"', 'check = "profile"')
    every = rules(tmp_path / "f.toml", *head, 'measure = "MeanNAME"', "above = 1")
    found = raised(every, "profile", {"MeanFA": 2, "MeanMD": 0.5, "MinimumFA": 3, "Mean": 9})
    assert [flag.measure for flag in found] == ["MeanFA"]
    assert rules(tmp_path / "g.toml", *head, 'measure = "MeanFA"', "above = 1")[0].measure == "MeanFA"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("[[flag",), "can't be read as TOML"),
        (("[other]", "a = 1"), "holds 'other'"),
        ((*rule(name=""), "below = 1"), "rule 1: it needs a name"),
        ((*rule(check="nose"), "below = 1"), "no check 'nose', only shape"),
        ((*rule(measure="Nose"), "below = 1"), "no measure 'Nose', only Streamlines"),
        (rule(), "give one number, either below or above"),
        ((*rule(), "below = 1", "above = 2"), "give one number"),
        ((*rule(), "below = true"), "give one number"),
        ((*rule(), 'below = "0.2"'), "give one number"),
        ((*rule(), "below = [0.2]"), "give one number"),
        ((*rule(), "above = nan"), "give one number"),
        ((*rule(), "above = -inf"), "give one number"),
        ((*rule(), f"above = 1{400 * '0'}"), "give one number"),
        ((*rule(), f"above = 1{9000 * '0'}"), "can't be read as TOML"),
        ((*rule(), f"above = {9000 * '['}"), "can't be read as TOML"),
        (("flag = 7",), "holds 'flag': give rules"),
        (("flag = [7]",), "rule 1: it is no table"),
        (("[flag]", 'name = "a"'), "holds 'flag': give rules"),
        (("[[flag]]", "name = 7"), "rule 1: it needs a name, in quotes"),
        (("[[flag]]", 'name = "a"', 'check = ["cci"]'), "rule 1: it needs a check, in quotes"),
        ((*rule(), "below = 1", *rule(measure="NAME"), "below = 1"), "rule 2: the check cci has no measure 'NAME'"),
        ((*rule(), "under = 1"), "'under' isn't understood"),
    ],
)
def test_rules_that_can_t_be_understood(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised_:
        rules(tmp_path / "f.toml", *lines)
    assert "f.toml" in str(raised_.value)


def test_a_file_that_isn_t_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml doesn't exist: give a file of rules"):
        read(tmp_path / "gone.toml")


def test_a_mark_at_the_start_of_the_text_is_none(tmp_path: Path) -> None:
    (tmp_path / "marked.toml").write_text("\n".join((*rule(), "below = 0.5")), encoding="utf-8-sig")
    assert read(tmp_path / "marked.toml")[0].below == 0.5


@pytest.mark.parametrize(
    ("value", "low", "high", "flagged"),
    [
        (0.15, 0.1, 0.19, True),
        (0.15, 0.1, 0.2, False),
        (0.15, 0.1, 0.25, False),
        (0.25, 0.15, 0.3, False),
        (0.15, 0.15, 0.15, True),
        (0.15, None, None, False),
        (None, None, None, False),
    ],
)
@pytest.mark.parametrize("side", ["below", "above"])
def test_no_flag_by_sampling_alone(
    tmp_path: Path, side: str, value: float | None, low: float | None, high: float | None, flagged: bool
) -> None:
    """A figure of a sample is flagged where all of its interval lies beyond the threshold; in a mirror, above it."""
    if side == "above":
        value, low, high = (None if one is None else 0.4 - one for one in (value, high, low))
    one = rules(tmp_path / "f.toml", *rule(), f"{side} = 0.2")
    found = raised(one, "cci", {"Retention": value, "RetentionLow": low, "RetentionHigh": high})
    assert [flag.value for flag in found] == [value] * flagged


def test_the_ends_of_an_interval_are_no_maps(tmp_path: Path) -> None:
    """A rule for every map's mean isn't one for its ends, unless a map's name ends so; but they can be named."""
    head = ("[[flag]]", 'name = "high"', 'check = "profile"')
    measures = {"MeanFA": 2, "MeanFALow": 1.5, "MeanFAHigh": 2.5, "MeanT1High": 3}
    every = rules(tmp_path / "f.toml", *head, 'measure = "MeanNAME"', "above = 1")
    assert [flag.measure for flag in raised(every, "profile", measures)] == ["MeanFA", "MeanT1High"]
    ends = rules(tmp_path / "g.toml", *head, 'measure = "MeanNAMEHigh"', "above = 1")
    assert [flag.measure for flag in raised(ends, "profile", measures)] == ["MeanFAHigh", "MeanT1High"]
