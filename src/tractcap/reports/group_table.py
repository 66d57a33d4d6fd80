"""All participants' tractograms as rows, and the tables that BIDS asks for."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import attrgetter
from pathlib import Path
from sys import intern
from typing import Any, TypeVar

from tractcap.files import write_text
from tractcap.records.check_sidecar import DONE, Value
from tractcap.records.ratings_file import UNKNOWN_STATE, RatedState
from tractcap.records.sidecar_fields import DRAWN, MISSING, STATUSES, Variant
from tractcap.records.tables import NOT_AVAILABLE, write_tsv
from tractcap.records.tractogram_sidecar import DrawnRecord
from tractcap.reports.check_results import ColumnMeaning, columns, read_checks
from tractcap.reports.formatting import read_toml
from tractcap.reports.outliers import Spread, spread
from tractcap.reports.picture_sets import CheckFiles, PictureSet, distinguishing_entities, picture_sets
from tractcap.reports.ratings import TractogramRatings, state_of

TSV, DICTIONARY = "group_tractograms.tsv", "group_tractograms.json"
CHECKS_TSV, CHECKS_DICTIONARY = "group_checks.tsv", "group_checks.json"

Report = Callable[[int], None]
"""Is called now and then with a count, as a sign of life."""

_T = TypeVar("_T")

_ENTITIES = {
    "acq": "acquisition",
    "desc": "processing",
    "run": "run",
    "model": "diffusion model",
    "rec": "reconstruction",
    "space": "space",
    "tool": "tool that made it",
    "dataset": "dataset that holds it",
    "track": "tracking method",
}
"""What an entity of a path says of a tractogram."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of every tractogram: the table's column, its name and unit, and the ``field`` of the record that has it.

    Outliers are marked in those that are ``compared``.
    """

    column: str
    name: str
    unit: str
    field: str
    compared: bool


_TABLE = read_toml("group_columns.toml")

MEASURES = tuple(
    Measure(name, about["LongName"], about.get("Units", ""), about["field"], about.get("compared", True))
    for name, about in _TABLE.items()
    if "field" in about
)

COLUMNS: dict[str, ColumnMeaning] = {
    name: {key: meaning for key, meaning in about.items() if key not in ("field", "compared")}
    | ({"Levels": STATUSES} if name == "status" else {})
    for name, about in _TABLE.items()
}
"""The columns, and what they mean."""


@dataclass(frozen=True, slots=True, order=True)
class Session:
    """What bundles are expected in: a participant's session, or, where there are no participants, a folder.

    ``participant`` and ``label`` are without ``sub-`` and ``ses-``.
    """

    participant: str
    label: str
    folder: str = ""

    @property
    def name(self) -> str:
        """What the page calls it."""
        labels = [label for label in (self.participant_id, self.session_id) if label != NOT_AVAILABLE]
        return " ".join(labels) or (self.folder if self.folder != "." else "") or "top folder"

    @property
    def participant_id(self) -> str:
        """The participant as in a BIDS table."""
        return f"sub-{self.participant}" if self.participant else NOT_AVAILABLE

    @property
    def session_id(self) -> str:
        """The session as in a BIDS table."""
        return f"ses-{self.label}" if self.label else NOT_AVAILABLE


@dataclass(frozen=True, slots=True)
class ComparedBundle:
    """What is compared between participants: a bundle's tractograms of one variant, such as run or model."""

    key: str
    readable: str
    hemisphere: str
    variant: Variant = ()


@dataclass(slots=True)
class Row:
    """A tractogram, an overview, or a bundle that a session lacks.

    ``values`` are in the order of MEASURES, ``outlying`` has the places of outliers among them. The pictures are the
    files ``{stem}{picture}``, POSIX paths below the output, the mosaic last; ``anchor`` is the id of the card on the
    participant's page. ``flags`` are the rules that its checks break, None where it was not checked.
    """

    session: Session
    bundle: ComparedBundle
    tractogram: str
    status: str
    values: tuple[float | None, ...] = (None,) * len(MEASURES)
    warnings: int | None = None
    why: str = ""
    stem: str = ""
    pictures: tuple[str, ...] = ()
    anchor: str = ""
    outlying: tuple[int, ...] = ()
    checks: CheckFiles | None = None
    flags: tuple[str, ...] | None = None
    state: RatedState = UNKNOWN_STATE


