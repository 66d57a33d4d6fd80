"""All participants' tractograms as rows, and the tables that BIDS asks for.

Rows are never held all at once: they are read from the cache, a session at a time, and compared with what is known of
their bundles.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from tractcap.files import write_text
from tractcap.records.check_sidecar import Value
from tractcap.records.sidecar_fields import DRAWN, MISSING, Variant
from tractcap.records.tables import write_tsv
from tractcap.reports.check_results import ColumnMeaning
from tractcap.reports.group_cache import Report, RowCache
from tractcap.reports.group_rows import COLUMNS, MEASURES, ComparedBundle, Row, Session, bundle_order, session_order
from tractcap.reports.outliers import Spread, spread
from tractcap.reports.participants_table import Groups
from tractcap.reports.picture_sets import distinguishing_entities
from tractcap.reports.ratings import TractogramRatings

TSV, DICTIONARY = "group_tractograms.tsv", "group_tractograms.json"
CHECKS_TSV, CHECKS_DICTIONARY = "group_checks.tsv", "group_checks.json"

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

Spreads = list[Spread | None]
"""Of each of the MEASURES, None where no value is known."""


@dataclass(frozen=True)
class GroupTable:
    """Everyone's tractograms and overviews, and what was ``left_out``, as sentences.

    ``sessions`` and ``bundles`` are sorted, with the numbers that the cache knows them by; ``everywhere`` has the
    bundles that are expected, by variant. ``spreads`` are those of a bundle in a group of participants, and where there
    are groups those in all, under None. ``check_columns`` are the columns of the table of checks and what they mean.
    ``entities`` set tractograms of a bundle apart.
    """

    cache: RowCache
    groups: Groups
    sessions: dict[int, Session]
    bundles: dict[int, ComparedBundle]
    everywhere: Mapping[Variant, set[ComparedBundle]]
    spreads: dict[ComparedBundle, dict[str | None, Spreads]]
    check_columns: dict[str, ColumnMeaning]
    entities: tuple[str, ...]
    left_out: list[str]

    def rows(self, report: Report = lambda _rows: None) -> Iterator[Row]:
        """All rows in their order, with outliers marked; bundles that are missing are among them."""
        for number, row in enumerate(chain.from_iterable(map(self._session_rows, self.sessions))):
            self._mark_outliers(row)
            report(number)
            yield row

    def overviews(self, session: int) -> list[Row]:
        """The overviews of a session, by its number."""
        return sorted(self.cache.overviews(session, self.sessions[session]), key=lambda row: row.order)

    def _session_rows(self, number: int) -> list[Row]:
        return _session_rows(self.cache, number, self.sessions, self.bundles, self.everywhere)

    def _mark_outliers(self, row: Row) -> None:
        row.group = self.groups.of(row.session.participant)
        if row.status == DRAWN:
            measured = zip(MEASURES, self.spreads[row.bundle][row.group], row.values, strict=True)
            row.outlying = tuple(
                at
                for at, (measure, about, value) in enumerate(measured)
                if measure.compared and about and value is not None and about.outlying(value)
            )


def read_table(cache: RowCache, groups: Groups, report: Report = lambda _rows: None) -> GroupTable:
    """Find what is common to the rows: sessions, bundles, and how the measures of each bundle are spread."""
    found = cache.bundles()
    bundles = dict(sorted(found.items(), key=lambda item: bundle_order(item[1])))
    sessions = dict(sorted(cache.sessions().items(), key=lambda item: session_order(item[1])))
    everywhere: dict[Variant, set[ComparedBundle]] = defaultdict(set)
    for session, bundle in cache.bundles_of_sessions():
        if sessions[session].participant:
            everywhere[bundles[bundle].variant].add(bundles[bundle])
    spreads = _spreads(cache, sessions, bundles, groups, report)
    entities = _entities(cache, sessions, bundles, everywhere)
    return GroupTable(
        cache, groups, sessions, bundles, everywhere, spreads, cache.check_columns(), entities, cache.left_out()
    )


def _session_rows(
    cache: RowCache,
    number: int,
    sessions: dict[int, Session],
    bundles: dict[int, ComparedBundle],
    everywhere: Mapping[Variant, set[ComparedBundle]],
) -> list[Row]:
    """A session's rows, sorted; bundles that other participants have, of the variants that it has, are missing.

    Folders without participants needn't hold the same.
    """
    rows, session = cache.rows(number, sessions, bundles), sessions[number]
    if session.participant:
        present: dict[Variant, set[ComparedBundle]] = defaultdict(set)
        for row in rows:
            present[row.bundle.variant].add(row.bundle)
        rows += [
            Row(session, bundle, "", MISSING)
            for variant, those in present.items()
            for bundle in everywhere[variant] - those
        ]
    return sorted(rows, key=lambda row: row.order)


def _spreads(
    cache: RowCache,
    sessions: dict[int, Session],
    bundles: dict[int, ComparedBundle],
    groups: Groups,
    report: Report,
) -> dict[ComparedBundle, dict[str | None, Spreads]]:
    """Of each bundle's drawn tractograms, by group; one bundle's values are held at a time."""
    numbers: dict[ComparedBundle, list[int]] = defaultdict(list)
    for number, bundle in bundles.items():
        numbers[bundle].append(number)
    spreads = {}
    for done, (bundle, of_one) in enumerate(numbers.items()):
        report(done)
        by_group: dict[str | None, list[list[float | None]]] = defaultdict(list)
        for session, status, values in chain.from_iterable(map(cache.values, of_one)):
            by_group[groups.of(sessions[session].participant)] += [values] if status == DRAWN else []
        if groups.column:
            by_group[None] = [values for of_group in by_group.values() for values in of_group]
        spreads[bundle] = {group: _spreads_of(drawn) for group, drawn in by_group.items()}
    return spreads


def _spreads_of(drawn: Sequence[Sequence[float | None]]) -> Spreads:
    measured = zip(*drawn, strict=True) if drawn else ((),) * len(MEASURES)
    return [spread(value for value in values if value is not None) for values in measured]


def _entities(
    cache: RowCache,
    sessions: dict[int, Session],
    bundles: dict[int, ComparedBundle],
    everywhere: Mapping[Variant, set[ComparedBundle]],
) -> tuple[str, ...]:
    """The entities that set tractograms of a bundle apart, in the order in which rows have them."""
    met: dict[ComparedBundle, None] = {}
    for session in sessions:
        met |= dict.fromkeys(row.bundle for row in _session_rows(cache, session, sessions, bundles, everywhere))
        if len(met) == len(set(bundles.values())):
            break
    return distinguishing_entities((bundle.key, bundle.variant) for bundle in met)


@cache
def column_meanings(entities: tuple[str, ...], group: str = "") -> Mapping[str, ColumnMeaning]:
    """The columns of the table of tractograms, and what they mean.

    Parameters
    ----------
    entities : that set tractograms of a bundle apart: their columns follow those of the bundle.
    group : the columns of participants.tsv within which values are compared, in words; empty where there are none.
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
    if group:
        what = f"Of the participant, the values of {group} in participants.tsv: values are compared within it"
        apart["group"] = {"LongName": group, "Description": what}
    return {name: COLUMNS[name] for name in first} | apart | COLUMNS


