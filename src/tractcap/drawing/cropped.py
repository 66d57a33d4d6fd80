"""Which streamlines pictures don't show whole, since they reach beyond the edges."""

import math
from collections.abc import Iterator

import numpy as np

from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.views import Frame
from tractcap.inputs.tractograms.chunks import Chunk


class CroppedStreamlines:
    """Takes chunks of drawable streamlines in their order; a streamline's pieces in several of them are one."""

    def __init__(self, frame: Frame) -> None:
        self._center, self._reach = frame.center, frame.reach
        self._counted = False  # whether the streamline that goes on was

    def count(self, chunk: Chunk, tally: StreamlineCounts) -> None:
        """Count the streamlines that reach beyond the edges of the frame's pictures."""
        columns = [
            np.abs(column - np.float32(middle)) for column, middle in zip(chunk.points.T, self._center, strict=True)
        ]
        farthest = max(float(column.max()) for column in columns) - self._reach
        counted = self._counted and chunk.head
        self._counted = chunk.tail and counted and len(chunk.offsets) == 2
        if farthest <= 0:
            return
        tally.farthest = max(tally.farthest, farthest)
        each = np.maximum.reduceat(np.maximum.reduce(columns), chunk.offsets[:-1]) > self._reach
        tally.beyond += int(each.sum()) - bool(counted and each[0])
        self._counted |= bool(chunk.tail and each[-1])


def sentences(tally: StreamlineCounts) -> Iterator[str]:
    """What a viewer must know of what was counted, without a stop."""
    if tally.beyond:
        which = "1 streamline lies" if tally.beyond == 1 else f"{tally.beyond:,} streamlines lie"
        yield f"{which} wholly or partly outside of the picture, up to {math.ceil(tally.farthest):,} mm away"
