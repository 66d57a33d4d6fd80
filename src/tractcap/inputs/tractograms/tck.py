"""MRtrix ``.tck`` and ``.tck.gz``: triplets in RAS+ mm; NaNs end a streamline, infinities end the file.

The format: mrtrix.readthedocs.io, "Tracks file format". All its data types are read (nibabel reads Float32 alone).
"""

from collections.abc import Iterator

import numpy as np

from tractcap.errors import InputError
from tractcap.inputs.reading import open_binary, size_bound
from tractcap.inputs.tractograms import tsf
from tractcap.inputs.tractograms.base import BLOCK_BYTES, Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block
from tractcap.inputs.tractograms.mrtrix import number, read_header, skip


class TckTractogram(Tractogram):
    """A ``.tck`` file."""

    format = "MRtrix (.tck)"

    def _read_header(self) -> Header:
        header = read_header(self.path, b"mrtrix tracks", self.damaged)
        self._dtype, self._start = header.dtype, header.start
        self._timestamp = header.fields.get("timestamp", "")
        self._scalars = tsf.find_scalars(self.path)
        triplets = max(0, size_bound(self.path) - self._start) // (3 * self._dtype.itemsize)
        promised = number(
            header.fields.get("count", "")
        )  # a hint: programs that edit or are interrupted leave it wrong
        return Header(triplets, False, triplets, per_point=tuple(self._scalars), promised=promised)

    def _read_blocks(self, data: str) -> Iterator[Block]:
        if not data:
            yield from self._read_points()
            return
        path, *others = self._scalars[data]
        if others:
            raise InputError(f"{path} and {others[0]} both hold data {data!r} of {self.path}: rename one of them.")
        with tsf.opened(path, self.path, self._timestamp) as scalars:
            for block in self._read_points():
                block.per_point = {data: scalars.take(block)}
                yield block
            scalars.finish()

    def _read_points(self) -> Iterator[Block]:
        row = 3 * self._dtype.itemsize
        continues, ended, seen = False, False, 0
        with open_binary(self.path) as file:
            skip(file, self._start)
            while not ended and (data := file.read(BLOCK_BYTES // row * row)):
                rows = np.frombuffer(data[: len(data) // row * row], self._dtype).reshape(-1, 3)
                marks = np.flatnonzero(~np.isfinite(rows[:, 0]))  # few: only these rows are looked at whole
                end = marks[np.isinf(rows[marks]).all(axis=1)]
                if ended := len(end) > 0:
                    rows, marks = rows[: end[0]], marks[marks < end[0]]
                with np.errstate(over="ignore"):  # doubles beyond single precision are left out and counted later
                    rows = rows.astype(np.float32)
                breaks = marks[np.isnan(rows[marks]).all(axis=1)]
                lengths = np.diff(breaks, prepend=-1) - 1
                tail = len(rows) - (breaks[-1] + 1 if len(breaks) else 0)
                is_open = bool(tail > 0 or (continues and not len(breaks)))
                if is_open:
                    lengths = np.append(lengths, tail)
                yield Block(np.delete(rows, breaks, axis=0), lengths.astype(np.int64), continues, is_open)
                seen += len(lengths) - is_open
                continues = is_open
        if not ended or continues:
            raise self.damaged(
                f"it ends after streamline {seen:,} without the marker that ends such a file; it is cut off"
            )
