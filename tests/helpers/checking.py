"""Make a check by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

from PIL import Image

from tractcap.checks import checks
from tractcap.checks.common.check_definition import CheckFile, CheckInput, Findings
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.run_check import run_check
from tractcap.checks.common.shared_files import SharedFiles


def silent(points: int) -> None:
    """Nobody listens."""


def make(name: str, folder: Path, path: Path, **given: Any) -> tuple[Findings, CheckOutput]:
    """What a check finds of a tractogram, and what it writes into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    output = CheckOutput(folder, path.stem, name, path.stem, silent)
    given = {"tractogram": CheckFile(str(path)), **given}
    inputs = CheckInput(**given)
    return run_check(checks()[name], inputs, output, SharedFiles(inputs.vtk_space)), output


@contextmanager
def no_pictures() -> Iterator[None]:
    """Checks measure, and draw nothing."""

    @contextmanager
    def figure(*_: Any, columns: int = 1, **__: Any) -> Iterator[list[MagicMock]]:
        yield [MagicMock() for _ in range(columns)]

    with (
        patch("tractcap.checks.common.panels.sheet", lambda *_, **__: Image.new("RGB", (1, 1))),
        patch("tractcap.checks.common.plots.figure", figure),
    ):
        yield
