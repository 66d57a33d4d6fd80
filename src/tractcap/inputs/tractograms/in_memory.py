"""Streamlines in memory, read like those of a file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.base import Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block


class InMemoryTractogram(Tractogram):
    """Streamlines, each (N, 3) in RAS+ mm, with values by name for each of them or for each of their points."""

    format: ClassVar[str] = "held"

    def __init__(
        self,
        name: str,
        streamlines: Sequence[NDArray[np.floating]],
        per_streamline: Mapping[str, NDArray[np.generic]] | None = None,
        per_point: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> None:
        self._lengths = np.array([len(streamline) for streamline in streamlines], np.int64)
        empty = np.empty((0, 3), np.float32)
        self._points = np.concatenate([empty, *streamlines]).astype(np.float32, copy=False)
        self._per_streamline, self._per_point = dict(per_streamline or {}), dict(per_point or {})
        super().__init__(Path(name))

    def _read_header(self) -> Header:
        names = tuple(self._per_point), tuple(self._per_streamline)
        return Header(len(self._lengths), True, len(self._points), 0, *names)

    def _read_blocks(self, data: str) -> Iterator[Block]:
        block = Block(self._points, self._lengths)
        if data in self._per_point:
            block.per_point = {data: self._per_point[data]}
        elif data in self._per_streamline:
            block.per_streamline = {data: self._per_streamline[data]}
        yield block
