"""Bytes of memory that checks take, beside a worker that can draw. Standard library alone: the supervisor asks."""

from tractcap.checks.kit.check import File
from tractcap.limits import MB

MOST_POINTS = 4_000_000
"""That a sample holds: 48 MB; fewer streamlines are taken where these have more."""

CHUNK = 20_000
"""Points that are read at once."""

PANELS = 64 * MB
"""That pictures of streamlines take beside the streamlines themselves."""

PLOTS = 64 * MB
"""That plotting takes: matplotlib itself, above all."""

SURVEY = 70 * MB
"""That reading a tractogram whole takes: its volume's grid, its streamlines' numbers, and one chunk."""


def sampled(file: File, most: int) -> int:
    """What a sample of at most so many of a tractogram's streamlines takes while it is taken."""
    mean = file.points / max(1, file.streamlines)
    points = min(MOST_POINTS, file.points, int(2 * most * (mean + 10)))
    return 2 * 12 * points + 300 * min(2 * most, file.streamlines) + 1100 * CHUNK
