"""What a file of VTK says of itself before its numbers are read: how much it holds, in which space, and which data.

The formats: docs.vtk.org, "VTK File Formats". A legacy file is walked through from section to section; of an XML file
only the tags are looked at, which stand before or between the numbers.
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
"""Of a number in a legacy file, by the name of its type."""

_CELLS = ("VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS")
_COLUMNS = {"VECTORS": 3, "NORMALS": 3, "TENSORS": 9, "TENSORS6": 6, "GLOBAL_IDS": 1, "PEDIGREE_IDS": 1}
_SECTION = re.compile(
    rb"^[ \t]*(?=(?:POINTS|METADATA|FIELD|POINT_DATA|CELL_DATA|SCALARS|LOOKUP_TABLE|COLOR_SCALARS|TEXTURE_COORDINATES|"
    rb"OFFSETS|CONNECTIVITY|VERTICES|LINES|POLYGONS|TRIANGLE_STRIPS|VECTORS|NORMALS|TENSORS6?|GLOBAL_IDS|PEDIGREE_IDS)\s|"
    rb"\S+ \d+ \d+ [a-z]\w*\s*$)",
    re.I | re.M,
)
"""Where the numbers of a text file end: the next section, or the next array of a field."""

_TAG = re.compile(rb"<(/?)(VTKFile|FieldData|Piece|PointData|CellData|Points|DataArray|Array)\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_SPACE_BYTES = 4096
"""More than a name of a space takes in a file, however it is encoded."""


@dataclass
class VtkHeader:
    """What was said.

    ``points`` and ``lines`` are their numbers, None where that wasn't found; ``spaces`` all that is said of the space;
    ``per_point`` and ``per_line`` the bytes of all the values of data by name, ``double`` tells of the points.
    ``beyond`` is how many bytes longer than it is the file would have to be.
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
    """Look at a file; None where it begins like neither a legacy nor an XML file."""
    if b"<VTKFile" in data[: 2**16]:
        return _xml(data)
    head = _TITLE.match(data)
    return _Legacy(data, head).header if head else None


