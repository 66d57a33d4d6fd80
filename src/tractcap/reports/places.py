"""Where the JSON files of checks lie. Standard library alone: the supervisor writes them."""

from pathlib import Path

from tractcap.checks import checks

KIND = "check"


def place(output: Path, folder: str, stem: str, name: str) -> Path:
    """Where the JSON file of a check of the bundle ``stem`` lies."""
    return output / folder / f"{stem}_check-{name}.json"


def is_place(name: str, others: set[str]) -> bool:
    """Whether a file's name is that of a check's JSON file, among those beside it."""
    stem, found, check = name.removesuffix(".json").rpartition("_check-")
    return bool(found) and check in checks() and f"{stem}.json" in others
