"""The table and the page of all participants, as files."""

import csv
import hashlib
import json
import re
import tracemalloc

import pytest
from outputs import Output

from tractcap.records import tractogram_sidecar
from tractcap.reports.group_page import write_group_page
from tractcap.reports.participant_page import write_participant_page

COLUMNS = [
    *("participant_id", "session_id", "bundle", "bundle_name", "hemisphere", "tractogram", "status"),
    *("streamlines", "streamlines_drawn", "length_mean", "length_median", "length_min", "length_max", "volume"),
    *("points_outside", "warnings", "outlier", "flags", "rating", "reasons", "raters", "outdated_ratings"),
]
OURS = (
    b'{"GeneratedBy": [{"Name": "tractcap"}], "Sources": ["a"], "Kind": "bundle", "Participant": "1", "Session": "", '
)
OURS += b'"Title": "",'


def table(output, *entities):
    write_group_page(output.root)
    lines = (output.root / "group_tractograms.tsv").read_text().split("\n")
    assert lines.pop() == ""
    assert lines[0].split("\t") == [*COLUMNS[:5], *entities, *COLUMNS[5:]]
    assert all(line.count("\t") == len(COLUMNS) + len(entities) - 1 for line in lines)
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def page(output):
    write_group_page(output.root)
    return (output.root / "group.html").read_text()


def data(output):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page(output), re.S)[1])


def lengths(mean):
    return {"Lengths": {"Mean": mean, "Median": mean, "Minimum": 10.0, "Maximum": 200.0}}


def rate(output, name, *rows):
    header = "participant_id\tsession_id\ttractogram\tbundle\trating\tnote\trater\trated_at"
    lines = [
        f"sub-01\tn/a\t{tractogram}\tX\t{rating}\t{note}\t{rater}\tn/a" for tractogram, rating, note, rater in rows
    ]
    (output.root / name).write_text("\n".join([header, *lines, ""]))


