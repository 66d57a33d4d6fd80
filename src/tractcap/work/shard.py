"""Shares of the work for a cluster's array tasks, which need not know of each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tractcap.errors import SettingsError
from tractcap.inputs.search import Source, fingerprint
from tractcap.limits import MB
from tractcap.records.tractogram_piece import WHOLE, Piece, pieces
from tractcap.work.disk_spool import Spool

PICTURES = 4 * MB
"""What pictures of a tractogram take whatever its size, in bytes of reading."""

LARGE = 64 * MB
"""From which on it pays to draw a tractogram in pieces, which takes a little more in all."""


@dataclass(frozen=True)
class Shard:
    """The ``index``-th of ``count`` shares, from 1 on."""

    index: int
    count: int


class Shares:
    """What of each participant's tractograms is drawn here: all, or a share.

    A share is of neighbours in the order of their names, so a participant has few shards. Shares have the same bytes,
    but for a tractogram, or for a piece of one that is more than a share. Each is in exactly one share.

    Parameters
    ----------
    pictures : how many a tractogram has; 0 if none may be drawn in pieces.
    """

    def __init__(self, shard: Shard | None, people: Spool[Source], pictures: int) -> None:
        self._shard, self._pictures = shard, pictures
        weights = {name: sum(map(weight_of, people.of(name))) for name in sorted(people)} if shard else {}
        self._total = sum(weights.values())
        self._before = dict(zip(weights, accumulate(weights.values(), initial=0), strict=False))

    def of(self, participant: str, sources: Sequence[Source]) -> dict[Source, tuple[Piece, ...]]:
        """Which pieces of which of a participant's sources."""
        if self._shard is None:
            return dict.fromkeys(sources, (WHOLE,))
        kept: dict[Source, tuple[Piece, ...]] = {}
        before, count = self._before[participant], self._shard.count
        for source in sorted(sources, key=lambda source: (source.session, source.name)):
            weight = weight_of(source)
            parts: tuple[Piece, ...] = (WHOLE,)
            if weight >= LARGE and weight * count > self._total and self._pictures and can_be_parted(source):
                parts = pieces(-(-weight * count // self._total), self._pictures)  # at least as many as it is shares
            for piece in parts:
                first, last = (weight * index // piece.count for index in (piece.index, piece.index + 1))
                if (before + (first + last) // 2) * count // self._total == self._shard.index - 1:
                    kept[source] = (*kept.get(source, ()), piece)
            before += weight
        return kept


def can_be_parted(source: Source) -> bool:
    """Whether a tractogram's size tells roughly where its pieces are, and whether it is read in chunks."""
    return source.path.suffix.lower() in (".trk", ".tck", ".trx", ".tt")


def parse_shard(text: str) -> Shard:
    """Read ``I/N``.

    Raises
    ------
    SettingsError
    """
    numbers = re.fullmatch(r"\s*([0-9]+)\s*/\s*([0-9]+)\s*", text)
    index, count = map(int, numbers.groups()) if numbers else (0, 0)
    if not 1 <= index <= count:
        raise SettingsError(f"--shard is {text!r}: give the number of a share and how many there are, such as 1/4.")
    return Shard(index, count)


def weight_of(source: Source) -> int:
    """What a tractogram and its pictures weigh, in bytes of reading."""
    try:
        return fingerprint(source.path)[0] + PICTURES
    except OSError:
        return PICTURES  # it is gone, or can't be read: whoever has it will say so
