"""The record of a check: what is told of it whatever came of it, and whether an earlier run's is kept."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tractcap.checks.common.check import DONE, Check
from tractcap.errors import RecordError
from tractcap.records import check as records
from tractcap.records.check import CheckRecord, Measured
from tractcap.records.identity import CHECK
from tractcap.work.about import GENERATED_BY

log = logging.getLogger("tractcap")


def record(
    check: Check, about: Mapping[str, Any], source: Mapping[str, Any], beside: Mapping[str, Any], status: str, why: str
) -> CheckRecord:
    """What is told of a check whatever came of it.

    Parameters
    ----------
    about : whose bundle it is. source : the file, and which state of it. beside : what else decides what is found.
    """
    return CheckRecord.parse(
        {
            **about,
            "Kind": CHECK,
            "Check": check.name,
            "Status": status,
            "Why": why,
            "Name": check.title,
            "What": check.what,
            "Source": check.source,
            "Place": check.place,
            "Sources": [source["name"]],
            "SourceBytes": [source["bytes"]],
            "SourceModified": [source["modified"]],
            "GeneratedBy": GENERATED_BY,
            "With": beside,
        }
    )


def about_measures(check: Check, measures: Mapping[str, Any], maps: Sequence[str]) -> dict[str, Measured]:
    """The name, meaning and unit of each measure by its key; those of maps by the map's name."""
    known = {one.key.replace("NAME", name): (one, name) for one in check.measures for name in (*maps, "NAME")}
    return {key: _measured(*known[key]) for key in measures}


def _measured(measure: Any, name: str) -> Measured:
    name, what = (text.replace("NAME", name) for text in (measure.name, measure.what))
    return Measured(name=name, what=what, unit=measure.unit)


def earlier(at: Path) -> CheckRecord | None:
    """The record of an earlier run; of one that can't be understood the log says that it is written anew."""
    try:
        return records.load(at)
    except FileNotFoundError:
        return None
    except RecordError as error:
        log.warning("%s It is written anew", error)
        return None


def kept(at: Path, wanted: CheckRecord) -> CheckRecord | None:
    """What an earlier run has found, if it is of the same files, version and options, and all of it is there."""
    found = earlier(at)
    if not found or found.status != DONE or _made_of(found) != _made_of(wanted):
        return None
    files = (*found.figures, *found.tables)
    return found if all(_size(at.with_name(one.file)) == one.bytes for one in files) else None


def _made_of(record: CheckRecord) -> tuple[Any, ...]:
    state = record.sources, record.source_bytes, record.source_modified
    return record.check, record.generated_by, *state, record.with_


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None  # gone