def test_nothing_is_written_where_nothing_is_told(tmp_path):
    assert write_group_page(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_table_dictionary_and_page_are_written(output):
    output.add("ForcepsMajor")
    names = ["group_tractograms.tsv", "group_tractograms.json", "group.html"]
    assert write_group_page(output.root) == [output.root / name for name in [*names, "qc_studio/qc.json"]]
    assert {path.name for path in output.root.iterdir()} == {"sub-01", "qc_studio", ".tractcap-group.sqlite3", *names}


def test_a_row_tells_what_the_json_file_tells(output):
    told = {
        "Streamlines": 300,
        "StreamlinesDrawn": 298,
        "Lengths": {"Mean": 87.125, "Median": 85.0, "Minimum": 20.1, "Maximum": 150.33333333},
        "VolumeMillimetres3": 12345,
        "PointsOutsideReference": 0.0012,
        "Notes": ["One thing.", "Another."],
    }
    output.add("ArcuateFasciculus_L", "01", "1", source="sub-01/a.trk", told=told)
    (row,) = table(output)
    assert list(row) == COLUMNS
    assert list(row.values()) == [
        *("sub-01", "ses-1", "ArcuateFasciculus_L", "Arcuate fasciculus, left", "L", "sub-01/a.trk", "drawn"),
        *(
            "300",
            "298",
            "87.125",
            "85",
            "20.1",
            "150.333333",
            "12345",
            "0.0012",
            "2",
            "n/a",
            "n/a",
            "n/a",
            "n/a",
            "0",
            "0",
        ),
    ]


def test_failed_empty_and_missing_ones_have_rows(output):
    output.add("ForcepsMajor", "01")
    output.add("ForcepsMajor", "02", status="failed")
    output.add("ForcepsMajor", "03", status="empty")
    output.add("UncinateFasciculus_L", "04")
    rows = {(row["participant_id"], row["bundle"]): row for row in table(output)}
    forceps = [rows[f"sub-0{at}", "ForcepsMajor"] for at in (1, 2, 3, 4)]
    assert [row["status"] for row in forceps] == ["drawn", "failed", "empty", "missing"]
    assert [row["streamlines"] == "n/a" for row in forceps] == [False, True, True, True]
    assert forceps[3]["tractogram"] == forceps[3]["warnings"] == "n/a"
    assert rows["sub-01", "UncinateFasciculus_L"]["status"] == "missing"


def test_what_is_missing_is_looked_for_in_every_session(output):
    output.add("ForcepsMajor", "01", "1")
    output.add("UncinateFasciculus_L", "01", "2")
    missing = [(row["session_id"], row["bundle"]) for row in table(output) if row["status"] == "missing"]
    assert missing == [("ses-1", "UncinateFasciculus_L"), ("ses-2", "ForcepsMajor")]


def test_nothing_is_missing_in_folders_that_are_nobodys(output):
    output.add("ForcepsMajor", "")
    output.add("UncinateFasciculus_L", "01")
    rows = table(output)
    assert [(row["participant_id"], row["status"]) for row in rows] == [("n/a", "drawn"), ("sub-01", "drawn")]


def test_rows_are_sorted_by_numbers_in_labels(output):
    for label in ("10", "9", "1"):
        output.add("ForcepsMajor", label)
    assert [row["participant_id"] for row in table(output)] == ["sub-1", "sub-9", "sub-10"]


def test_outliers_are_named_by_their_columns(output):
    usual = {"Streamlines": 100, "VolumeMillimetres3": 5000, "PointsOutsideReference": 0.0}
    for at in range(6):
        output.add("ForcepsMajor", f"{at}", told={**usual, "Streamlines": 100 + at, **lengths(80.0 + at)})
    output.add("ForcepsMajor", "6", told={**usual, "Streamlines": 9000, **lengths(300.0)})
    marked = {row["participant_id"]: row["outlier"] for row in table(output)}
    assert marked.pop("sub-6") == "streamlines,length_mean,length_median"
    assert set(marked.values()) == {"n/a"}


def test_bundles_are_not_compared_with_each_other_nor_with_what_failed(output):
    for at in range(6):
        output.add("ForcepsMajor", f"{at}", told={"Streamlines": 100 + at})
        output.add("UncinateFasciculus_L", f"{at}", told={"Streamlines": 5000 + at})
    output.add("ForcepsMajor", "7", status="failed", told={"Streamlines": 1_000_000})
    assert not [row for row in table(output) if "streamlines" in row["outlier"].split(",")]


def test_ratings_are_merged(output):
    output.add("ForcepsMajor", "01", source="a.trk")
    output.add("ForcepsMajor", "02", source="b.trk")
    output.add("ForcepsMajor", "03", source="c.trk")
    rate(output, "x_desc-ratings.tsv", ("a.trk", "pass", "n/a", "anna"), ("b.trk", "fail", "cut off", "anna"))
    rate(
        output,
        "y_desc-ratings.tsv",
        ("a.trk", "pass", "n/a", "ben"),
        ("b.trk", "pass", "n/a", "ben"),
        ("z.trk", "pass", "", ""),
    )
    rows = table(output)
    assert [(row["rating"], row["raters"]) for row in rows] == [("pass", "2"), ("mixed", "2"), ("n/a", "0")]
    text = page(output)
    assert "anna and ben" in text
    assert "50.0 %" in text
    assert "<q>cut off</q>" in text
    assert "y_desc-ratings.tsv, line 4: no tractogram here is called “z.trk”" in text


def test_ratings_of_another_state_of_the_file_are_shown_and_not_counted(output):
    output.add("ForcepsMajor", "01", source="a.trk", told={"SourceBytes": [1000]})
    output.add("ForcepsMajor", "02", source="b.trk", told={"SourceBytes": [1001]})
    header = "tractogram\trating\tnote\trater\ttractogram_size"
    lines = [f"{name}.trk\t{rating}\tthin\t{rater}\t1000" for name in "ab" for rating, rater in [("pass", "anna")]]
    (output.root / "x_desc-ratings.tsv").write_text("\n".join([header, *lines, ""]))
    told = [(row["rating"], row["raters"], row["outdated_ratings"]) for row in table(output)]
    assert told == [("pass", "1", "0"), ("outdated", "0", "1")]
    text = page(output)
    assert "1 tractogram is rated" in text
    (listed,) = re.findall(r'aria-label="Rated before the file changed".*?</table>', text, re.S)
    assert "sub-02" in listed
    assert "<q>thin</q>" in listed
    assert "sub-01" not in listed
    assert data(output)["rows"]["outdated"] == [0, 1]


def test_reasons_are_counted(output):
    """Those of the list by its words, others by their names; a tractogram once, however many raters give one."""
    for name in "abc":
        output.add("ForcepsMajor", f"0{name}", source=f"{name}.trk")
    header = "tractogram\trating\trater\treasons"
    lines = [
        *("a.trk\tfail\tanna\ttoo_few,odd", "a.trk\tfail\tben\ttoo_few"),
        *("b.trk\tunsure\tanna\ttoo_few, crosses_midline,too_few", "c.trk\tpass\tanna\tn/a"),
    ]
    (output.root / "x_desc-ratings.tsv").write_text("\n".join([header, *lines, ""]))
    assert [row["reasons"] for row in table(output)] == ["too_few,odd", "too_few,crosses_midline", "n/a"]
    (counted,) = re.findall(r"<caption>Reasons</caption>(.*?)</table>", page(output), re.S)
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in re.findall(r"<tr>.*?</tr>", counted, re.S)]
    assert rows == [
        ["Reason", "tractograms", "rated pass", "rated fail", "rated unsure"],
        ["too few streamlines", "2", "0", "2", "1"],
        ["odd", "1", "0", "1", "0"],
        ["crosses the midline", "1", "0", "0", "1"],
    ]
    assert data(output)["rows"]["reasons"] == [["too_few", "odd"], ["too_few", "crosses_midline"], []]


