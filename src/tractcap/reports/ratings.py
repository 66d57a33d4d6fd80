"""Ratings that people exported from the participants' pages: read, merged, compared."""

import os
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.records.ratings_file import ENDING, RATINGS, UNKNOWN_STATE, RatedState, Rating, load, shortened, time_text
from tractcap.records.tables import NOT_AVAILABLE, cell
from tractcap.records.tractogram_sidecar import DrawnRecord, TractogramRecord

MIXED, OUTDATED = "mixed", "outdated"


@dataclass(frozen=True, slots=True)
class TractogramRatings:
    """The ratings of a tractogram: those of its ``present`` state, and ``outdated`` ones, of another file."""

    present: tuple[Rating, ...] = ()
    outdated: tuple[Rating, ...] = ()

    @property
    def consensus(self) -> str:
        """The one rating that all gave, ``mixed`` where they differ, ``outdated`` or ``n/a`` where none is of now."""
        given = {rating.rating for rating in self.present}
        return MIXED if len(given) > 1 else next(iter(given), OUTDATED if self.outdated else NOT_AVAILABLE)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What any of those of now gave as a reason."""
        return tuple(dict.fromkeys(reason for rating in self.present for reason in rating.reasons))


_UNRATED = TractogramRatings()


@dataclass
class Ratings:
    """Each rater's last rating by tractogram, the ``problems`` met as sentences, and how many ``files`` there were."""

    by_tractogram: dict[str, dict[str, Rating]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[str] = field(default_factory=list)
    files: int = 0

    def of(self, tractogram: str, now: RatedState = UNKNOWN_STATE) -> TractogramRatings:
        """Those of a tractogram that is in the state ``now``, in the order of the raters' names."""
        if not self.by_tractogram:
            return _UNRATED
        given = sorted(self.by_tractogram.get(cell(tractogram), {}).values(), key=lambda rating: rating.rater)
        outdated = tuple(rating for rating in given if rating.of_another_file(now))
        return TractogramRatings(tuple(rating for rating in given if rating not in outdated), outdated)

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


def state_of(record: TractogramRecord) -> RatedState:
    """Which state of a tractogram a record is of."""
    size, modified = (*record.source_bytes, 0)[0], (*record.source_modified, 0)[0]
    pictures = record.pictures_sha256 if isinstance(record, DrawnRecord) else None
    version = next((program.version for program in record.generated_by), "")
    if not modified:
        return RatedState(pictures=pictures or "", version=version)
    return RatedState(str(size), time_text(modified), pictures or "", version)


def read_ratings(output: Path, tractograms: Container[str]) -> Ratings:
    """Merge every ``*_desc-ratings.tsv`` below the output; ``tractograms`` are known, by their paths in tables."""
    merged = Ratings()
    for path in files_below(output, ENDING):
        name = path.relative_to(output).as_posix()
        try:
            found = load(path, name)
        except FileNotFoundError:
            continue  # gone meanwhile
        except RecordError as error:
            merged.problems.append(f"{name} holds no ratings that can be read: {error.why}.")
        else:
            merged.problems += found.problems
            for line, rating in found.ratings:
                if rating.tractogram in tractograms:
                    merged.add(rating)
                else:
                    what = f"no tractogram here is called “{shortened(rating.tractogram)}”: the rating is left out."
                    merged.problems.append(f"{name}, line {line}: {what}")
        merged.files += 1
    return merged


def agreements(all_ratings: Iterable[Sequence[Rating]]) -> list[Agreement]:
    """Of each pair of raters who have tractograms in common, in the order of their names."""
    pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for ratings in all_ratings:
        for one, other in combinations(sorted(ratings, key=lambda rating: rating.rater), 2):
            pairs[one.rater, other.rater][one.rating, other.rating] += 1
    agreements = []
    for raters, counts in sorted(pairs.items()):
        common = counts.total()
        same = sum(counts[rating, rating] for rating in RATINGS)
        by_chance = sum(
            sum(counts[rating, other] for other in RATINGS) * sum(counts[other, rating] for other in RATINGS)
            for rating in RATINGS
        )
        kappa = None if by_chance == common**2 else (same * common - by_chance) / (common**2 - by_chance)
        agreements.append(Agreement(raters, common, same / common, kappa))
    return agreements


def files_below(output: Path, ending: str) -> Iterator[Path]:
    """What ends so anywhere below a folder, in no hidden one."""
    for at, folders, names in os.walk(output):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at, name) for name in sorted(names + folders) if name.endswith(ending) and name[0] != ".")
