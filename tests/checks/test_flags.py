"""Rules: those that come with tractcap, those of a lab, and those that can't be understood."""

from pathlib import Path

import pytest

from tractcap.checks.kit.flags import Rule, raised, read, sentence
from tractcap.errors import SettingsError


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
    assert raised(one, "cci", {"Retention": 0.15}) == [
        {"Name": "few left", "Measure": "Retention", "Value": 0.15, "Below": 0.2}
    ]
    assert sentence(raised(one, "cci", {"Retention": 0.15})[0]) == "few left: Retention is 0.15, below 0.2"
    assert raised(one, "cci", {"Retention": 0.2}) == []
    assert raised(one, "cci", {"Retention": None}) == []
    assert raised(one, "before", {"Retention": 0.1}) == []


def test_a_rule_for_every_map(tmp_path: Path) -> None:
    head = ("[[flag]]", 'name = "high"', 'check = "profile"')
    every = rules(tmp_path / "f.toml", *head, 'measure = "MeanNAME"', "above = 1")
    found = raised(every, "profile", {"MeanFA": 2, "MeanMD": 0.5, "MinimumFA": 3, "Mean": 9})
    assert [flag["Measure"] for flag in found] == ["MeanFA"]
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
        ((*rule(), "under = 1"), "'under' isn't understood"),
    ],
)
def test_rules_that_can_t_be_understood(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised_:
        rules(tmp_path / "f.toml", *lines)
    assert "f.toml" in str(raised_.value)


def test_a_file_that_isn_t_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml can't be read as TOML: No such file"):
        read(tmp_path / "gone.toml")
