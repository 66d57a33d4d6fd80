"""Ratings from exported files: merged, checked, compared."""

from datetime import UTC, datetime

import pytest

from tractcap.records.ratings_file import RatedState, time_text
from tractcap.records.tables import cell
from tractcap.reports.ratings import agreements, read_ratings

HEADER = "participant_id\tsession_id\ttractogram\tbundle\trating\tnote\trater\trated_at"
KNOWN = ("a.trk", "b.trk", "c.trk", "d.trk")


def row(tractogram, rating, rater="anna", at="2026-03-01T10:00:00Z", note="n/a"):
    return f"sub-01\tn/a\t{tractogram}\tArcuate_L\t{rating}\t{note}\t{rater}\t{at}"


def write(path, *lines, header=HEADER, ending="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ending.join([header, *lines, ""]).encode())


def given(ratings, tractogram):
    return {one.rater: one.rating for one in ratings.of(tractogram).present}


def test_files_are_found_anywhere_and_raters_told_apart(tmp_path):
    write(tmp_path / "sub-01_desc-ratings.tsv", row("a.trk", "pass"))
    write(tmp_path / "from" / "ben" / "sub-01_rater-ben_desc-ratings.tsv", row("a.trk", "fail", "ben"))
    write(tmp_path / ".hidden" / "sub-01_desc-ratings.tsv", row("a.trk", "unsure", "carl"))
    write(tmp_path / "ratings.tsv", row("a.trk", "unsure", "dora"))
    ratings = read_ratings(tmp_path, KNOWN)
    assert given(ratings, "a.trk") == {"anna": "pass", "ben": "fail"}
    assert ratings.files == 2
    assert not ratings.problems


def test_the_newest_of_a_rater_counts_in_whatever_order_and_zone(tmp_path):
    write(tmp_path / "1_desc-ratings.tsv", row("a.trk", "fail", at="2026-03-02T10:00:00Z"))
    write(tmp_path / "2_desc-ratings.tsv", row("a.trk", "pass", at="2026-03-01T10:00:00Z"))
    write(
        tmp_path / "3_desc-ratings.tsv",
        row("a.trk", "unsure", at="2026-03-02T11:30:00+02:00"),
        row("b.trk", "pass", at="n/a"),
    )
    ratings = read_ratings(tmp_path, KNOWN)
    assert given(ratings, "a.trk") == {"anna": "fail"}
    assert given(ratings, "b.trk") == {"anna": "pass"}


def test_spreadsheets_line_ends_marks_and_order_of_columns_are_taken(tmp_path):
    path = tmp_path / "x_desc-ratings.tsv"
    path.write_bytes("\ufeffrater\trating\ttractogram\r\nanna\t PASS \ta.trk\r\n\r\n".encode())
    ratings = read_ratings(tmp_path, KNOWN)
    assert given(ratings, "a.trk") == {"anna": "pass"}
    assert not ratings.problems


def test_names_that_are_no_unicode_match_what_browsers_export(tmp_path):
    write(tmp_path / "x_desc-ratings.tsv", row("sub\N{REPLACEMENT CHARACTER} a b.trk", "pass"))
    ratings = read_ratings(tmp_path, [cell("sub\udcff a\t\nb.trk")])
    assert given(ratings, "sub\udcff a\t\nb.trk") == {"anna": "pass"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("broken", "line 2: it has 1 fields, not 8"),
        (row("a.trk", "splendid"), "“splendid” is none of pass, fail and unsure"),
        (row("gone.trk", "pass"), "no tractogram here is called “gone.trk”"),
        (row("x" * 500, "pass"), "no tractogram here is called “xxx"),
    ],
)
def test_a_malformed_line_is_told_of_and_leaves_the_others_alone(tmp_path, line, said):
    write(tmp_path / "x_desc-ratings.tsv", line, row("b.trk", "pass"))
    ratings = read_ratings(tmp_path, KNOWN)
    assert given(ratings, "b.trk") == {"anna": "pass"}
    (problem,) = ratings.problems
    assert problem.startswith("x_desc-ratings.tsv, line 2:")
    assert said in problem
    assert problem.endswith(".")
    assert len(problem) < 200


def test_a_date_that_is_none_makes_the_rating_the_oldest(tmp_path):
    write(tmp_path / "x_desc-ratings.tsv", row("a.trk", "pass", at="last week"), row("a.trk", "fail"))
    ratings = read_ratings(tmp_path, KNOWN)
    assert given(ratings, "a.trk") == {"anna": "fail"}
    assert "“last week” is no date" in ratings.problems[0]


def test_a_note_without_a_rating_is_no_rating_and_no_problem(tmp_path):
    write(tmp_path / "x_desc-ratings.tsv", row("a.trk", "n/a", note="look again"))
    ratings = read_ratings(tmp_path, KNOWN)
    assert not ratings.of("a.trk").present
    assert not ratings.problems


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\x00\xff", b"a\tb\n1\t2\n", b"tractogram\trating\nx\tpass\n"]
)
def test_files_that_are_something_else_are_told_of(tmp_path, content):
    (tmp_path / "x_desc-ratings.tsv").write_bytes(content)
    (problem,) = read_ratings(tmp_path, KNOWN).problems
    assert "x_desc-ratings.tsv holds no ratings that can be read" in problem


