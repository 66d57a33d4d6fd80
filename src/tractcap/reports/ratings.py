"""Ratings that people exported from the participants' pages: read, merged, compared."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

ENDING = "_desc-ratings.tsv"
PASS, FAIL, UNSURE = "pass", "fail", "unsure"
RATINGS = (PASS, FAIL, UNSURE)
MIXED = "mixed"
NOT_AVAILABLE = "n/a"

_NEEDED = ("tractogram", "rating", "rater")
_LONGEST = 60
_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rating:
    """What a rater said of a tractogram; ``at`` decides which of a rater's is the last."""

    tractogram: str
    rater: str
    rating: str
    note: str
    at: datetime


@dataclass
class Ratings:
    """Each rater's last rating by tractogram, the ``problems`` met as sentences, and how many ``files`` there were."""

    by_tractogram: dict[str, dict[str, Rating]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[str] = field(default_factory=list)
    files: int = 0

    def of(self, tractogram: str) -> list[Rating]:
        """Those of a tractogram, in the order of the raters' names."""
        return sorted(self.by_tractogram.get(cell(tractogram), {}).values(), key=lambda one: one.rater)

    def add(self, rating: Rating) -> None:
        """Take a rating, unless the same rater's that is there is newer."""
        before = self.by_tractogram[rating.tractogram].get(rating.rater)
        if before is None or before.at <= rating.at:
            self.by_tractogram[rating.tractogram][rating.rater] = rating


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two raters agree on the ``common`` tractograms that both rated; ``kappa`` is Cohen's (1960)."""

    raters: tuple[str, str]
    common: int
    same: float
    kappa: float | None


def cell(text: str) -> str:
    """A text as it stands in a table, and as the pages write it: on one line, without tabs, in Unicode."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub(" ", text)).strip()


def consensus(ratings: Sequence[Rating]) -> str:
    """The one rating that all gave, ``mixed`` where they differ, ``n/a`` where there is none."""
    given = {one.rating for one in ratings}
    return MIXED if len(given) > 1 else next(iter(given), NOT_AVAILABLE)


def read_ratings(output: Path, tractograms: Collection[str]) -> Ratings:
    """Merge every ``*_desc-ratings.tsv`` below the output; ``tractograms`` are those that are known."""
    known, merged = {cell(name) for name in tractograms}, Ratings()
    for path in _files(output):
        name = path.relative_to(output).as_posix()
        merged.files += 1
        try:
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
                _merge(_lines(lines), name, known, merged)
        except OSError as error:
            merged.problems.append(f"{name} can't be read: {error.strerror}.")
    return merged


def agreements(all_ratings: Iterable[Sequence[Rating]]) -> list[Agreement]:
    """Of each pair of raters who have tractograms in common, in the order of their names."""
    pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for ratings in all_ratings:
        for one, other in combinations(sorted(ratings, key=lambda rating: rating.rater), 2):
            pairs[one.rater, other.rater][one.rating, other.rating] += 1
    return [_agreement(raters, counts) for raters, counts in sorted(pairs.items())]


def _agreement(raters: tuple[str, str], counts: Counter[tuple[str, str]]) -> Agreement:
    common = counts.total()
    same = sum(counts[rating, rating] for rating in RATINGS)
    by_chance = sum(
        sum(counts[rating, other] for other in RATINGS) * sum(counts[other, rating] for other in RATINGS)
        for rating in RATINGS
    )
    kappa = None if by_chance == common**2 else (same * common - by_chance) / (common**2 - by_chance)
    return Agreement(raters, common, same / common, kappa)


def _files(output: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(output):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at, name) for name in sorted(names) if name.endswith(ENDING) and not name.startswith("."))


def _lines(file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Numbered lines as fields; empty ones are left out."""
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line.rstrip("\r\n").split("\t")


def _merge(lines: Iterator[tuple[int, list[str]]], name: str, known: Collection[str], merged: Ratings) -> None:
    _, header = next(lines, (0, []))
    if lacking := [column for column in _NEEDED if column not in header]:
        which = " and ".join(lacking)
        merged.problems.append(f"{name} holds no ratings that can be read: its first line doesn't name {which}.")
        return
    for number, fields in lines:
        problem = _take(header, fields, known, merged)
        if problem:
            merged.problems.append(f"{name}, line {number}: {problem}")


def _take(header: list[str], fields: list[str], known: Collection[str], merged: Ratings) -> str:
    """Add a line's rating; return what is wrong with it."""
    if len(fields) != len(header):
        return f"it has {len(fields)} fields, not {len(header)}, and is left out."
    row = {column: "" if value == NOT_AVAILABLE else value for column, value in zip(header, fields, strict=True)}
    rating = row["rating"].strip().lower()
    if not rating:
        return ""  # a note without a rating
    if rating not in RATINGS:
        return f"“{_short(row['rating'])}” is none of pass, fail and unsure, and is left out."
    tractogram = cell(row["tractogram"])
    if tractogram not in known:
        return f"no tractogram here is called “{_short(tractogram)}”: the rating is left out."
    at = _moment(row)
    merged.add(Rating(tractogram, row["rater"].strip(), rating, row.get("note", ""), at or _UNDATED))
    return "" if at else f"“{_short(row['rated_at'])}” is no date: the rating is taken as the rater's oldest."


def _moment(row: Mapping[str, str]) -> datetime | None:
    """When a row was rated; long ago where that isn't told, None where it can't be understood."""
    try:
        moment = datetime.fromisoformat(row["rated_at"]) if row.get("rated_at") else _UNDATED
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
