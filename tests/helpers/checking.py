"""Make a check by itself."""

from pathlib import Path
from typing import Any

from tractcap.checks import checks
from tractcap.checks.common.check import CheckFile, CheckInput, Findings
from tractcap.checks.common.output import CheckOutput


def silent(points: int) -> None:
    """Nobody listens."""


def make(name: str, folder: Path, path: Path, **given: Any) -> tuple[Findings, CheckOutput]:
    """What a check finds of a tractogram, and what it puts down in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    desk = CheckOutput(folder, path.stem, name, path.stem, silent)
    given = {"tractogram": CheckFile(str(path)), **given}
    return checks()[name].make(CheckInput(**given), desk), desk