def column_of(entity: str) -> str:
    """The column of an entity."""
    return f"entity_{entity}" if entity in COLUMNS else entity


def write_tractograms(
    output: Path, table: GroupTable, rows: Iterable[Row], ratings: Callable[[Row], TractogramRatings]
) -> None:
    """Write the table of tractograms and its data dictionary.

    Parameters
    ----------
    rows : those of the table, which are written as they come.
    ratings : the ratings of a row's tractogram.
    """
    meanings = column_meanings(table.entities, table.groups.column)
    lines = (
        _identity(row, table.entities)
        | {
            "bundle_name": row.bundle.readable,
            "hemisphere": row.bundle.hemisphere,
            "group": row.group,
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
        for row in rows
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
    """Write the table of all checks' measures, a line for each checked tractogram, and its data dictionary."""
    lines = (
        _identity(row, table.entities) | table.cache.check_values(row.checks)
        for row in table.rows(report)
        if row.checks
    )
    identity = ("participant_id", "session_id", "bundle", *map(column_of, table.entities), "tractogram")
    meanings = {name: column_meanings(table.entities)[name] for name in identity} | table.check_columns
    write_tsv(output / CHECKS_TSV, meanings, ([line.get(name) for name in meanings] for line in lines))
    write_dictionary(output / CHECKS_DICTIONARY, meanings)


def write_dictionary(path: Path, meanings: Mapping[str, ColumnMeaning]) -> None:
    """Write what a table's columns mean, as the JSON file beside it."""
    write_text(path, json.dumps(meanings, indent=2, ensure_ascii=False) + "\n")
