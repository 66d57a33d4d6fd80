"""``*_desc-ratings.tsv``: ratings that people exported from the participants' pages, or made in a spreadsheet."""

import codecs
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import read_bytes

ENDING = "_desc-ratings.tsv"
PASS, FAIL, UNSURE = "pass", "fail", "unsure"
RATINGS = (PASS, FAIL, UNSURE)
NOT_AVAILABLE = "n/a"

_NEEDED = ("tractogram", "rating", "rater")
_LONGEST = 60
_MOST_TOLD = 200
"""Problems of a file that are told one by one; more are counted."""

_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNDATED = datetime.min.replace(tzinfo=UTC)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Rating:
    """What a rater said of a tractogram; ``at`` decides which of a rater's is the last."""

    tractogram: str
    rater: str
    rating: str
    note: str
    at: datetime


@dataclass(frozen=True)
class RatingsFile:
    """The ratings of a file, each with the number of its line, and sentences on lines that are left out or doubtful."""

    ratings: tuple[tuple[int, Rating], ...]
    problems: tuple[str, ...]


def cell(text: str) -> str:
    """A text as it stands in a table, and as the pages write it: on one line, without tabs, in Unicode."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub(" ", text)).strip()


def load(path: Path, name: str) -> RatingsFile:
    """Read a file of ratings.

    Parameters
    ----------
    name : what sentences call it.

    Raises
    ------
    FileNotFoundError
        When there is none.
    RecordError
        When it can't be read, or holds no ratings.
    """
    text, problem = _text(read_bytes(path))
    lines = _lines(io.StringIO(text, newline=""))
    _, header = next(lines, (0, []))
    if lacking := [column for column in _NEEDED if column not in header]:
        raise RecordError(path, f"its first line doesn't name {' and '.join(lacking)}")
    ratings, problems, further = [], [f"{name} {problem}"] if problem else [], 0
    for number, fields in lines:
        rating, wrong = _read(header, fields)
        if rating:
            ratings.append((number, rating))
        if wrong and len(problems) < _MOST_TOLD:
            problems.append(f"{name}, line {number}: {wrong}")
        elif wrong:
            further += 1
    if further:
        problems.append(f"{name}: {further:,} further lines are left out or doubtful.")
    return RatingsFile(tuple(ratings), tuple(problems))


def _text(data: bytes) -> tuple[str, str]:
    """The text, and what is wrong with it. Spreadsheets write UTF-16 too."""
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        return data.decode(encoding), ""
    except UnicodeDecodeError:
        return data.decode(encoding, errors="replace"), "isn't all UTF-8 text: what isn't is shown as �."


def _lines(file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Numbered lines as fields; empty ones are left out."""
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line.rstrip("\r\n").split("\t")


def _read(header: list[str], fields: list[str]) -> tuple[Rating | None, str]:
    """A line's rating, and what is wrong with it."""
    if len(fields) != len(header):
        return None, f"it has {len(fields)} fields, not {len(header)}, and is left out."
    row = {column: "" if value == NOT_AVAILABLE else value for column, value in zip(header, fields, strict=True)}
    rating = row["rating"].strip().lower()
    if not rating:
        return None, ""  # a note without a rating
    if rating not in RATINGS:
        return None, f"“{shortened(row['rating'])}” is none of pass, fail and unsure, and is left out."
    at = _moment(row)
    found = Rating(cell(row["tractogram"]), row["rater"].strip(), rating, row.get("note", ""), at or _UNDATED)
    return found, "" if at else f"“{shortened(row['rated_at'])}” is no date: the rating is taken as the rater's oldest."


def _moment(row: Mapping[str, str]) -> datetime | None:
    """When a row was rated; long ago where that isn't told, None where it can't be understood."""
    try:
        moment = datetime.fromisoformat(row["rated_at"]) if row.get("rated_at") else _UNDATED
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def shortened(text: str) -> str:
    """A text of a file as sentences quote it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
