"""Files made a little wrong, as full disks, broken copies and odd writers make them; the same for the same seed."""

import json
import random
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

from damage import ODD

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


# by what a file holds


def mutated_json(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change bytes, or values: take away, exchange, rename and nest what the file's JSON holds."""
    if chance.random() < 0.3:
        return mutated(chance, data, others)
    told = json.loads(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        told = _spoiled(chance, told, json.loads(chance.choice(others)))
    depth = chance.choice((3, 100, 300, 450, 900, 100_000))
    nested = (b"[" * depth + b"]" * depth, b'{"x":' * depth + b"1" + b"}" * depth)
    return json.dumps(told).encode().replace(f'"{_DEEP}"'.encode(), chance.choice(nested))


_DEEP = "what is nested deeply"


def _spoiled(chance: random.Random, told: Any, other: Any) -> Any:
    """What JSON holds, with one value, at any depth, that is another or gone."""
    keys = list(told) if isinstance(told, dict) else list(range(len(told))) if isinstance(told, list) else []
    if not keys or chance.random() < 0.1:
        return chance.choice((*ODD, 1e999, 9 * 10**4000, _DEEP, [told], {"x": told}, str(told), other))
    changed, key = dict(told) if isinstance(told, dict) else list(told), chance.choice(keys)
    other = other.get(key, other) if isinstance(told, dict) and isinstance(other, dict) else other
    match chance.randrange(8):
        case 0:
            del changed[key]
        case 1:
            twin = chance.choice(keys)
            changed[key], changed[twin] = changed[twin], changed[key]
        case 2 if isinstance(changed, dict):
            changed[chance.choice(("", "more", "\ud800", "x" * 5000, f"{key} "))] = changed.pop(key)
        case 2:
            changed *= chance.choice((0, 2, 1000))
        case 3 if isinstance(changed, dict):
            changed["Later"] = chance.choice((_DEEP, {"x": [1, None]}, 1e999))
        case _:
            changed[key] = _spoiled(chance, changed[key], other)
    return changed


def mutated_text(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change bytes, or lines and what stands in them: words, and what parts them."""
    if chance.random() < 0.3:
        return mutated(chance, data, others)
    pieces = _PIECES.split(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at, other = chance.randrange(len(pieces)), _PIECES.split(chance.choice(others))
        match chance.randrange(6):
            case 0:
                del pieces[at : at + chance.choice((1, 2, 3))]
            case 1:
                pieces[at:at] = pieces[at : at + chance.choice((1, 2, 8))] * chance.choice((1, 1, 3, 100))
            case 2:
                twin = chance.randrange(len(pieces))
                pieces[at], pieces[twin] = pieces[twin], pieces[at]
            case 3:
                start = chance.randrange(len(other))
                pieces[at:at] = other[start : start + chance.choice((1, 2, 8))]
            case _:
                pieces[at] = chance.choice(_ODD_WORDS)
        pieces = pieces or [b""]
    return b"".join(pieces)


_PIECES = re.compile(rb"([^a-zA-Z0-9.]|(?<=[a-z])(?=[A-Z]))")

_ODD_WORDS = (
    *_WORDS,
    *b"\\ / : ; , . - _ | ? + ( ) ) [ ] { } * ** ** $ ^ # = & < > ~ ' % @ ! \t \r \r\n".split(b" "),
    *(b"..", b"\xc3\xa9", b"\xe2\x80\xa8", b"\xd9\xa1\xd9\xa2", b"\xed\xa0\x80", b"\xef\xbb\xbf", b" ", b"\n\n"),
    *(
        b"9" * 5000,
        b"[" * 2000,
        b"{a=" * 2000,
        b"a" * 300,
        b"sub-",
        b"ses-",
        b"sub-01",
        b"1_",
        b"(a|",
        b"(?P<a>",
        b"a{9999",
    ),
)
