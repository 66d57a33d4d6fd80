"""The files of a tractogram's pieces, beside where its pictures will be, until they are merged."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.drawing.piece import Piece, read_told
from tractcap.errors import InputError
from tractcap.work.resume import plain

_SAME = ("bundles", "vtk_space", "made")
"""What decides the pixels, of the arguments that a worker draws by."""


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
    told = _told(at)
    return bool(told) and _key(told) == _key({"version": __version__, "arguments": asked})


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
    count = int(newest.stem.rpartition("-")[2])
    paths = [file_of(folder, Piece(index, count)) for index in range(count)]
    same = [at for at in paths if at in found and _key(found[at]) == _key(found[newest])]
    if len(same) < count:
        raise InputError(f"{len(same)} of its {count} pieces are there: run the participant level's other shares.")
    return found[paths[-1]]["arguments"], paths


def arguments(folder: Path) -> dict[str, Any] | None:
    """The arguments of the piece that was drawn last, None where there is none."""
    found, newest = _all(folder)
    return found[newest]["arguments"] if newest else None


def merging_need(folder: Path) -> int:
    """Bytes that merging the pieces takes; 0 where there is none."""
    found, newest = _all(folder)
    return int(found[newest]["need"]) if newest else 0


def _all(folder: Path) -> tuple[dict[Path, dict[str, Any]], Path | None]:
    """What each piece tells, and which was drawn last."""
    found = {at: told for at in folder.glob("*-of-*.zip") if (told := _told(at))}
    return found, max(found, key=lambda at: at.stat().st_mtime_ns, default=None)


def clear(folder: Path, stem: str) -> None:
    """Remove the pieces, which are merged or no longer of use."""
    shutil.rmtree(place(folder, stem), ignore_errors=True)


def _told(at: Path) -> dict[str, Any]:
    try:
        return read_told(at)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def _key(told: Mapping[str, Any]) -> tuple[Any, ...]:
    arguments = told["arguments"]
    return (told["version"], *(plain(arguments[name]) for name in _SAME), arguments["making"]["sampling"])
