"""The JSON file of a check, beside the pictures of its bundle: what became of it, and what it found."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from tractcap.errors import RecordError
from tractcap.records.json_record import OMIT, FileName, JsonRecord, OneOf, WrongValueError
from tractcap.records.sidecar_fields import CHECK, UNREADABLE, BundleRecord, Identity, Program

LOW, HIGH = "Low", "High"
"""Ends of the keys of measures: between these values a measure of a sample lies for all streamlines."""

DONE, FAILED, MISSING, SKIPPED = STATUSES = ("done", "failed", "missing", "skipped")
"""What became of a check: it was made; it could not be; what it needs isn't there; it was not asked for."""

Value = str | float | None
"""Of a measure. None where it isn't known, such as the mean of nothing."""


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
    ``about`` tells what each of the ``measures`` is, by the same keys. ``sources``, their bytes and times are as in a
    tractogram's record. ``place`` orders checks on the page.
    """

    kind: Annotated[str, OneOf((CHECK,))] = CHECK
    status: Annotated[str, OneOf(STATUSES)]
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

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the record of the check that its file's name tells."""
        record = super().load(path)
        if not path.stem.endswith(f"_check-{record.check}"):
            raise RecordError(path, f"it tells of the check {record.check}")
        return record


@dataclass(frozen=True, kw_only=True)
class _Description(JsonRecord, keys=str):
    """What the table of checks says of one for people."""

    title: str
    what: str
    source: str
    place: int


@cache
def _descriptions() -> dict[str, _Description]:
    """Of all checks by name, in the order in which they are shown."""
    table = tomllib.loads((Path(__file__).parents[1] / "checks/checks.toml").read_text(encoding="utf-8"))
    return {name: _Description.parse(entry) for name, entry in table.items()}


def place(folder: Path, stem: str, name: str) -> Path:
    """Where the record of a check of the bundle ``stem`` lies."""
    return folder / f"{stem}_check-{name}.json"


def names_beside(stem: str, others: Collection[str]) -> tuple[str, ...]:
    """The checks of the bundle ``stem`` that have records among the files of a folder, in their order."""
    return tuple(name for name in _descriptions() if f"{stem}_check-{name}.json" in others)


def is_place(name: str, others: Collection[str]) -> bool:
    """Whether a file's name is that of a check's record, among those beside it."""
    stem, found, check = name.removesuffix(".json").rpartition("_check-")
    return bool(found) and check in _descriptions() and f"{stem}.json" in others


def unreadable(path: Path, output: Path, name: str, error: RecordError) -> CheckRecord:
    """What is known of the check ``name`` where its record can't be understood."""
    check, relative = _descriptions()[name], path.relative_to(output).as_posix()
    return CheckRecord(
        participant="", session="", title="", bundle=BundleRecord(key="", readable=""), status=UNREADABLE,
        why=f"its JSON file {relative} can't be understood: {error.why}. Run the checks again",
        check=name, name=check.title, what=check.what, source=check.source, place=check.place,
        sources=(), source_bytes=(), source_modified=(), generated_by=(),
    )  # fmt: skip
