"""TRX: a zip archive or a folder of raw arrays, in RAS+ mm.

The format: github.com/tee-ar-ex/trx-spec. The members are read side by side as streams, stored or compressed:
trx-python would unpack a compressed archive into the temporary folder first, which may be memory.
"""

import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.reading import DEFLATE_RATIO, check_file, open_plain
from tractcap.inputs.tractograms.base import BLOCK_BYTES, Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block

Take = Callable[[int], NDArray[np.generic]]
"""Gives the next so many values of an array."""

_POINTS = BLOCK_BYTES // 12
_HEADER_BOUND = 2**24
_MOST_SHRUNK = {zipfile.ZIP_DEFLATED: DEFLATE_RATIO, zipfile.ZIP_LZMA: 2**14, zipfile.ZIP_BZIP2: 2**22}
"""How much smaller than itself an array in the archive can be."""

_MOST_DICTIONARY = 64 * 2**20
"""Bytes that unpacking LZMA may take: what 7-Zip's highest level asks for. Python's own needs 8 MB."""


@dataclass(frozen=True)
class _Member:
    """An array inside: its name in the archive, what it is called, its shape beyond the first axis, type and bytes."""

    path: str
    name: str
    columns: int
    dtype: np.dtype[np.generic]
    size: int

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def rows(self) -> int:
        return self.size // (self.columns * self.dtype.itemsize)


