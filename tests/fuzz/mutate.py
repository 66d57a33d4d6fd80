"""Bytes made a little wrong, as full disks, broken copies and odd writers make them; the same for the same seed."""

import random
import struct
from collections.abc import Callable, Sequence

_NUMBERS = (0, 1, -1, 2, 7, 127, 128, 255, 256, 4096, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
_REALS = (0.0, -1.0, float("nan"), float("inf"), 1e30, 1e-30)
_WORDS = (
    b"",
    b"nan",
    b"-1",
    b"0",
    b"1e999",
    b"99999999999999999999",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"\n",
    b"\0",
)

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change a file in one to four ways.

    Parameters
    ----------
    others : files of the same kind, whose parts may be put in.
    """
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(_MUTATIONS)(chance, result, others)
    return bytes(result)


def _place(chance: random.Random, data: bytearray) -> int:
    """Anywhere; one time in two near the beginning, where headers are."""
    most = max(1, len(data))
    return chance.randrange(min(most, 1024)) if chance.random() < 0.5 else chance.randrange(most)


def _bit(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    if data:
        data[_place(chance, data)] ^= 1 << chance.randrange(8)


def _bytes(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = _place(chance, data)
    data[at : at + chance.randint(1, 8)] = chance.randbytes(chance.randint(1, 8))


def _number(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    kind, bits = chance.choice((("b", 8), ("h", 16), ("i", 32), ("q", 64)))
    value = chance.choice(_NUMBERS) % 2**bits
    packed = struct.pack(chance.choice("<>") + kind.upper(), value)
    at = _place(chance, data)
    data[at : at + len(packed)] = packed


def _real(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    packed = struct.pack(chance.choice("<>") + chance.choice("fd"), chance.choice(_REALS))
    at = _place(chance, data)
    data[at : at + len(packed)] = packed


def _cut(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    del data[_place(chance, data) :]


def _remove(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = _place(chance, data)
    del data[at : at + chance.choice((1, 4, 16, 1000))]


def _zeros(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = _place(chance, data)
    length = min(chance.choice((4, 64, 512)), len(data) - at)
    data[at : at + length] = bytes(max(0, length))


def _repeat(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = _place(chance, data)
    data[at:at] = data[at : at + chance.choice((1, 4, 64, 1000))]


def _splice(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = chance.choice(others)
    at, start = _place(chance, data), chance.randrange(max(1, len(other)))
    piece = other[start : start + chance.choice((4, 64, 1000))]
    data[at : at + len(piece)] = piece


def _word(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    """Put something in place of a number or a name in text."""
    at = _place(chance, data)
    start = next((i for i in range(at, min(at + 200, len(data))) if chr(data[i]).isalnum()), at)
    end = next((i for i in range(start, min(start + 40, len(data))) if not chr(data[i]).isalnum()), start)
    data[start:end] = chance.choice(_WORDS)


_MUTATIONS: tuple[Mutation, ...] = (
    _bit,
    _bytes,
    _number,
    _number,
    _real,
    _cut,
    _remove,
    _zeros,
    _repeat,
    _splice,
    _word,
)
