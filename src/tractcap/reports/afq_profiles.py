"""A participant's profiles as one table, with the columns of pyAFQ's ``tract_profiles.csv``, for what reads that.

Source of the columns: ``combine_profiles`` in ``AFQ/api/group.py`` of https://github.com/tractometry/pyAFQ
"""

import csv
import io
import logging
from collections.abc import Iterable
from pathlib import Path

from tractcap.files import write_text
from tractcap.records.check_sidecar import DONE
from tractcap.records.tables import NOT_AVAILABLE, cell
from tractcap.reports.cards import Card
from tractcap.reports.picture_sets import FIGURES

log = logging.getLogger("tractcap")

Row = dict[str, str]


def write_afq_profiles(output: Path, participant: str, cards: Iterable[Card]) -> None:
    """Write the means along all bundles: a row for each bundle and node, a column for each map.

    ``nodeID`` counts from 0, as in pyAFQ; ``tractogram`` tells tractograms of one bundle apart. Nodes without a value
    have none. Without profiles, no table is written. A table that can't be read is said in the log.

    Raises
    ------
    OSError
        When it can't be written.
    """
    rows = [row for card in cards if not card.overview for row in _rows(output, participant, card)]
    if not rows:
        return
    columns = dict.fromkeys(key for row in rows for key in row)
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    name = f"sub-{participant}_" if participant else ""
    path = output / (f"sub-{participant}" if participant else "") / FIGURES / f"{name}desc-profiles_tractography.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text.getvalue())


def _rows(output: Path, participant: str, card: Card) -> list[Row]:
    """The nodes of a tractogram, each with what all maps have there."""
    nodes: dict[str, Row] = {}
    whose = {"subjectID": participant, "sessionID": card.record.session, "tractID": card.record.bundle.key}
    whose["tractogram"] = cell(card.picture_set.stem)
    for check in card.checks:
        if check.record.check != "profile" or check.record.status != DONE:
            continue
        for attached in check.record.tables:
            path = output / check.folder / attached.file
            try:
                with path.open(encoding="utf-8", newline="") as file:
                    for line in csv.DictReader(file, dialect="excel-tab", quoting=csv.QUOTE_NONE):
                        number = str(int(line["node"]) - 1)
                        row = nodes.setdefault(number, {**whose, "nodeID": number})
                        row[line["map"]] = line["mean"].replace(NOT_AVAILABLE, "")
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning(
                    "%s can't be read (%s): its profiles aren't in the table for AFQ. Run --checks again.", path, error
                )
                return []
    return list(nodes.values())
