"""Bytes of memory that checks take, beside a worker that can draw. Standard library alone: the supervisor asks."""

from tractcap.checks.common.check import CheckFile
from tractcap.limits import MB

MOST_POINTS = 1_000_000
"""That a sample holds: 12 MB; fewer streamlines are taken where these have more."""

CHUNK = 20_000
"""Points that are read at once."""

READING = 1100 * CHUNK
"""That reading one chunk after the other takes."""

PANELS = 48 * MB
"""That pictures of streamlines take beside the streamlines themselves; comparing these with all others takes less."""

PLOTS = 40 * MB
"""That plotting takes: matplotlib itself, above all."""

SURVEY = 40 * MB
"""That is kept of a tractogram that was read whole: its volume's grid, its streamlines' numbers."""


def sampled(file: CheckFile, most: int) -> int:
    """What a sample of at most so many of a tractogram's streamlines takes, copies that are drawn of it too.

    A header may tell of more than the file holds, never of less: so the most that a sample may hold counts, and not how
    long streamlines seem to be. What can't be read in chunks is loaded for it.
    """
    return file.loaded + 4 * 12 * min(MOST_POINTS, file.points) + 300 * min(2 * most, file.streamlines)
