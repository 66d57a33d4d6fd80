"""The rows of the group's page as columns for its script: in the page, or, where they are many, in files beside it.

A page of a million rows would open in no browser. So what every row has is in the page in a few bytes, and the rest in
scripts (pages that are opened from a disk may load nothing else): one for every few thousand rows, with their names,
and one for each measure, to sort and select by.
"""

import base64
import hashlib
import json
import shutil
import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

from tractcap.files import PART, UMASK
from tractcap.records.sidecar_fields import STATUSES as MEANINGS
from tractcap.reports.formatting import href
from tractcap.reports.group_rows import MEASURES, ComparedBundle, Row, Session
from tractcap.reports.ratings import TractogramRatings

FOLDER = "group_rows"
"""With which the names of folders with such files begin."""
STATUSES = tuple(MEANINGS)

MOST_INSIDE = 50_000
"""Rows up to which all of them are in the page."""
_TOGETHER = 2400
"""Rows of a file; a multiple of three, so that texts in base 64 can be joined."""

_CORE = {
    "session": "I", "bundle": "I", "status": "B", "outlying": "I", "flags": "I", "rating": "b", "reasons": "I",
    "raters": "I", "outdated": "I",
}  # fmt: skip
"""Columns that are in the page in any case, and types of arrays that hold them."""
_NAMES = ("tractogram", "anchor", "warnings", "folder", "stem", "endings")
_TYPES = {"I": "Uint32Array", "H": "Uint16Array", "B": "Uint8Array", "b": "Int8Array"}
"""What the script calls such arrays."""


class Numbering:
    """Numbers different values in the order in which they are met, so that rows may hold small numbers instead."""

    def __init__(self, values: Iterable[Hashable] = ()) -> None:
        self._numbers = {value: number for number, value in enumerate(values)}

    def of(self, value: Hashable) -> int:
        """The number of a value."""
        return self._numbers.setdefault(value, len(self._numbers))

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._numbers)


class PageRows:
    """Takes row by row, and ends as what the page's script reads.

    Parameters
    ----------
    output : the folder of the page.
    sessions, bundles : in the order in which the page numbers them.
    rating_of : the place of a row's rating among those of the page, -1 for none, and its ratings.
    """

    def __init__(
        self,
        output: Path,
        sessions: Iterable[Session],
        bundles: Iterable[ComparedBundle],
        rating_of: Callable[[Row], tuple[int, TractogramRatings]],
    ) -> None:
        self._output, self._rating_of = output, rating_of
        self._sessions, self._bundles = Numbering(sessions), Numbering(bundles)
        self._folders, self._endings, self._flags, self._reasons = Numbering(), Numbering(), Numbering(), Numbering()
        self._core = {name: array(code) for name, code in _CORE.items()}
        self._names: dict[str, list[Any]] = {name: [] for name in _NAMES}
        self._values: list[list[float | None]] = [[] for _ in MEASURES]
        self._why: dict[int, str] = {}
        self._files: _Files | None = None

    def add(self, row: Row) -> None:
        """Take the next row."""
        rating, given = self._rating_of(row)
        folder, _, name = row.stem.rpartition("/")
        number = len(self._core["status"])
        core = (
            self._sessions.of(row.session),
            self._bundles.of(row.bundle),
            STATUSES.index(row.status),
            sum(1 << at for at in row.outlying),
            self._flags.of(row.flags),
            rating,
            self._reasons.of(given.reasons),
            len(given.present),
            len(given.outdated),
        )
        names = (
            row.tractogram,
            row.anchor if row.tractogram else "",
            row.warnings,
            self._folders.of(href(folder + "/") if row.stem else ""),
            href(name),
            self._endings.of(row.pictures),
        )
        for column, item in zip((*self._core.values(), *self._names.values()), (*core, *names), strict=True):
            column.append(item)
        for values, value in zip(self._values, row.values, strict=True):
            values.append(shortened(value))
        if row.why:
            self._why[number] = row.why
        if number >= MOST_INSIDE and len(self._names["stem"]) >= _TOGETHER:
            self._to_files()

    def _to_files(self) -> None:
        """Write the rows that are collected to files, _TOGETHER in each."""
        self._files = self._files or _Files(self._output)
        for first in range(0, len(self._names["stem"]), _TOGETHER):
            part = slice(first, first + _TOGETHER)
            names = {name: column[part] for name, column in self._names.items()}
            self._files.add(names, [values[part] for values in self._values], self._why)
        for column in (*self._names.values(), *self._values):
            column.clear()
        self._why.clear()

    def finish(self) -> dict[str, Any]:
        """What the script reads of all rows; files beside the page are in place then."""
        if self._files:
            self._to_files()
            pieces = {"folder": self._files.finish(), "rows": _TOGETHER}
            fitting = {name: _fitting(column) for name, column in self._core.items()}
            types = {name: (_TYPES[column.typecode], _base64(column)) for name, column in fitting.items()}
            told: dict[str, Any] = {"pieces": pieces, "rows": types, "why": {}}
        else:
            core: dict[str, list[Any]] = {name: column.tolist() for name, column in self._core.items()}
            sets = list(self._reasons)
            core["reasons"] = [sets[at] for at in core["reasons"]]
            told = {"rows": core | self._names | {"values": self._values}, "why": self._why}
        lists = {"folders": self._folders, "endings": self._endings, "flags": self._flags, "reasonSets": self._reasons}
        return told | {name: list(values) for name, values in lists.items()}

    def statuses(self) -> Counter[str]:
        """How many rows have each status."""
        return Counter({STATUSES[at]: count for at, count in Counter(self._core["status"]).items()})


