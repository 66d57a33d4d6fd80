"""``*_desc-ratings.tsv``: ratings that people exported from the participants' pages, or made in a spreadsheet."""

import codecs
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import read_bytes
from tractcap.records.tables import NOT_AVAILABLE, cell

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
    numbered = enumerate(io.StringIO(text, newline=""), 1)
    lines = ((number, line.rstrip("\r\n").split("\t")) for number, line in numbered if line.strip())
    _, header = next(lines, (0, []))
    if lacking := [column for column in _NEEDED if column not in header]:
        raise RecordError(path, f"its first line doesn't name {' and '.join(lacking)}")
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
    at, wrong = UNDATED, ""
    if moment := row.get("rated_at"):
        try:
            at = datetime.fromisoformat(moment)
        except ValueError:
            wrong = f"“{shortened(moment)}” is no date: the rating is taken as the rater's oldest."
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    state = RatedState(*(row.get(column, "").strip() for column in STATE))
    reasons = dict.fromkeys(filter(None, map(str.strip, row.get("reasons", "").split(","))))
    tractogram, rater = cell(row["tractogram"]), row["rater"].strip()
    return Rating(tractogram, rater, rating, row.get("note", ""), at, tuple(reasons), state), wrong


def shortened(text: str) -> str:
    """A text of a file as sentences quote it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
