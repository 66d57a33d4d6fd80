"""The JSON file of a check, beside the pictures of its bundle: what became of it, and what it found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tractcap.checks import checks
from tractcap.errors import RecordError
from tractcap.files import read_json, write_text
from tractcap.records.identity import CHECK, UNREADABLE, BundleRecord, Identity, Program
from tractcap.records.json_record import OMIT, FileName, JsonRecord, WrongValueError, one_of

DONE, FAILED, MISSING, SKIPPED = STATUSES = ("done", "failed", "missing", "skipped")
"""What became of a check: it was made; it could not be; what it needs isn't there; it was not asked for."""

Value = str | float | None
"""Of a measure. None where it can't be told."""


@dataclass(frozen=True, kw_only=True)
class Measured(JsonRecord):
    """What a measure is: its name, its meaning, and its unit, if it has one."""

    name: str
    what: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Flag(JsonRecord):
    """A rule that a measure breaks: its ``value`` lies ``below`` or ``above`` a threshold."""

    name: str
    measure: str
    value: float
    below: float | None = field(default=None, metadata=OMIT)
    above: float | None = field(default=None, metadata=OMIT)

    def validate(self) -> None:
        """One threshold is told."""
        if (self.below is None) == (self.above is None):
            raise WrongValueError("needs one of Below and Above")


@dataclass(frozen=True, kw_only=True)
class Attached(JsonRecord):
    """A picture or table of a check, in the record's folder."""

    file: FileName
    title: str
    bytes: int | None = field(default=None, metadata=OMIT)


@dataclass(frozen=True, kw_only=True)
class CheckRecord(Identity):
    """What a check found of a bundle, or ``why`` it found nothing.

    ``what`` and ``source`` say what the check is and where its method is from. ``with_`` is what else it was made with.
    ``about`` tells what each of the ``measures`` is, by the same keys.
    """

    kind: Annotated[str, one_of((CHECK,))] = CHECK
    status: Annotated[str, one_of(STATUSES)]
    check: str
    why: str = ""
    name: str
    what: str
    source: str
    place: int = 50
    sources: tuple[str, ...]
    source_bytes: tuple[int, ...]
    source_modified: tuple[int, ...]
    generated_by: tuple[Program, ...]
    with_: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Value] = field(default_factory=dict)
    about: Mapping[str, Measured] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    figures: tuple[Attached, ...] = ()
    tables: tuple[Attached, ...] = ()
    pictures: tuple[FileName, ...] = ()

    def validate(self) -> None:
        """It is told what each measure is."""
        if lacking := self.measures.keys() - self.about.keys():
            raise WrongValueError("is missing", f"About.{min(lacking)}")


def place(folder: Path, stem: str, name: str) -> Path:
    """Where the record of a check of the bundle ``stem`` lies."""
    return folder / f"{stem}_check-{name}.json"


def names_beside(stem: str, others: Collection[str]) -> tuple[str, ...]:
    """The checks of the bundle ``stem`` that have records among the files of a folder, in their order."""
    return tuple(name for name in checks() if f"{stem}_check-{name}.json" in others)


def is_place(name: str, others: Collection[str]) -> bool:
    """Whether a file's name is that of a check's record, among those beside it."""
    stem, found, check = name.removesuffix(".json").rpartition("_check-")
    return bool(found) and check in checks() and f"{stem}.json" in others


def load(path: Path) -> CheckRecord:
    """Read a record.

    Raises
    ------
    FileNotFoundError
        When there is none.
    RecordError
        When it can't be understood.
    """
    told = read_json(path)
    try:
        record = CheckRecord.parse(told)
    except WrongValueError as wrong:
        raise RecordError(path, str(wrong)) from None
    if not path.stem.endswith(f"_check-{record.check}"):
        raise RecordError(path, f"it tells of the check {record.check}")
    return record


def unreadable(path: Path, output: Path, name: str, error: RecordError) -> CheckRecord:
    """What can be told of the check ``name`` where its record isn't understood."""
    check, relative = checks()[name], path.relative_to(output).as_posix()
    return CheckRecord(
        participant="", session="", title="", bundle=BundleRecord(key="", readable=""), status=UNREADABLE,
        why=f"its JSON file {relative} can't be understood: {error.why}. Run the checks again",
        check=check.name, name=check.title, what=check.what, source=check.source, place=check.place,
        sources=(), source_bytes=(), source_modified=(), generated_by=(),
    )  # fmt: skip


def write(path: Path, record: CheckRecord) -> None:
    """Write a record, and the folder that it lies in.

    Raises
    ------
    OSError
        When it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, record.text())
