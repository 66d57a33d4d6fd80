"""A piece of a tractogram, as the supervisor knows it. Standard library alone."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOLD = "told.json"
"""Within a piece's file."""


@dataclass(frozen=True)
class Piece:
    """The ``index``-th of ``count`` pieces, from 0 on."""

    index: int
    count: int

    def bounds(self, points: int) -> tuple[float, float]:
        """From which point on it draws, and up to which, of a tractogram of at most so many."""
        first, last = (points * one // self.count for one in (self.index, self.index + 1))
        return first, last if self.index + 1 < self.count else float("inf")


WHOLE = Piece(0, 1)


def read_told(path: Path) -> dict[str, Any]:
    """What is told of a piece.

    Raises
    ------
    OSError, ValueError, KeyError, zipfile.BadZipFile
        When it isn't there, or no piece.
    """
    with zipfile.ZipFile(path) as file:
        told: dict[str, Any] = json.loads(file.read(TOLD))
        return told
