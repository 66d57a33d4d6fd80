"""The reasons that raters choose from: tractcap's own list, or a lab's, each with its key on the keyboard."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import read_text
from tractcap.records.tables import NOT_AVAILABLE, cell, unquoted

NAME = "rating_reasons.tsv"
"""The list's file in the output folder; the same name has tractcap's own."""

RESERVED = "12345pfunszjg/?"
"""Keys that the participant's page uses otherwise."""

_COLUMNS = ("reason", "key", "description")
_MOST = 30
_WORD = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a tractogram isn't good: its ``name`` in tables, its ``key``, and what the pages call it."""

    name: str
    key: str
    description: str


def load(path: Path) -> tuple[Reason, ...]:
    """Read a list of reasons: a TSV file with the columns ``reason``, ``key`` and ``description``.

    Raises
    ------
    FileNotFoundError
        When there is none.
    RecordError
        When it isn't such a list.
    """
    numbered = [
        (number, [cell(unquoted(field)) for field in line.rstrip("\r").split("\t")])
        for number, line in enumerate(read_text(path).split("\n"), 1)
        if line.strip()
    ]
    (_, header), *lines = numbered or [(0, [])]
    if lacking := [column for column in _COLUMNS if column not in header]:
        raise RecordError(path, f"its first line doesn't name {' and '.join(lacking)}, with tabs between")
    reasons = []
    for number, fields in lines:
        row = dict(zip(header, fields, strict=False))
        reason = Reason(*(row.get(column, "") for column in _COLUMNS))
        if wrong := _wrong_with(reason):
            raise RecordError(path, f"its line {number} {wrong}")
        reasons.append(reason)
    for what, values in (("name", [reason.name for reason in reasons]), ("key", [reason.key for reason in reasons])):
        if several := [value for value, count in Counter(values).items() if count > 1]:
            raise RecordError(path, f"several of its reasons have the {what} “{several[0]}”")
    if not 0 < len(reasons) <= _MOST:
        raise RecordError(path, f"it has {len(reasons)} reasons: give 1 to {_MOST}")
    return tuple(reasons)


def _wrong_with(reason: Reason) -> str:
    if not _WORD.fullmatch(reason.name) or reason.name == NOT_AVAILABLE:
        return f"has the name “{reason.name[:40]}”: give up to 40 letters, digits, hyphens or underscores"
    if len(reason.key) != 1 or not reason.key.isprintable() or reason.key.isspace():
        return f"has the key “{reason.key[:40]}”: give one character"
    if reason.key in RESERVED:
        return f"has the key “{reason.key}”, which the page uses: any but {' '.join(RESERVED)}"
    return "" if reason.description else "has no description"


def in_use(output: Path) -> tuple[tuple[Reason, ...], str]:
    """The list of an output folder, or tractcap's own; and a sentence on why the folder's can't be used."""
    problem = ""
    try:
        return load(output / NAME), problem
    except FileNotFoundError:
        pass
    except RecordError as error:
        problem = f"{NAME} is no list of reasons: {error.why}. tractcap’s own is used."
    return load(Path(__file__).with_name(NAME)), problem
