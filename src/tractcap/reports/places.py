"""Where the JSON files of checks lie. Standard library alone: the supervisor writes them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.checks import checks

KIND = "check"


@dataclass(frozen=True, slots=True)
class Made:
    """Which checks of a bundle have JSON files, by their ``names``; of which ``state`` of its file they should be.

    They lie in ``folder``, a POSIX path below the output, and their names begin with ``stem``.
    """

    folder: str
    stem: str
    names: tuple[str, ...]
    state: tuple[Any, ...]


def place(output: Path, folder: str, stem: str, name: str) -> Path:
    """Where the JSON file of a check of the bundle ``stem`` lies."""
    return output / folder / f"{stem}_check-{name}.json"


def names_beside(stem: str, others: Collection[str]) -> tuple[str, ...]:
    """The checks of the bundle ``stem`` that have JSON files among those of a folder, in their order."""
    return tuple(name for name in checks() if f"{stem}_check-{name}.json" in others)


def is_place(name: str, others: Collection[str]) -> bool:
    """Whether a file's name is that of a check's JSON file, among those beside it."""
    stem, found, check = name.removesuffix(".json").rpartition("_check-")
    return bool(found) and check in checks() and f"{stem}.json" in others