class TrxTractogram(Tractogram):
    """See the module."""

    format = "TRX"

    def _look(self) -> Header:
        members = dict(self._list())
        if "header.json" not in members:
            raise self.damaged("it has no header.json")
        counts = self._read_counts()
        arrays = [member for path, size in members.items() if (member := _member(path, size)) is not None]
        self._streamlines, self._points = counts["NB_STREAMLINES"], counts["NB_VERTICES"]
        self._positions, self._offsets = self._single(arrays, "positions", 3), self._single(arrays, "offsets", 1)
        self._check_counts()
        self._dpv = {m.name: m for m in arrays if m.folder == "dpv" and m.rows == self._points}
        self._dps = {m.name: m for m in arrays if m.folder == "dps" and m.rows == self._streamlines}
        # a group is the numbers of its streamlines; what is held for each group, dpg, can't be drawn along lines
        groups = [m for m in arrays if m.folder == "groups" and m.columns == 1 and m.dtype.kind in "iu"]
        self._groups = {f"group:{m.name}": m for m in groups}
        return Header(self._streamlines, True, self._points, 0, tuple(self._dpv), (*self._dps, *self._groups))

    def _list(self) -> Iterator[tuple[str, int]]:
        if self.path.is_dir():
            for file in sorted(self.path.rglob("*")):
                if not file.is_dir():
                    check_file(file, "give the TRX folder as it was unpacked")
                    yield file.relative_to(self.path).as_posix(), file.stat().st_size
            return
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                if info.file_size > info.compress_size * _MOST_SHRUNK.get(info.compress_type, 1):
                    raise self.damaged(f"its {info.filename} claims {info.file_size:,} bytes, more than it can hold")
                if info.compress_type == zipfile.ZIP_LZMA and (most := self._dictionary(info)) > _MOST_DICTIONARY:
                    raise self.damaged(f"unpacking its {info.filename} takes {most:,} bytes: pack it another way")
                yield info.filename, info.file_size

    def _dictionary(self, info: zipfile.ZipInfo) -> int:
        """Bytes of memory that unpacking a member takes, as its own header says, which is LZMA's."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset + 26)
            name, more = struct.unpack("<HH", file.read(4))
            file.seek(name + more, os.SEEK_CUR)
            _version, _properties, dictionary = struct.unpack("<IBI", file.read(9))
        return int(dictionary)

    def _read_counts(self) -> dict[str, int]:
        with self._opened() as stack:
            header = json.loads(stack.open("header.json").read(_HEADER_BOUND))
        names = ("NB_STREAMLINES", "NB_VERTICES")
        if not isinstance(header, dict) or any(type(header.get(name)) is not int or header[name] < 0 for name in names):
            raise self.damaged("its header.json doesn't give NB_STREAMLINES and NB_VERTICES as whole numbers")
        return {name: header[name] for name in names}

    def _single(self, arrays: list[_Member], name: str, columns: int) -> _Member | None:
        """The one array of a name; None where it lacks because there are no streamlines."""
        found = [m for m in arrays if m.name == name and "/" not in m.path]
        if not found and not self._streamlines and not self._points:
            return None
        if len(found) != 1 or found[0].columns != columns:
            raise self.damaged(
                f"it has {len(found)} arrays of {name} with {columns} column(s), where there must be one"
            )
        return found[0]

    def _check_counts(self) -> None:
        # older writers left out the last offset, which is the number of points
        offsets, points = (member.rows if member else 0 for member in (self._offsets, self._positions))
        if offsets - self._streamlines not in (0, 1) or points != self._points:
            raise self.damaged(
                f"its header promises {self._streamlines:,} streamlines of {self._points:,} points, but it holds "
                f"{offsets:,} offsets and {points:,} points"
            )

    def _blocks(self, data: str) -> Iterator[Block]:
        if self._positions and self._offsets:
            with self._opened() as stack:
                yield from self._decode(stack, data, self._positions, self._offsets)

    def _decode(self, stack: "_Stack", data: str, positions: _Member, offsets: _Member) -> Iterator[Block]:
        take = self._array(stack, positions)
        of_points = self._array(stack, self._dpv[data]) if data in self._dpv else None
        of_streamlines = self._of_streamlines(stack, data) if data and not of_points else None
        values: NDArray[np.generic] = np.empty(0)
        for part in cut(self._lengths(stack, offsets), _POINTS):
            with np.errstate(over="ignore"):
                block = Block(take(part.points).astype(np.float32), part.lengths, part.continues, part.open)
            if of_points:
                block.per_point = {data: of_points(part.points)}
            if of_streamlines:
                fresh = of_streamlines(len(part.lengths) - part.continues)
                values = np.concatenate([values[-1:], fresh]) if part.continues else fresh
                block.per_streamline = {data: values}
            yield block

    def _array(self, stack: "_Stack", member: _Member) -> Take:
        file = stack.open(member.path)
        return lambda count: self._rows(file, member, count)

    def _of_streamlines(self, stack: "_Stack", data: str) -> Take:
        if data in self._dps:
            return self._array(stack, self._dps[data])
        inside = self._membership(stack, self._groups[data])
        starts = 0

        def take(count: int) -> NDArray[np.generic]:
            nonlocal starts
            starts += count
            return inside[starts - count : starts].astype(np.float32)

        return take

    def _membership(self, stack: "_Stack", group: _Member) -> NDArray[np.bool_]:
        """Which streamlines belong to a group, (S,): one byte for each, since a group names them in any order."""
        inside, take, left = np.zeros(self._streamlines, bool), self._array(stack, group), group.rows
        while left:
            count = min(left, BLOCK_BYTES // group.dtype.itemsize)
            numbers = cast(NDArray[np.integer], take(count))
            wrong = numbers[(numbers < 0) | (numbers >= self._streamlines)]
            if len(wrong):
                raise self.damaged(
                    f"its {group.path} names streamline {int(wrong[0])}, but it holds {self._streamlines:,} (from 0)"
                )
            inside[numbers.astype(np.int64)] = True
            left -= count
        return inside

    def _lengths(self, stack: "_Stack", member: _Member) -> Iterator[NDArray[np.int64]]:
        """Points of each streamline, some thousand at a time."""
        file, last, left = stack.open(member.path), -1, member.rows
        while left:
            count = min(left, 2**16)
            offsets = self._rows(file, member, count).astype(np.int64)
            left -= count
            if not left and member.rows == self._streamlines:
                offsets = np.append(offsets, self._points)
            bounds = offsets if last < 0 else np.append(last, offsets)
            lengths = np.diff(bounds)
            first_is_off = last < 0 and len(bounds) and bounds[0] != 0
            if first_is_off or (lengths < 0).any() or (len(bounds) and bounds[-1] > self._points):
                raise self.damaged("its offsets don't rise from zero to the number of points")
            last = int(bounds[-1])
            yield lengths
        if last != self._points and self._streamlines:
            raise self.damaged(f"its offsets end at {last:,}, but it holds {self._points:,} points")

    def _rows(self, file: BinaryIO, member: _Member, count: int) -> NDArray[np.generic]:
        data = file.read(count * member.columns * member.dtype.itemsize)
        values = np.frombuffer(data, member.dtype)
        if len(values) < count * member.columns:
            raise self.damaged(f"its array {member.path} ends early")
        return (
            values.reshape(count, 3)
            if member.columns == 3
            else values.reshape(count, *([member.columns] * (member.columns > 1)))
        )

    @contextmanager
    def _opened(self) -> "Iterator[_Stack]":
        with _Stack() as stack:
            if not self.path.is_dir():
                stack.archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_plain(self.path))))
            stack.tractogram = self
            yield stack


class _Stack(ExitStack):
    """The members that are open, closed together."""

    archive: zipfile.ZipFile | None = None
    tractogram: TrxTractogram

    def open(self, member: str) -> BinaryIO:
        if self.archive is None:
            return self.enter_context(open_plain(self.tractogram.path / member))
        return cast(BinaryIO, self.enter_context(self.archive.open(member)))


@dataclass(frozen=True)
class Part:
    """Streamlines, or parts of them, that have at most so many points together."""

    points: int
    lengths: NDArray[np.int64]
    continues: bool
    open: bool


def cut(lengths: Iterator[NDArray[np.int64]], max_points: int) -> Iterator[Part]:
    """Cut streamlines given by their lengths, one after the other, into parts of at most ``max_points``."""
    for batch in lengths:
        ends = np.cumsum(batch)
        total = int(ends[-1]) if len(ends) else 0
        for start in range(0, max(total, 1), max_points):
            yield _part(batch, ends, start, min(start + max_points, total), last=start + max_points >= total)


def _part(batch: NDArray[np.int64], ends: NDArray[np.int64], start: int, stop: int, *, last: bool) -> Part:
    # a streamline of no points that stands on a cut belongs to the part before it
    first = int(np.searchsorted(ends, start, side="right")) if start else 0
    until = len(batch) if last else int(np.searchsorted(ends, stop, side="right"))
    is_open = not last and (ends[until - 1] if until else 0) < stop
    begins = np.clip(ends[first : until + is_open] - batch[first : until + is_open], start, stop)
    lengths = np.clip(ends[first : until + is_open], start, stop) - begins
    continues = start > 0 and first < len(batch) and int(ends[first] - batch[first]) < start
    return Part(stop - start, lengths, bool(continues), bool(is_open))


def _member(path: str, size: int) -> _Member | None:
    """Read an array's name, ``name[.columns].type``; None for what is no array."""
    parts = path.rsplit("/", 1)[-1].split(".")
    columns = int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 1
    try:
        dtype = np.dtype(parts[-1]).newbyteorder("<")
    except TypeError:
        return None
    if len(parts) not in (2, 3) or dtype.kind not in "biuf" or not columns:
        return None
    return _Member(path, parts[0], columns, dtype, size)
