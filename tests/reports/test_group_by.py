"""Outliers within groups of participants, such as sites."""

import csv
import json

import pytest
from outputs import Output

from tractcap.errors import SettingsError
from tractcap.reports.group_page import write_group_page
from tractcap.reports.participants_table import find_participants, read_groups


@pytest.fixture
def two_sites(output: Output) -> Output:
    """At one site streamlines are some 100, at the other some 1000; one of each is as at the other."""
    lines = ["participant_id\tage\tsite\tscanner"]
    for at in range(24):
        site, usual = ("west", 100) if at % 2 else ("east", 1000)
        count = {6: 100, 7: 1000}.get(at, usual + at)
        output.add("ForcepsMajor", f"{at:02d}", told={"Streamlines": count})
        lines.append(f"sub-{at:02d}\t30\t{site}\tx")
    (output.root / "participants.tsv").write_text("\n".join([*lines[:-1], ""]))
    return output


def rows(output: Output) -> list[dict[str, str]]:
    return list(csv.DictReader((output.root / "group_tractograms.tsv").read_text().splitlines(), delimiter="\t"))


def marked(output: Output) -> list[str]:
    return [row["participant_id"] for row in rows(output) if "streamlines" in row["outlier"].split(",")]


def test_values_are_compared_within_a_site(two_sites: Output) -> None:
    write_group_page(two_sites.root)
    assert marked(two_sites) == []
    assert "group" not in rows(two_sites)[0]
    write_group_page(two_sites.root, group_by=["site"])
    assert marked(two_sites) == ["sub-06", "sub-07"]
    assert [row["group"] for row in rows(two_sites)[:2]] == ["east", "west"]
    assert rows(two_sites)[-1]["group"] == "n/a", "the table doesn't name the last one"
    told = json.loads((two_sites.root / "group_tractograms.json").read_text())["group"]
    assert told["LongName"] == "site"
    assert list(json.loads((two_sites.root / "group_tractograms.json").read_text()))[5] == "group"
    page = (two_sites.root / "group.html").read_text()
    assert "Values are compared within site." in page


def test_groups_may_be_of_several_columns(two_sites: Output) -> None:
    write_group_page(two_sites.root, group_by=["site", "scanner"])
    assert marked(two_sites) == ["sub-06", "sub-07"]
    assert rows(two_sites)[0]["group"] == "east, x"


def test_a_column_that_is_not_there_is_told_with_those_that_are(two_sites: Output) -> None:
    with pytest.raises(SettingsError, match=r"has no column place \(--group-by\); it has age, site, scanner\."):
        read_groups(two_sites.root / "participants.tsv", ["place"])


def test_the_table_is_found_in_the_dataset_or_around_its_derivatives(tmp_path) -> None:
    derivative = tmp_path / "derivatives/qsirecon"
    derivative.mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"--group-by needs participants\.tsv, which is in none of"):
        find_participants([derivative])
    (tmp_path / "participants.tsv").write_text("participant_id\n")
    assert find_participants([derivative]) == tmp_path / "participants.tsv"
    (derivative / "participants.tsv").write_text("participant_id\n")
    assert find_participants([derivative]) == derivative / "participants.tsv"
