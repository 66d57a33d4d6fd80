"""MRtrix ``.tsf`` and ``.tsf.gz``: one value for each point of a ``.tck``, in its order; NaN ends a streamline.

The format: mrtrix.readthedocs.io, "Track Scalar File format". Infinity ends the file there; MRtrix 3.0.4 doesn't
write it, so that only the streamlines tell where the file must end.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.filenames import split_name
from tractcap.inputs.reading import check_file, not_whole, open_binary, reading
from tractcap.inputs.tractograms.chunks import Block
from tractcap.inputs.tractograms.mrtrix import MrtrixHeader, read_header, skip

_FORMAT = "MRtrix (.tsf)"
_MAGIC = b"mrtrix track scalars"
_ENDINGS = (".tsf", ".tsf.gz")
_SEPARATORS = "_.-"


def find_scalars(path: Path) -> dict[str, list[Path]]:
    """Find the scalar files that by their names belong to a ``.tck`` file, without opening them.

    ``X.tsf`` holds the data ``tsf`` of ``X.tck``; ``X_NAME.tsf``, ``X.NAME.tsf`` and ``X-NAME.tsf`` hold NAME, unless
    another ``.tck`` in the folder has a longer part of that name.

    Returns
    -------
    Each name, in alphabetical order, with its files: more than one where the names of files are ambiguous.
    """
    stem, ending = split_name(path.name)
    if ending not in (".tck", ".tck.gz"):
        return {}
    try:
        found = _by_tracks(path.parent, path.parent.stat().st_mtime_ns).get(stem, {})
    except OSError:  # a folder may allow its files to be read, but not to be listed
        return {}
    return {data: [path.parent / name for name in names] for data, names in found.items()}


@lru_cache(1)
def _by_tracks(folder: Path, _modified: int) -> dict[str, dict[str, list[str]]]:
    """The scalar files in a folder, by the stem of their tracks and by the name of the data.

    It is kept until the folder changes, since each of many tracks in it asks for its own.
    """
    names = sorted(os.listdir(folder))  # noqa: PTH208  (names alone: there may be many thousands)
    tracks = {stem for stem, ending in map(split_name, names) if ending in (".tck", ".tck.gz")}
    found: dict[str, dict[str, list[str]]] = {}
    for name in names:
        scalars = next((name[: -len(ending)] for ending in _ENDINGS if name.lower().endswith(ending)), "")
        # the longest stem of tracks that the file is named after
        ends = [len(scalars), *(i for i in range(len(scalars) - 2, 0, -1) if scalars[i] in _SEPARATORS)]
        if stem := next((scalars[:end] for end in ends if scalars[:end] in tracks), ""):
            found.setdefault(stem, {}).setdefault(scalars[len(stem) + 1 :] or "tsf", []).append(name)
    return {stem: dict(sorted(data.items())) for stem, data in found.items()}


@contextmanager
def opened(path: Path, tracks: Path, timestamp: str) -> "Iterator[Scalars]":
    """Open a scalar file of tracks whose header has that ``timestamp`` (or ``""``).

    Raises
    ------
    InputError
        When it is damaged, or was made for other tracks.
    """
    check_file(path, f"give one with a value for each point of {tracks}")
    with ExitStack() as stack:
        with reading(path, f"a {_FORMAT} file"):  # and no longer: errors of the tracks are not this file's
            header = read_header(path, _MAGIC, partial(not_whole, path, _FORMAT))
            own = header.fields.get("timestamp", "")
            if own and timestamp and own != timestamp:
                raise InputError(
                    f"{path} was not made for {tracks} as it is now: their timestamps are {own} and {timestamp}. "
                    "Make it anew."
                )
            file = stack.enter_context(open_binary(path))
            skip(file, header.start)
        yield Scalars(path, tracks, header, file)


class Scalars:
    """Values that are read in step with the streamlines that they belong to."""

    def __init__(self, path: Path, tracks: Path, header: MrtrixHeader, file: BinaryIO) -> None:
        self._path, self._tracks, self._dtype, self._file = path, tracks, header.dtype, file
        self._seen = 0  # streamlines whose values have been read to their end

    def take(self, block: Block) -> NDArray[np.float32]:
        """Read the values of a block's points, (N,).

        Raises
        ------
        InputError
            When there isn't one value for each point of each streamline.
        """
        stops = np.cumsum(block.lengths + 1) - 1  # where a NaN must be
        ends = stops[: len(stops) - block.open]
        count, size = len(block.points) + len(ends), self._dtype.itemsize
        data = self._bytes(count * size)
        values = np.frombuffer(data[: len(data) // size * size], self._dtype)
        expected = np.zeros(len(values), bool)
        expected[ends[ends < len(values)]] = True
        breaks = np.isnan(values)
        wrong = np.flatnonzero((breaks != expected) | np.isinf(values))
        if len(wrong) or len(values) < count:
            place = int(wrong[0]) if len(wrong) else len(values)
            streamline = f"streamline {self._seen + int(np.searchsorted(ends, place)) + 1:,}"
            if place == len(values) or np.isinf(values[place]):
                raise self._mismatch(f"its values end in {streamline}")
            raise self._mismatch(f"{streamline} has {'fewer' if breaks[place] else 'more'} values than points")
        self._seen += len(ends)
        with np.errstate(over="ignore"):  # as with the points
            return np.delete(values, ends).astype(np.float32)

    def finish(self) -> None:
        """Check that nothing is left once the tracks have ended."""
        rest = self._bytes(self._dtype.itemsize)
        if rest and not (len(rest) == self._dtype.itemsize and np.isinf(np.frombuffer(rest, self._dtype)[0])):
            raise self._mismatch(f"it goes on after the last of them, streamline {self._seen:,}")

    def _bytes(self, count: int) -> bytes:
        with reading(self._path, f"a {_FORMAT} file"):
            return self._file.read(count)

    def _mismatch(self, what: str) -> InputError:
        return InputError(f"{self._path} doesn't match {self._tracks}: {what}. Make it anew from these streamlines.")
