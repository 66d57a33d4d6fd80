"""What may lie in the place of a file that tractcap has written."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ODD: tuple[Any, ...] = (
    None, [], {}, "x", "", -1, True, [[]], {"x": [None]}, 10**400, float("nan"), float("inf"), 1e300, "\ud800",
    "a/b\0", "x" * 5000,
)  # fmt: skip
"""Values that may stand where another is meant."""


def spoiled(told: Any) -> Iterator[Any]:
    """What JSON holds, each time with another of its values, at any depth, replaced or taken away."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield {name: one for name, one in told.items() if name != key}
            yield from ({**told, key: one} for one in (*ODD, *spoiled(value)))
    elif isinstance(told, list) and told:
        yield from ([one, *told[1:]] for one in (*ODD, *spoiled(told[0])))


def _edited(**values: Any) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")

    return damage


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(change(path.read_bytes())))


def _instead(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def void(_: Any) -> None:
    """Nothing."""


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**31)


FILES: dict[str, Callable[[Path], None]] = {
    "empty": _bytes(lambda _: b""),
    "cut short": _bytes(lambda data: data[: len(data) // 2]),
    "no UTF-8": _bytes(lambda data: data[:-3] + b"\xff" + data[-3:]),
    "nested deeply": _bytes(lambda _: b"[" * 200_000),
    "no object": _bytes(lambda _: b"[1, 2]"),
    "a long number": _bytes(lambda data: data.replace(b"{", b'{"Place": ' + b"9" * 5000 + b",", 1)),
    "too large": _instead(_large),
    "a folder": _instead(Path.mkdir),
    "a pipe": _instead(os.mkfifo),
    "a device": _instead(lambda path: path.symlink_to("/dev/zero")),
    "a link to nothing": _instead(lambda path: path.symlink_to("nowhere")),
    "a link to itself": _instead(lambda path: path.symlink_to(path.name)),
}
"""By what they leave in the place of any file."""

RECORDS = FILES | {
    "a list for text": _edited(Title=["x"]),
    "null for a list": _edited(Sources=None),
    "no number": _edited(SourceBytes=[float("nan")]),
    "a future version": _edited(GeneratedBy=[{"Name": "tractcap", "Version": "9.9"}], Title={"en": "x"}),
}
"""In the place of a record."""
