"""Checks on a participant's page and in the group's tables, as their JSON files tell of them."""

import json
from pathlib import Path

import pytest
from checked import FLAG, tell
from markupsafe import escape
from outputs import Output

from tractcap.checks import checks
from tractcap.records.check_sidecar import CheckRecord
from tractcap.reports.check_results import CheckResult, read_checks
from tractcap.reports.group_page import write_group_page
from tractcap.reports.methods import methods_text
from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import CheckFiles, picture_sets


@pytest.fixture
def output(tmp_path: Path) -> Output:
    found = Output(tmp_path / "out")
    found.add("ArcuateFasciculus_L", "01")
    found.add("ArcuateFasciculus_R", "01")
    return found


@pytest.fixture
def stem(output: Output) -> str:
    return next(one.stem for one in picture_sets(output.root) if one.record.bundle.key == "ArcuateFasciculus_L")


def check_files(output: Output) -> CheckFiles:
    return next(one.check_files for one in picture_sets(output.root) if one.record.bundle.key == "ArcuateFasciculus_L")


def test_a_check_is_no_tractogram_and_nothing_left_out(output: Output, stem: str) -> None:
    tell(output, stem, "cci", Measures={"Retention": 0.15})
    left_out: list[str] = []
    assert len(list(picture_sets(output.root, left_out=left_out))) == 2
    assert left_out == []


def test_the_page_shows_flags_measures_figures_notes_and_the_source(output: Output, stem: str) -> None:
    figure, table = ({"File": f"{stem}_check-cci_a.{ending}", "Title": f"The {ending}"} for ending in ("png", "tsv"))
    tell(
        output, stem, "cci", Measures={"Retention": 0.15, "CCIMean": None, "Sampled": 12345}, Flags=[FLAG],
        Figures=[figure], Tables=[table], Notes=["12,345 of 100,000 streamlines"],
    )  # fmt: skip
    told = write_participant_page(output.root, "01").read_text()
    assert "Few streamlines support each other: retention 0.15, below 0.2." in told
    assert "<b>1</b> flagged" in told
    assert f'href="sub-01/figures/{stem}_check-cci_a.png"' in told
    assert f'href="sub-01/figures/{stem}_check-cci_a.tsv"' in told
    for value in ("0.15", "n/a", "12,345"):
        assert f"<td>{value}</td>" in told.replace(" 1/mm", "")
    assert "12,345 of 100,000 streamlines." in told
    assert str(escape(checks()["cci"].source)) in told


def test_the_page_shows_the_interval_of_what_a_sample_tells(output: Output, stem: str) -> None:
    """In one row with the figure; where all streamlines were looked at there is none, and the table has all three."""
    sampled = {"Retention": 0.85, "RetentionLow": 0.8306, "RetentionHigh": 0.8672}
    tell(output, stem, "cci", Measures={**sampled, "CCIMean": 2.5, "CCIMeanLow": 2.5, "CCIMeanHigh": 2.5})
    told = write_participant_page(output.root, "01").read_text(encoding="utf-8")
    assert "<td>0.85 (0.8306 to 0.8672)</td>" in told
    assert "<td>2.5 1/mm</td>" in told
    assert "RetentionLow" not in told
    assert "Retention, at least" not in told
    write_group_page(output.root)
    assert "cci_RetentionLow" in (output.root / "group_checks.tsv").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", ["failed", "missing", "skipped"])
def test_what_was_not_made_says_why(output: Output, stem: str, status: str) -> None:
    tell(output, stem, "cci", status, why="something <lacks>")
    told = write_participant_page(output.root, "01").read_text()
    assert f'class="chip {status}">{status}<' in told
    assert "Something &lt;lacks&gt;." in told
    assert f"Checks: 1 {status}" in told


def test_a_file_that_isn_t_whole_is_unreadable_and_named(output: Output, stem: str) -> None:
    at = tell(output, stem, "cci")
    at.write_text(at.read_text()[:-20])
    assert (
        f"{stem}_check-cci.json can&#39;t be understood: it is no whole JSON"
        in write_participant_page(output.root, "01").read_text()
    )
    assert [one.record.status for one in read_checks(output.root, check_files(output))] == ["unreadable"]


def test_a_check_of_another_state_of_the_file_is_not_shown_as_this_ones(output: Output, stem: str) -> None:
    at = tell(output, stem, "cci", Measures={"Retention": 0.15}, Flags=[FLAG])
    at.write_text(json.dumps(json.loads(at.read_text()) | {"SourceModified": [7]}))
    told = write_participant_page(output.root, "01").read_text()
    assert 'class="chip missing">missing<' in told
    assert "The tractogram has changed since it was made: run the checks again." in told
    assert FLAG["Name"] not in told.lower()
    write_group_page(output.root)
    assert FLAG["Name"] not in (output.root / "group_tractograms.tsv").read_text()


def test_flags_are_in_the_groups_table_and_page(output: Output, stem: str) -> None:
    tell(output, stem, "cci", Measures={"Retention": 0.15}, Flags=[FLAG])
    tell(output, stem, "profile", Measures={"MeanFA": 0.5})
    names = [path.name for path in write_group_page(output.root)]
    assert names[3:5] == ["group_checks.tsv", "group_checks.json"]
    rows = [line.split("\t") for line in (output.root / "group_tractograms.tsv").read_text().splitlines()]
    at = rows[0].index("flags")
    assert [row[at] for row in rows[1:]] == [FLAG["Name"], "n/a"]
    table = [line.split("\t") for line in (output.root / "group_checks.tsv").read_text().splitlines()]
    assert len(table) == 2
    assert dict(zip(*table, strict=True))["profile_MeanFA"] == "0.5"
    assert 'value=":few streamlines support each other"' in (output.root / "group.html").read_text()


def test_without_checks_there_are_no_tables_of_them(output: Output) -> None:
    assert not any("checks" in path.name for path in write_group_page(output.root))


def test_units_and_names_of_a_maps_measures(output: Output, stem: str) -> None:
    tell(output, stem, "profile", Measures={"MeanFA": 0.4321, "LackingFA": 0})
    (one,) = read_checks(output.root, check_files(output))
    assert [(name, value) for name, value, _ in one.measures] == [("Mean FA", "0.4321"), ("Without FA", "0")]


def test_the_methods_text_names_what_was_made(output: Output, stem: str) -> None:
    records = [one.record for one in picture_sets(output.root)]
    tell(output, stem, "cci", Measures={"Sampled": 2000, "Streamlines": 3000})
    tell(output, stem, "shape", Measures={"Sampled": 30, "Streamlines": 31, "SinglePoint": 1})
    tell(output, stem, "atlas", "missing", why="none")
    text = methods_text(records, [one.record for one in read_checks(output.root, check_files(output))]).plain
    assert "A check was made, of a random sample of streamlines: Cluster confidence (Jordan" in text
    assert "A check was made: Lengths and shape (Curvature" in text
    assert "atlas" not in text


def test_values_as_people_read_them(output: Output, stem: str) -> None:
    told = json.loads(tell(output, stem, "shape").read_text())
    for value, text in ((1234567.0, "1,234,567 mm³"), (0.000123456, "0.0001235 mm³"), (None, "n/a"), (3, "3 mm³")):
        about = {"A": {"Name": "A", "Unit": "mm^3", "What": ""}}
        (one,) = CheckResult(CheckRecord.parse({**told, "Measures": {"A": value}, "About": about}), "").measures
        assert one[1] == text
