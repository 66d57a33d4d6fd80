"""Tables have one line a row, whatever their cells hold."""

from pathlib import Path

import pytest

from tractcap.records.tables import plain, write_tsv


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        ("", "n/a"),
        (float("nan"), "n/a"),
        (12, "12"),
        (0.25, "0.25"),
        (3.0, "3"),
        (-0.0, "0"),
        (1 / 3, "0.333333"),
        ('a "quoted" name', 'a "quoted" name'),
        ("two\tcells\r\nand lines", "two cells and lines"),
        ('=HYPERLINK("http://a.example")', '\'=HYPERLINK("http://a.example")'),
        ("\t@SUM(A1)", "'@SUM(A1)"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-AF_L", "'-AF_L"),
        ("-12.5", "-12.5"),
        ("'=a", "''=a"),
        ("'-1", "'-1"),
        ("a=b", "a=b"),
        (-3, "-3"),
        ("no \udcff UTF-8", "no \N{REPLACEMENT CHARACTER} UTF-8"),
    ],
)
def test_a_value_takes_one_cell(tmp_path: Path, value: str | float | None, text: str) -> None:
    write_tsv(tmp_path / "a.tsv", ("first", "second\tcolumn"), [(value, "next"), (1, 2)])
    assert (tmp_path / "a.tsv").read_text(encoding="utf-8") == f"first\tsecond column\n{text}\tnext\n1\t2\n"


@pytest.mark.parametrize("text", ["=1+1", "'=1", "''@x", "-AF_L", "-12.5", "'-12.5", "it's", "'", "a=b"])
def test_what_was_written_is_read(tmp_path: Path, text: str) -> None:
    write_tsv(tmp_path / "a.tsv", (), [(text,)])
    assert plain((tmp_path / "a.tsv").read_text(encoding="utf-8").strip("\n")) == text


def test_a_column_is_no_formula_either(tmp_path: Path) -> None:
    write_tsv(tmp_path / "a.tsv", ("=1+1",), [])
    assert (tmp_path / "a.tsv").read_text(encoding="utf-8") == "'=1+1\n"
