"""MRtrix ``.tck`` and ``.tck.gz``: triplets in RAS+ mm; NaNs end a streamline, infinities end the file.

The format: mrtrix.readthedocs.io, "Tracks file format". All its data types are read (nibabel reads Float32 alone).
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.reading import open_binary
from tractcap.inputs.tractograms.base import BLOCK_BYTES, Header, Tractogram, size_bound
from tractcap.inputs.tractograms.chunks import Block

_MAGIC = b"mrtrix tracks"
_HEADER_BOUND = 2**20
_TYPES = {
    "Float32LE": "<f4",
    "Float32BE": ">f4",
    "Float64LE": "<f8",
    "Float64BE": ">f8",
    "Float32": "=f4",
    "Float64": "=f8",
}


class TckTractogram(Tractogram):
    """See the module."""

    format = "MRtrix (.tck)"

    def _look(self) -> Header:
        fields = self._read_header()
        datatype = fields.get("datatype", "Float32LE")
        if datatype not in _TYPES:
            raise self.damaged(f"its datatype is {datatype!r}, where one of {', '.join(_TYPES)} is expected")
        self._dtype = np.dtype(_TYPES[datatype])
        self._start = self._data_start(fields)
        triplets = max(0, size_bound(self.path) - self._start) // (3 * self._dtype.itemsize)
        self._promised = int(count) if (count := fields.get("count", "")).isdigit() else None
        return Header(min(triplets, self._promised or triplets), False, triplets)

    def _read_header(self) -> dict[str, str]:
        try:
            with open_binary(self.path) as file:
                text = file.read(_HEADER_BOUND)
        except EOFError as error:
            raise self.damaged("its compressed data end early") from error
        if not text.startswith(_MAGIC):
            raise self.damaged(f"it doesn't begin with {_MAGIC.decode()!r}")
        lines = text.split(b"\nEND", 1)
        if len(lines) == 1:
            raise self.damaged("its header has no END")
        self._header_end = len(lines[0]) + len(b"\nEND\n")
        pairs = (line.partition(":") for line in lines[0].decode("utf-8", "replace").splitlines()[1:])
        return {key.strip(): value.strip() for key, _, value in pairs}

    def _data_start(self, fields: dict[str, str]) -> int:
        name, _, offset = fields.get("file", f". {self._header_end}").partition(" ")
        if name != "." or not offset.strip().isdigit():
            raise self.damaged("its header points to another file for the points, which MRtrix gave up long ago")
        if int(offset) < self._header_end - 1:
            raise self.damaged(f"its points would begin at byte {int(offset)}, within its header")
        return int(offset)

    def _blocks(self) -> Iterator[Block]:
        row = 3 * self._dtype.itemsize
        continues, ended, seen = False, False, 0
        with open_binary(self.path) as file:
            _skip(file, self._start)
            while not ended and (data := file.read(BLOCK_BYTES // row * row)):
                rows = np.frombuffer(data[: len(data) // row * row], self._dtype).reshape(-1, 3)
                block, ended = self._decode(rows, continues)
                seen += len(block.lengths) - block.open
                continues = block.open
                yield block
        if not ended or continues:
            raise self.damaged(
                f"it ends after streamline {seen:,} without the marker that ends such a file; it is cut off"
            )

    def _decode(self, rows: NDArray[np.floating], continues: bool) -> tuple[Block, bool]:
        end = np.flatnonzero(np.isinf(rows).all(axis=1))
        if ended := len(end) > 0:
            rows = rows[: end[0]]
        with np.errstate(over="ignore"):  # a double beyond single precision becomes infinite: left out later, and said
            rows = rows.astype(np.float32)
        breaks = np.flatnonzero(np.isnan(rows).all(axis=1))
        lengths = np.diff(breaks, prepend=-1) - 1
        tail = len(rows) - (breaks[-1] + 1 if len(breaks) else 0)
        is_open = tail > 0 or (continues and not len(breaks))
        if is_open:
            lengths = np.append(lengths, tail)
        points = np.delete(rows, breaks, axis=0)
        return Block(points, lengths.astype(np.int64), continues, bool(is_open)), ended


def _skip(file: BinaryIO, count: int) -> None:
    while count and (data := file.read(min(count, BLOCK_BYTES))):
        count -= len(data)
