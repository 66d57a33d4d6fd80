"""What a kind of file must have to be fuzzed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutate import mutated


@dataclass(frozen=True)
class Target:
    """A kind of file: the ``name`` it gets, whole ones, how one is ``broken`` and how it is ``read``.

    ``pack`` makes a file of a whole one. ``crashes``: a library that isn't ours may die of it. ``blamed`` stands in
    each sentence that refuses one; if empty, it is the file's folder.
    """

    name: str
    whole: Callable[[], Sequence[bytes]]
    read: Callable[[Path], None]
    broken: Callable[[random.Random, bytes, Sequence[bytes]], bytes] = mutated
    pack: Callable[[bytes], bytes] = bytes
    crashes: bool = False
    blamed: str = ""
