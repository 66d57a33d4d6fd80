"""The rows of the group's table: a tractogram, an overview, or a bundle that a session lacks."""

import re
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from tractcap.records.ratings_file import UNKNOWN_STATE, RatedState
from tractcap.records.sidecar_fields import STATUSES, Variant
from tractcap.records.tables import NOT_AVAILABLE, cell
from tractcap.records.tractogram_sidecar import DrawnRecord
from tractcap.reports.check_results import ColumnMeaning
from tractcap.reports.formatting import read_toml
from tractcap.reports.picture_sets import PictureSet
from tractcap.reports.ratings import state_of


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

_values_of = attrgetter(*(measure.field for measure in MEASURES))


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


StoredChecks = tuple[int, str]
"""The measures of a row's checks as the cache holds them."""


@dataclass(slots=True)
class Row:
    """A tractogram, an overview, or a bundle that a session lacks.

    ``tractogram`` is a path as tables have it, ``state`` that of the file which was drawn. ``values`` are in the order
    of MEASURES, ``outlying`` has the places of outliers among them, within the row's ``group`` of participants. The
    pictures are the files ``{stem}{picture}``, POSIX paths below the output, the mosaic last; ``anchor`` is the id of
    the card on the participant's page. ``flags`` are the rules that its checks break, None where it was not checked.
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
    flags: tuple[str, ...] | None = None
    state: RatedState = UNKNOWN_STATE
    checks: StoredChecks | None = None
    outlying: tuple[int, ...] = ()
    group: str = ""

    @property
    def order(self) -> tuple[Any, ...]:
        """The sort key."""
        return (*session_order(self.session), *bundle_order(self.bundle), self.tractogram, self.stem)


def row_of(picture_set: PictureSet) -> Row:
    """The row of a record, without what its checks say."""
    record = picture_set.record
    row = Row(
        Session(record.participant, record.session, "" if record.participant else str(Path(picture_set.folder).parent)),
        ComparedBundle(record.bundle.key, record.bundle.readable, record.bundle.hemisphere, picture_set.variant),
        cell(picture_set.source),
        record.status,
        warnings=0,
        why=picture_set.why,
        anchor=picture_set.anchor,
        state=state_of(record),
    )
    if record.pictures:
        stem = record.pictures[0].rpartition("_")[0]
        row.stem = f"{picture_set.folder}/{stem}" if picture_set.folder else stem
        row.pictures = tuple(name.removeprefix(stem) for name in record.pictures if name.startswith(stem))
    if isinstance(record, DrawnRecord):
        row.values = _values_of(record)
        row.warnings = len(record.notes)
    return row


def session_order(session: Session) -> tuple[Any, ...]:
    """The sort key of a session."""
    return natural(session.participant), natural(session.label), natural(session.folder)


def bundle_order(bundle: ComparedBundle) -> tuple[Any, ...]:
    """The sort key of a bundle."""
    return natural(bundle.key), bundle.variant


@lru_cache(maxsize=4096)
def natural(text: str) -> tuple[Any, ...]:
    """A sort key of a text: numbers in it by their value, however long they are, then the text itself."""
    parts: list[Any] = re.split("([0-9]+)", text.casefold())
    for at in range(1, len(parts), 2):
        digits = parts[at].lstrip("0")
        parts[at] = (len(digits), digits)
    return tuple(parts), text
