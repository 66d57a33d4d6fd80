"""What MRtrix's files of tracks and of values along them share: a header of text, then numbers, from an offset on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tractcap.errors import InputError
from tractcap.inputs.reading import open_binary
from tractcap.inputs.tractograms.base import BLOCK_BYTES, readable

Damaged = Callable[[str], InputError]

_HEADER_BOUND = 2**20
_TYPES = {
    "Float32LE": "<f4",
    "Float32BE": ">f4",
    "Float64LE": "<f8",
    "Float64BE": ">f8",
    "Float32": "=f4",
    "Float64": "=f8",
}


@dataclass(frozen=True)
class MrtrixHeader:
    """The header's fields, the type of the numbers, and the byte that they begin at."""

    fields: dict[str, str]
    dtype: "np.dtype[np.floating]"
    start: int


def read_header(path: Path, magic: bytes, damaged: Damaged) -> MrtrixHeader:
    """Read and check a header; ``damaged`` makes the error of what is wrong.

    Raises
    ------
    InputError
        When the file doesn't begin with ``magic`` or its header can't be understood.
    """
    with readable(path, damaged), open_binary(path) as file:
        text = file.read(_HEADER_BOUND)
    if not text.startswith(magic):
        raise damaged(f"it doesn't begin with {magic.decode()!r}")
    lines = text.split(b"\nEND", 1)
    if len(lines) == 1:
        raise damaged("its header has no END")
    pairs = (line.partition(":") for line in lines[0].decode("utf-8", "replace").splitlines()[1:])
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    datatype = fields.get("datatype", "Float32LE")
    if datatype not in _TYPES:
        raise damaged(f"its datatype is {datatype!r}, where one of {', '.join(_TYPES)} is expected")
    return MrtrixHeader(fields, np.dtype(_TYPES[datatype]), _start(fields, len(lines[0]) + len(b"\nEND\n"), damaged))


def _start(fields: dict[str, str], header_end: int, damaged: Damaged) -> int:
    name, _, offset = fields.get("file", f". {header_end}").partition(" ")
    start = number(offset.strip())
    if name != "." or start is None:
        raise damaged("its header points to another file for its numbers, which MRtrix gave up long ago")
    if start < header_end - 1:
        raise damaged(f"its numbers would begin at byte {start}, within its header")
    return start


def number(text: str) -> int | None:
    """A count or an offset of up to 18 digits; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def skip(file: BinaryIO, count: int) -> None:
    """Read on by ``count`` bytes, or to the end: what is unpacked can't be sought in."""
    while count and (data := file.read(min(count, BLOCK_BYTES))):
        count -= len(data)
