"""What every format promises."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tractcap.errors import InputError
from tractcap.inputs.bundles_within import split_bundle
from tractcap.inputs.reading import each, not_whole, reading
from tractcap.inputs.tractograms.chunks import Block, Chunk, chunked

BLOCK_BYTES = 2**20
"""How much is read from a file at once."""

UNPLACED = "the place in the head is unknown"
"""How a note ends that says why the points' place isn't known, only their distances are."""


@dataclass(frozen=True)
class Header:
    """What a tractogram's header says, checked against the file's size.

    Parameters
    ----------
    streamlines, points : at least as many as the file holds.
    exact : whether ``streamlines`` is what a whole file holds.
    loaded : bytes of memory that a format takes which can't be read in chunks.
    per_point, per_streamline : names of the data that :meth:`Tractogram.chunks` can read.
    notes : what was assumed because the file doesn't say it, as sentences without a full stop.
    promised : a number of streamlines in the header that may be wrong in a whole file; None without such a number.
    """

    streamlines: int
    exact: bool
    points: int
    loaded: int = 0
    per_point: tuple[str, ...] = ()
    per_streamline: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    promised: int | None = None

    @property
    def unplaced(self) -> str:
        """The note that says why it isn't known where the points are in the head; empty where that is known."""
        return next((note for note in self.notes if note.endswith(UNPLACED)), "")


class Tractogram(ABC):
    """One tractogram file, or the ``bundle`` of that name within it.

    Opening it reads and checks the header; :meth:`chunks` reads the points.
    """

    format: ClassVar[str]
    header: Header

    def __init__(self, path: Path) -> None:
        file, self.bundle = split_bundle(str(path))
        self.path, self.file = path, Path(file)
        self._most_held = 0
        self._held: list[Block] = []
        with reading(self.file, f"a {self.format} file"):
            if self.file.is_file() and not self.file.stat().st_size:
                raise self.damaged("it has no bytes")
            self.header = self._read_header()

    def chunks(self, max_points: int, data: str = "") -> Iterator[Chunk]:
        """Read the file once, in order, as chunks of points in RAS+ mm.

        Parameters
        ----------
        max_points : the most points of a chunk, :data:`~tractcap.inputs.tractograms.chunks.LEAST` or more.
        data : a name in the header's ``per_point`` or ``per_streamline`` (per point, if in both), to be read with the
            points; ``""`` for none. Nothing else is decoded.

        Raises
        ------
        InputError
            At once when there is no such data; on the way when the file turns out to be truncated or damaged.
        """
        names = (*self.header.per_point, *self.header.per_streamline)
        if data and data not in names:
            present = f"it has {', '.join(names)}" if names else "it has none"
            raise InputError(f"{self.path} has no data {data!r} to colour by: {present}.")
        blocks = self._read_blocks(data) if data else self._read_or_held()
        return each(self.file, f"a {self.format} file", chunked(blocks, max_points))

    def hold(self, most_points: int) -> None:
        """Keep its points in memory from the first whole reading on, if it has no more: then it is read once."""
        self._most_held = most_points

    def _read_or_held(self) -> Iterator[Block]:
        if self._held:
            yield from self._held
            return
        blocks: list[Block] = []
        left = self._most_held
        for block in self._read_blocks(""):
            left -= len(block.points)
            if left >= 0:
                blocks.append(block)
            else:
                blocks.clear()
            yield block
        self._held = blocks

    def damaged(self, what: str) -> InputError:
        """The error for a damaged file; ``what`` ends the sentence."""
        return not_whole(self.file, self.format, what)

    @abstractmethod
    def _read_header(self) -> Header:
        """Read and check the header, when the file is opened."""

    @abstractmethod
    def _read_blocks(self, data: str) -> Iterator[Block]:
        """Decode the streamlines, those of the ``bundle`` if there is one, with the data of that name, if any."""
