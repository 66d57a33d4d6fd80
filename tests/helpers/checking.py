"""Make a check by itself."""

from pathlib import Path
from typing import Any

from tractcap.checks import checks
from tractcap.checks.kit.check import File, Findings, Given
from tractcap.checks.kit.desk import Desk


def silent(points: int) -> None:
    """Nobody listens."""


def make(name: str, folder: Path, path: Path, **given: Any) -> tuple[Findings, Desk]:
    """What a check finds of a tractogram, and what it puts down in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    desk = Desk(folder, path.stem, name, path.stem, silent)
    given = {"tractogram": File(str(path)), **given}
    return checks()[name].make(Given(**given), desk), desk
