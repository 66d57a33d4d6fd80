"""TrackVis ``.trk`` and ``.trk.gz``: streamlines one after the other, each led by its number of points.

The format: trackvis.org/docs/?subsect=fileformat. The header and its transform to RAS+ mm are nibabel's; the
points are decoded here, a block at a time, because nibabel makes one Python object of each streamline.
"""

import io
import warnings
import zlib
from collections.abc import Iterator

import numpy as np
from nibabel.streamlines import TrkFile
from nibabel.streamlines.tractogram_file import HeaderError
from nibabel.streamlines.trk import get_affine_trackvis_to_rasmm, header_2_dtype
from numpy.typing import NDArray

from tractcap.inputs.reading import open_binary
from tractcap.inputs.tractograms.base import BLOCK_BYTES, Header, Tractogram, size_bound
from tractcap.inputs.tractograms.chunks import Block
from tractcap.inputs.tractograms.space import to_rasmm

HEADER_BYTES = 1000


class TrkTractogram(Tractogram):
    """See the module."""

    format = "TrackVis (.trk)"

    def _look(self) -> Header:
        self._data_bound = size_bound(self.path) - HEADER_BYTES
        notes = self._read_header()
        width, properties = 3 + len(self._scalars), len(self._properties)
        most = max(0, self._data_bound // (4 * (1 + properties)))
        count = self._count
        if count < 0 or count > most:
            raise self.damaged(f"its header promises {count:,} streamlines, but there is room for {most:,} at most")
        points = max(0, self._data_bound // 4 - count * (1 + properties)) // width
        streamlines = count or most
        return Header(streamlines, count > 0, points, 0, self._scalars, self._properties, notes)

    def _read_header(self) -> tuple[str, ...]:
        """Read the header by nibabel; what it warns of becomes notes."""
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            try:
                with open_binary(self.path) as file:
                    text = file.read(HEADER_BYTES)
                # the header alone: given the file, nibabel would read its first streamline, whatever size that claims
                self._raw = TrkFile.load(io.BytesIO(text), lazy_load=True).header
                fields = np.frombuffer(text, header_2_dtype.newbyteorder(self._raw["endianness"]))
                self._count = int(fields["nb_streamlines"][0])  # nibabel's own has become what it could read
                self._check_header()
                self._affine = get_affine_trackvis_to_rasmm(self._raw)
            except (
                HeaderError,
                ValueError,
                KeyError,
                IndexError,
                EOFError,
                zlib.error,
                np.linalg.LinAlgError,
            ) as error:
                raise self.damaged(
                    f"its header can't be understood ({' '.join(str(error).split()) or 'cut off'})"
                ) from error
        if not np.isfinite(self._affine).all():
            raise self.damaged("its header's transform to millimetres is not finite")
        self._scalars = _names(self._raw["scalar_name"], int(self._raw["nb_scalars_per_point"]), "scalar")
        self._properties = _names(
            self._raw["property_name"], int(self._raw["nb_properties_per_streamline"]), "property"
        )
        return tuple(" ".join(str(w.message).split()) for w in caught)

    def _check_header(self) -> None:
        sizes = np.asarray(self._raw["voxel_sizes"], float)
        if not (np.isfinite(sizes).all() and (sizes > 0).all()):
            raise self.damaged(f"its header's voxel sizes are {sizes.tolist()}, where each must be above zero")
        if min(self._raw["nb_scalars_per_point"], self._raw["nb_properties_per_streamline"]) < 0:
            raise self.damaged("its header's number of scalars or properties is negative")

    def _blocks(self, data: str) -> Iterator[Block]:
        dtype = np.dtype(self._raw["endianness"] + "i4")
        decoder = _Decoder(self, data)
        with open_binary(self.path) as file:
            file.read(HEADER_BYTES)
            rest = np.empty(0, "=i4")
            while not decoder.done and (raw := file.read(BLOCK_BYTES)):
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
        self.count = owner._count  # 0: unknown, read to the end

    @property
    def done(self) -> bool:
        return bool(self.count) and self.seen == self.count and not self.left

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
        width, extra, limit = self.width, len(self.properties), self.count or self.bound + 1
        if self.left:
            position = self._part(0, self.left, end, starts, lengths)
        while position < end and not self.left and self.seen < limit:
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
        """Check that the file held what its header promised."""
        if self.left or (words_left and not self.done) or self.seen < self.count:
            promised = f" of {self.count:,}" if self.count else ""
            raise self.owner.damaged(f"it ends after streamline {self.seen:,}{promised}; it is cut off")

    def _impossible(self, points: int) -> Exception:
        return self.owner.damaged(f"streamline {self.seen + 1:,} claims {points:,} points, more than the file can hold")


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