def test_names_stay_on_their_line(output):
    output.add(
        "ForcepsMajor",
        "01",
        source='a\tb\nc "d".trk',
        told={"Bundle": {"Key": "x\ty", "Readable": "", "Hemisphere": ""}},
    )
    (row,) = table(output)
    assert (row["tractogram"], row["bundle"], row["bundle_name"]) == ('a b c "d".trk', "x y", "n/a")


def test_the_dictionary_tells_of_every_column(output):
    output.add("ForcepsMajor")
    write_group_page(output.root)
    told = json.loads((output.root / "group_tractograms.json").read_text())
    assert list(told) == COLUMNS
    assert all(column["Description"] for column in told.values())
    assert told["length_mean"]["Units"] == "mm"
    assert told["volume"]["Units"] == "mm^3"
    assert set(told["status"]["Levels"]) == {"drawn", "failed", "damaged", "unreadable", "empty", "missing"}


def test_the_same_input_makes_the_same_bytes(tmp_path):
    made = []
    for name, order in (("one", ("01", "02", "03")), ("other", ("03", "01", "02"))):
        output = Output(tmp_path / name)
        for label in order:
            output.add("ForcepsMajor", label)
            output.add("UncinateFasciculus_L" if label == "01" else "UncinateFasciculus_R", label)
        made.append([path.read_bytes() for path in write_group_page(output.root)])
    assert made[0] == made[1]
    assert made[0] == [path.read_bytes() for path in write_group_page(tmp_path / "one")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"Kind": "bundle", "Status": "dra',
        b"\xff\xfe",
        b"[]",
        OURS + b'"Status": "drawn", "Bundle": {}}',
        OURS + b'"Status": "half", "Bundle": {"Key": "a", "Readable": "a"}}',
    ],
)
def test_records_that_are_not_whole_are_rows_too(output, content):
    output.add("ForcepsMajor")
    (output.root / "sub-01" / "figures" / "sub-01_half.json").write_bytes(content)
    assert sorted(row["status"] for row in table(output)) == ["drawn", "unreadable"]
    (why,) = data(output)["why"].values()
    assert why.startswith("its JSON file sub-01/figures/sub-01_half.json can't be understood: ")


