"""The page and the tables of everyone: what the participants' JSON files tell, side by side."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tractcap.files import write_text, write_whole
from tractcap.records.identity import STATUSES as MEANINGS
from tractcap.records.ratings import NOT_AVAILABLE, RATINGS, Rating, cell
from tractcap.reports.check_results import checked, values
from tractcap.reports.collect import in_words
from tractcap.reports.formatting import href, render
from tractcap.reports.group_table import (
    MEASURES,
    ComparedBundle,
    Row,
    Table,
    Unit,
    as_tsv,
    column_of,
    dictionary,
    meanings,
    read_table,
)
from tractcap.reports.outliers import DEVIATIONS, FEWEST, NORMAL, Spread
from tractcap.reports.ratings import MIXED, Ratings, agreements, consensus, read_ratings

PAGE, TSV, DICTIONARY = "group.html", "group_tractograms.tsv", "group_tractograms.json"
CHECKS_TSV, CHECKS_DICTIONARY = "group_checks.tsv", "group_checks.json"

_MOST_TOLD = 200
"""Sentences and disagreements that the page lists; more are counted."""

_GIVEN = (*RATINGS, MIXED)
STATUSES = tuple(MEANINGS)


def group(output: Path, report: Callable[[int], None] = lambda _rows: None) -> list[Path]:
    """Write the table, its data dictionary and the page from the participants' records.

    Parameters
    ----------
    report : is called now and then as a sign of life.

    Returns the files' paths; none when no tractogram is told of.

    Raises
    ------
    OSError
        When they can't be written.
    """
    table = read_table(output, report)
    if not table.rows:
        return []
    ratings = read_ratings(output, {row.tractogram for row in table.rows if row.tractogram})
    write_text(output / TSV, as_tsv(table, ratings.of))
    write_text(output / DICTIONARY, dictionary(table.entities))
    checks = _checks(output, table, report)
    write_text(output / PAGE, _page(output, table, ratings))
    return [output / name for name in (TSV, DICTIONARY, PAGE, *checks)]


def _checks(output: Path, table: Table, report: Callable[[int], None]) -> list[str]:
    """Write the table of all checks' measures, a line for each checked tractogram, and what its columns mean.

    Its values are read again from the checks' files, and never held whole.
    """
    told = table.columns
    if not told:
        return []
    whose_columns = (*_WHOSE[:-1], *map(column_of, table.entities), _WHOSE[-1])

    def write(file: BinaryIO) -> None:
        file.write(("\t".join(map(cell, [*whose_columns, *told])) + "\n").encode())
        for number, row in enumerate(row for row in table.rows if row.made):
            report(number)
            if row.made and (found := dict(values(checked(output, row.made)))):
                whose = (row.unit.participant_id, row.unit.session_id, row.bundle.key)
                apart = (_text(dict(row.bundle.variant).get(name)) for name in table.entities)
                measured = (_text(found.get(name)) for name in told)
                line = [cell(one) for one in (*whose, *apart, row.tractogram, *measured)]
                file.write(("\t".join(line) + "\n").encode(errors="backslashreplace"))

    write_whole(output / CHECKS_TSV, write)
    meant = meanings(table.entities)
    whose = {name: meant[name] for name in whose_columns}
    write_text(output / CHECKS_DICTIONARY, json.dumps({**whose, **told}, indent=2, ensure_ascii=False) + "\n")
    return [CHECKS_TSV, CHECKS_DICTIONARY]


def _text(value: Any) -> str:
    return NOT_AVAILABLE if value is None else str(value)


_WHOSE = ("participant_id", "session_id", "bundle", "tractogram")


def _page(output: Path, table: Table, ratings: Ratings) -> str:
    units = list(dict.fromkeys(row.unit for row in table.rows))
    return render(
        "group.html",
        data=_data(output, table, ratings, units),
        numbers=_numbers(table, units),
        rated=_rated(output, table, ratings),
        left_out=_some(table.left_out),
        rule={"deviations": f"{DEVIATIONS:g}", "normal": NORMAL, "fewest": FEWEST},
        table=TSV,
        dictionary=DICTIONARY,
        checks_table=CHECKS_TSV,
        statuses=MEANINGS,
    )


def _numbers(table: Table, units: Sequence[Unit]) -> dict[str, Any]:
    """What stands on top of the page."""
    return {
        "participants": len({unit.participant for unit in units if unit.participant}),
        "sessions": len({(unit.participant, unit.session) for unit in units if unit.session}),
        "folders": sum(not unit.participant for unit in units),
        "bundles": len({bundle.key for bundle in table.spreads}),
        "tractograms": sum(bool(row.tractogram) for row in table.rows),
        "outlying": sum(bool(row.outlying) for row in table.rows),
        "checked": sum(row.flags is not None for row in table.rows),
        "flagged": sum(bool(row.flags) for row in table.rows),
        "flags": Counter(name for row in table.rows for name in row.flags or ()).most_common(),
        "statuses": Counter(row.status for row in table.rows),
    }


def _data(output: Path, table: Table, ratings: Ratings, units: Sequence[Unit]) -> dict[str, Any]:
    """The rows as columns, for the page's script: 25,000 rows are some megabytes."""
    rows, bundles = table.rows, list(table.spreads)
    places = {unit: at for at, unit in enumerate(units)}
    folders, endings, flags = _Places(), _Places(), _Places()
    return {
        "normal": NORMAL,
        "deviations": DEVIATIONS,
        "fewest": FEWEST,
        "header": "\t".join(meanings(table.entities)),
        "entities": table.entities,
        "statuses": STATUSES,
        "ratings": _GIVEN,
        "rated": bool(ratings.by_tractogram),
        "measures": [
            {"column": one.column, "name": one.name, "unit": one.unit, "compared": one.compared} for one in MEASURES
        ],
        "units": _units(output, units),
        "bundles": {
            "key": [cell(bundle.key) for bundle in bundles],
            "name": [_bundle_name(bundle, table.entities) for bundle in bundles],
            "plain": [cell(bundle.readable) for bundle in bundles],
            "apart": [[cell(dict(bundle.variant).get(name, "")) for name in table.entities] for bundle in bundles],
            "hemisphere": [bundle.hemisphere for bundle in bundles],
        },
        "spreads": [[_spread(one) for one in table.spreads[bundle]] for bundle in bundles],
        "rows": {
            "unit": [places[row.unit] for row in rows],
            **_column(rows, bundles, flags),
            "folder": [folders.of(href(row.stem.rpartition("/")[0] + "/") if row.stem else "") for row in rows],
            "stem": [href(row.stem.rpartition("/")[2]) for row in rows],
            "endings": [endings.of(row.pictures) for row in rows],
            "rating": [_rating(ratings.of(row.tractogram)) for row in rows],
            "raters": [len(ratings.of(row.tractogram)) for row in rows],
        },
        "why": {at: row.why for at, row in enumerate(rows) if row.why},
        "folders": list(folders),
        "endings": list(endings),
        "flags": list(flags),
        "overviews": _overviews(output, table, places),
    }


