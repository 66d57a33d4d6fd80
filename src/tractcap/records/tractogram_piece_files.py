"""The files of a tractogram's pieces, beside where its pictures will be, until they are merged."""

import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tractcap.errors import InputError
from tractcap.records.json_record import Count, JsonRecord
from tractcap.records.tractogram_piece import Piece, read_told
from tractcap.records.worker_requests import Draw
from tractcap.version import __version__

log = logging.getLogger("tractcap")

_NAME = re.compile(r"\d+-of-(\d+)\.zip")


@dataclass(frozen=True)
class PieceRecord(JsonRecord, keys=str):
    """What a piece's file says: which version drew it by which request, and the bytes that merging takes."""

    version: str
    draw: Draw
    need: Count

    @property
    def pixels(self) -> tuple[object, ...]:
        """What decides them; how many points and pictures are drawn at once doesn't."""
        return self.version, self.draw.bundles, self.draw.vtk_space, self.draw.scene, self.draw.render.sampling


def folder_of(folder: Path, stem: str) -> Path:
    """The folder of the pieces of what will be drawn as ``stem``."""
    return folder / f".{stem}_pieces"


def find_folders(output: Path) -> Iterator[Path]:
    """All such folders in an output."""
    return (path for path in sorted(output.rglob(".*_pieces")) if path.is_dir())


def file_of(folder: Path, piece: Piece) -> Path:
    """A piece's file in their folder."""
    return folder / f"{piece.index + 1}-of-{piece.count}.zip"


def is_drawn(path: Path, draw: Draw) -> bool:
    """Whether a piece's file is there, of the same tractogram, options and version."""
    record = load(path)
    return record is not None and record.pixels == PieceRecord(__version__, draw, need=0).pixels


def load(path: Path) -> PieceRecord | None:
    """What a piece's file says; None where there is none, or it can't be understood, which the log says."""
    if not path.is_file():
        return None
    try:
        return PieceRecord.parse(read_told(path))
    except Exception as error:  # a damaged archive makes its reader raise almost anything
        log.warning("%s can't be understood as a piece of pictures (%s): it counts as not there", path, error)
        return None


def newest(folder: Path) -> PieceRecord | None:
    """What the piece that was drawn last says, None where there is none."""
    return next(iter(_newest_first(folder).values()), None)


def complete(folder: Path) -> tuple[Draw, list[Path]]:
    """The request to draw by, and the files of all pieces in order.

    Raises
    ------
    InputError
        When some are missing, or don't belong together.
    """
    records = _newest_first(folder)
    if not records:
        raise InputError("none of its pieces is there: run the participant level's shares again.")
    first = next(iter(records))
    count = _count(first)
    paths = [file_of(folder, Piece(index, count)) for index in range(count)] if count <= len(records) else [*records]
    same = [path for path in paths if path in records and records[path].pixels == records[first].pixels]
    if len(same) < count:
        raise InputError(f"{len(same)} of its {count} pieces are there: run the participant level's other shares.")
    return records[paths[-1]].draw, paths


def _newest_first(folder: Path) -> dict[Path, PieceRecord]:
    records = {path: record for path in folder.glob("*.zip") if _count(path) and (record := load(path))}
    return {path: records[path] for path in sorted(records, key=lambda path: -path.stat().st_mtime_ns)}


def _count(path: Path) -> int:
    """Of how many pieces a file is one, by its name; 0 where it is none."""
    name = _NAME.fullmatch(path.name)
    return int(name[1]) if name else 0


def clear(folder: Path, stem: str) -> None:
    """Remove the pieces, which are merged or no longer of use."""
    shutil.rmtree(folder_of(folder, stem), ignore_errors=True)
