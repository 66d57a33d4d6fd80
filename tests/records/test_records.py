"""Records: what is read is what was written, and what isn't a record is refused in a sentence."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checked import tell
from damage import RECORDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outputs import Output

from tractcap import __version__
from tractcap.checks import checks
from tractcap.errors import RecordError
from tractcap.records import ratings_file, tractogram_sidecar
from tractcap.records.check_sidecar import CheckRecord
from tractcap.records.dataset_description import Description
from tractcap.records.sidecar_fields import DAMAGED, DRAWN, EMPTY, FAILED, MISSING, STATUSES
from tractcap.reports.group_page import write_group_page
from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.ratings import read_ratings


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "out")


@pytest.mark.parametrize("status", [DRAWN, FAILED, EMPTY])
def test_a_tractogram_s_record_is_written_as_it_was_read(output: Output, status: str) -> None:
    """Keys that this version doesn't know among it, for a later version's are not lost."""
    path = output.add("ForcepsMajor", status=status, told={"Later": {"x": [1, None]}})
    record = tractogram_sidecar.load(path)
    record.write(path)
    assert tractogram_sidecar.load(path) == record
    assert path.read_text(encoding="utf-8") == record.text()
    assert json.loads(record.text())["Later"] == {"x": [1, None]}


def test_scenes_that_are_nearly_equal_are_told_apart(output: Output) -> None:
    """Equal ones in a row are read once: 0, 0.0 and false are equal to Python, but not in a record."""
    path = output.add("ForcepsMajor")
    record = json.loads(path.read_text())
    assert tractogram_sidecar.load(path).scene is tractogram_sidecar.load(path).scene
    for green, refused in ((0, False), (False, True), (0, False), (0.0, True), (1, False)):
        record["Made"]["Look"]["background"][1] = green
        path.write_text(json.dumps(record))
        if refused:
            with pytest.raises(RecordError, match=r"“Made.Look.background\[1\]” is"):
                tractogram_sidecar.load(path)
        else:
            assert tractogram_sidecar.load(path).scene.options.background == (0, green, 0)


def test_a_check_s_record_is_written_as_it_was_read(output: Output) -> None:
    measures = dict(zip([one.key for one in checks()["cci"].measures], (0.25, None), strict=False))
    path = tell(output, output.add("ForcepsMajor").stem, "cci", Measures=measures)
    record = CheckRecord.load(path)
    record.write(path)
    assert CheckRecord.load(path) == record
    assert record.measures == measures
    assert None in measures.values()


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"Streamlines": [1]}, "“Streamlines” is a list, not a whole number"),
        ({"Streamlines": True}, "“Streamlines” is true or false, not a whole number"),
        ({"Streamlines": -1}, "“Streamlines” is below zero"),
        ({"Streamlines": 10**30}, "“Streamlines” is larger than any number that tractcap writes"),
        ({"Lengths": {"Mean": "long"}}, "“Lengths.Mean” is text, not a number"),
        ({"Lengths": {"Mean": float("nan")}}, "it holds NaN, which is no number"),
        ({"Lengths": None}, "“Lengths” is null, not an object"),
        ({"Later": {"x": json.loads(200 * "[" + 200 * "]")}}, "“Later” is nested too deeply"),
        (
            {"Extent": {"low": [0, 0, 0], "high": [1, 1, 1], "more": {"x": json.loads(900 * "[" + 900 * "]")}}},
            "“Extent.more” is nested too deeply",
        ),
        ({"Sources": []}, "“Sources” is empty"),
        ({"SourceBytes": [1, 2]}, "“SourceBytes” has 2 parts, not 1"),
        ({"Pictures": ["../a.png"]}, "“Pictures[0]” is no name of a file"),
        ({"Notes": ["\ud800"]}, "“Notes[0]” holds half a character"),
        ({"Kind": "cat"}, "“Kind” is none of bundle, overview"),
        ({"Status": "half"}, "“Status” is none of failed, damaged, empty, missing"),
        (
            {"Title": 1, "GeneratedBy": [{"Name": "tractcap", "Version": "99"}]},
            f"“Title” is a number, not text; tractcap 99 wrote it, and this is {__version__}",
        ),
    ],
)
def test_what_is_wrong_is_said(output: Output, told: dict[str, Any], sentence: str) -> None:
    path = output.add("ForcepsMajor", told=told)
    with pytest.raises(RecordError) as raised:
        tractogram_sidecar.load(path)
    assert str(raised.value) == f"{path} can't be understood: {sentence}."


@pytest.mark.parametrize("depth", [100, 900, 3000, 100_000])
def test_any_depth_is_said(output: Output, depth: int) -> None:
    """How deep a file may be before its decoder refuses it differs between versions of Python."""
    path = output.add("ForcepsMajor")
    text, count = re.subn('"Made": {', f'"Made": {{"x": {"[" * depth}{"]" * depth}, ', path.read_text())
    assert count == 1
    path.write_text(text)
    with pytest.raises(RecordError, match="nested too deeply"):
        tractogram_sidecar.load(path)


def test_what_another_program_wrote_is_foreign(output: Output) -> None:
    path = output.add("ForcepsMajor", told={"Kind": "x", "GeneratedBy": [{"Name": "fMRIPrep"}]})
    with pytest.raises(RecordError, match="tractcap didn't write it") as raised:
        tractogram_sidecar.load(path)
    assert raised.value.foreign


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def said(load: Callable[[Path], Any], path: Path) -> str:
    """The sentence that refuses a file; empty where it is taken."""
    try:
        load(path)
    except RecordError as error:
        return str(error)
    return ""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.integers(0, 60), value=JSON, data=st.binary(max_size=60))
def test_whatever_is_there_is_a_record_or_a_sentence(output: Output, key: int, value: Any, data: bytes) -> None:
    path = output.add("ForcepsMajor", pictures=False)
    at = tell(output, path.stem, "cci", Measures={"Retention": 0.25})
    for place, load in ((path, tractogram_sidecar.load), (at, CheckRecord.load), (path, Description.load)):
        told = json.loads(place.read_text(encoding="utf-8"))
        told[list(told)[key % len(told)]] = value
        for content in (json.dumps(value).encode(), data, json.dumps(told).encode()):
            place.write_bytes(content)
            sentence = said(lambda path, load=load: load(path).text(), place)
            assert not sentence or sentence.startswith(f"{place} can't be understood: ")


ROW = st.lists(
    st.sampled_from(["a.trk", "pass", "anna", "2026-01-01", "0001-01-01T00:00+23:59", "\x85"]) | st.text(max_size=9),
    max_size=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=4), tail=st.binary(max_size=9))
def test_any_file_of_ratings_is_ratings_or_a_sentence(output: Output, rows: list[list[str]], tail: bytes) -> None:
    output.add("ForcepsMajor", source="a.trk", pictures=False)
    path = output.root / "x_desc-ratings.tsv"
    lines = ["tractogram\trating\trater\trated_at", *("\t".join(row) for row in rows)]
    path.write_bytes("\n".join(lines).encode(errors="surrogatepass") + tail)
    sentence = said(lambda path: ratings_file.load(path, path.name), path)
    assert not sentence or sentence.startswith(f"{path} can't be understood: ")
    merged = read_ratings(output.root, {"a.trk"})
    assert (merged.files, bool(merged.problems)) == (0, True) if sentence else merged.files == 1


@pytest.mark.parametrize("name", RECORDS)
def test_every_damage_is_a_sentence(output: Output, name: str) -> None:
    path = output.add("ForcepsMajor")
    RECORDS[name](path)
    with pytest.raises(RecordError, match=r"^.* can't be understood: .*\w\)?\.$"):
        tractogram_sidecar.load(path)


@pytest.mark.parametrize("status", [DRAWN, FAILED, DAMAGED, EMPTY, MISSING, "unreadable"])
def test_what_became_of_a_tractogram_is_one_word_everywhere(output: Output, status: str) -> None:
    path = output.add("ForcepsMajor", status="drawn" if status == DRAWN else "failed", why="It is so.")
    path.write_text(path.read_text(encoding="utf-8").replace('"failed"', f'"{status}"'), encoding="utf-8")
    assert write_participant_page(output.root, "01")
    write_group_page(output.root)
    text = (output.root / "sub-01.html").read_text(encoding="utf-8")
    assert f'<article class="card {status}"' in text
    assert f"<b>1</b> {status}</li>" in text
    assert f"<b>{status.capitalize()}.</b>" in text or status == DRAWN
    table = (output.root / "group_tractograms.tsv").read_text(encoding="utf-8").splitlines()
    assert dict(zip(*(line.split("\t") for line in table), strict=True))["status"] == status
    meaning = json.loads((output.root / "group_tractograms.json").read_text(encoding="utf-8"))
    assert meaning["status"]["Levels"] == STATUSES
    everyone = (output.root / "group.html").read_text(encoding="utf-8")
    assert f"<b>1</b> {status}</button>" in everyone
    assert f"<b>{status}</b>: {STATUSES[status]}".replace("'", "&#39;") in everyone
