"""Shares of the work for a cluster's array tasks, which need not know of each other."""

import os
import re
from collections.abc import Mapping, Sequence
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
        self._weights = {name: sum(map(weight_of, people.of(name))) for name in sorted(people)} if shard else {}
        self._total = sum(self._weights.values())
        self._before = dict(zip(self._weights, accumulate(self._weights.values(), initial=0), strict=False))

    def of(self, participant: str, sources: Sequence[Source]) -> dict[Source, tuple[Piece, ...]]:
        """Which pieces of which of a participant's sources."""
        if self._shard is None:
            return dict.fromkeys(sources, (WHOLE,))
        kept: dict[Source, tuple[Piece, ...]] = {}
        before, count = self._before[participant], self._shard.count
        first_share, last_share = (at * count // self._total for at in (before, before + self._weights[participant]))
        if not first_share <= self._shard.index - 1 <= last_share:
            return kept
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


@dataclass(frozen=True)
class _Array:
    """Variables that a scheduler gives the tasks of an array: the task's number, and how many tasks there are.

    ``first`` is the number of the first task. ``checked`` is a variable that says so, or else the count isn't of all.
    ``step`` is a variable that says how far numbers are apart.
    """

    number: str
    count: str
    first: int
    checked: str = ""
    step: str = ""


_NONE = "undefined"
"""What Grid Engine gives a job that is no array."""

_ARRAYS = (
    # Slurm counts the tasks that were submitted together, which may be some of them again
    _Array("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", 1, "SLURM_ARRAY_TASK_MIN"),
    _Array("SGE_TASK_ID", "SGE_TASK_LAST", 1, "SGE_TASK_FIRST", "SGE_TASK_STEPSIZE"),
    _Array("PBS_ARRAY_INDEX", "", 1),
    _Array("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", 0),
    _Array("BATCH_TASK_INDEX", "BATCH_TASK_COUNT", 0),  # Google's
    _Array("JOB_COMPLETION_INDEX", "", 0),  # of Kubernetes, which tells no count
)


def parse_shard(text: str, environ: Mapping[str, str] = os.environ) -> Shard:
    """Read ``I/N``, ``auto`` or ``auto/N``: the number, or both, are what a scheduler's variables say.

    Raises
    ------
    SettingsError
        When the text is something else, or the variables don't say it.
    """
    parts = re.fullmatch(r"\s*([0-9]+|auto)\s*(?:/\s*([0-9]+)\s*)?", text)
    if parts and parts[1] == "auto":
        return _shard_of_array(environ, parts[2])
    index, count = (int(parts[1]), int(parts[2])) if parts and parts[2] else (0, 0)
    if not 1 <= index <= count:
        raise SettingsError(
            f"--shard is {text!r}: give the number of a share and how many there are, such as 1/4, "
            "or auto or auto/4 in a scheduler's array of tasks."
        )
    return Shard(index, count)


def _shard_of_array(environ: Mapping[str, str], given: str | None) -> Shard:
    """The share of a task of an array, of which ``given`` may say how many tasks it has."""
    found = [array for array in _ARRAYS if environ.get(array.number, _NONE) != _NONE]
    if len(found) != 1:
        known = ", ".join(array.number for array in _ARRAYS)
        which = " and ".join(array.number for array in found) + " are" if found else f"none of {known} is"
        raise SettingsError(f"--shard auto can't tell which task this is: {which} set. Give I/N.")
    (array,) = found
    number, count = environ[array.number], given or environ.get(array.count, "")
    name, first = array.checked, str(array.first)
    if not given and (not count.isdecimal() or environ.get(name, first) != first):
        why = f"no variable says it{f', such as {array.count}' * bool(array.count)}"
        if count.isdecimal():
            why = f"{name} is {environ[name]}, so some may have been submitted alone"
        raise SettingsError(f"--shard auto can't tell of how many tasks {array.number} is one: {why}. Give auto/N.")
    if not given and environ.get(array.step, "1") not in ("1", _NONE):
        why = f"{array.step} is {environ[array.step]}, so the shares between would be drawn by none"
        raise SettingsError(f"--shard auto: {why}. Number the tasks one by one, or give I/N.")
    index = int(number) - array.first + 1 if number.isdecimal() else 0
    if not 1 <= index <= int(count):
        last = int(count) + array.first - 1
        raise SettingsError(
            f"--shard auto: {array.number} is {number}, but {count} tasks have the numbers {array.first} to {last}. "
            "Number them so, or give I/N."
        )
    return Shard(index, int(count))


def weight_of(source: Source) -> int:
    """What a tractogram and its pictures weigh, in bytes of reading."""
    try:
        return fingerprint(source.path)[0] + PICTURES
    except OSError:
        return PICTURES  # it is gone, or can't be read: whoever has it will say so
