"""The page of all participants, made of the records beside the pictures, and the tables beside it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.files import write_text
from tractcap.records.rating_reasons import in_use
from tractcap.records.ratings_file import RATINGS, Rating
from tractcap.records.sidecar_fields import STATUSES as MEANINGS
from tractcap.records.tables import cell
from tractcap.reports.follow_up import FollowUp
from tractcap.reports.formatting import href, render
from tractcap.reports.group_cache import DATABASE, Report, open_cache
from tractcap.reports.group_pieces import STATUSES, PageRows, clear_pieces, clear_unfinished, shortened
from tractcap.reports.group_rows import MEASURES, ComparedBundle, Row, Session, natural
from tractcap.reports.group_table import (
    CHECKS_DICTIONARY,
    CHECKS_TSV,
    DICTIONARY,
    TSV,
    GroupTable,
    column_meanings,
    read_table,
    write_checks,
    write_tractograms,
)
from tractcap.reports.outliers import DEVIATIONS, FALSE, FEWEST, NORMAL, Spread
from tractcap.reports.participants_table import PARTICIPANTS, Groups, read_groups
from tractcap.reports.picture_sets import in_words
from tractcap.reports.qc_studio import QCStudioFiles, read_qc_status
from tractcap.reports.ratings import MIXED, OUTDATED, Ratings, TractogramRatings, agreements, read_ratings

PAGE = "group.html"

_MOST_LISTED = 200
"""Sentences and disagreements that the page lists; more are counted."""

_CONSENSUS = (*RATINGS, MIXED, OUTDATED)


@dataclass(frozen=True)
class GroupFiles:
    """The files that were written, and sentences on what the run met."""

    paths: list[Path]
    notes: list[str]


def write_group_page(
    output: Path, report: Report = lambda _rows: None, participants: Path | None = None, group_by: Sequence[str] = ()
) -> list[Path]:
    """As :func:`write_group_files`; returns the paths alone."""
    return write_group_files(output, report, participants, group_by).paths


def write_group_files(
    output: Path, report: Report = lambda _rows: None, participants: Path | None = None, group_by: Sequence[str] = ()
) -> GroupFiles:
    """Write the group's tables, their data dictionaries and the page from the participants' records.

    Parameters
    ----------
    output : the folder that the participants' folders lie in.
    report : is called now and then as a sign of life.
    participants : a ``participants.tsv``, needed for ``group_by``, its columns within which values are compared.

    Returns
    -------
    The paths of the files; none when there are no records.

    Raises
    ------
    OSError, TractcapError
        When they can't be written.
    """
    groups = read_groups(participants or output / PARTICIPANTS, group_by) if group_by else Groups()
    notes: list[str] = []
    with open_cache(output, notes) as cache:
        read, known = cache.update(report)
        notes.append(f"{read:,} of {known:,} records were new or changed, and were read")
        if known:
            table = read_table(cache, groups, report)
            return GroupFiles(_write(output, table, report), notes)
    (output / DATABASE).unlink(missing_ok=True)
    return GroupFiles([], notes)


def _write(output: Path, table: GroupTable, report: Report) -> list[Path]:
    names = [TSV, DICTIONARY, PAGE]
    ratings = read_ratings(output, table.cache)
    read_qc_status(output, table.rows, ratings)

    def given(row: Row) -> TractogramRatings:
        return ratings.of(row.tractogram, row.state)

    page, qc_studio, follow_up = _Page(output, table, ratings), QCStudioFiles(output, given), FollowUp(output, given)
    rows = follow_up.taking(qc_studio.taking(page.taking(table.rows(report))))
    try:
        write_tractograms(output, table, rows, given)
    except BaseException:
        clear_unfinished(output)  # it may be what fills the disk
        raise
    further = [*qc_studio.write(), *follow_up.write()]
    if table.check_columns:
        write_checks(output, table, report)
        names += [CHECKS_TSV, CHECKS_DICTIONARY]
    page.write()
    return [*(output / name for name in names), *further]


class _Page:
    """The page, which takes rows while they are written into the table, and keeps of them what it shows."""

    def __init__(self, output: Path, table: GroupTable, ratings: Ratings) -> None:
        self._output, self._table, self._ratings = output, table, ratings
        self._bundles = list(table.spreads)
        self._groups = sorted(
            {table.groups.of(session.participant) for session in table.sessions.values()}, key=natural
        )
        self._links = {session: _page_link(output, session) for session in table.sessions.values()}
        self._rows = PageRows(output, table.sessions.values(), self._bundles, self._rating_of)
        self._flags: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._outliers: Counter[tuple[ComparedBundle, str, int, bool]] = Counter()
        self._rated: list[tuple[Row, TractogramRatings]] = []

    def _rating_of(self, row: Row) -> tuple[int, TractogramRatings]:
        given = self._ratings.of(row.tractogram, row.state)
        if given.present or given.outdated:
            self._rated.append((row, given))
        return (_CONSENSUS.index(given.consensus) if given.consensus in _CONSENSUS else -1), given

    def taking(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, which are counted, and kept as the page's script reads them."""
        for row in rows:
            self._rows.add(row)
            self._flags.update(row.flags or ())
            self._numbers.update(
                tractograms=bool(row.tractogram),
                outlying=bool(row.outlying),
                checked=row.flags is not None,
                flagged=bool(row.flags),
            )
            for at in row.outlying:
                about = self._table.spreads[row.bundle][row.group][at]
                self._outliers[row.bundle, row.group, at, bool(about and (row.values[at] or 0) > about.median)] += 1
            yield row

    def write(self) -> None:
        """Write the page, when all rows were taken; files of an earlier page are removed then."""
        table, rows = self._table, self._rows.finish()
        pieces = rows.get("pieces", {}).get("folder", "")
        page = render(
            "group.html",
            data=self._script_data(rows, with_quantiles=bool(pieces)),
            numbers=self._all_numbers(),
            rated=_rated(self._output, self._ratings, self._rated, self._links),
            left_out=_first(table.left_out),
            rule={"deviations": f"{DEVIATIONS:g}", "normal": NORMAL, "fewest": FEWEST, "false": f"{100 * FALSE:g}"},
            group=table.groups.column,
            pieces=pieces,
            table=TSV,
            dictionary=DICTIONARY,
            checks_table=CHECKS_TSV,
            statuses=MEANINGS,
        )
        write_text(self._output / PAGE, page)
        clear_pieces(self._output, keep=pieces)

    def _all_numbers(self) -> dict[str, object]:
        """The numbers at the top of the page."""
        sessions = list(self._table.sessions.values())
        return {
            "participants": len({session.participant for session in sessions if session.participant}),
            "sessions": len({(session.participant, session.label) for session in sessions if session.label}),
            "folders": sum(not session.participant for session in sessions),
            "bundles": len({bundle.key for bundle in self._bundles}),
            "flags": self._flags.most_common(),
            "statuses": self._rows.statuses(),
            **{name: self._numbers[name] for name in ("tractograms", "outlying", "checked", "flagged")},
        }

    def _script_data(self, rows: dict[str, Any], *, with_quantiles: bool) -> dict[str, object]:
        """What the page's script reads."""
        table, bundles, sessions = self._table, self._bundles, list(self._table.sessions.values())
        groups, column = self._groups, table.groups.column

        def about(bundle: ComparedBundle, group: str | None) -> list[Any]:
            return [
                spread and self._about(spread, bundle, group, at, with_quantiles=with_quantiles)
                for at, spread in enumerate(table.spreads[bundle].get(group) or (None,) * len(MEASURES))
            ]

        return {
            "normal": NORMAL,
            "deviations": DEVIATIONS,
            "fewest": FEWEST,
            "header": "\t".join(column_meanings(table.entities, table.groups.column)),
            "statuses": STATUSES,
            "ratings": _CONSENSUS,
            "rated": bool(self._ratings.by_tractogram),
            "reasons": {reason.name: reason.description for reason in in_use(self._output)[0]},
            "measures": [
                {"column": measure.column, "name": measure.name, "unit": measure.unit, "compared": measure.compared}
                for measure in MEASURES
            ],
            "sessions": {
                "name": [cell(session.name) for session in sessions],
                "participant": [session.participant_id for session in sessions],
                "session": [session.session_id for session in sessions],
                "page": list(self._links.values()),
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
            "spreads": [about(bundle, None if column else "") for bundle in bundles],
            "groups": column
            and {
                "column": column,
                "name": groups,
                "of": [groups.index(table.groups.of(session.participant)) for session in sessions],
                "spreads": [[about(bundle, group) for group in groups] for bundle in bundles],
            },
            **rows,
            "overviews": dict(self._overviews()),
        }

    def _about(
        self, spread: Spread, bundle: ComparedBundle, group: str | None, at: int, *, with_quantiles: bool
    ) -> list[Any]:
        """How many values there are, median, MAD, whether outliers are marked, beyond what; their number, quantiles."""
        marks = int(spread.marks and group is not None)
        about: list[Any] = [
            spread.count,
            shortened(spread.median),
            shortened(spread.mad),
            marks,
            shortened(spread.limit),
        ]
        if with_quantiles:
            groups = self._groups if group is None else [group]
            about += [sum(self._outliers[bundle, name, at, above] for name in groups) for above in (False, True)]
            about += map(shortened, spread.quantiles)
        return about

    def _overviews(self) -> Iterator[tuple[int, list[list[str]]]]:
        """Of each session the overviews of all bundles, one of each variant: link, picture, and what sets it apart."""
        table = self._table
        for at, (number, session) in enumerate(table.sessions.items()):
            shown = [row for row in table.overviews(number) if row.pictures]
            if shown:
                yield (
                    at,
                    [
                        [
                            _to_card(self._links[session], row.anchor),
                            href(row.stem + row.pictures[-1]),
                            cell(in_words(row.bundle.variant, table.entities)),
                        ]
                        for row in shown
                    ],
                )


def _to_card(page: str, anchor: str) -> str:
    """The link to a card on a participant's page; empty where the page isn't there."""
    return f"{page}#{anchor}" if page else ""


def _page_link(output: Path, session: Session) -> str:
    """The link to the participant's page; empty where the page isn't there."""
    name = f"{session.participant_id}.html" if session.participant else "index.html"
    return href(name) if (output / name).is_file() else ""


def _rated(
    output: Path, ratings: Ratings, of_rows: Sequence[tuple[Row, TractogramRatings]], links: Mapping[Session, str]
) -> dict[str, object]:
    """What the page says of the ratings."""
    rated = [(row, given.present) for row, given in of_rows if given.present]
    reasons, problem = in_use(output)
    described = {reason.name: reason.description for reason in reasons}
    by_reason = Counter((name, rating.rating) for _, given in rated for rating in given for name in rating.reasons)
    of_any = Counter(name for _, given in of_rows for name in given.reasons)
    by_rater = Counter((rating.rater, rating.rating) for _, given in rated for rating in given)
    names = sorted({name for name, _ in by_rater})

    def line(row: Row, given: Sequence[Rating]) -> dict[str, object]:
        link = _to_card(links[row.session], row.anchor)
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
