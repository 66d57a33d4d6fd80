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
from tractcap.inputs.tractograms.chunks import Block, parts, selected

Take = Callable[[int], NDArray[np.generic]]
"""Reads the next so many values of an array."""

OpenMember = Callable[[str], BinaryIO]
"""Opens an array or the header by its path inside."""

_POINTS = BLOCK_BYTES // 12
_HEADER_BOUND = 2**24
_MOST_SHRUNK = {zipfile.ZIP_DEFLATED: DEFLATE_RATIO, zipfile.ZIP_LZMA: 2**14, zipfile.ZIP_BZIP2: 2**22}
"""How much smaller than itself an array in the archive can be."""

_MOST_DICTIONARY = 64 * 2**20
"""Bytes that unpacking LZMA may take: what 7-Zip's highest level asks for. Python's own needs 8 MB."""


@dataclass(frozen=True)
class _Member:
    """An array inside: its path, the name of its data, its columns, type of numbers and size in bytes."""

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
    """A ``.trx`` archive, or the folder of an unpacked one."""

    format = "TRX"

    def _read_header(self) -> Header:
        members = dict(self._list())
        if "header.json" not in members:
            raise self.damaged("it has no header.json")
        with self._opened() as open_member:
            header = json.loads(open_member("header.json").read(_HEADER_BOUND))
        names = ("NB_STREAMLINES", "NB_VERTICES")
        if not isinstance(header, dict) or any(type(header.get(name)) is not int or header[name] < 0 for name in names):
            raise self.damaged("its header.json doesn't give NB_STREAMLINES and NB_VERTICES as whole numbers")
        self._streamlines, self._points = (header[name] for name in names)
        arrays = [member for path, size in members.items() if (member := _member(path, size)) is not None]
        self._positions, self._offsets = self._single(arrays, "positions", 3), self._single(arrays, "offsets", 1)
        # older writers left out the last offset, which is the number of points
        offsets, points = (member.rows if member else 0 for member in (self._offsets, self._positions))
        if offsets - self._streamlines not in (0, 1) or points != self._points:
            raise self.damaged(
                f"its header promises {self._streamlines:,} streamlines of {self._points:,} points, but it holds "
                f"{offsets:,} offsets and {points:,} points"
            )
        self._dpv = {m.name: m for m in arrays if m.folder == "dpv" and m.rows == self._points}
        self._dps = {m.name: m for m in arrays if m.folder == "dps" and m.rows == self._streamlines}
        # a group is the numbers of its streamlines; the data of a whole group, dpg, can't be drawn along lines
        groups = [m for m in arrays if m.folder == "groups" and m.columns == 1 and m.dtype.kind in "iu"]
        self._groups = {f"group:{m.name}": m for m in groups}
        per_point, per_streamline = tuple(self._dpv), (*self._dps, *self._groups)
        if not self.bundle:
            return Header(self._streamlines, True, self._points, 0, per_point, per_streamline)
        if f"group:{self.bundle}" not in self._groups:
            raise self.damaged(f"its group {self.bundle} isn't one of numbers of streamlines")
        return Header(self._groups[f"group:{self.bundle}"].rows, False, self._points, 0, per_point, per_streamline)

    def _list(self) -> Iterator[tuple[str, int]]:
        """The members' paths and sizes in bytes."""
        if self.file.is_dir():
            for file in sorted(self.file.rglob("*")):
                if not file.is_dir():
                    check_file(file, "give the TRX folder as it was unpacked")
                    yield file.relative_to(self.file).as_posix(), file.stat().st_size
            return
        with zipfile.ZipFile(self.file) as archive:
            for info in archive.infolist():
                if info.file_size > info.compress_size * _MOST_SHRUNK.get(info.compress_type, 1):
                    raise self.damaged(f"its {info.filename} claims {info.file_size:,} bytes, more than it can hold")
                if info.compress_type == zipfile.ZIP_LZMA and (most := self._dictionary(info)) > _MOST_DICTIONARY:
                    raise self.damaged(f"unpacking its {info.filename} takes {most:,} bytes: pack it another way")
                yield info.filename, info.file_size

    def _dictionary(self, info: zipfile.ZipInfo) -> int:
        """Bytes of memory that unpacking an LZMA member takes, as its own header says."""
        with self.file.open("rb") as file:
            file.seek(info.header_offset + 26)
            name, more = struct.unpack("<HH", file.read(4))
            file.seek(name + more, os.SEEK_CUR)
            _version, _properties, dictionary = struct.unpack("<IBI", file.read(9))
        return int(dictionary)

    def _single(self, arrays: list[_Member], name: str, columns: int) -> _Member | None:
        """The only array of a name; None where it is missing because there are no streamlines."""
        found = [m for m in arrays if m.name == name and "/" not in m.path]
        if not found and not self._streamlines and not self._points:
            return None
        if len(found) != 1 or found[0].columns != columns:
            raise self.damaged(
                f"it has {len(found)} arrays of {name} with {columns} column(s), where there must be one"
            )
        return found[0]

    def _read_blocks(self, data: str) -> Iterator[Block]:
        if not self._positions or not self._offsets:
            return
        with self._opened() as open_member:
            positions = _Column(self, open_member, self._positions)
            values = _Column(self, open_member, self._dpv[data]) if data in self._dpv else None
            take_numbers = self._per_streamline(open_member, data) if data and not values else None
            members = self._membership(open_member, f"group:{self.bundle}") if self.bundle else None
            numbers: NDArray[np.generic] = np.empty(0)
            begun = 0
            for part in parts(self._lengths(open_member, self._offsets), _POINTS):
                first, begun = begun - part.continues, begun - part.continues + len(part.lengths)
                if take_numbers:
                    fresh = take_numbers(len(part.lengths) - part.continues)
                    numbers = np.concatenate([numbers[-1:], fresh]) if part.continues else fresh
                if members is not None and not members[first:begun].any():
                    positions.skip(part.points)
                    if values:
                        values.skip(part.points)
                    continue
                with np.errstate(over="ignore"):
                    points = positions.take(part.points).astype(np.float32)
                block = Block(points, part.lengths, part.continues, part.open)
                if values:
                    block.per_point = {data: values.take(part.points)}
                if take_numbers:
                    block.per_streamline = {data: numbers}
                yield block if members is None else selected(block, members[first:begun])

    def _per_streamline(self, open_member: OpenMember, data: str) -> Take:
        """The data of each streamline; of a group, whether it belongs to it."""
        if data in self._dps:
            return _Column(self, open_member, self._dps[data]).take
        members, start = self._membership(open_member, data), 0

        def take(count: int) -> NDArray[np.generic]:
            nonlocal start
            start += count
            return members[start - count : start].astype(np.float32)

        return take

    def _membership(self, open_member: OpenMember, group: str) -> NDArray[np.bool_]:
        """Which streamlines belong to a group, (S,): one byte for each, since a group names them in any order."""
        member = self._groups[group]
        inside, column, left = np.zeros(self._streamlines, bool), _Column(self, open_member, member), member.rows
        while left:
            count = min(left, BLOCK_BYTES // member.dtype.itemsize)
            numbers = cast(NDArray[np.integer], column.take(count))
            wrong = numbers[(numbers < 0) | (numbers >= self._streamlines)]
            if len(wrong):
                raise self.damaged(
                    f"its {member.path} names streamline {int(wrong[0])}, but it holds {self._streamlines:,} (from 0)"
                )
            inside[numbers.astype(np.int64)] = True
            left -= count
        return inside

    def _lengths(self, open_member: OpenMember, member: _Member) -> Iterator[NDArray[np.int64]]:
        """The number of points of each streamline, some thousand streamlines at a time."""
        column, last, left = _Column(self, open_member, member), -1, member.rows
        while left:
            count = min(left, 2**16)
            offsets = column.take(count).astype(np.int64)
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

    @contextmanager
    def _opened(self) -> Iterator[OpenMember]:
        """A function that opens members, which are closed together."""
        with ExitStack() as stack:
            if self.file.is_dir():
                yield lambda member: stack.enter_context(open_plain(self.file / member))
            else:
                archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_plain(self.file))))
                yield lambda member: cast(BinaryIO, stack.enter_context(archive.open(member)))


