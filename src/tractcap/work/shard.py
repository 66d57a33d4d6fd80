"""Shares of the work for a cluster's array tasks, which need not know of each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tractcap.errors import SettingsError
from tractcap.inputs.layout import Source, fingerprint
from tractcap.limits import MB

PICTURES = 4 * MB
"""What pictures of a tractogram take whatever its size, in bytes of reading."""


@dataclass(frozen=True)
class Shard:
    """The ``index``-th of ``count`` shares, from 1 on."""

    index: int
    count: int

    def share(self, sources: Sequence[Source]) -> list[Source]:
        """The sources of this share: neighbours in the order of their names, so that a participant has few shards.

        The shares have the same bytes, but for a tractogram. Each source is in exactly one of them.
        """
        ordered = sorted(sources, key=lambda source: (source.participant, source.session, source.name))
        weights = [_bytes(source) + PICTURES for source in ordered]
        total, before, kept = sum(weights), 0, []
        for source, weight in zip(ordered, weights, strict=True):
            middle = before + weight // 2
            if middle * self.count // total == self.index - 1:
                kept.append(source)
            before += weight
        return kept


def parse_shard(text: str | None) -> Shard | None:
    """Read ``I/N``; None stays None.

    Raises
    ------
    SettingsError
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9]+)\s*/\s*([0-9]+)\s*", text)
    index, count = (int(one) for one in found.groups()) if found else (0, 0)
    if not 1 <= index <= count:
        raise SettingsError(f"--shard is {text!r}: give the number of a share and how many there are, such as 1/4.")
    return Shard(index, count)


def _bytes(source: Source) -> int:
    try:
        return fingerprint(source.path)[0]
    except OSError:
        return 0  # it is gone, or can't be read: whoever has it will say so