@dataclass(frozen=True)
class GroupTable:
    """Everyone's tractograms and overviews, sorted, and what was ``left_out``, as sentences.

    ``spreads`` are those of each bundle's measures, None where none is known. ``check_columns`` are the columns of the
    table of checks and what they mean. ``entities`` set tractograms of a bundle apart.
    """

    rows: list[Row]
    overviews: list[Row]
    spreads: dict[ComparedBundle, list[Spread | None]]
    check_columns: dict[str, ColumnMeaning]
    entities: tuple[str, ...]
    left_out: list[str]


def read_table(output: Path, report: Report = lambda _rows: None) -> GroupTable:
    """Read the records one by one and keep only their numbers; bundles that are missing get rows too."""
    rows: list[Row] = []
    overviews: list[Row] = []
    left_out: list[str] = []
    bundles: dict[tuple[str, Variant], ComparedBundle] = {}
    kept: dict[Any, Any] = {}

    def once(value: _T) -> _T:
        """The first value that was equal: what many rows have in common is kept once."""
        return kept.setdefault(value, value)  # type: ignore[no-any-return]

    for picture_set in picture_sets(output, left_out=left_out):
        row = _row(picture_set, once)
        row.bundle = bundles.setdefault((row.bundle.key, row.bundle.variant), row.bundle)
        (overviews if picture_set.overview else rows).append(row)
        report(len(rows))

    check_columns: dict[str, ColumnMeaning] = {}
    for number, row in enumerate(rows):
        report(number)
        results = read_checks(output, row.checks) if row.checks else []
        if any(result.record.status == DONE for result in results):
            row.flags = tuple(intern(flag.name) for result in results for flag in result.record.flags)
        for name, meaning, _ in columns(results):
            check_columns.setdefault(name, meaning)

    rows = sorted(rows + _missing(rows), key=_order)
    entities = distinguishing_entities((row.bundle.key, row.bundle.variant) for row in rows)
    return GroupTable(rows, sorted(overviews, key=_order), _mark_outliers(rows), check_columns, entities, left_out)


def _row(picture_set: PictureSet, once: Callable[[Any], Any]) -> Row:
    record = picture_set.record
    row = Row(
        once(
            Session(
                record.participant,
                record.session,
                "" if record.participant else str(Path(picture_set.folder).parent),
            )
        ),
        ComparedBundle(record.bundle.key, record.bundle.readable, record.bundle.hemisphere, once(picture_set.variant)),
        picture_set.source,
        record.status,
        warnings=0,
        why=picture_set.why,
        anchor=picture_set.anchor,
        state=state_of(record),
    )
    if record.pictures:
        stem = record.pictures[0].rpartition("_")[0]
        row.stem = f"{picture_set.folder}/{stem}" if picture_set.folder else stem
        row.pictures = once(tuple(name.removeprefix(stem) for name in record.pictures if name.startswith(stem)))
    if isinstance(record, DrawnRecord):
        row.values = tuple(attrgetter(measure.field)(record) for measure in MEASURES)
        row.warnings = len(record.notes)
        row.checks = picture_set.check_files if picture_set.checks else None
    return row


def _missing(rows: Iterable[Row]) -> list[Row]:
    """Bundles that other participants have, of the variants that a session has.

    Folders without participants needn't hold the same.
    """
    by_session: dict[Session, dict[Variant, set[ComparedBundle]]] = defaultdict(lambda: defaultdict(set))
    everywhere: dict[Variant, set[ComparedBundle]] = defaultdict(set)
    for row in rows:
        if row.session.participant:
            by_session[row.session][row.bundle.variant].add(row.bundle)
            everywhere[row.bundle.variant].add(row.bundle)
    return [
        Row(session, bundle, "", MISSING)
        for session, variants in by_session.items()
        for variant, present in variants.items()
        for bundle in everywhere[variant] - present
    ]


def _mark_outliers(rows: Sequence[Row]) -> dict[ComparedBundle, list[Spread | None]]:
    """Mark the outliers among the drawn tractograms of every bundle, and return the spread of each measure."""
    by_bundle: dict[ComparedBundle, list[Row]] = defaultdict(list)
    for row in rows:
        by_bundle[row.bundle].append(row)
    spreads = {}
    for bundle in sorted(by_bundle, key=lambda bundle: (natural(bundle.key), bundle.variant)):
        drawn = [row for row in by_bundle[bundle] if row.status == DRAWN]
        values = zip(*(row.values for row in drawn), strict=True) if drawn else ((),) * len(MEASURES)
        spreads[bundle] = [spread(value for value in column if value is not None) for column in values]
        for row in drawn:
            measured = zip(MEASURES, spreads[bundle], row.values, strict=True)
            row.outlying = tuple(
                at
                for at, (measure, about, value) in enumerate(measured)
                if measure.compared and about and value is not None and about.outlying(value)
            )
    return spreads


