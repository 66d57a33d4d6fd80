"""Streamlines as they were before they were read in chunks."""

from pathlib import Path

import numpy as np

from tractcap.inputs.tractograms import open_tractogram
from tractcap.inputs.tractograms.chunks import Chunk


def read(path: Path, max_points: int = 1000) -> list[np.ndarray]:
    """All streamlines of a file; pieces of one are joined again, less the context that they share."""
    return join(list(open_tractogram(path).chunks(max_points)), max_points)


def join(chunks: list[Chunk], max_points: int) -> list[np.ndarray]:
    result: list[np.ndarray] = []
    tail = False
    for chunk in chunks:
        assert len(chunk.points) <= max_points
        assert chunk.head == tail, "a piece must follow the piece before it"
        parts = np.split(chunk.points, chunk.offsets[1:-1])
        if chunk.head:
            # shared: the context point before, the last drawn point of the piece before, and its context behind
            np.testing.assert_array_equal(result[-1][-3:], parts[0][:3])
            result[-1] = np.concatenate([result[-1], parts[0][3:]])
            parts = parts[1:]
        result += parts
        tail = chunk.tail
    assert not tail
    return result
