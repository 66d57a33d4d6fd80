"""DSI Studio's ``.tt.gz`` and ``.tt`` ("TinyTrack"): matrices of MATLAB's version 4, the streamlines as bytes in some.

The format: dsi-studio.labsolver.org/doc/cli_data.html, and the class ``TinyTrack`` of DSI Studio's source. A streamline
is its number of coordinates (uint32, three a point), its first point (int32, in 1/32 of a voxel), and the steps from
each point to the next (int8). Whole numbers of voxels are the voxels' centres, as in NIfTI: DSI Studio rounds points to
find their voxels. Its own ``.trk`` of the same streamlines lies half a voxel off, since that counts from corners.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.affines import places, to_rasmm
from tractcap.inputs.bundles_within import cluster_names, names_file
from tractcap.inputs.reading import open_binary, size_bound
from tractcap.inputs.tractograms.base import BLOCK_BYTES, UNPLACED, Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block, selected
from tractcap.inputs.tractograms.matlab4 import Matrix, matrices

_READ = BLOCK_BYTES // 4
"""Bytes read at once: they hold as many points as a block of formats that use floating-point numbers."""

_STEPS = 32
"""Of a voxel, in which points are counted."""

_HEAD, _BARE = 16, 13
"""Bytes before a streamline's steps, and those beyond one for each coordinate, since its first point isn't a step."""

_PLACE = {"dimension": 3, "voxel_size": 3, "trans_to_mni": 16}
"""The matrices that say where the voxels lie, and how many numbers each has."""


class TtTractogram(Tractogram):
    """A ``.tt`` or ``.tt.gz`` file."""

    format = "DSI Studio (.tt)"

    def _read_header(self) -> Header:
        self._tracks: list[Matrix] = []
        self._clusters: Matrix | None = None
        place: dict[str, NDArray[np.floating]] = {}
        with open_binary(self.file) as file:
            for matrix in matrices(file, size_bound(self.file), self.damaged):
                if re.fullmatch(r"track\d*", matrix.name):
                    self._add_track(matrix)
                elif matrix.name == "cluster":
                    self._clusters = matrix
                elif matrix.name in _PLACE:
                    if matrix.count != _PLACE[matrix.name]:
                        raise self.damaged(
                            f"its matrix {matrix.name!r} has {matrix.count:,} numbers, "
                            f"where {_PLACE[matrix.name]} are expected"
                        )
                    place[matrix.name] = matrix.read(file).astype(np.float64)
        notes = tuple(self._settle_affine(place))
        size = sum(matrix.size for matrix in self._tracks)
        if self._clusters and self._clusters.count and not size:
            raise self.damaged(f"it has clusters for {self._clusters.count:,} streamlines, but no matrix 'track'")
        count = self._clusters.count if self._clusters else None
        if not self.bundle:
            names = ("cluster",) if self._clusters else ()
            return Header(size // _BARE, not size, size // 3, 0, (), names, notes, count)
        if count is None:
            raise self.damaged(f"it has no clusters, although {names_file(self.file).name} names some")
        return Header(count, False, size // 3, 0, (), ("cluster",), notes)

    def _add_track(self, matrix: Matrix) -> None:
        """Add a part of the streamlines: DSI Studio begins another matrix after 128 MB."""
        expected = f"track{len(self._tracks) or ''}"
        if matrix.name != expected:
            raise self.damaged(f"it has a matrix {matrix.name!r} where {expected!r} should be")
        if matrix.dtype.itemsize != 1:
            raise self.damaged(f"its matrix {matrix.name!r} holds {matrix.dtype.name} numbers, not bytes")
        self._tracks.append(matrix)

    def _settle_affine(self, place: Mapping[str, NDArray[np.floating]]) -> Iterator[str]:
        """Settle how points become RAS+ mm; yields what was assumed where the file is silent."""
        dimension, sizes = place.get("dimension", np.ones(3)), place.get("voxel_size", np.zeros(3))
        # what DSI Studio takes, and writes, for images of which it doesn't know the place
        arbitrary = np.diag([*(sizes * [-1, -1, 1]), 1])
        arbitrary[:2, 3] = (sizes * (dimension - 1))[:2]
        given = place.get("trans_to_mni", np.zeros(16)).reshape(4, 4)
        self.affine = given if given.any() else arbitrary
        if not places(self.affine) or (self.affine[3] != [0, 0, 0, 1]).any():
            raise self.damaged("its trans_to_mni and voxel_size don't place its voxels in mm")
        if not given.any():
            yield f"the file has no trans_to_mni, so it doesn't say where the image's origin lies: {UNPLACED}"
        elif np.allclose(given, arbitrary, atol=1e-3):
            yield f"its trans_to_mni is what DSI Studio writes when it doesn't know the image's origin: {UNPLACED}"
        elif "voxel_size" in place and not np.allclose(np.linalg.norm(given[:3, :3], axis=0), sizes, rtol=0.01):
            yield "its voxel_size doesn't fit its trans_to_mni: the latter is taken"

    def _read_blocks(self, data: str) -> Iterator[Block]:
        names = cluster_names(self.file) if self.bundle else []
        numbers = [number for number, name in enumerate(names) if name == self.bundle]
        with ExitStack() as stack:
            file = stack.enter_context(open_binary(self.file))
            clusters = stack.enter_context(self._opened_clusters()) if data or self.bundle else None
            decoder = _Decoder(self)
            for matrix in self._tracks:
                for block in self._read_track(file, matrix, decoder):
                    values = clusters.take(block) if clusters else np.empty(0)
                    if data:
                        block.per_streamline = {data: values}
                    yield selected(block, np.isin(values, numbers)) if self.bundle else block
            if clusters:
                clusters.finish()

    def _read_track(self, file: BinaryIO, matrix: Matrix, decoder: "_Decoder") -> Iterator[Block]:
        file.seek(matrix.start)
        rest, left = b"", matrix.size
        while left:
            raw = file.read(min(left, _READ))
            if not raw:
                raise self.damaged(f"it ends after streamline {decoder.seen:,}; it is cut off")
            left -= len(raw)
            block, rest = decoder.decode(rest + raw, left)
            yield block
        if rest:
            raise self.damaged(f"its matrix {matrix.name!r} ends within streamline {decoder.seen + 1:,}")

    @contextmanager
    def _opened_clusters(self) -> Iterator["_Clusters"]:
        """The clusters, read side by side with the streamlines, by a file of their own."""
        assert self._clusters
        with open_binary(self.file) as file:
            file.seek(self._clusters.start)
            yield _Clusters(self, file, self._clusters)


class _Decoder:
    """Cuts bytes into streamlines; one longer than a read comes in parts."""

    def __init__(self, tractogram: TtTractogram) -> None:
        self._tractogram = tractogram
        self.seen = 0  # streamlines begun
        self._is_open = False

    def decode(self, data: bytes, left: int) -> tuple[Block, bytes]:
        """Decode as many streamlines as ``data`` holds; returns them and what is to be read on from.

        Parameters
        ----------
        left : how many bytes follow in the matrix.
        """
        continues, position = self._is_open, 0
        starts: list[int] = []
        lengths: list[int] = []
        while position + 4 <= len(data):
            (coordinates,) = struct.unpack_from("<I", data, position)
            stop = position + _BARE + coordinates
            if coordinates % 3 or stop > len(data) + left:
                what = "which isn't three a point" if coordinates % 3 else "more than its matrix has bytes for"
                number = self.seen + len(starts) - continues + 1
                raise self._tractogram.damaged(f"streamline {number:,} claims {coordinates:,} coordinates, {what}")
            if stop > len(data):
                break
            starts.append(position)
            lengths.append(coordinates // 3)
            position = stop
        self._is_open = not starts and len(data) > _HEAD
        if self._is_open:  # longer than everything that was read: take what is there
            starts, lengths = [0], [1 + (len(data) - _HEAD) // 3]
            position = _HEAD + 3 * (lengths[0] - 1)
        self.seen += len(starts) - continues
        points = _unpack(data, np.array(starts, np.int64), np.array(lengths, np.int64))
        rest = data[position:]
        if self._is_open:  # it goes on like a streamline that begins with its last point
            rest = struct.pack("<I3i", coordinates - 3 * (lengths[0] - 1), *points[-1].tolist()) + rest
        if continues:
            points, lengths[0] = points[1:], lengths[0] - 1
        placed = to_rasmm(points.astype(np.float32) / np.float32(_STEPS), self._tractogram.affine)
        return Block(placed, np.array(lengths, np.int64), continues, self._is_open), rest


def _unpack(data: bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The points (N, 3) of streamlines that begin at ``starts``, in steps."""
    raw = np.frombuffer(data, np.uint8)
    first = (np.cumsum(lengths) - lengths)[lengths > 0]
    starts, lengths = starts[lengths > 0] + _HEAD, lengths[lengths > 0]
    heads = raw[starts[:, None] + np.arange(4 - _HEAD, 0)].view("<i4").astype(np.int64)
    inside = np.zeros(len(raw) + 1, np.int8)
    np.add.at(inside, starts, 1)
    np.add.at(inside, starts + 3 * (lengths - 1), -1)
    points = np.empty((lengths.sum(), 3), np.int64)
    begins = np.zeros(len(points), bool)
    begins[first] = True
    points[begins] = heads
    points[~begins] = raw[np.cumsum(inside[:-1], dtype=np.int8).view(bool)].view(np.int8).reshape(-1, 3)
    points = np.cumsum(points, axis=0)
    points -= np.repeat(points[first] - heads, lengths, axis=0)
    return points


class _Clusters:
    """The number of each streamline's cluster, in order."""

    def __init__(self, tractogram: TtTractogram, file: BinaryIO, matrix: Matrix) -> None:
        self._tractogram, self._file, self._matrix = tractogram, file, matrix
        self._left = matrix.count
        self._values: NDArray[np.generic] = np.empty(0)

    def take(self, block: Block) -> NDArray[np.generic]:
        """Those of a block's streamlines (S,)."""
        count = len(block.lengths) - block.continues
        if count > self._left:
            raise self._tractogram.damaged(
                f"its matrix 'cluster' is for {self._matrix.count:,} streamlines, but there are more"
            )
        self._left -= count
        fresh = np.frombuffer(self._file.read(count * self._matrix.dtype.itemsize), self._matrix.dtype)
        self._values = np.concatenate([self._values[-1:], fresh]) if block.continues else fresh
        return self._values

    def finish(self) -> None:
        """Check that no number is left."""
        if self._left:
            count = self._matrix.count
            raise self._tractogram.damaged(
                f"its matrix 'cluster' is for {count:,} streamlines, but there are {count - self._left:,}"
            )