class _Column:
    """The rows of an array, from the first on."""

    def __init__(self, tractogram: TrxTractogram, open_member: OpenMember, member: _Member) -> None:
        self._damaged, self._member, self._file = tractogram.damaged, member, open_member(member.path)

    def take(self, count: int) -> NDArray[np.generic]:
        """Read the next rows: (count,), or (count, columns) if there are several columns."""
        member = self._member
        values = np.frombuffer(self._file.read(count * member.columns * member.dtype.itemsize), member.dtype)
        if len(values) < count * member.columns:
            raise self._damaged(f"its array {member.path} ends early")
        return values if member.columns == 1 else values.reshape(count, member.columns)

    def skip(self, count: int) -> None:
        """Leave out the next rows.

        In an archive they are read: Python before 3.12.9 and 3.13.2 seeks to a wrong place where several members are
        open (github.com/python/cpython/issues/127847), and after a seek checks no sum any more.
        """
        left = count * self._member.columns * self._member.dtype.itemsize
        if not isinstance(self._file, zipfile.ZipExtFile):
            self._file.seek(left, os.SEEK_CUR)
            return
        while left and (read := len(self._file.read(min(left, BLOCK_BYTES)))):
            left -= read


def _member(path: str, size: int) -> _Member | None:
    """Read an array's name, ``name[.columns].type``, where the name may hold dots; None for anything else."""
    stem, _, kind = path.rpartition("/")[2].rpartition(".")
    name, _, number = stem.rpartition(".")
    name, columns = (name, int(number)) if name and number.isascii() and number.isdigit() else (stem, 1)
    try:
        dtype = np.dtype(kind).newbyteorder("<")
    except TypeError:
        return None
    if not name or dtype.kind not in "biuf" or not columns:
        return None
    return _Member(path, name, columns, dtype, size)
