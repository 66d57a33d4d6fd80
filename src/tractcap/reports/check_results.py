"""What became of the checks, as pages and tables show it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.records import check_sidecar as records
from tractcap.records.check_sidecar import DONE, FAILED, HIGH, LOW, MISSING, SKIPPED, Attached, CheckRecord, Value
from tractcap.records.sidecar_fields import UNREADABLE
from tractcap.reports.formatting import href, sentence
from tractcap.reports.picture_sets import CheckFiles

STATUSES = {
    DONE: "it was made",
    FAILED: "it could not be made",
    UNREADABLE: "its JSON file can't be understood: run the checks again",
    MISSING: "what it needs isn't there",
    SKIPPED: "it was not asked for",
}
"""What became of a check, and what that means, in the order in which they are counted."""

ColumnMeaning = Mapping[str, str | Mapping[str, str]]
"""What a table's column means, by the keys that BIDS has for it, such as ``Description`` and ``Units``."""


@dataclass(frozen=True)
class CheckResult:
    """A check of a bundle: its ``record``, and the ``folder`` below the output that its files lie in."""

    record: CheckRecord
    folder: str

    @property
    def flags(self) -> list[str]:
        """A sentence for each rule that is broken: the rule, the value and the threshold."""
        sentences = []
        for flag in self.record.flags:
            measure = self.record.about.get(flag.measure)
            name, unit = (measure.name, measure.unit) if measure else (flag.measure, "")
            side, threshold = ("below", flag.below) if flag.below is not None else ("above", flag.above)
            value = f"{name.lower()} {_number(flag.value, unit)}"
            sentences.append(f"{flag.name[:1].upper()}{flag.name[1:]}: {value}, {side} {_number(threshold, unit)}.")
        return sentences

    @property
    def measures(self) -> list[tuple[str, str, str]]:
        """Of each measure its name, its value with its unit, and what it is.

        Where only a sample of the streamlines was measured, the value has its 99 % interval with it.
        """
        rows = []
        measures = self.record.measures
        for key, value in measures.items():
            if any(key.endswith(end) and key.removesuffix(end) in measures for end in (LOW, HIGH)):
                continue
            about, (low, high) = self.record.about[key], (measures.get(f"{key}{end}", value) for end in (LOW, HIGH))
            text = _number(value, about.unit)
            if low != high and value is not None:
                text += f" ({_number(low, '')} to {_number(high, '')})"
            rows.append((about.name, text, about.what))
        return rows

    @property
    def notes(self) -> list[str]:
        """Sentences on what was left out, or must be known."""
        return [sentence(note) for note in self.record.notes]

    @property
    def why(self) -> str:
        """Why there are no results; empty where there are some."""
        return sentence(self.record.why)

    def link(self, attached: Attached) -> str:
        """The link to one of its pictures or tables."""
        return href(f"{self.folder}/{attached.file}" if self.folder else attached.file)


def _number(value: Value, unit: str) -> str:
    """A measure's value with its unit; long numbers are rounded."""
    if value is None:
        return "n/a"
    if isinstance(value, int | float):
        value = f"{value:,}" if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9) else f"{value:,.4g}"
        value = value.removesuffix(".0")
    return f"{value} {unit.replace('^3', '³')}".strip()


def read_checks(output: Path, files: CheckFiles) -> list[CheckResult]:
    """The checks of a bundle, in the order in which they are shown; those that can't be understood among them."""
    results = []
    for name in files.names:
        path = records.place(output / files.folder, files.stem, name)
        try:
            record = CheckRecord.load(path)
        except FileNotFoundError:
            continue
        except RecordError as error:
            record = records.unreadable(path, output, name, error)
        else:
            if (record.source_bytes, record.source_modified) != files.state:
                record = replace(
                    record, status=MISSING, why="the tractogram has changed since it was made: run the checks again",
                    measures={}, about={}, notes=(), flags=(), figures=(), tables=(),
                )  # fmt: skip
        results.append(CheckResult(record, files.folder))
    return results


def count_statuses(results: Iterable[CheckResult]) -> list[tuple[str, int]]:
    """How many checks have each status, without those that none has."""
    counts = Counter(result.record.status for result in results)
    return [(status, counts[status]) for status in STATUSES if counts[status]]


def columns(results: Iterable[CheckResult]) -> Iterator[tuple[str, ColumnMeaning, Value]]:
    """The columns of a bundle's checks in the group's table: names, meanings and values."""
    for record in (result.record for result in results):
        name = f"{record.name}: status"
        meaning: ColumnMeaning = {"LongName": name, "Description": record.what, "Levels": STATUSES}
        yield f"{record.check}_status", meaning, record.status
        for key, measure in record.about.items():
            units = {"Units": measure.unit} if measure.unit else {}
            meaning = {"LongName": measure.name, "Description": measure.what, **units}
            yield f"{record.check}_{key}", meaning, record.measures.get(key)