class _Files:
    """Scripts that hand parts of the rows to the page's script; their folder has its final name when all are there."""

    def __init__(self, output: Path) -> None:
        self._output, self._count, self._rows = output, 0, 0
        self._folder = Path(tempfile.mkdtemp(prefix=f".{FOLDER}_", suffix=PART, dir=output))
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._measures = [self._folder / f"measure-{at}.js" for at in range(len(MEASURES))]
        for at, path in enumerate(self._measures):
            path.write_text(f'tractcapPiece("measure-{at}","', encoding="ascii")

    def add(
        self, names: Mapping[str, Sequence[Any]], values: Sequence[Sequence[float | None]], why: Mapping[int, str]
    ) -> None:
        """Write rows that follow those before."""
        end = self._rows + len(names["stem"])
        reasons = {at: why[at] for at in range(self._rows, end) if at in why}
        content = json.dumps({**names, "values": values, "why": reasons}, separators=(",", ":"))
        script = f'tractcapPiece("rows-{self._count}",{content})\n'
        self._hash.update(script.encode())
        try:
            (self._folder / f"rows-{self._count}.js").write_text(script, encoding="ascii")
            for path, column in zip(self._measures, values, strict=True):
                with path.open("a", encoding="ascii") as file:
                    file.write(_base64(array("d", (nan if value is None else value for value in column))))
        except OSError as error:  # a full disk doesn't say which file
            error.filename = error.filename or str(self._folder)
            raise
        self._count, self._rows = self._count + 1, end

    def finish(self) -> str:
        """Name the folder by what it holds; returns the name."""
        for path in self._measures:
            with path.open("a", encoding="ascii") as file:
                file.write('")\n')
        self._folder.chmod(0o777 & ~UMASK)
        place = self._output / f"{FOLDER}_{self._hash.hexdigest()[:12]}"
        if place.exists():
            shutil.rmtree(self._folder)
        else:
            self._folder.rename(place)
        return place.name


def clear_pieces(output: Path, keep: str = "") -> None:
    """Remove files of earlier pages, and what a run that died has left of some."""
    clear_unfinished(output)
    for folder in output.glob(f"{FOLDER}_*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def clear_unfinished(output: Path) -> None:
    """Remove files of a page that isn't written to its end."""
    for folder in output.glob(f".{FOLDER}_*{PART}"):
        shutil.rmtree(folder, ignore_errors=True)


def shortened(value: float | None) -> float | None:
    """Six digits are enough to look at."""
    return value if value is None or isinstance(value, int) else float(f"{value:.6g}")


def _fitting(numbers: "array[int]") -> "array[int]":
    """The same numbers, in as few bytes as hold them."""
    if numbers.typecode == "b":
        return numbers
    most = max(numbers)
    return array("B" if most < 2**8 else "H" if most < 2**16 else "I", numbers)


def _base64(numbers: "array[Any]") -> str:
    if sys.byteorder == "big":
        numbers.byteswap()  # as browsers have them, nearly everywhere
    return base64.b64encode(numbers.tobytes()).decode()
