"""What to do next: the bundles that failed, as a table, as a list, and as filters for the next program."""

import json
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from tractcap.files import write_text
from tractcap.records.check_sidecar import Value
from tractcap.records.filter_files import exact_filters
from tractcap.records.ratings_file import FAIL
from tractcap.records.sidecar_fields import DAMAGED, FAILED, MISSING
from tractcap.records.tables import write_tsv
from tractcap.reports.group_rows import Row, Session
from tractcap.reports.ratings import TractogramRatings

FOLDER = "failed"

_COLUMNS = ("participant_id", "session_id", "bundle", "tractogram", "why", "reasons", "filter_file")


def write_follow_up(output: Path, rows: Iterable[Row], ratings: Callable[[Row], TractogramRatings]) -> list[Path]:
    """Write into the folder ``failed`` which bundles all raters fail, and which are failed, damaged or missing.

    Parameters
    ----------
    rows : of all tractograms, those of a session together.
    ratings : the ratings of a row's tractogram.

    Returns
    -------
    The paths of the table and of the list; none where nothing failed. What an earlier run left is gone.
    """
    folder = output / FOLDER
    stale = {path for path in folder.glob("*") if path.name.endswith("_filter.json")}
    lines: list[tuple[Value, ...]] = []
    paths: list[str] = []
    for session, group in groupby(rows, key=lambda row: row.session):
        of_session = list(group)
        failed = [(row, why) for row in of_session if (why := _why(row, ratings(row)))]
        wanted = [row.tractogram for row, _ in failed if row.tractogram]
        selected: dict[str, str] = {}
        others = {row.tractogram for row in of_session if row.tractogram} - {*wanted}
        for number, (content, matching) in enumerate(exact_filters(wanted, sorted(others)) if wanted else (), 1):
            name = f"{_label(session)}{f'_{number}' if number > 1 else ''}_filter.json"
            folder.mkdir(exist_ok=True)
            write_text(folder / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
            stale.discard(folder / name)
            selected |= dict.fromkeys(matching, name)
        for row, why in failed:
            whose = (session.participant_id, session.session_id, row.bundle.key, row.tractogram)
            lines.append((*whose, why, ",".join(ratings(row).reasons), selected.get(row.tractogram)))
        paths += wanted
    for path in stale:
        path.unlink()
    table, text = folder / "bundles.tsv", folder / "tractograms.txt"
    if not lines:
        for path in (table, text):
            path.unlink(missing_ok=True)
        return []
    folder.mkdir(exist_ok=True)
    write_tsv(table, _COLUMNS, lines)
    write_text(text, "".join(f"{path}\n" for path in paths))
    return [table, text]


def _why(row: Row, given: TractogramRatings) -> str:
    """Why a bundle is to be made again; empty where it isn't."""
    if row.status in (FAILED, DAMAGED, MISSING):
        return row.status
    return "rated fail" if given.consensus == FAIL else ""


def _label(session: Session) -> str:
    """How the names of a session's files begin."""
    labels = [label for label in (session.participant_id, session.session_id) if "-" in label]
    return "_".join(labels) or session.folder.replace("/", "_").strip(".") or "top"