class _Legacy:
    """Walks through a legacy file as far as it understands it."""

    def __init__(self, data: mmap, head: re.Match[bytes]) -> None:
        self._data, self._at = data, head.end()
        self._split = tuple(map(int, head[1].split(b"."))) >= (5, 1)  # cells have offsets apart from connectivity
        self._binary = head[3].upper() == b"BINARY"
        self.header = VtkHeader(xml=False, spaces={space.decode() for space in _SPACE_IN_TITLE.findall(head[2] or b"")})
        self._values: dict[str, int] = {}
        self._count = 0  # of points or lines that the values are of
        with suppress(LookupError, ValueError):  # what isn't understood ends the walk
            while words := self._line():
                self._section(words[0].upper(), words[1:])
            self.header.lines = self.header.lines or 0

    def _section(self, name: str, words: list[str]) -> None:
        header = self.header
        if name == "POINTS":
            header.points, header.double = int(words[0]), words[1] == "double"
            self._skip(3 * header.points, words[1])
        elif name in _CELLS:
            self._cells(name, int(words[0]), int(words[1]))
        elif name == "FIELD":
            for _ in range(int(words[1])):
                self._array(self._line())
        elif name in ("POINT_DATA", "CELL_DATA"):
            self._values, self._count = header.per_point if name == "POINT_DATA" else header.per_line, int(words[0])
        elif name == "METADATA":
            end = re.compile(rb"\n\s*\n").search(self._data, self._at)
            self._at = end.end() if end else len(self._data)
        elif name != "DATASET":
            self._attribute(name, words)

    def _attribute(self, name: str, words: list[str]) -> None:
        if name == "SCALARS":
            columns = int(words[2]) if len(words) > 2 else 1
            self._line()  # its lookup table
            self._data_of(words[0], columns * self._count, words[1])
        elif name == "TEXTURE_COORDINATES":
            self._data_of(words[0], int(words[1]) * self._count, words[2])
        elif name == "COLOR_SCALARS":
            self._data_of(words[0], int(words[1]) * self._count, "unsigned_char")
        elif name == "LOOKUP_TABLE":
            self._skip(4 * int(words[1]), "unsigned_char")
        else:
            self._data_of(words[0], _COLUMNS[name] * self._count, words[1])

    def _cells(self, name: str, count: int, size: int) -> None:
        lines = count - 1 if self._split and count else count
        if name == "LINES":
            self.header.lines = lines
        for numbers in (count, size) if self._split and count else (size,):
            self._skip(numbers, self._line()[1] if self._split and count else "int")

    def _array(self, words: list[str]) -> None:
        name, numbers, kind = words[0], int(words[1]) * int(words[2]), words[3]
        if kind.lower() != "string":
            self._data_of(name, numbers, kind)
            return
        texts = [self._string() for _ in range(numbers)]
        if name == _SPACE:
            self.header.spaces |= set(texts)

    def _data_of(self, name: str, numbers: int, kind: str) -> None:
        """Skip values; those of points and lines can be coloured by."""
        if self._count:
            self._values[unquote(name)] = numbers * max(1, _BYTES[kind.lower()])
        self._skip(numbers, kind)

    def _skip(self, numbers: int, kind: str) -> None:
        left = max(0, len(self._data) - self._at)
        needed = (numbers * _BYTES[kind.lower()] or -(-numbers // 8)) if self._binary else 2 * numbers - 1
        self.header.beyond = max(self.header.beyond, needed - left)
        if self._binary:
            self._at += max(0, needed)
        else:
            end = _SECTION.search(self._data, self._at)
            self._at = end.end() if end else len(self._data)

    def _string(self) -> str:
        if not self._binary:
            return unquote(" ".join(self._line()))
        first = self._data[self._at]
        width = 1 << (3 - (first >> 6))  # the first two bits say how many bytes have the length
        length = int.from_bytes(self._data[self._at : self._at + width], "big") & ((1 << (8 * width - 2)) - 1)
        self._at += width + length
        return self._data[self._at - length : self._at].decode("utf-8", "replace")

    def _line(self) -> list[str]:
        """The words of the next line that isn't empty; none at the end of the file."""
        while self._at < len(self._data):
            end = self._data.find(b"\n", self._at)
            end = len(self._data) if end < 0 else end
            words = self._data[self._at : min(end, self._at + 2**12)].decode("utf-8", "replace").split()
            self._at = end + 1
            if words:
                return words
        return []


def _xml(data: mmap) -> VtkHeader:
    header, section = VtkHeader(xml=True, points=0, lines=0), ""
    appended = data.find(b"<AppendedData")
    outer = b""
    counts: dict[str, int] = {}
    for tag in _TAG.finditer(data, 0, appended if appended >= 0 else len(data)):
        closes, name, attributes = tag[1] or tag[3].endswith(b"/"), tag[2].decode(), _attributes(tag[3])
        if name == "VTKFile":
            outer = outer or tag[0]
        elif name == "Piece" and not tag[1]:
            counts = {kind: int(attributes.get(f"NumberOf{kind}", 0)) for kind in ("Points", "Lines")}
            header.points, header.lines = (header.points or 0) + counts["Points"], (header.lines or 0) + counts["Lines"]
        elif not name.endswith("Array"):
            section = "" if closes else name
        elif section == "FieldData" and attributes.get("Name") == _SPACE and not tag[1]:
            header.spaces |= set(_spaces(data, outer, tag, appended))
        elif not tag[1]:
            _value(header, section, attributes, counts)
    return header


def _attributes(text: bytes) -> dict[str, str]:
    return {name.decode(): html.unescape(value.decode("utf-8", "replace")) for name, value in _ATTRIBUTE.findall(text)}


def _value(header: VtkHeader, section: str, attributes: dict[str, str], counts: dict[str, int]) -> None:
    kind = attributes.get("type", "")
    if section == "Points":
        header.double = header.double or kind == "Float64"
    told = {"PointData": header.per_point, "CellData": header.per_line}.get(section)
    digits = kind.lstrip("UIntFloa")
    if told is not None and digits.isdecimal() and (name := attributes.get("Name")):
        columns = int(attributes.get("NumberOfComponents") or 1)
        number = counts.get("Points" if section == "PointData" else "Lines", 0)
        told[name] = told.get(name, 0) + number * columns * int(digits) // 8


def _spaces(data: mmap, outer: bytes, tag: re.Match[bytes], appended: int) -> Iterator[str]:
    """Let VTK decode what a field says of the space, in a file made of that alone: numbers come in many encodings."""
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
    reader.SetInputString(outer + b"<PolyData><FieldData>" + element + b"</FieldData>" + empty + b"</PolyData>" + rest)
    reader.Update()
    array = reader.GetOutput().GetFieldData().GetAbstractArray(_SPACE)
    for at in range(array.GetNumberOfValues() if array is not None else 0):
        yield str(array.GetValue(at))
