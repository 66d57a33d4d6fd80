"""What a VTK file says before its numbers are read: how much it holds, in which space, and which data.

The formats: docs.vtk.org, "VTK File Formats". A legacy file is walked through from section to section; of an XML file
only the tags are read, which stand before or between the numbers.
"""

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import mmap
from typing import Any
from urllib.parse import unquote

_SPACE = "SPACE"
_TITLE = re.compile(rb"# vtk DataFile Version (\d+\.\d+)[^\n]*\n([^\n]*\n)??\s*(ASCII|BINARY)\s*\n", re.I)
_SPACE_IN_TITLE = re.compile(rb"\bSPACE=([\w-]+)")

_BYTES = {
    "bit": 0, "char": 1, "unsigned_char": 1, "short": 2, "unsigned_short": 2, "int": 4, "unsigned_int": 4, "long": 8,
    "unsigned_long": 8, "float": 4, "double": 8, "vtkidtype": 4, "vtktypeint64": 8, "vtktypeuint64": 8,
}  # fmt: skip
"""Bytes of a number in a legacy file, by the name of its type; bits are packed."""

_COLUMNS = {"VECTORS": 3, "NORMALS": 3, "TENSORS": 9, "TENSORS6": 6, "GLOBAL_IDS": 1, "PEDIGREE_IDS": 1}
_SECTION = re.compile(
    rb"^[ \t]*(?=(?:POINTS|METADATA|FIELD|POINT_DATA|CELL_DATA|SCALARS|LOOKUP_TABLE|COLOR_SCALARS|TEXTURE_COORDINATES|"
    rb"OFFSETS|CONNECTIVITY|VERTICES|LINES|POLYGONS|TRIANGLE_STRIPS|VECTORS|NORMALS|TENSORS6?|GLOBAL_IDS|PEDIGREE_IDS)\s|"
    rb"\S+ \d+ \d+ [a-z]\w*\s*$)",
    re.I | re.M,
)
"""Where the numbers of a text file end: at the next section, or the next array of a field."""

