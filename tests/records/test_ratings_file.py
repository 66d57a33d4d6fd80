"""Ratings are merged into files, of which nothing is lost."""

import json
import re
import threading
from pathlib import Path

import pytest

from tractcap.errors import RecordError
from tractcap.files import MAX_BYTES, taking_turns
from tractcap.records.ratings_file import RatingsTable, load, save

COLUMNS = ("tractogram", "rating", "note", "rater", "rated_at")
DICTIONARY = json.dumps({column: {"Description": column} for column in COLUMNS})


def table(*lines: str, columns: tuple[str, ...] = COLUMNS) -> RatingsTable:
    """Lines with blanks between the fields."""
    return RatingsTable(columns, tuple(tuple(line.split(" ")) for line in lines))


def saved(path: Path, *lines: str) -> RatingsTable:
    return save(path, table(*lines), DICTIONARY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sub-01_rater-anna_desc-ratings.tsv"


def lines(path: Path) -> list[str]:
    return path.read_text().replace("\t", " ").splitlines()


def test_the_newest_of_a_rater_and_tractogram_stays_in_its_place(path: Path) -> None:
    saved(path, "a pass n/a anna 2026-03-01T10:00:00Z", "b fail n/a anna 2026-03-01T10:00:00Z")
    answer = saved(
        path,
        "a unsure n/a anna 2026-03-01T10:00:01Z",
        "b pass n/a anna 2026-03-01T09:59:59Z",
        "a pass n/a ben 2026-03-01T08:00:00Z",
    )
    assert lines(path)[1:] == [
        "a unsure n/a anna 2026-03-01T10:00:01Z",
        "b fail n/a anna 2026-03-01T10:00:00Z",
        "a pass n/a ben 2026-03-01T08:00:00Z",
    ]
    assert answer == table(*lines(path)[1:])
    assert json.loads(path.with_suffix(".json").read_text()) == json.loads(DICTIONARY)


def test_of_two_of_one_second_the_later_one_stays(path: Path) -> None:
    for rating in ("pass", "fail"):
        saved(path, f"a {rating} n/a anna 2026-03-01T10:00:00Z")
    assert lines(path)[1:] == ["a fail n/a anna 2026-03-01T10:00:00Z"]


def test_what_begins_like_a_formula_is_the_same_with_an_apostrophe(path: Path) -> None:
    saved(path, "-a pass n/a =anna 2026-03-01T10:00:00Z")
    saved(path, "'-a fail '=1+1 '=anna 2026-03-01T10:00:01Z")
    assert lines(path)[1:] == ["'-a fail '=1+1 '=anna 2026-03-01T10:00:01Z"]
    assert list(table("a pass n/a '=anna x", "b pass n/a =anna x").by_rater()) == ["=anna"]


def test_a_withdrawn_rating_isnt_given_again_by_an_older_one(path: Path) -> None:
    saved(path, "a pass n/a anna 2026-03-01T10:00:00Z")
    saved(path, "a n/a n/a anna 2026-03-01T10:00:05Z")
    saved(path, "a pass n/a anna 2026-03-01T10:00:00Z")
    found = load(path, path.name)
    assert (found.ratings, found.problems) == ((), ())


def test_what_a_file_has_beyond_stays(path: Path) -> None:
    path.write_text("rater\ttractogram\trating\tcolour\nanna\ta\tpass\tred\nben\tb\tsplendid\tn/a\n")
    saved(path, "b fail n/a anna 2026-03-01T10:00:00Z")
    assert lines(path) == [
        "rater tractogram rating colour note rated_at",
        "anna a pass red n/a n/a",
        "ben b splendid n/a n/a n/a",
        "anna b fail n/a n/a 2026-03-01T10:00:00Z",
    ]
    saved(path, "a fail n/a anna 2026-03-01T10:00:00Z")
    assert lines(path)[1] == "anna a fail red n/a 2026-03-01T10:00:00Z"


def test_quotes_that_a_spreadsheet_puts_around_cells_arent_part_of_them(path: Path) -> None:
    header = "tractogram\trating\tnote\trater\treasons\trated_at"
    quoted = '"a, b"\tfail\t"a ""thin"" end"\t"Doe, Anna"\t"incomplete,too_few"\t2026-03-01T10:00:00Z'
    path.write_text(f"{header}\n{quoted}\n")
    ((_, rating),) = load(path, path.name).ratings
    assert (rating.tractogram, rating.rater, rating.note) == ("a, b", "Doe, Anna", 'a "thin" end')
    assert rating.reasons == ("incomplete", "too_few")
    kept = ['"', '""', '"a"', '"a", b', '"a, "b"']  # a rater's own
    path.write_text(header + "".join(f"\n{at}\tfail\t{note}\tanna\tn/a\tn/a" for at, note in enumerate(kept)))
    assert [rating.note for _, rating in load(path, path.name).ratings] == kept


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfet\x00", "UTF-8"),
        (b"tractogram\trating\n", "name rater"),
        (b"tractogram\trating\trater\trater\n", "twice"),
        (b"tractogram\trating\trater\na\tpass\n", "line 2 has 2 fields, not 3"),
        (b"", "name tractogram and rating and rater"),
        (b"tractogram\trating\trater\n" + b"a\tpass\tanna\n" * (MAX_BYTES // 12), "MB"),
    ],
)
def test_a_file_that_isnt_understood_stays_as_it_is(path: Path, content: bytes, why: str) -> None:
    path.write_bytes(content)
    with pytest.raises(RecordError, match=re.escape(why)):
        saved(path, "a pass n/a anna 2026-03-01T10:00:00Z")
    assert path.read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_savers_who_take_turns_lose_nothing(path: Path) -> None:
    def rate(rater: str) -> None:
        for number in range(20):
            with taking_turns(path.parent / ".lock"):
                saved(path, f"{number} pass n/a {rater} 2026-03-01T10:00:00Z")

    threads = [threading.Thread(target=rate, args=(rater,)) for rater in ("anna", "ben", "carl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load(path, path.name).ratings) == 60


def test_raters_are_told_apart() -> None:
    both = table("a pass n/a anna x", "a fail n/a ben x", "b pass n/a anna x")
    assert {rater: len(own.lines) for rater, own in both.by_rater().items()} == {"anna": 2, "ben": 1}
