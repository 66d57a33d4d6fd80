"""Files of MATLAB's version 4, as DSI Studio writes them: matrices one after the other, each led by its type and size.

The format: MathWorks, "MAT-File Format", Level 4. Only what DSI Studio uses is read: full, real, little-endian
matrices, and its own type of 64-bit numbers. A matrix may be larger than memory: only where it lies is found.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError

Damaged = Callable[[str], InputError]
"""Makes the error for a damaged file; its argument ends the sentence."""

_HEADER = struct.Struct("<5I")
_TYPES = {0: "<f8", 10: "<f4", 20: "<i4", 30: "<i2", 40: "<u2", 50: "u1", 51: "u1", 60: "<u8"}
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Matrix:
    """A matrix in a file: its name, the byte at which its numbers begin, how many they are, and their type."""

    name: str
    start: int
    count: int
    dtype: np.dtype[np.generic]

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        return self.count * self.dtype.itemsize

    def read(self, file: BinaryIO) -> NDArray[np.generic]:
        """Read all its numbers (count,), in the order of the file.

        Raises
        ------
        ValueError
            When there are fewer.
        """
        file.seek(self.start)
        data = file.read(self.size)
        if len(data) < self.size:
            raise ValueError(f"it ends within its matrix {self.name!r}; it is cut off")
        return np.frombuffer(data, self.dtype)


def matrices(file: BinaryIO, bound: int, damaged: Damaged) -> Iterator[Matrix]:
    """Find the matrices of a file; the caller may read or seek in it between two of them.

    Parameters
    ----------
    file : compressed or not. In a compressed one, finding the matrices takes unpacking it once.
    bound : the most bytes that it can hold.

    Raises
    ------
    InputError
        When something else stands where a matrix should, or the file ends within one.
    """
    position = 0
    while head := file.read(_HEADER.size):
        if len(head) < _HEADER.size:
            raise damaged(f"it ends at byte {position + len(head):,}, within a matrix's header; it is cut off")
        kind, rows, columns, imaginary, length = _HEADER.unpack(head)
        if kind not in _TYPES or imaginary or not 1 <= length <= _LONGEST_NAME:
            raise damaged(f"no matrix of MATLAB's version 4 begins at its byte {position:,}")
        name = file.read(length).partition(b"\0")[0].decode("latin1")
        matrix = Matrix(name, position + _HEADER.size + length, rows * columns, np.dtype(_TYPES[kind]))
        position = matrix.start + matrix.size
        cut_off = f"it ends within its matrix {name!r}, of {matrix.size:,} bytes by its header; it is cut off"
        if position > bound:
            raise damaged(cut_off)
        yield matrix
        if file.tell() < position:
            file.seek(position - 1)
            if not file.read(1):  # seeking beyond the end is no error
                raise damaged(cut_off)