def _bundle_name(bundle: ComparedBundle, entities: Sequence[str]) -> str:
    """The bundle's name, and what sets it apart."""
    return cell(", ".join(filter(None, (bundle.readable, in_words(bundle.variant, entities)))))


def _column(rows: Sequence[Row], bundles: Sequence[Any], flags: "_Places") -> dict[str, Any]:
    places = {bundle: at for at, bundle in enumerate(bundles)}
    return {
        "bundle": [places[row.bundle] for row in rows],
        "status": [STATUSES.index(row.status) for row in rows],
        "tractogram": [cell(row.tractogram) for row in rows],
        "anchor": [row.anchor if row.tractogram else "" for row in rows],
        "values": [[_short(row.values[at]) for row in rows] for at in range(len(MEASURES))],
        "outlying": [sum(1 << at for at in row.outlying) for row in rows],
        "warnings": [row.warnings for row in rows],
        "flags": [flags.of(row.flags) for row in rows],
    }


class _Places:
    """Numbers values as they are met."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        return self._places.setdefault(value, len(self._places))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._places)


def _units(output: Path, units: Sequence[Unit]) -> dict[str, list[str]]:
    return {
        "name": [cell(unit.name) for unit in units],
        "participant": [unit.participant_id for unit in units],
        "session": [unit.session_id for unit in units],
        "page": [_linked(output, unit) for unit in units],
    }


def _linked(output: Path, unit: Unit) -> str:
    """The participant's page, if it has been written."""
    name = f"{unit.participant_id}.html" if unit.participant else "index.html"
    return href(name) if (output / name).is_file() else ""


def _overviews(output: Path, table: Table, places: dict[Unit, int]) -> dict[int, list[list[str]]]:
    """Of each unit the pages and pictures of all its bundles, one of each variant, and what sets them apart."""
    found: dict[int, list[list[str]]] = {}
    for row in table.overviews:
        if row.pictures and row.unit in places:
            page, apart = _linked(output, row.unit), cell(in_words(row.bundle.variant, table.entities))
            told = [page and f"{page}#{row.overview_anchor}", href(row.stem + row.pictures[-1]), apart]
            found.setdefault(places[row.unit], []).append(told)
    return found


def _spread(about: Spread | None) -> list[Any] | None:
    return None if about is None else [about.count, _short(about.median), _short(about.mad), int(about.marks)]


def _short(value: float | None) -> float | None:
    """Six digits are enough to look at."""
    return value if value is None or isinstance(value, int) else float(f"{value:.6g}")


def _rating(ratings: Sequence[Rating]) -> int:
    return _GIVEN.index(consensus(ratings)) if ratings else -1


def _rated(output: Path, table: Table, ratings: Ratings) -> dict[str, Any]:
    """What the page tells of the raters."""
    rated = [(row, given) for row in table.rows if row.tractogram and (given := ratings.of(row.tractogram))]
    apart = [_apart(output, row, given) for row, given in rated if consensus(given) == MIXED]
    raters = Counter((one.rater, one.rating) for _, given in rated for one in given)
    names = sorted({name for name, _ in raters})
    return {
        "files": ratings.files,
        "tractograms": len(rated),
        "raters": [(name, [raters[name, rating] for rating in RATINGS]) for name in names],
        "ratings": RATINGS,
        "agreements": agreements(given for _, given in rated),
        "apart": _some(apart),
        "problems": _some(ratings.problems),
    }


def _apart(output: Path, row: Row, given: Sequence[Rating]) -> dict[str, Any]:
    page = _linked(output, row.unit)
    link = page and f"{page}#{row.anchor}"
    return {"unit": row.unit.name, "bundle": row.bundle.readable, "link": link, "ratings": given}


def _some(items: Sequence[Any]) -> dict[str, Any]:
    """The first of many, and how many there are."""
    return {"first": list(items[:_MOST_TOLD]), "all": len(items), "more": max(0, len(items) - _MOST_TOLD)}
