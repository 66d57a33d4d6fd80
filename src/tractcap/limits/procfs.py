"""What the kernel, or what stands in for it, writes below ``/proc`` and ``/sys``: no line of it ends a run.

Names are bytes that needn't be UTF-8, lines end at a line feed alone, and a number may be no number at all.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo: which folder of a file system is mounted where, its kind, and the options of the system."""

    root: str
    point: str
    kind: str
    options: frozenset[str]


def read(path: Path) -> str:
    """The text of a file, blanks at its ends taken off; bytes that are no text come through as in file names."""
    return os.fsdecode(path.read_bytes()).strip()


def number(text: str) -> int | None:
    """A count of bytes or the like, or None where the text is something else (``max``, ``-1``, nothing)."""
    return int(text) if re.fullmatch("[0-9]{1,25}", text) else None


def sizes(text: str) -> dict[str, int]:
    """Bytes by name, of lines such as ``MemTotal:  16384000 kB``."""
    return {name: int(kb) * 1024 for name, kb in re.findall(r"^(\w+):\s+([0-9]{1,25}) kB$", text, re.MULTILINE)}


def counts(text: str) -> dict[str, int]:
    """Numbers by name, of lines such as ``oom_kill 3``."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) ([0-9]{1,25})$", text, re.MULTILINE)}


def mounts(text: str) -> Iterator[Mount]:
    """The lines of mountinfo, the uppermost mount of a folder last. A line that has another form is left out."""
    for line in text.split("\n"):
        # any number of optional fields may stand before the dash; blanks in paths are escaped, in options not always
        before, _, after = line.partition(" - ")
        left, right = ([word for word in part.split(" ") if word] for part in (before, after))
        if len(left) >= 5 and right:
            options = frozenset(option for word in right[2:] for option in word.split(","))
            yield Mount(_unescaped(left[3]), _unescaped(left[4]), right[0], options)


def _unescaped(text: str) -> str:
    r"""A path as it is: mountinfo writes octal numbers for blanks and the like, ``\040``."""
    whole = re.sub(rb"\\(?!000)([0-3][0-7]{2})", lambda match: bytes([int(match[1], 8)]), os.fsencode(text))
    return os.fsdecode(whole)
