"""The records of checks, as pages and tables have them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tractcap.checks.common.check import DONE, FAILED, MISSING, SKIPPED, interval, is_end
from tractcap.errors import RecordError
from tractcap.records import check as records
from tractcap.records.check import Attached, CheckRecord, Flag, Measured, Value
from tractcap.records.identity import UNREADABLE
from tractcap.reports.collect import ChecksMade
from tractcap.reports.formatting import href, sentence

STATUSES = {
    DONE: "it was made",
    FAILED: "it could not be made",
    UNREADABLE: "the JSON file that tells of it can't be understood: run the checks again",
    MISSING: "what it needs isn't there",
    SKIPPED: "it was not asked for",
}
"""What became of a check, and what that means, in the order in which they are counted."""


@dataclass(frozen=True)
class Checked:
    """A check of a bundle: its ``record``, and the ``folder`` below the output that its files lie in."""

    record: CheckRecord
    folder: str

    @property
    def status(self) -> str:
        """What became of it, of ``STATUSES``."""
        return self.record.status

    @property
    def flags(self) -> list[str]:
        """Each flag as a sentence: its rule, the value and the threshold."""
        return [_flag(flag, self.record.about.get(flag.measure)) for flag in self.record.flags]

    @property
    def names(self) -> list[str]:
        """The rules that are broken."""
        return [flag.name for flag in self.record.flags]

    @property
    def measures(self) -> list[tuple[str, str, str]]:
        """Of each measure its name, its value with its unit, and what it is."""
        about, measures = self.record.about, self.record.measures
        return [
            (about[key].name, _with_ends(measures, key, about[key].unit), about[key].what)
            for key in measures
            if not is_end(measures, key)
        ]

    @property
    def notes(self) -> list[str]:
        """Sentences on what was left out, or must be known."""
        return [sentence(note) for note in self.record.notes]

    @property
    def why(self) -> str:
        """Why there is nothing, where there is nothing."""
        return sentence(self.record.why)

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Titles and links of the pictures."""
        return [self._linked(one) for one in self.record.figures]

    @property
    def tables(self) -> list[tuple[str, str]]:
        """Titles and links of the tables."""
        return [self._linked(one) for one in self.record.tables]

    def _linked(self, one: Attached) -> tuple[str, str]:
        return one.title, href(f"{self.folder}/{one.file}" if self.folder else one.file)


def _flag(flag: Flag, about: Measured | None) -> str:
    name, unit = (about.name, about.unit) if about else (flag.measure, "")
    side, bound = ("below", flag.below) if flag.below is not None else ("above", flag.above)
    measured = f"{name.lower()} {_value(flag.value, unit)}"
    return f"{flag.name[:1].upper()}{flag.name[1:]}: {measured}, {side} {_value(bound, unit)}."


def _with_ends(measures: Mapping[str, Value], key: str, unit: str) -> str:
    """A measure's value; of one that a sample tells, the interval of 99 % too."""
    value, (low, high) = measures[key], interval(measures, key)
    told = _value(value, unit)
    return told if low == high or value is None else f"{told} ({_value(low, '')} to {_value(high, '')})"


def _value(value: Value, unit: str) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, int | float):
        value = f"{value:,}" if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9) else f"{value:,.4g}"
        value = value.removesuffix(".0")
    return f"{value} {unit.replace('^3', '³')}".strip()


def checked(output: Path, made: ChecksMade) -> list[Checked]:
    """The checks of a bundle, in the order in which they are shown; those that can't be understood among them."""
    found = []
    for name in made.names:
        at = records.place(output / made.folder, made.stem, name)
        try:
            record = records.load(at)
        except FileNotFoundError:
            continue  # gone
        except RecordError as error:
            found.append(Checked(records.unreadable(at, output, name, error), made.folder))
            continue
        same = (record.source_bytes, record.source_modified) == made.state
        found.append(Checked(record if same else _outdated(record), made.folder))
    return found


def _outdated(record: CheckRecord) -> CheckRecord:
    """What is told of a check of another state of the tractogram: that it has to be made again."""
    nothing: dict[str, Any] = dict.fromkeys(("notes", "flags", "figures", "tables"), ()) | {"measures": {}, "about": {}}
    return replace(record, **nothing, status=MISSING, why=_OUTDATED)


_OUTDATED = "the tractogram has changed since it was made: run the checks again"


def counts(several: Iterable[Checked]) -> list[tuple[str, int]]:
    """How many there are of each status, none left out but those that are none."""
    found = Counter(one.status for one in several)
    return [(status, found[status]) for status in STATUSES if found[status]]


def values(several: Iterable[Checked]) -> Iterator[tuple[str, Value]]:
    """Status and measures of all checks of a bundle, by the names of a table's columns."""
    for one in several:
        yield f"{one.record.check}_status", one.status
        for key, value in one.record.measures.items():
            yield f"{one.record.check}_{key}", value


def columns(several: Iterable[Checked]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What these columns mean, as a data dictionary has it."""
    for one in several:
        record = one.record
        what = {"LongName": f"{record.name}: status", "Description": record.what, "Levels": STATUSES}
        yield f"{record.check}_status", what
        for key, about in record.about.items():
            told = {"LongName": about.name, "Description": about.what}
            yield f"{record.check}_{key}", {**told, **({"Units": about.unit} if about.unit else {})}
