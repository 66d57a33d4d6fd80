"""TrackVis ``.trk`` and ``.trk.gz``: streamlines one after the other, each led by its number of points.

The format: trackvis.org/docs/?subsect=fileformat. The header and its transform to RAS+ mm are nibabel's; the
points are decoded here, a block at a time, because nibabel makes one Python object of each streamline.
"""

import io
import warnings
from collections.abc import Iterator

import numpy as np
from nibabel.orientations import axcodes2ornt
from nibabel.streamlines import Field, TrkFile
from nibabel.streamlines.trk import get_affine_trackvis_to_rasmm, header_2_dtype
from numpy.typing import NDArray

from tractcap.inputs.affines import places, to_rasmm
from tractcap.inputs.reading import open_binary, size_bound
from tractcap.inputs.tractograms.base import BLOCK_BYTES, UNPLACED, Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block

HEADER_BYTES = 1000
_ORDER = slice(948, 952)
"""Where the header has the order of its voxels."""


class TrkTractogram(Tractogram):
    """A ``.trk`` file."""

    format = "TrackVis (.trk)"

    def _read_header(self) -> Header:
        with open_binary(self.path) as file:
            text = file.read(HEADER_BYTES)
        if len(text) < HEADER_BYTES:
            raise self.damaged(f"it ends after {len(text)} bytes, within its header; it is cut off")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # about what it assumes where the header is silent: the notes say it
            # the header alone: given the file, nibabel would read its first streamline, whatever size that claims
            order = text[_ORDER].strip(b"\0 ")
            plain = text[: _ORDER.start] + (order or b"LPS").ljust(4, b"\0") + text[_ORDER.stop :]
            self._raw = TrkFile.load(io.BytesIO(plain), lazy_load=True).header
            fields = np.frombuffer(text, header_2_dtype.newbyteorder(self._raw["endianness"]))[0]
            columns, properties = (
                int(self._raw[name]) for name in ("nb_scalars_per_point", "nb_properties_per_streamline")
            )
            sizes = np.asarray(self._raw[Field.VOXEL_SIZES], float)
            if not (np.isfinite(sizes).all() and (sizes > 0).all()):
                raise self.damaged(f"its header's voxel sizes are {sizes.tolist()}, where each must be above zero")
            if min(columns, properties) < 0:
                raise self.damaged("its header's number of scalars or properties is negative")
            notes = tuple(self._settle_affine(fields, order))
        self.scalars = _names(self._raw["scalar_name"], columns, "scalar")
        self.properties = _names(self._raw["property_name"], properties, "property")
        self.data_bound = size_bound(self.path) - HEADER_BYTES
        most = max(0, self.data_bound // (4 * (1 + properties)))
        self.promised = int(fields["nb_streamlines"])  # nibabel's own has become what it could read
        if self.promised < 0 or self.promised > most:
            raise self.damaged(
                f"its header promises {self.promised:,} streamlines, but there is room for {most:,} at most"
            )
        points = max(0, self.data_bound // 4 - self.promised * (1 + properties)) // (3 + columns)
        # the format: a number of 0 means that it wasn't stored
        return Header(most, most == 0, points, 0, self.scalars, self.properties, notes, self.promised or None)

    def _settle_affine(self, fields: np.void, order: bytes) -> Iterator[str]:
        """Settle how points become RAS+ mm, as nibabel does; yields what was assumed where the header is silent."""
        if fields["version"] not in (1, 2):
            yield f"the header says version {fields['version']} of the format: it is read as version 2"
        if not order:
            yield "the header doesn't say the order of its voxels: LPS is taken, as by TrackVis"
        if fields["version"] == 1 or not fields[Field.VOXEL_TO_RASMM][3, 3]:
            yield f"the header doesn't say where the image's origin lies: {UNPLACED}"
            matrix = np.zeros((4, 4))  # the voxels' sizes in their order, such as LPS, from an arbitrary origin
            matrix[3, 3] = 1
            for column, (row, sign) in enumerate(axcodes2ornt((order or b"LPS").decode("latin1").upper())):
                matrix[int(row), column] = sign * self._raw[Field.VOXEL_SIZES][column]
            self._raw[Field.VOXEL_TO_RASMM] = matrix
        self.affine = get_affine_trackvis_to_rasmm(self._raw)
        if not places(self.affine):
            raise self.damaged("its header's matrix doesn't place its voxels in mm")
        if not np.allclose(np.linalg.norm(self.affine[:3, :3], axis=0), 1, rtol=0.01):
            yield "the header's voxel sizes and order don't fit its matrix: the matrix is taken"

    def _read_blocks(self, data: str) -> Iterator[Block]:
        dtype = np.dtype(self._raw["endianness"] + "i4")
        decoder = _Decoder(self, data)
        with open_binary(self.path) as file:
            file.read(HEADER_BYTES)
            rest = np.empty(0, "=i4")
            while raw := file.read(BLOCK_BYTES):
                if len(raw) % 4:
                    raise self.damaged("it ends within a number")
                words = np.concatenate([rest, np.frombuffer(raw, dtype).astype("=i4", copy=False)])
                block, used = decoder.decode(words)
                rest = words[used:]
                yield block
        if decoder.left or len(rest) or decoder.seen < self.promised:
            promised = f" of {self.promised:,}" if self.promised else ""
            raise self.damaged(f"it ends after streamline {decoder.seen:,}{promised}; it is cut off")


class _Decoder:
    """Cuts a stream of 32-bit words into streamlines; a streamline longer than a read comes in parts.

    ``data`` names the scalar or property that is decoded with the points, if any.
    """

    def __init__(self, tractogram: TrkTractogram, data: str) -> None:
        self._tractogram, self._data = tractogram, data
        self._width = 3 + len(tractogram.scalars)
        self._extra = len(tractogram.properties)
        self.seen = 0  # streamlines begun: the file may hold more than its header promises
        self.left = 0  # points to come of the streamline that goes on

    def decode(self, words: NDArray[np.int32]) -> tuple[Block, int]:
        """Decode as many streamlines as ``words`` holds; returns them and how many words they took."""
        continues = self.left > 0
        starts: list[int] = []
        lengths: list[int] = []
        view, end, position = memoryview(words.data), len(words), 0
        bound = self._tractogram.data_bound // 4
        if self.left:
            position = self._take_part(0, self.left, end, starts, lengths)
        while position < end and not self.left:
            points = view[position]
            stop = position + 1 + points * self._width + self._extra
            if points < 0 or points * self._width > bound:
                raise self._tractogram.damaged(
                    f"streamline {self.seen + 1:,} claims {points:,} points, more than the file can hold"
                )
            if stop > end:
                if not starts:  # longer than everything that was read: take what is there
                    self.seen += 1
                    position = self._take_part(position + 1, points, end, starts, lengths)
                break
            starts.append(position + 1)
            lengths.append(points)
            self.seen += 1
            position = stop
        block = self._gather(words[:position], np.array(starts, np.int64), np.array(lengths, np.int64))
        block.continues, block.open = continues, self.left > 0
        return block, position

    def _take_part(self, start: int, points: int, end: int, starts: list[int], lengths: list[int]) -> int:
        """Take the points that are there; the last one only together with the properties behind it."""
        taken = min(points, (end - start) // self._width)
        is_whole = taken == points and start + taken * self._width + self._extra <= end
        if taken == points and not is_whole:
            taken -= 1
        starts.append(start)
        lengths.append(taken)
        self.left = points - taken
        return start + taken * self._width + self._extra * is_whole

    def _gather(self, words: NDArray[np.int32], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Block:
        floats = words.view(np.float32)
        stops = starts + lengths * self._width
        inside = np.ones(len(words) + self._extra, bool)
        inside[starts[starts > 0] - 1] = False  # before a streamline stands its length, behind it its properties
        for column in range(self._extra):
            inside[stops + column] = False
        rows = floats[inside[: len(words)]].reshape(-1, self._width)
        block = Block(to_rasmm(rows[:, :3], self._tractogram.affine), lengths)
        scalars, properties, data = self._tractogram.scalars, self._tractogram.properties, self._data
        if data in scalars:
            block.per_point = {data: rows[:, 3 + scalars.index(data)]}
        elif data in properties:
            # a streamline's properties stand behind its points: while it goes on they are not known yet
            padded = np.append(floats, np.full(self._extra, np.nan, np.float32))
            block.per_streamline = {data: padded[stops + properties.index(data)]}
        return block


def _names(raw: NDArray[np.bytes_], count: int, kind: str) -> tuple[str, ...]:
    """A name for each of ``count`` columns; one without a name is called by its place.

    A name may stand for several columns: nibabel writes their number behind a zero byte.
    """
    names: list[str] = []
    for text, _, columns in (bytes(name).partition(b"\0") for name in raw):
        name = text.decode("latin1").strip()
        number = int(digits) if (digits := columns.strip(b"\0")).isdigit() else 1
        if name:
            names += [name] if number == 1 else [f"{name}[{i}]" for i in range(number)]
    names += [f"{kind}{i + 1}" for i in range(len(names), count)]
    return tuple(names[:count])
