"""Ratings exchanged with Nipoppy's QC-Studio, and what is written of bundles that failed."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from outputs import Output

from tractcap.inputs.filenames import entities, split_name
from tractcap.inputs.filters import TRACTOGRAM, Filters, read
from tractcap.reports.group_page import write_group_page

HEADER = "\t".join(
    [
        *("qc_task", "participant_id", "session_id", "task_id", "run_id", "pipeline", "timestamp", "rater_id"),
        *("rater_experience", "rater_fatigue", "final_qc", "notes"),
    ]
)
LEFT, RIGHT = "bundle-ArcuateFasciculus_L", "bundle-ArcuateFasciculus_R"


@pytest.fixture
def study(output: Output) -> Output:
    """Two participants in a session each, and one without."""
    for participant, session in (("01", "1"), ("02", "1"), ("03", "")):
        for key in ("ArcuateFasciculus_L", "ArcuateFasciculus_R", "ForcepsMajor"):
            output.add(key, participant, session)
    return output


def status(output: Output, name: str, *lines: str, header: str = HEADER) -> Path:
    path = output.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def line(task: str, participant: str, session: str, given: str, notes: str = "", rater: str = "Zoe") -> str:
    return f"{task}\t{participant}\t{session}\t\t\ttractcap\t2026-03-01 10:00:00\t{rater}\t\t\t{given}\t{notes}"


def group(output: Output) -> dict[tuple[str, str], dict[str, str]]:
    write_group_page(output.root)
    with (output.root / "group_tractograms.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(row["participant_id"], row["bundle"]): row for row in rows}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def problems(output: Output) -> str:
    found = re.search(r'class="problems".*?</details>', (output.root / "group.html").read_text(), re.S)
    return found[0] if found else ""


def test_ratings_of_qc_studio_are_read(study: Output) -> None:
    """With zeros before labels lost, sessions as numbers, quotes around notes, and rows of other pipelines."""
    status(
        study,
        "Zoe_QC_status.tsv",
        line(LEFT, "1", "1.0", "FAIL", '"[too_few] a ""thin""\tone"'),
        line(RIGHT, "sub-02", "ses-1", "uncertain"),
        line("bundle-ForcepsMajor", "03", "", "PASS", "nan"),
        line("bundle-ForcepsMajor", "02", "1", ""),
        line("anat_wf_qc", "02", "1", "PASS"),
    )
    rows = group(study)
    assert {key: (row["rating"], row["reasons"]) for key, row in rows.items() if row["rating"] != "n/a"} == {
        ("sub-01", "ArcuateFasciculus_L"): ("fail", "too_few"),
        ("sub-02", "ArcuateFasciculus_R"): ("unsure", "n/a"),
        ("sub-03", "ForcepsMajor"): ("pass", "n/a"),
    }
    said = problems(study)
    assert "Zoe_QC_status.tsv: 1 lines have no final_qc" in said
    assert "Zoe_QC_status.tsv: 1 lines are of tasks, participants or sessions that aren&#39;t here" in said
    assert "<q>" not in said


def test_a_lab_s_own_names_of_tasks_are_understood(study: Output) -> None:
    """By the pictures that its qc.json gives them, wherever the dataset begins, and as QC-Studio called them before."""
    place = "derivatives/tractcap/[[NIPOPPY_BIDS_PARTICIPANT_ID]]/[[NIPOPPY_BIDS_SESSION_ID]]/figures/"
    name = "[[NIPOPPY_BIDS_PARTICIPANT_ID]]_[[NIPOPPY_BIDS_SESSION_ID]]_bundle-ArcuateFasciculus"
    tasks = {
        "af_qc": {"montage_path": [f"{place}{name}_L_mosaic.png", f"{place}{name}_L_view-left.png"]},
        "old_qc": {"svg_montage_path": f"{place}{name}_R_mosaic.png"},
        "other_qc": {"iqm_path": None},
    }
    (study.root / "lab").mkdir()
    (study.root / "lab/qc.json").write_text(json.dumps(tasks))
    (study.root / "broken").mkdir()
    (study.root / "broken/qc.json").write_text('{"a": 1}')
    status(study, "x_QC_status.tsv", *(line(task, "01", "1", "FAIL") for task in ("af_qc", "old_qc", "other_qc")))
    rows = group(study)
    assert [key for key, row in rows.items() if row["rating"] == "fail"] == [
        ("sub-01", "ArcuateFasciculus_L"),
        ("sub-01", "ArcuateFasciculus_R"),
    ]
    assert "x_QC_status.tsv: 1 lines are of tasks" in problems(study)
    assert "broken/qc.json says nothing of tasks that can be read" in problems(study)


@pytest.mark.parametrize("text", ["", "a\tb\n", "\x00", '"'])
def test_what_is_no_file_of_qc_studio_is_told_of(study: Output, text: str) -> None:
    (study.root / "x_QC_status.tsv").write_text(text)
    group(study)
    assert "x_QC_status.tsv holds no ratings that can be read" in problems(study)


def test_what_is_written_names_pictures_that_are_there(study: Output) -> None:
    """Each bundle is a task, and its paths lead to each participant's picture."""
    group(study)
    tasks = json.loads((study.root / "qc_studio/qc.json").read_text())
    assert sorted(tasks) == [LEFT, RIGHT, "bundle-ForcepsMajor"]
    assert tasks[LEFT]["display_name"] == "Arcuate fasciculus, left"
    for participant, session in (("sub-01", "ses-1"), ("sub-02", "ses-1"), ("sub-03", None)):
        for task in tasks.values():
            paths = [
                path.replace("[[NIPOPPY_BIDS_PARTICIPANT_ID]]", participant).replace(
                    "[[NIPOPPY_BIDS_SESSION_ID]]", session or "ses-01"
                )
                for path in task["montage_path"]
            ]
            assert [(study.root / path).is_file() for path in paths].count(True) == 1