def _order(row: Row) -> tuple[Any, ...]:
    session = row.session
    names = (session.participant, session.label, session.folder, row.bundle.key)
    return (*map(natural, names), row.bundle.variant, row.tractogram, row.stem)


@lru_cache(maxsize=4096)
def natural(text: str) -> tuple[Any, ...]:
    """A sort key of a text: numbers in it by their value, however long they are, then the text itself."""
    parts: list[Any] = re.split("([0-9]+)", text.casefold())
    for at in range(1, len(parts), 2):
        digits = parts[at].lstrip("0")
        parts[at] = (len(digits), digits)
    return tuple(parts), text


@cache
def column_meanings(entities: tuple[str, ...]) -> Mapping[str, ColumnMeaning]:
    """The columns of the table of tractograms, and what they mean.

    Parameters
    ----------
    entities : that set tractograms of a bundle apart: their columns follow those of the bundle.
    """
    apart: dict[str, ColumnMeaning] = {
        column_of(name): {
            "LongName": name,
            "Description": f"{_ENTITIES.get(name, name).capitalize()}, as the tractogram's path says. It sets "
            "tractograms of a bundle apart: only those that have the same are compared",
        }
        for name in entities
    }
    first = ("participant_id", "session_id", "bundle", "bundle_name", "hemisphere")
    return {name: COLUMNS[name] for name in first} | apart | COLUMNS


def column_of(entity: str) -> str:
    """The column of an entity."""
    return f"entity_{entity}" if entity in COLUMNS else entity


def write_tractograms(output: Path, table: GroupTable, ratings: Callable[[Row], TractogramRatings]) -> None:
    """Write the table of tractograms and its data dictionary.

    Parameters
    ----------
    ratings : the ratings of a row's tractogram.
    """
    meanings = column_meanings(table.entities)
    lines = (
        _identity(row, table.entities)
        | {
            "bundle_name": row.bundle.readable,
            "hemisphere": row.bundle.hemisphere,
            "status": row.status,
            **{measure.column: value for measure, value in zip(MEASURES, row.values, strict=True)},
            "warnings": row.warnings,
            "outlier": ",".join(MEASURES[at].column for at in row.outlying),
            "flags": None if row.flags is None else ",".join(row.flags) or "none",
            "rating": given.consensus,
            "reasons": ",".join(given.reasons),
            "raters": len(given.present),
            "outdated_ratings": len(given.outdated),
        }
        for row in table.rows
        for given in [ratings(row)]
    )
    write_tsv(output / TSV, meanings, ([line[name] for name in meanings] for line in lines))
    write_dictionary(output / DICTIONARY, meanings)


def _identity(row: Row, entities: Sequence[str]) -> dict[str, Value]:
    variant = dict(row.bundle.variant)
    return {
        "participant_id": row.session.participant_id,
        "session_id": row.session.session_id,
        "bundle": row.bundle.key,
        **{column_of(name): variant.get(name) for name in entities},
        "tractogram": row.tractogram,
    }


def write_checks(output: Path, table: GroupTable, report: Report) -> None:
    """Write the table of all checks' measures, a line for each checked tractogram, and its data dictionary.

    The records of the checks are read again, one tractogram's at a time, so that they are never held all at once.
    """

    def lines() -> Iterator[dict[str, Value]]:
        for number, row in enumerate(row for row in table.rows if row.checks):
            report(number)
            if row.checks and (results := read_checks(output, row.checks)):
                measured: dict[str, Value] = {
                    name: None if value is None else str(value) for name, _, value in columns(results)
                }
                yield _identity(row, table.entities) | measured

    identity = ("participant_id", "session_id", "bundle", *map(column_of, table.entities), "tractogram")
    meanings = {name: column_meanings(table.entities)[name] for name in identity} | table.check_columns
    write_tsv(output / CHECKS_TSV, meanings, ([line.get(name) for name in meanings] for line in lines()))
    write_dictionary(output / CHECKS_DICTIONARY, meanings)


def write_dictionary(path: Path, meanings: Mapping[str, ColumnMeaning]) -> None:
    """Write what a table's columns mean, as the JSON file beside it."""
    write_text(path, json.dumps(meanings, indent=2, ensure_ascii=False) + "\n")
