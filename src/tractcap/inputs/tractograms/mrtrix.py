"""The header that MRtrix's tracks (.tck), track scalars (.tsf) and images (.mif) share: text, then the numbers."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tractcap.errors import InputError
from tractcap.inputs.reading import open_binary
from tractcap.inputs.tractograms.base import BLOCK_BYTES

Damaged = Callable[[str], InputError]
"""Makes the error for a damaged file; its argument ends the sentence."""

_LONGEST_LINE = 2**16
_LONGEST_HEADER = 2**26
_FIELDS = ("count", "datatype", "file", "timestamp")
FLOATS = {
    "float32le": "<f4",
    "float32be": ">f4",
    "float64le": "<f8",
    "float64be": ">f8",
    "float32": "=f4",
    "float64": "=f8",
}


@dataclass(frozen=True)
class MrtrixHeader:
    """The fields of a header that are used, the type of the numbers, and the byte at which they begin.

    The transform of an image, which has several rows, is a field of several lines.
    """

    fields: dict[str, str]
    dtype: "np.dtype[np.number]"
    start: int


def read_header(
    path: Path,
    magic: bytes,
    damaged: Damaged,
    used: Collection[str] = _FIELDS,
    types: Mapping[str, str] = FLOATS,
) -> MrtrixHeader:
    """Read and check a header.

    Parameters
    ----------
    magic : what the file begins with. used : the fields that are read.
    types : numpy's name of each datatype that is read, by MRtrix's in small letters.

    Raises
    ------
    InputError
        When the file doesn't begin with ``magic`` or its header can't be understood.
    """
    fields: dict[str, str] = {}
    with open_binary(path) as file:
        lines = _lines(file)
        if not next(lines, b"").startswith(magic):
            raise damaged(f"it doesn't begin with {magic.decode()!r}")
        for line in lines:
            if line == b"END":
                break
            key, _, value = (part.strip() for part in line.decode("utf-8", "replace").partition(":"))
            if key in used:
                fields[key] = f"{fields[key]}\n{value}" if key == "transform" and key in fields else value
        else:
            raise damaged("its header has no END")
        end = file.tell()
    datatype = fields.get("datatype", "Float32LE")
    if datatype.lower() not in types:
        raise damaged(f"its datatype is {datatype!r}, where one of Float32LE, Float32BE and the like is expected")
    name, _, offset = fields.get("file", f". {end}").partition(" ")
    start = number(offset.strip())
    if name != "." or start is None:
        raise damaged("its header points to another file for its numbers, which MRtrix gave up long ago")
    if start < end - 1:
        raise damaged(f"its numbers would begin at byte {start}, within its header")
    return MrtrixHeader(fields, np.dtype(types[datatype.lower()]), start)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a header; of a very long line, its beginning."""
    is_whole = True
    while file.tell() < _LONGEST_HEADER and (part := file.readline(_LONGEST_LINE)):
        if is_whole:
            yield part.strip()
        is_whole = part.endswith(b"\n")


def number(text: str) -> int | None:
    """A count or an offset of up to 18 digits; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def skip(file: BinaryIO, count: int) -> None:
    """Read past ``count`` bytes, or to the end: a compressed file can't be sought in."""
    while count and (data := file.read(min(count, BLOCK_BYTES))):
        count -= len(data)
