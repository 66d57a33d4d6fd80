"""Profiles as one table with pyAFQ's columns."""

import csv
import logging
from pathlib import Path

import pytest
from checked import tell
from outputs import Output

from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import picture_sets

HEAD = "map\tnode\tmean\tstandard_deviation\tat_least\tat_most\tx_mm\ty_mm\tz_mm\n"


def add(output: Output, bundle: str, table: str) -> Path:
    """A bundle whose profiles are in a table."""
    output.add(bundle, "01")
    stem = next(one.stem for one in picture_sets(output.root) if one.record.bundle.key == bundle)
    name = f"{stem}_check-profile_profiles.tsv"
    record = tell(output, stem, "profile", Tables=[{"File": name, "Title": "Profiles"}])
    path = record.with_name(name)
    path.write_text(table)
    return path


def rows(output: Output) -> list[dict[str, str]]:
    write_participant_page(output.root, "01")
    with (output.root / "sub-01/figures/sub-01_desc-profiles_tractography.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_bundle_and_node_a_column_for_each_map(output: Output) -> None:
    add(output, "ForcepsMajor", HEAD + "FA\t1\t0.4\t0.1\t0.3\t0.5\t0\t0\t0\nFA\t2\tn/a\tn/a\tn/a\tn/a\t0\t0\t0\n")
    add(output, "UncinateFasciculus_L", HEAD + "FA\t1\t0.5\t0\t0\t0\t0\t0\t0\nMD\t1\t0.0007\t0\t0\t0\t0\t0\t0\n")
    found = rows(output)
    assert list(found[0]) == ["subjectID", "sessionID", "tractID", "tractogram", "nodeID", "FA", "MD"]
    assert [(row["subjectID"], row["tractID"], row["nodeID"], row["FA"], row["MD"]) for row in found] == [
        ("01", "ForcepsMajor", "0", "0.4", ""),
        ("01", "ForcepsMajor", "1", "", ""),
        ("01", "UncinateFasciculus_L", "0", "0.5", "0.0007"),
    ]


@pytest.mark.parametrize("table", [None, "nothing\n1\n", HEAD + "FA\tx\t1\t\t\t\t\t\t\n", HEAD + "FA\n"])
def test_a_table_that_cannot_be_read_is_said(
    output: Output, caplog: pytest.LogCaptureFixture, table: str | None
) -> None:
    path = add(output, "ForcepsMajor", table or "")
    add(output, "UncinateFasciculus_L", HEAD + "FA\t1\t0.5\t0\t0\t0\t0\t0\t0\n")
    if table is None:
        path.unlink()
    with caplog.at_level(logging.WARNING):
        assert [row["tractID"] for row in rows(output)] == ["UncinateFasciculus_L"]
    assert f"{path} can't be read" in caplog.text


def test_without_profiles_there_is_no_table(output: Output) -> None:
    output.add("ForcepsMajor", "01")
    write_participant_page(output.root, "01")
    assert not list(output.root.rglob("*.csv"))