def test_what_others_wrote_is_left_out_and_told_of(output):
    output.add("ForcepsMajor")
    (output.root / "sub-01" / "figures" / "sub-01_bold.json").write_text('{"GeneratedBy": [{"Name": "another"}]}')
    assert [row["status"] for row in table(output)] == ["drawn"]
    assert "1 JSON file was left out" in page(output)
    assert "sub-01/figures/sub-01_bold.json is left out: " in page(output)


def test_a_file_that_vanishes_meanwhile_is_nothing(output, monkeypatch):
    output.add("ForcepsMajor", "01")
    going = output.add("ForcepsMajor", "02")
    load = tractogram_sidecar.load

    def vanish(path):
        if path == going:
            going.unlink(missing_ok=True)
        return load(path)

    monkeypatch.setattr(tractogram_sidecar, "load", vanish)
    assert [row["participant_id"] for row in table(output)] == ["sub-01"]
    assert "JSON file was left out" not in page(output)


def test_overviews_are_shown_but_are_no_bundle(output):
    output.add("ForcepsMajor")
    output.add("all", kind="overview", stem="sub-01_desc-overview")
    assert [row["bundle"] for row in table(output)] == ["ForcepsMajor"]
    assert data(output)["overviews"]["0"][0][1] == "sub-01/figures/sub-01_desc-overview_mosaic.png"


def test_the_page_counts(output):
    for label in ("01", "02"):
        output.add("ForcepsMajor", label, "1")
    output.add("UncinateFasciculus_L", "01", "2", status="failed")
    text = re.sub(r"\s+", " ", page(output))
    assert "2 participants in 3 sessions, 2 bundles, 3 tractograms" in text
    assert "3 × 1.4826 × MAD" in text
    assert "Leys et al. 2013" in text
    assert "MAD, the median of |x − median|, is 0 nothing is marked" in text


def test_names_do_nothing_in_the_page(output):
    name = "</script><script>alert(1)</script>&\u2028<!--"
    output.add("x", source=name, told={"Bundle": {"Key": name, "Readable": name, "Hemisphere": ""}})
    output.add("y", "02", status="failed", why=name)
    rate(output, "x_desc-ratings.tsv", (name, "splendid", name, name))
    text = page(output)
    assert "alert(1)</script>" not in text.replace("alert(1)\\u003c/script\\u003e", "")
    assert data(output)["bundles"]["name"][0] == "</script><script>alert(1)</script>& <!--"


def test_pictures_are_found_whatever_their_names(output):
    stem = 'a #%?"\udcff: b'
    output.add("ForcepsMajor", pictures=False, told={"Pictures": [f"{stem}_view-left.png", f"{stem}_mosaic.png"]})
    told = data(output)
    place = told["folders"][told["rows"]["folder"][0]] + told["rows"]["stem"][0]
    assert place == "sub-01/figures/a%20%23%25%3F%22%FF%3A%20b"
    assert "_view-left.png" in told["endings"][told["rows"]["endings"][0]]


def test_pages_that_are_there_are_linked(output):
    output.add("ForcepsMajor", "01", source="sub-01/é\udcff.trk")
    output.add("ForcepsMajor", "02")
    output.add("ForcepsMajor", "")
    (output.root / "sub-01.html").write_text("")
    (output.root / "index.html").write_text("")
    told = data(output)
    assert told["sessions"]["name"] == ["top folder", "sub-01", "sub-02"]
    assert told["sessions"]["page"] == ["index.html", "sub-01.html", ""]
    assert told["rows"]["anchor"][1] == "tract-" + hashlib.sha1(b"sub-01/\xc3\xa9\xff.trk").hexdigest()[:10]


