"""The files of a tractogram's pieces, beside where its pictures will be, until they are merged."""

import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.errors import InputError
from tractcap.records.json_record import Count, JsonRecord
from tractcap.records.piece import Piece, read_told
from tractcap.work.resume import plain

log = logging.getLogger("tractcap")

_NAME = re.compile(r"\d+-of-(\d+)\.zip")


@dataclass(frozen=True, kw_only=True)
class PieceSettings(JsonRecord, keys=str):
    """How smooth a piece's pictures are."""

    sampling: int


@dataclass(frozen=True, kw_only=True)
class DrawArguments(JsonRecord, keys=str):
    """What a worker draws by, of which ``bundles``, ``vtk_space`` and ``made`` decide the pixels."""

    bundles: tuple[Mapping[str, Any], ...]
    vtk_space: str
    made: Mapping[str, Any]
    making: PieceSettings
    folder: str
    stem: str
    about: Mapping[str, Any]

    @property
    def pixels(self) -> tuple[Any, ...]:
        """What decides them."""
        return self.bundles, self.vtk_space, self.made, self.making.sampling


@dataclass(frozen=True, kw_only=True)
class PieceRecord(JsonRecord, keys=str):
    """What a piece's file tells: which version drew it by what, and the bytes that merging takes."""

    version: str
    arguments: DrawArguments
    need: Count


def place(folder: Path, stem: str) -> Path:
    """The folder of the pieces of what will be drawn as ``stem``."""
    return folder / f".{stem}_pieces"


def places(output: Path) -> Iterator[Path]:
    """All such folders in an output."""
    return (path for path in sorted(output.rglob(".*_pieces")) if path.is_dir())


def file_of(folder: Path, piece: Piece) -> Path:
    """A piece's file in their folder."""
    return folder / f"{piece.index + 1}-of-{piece.count}.zip"


def there(at: Path, asked: Mapping[str, Any]) -> bool:
    """Whether a piece's file is there, of the same tractogram, options and version."""
    found = _read(at)
    return found is not None and _key(found) == (__version__, *DrawArguments.parse(plain(asked)).pixels)


def together(folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """The arguments to draw by, and the files of all pieces in order.

    Raises
    ------
    InputError
        When some lack, or don't belong together.
    """
    found, newest = _all(folder)
    if not newest:
        raise InputError("none of its pieces is there: run the participant level's shares again.")
    count = _count(newest)
    paths = [file_of(folder, Piece(index, count)) for index in range(count)] if count <= len(found) else [*found]
    same = [at for at in paths if at in found and _key(found[at]) == _key(found[newest])]
    if len(same) < count:
        raise InputError(f"{len(same)} of its {count} pieces are there: run the participant level's other shares.")
    return found[paths[-1]].arguments.plain(), paths


def arguments(folder: Path) -> dict[str, Any] | None:
    """The arguments of the piece that was drawn last, None where there is none."""
    found, newest = _all(folder)
    return found[newest].arguments.plain() if newest else None


def merging_need(folder: Path) -> int:
    """Bytes that merging the pieces takes; 0 where there is none."""
    found, newest = _all(folder)
    return found[newest].need if newest else 0


def _all(folder: Path) -> tuple[dict[Path, PieceRecord], Path | None]:
    """What each piece tells, and which was drawn last."""
    found = {at: told for at in folder.glob("*.zip") if _count(at) and (told := _read(at))}
    return found, max(found, key=lambda at: at.stat().st_mtime_ns, default=None)


def _count(at: Path) -> int:
    """Of how many pieces a file is one, by its name; 0 where it is none."""
    name = _NAME.fullmatch(at.name)
    return int(name[1]) if name else 0


def clear(folder: Path, stem: str) -> None:
    """Remove the pieces, which are merged or no longer of use."""
    shutil.rmtree(place(folder, stem), ignore_errors=True)


def _read(at: Path) -> PieceRecord | None:
    """What a piece tells; None where there is none, or it can't be understood, which the log says."""
    if not at.is_file():
        return None
    try:
        return PieceRecord.parse(read_told(at))
    except Exception as error:  # a damaged archive makes its reader raise almost anything
        log.warning("%s can't be understood as a piece of pictures (%s): it counts as not there", at, error)
        return None


def _key(piece: PieceRecord) -> tuple[Any, ...]:
    return piece.version, *piece.arguments.pixels
