"""What drawing takes beside reading the same file once, streamline after streamline, as its format's library does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import files
import nibabel as nib
from measuring import Asked, Goal, Table, draw, progress, ratio, side_by_side, timed, warm

from tractcap.inputs.tractograms import open_tractogram

GOAL = 4
"""Times the floor."""

_CHUNK = 50_000
_CAP = "512"


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Read and draw the same streamlines as .trk, .tck and .trx."""
    columns = ("format", "MB", "floor", "floor, s", "tractcap reads, × floor", "tractcap draws, s", "× floor")
    table = Table("floor: drawing six views under 512 MB beside reading once", columns)
    table.notes.append(
        "The floor is a loop over the streamlines that does nothing: of nibabel's lazy loading for .trk and .tck, of "
        "trx-python's loading for .trx, which nibabel doesn't read. Drawing is the whole command line."
    )
    trk = files.of_size(folder / "large.trk", asked.size)
    for suffix, convert in _CONVERT.items():
        progress(f"floor: {suffix}")
        path = convert(trk, trk.with_suffix(suffix))
        if floor := _floor(suffix):
            _add(table, path, floor, asked.rounds)
        else:
            table.notes.append(f"{suffix} was not measured: trx-python isn't installed.")
        if path != trk:
            path.unlink()
    yield table


_CONVERT: dict[str, Callable[[Path, Path], Path]] = {
    ".trk": lambda trk, _path: trk,
    ".tck": files.as_tck,
    ".trx": files.as_trx,
}


def _floor(suffix: str) -> tuple[str, Callable[[Path], None]] | None:
    """What reads this format, and how; None if it isn't installed."""
    if suffix != ".trx":
        return "nibabel", _read_by_nibabel
    try:
        import trx  # noqa: F401
    except ImportError:
        return None
    return "trx-python", _read_by_trx


def _add(table: Table, path: Path, floor: tuple[str, Callable[[Path], None]], rounds: int) -> None:
    warm(path)
    name, read = floor
    steps = {
        "floor": lambda: timed(lambda: read(path)),
        "chunks": lambda: timed(lambda: _read_by_chunks(path)),
        "draw": lambda: draw(path, "--mem", _CAP).seconds,
    }
    taken = side_by_side(steps, rounds)
    reads, draws = (ratio(taken[one], taken["floor"]) for one in ("chunks", "draw"))
    size = path.stat().st_size >> 20
    table.rows.append((path.suffix, size, name, median(taken["floor"]), reads, median(taken["draw"]), draws))
    table.goals.append(Goal(f"drawing a {path.suffix}, times {name}", draws, GOAL))


def _read_by_nibabel(path: Path) -> None:
    for _ in nib.streamlines.load(path, lazy_load=True).streamlines:
        pass


def _read_by_trx(path: Path) -> None:
    from trx.trx_file_memmap import load

    file = load(str(path))
    for _ in file.streamlines:
        pass
    file.close()


def _read_by_chunks(path: Path) -> None:
    for _ in open_tractogram(path).chunks(_CHUNK):
        pass
