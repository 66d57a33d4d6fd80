"""The JSON file of a check, beside the pictures of its bundle: what became of it, and what it found."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tractcap.checks.kit.check import DONE, Check
from tractcap.files import write_text
from tractcap.reports import places
from tractcap.work.about import GENERATED_BY, read

Told = dict[str, Any]


def place(folder: Path, stem: str, name: str) -> Path:
    """Where the JSON file of a check of the bundle ``stem`` lies."""
    return places.place(folder, "", stem, name)


def record(
    check: Check, about: Mapping[str, Any], source: Mapping[str, Any], beside: Mapping[str, Any], status: str, why: str
) -> Told:
    """What is told of a check whatever came of it.

    Parameters
    ----------
    about : whose bundle it is. source : the file, and which state of it. beside : what else decides what is found.
    """
    return {
        **about,
        "Kind": places.KIND,
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
        **{name: {} for name in ("Measures", "About")},
        **{name: [] for name in ("Notes", "Flags", "Figures", "Tables", "Pictures")},
    }


def about_measures(check: Check, measures: Mapping[str, Any], maps: Sequence[str]) -> dict[str, Any]:
    """The name, meaning and unit of each measure by its key; those of maps by the map's name."""
    known = {one.key.replace("NAME", name): (one, name) for one in check.measures for name in (*maps, "NAME")}
    return {key: _told(*known[key]) for key in measures}


def _told(measure: Any, name: str) -> dict[str, str]:
    name, what = (text.replace("NAME", name) for text in (measure.name, measure.what))
    return {"Name": name, "What": what, "Unit": measure.unit}


def write(at: Path, told: Mapping[str, Any]) -> None:
    """Write it.

    Raises
    ------
    OSError
        When it can't be written.
    """
    at.parent.mkdir(parents=True, exist_ok=True)
    write_text(at, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def kept(at: Path, wanted: Mapping[str, Any]) -> Told | None:
    """What an earlier run has found, if it is of the same files, version and options, and all of it is there."""
    told = read(at)
    if not told or told.get("Status") != DONE or any(told.get(name) != wanted[name] for name in _SAME):
        return None
    files = (*told["Figures"], *told["Tables"])
    return dict(told) if all(_size(at.with_name(str(one["File"]))) == one["Bytes"] for one in files) else None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None  # gone


_SAME = ("Kind", "Check", "GeneratedBy", "Sources", "SourceBytes", "SourceModified", "With")
