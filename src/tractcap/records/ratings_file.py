"""``*_desc-ratings.tsv``: ratings saved or exported from the participants' pages, or made in a spreadsheet."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tractcap.errors import RecordError
from tractcap.files import MAX_BYTES, read_bytes, read_text, sync_folder, write_text
from tractcap.records.tables import NOT_AVAILABLE, cell, plain, unquoted

ENDING = "_desc-ratings.tsv"
PASS, FAIL, UNSURE = "pass", "fail", "unsure"
RATINGS = (PASS, FAIL, UNSURE)

STATE = ("tractogram_size", "tractogram_time", "picture_hash", "tractcap_version")
"""The columns of what was rated, which files of earlier versions lack."""

_NEEDED = ("tractogram", "rating", "rater")
_LONGEST = 60
_MOST_TOLD = 200
"""Problems of a file that are told one by one; more are counted."""

UNDATED = datetime.min.replace(tzinfo=UTC)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class RatedState:
    """Which state of a tractogram was rated, as a table holds it; empty where it isn't known.

    Parameters
    ----------
    size, time : the file's bytes, and when it was modified, in UTC with nanoseconds.
    pictures : SHA-256 of the pictures.
    version : of the tractcap that drew them.
    """

    size: str = ""
    time: str = ""
    pictures: str = ""
    version: str = ""


UNKNOWN_STATE = RatedState()


@dataclass(frozen=True, slots=True)
class Rating:
    """What a rater said of a tractogram; ``at`` decides which of a rater's is the last. ``reasons`` are names."""

    tractogram: str
    rater: str
    rating: str
    note: str
    at: datetime
    reasons: tuple[str, ...] = ()
    state: RatedState = UNKNOWN_STATE

    def of_another_file(self, now: RatedState) -> bool:
        """Whether the file was another one than now.

        Its time is that of copying it, so one of the same size and pictures is the same. A rating without a state is
        judged by its date.
        """
        size, time = self.state.size, self.state.time
        if not (size or time):
            return bool(now.time) and UNDATED < self.at < datetime.fromisoformat(now.time)
        if not (now.size and now.time):
            return False
        copied = bool(now.pictures) and self.state.pictures == now.pictures
        return size not in ("", now.size) or (time not in ("", now.time) and not copied)


def time_text(nanoseconds: int) -> str:
    """A time of a file in UTC, to the nanosecond: ``2026-03-01T10:00:00.123456789Z``."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


@dataclass(frozen=True)
class RatingsFile:
    """The ratings of a file, each with the number of its line, and sentences on lines that are left out or doubtful."""

    ratings: tuple[tuple[int, Rating], ...]
    problems: tuple[str, ...]


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
    data, problems, further = read_bytes(path), [], 0
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"  # spreadsheets write UTF-16 too
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
        problems.append(f"{name} isn't all UTF-8 text: what isn't is shown as �.")
    lines = _numbered(text)
    _, header = next(lines, (0, []))
    if why := _lacking(header):
        raise RecordError(path, why)
    ratings = []
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


@dataclass(frozen=True)
class RatingsTable:
    """Ratings line by line as a file has them, so that what a file has beyond them stays in it.

    ``columns`` are the fields of the first line; each of ``lines`` has as many.
    """

    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a table.

        Raises
        ------
        ValueError
            With what is wrong, as the part of a sentence.
        """
        lines = _numbered(text)
        _, header = next(lines, (0, []))
        if why := _lacking(header):
            raise ValueError(why)
        if len({*header}) < len(header):
            raise ValueError("its first line names a column twice")
        table = []
        for number, fields in lines:
            if len(fields) != len(header):
                raise ValueError(f"its line {number:,} has {len(fields)} fields, not {len(header)}")
            table.append(tuple(fields))
        return cls(tuple(header), tuple(table))

    def text(self) -> str:
        """The table as a file has it."""
        return "".join("\t".join(line) + "\n" for line in (self.columns, *self.lines))

    def rows(self) -> Iterator[dict[str, str]]:
        """Each line's fields by their columns."""
        return (dict(zip(self.columns, line, strict=True)) for line in self.lines)

    def by_rater(self) -> dict[str, "RatingsTable"]:
        """The lines of each rater."""
        at = self.columns.index("rater")
        raters = dict.fromkeys(plain(line[at].strip()) for line in self.lines)
        return {
            rater: RatingsTable(self.columns, tuple(line for line in self.lines if plain(line[at].strip()) == rater))
            for rater in raters
        }


