"""The page of all participants, made of the records beside the pictures, and the tables beside it."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path

from tractcap.files import write_text
from tractcap.records.rating_reasons import in_use
from tractcap.records.ratings_file import RATINGS, Rating
from tractcap.records.sidecar_fields import STATUSES as MEANINGS
from tractcap.records.tables import cell
from tractcap.reports.follow_up import write_follow_up
from tractcap.reports.formatting import href, render
from tractcap.reports.group_table import (
    CHECKS_DICTIONARY,
    CHECKS_TSV,
    DICTIONARY,
    MEASURES,
    TSV,
    GroupTable,
    Row,
    Session,
    column_meanings,
    read_table,
    write_checks,
    write_tractograms,
)
from tractcap.reports.outliers import DEVIATIONS, FEWEST, NORMAL
from tractcap.reports.picture_sets import in_words
from tractcap.reports.qc_studio import read_qc_status, write_qc_studio
from tractcap.reports.ratings import MIXED, OUTDATED, Ratings, TractogramRatings, agreements, read_ratings

PAGE = "group.html"

_MOST_LISTED = 200
"""Sentences and disagreements that the page lists; more are counted."""

_CONSENSUS = (*RATINGS, MIXED, OUTDATED)
STATUSES = tuple(MEANINGS)


def write_group_page(output: Path, report: Callable[[int], None] = lambda _rows: None) -> list[Path]:
    """Write the group's tables, their data dictionaries and the page from the participants' records.

    Parameters
    ----------
    output : the folder that the participants' folders lie in.
    report : is called now and then as a sign of life.

    Returns
    -------
    The paths of the files; none when there are no records.

    Raises
    ------
    OSError
        When they can't be written.
    """
    table = read_table(output, report)
    if not table.rows:
        return []
    names = [TSV, DICTIONARY, PAGE]
    ratings = read_ratings(output, {row.tractogram for row in table.rows if row.tractogram})
    read_qc_status(output, lambda: table.rows, ratings)

    def given(row: Row) -> TractogramRatings:
        return ratings.of(row.tractogram, row.state)

    write_tractograms(output, table, given)
    further = [*write_qc_studio(output, table.rows, given), *write_follow_up(output, table.rows, given)]
    if table.check_columns:
        write_checks(output, table, report)
        names += [CHECKS_TSV, CHECKS_DICTIONARY]
    sessions = list(dict.fromkeys(row.session for row in table.rows))
    page = render(
        "group.html",
        data=_script_data(output, table, ratings, sessions),
        numbers=_numbers(table, sessions),
        rated=_rated(output, table, ratings),
        left_out=_first(table.left_out),
        rule={"deviations": f"{DEVIATIONS:g}", "normal": NORMAL, "fewest": FEWEST},
        table=TSV,
        dictionary=DICTIONARY,
        checks_table=CHECKS_TSV,
        statuses=MEANINGS,
    )
    write_text(output / PAGE, page)
    return [*(output / name for name in names), *further]


def _numbers(table: GroupTable, sessions: Sequence[Session]) -> dict[str, object]:
    """The numbers at the top of the page."""
    return {
        "participants": len({session.participant for session in sessions if session.participant}),
        "sessions": len({(session.participant, session.label) for session in sessions if session.label}),
        "folders": sum(not session.participant for session in sessions),
        "bundles": len({bundle.key for bundle in table.spreads}),
        "tractograms": sum(bool(row.tractogram) for row in table.rows),
        "outlying": sum(bool(row.outlying) for row in table.rows),
        "checked": sum(row.flags is not None for row in table.rows),
        "flagged": sum(bool(row.flags) for row in table.rows),
        "flags": Counter(name for row in table.rows for name in row.flags or ()).most_common(),
        "statuses": Counter(row.status for row in table.rows),
    }


class _Numbering:
    """Numbers different values in the order in which they are met, so that rows may hold small numbers instead."""

    def __init__(self, values: Sequence[Hashable] = ()) -> None:
        self._numbers = {value: number for number, value in enumerate(values)}

    def of(self, value: Hashable) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._numbers)


def _script_data(output: Path, table: GroupTable, ratings: Ratings, sessions: Sequence[Session]) -> dict[str, object]:
    """The rows as columns, for the page's script: 25,000 rows are some megabytes."""
    rows, bundles = table.rows, list(table.spreads)
    session_numbers, bundle_numbers = _Numbering(sessions), _Numbering(bundles)
    folders, endings, flags = _Numbering(), _Numbering(), _Numbering()
    rated = [ratings.of(row.tractogram, row.state) for row in rows]
    columns = {
        "session": [session_numbers.of(row.session) for row in rows],
        "bundle": [bundle_numbers.of(row.bundle) for row in rows],
        "status": [STATUSES.index(row.status) for row in rows],
        "tractogram": [cell(row.tractogram) for row in rows],
        "anchor": [row.anchor if row.tractogram else "" for row in rows],
        "values": [[_shortened(row.values[at]) for row in rows] for at in range(len(MEASURES))],
        "outlying": [sum(1 << at for at in row.outlying) for row in rows],
        "warnings": [row.warnings for row in rows],
        "flags": [flags.of(row.flags) for row in rows],
        "folder": [folders.of(href(row.stem.rpartition("/")[0] + "/") if row.stem else "") for row in rows],
        "stem": [href(row.stem.rpartition("/")[2]) for row in rows],
        "endings": [endings.of(row.pictures) for row in rows],
        "rating": [_CONSENSUS.index(given.consensus) if given.consensus in _CONSENSUS else -1 for given in rated],
        "reasons": [given.reasons for given in rated],
        "raters": [len(given.present) for given in rated],
        "outdated": [len(given.outdated) for given in rated],
    }
    return {
        "normal": NORMAL,
        "deviations": DEVIATIONS,
        "fewest": FEWEST,
        "header": "\t".join(column_meanings(table.entities)),
        "statuses": STATUSES,
        "ratings": _CONSENSUS,
        "rated": bool(ratings.by_tractogram),
        "reasons": {reason.name: reason.description for reason in in_use(output)[0]},
        "measures": [
            {"column": measure.column, "name": measure.name, "unit": measure.unit, "compared": measure.compared}
            for measure in MEASURES
        ],
        "sessions": {
            "name": [cell(session.name) for session in sessions],
            "participant": [session.participant_id for session in sessions],
            "session": [session.session_id for session in sessions],
            "page": [_page_link(output, session) for session in sessions],
        },
        "bundles": {
            "key": [cell(bundle.key) for bundle in bundles],
            "name": [
                cell(", ".join(filter(None, (bundle.readable, in_words(bundle.variant, table.entities)))))
                for bundle in bundles
            ],
            "plain": [cell(bundle.readable) for bundle in bundles],
            "apart": [[cell(dict(bundle.variant).get(name, "")) for name in table.entities] for bundle in bundles],
            "hemisphere": [bundle.hemisphere for bundle in bundles],
        },
        "spreads": [  # of each measure how many values there are, median, MAD, and whether outliers are marked
            [
                about and [about.count, _shortened(about.median), _shortened(about.mad), int(about.marks)]
                for about in table.spreads[bundle]
            ]
            for bundle in bundles
        ],
        "rows": columns,
        "why": {at: row.why for at, row in enumerate(rows) if row.why},
        "folders": list(folders),
        "endings": list(endings),
        "flags": list(flags),
        "overviews": _overviews(output, table, sessions),
    }


