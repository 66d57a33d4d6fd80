"""Where a check puts its pictures and tables, and how pictures shall look."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from tractcap.checks.common.check import Value
from tractcap.files import write_text, write_whole
from tractcap.palette import Color

NOT_AVAILABLE = "n/a"


@dataclass
class CheckOutput:
    """Takes a check's pictures and tables, as files beside the bundle's pictures.

    Their names are ``{stem}_check-{check}_{name}.png`` and ``.tsv``. ``report`` is to be called now and then with the
    number of points that were read, as a sign of life. ``background`` is the pictures', ``title`` the bundle's. Of what
    was put down, ``figures`` and ``tables`` tell.
    """

    folder: Path
    stem: str
    check: str
    title: str
    report: Callable[[int], None]
    background: Color = (0, 0, 0)
    figures: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)

    def picture(self, name: str, title: str, image: Image.Image) -> None:
        """Put down a picture; the title says in a few words what it shows."""
        at = f"{self.stem}_check-{self.check}_{name}.png"
        write_whole(self.folder / at, lambda file: image.save(file, "PNG"))
        self.figures.append(self._told(at, title))

    def table(self, name: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Put down a table as BIDS wants it: tabs between, ``n/a`` for what isn't known."""
        at = f"{self.stem}_check-{self.check}_{name}.tsv"
        text = io.StringIO()
        for row in (columns, *rows):
            text.write("\t".join(map(_cell, row)) + "\n")
        write_text(self.folder / at, text.getvalue())
        self.tables.append(self._told(at, title))

    def _told(self, at: str, title: str) -> dict[str, Any]:
        return {"File": at, "Title": title, "Bytes": (self.folder / at).stat().st_size}


def _cell(value: Value) -> str:
    if value is None or value == "" or value != value:
        return NOT_AVAILABLE
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split())
