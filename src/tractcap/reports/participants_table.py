"""Groups of participants that are compared within themselves, such as sites: columns of ``participants.tsv``."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_text
from tractcap.records.tables import NOT_AVAILABLE, cell

PARTICIPANTS = "participants.tsv"


@dataclass(frozen=True)
class Groups:
    """The group of each participant, by label; ``column`` names what groups share, and is empty where all are one."""

    column: str = ""
    by_participant: Mapping[str, str] = field(default_factory=dict)

    def of(self, participant: str) -> str:
        """The group of a participant; those that the table doesn't name are a group of their own."""
        return self.by_participant.get(participant, NOT_AVAILABLE) if self.column else ""


def find_participants(folders: Sequence[Path]) -> Path:
    """The ``participants.tsv`` of a dataset, or of the dataset whose derivative it is.

    Parameters
    ----------
    folders : datasets, the first that has a table counts.

    Raises
    ------
    SettingsError
        When there is none.
    """
    whole = [folder.resolve() for folder in folders]
    around = [folder.parents[1] for folder in whole if folder.parent.name == "derivatives"]
    for folder in (*whole, *around):
        if (folder / PARTICIPANTS).is_file():
            return folder / PARTICIPANTS
    places = ", ".join(dict.fromkeys(map(str, (*whole, *around))))
    raise SettingsError(f"--group-by needs {PARTICIPANTS}, which is in none of {places}: copy it there.")


def read_groups(table: Path, columns: Sequence[str]) -> Groups:
    """Read who is compared with whom.

    Parameters
    ----------
    table : a ``participants.tsv``.
    columns : whose values together name a group.

    Raises
    ------
    SettingsError
        When the table or a column isn't there.
    """
    try:
        lines = read_text(table).splitlines()
    except (FileNotFoundError, RecordError) as error:
        why = error.why if isinstance(error, RecordError) else "there is none"
        raise SettingsError(f"--group-by needs {table}, which can't be read: {why}.") from None
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    names = rows.fieldnames or []
    if lacking := [name for name in ("participant_id", *columns) if name not in names]:
        there = ", ".join(name for name in names if name != "participant_id")
        raise SettingsError(
            f"{table} has no column {' and '.join(lacking)} (--group-by); it has {there or 'no other'}."
        )
    groups = {}
    for row in rows:
        values = [cell(row[name] or "") or NOT_AVAILABLE for name in columns]
        groups[(row["participant_id"] or "").strip().removeprefix("sub-")] = ", ".join(values)
    return Groups(", ".join(columns), groups)