def test_what_can_not_be_opened_is_told_of(tmp_path):
    (tmp_path / "x_desc-ratings.tsv").symlink_to(tmp_path / "gone")
    (problem,) = read_ratings(tmp_path, KNOWN).problems
    assert problem == "x_desc-ratings.tsv holds no ratings that can be read: it is a link to a file that isn't there."


def read(tmp_path, anna, ben):
    write(tmp_path / "a_desc-ratings.tsv", *(row(f"{at}.trk", one) for at, one in enumerate(anna) if one))
    write(tmp_path / "b_desc-ratings.tsv", *(row(f"{at}.trk", one, "ben") for at, one in enumerate(ben) if one))
    names = [f"{at}.trk" for at in range(len(anna))]
    ratings = read_ratings(tmp_path, names)
    return agreements(ratings.of(name).present for name in names)


def test_agreement_is_that_of_cohen(tmp_path):
    # 20 both pass, 5 pass/fail, 10 fail/pass, 15 both fail: 70 % agree, 50 % by chance, so 0.4; one is not in common
    anna = ["pass"] * 25 + ["fail"] * 25 + ["pass"]
    ben = ["pass"] * 20 + ["fail"] * 5 + ["pass"] * 10 + ["fail"] * 15 + [""]
    (pair,) = read(tmp_path, anna, ben)
    assert pair.raters == ("anna", "ben")
    assert pair.common == 50
    assert pair.same == pytest.approx(0.7)
    assert pair.kappa == pytest.approx(0.4)


def test_agreement_beyond_chance_is_not_known_where_all_is_one(tmp_path):
    (pair,) = read(tmp_path, ["pass"] * 4, ["pass"] * 4)
    assert (pair.same, pair.kappa) == (1, None)


def test_full_disagreement_is_below_chance(tmp_path):
    (pair,) = read(tmp_path, ["pass", "fail"], ["fail", "pass"])
    assert (pair.same, pair.kappa) == (0, -1)


def test_those_who_have_nothing_in_common_are_no_pair(tmp_path):
    assert read(tmp_path, ["pass", ""], ["", "pass"]) == []


def test_the_consensus_is_the_one_rating_or_mixed(tmp_path):
    write(tmp_path / "a_desc-ratings.tsv", row("a.trk", "pass"), row("b.trk", "unsure"))
    write(tmp_path / "b_desc-ratings.tsv", row("a.trk", "fail", "ben"), row("b.trk", "unsure", "ben"))
    ratings = read_ratings(tmp_path, KNOWN)
    assert [ratings.of(name).consensus for name in ("a.trk", "b.trk", "c.trk")] == ["mixed", "unsure", "n/a"]


NOW = RatedState("1000", "2026-02-01T00:00:00.000000001Z", "abc", "0.1.0")
STATES = "\ttractogram_size\ttractogram_time\tpicture_hash\ttractcap_version"


@pytest.mark.parametrize(
    ("state", "outdated"),
    [
        (("1000", "2026-02-01T00:00:00.000000001Z", "abc", "0.1.0"), False),
        (("1000", "2026-02-01T00:00:00.000000001Z", "xyz", "0.2.0"), False),  # drawn in another way
        (("1001", "2026-02-01T00:00:00.000000001Z", "abc", "0.1.0"), True),
        (("1000", "2026-02-01T00:00:00.000000002Z", "xyz", "0.1.0"), True),  # one nanosecond
        (("1000", "2026-02-01T00:00:00.000000002Z", "n/a", "0.1.0"), True),
        (("1000", "2026-02-05T00:00:00.000000000Z", "abc", "0.1.0"), False),  # a copy
        (("1001", "n/a", "n/a", "n/a"), True),
    ],
)
def test_a_rating_of_another_file_is_told_from_those_of_this_one(tmp_path, state, outdated):
    write(tmp_path / "a_desc-ratings.tsv", "\t".join((row("a.trk", "pass"), *state)), header=HEADER + STATES)
    write(tmp_path / "b_desc-ratings.tsv", row("a.trk", "fail", "ben"))
    ratings = read_ratings(tmp_path, KNOWN).of("a.trk", NOW)
    assert [one.rater for one in ratings.outdated] == ["anna"] * outdated
    assert [one.rater for one in ratings.present] == ["anna"] * (not outdated) + ["ben"]
    assert ratings.consensus == ("fail" if outdated else "mixed")


def test_a_rating_without_a_state_is_judged_by_its_date(tmp_path):
    dates = {"anna": "2026-01-31T23:59:59Z", "ben": "2026-02-02T00:00:00Z", "carl": "n/a"}
    write(tmp_path / "a_desc-ratings.tsv", *(row("a.trk", "pass", rater, at) for rater, at in dates.items()))
    ratings = read_ratings(tmp_path, KNOWN).of("a.trk", NOW)
    assert [one.rater for one in ratings.outdated] == ["anna"]
    assert [one.rater for one in ratings.present] == ["ben", "carl"]


def test_outdated_ratings_alone_are_no_consensus(tmp_path):
    write(tmp_path / "a_desc-ratings.tsv", row("a.trk", "pass", at="2020-01-01T00:00:00Z"))
    assert read_ratings(tmp_path, KNOWN).of("a.trk", NOW).consensus == "outdated"


def test_times_of_files_are_exact():
    text = time_text(1_700_000_000_123_456_789)
    assert text == "2023-11-14T22:13:20.123456789Z"
    assert datetime.fromisoformat(text) == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert time_text(-1) == "1969-12-31T23:59:59.999999999Z"