_TAG = re.compile(rb"<(/?)(VTKFile|FieldData|Piece|PointData|CellData|Points|DataArray|Array)\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_SPACE_BYTES = 4096
"""More than the name of a space takes in a file, however it is encoded."""


@dataclass
class VtkHeader:
    """What a file says.

    Parameters
    ----------
    xml : whether it is XML, else it is a legacy file.
    points, lines : their numbers, None where these weren't found.
    double : whether points are in double precision.
    spaces : all names of spaces that it gives.
    per_point, per_line : bytes of all values of data, by name.
    beyond : how many bytes longer the file would have to be.
    """

    xml: bool
    points: int | None = None
    lines: int | None = None
    double: bool = False
    spaces: set[str] = field(default_factory=set)
    per_point: dict[str, int] = field(default_factory=dict)
    per_line: dict[str, int] = field(default_factory=dict)
    beyond: int = 0


def read_header(data: mmap) -> VtkHeader | None:
    """Read what a file says; None where it begins like neither a legacy nor an XML file."""
    if b"<VTKFile" in data[: 2**16]:
        return _read_xml(data)
    title = _TITLE.match(data)
    return _LegacyFile(data, title).header if title else None


class _LegacyFile:
    """Walks through a legacy file as far as it is understood."""

    def __init__(self, data: mmap, title: re.Match[bytes]) -> None:
        self._data, self._position = data, title.end()
        self._has_offsets = tuple(map(int, title[1].split(b"."))) >= (5, 1)  # of cells, apart from connectivity
        self._binary = title[3].upper() == b"BINARY"
        spaces = {space.decode() for space in _SPACE_IN_TITLE.findall(title[2] or b"")}
        self.header = VtkHeader(xml=False, spaces=spaces)
        self._values: dict[str, int] = {}  # where the data of points or of lines go
        self._count = 0  # points or lines that the data are of
        with suppress(LookupError, ValueError, TypeError):  # the walk ends at what isn't understood
            while words := self._line():
                self._section(words[0].upper(), words[1:])
            self.header.lines = self.header.lines or 0

    def _section(self, name: str, words: list[str]) -> None:
        header = self.header
        if name == "POINTS":
            header.points, header.double = int(words[0]), words[1] == "double"
            self._skip(3 * header.points, words[1])
        elif name in ("VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS"):
            count, size = int(words[0]), int(words[1])
            has_offsets = self._has_offsets and count > 0
            if name == "LINES":
                header.lines = count - has_offsets
            for numbers in (count, size) if has_offsets else (size,):
                self._skip(numbers, self._line()[1] if has_offsets else "int")
        elif name == "FIELD":
            for _ in range(int(words[1])):
                self._field_array(*self._line()[:4])
        elif name in ("POINT_DATA", "CELL_DATA"):
            self._values, self._count = header.per_point if name == "POINT_DATA" else header.per_line, int(words[0])
        elif name == "METADATA":
            end = re.compile(rb"\n\s*\n").search(self._data, self._position)
            self._position = end.end() if end else len(self._data)
        elif name == "LOOKUP_TABLE":
            self._skip(4 * int(words[1]), "unsigned_char")
        elif name != "DATASET":
            self._attribute(name, words)

    def _field_array(self, name: str, columns: str, rows: str, kind: str) -> None:
        numbers = int(columns) * int(rows)
        if kind.lower() != "string":
            self._take_data(name, numbers, kind)
            return
        texts: list[str] = []
        for _ in range(numbers):
            if self._binary:
                first = self._data[self._position]
                width = 1 << (3 - (first >> 6))  # the first two bits say how many bytes have the length
                length = int.from_bytes(self._data[self._position : self._position + width], "big")
                length &= (1 << (8 * width - 2)) - 1
                self._position += width + length
                texts.append(self._data[self._position - length : self._position].decode("utf-8", "replace"))
            else:
                texts.append(unquote(" ".join(self._line())))
        if name == _SPACE:
            self.header.spaces |= set(texts)

    def _attribute(self, name: str, words: list[str]) -> None:
        """Data of points or lines that are not in a field."""
        if name == "SCALARS":
            columns, kind = int(words[2]) if len(words) > 2 else 1, words[1]
            self._line()  # its lookup table
        elif name == "TEXTURE_COORDINATES":
            columns, kind = int(words[1]), words[2]
        elif name == "COLOR_SCALARS":
            columns, kind = int(words[1]), "unsigned_char"
        else:
            columns, kind = _COLUMNS[name], words[1]
        self._take_data(words[0], columns * self._count, kind)

    def _take_data(self, name: str, numbers: int, kind: str) -> None:
        """Note the data of points or lines, and skip their values."""
        if self._count:
            self._values[unquote(name)] = numbers * max(1, _BYTES[kind.lower()])
        self._skip(numbers, kind)

    def _skip(self, numbers: int, kind: str) -> None:
        needed = (numbers * _BYTES[kind.lower()] or -(-numbers // 8)) if self._binary else 2 * numbers - 1
        self.header.beyond = max(self.header.beyond, needed - max(0, len(self._data) - self._position))
        if self._binary:
            self._position += max(0, needed)
        else:
            end = _SECTION.search(self._data, self._position)
            self._position = end.end() if end else len(self._data)

    def _line(self) -> list[str]:
        """The words of the next line that isn't empty; none at the end of the file."""
        while self._position < len(self._data):
            end = self._data.find(b"\n", self._position)
            end = len(self._data) if end < 0 else end
            words = self._data[self._position : min(end, self._position + 2**12)].decode("utf-8", "replace").split()
            self._position = end + 1
            if words:
                return words
        return []


def _read_xml(data: mmap) -> VtkHeader:
    header, section, counts = VtkHeader(xml=True, points=0, lines=0), "", {"PointData": 0, "CellData": 0}
    values = {"PointData": header.per_point, "CellData": header.per_line}
    appended = data.find(b"<AppendedData")
    root = b""
    for tag in _TAG.finditer(data, 0, appended if appended >= 0 else len(data)):
        name, attributes = tag[2].decode(), _attributes(tag[3])
        if name == "VTKFile":
            root = root or tag[0]
        elif name == "Piece" and not tag[1]:
            counts = {
                "PointData": int(attributes.get("NumberOfPoints", 0)),
                "CellData": int(attributes.get("NumberOfLines", 0)),
            }
            header.points = (header.points or 0) + counts["PointData"]
            header.lines = (header.lines or 0) + counts["CellData"]
        elif not name.endswith("Array"):
            section = "" if tag[1] or tag[3].endswith(b"/") else name
        elif section == "FieldData" and attributes.get("Name") == _SPACE and not tag[1]:
            header.spaces |= set(_spaces(data, root, tag, appended))
        elif not tag[1]:
            kind, array = attributes.get("type", ""), attributes.get("Name")
            header.double |= section == "Points" and kind == "Float64"
            bits = kind.lstrip("UIntFloa")
            if section in values and bits.isdecimal() and array:
                numbers = counts[section] * int(attributes.get("NumberOfComponents") or 1)
                values[section][array] = values[section].get(array, 0) + numbers * int(bits) // 8
    return header


def _attributes(text: bytes) -> dict[str, str]:
    return {name.decode(): html.unescape(value.decode("utf-8", "replace")) for name, value in _ATTRIBUTE.findall(text)}


def _spaces(data: mmap, root: bytes, tag: re.Match[bytes], appended: int) -> Iterator[str]:
    """Let VTK decode the field that names the space, in a file of that field alone: there are many encodings."""
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    element, rest = tag[0], b"</VTKFile>"
    if (offset := _attributes(tag[3]).get("offset")) is not None and appended >= 0:
        begin = data.find(b"_", data.find(b">", appended)) + 1
        element = re.sub(rb"offset\s*=\s*[\"']\d+[\"']", b'offset="0"', element)
        rest = data[appended:begin] + data[begin + int(offset) : begin + int(offset) + _SPACE_BYTES]
    elif not element.endswith(b"/>"):
        end = data.find(b"</" + tag[2] + b">", tag.end())
        element = data[tag.start() : max(tag.end(), min(end, tag.end() + _SPACE_BYTES))] + b"</" + tag[2] + b">"
    reader: Any = vtkXMLPolyDataReader()
    reader.ReadFromInputStringOn()
    empty = b'<Piece NumberOfPoints="0"><Points/></Piece>'
    reader.SetInputString(root + b"<PolyData><FieldData>" + element + b"</FieldData>" + empty + b"</PolyData>" + rest)
    reader.Update()
    array = reader.GetOutput().GetFieldData().GetAbstractArray(_SPACE)
    for index in range(array.GetNumberOfValues() if array is not None else 0):
        yield str(array.GetValue(index))
