"""What to do next: the bundles that failed, as a table, as a list, and as filters for the next program."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
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


class FollowUp:
    """What lies in the folder ``failed``: bundles that all raters fail, and those failed, damaged or missing.

    Parameters
    ----------
    ratings : the ratings of a row's tractogram.
    """

    def __init__(self, output: Path, ratings: Callable[[Row], TractogramRatings]) -> None:
        self._folder, self._ratings = output / FOLDER, ratings
        self._lines: list[tuple[Value, ...]] = []
        self._paths: list[str] = []
        self._filters: dict[str, str] = {}

    def taking(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, those of a session together, of which what failed is kept."""
        for session, group in groupby(rows, key=lambda row: row.session):
            of_session = list(group)
            if failed := [(row, why) for row in of_session if (why := _why(row, self._ratings(row)))]:
                self._take(session, of_session, failed)
            yield from of_session

    def _take(self, session: Session, rows: Sequence[Row], failed: Sequence[tuple[Row, str]]) -> None:
        wanted = [row.tractogram for row, _ in failed if row.tractogram]
        selected: dict[str, str] = {}
        others = {row.tractogram for row in rows if row.tractogram} - {*wanted}
        for number, (content, matching) in enumerate(exact_filters(wanted, sorted(others)) if wanted else (), 1):
            name = f"{_label(session)}{f'_{number}' if number > 1 else ''}_filter.json"
            self._filters[name] = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            selected |= dict.fromkeys(matching, name)
        for row, why in failed:
            whose = (session.participant_id, session.session_id, row.bundle.key, row.tractogram)
            self._lines.append((*whose, why, ",".join(self._ratings(row).reasons), selected.get(row.tractogram)))
        self._paths += wanted

    def write(self) -> list[Path]:
        """Write the files, when all rows were taken; what an earlier run left is gone then.

        Returns
        -------
        The paths of the table and of the list; none where nothing failed.
        """
        folder = self._folder
        table, text = folder / "bundles.tsv", folder / "tractograms.txt"
        for path in folder.glob("*_filter.json"):
            if path.name not in self._filters:
                path.unlink()
        if not self._lines:
            for path in (table, text):
                path.unlink(missing_ok=True)
            return []
        folder.mkdir(exist_ok=True)
        for name, content in self._filters.items():
            write_text(folder / name, content)
        write_tsv(table, _COLUMNS, self._lines)
        write_text(text, "".join(f"{path}\n" for path in self._paths))
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
