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


class TrkTractogram(Tractogram):
    """See the module."""

    format = "TrackVis (.trk)"

    def _look(self) -> Header:
        with open_binary(self.path) as file:
            text = file.read(HEADER_BYTES)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of what it takes where the header is silent: that is told below
            # the header alone: given the file, nibabel would read its first streamline, whatever size that claims
            order = text[_ORDER].strip(b"\0 ")
            plain = text[: _ORDER.start] + (order or b"LPS").ljust(4, b"\0") + text[_ORDER.stop :]
            self._raw = TrkFile.load(io.BytesIO(plain), lazy_load=True).header
            fields = np.frombuffer(text, header_2_dtype.newbyteorder(self._raw["endianness"]))[0]
            self._check_numbers()
            notes = tuple(self._place(fields, order))
        columns, properties = (
            int(self._raw[name]) for name in ("nb_scalars_per_point", "nb_properties_per_streamline")
        )
        self._scalars = _names(self._raw["scalar_name"], columns, "scalar")
        self._properties = _names(self._raw["property_name"], properties, "property")
        self._data_bound = size_bound(self.path) - HEADER_BYTES
        most = max(0, self._data_bound // (4 * (1 + properties)))
        self._promised = int(fields["nb_streamlines"])  # nibabel's own has become what it could read
        if self._promised < 0 or self._promised > most:
            raise self.damaged(
                f"its header promises {self._promised:,} streamlines, but there is room for {most:,} at most"
            )
        points = max(0, self._data_bound // 4 - self._promised * (1 + properties)) // (3 + columns)
        # the format: a number of 0 means that it wasn't stored
        return Header(most, most == 0, points, 0, self._scalars, self._properties, notes, self._promised or None)

    def _check_numbers(self) -> None:
        sizes = np.asarray(self._raw[Field.VOXEL_SIZES], float)
        if not (np.isfinite(sizes).all() and (sizes > 0).all()):
            raise self.damaged(f"its header's voxel sizes are {sizes.tolist()}, where each must be above zero")
        if min(self._raw["nb_scalars_per_point"], self._raw["nb_properties_per_streamline"]) < 0:
            raise self.damaged("its header's number of scalars or properties is negative")

    def _place(self, fields: np.void, order: bytes) -> Iterator[str]:
        """Settle how points become RAS+ mm, as nibabel does; yields what was taken where the header is silent."""
        sizes = self._raw[Field.VOXEL_SIZES]
        if fields["version"] not in (1, 2):
            yield f"the header says version {fields['version']} of the format: it is read as version 2"
        if not order:
            yield "the header doesn't say the order of its voxels: LPS is taken, as by TrackVis"
        if fields["version"] == 1 or not fields[Field.VOXEL_TO_RASMM][3, 3]:
            yield f"the header doesn't say where the image's origin lies: {UNPLACED}"
            self._raw[Field.VOXEL_TO_RASMM] = _along(order or b"LPS", sizes)
        self._affine = get_affine_trackvis_to_rasmm(self._raw)
        if not places(self._affine):
            raise self.damaged("its header's matrix doesn't place its voxels in mm")
        if not np.allclose(np.linalg.norm(self._affine[:3, :3], axis=0), 1, rtol=0.01):
            yield "the header's voxel sizes and order don't fit its matrix: the matrix is taken"

    def _blocks(self, data: str) -> Iterator[Block]:
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
        decoder.finish(len(rest))


class _Decoder:
    """Cuts a stream of 32-bit words into streamlines; a streamline longer than a read comes in parts.

    ``data`` names the scalar or property that is decoded with the points, if any.
    """

    def __init__(self, owner: TrkTractogram, data: str) -> None:
        self.owner, self.data = owner, data
        self.scalars, self.properties = owner._scalars, owner._properties
        self.width = 3 + len(self.scalars)
        self.seen = 0  # streamlines begun
        self.left = 0  # points to come of the streamline that goes on
        self.bound = owner._data_bound // 4
        self.promised = owner._promised  # the file may hold more: it is read to its end

    def decode(self, words: NDArray[np.int32]) -> tuple[Block, int]:
        """Decode as many streamlines as ``words`` holds; returns them and how many words they took."""
        continues = self.left > 0
        starts, lengths, used = self._walk(words)
        block = self._gather(words[:used], np.array(starts, np.int64), np.array(lengths, np.int64))
        block.continues, block.open = continues, self.left > 0
        return block, used

    def _walk(self, words: NDArray[np.int32]) -> tuple[list[int], list[int], int]:
        starts: list[int] = []
        lengths: list[int] = []
        view, end, position = memoryview(words.data), len(words), 0
        width, extra = self.width, len(self.properties)
        if self.left:
            position = self._part(0, self.left, end, starts, lengths)
        while position < end and not self.left:
            points = view[position]
            stop = position + 1 + points * width + extra
            if points < 0 or points * width > self.bound:
                raise self._impossible(points)
            if stop > end:
                if not starts:  # longer than everything that was read: take what is there
                    self.seen += 1
                    position = self._part(position + 1, points, end, starts, lengths)
                break
            starts.append(position + 1)
            lengths.append(points)
            self.seen += 1
            position = stop
        return starts, lengths, position

    def _part(self, start: int, points: int, end: int, starts: list[int], lengths: list[int]) -> int:
        """Take the points that are there; the last one only together with the properties behind it."""
        taken = min(points, (end - start) // self.width)
        whole = taken == points and start + taken * self.width + len(self.properties) <= end
        if taken == points and not whole:
            taken -= 1
        starts.append(start)
        lengths.append(taken)
        self.left = points - taken
        return start + taken * self.width + len(self.properties) * whole

    def _gather(self, words: NDArray[np.int32], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Block:
        floats = words.view(np.float32)
        stops = starts + lengths * self.width
        inside = np.zeros(len(words) + 1, np.int8)
        np.add.at(inside, starts, 1)
        np.add.at(inside, stops, -1)
        rows = floats[np.cumsum(inside[:-1], dtype=np.int8).view(bool)].reshape(-1, self.width)
        block = Block(to_rasmm(rows[:, :3], self.owner._affine), lengths)
        if self.data in self.scalars:
            block.per_point = {self.data: rows[:, 3 + self.scalars.index(self.data)]}
        elif self.data in self.properties:
            # a streamline's properties stand behind its points: while it goes on they are not known yet
            padded = np.append(floats, np.full(len(self.properties), np.nan, np.float32))
            block.per_streamline = {self.data: padded[stops + self.properties.index(self.data)]}
        return block

    def finish(self, words_left: int) -> None:
        """Check that the file held what its header promised, and didn't end within a streamline."""
        if self.left or words_left or self.seen < self.promised:
            promised = f" of {self.promised:,}" if self.promised else ""
            raise self.owner.damaged(f"it ends after streamline {self.seen:,}{promised}; it is cut off")

    def _impossible(self, points: int) -> Exception:
        return self.owner.damaged(f"streamline {self.seen + 1:,} claims {points:,} points, more than the file can hold")


def _along(order: bytes, sizes: NDArray[np.floating]) -> NDArray[np.float64]:
    """A matrix from voxels to mm for voxels of some sizes in some order, such as ``LPS``; its origin means nothing."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for column, (row, sign) in enumerate(axcodes2ornt(order.decode("latin1").upper())):
        matrix[int(row), column] = sign * sizes[column]
    return matrix


def _names(raw: NDArray[np.bytes_], count: int, kind: str) -> tuple[str, ...]:
    """A name for each of ``count`` columns; one without a name is named by its place.

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