def _page_link(output: Path, session: Session, anchor: str = "") -> str:
    """The link to the participant's page, or to a card on it; empty where the page isn't there."""
    name = f"{session.participant_id}.html" if session.participant else "index.html"
    if not (output / name).is_file():
        return ""
    return f"{href(name)}#{anchor}" if anchor else href(name)


def _overviews(output: Path, table: GroupTable, sessions: Sequence[Session]) -> dict[int, list[list[str]]]:
    """Of each session the overviews of all its bundles, one of each variant: link, picture, and what sets it apart."""
    overviews: dict[int, list[list[str]]] = {}
    numbers = {session: number for number, session in enumerate(sessions)}
    for row in table.overviews:
        if row.pictures and row.session in numbers:
            link, picture = _page_link(output, row.session, row.anchor), href(row.stem + row.pictures[-1])
            apart = cell(in_words(row.bundle.variant, table.entities))
            overviews.setdefault(numbers[row.session], []).append([link, picture, apart])
    return overviews


def _shortened(value: float | None) -> float | None:
    """Six digits are enough to look at."""
    return value if value is None or isinstance(value, int) else float(f"{value:.6g}")


def _rated(output: Path, table: GroupTable, ratings: Ratings) -> dict[str, object]:
    """What the page says of the ratings."""
    of_rows = [(row, ratings.of(row.tractogram, row.state)) for row in table.rows if row.tractogram]
    rated = [(row, given.present) for row, given in of_rows if given.present]
    reasons, problem = in_use(output)
    described = {reason.name: reason.description for reason in reasons}
    by_reason = Counter((name, rating.rating) for _, given in rated for rating in given for name in rating.reasons)
    of_any = Counter(name for _, given in of_rows for name in given.reasons)
    by_rater = Counter((rating.rater, rating.rating) for _, given in rated for rating in given)
    names = sorted({name for name, _ in by_rater})

    def line(row: Row, given: Sequence[Rating]) -> dict[str, object]:
        link = _page_link(output, row.session, row.anchor)
        return {"session": row.session.name, "bundle": row.bundle.readable, "link": link, "ratings": given}

    disagreements = [line(row, given) for row, given in rated if len({rating.rating for rating in given}) > 1]
    return {
        "files": ratings.files,
        "tractograms": len(rated),
        "outdated": _first([line(row, given.outdated) for row, given in of_rows if given.outdated]),
        "raters": [(name, [by_rater[name, rating] for rating in RATINGS]) for name in names],
        "reasons": [
            (described.get(name, name), count, [by_reason[name, rating] for rating in RATINGS])
            for name, count in of_any.most_common()
        ],
        "ratings": RATINGS,
        "agreements": agreements(given for _, given in rated),
        "disagreements": _first(disagreements),
        "problems": _first([*filter(None, [problem]), *ratings.problems]),
    }


def _first(items: Sequence[object]) -> dict[str, object]:
    """The first of many, and how many there are."""
    return {"first": list(items[:_MOST_LISTED]), "all": len(items), "more": max(0, len(items) - _MOST_LISTED)}