def test_ratings_are_written_for_qc_studio_and_read_again(study: Output) -> None:
    name = "sub-01/ses-1/dwi/sub-01_ses-1_bundle-ArcuateFasciculus_{}_tractogram.trk"
    header = "tractogram\trating\trater\treasons\tnote\trated_at\ttractogram_size"
    lines = [
        f'{name.format("L")}\tfail\tAnna B\ttoo_few,odd\tso "thin"\t2026-03-01T10:00:00Z\tn/a',
        f"{name.format('R')}\tpass\tAnna B\tn/a\tn/a\tn/a\tn/a",
        f"{name.format('L')}\tpass\t李\tn/a\tn/a\tn/a\t99",  # of another state of the file
        f"{name.format('R')}\tunsure\t李\tn/a\tn/a\tn/a\tn/a",
    ]
    source = status(study, "x_desc-ratings.tsv", *lines, header=header)
    before = group(study)
    files = sorted((study.root / "qc_studio").glob("*_QC_status.tsv"))
    rows = [row for path in files for row in table(path)]
    assert len(files) == 2
    assert list(rows[0]) == HEADER.split("\t")
    assert sorted(
        (row["qc_task"], row["rater_id"], row["final_qc"], row["notes"], row["timestamp"]) for row in rows
    ) == [
        (LEFT, "AnnaB", "FAIL", '[too_few,odd] so "thin"', "2026-03-01 10:00:00"),
        (RIGHT, "AnnaB", "PASS", "", ""),
        (RIGHT, "李", "UNCERTAIN", "", ""),
    ]
    assert {(row["participant_id"], row["session_id"]) for row in rows} == {("01", "1")}
    source.unlink()
    (study.root / "back").mkdir()
    for path in files:
        path.rename(study.root / "back" / path.name)
    after = group(study)
    for row in (*before.values(), *after.values()):
        row["outdated_ratings"] = ""  # which QC-Studio can't tell
    assert before == after
    assert not problems(study)


def failed(output: Output) -> list[dict[str, str]]:
    group(output)
    return table(output.root / "failed/bundles.tsv")


def test_what_failed_is_listed_for_the_next_program(output: Output) -> None:
    """By raters, all of them, or before: in a table, a list, and filters that select these and no others."""

    def source(participant: str, name: str) -> str:
        return f"sub-{participant}/dwi/sub-{participant}_{name}_tractogram.trk"

    names = (
        "hemi-L_bundle-AF",
        "hemi-R_bundle-AF",
        "hemi-L_bundle-CST",
        "hemi-R_bundle-CST",
        "run-2_bundle-CC",
        "bundle-CC",
    )
    for participant in ("01", "02"):
        for at, name in enumerate(names):
            told = {"Variant": {"run": "2"}} if name.startswith("run") else {}
            where = source(participant, name)
            output.add(f"B{min(at, 4)}", participant, source=where, stem=f"sub-{participant}_{name}", told=told)
    output.add("B9", "01", status="damaged", why="It is half a file.", source=source("01", "bundle-FX"))
    given = {
        ("01", names[0]): ("fail", "fail"),
        ("01", names[3]): ("fail",),
        ("01", names[1]): ("fail", "pass"),
        ("01", names[5]): ("fail",),
        ("02", names[2]): ("pass",),
    }
    lines = [
        f"{source(*what)}\t{rating}\t{rater}\tpoor_data"
        for what, ratings in given.items()
        for rater, rating in zip(("anna", "ben"), ratings, strict=False)
    ]
    status(output, "x_desc-ratings.tsv", *lines, header="tractogram\trating\trater\treasons")
    rows = failed(output)
    expected = [source("01", name) for name in (names[0], names[3], names[5], "bundle-FX")]
    assert [row["tractogram"] for row in rows if row["tractogram"] != "n/a"] == expected
    assert [row["why"] for row in rows] == ["rated fail"] * 3 + ["damaged", "missing"]
    assert {row["reasons"] for row in rows[:3]} == {"poor_data"}
    assert (output.root / "failed/tractograms.txt").read_text().split() == expected
    everything = [source(participant, name) for participant in ("01", "02") for name in (*names, "bundle-FX")]
    selected = []
    for path in (output.root / "failed").glob("*_filter.json"):
        kept = [one for one in everything if Filters(bids=read(path)).keep(TRACTOGRAM, told_of(one))]
        assert kept == [row["tractogram"] for row in rows if row["filter_file"] == path.name]
        selected += kept
    assert sorted(selected) == sorted(expected)


def told_of(path: str) -> dict[str, Any]:
    return entities(path, *split_name(Path(path).name))


def test_names_without_entities_are_in_no_filter_and_what_is_old_goes(output: Output) -> None:
    output.add("AF_L", "01", source="sub-01/AF_left.trk")
    output.add("CST_L", "01", source="sub-01/sub-01_bundle-CST_tractogram.trk")
    lines = [f"sub-01/{name}.trk\tfail\tanna" for name in ("AF_left", "sub-01_bundle-CST_tractogram")]
    ratings = status(output, "x_desc-ratings.tsv", *lines, header="tractogram\trating\trater")
    assert [row["filter_file"] for row in failed(output)] == ["n/a", "sub-01_filter.json"]
    content = json.loads((output.root / "failed/sub-01_filter.json").read_text())
    assert content == {"tractogram": {"subject": "01", "suffix": "tractogram", "bundle": ["CST"]}}
    ratings.unlink()
    group(output)
    assert list((output.root / "failed").iterdir()) == []
