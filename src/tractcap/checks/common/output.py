"""Where a check puts its pictures and tables, and how pictures shall look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tractcap.color_names import Color
from tractcap.drawing.png import write_png
from tractcap.drawing.point_values import Report
from tractcap.files import write_whole
from tractcap.records.check_sidecar import Attached, Value
from tractcap.records.tables import write_tsv


@dataclass
class CheckOutput:
    """Takes a check's pictures and tables, as files beside the bundle's pictures.

    Their names are ``{stem}_check-{check}_{name}.png`` and ``.tsv``. ``title`` is the bundle's, ``background`` the
    pictures'. ``figures`` and ``tables`` list what was written.
    """

    folder: Path
    stem: str
    check: str
    title: str
    report: Report
    background: Color = (0, 0, 0)
    figures: list[Attached] = field(default_factory=list)
    tables: list[Attached] = field(default_factory=list)

    def picture(self, name: str, title: str, image: Image.Image) -> None:
        """Write a picture; the title says in a few words what it shows."""
        path = self.folder / f"{self.stem}_check-{self.check}_{name}.png"
        write_whole(path, lambda file: write_png(file, image))
        self.figures.append(Attached(file=path.name, title=title, bytes=path.stat().st_size))

    def table(self, name: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Write a table."""
        path = self.folder / f"{self.stem}_check-{self.check}_{name}.tsv"
        write_tsv(path, columns, rows)
        self.tables.append(Attached(file=path.name, title=title, bytes=path.stat().st_size))