def save(path: Path, new: RatingsTable, dictionary: str) -> RatingsTable:
    """Merge ratings into a file: of each tractogram and rater the newest line stays, of two of one time the new one.

    When it returns, they are on the disk. Two savers of one file must take turns.

    Parameters
    ----------
    path : of the file, which needn't be there; its folder must.
    dictionary : what the columns mean, as the JSON file beside it has it.

    Returns
    -------
    RatingsTable
        What the file has now of the tractograms and raters of ``new``.

    Raises
    ------
    RecordError
        When what is in the file can't be understood, or it would become too long; it stays as it is.
    OSError
        When it can't be written; it stays as it is.
    """
    try:
        old = RatingsTable.parse(read_text(path))
    except FileNotFoundError:
        old = RatingsTable(new.columns, ())
    except ValueError as error:
        raise RecordError(path, str(error)) from None
    columns = tuple(dict.fromkeys((*old.columns, *new.columns)))
    newest: dict[tuple[str, str], dict[str, str]] = {}
    for row in (*old.rows(), *new.rows()):
        before = newest.get(key := _key(row))
        if before is None or (_moment(before) or UNDATED) <= (_moment(row) or UNDATED):
            newest[key] = {**(before or {}), **row}  # what columns of others say of it stays

    def table(rows: Iterator[dict[str, str]]) -> RatingsTable:
        return RatingsTable(columns, tuple(tuple(row.get(name, NOT_AVAILABLE) for name in columns) for row in rows))

    text = table(iter(newest.values())).text()
    if len(text.encode()) > MAX_BYTES:
        raise RecordError(path, f"it would have more than {MAX_BYTES // 2**20} MB")
    write_text(path.with_suffix(".json"), dictionary)
    write_text(path, text)
    sync_folder(path.parent)
    return table(newest[key] for key in dict.fromkeys(map(_key, new.rows())))


def _key(row: dict[str, str]) -> tuple[str, str]:
    return plain(cell(row["tractogram"])), plain(row["rater"].strip())


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of lines that aren't empty, with the lines' numbers."""
    numbered = enumerate(io.StringIO(text, newline=""), 1)
    return ((number, [*map(unquoted, line.rstrip("\r\n").split("\t"))]) for number, line in numbered if line.strip())


def _lacking(header: list[str]) -> str:
    """Why lines below such a header can't be understood; empty where they can."""
    lacking = [column for column in _NEEDED if column not in header]
    return f"its first line doesn't name {' and '.join(lacking)}" if lacking else ""


def _moment(row: dict[str, str]) -> datetime | None:
    """When a line was rated; None where it doesn't say so, or not as a date."""
    try:
        at = datetime.fromisoformat(row.get("rated_at", ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read(header: list[str], fields: list[str]) -> tuple[Rating | None, str]:
    """A line's rating, and what is wrong with it."""
    if len(fields) != len(header):
        return None, f"it has {len(fields)} fields, not {len(header)}, and is left out."
    row = {column: "" if value == NOT_AVAILABLE else plain(value) for column, value in zip(header, fields, strict=True)}
    rating = row["rating"].strip().lower()
    if not rating:
        return None, ""  # a note without a rating
    if rating not in RATINGS:
        return None, f"“{shortened(row['rating'])}” is none of pass, fail and unsure, and is left out."
    at, wrong = _moment(row), ""
    if at is None and row.get("rated_at"):
        wrong = f"“{shortened(row['rated_at'])}” is no date: the rating is taken as the rater's oldest."
    at = at or UNDATED
    state = RatedState(*(row.get(column, "").strip() for column in STATE))
    reasons = dict.fromkeys(filter(None, map(str.strip, row.get("reasons", "").split(","))))
    tractogram, rater = cell(row["tractogram"]), row["rater"].strip()
    return Rating(tractogram, rater, rating, row.get("note", ""), at, tuple(reasons), state), wrong


def shortened(text: str) -> str:
    """A text of a file as sentences quote it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