def test_links_lead_to_what_the_participants_pages_hold(output):
    output.add("ForcepsMajor", "01", source="sub-01/é\udcff.trk")
    output.add("UncinateFasciculus_L", "01", status="failed")
    output.add("all", "01", kind="overview", stem="sub-01_desc-overview", told={"Sources": ["a", "b"]})
    there = write_participant_page(output.root, "01").read_text()
    told = data(output)
    anchors = [*told["rows"]["anchor"], told["overviews"]["0"][0][0].partition("#")[2]]
    assert len(set(anchors)) == 3
    assert all(f'id="{anchor}"' in there for anchor in anchors)


def test_only_numbers_are_kept_of_what_is_read(output):
    for at in range(100):
        output.add("ForcepsMajor", f"{at}", pictures=False, told={"Notes": ["x" * 100] * 2000})
    write_group_page(output.root)  # what is loaded once
    tracemalloc.start()
    write_group_page(output.root)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * 2**20  # of 20 MiB that are read


def add_models(output, who, **streamlines):
    for model, count in streamlines.items():
        stem = f"sub-{who}_model-{model}"
        told = {"Variant": {"space": "T1w", "model": model}, "Streamlines": count}
        output.add("ForcepsMajor", who, stem=stem, source=f"{stem}.tck", told=told)


def test_what_sets_tractograms_apart_has_columns(output):
    """Only where it does; their values are compared with those that have the same alone."""
    for number in range(6):
        add_models(output, f"0{number}", csd=400 + number, gqi=90 if number == 5 else 40 + number)
    rows = table(output, "model")
    assert [row["model"] for row in rows] == ["csd", "gqi"] * 6
    marked = [row["tractogram"] for row in rows if "streamlines" in row["outlier"].split(",")]
    assert marked == ["sub-05_model-gqi.tck"]
    meant = json.loads((output.root / "group_tractograms.json").read_text())
    assert meant["model"]["Description"].startswith("Diffusion model, ")
    assert list(meant)[4:7] == ["hemisphere", "model", "tractogram"]
    told = data(output)["bundles"]
    assert told["name"] == ["Forceps major, model csd", "Forceps major, model gqi"]
    assert "1 bundle," in re.sub(r"\s+", " ", page(output))


def test_what_all_have_in_common_has_no_column(output):
    for who in ("01", "02"):
        add_models(output, who, csd=400)
    assert [row["tractogram"] for row in table(output)] == ["sub-01_model-csd.tck", "sub-02_model-csd.tck"]


def test_a_bundle_is_missed_among_what_has_the_same(output):
    """One who has no second model isn't said to lack all its bundles."""
    add_models(output, "01", csd=400, gqi=40)
    add_models(output, "02", csd=400)
    told = {"Variant": {"space": "T1w", "model": "csd"}}
    output.add("UncinateFasciculus_L", "01", stem="u", source="u.tck", told=told)
    missing = [row for row in table(output, "model") if row["status"] == "missing"]
    assert [(row["participant_id"], row["bundle"], row["model"]) for row in missing] == [
        ("sub-02", "UncinateFasciculus_L", "csd")
    ]


def test_an_entity_that_is_called_like_a_column(output):
    for label in "ab":
        output.add("ForcepsMajor", stem=label, source=label, told={"Variant": {"status": label, "run": "1"}})
    assert [row["entity_status"] for row in table(output, "entity_status")] == ["a", "b"]


def test_overviews_of_several_variants(output):
    for model in ("csd", "gqi"):
        add_models(output, "01", **{model: 40})
        stem = f"sub-01_model-{model}_desc-overview"
        output.add("all", kind="overview", stem=stem, told={"Variant": {"space": "T1w", "model": model}})
    told = data(output)["overviews"]["0"]
    assert [(one[1], one[2]) for one in told] == [
        (f"sub-01/figures/sub-01_model-{model}_desc-overview_mosaic.png", f"model {model}") for model in ("csd", "gqi")
    ]
