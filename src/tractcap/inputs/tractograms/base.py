"""What every format promises."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tractcap.errors import InputError
from tractcap.inputs.reading import each, not_whole, reading
from tractcap.inputs.tractograms.chunks import Block, Chunk, chunked

BLOCK_BYTES = 2**20
"""How much is read from a file at once."""


UNPLACED = "the place in the head is unknown"
"""How a note ends that says why the points' place isn't known, only their distances are."""


@dataclass(frozen=True)
class Header:
    """What a look at the header tells, checked against the file's size.

    ``streamlines`` and ``points`` are never below what the file holds; ``exact`` says that
    ``streamlines`` is what the file holds, if it is whole. ``promised`` is the number of streamlines that a header
    gives which may be wrong in a file that is whole; None where there is no such number. ``loaded`` is the memory in
    bytes that a format takes which can't be read in chunks. ``per_point`` and ``per_streamline`` name the data that
    :meth:`Tractogram.chunks` can be asked for. ``notes`` say, as sentences without a stop, what was taken because the
    file doesn't say it.
    """

    streamlines: int
    exact: bool
    points: int
    loaded: int = 0
    per_point: tuple[str, ...] = ()
    per_streamline: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    promised: int | None = None

    @property
    def unplaced(self) -> str:
        """The note that says why it isn't known where the points lie in the head; empty where that is known."""
        return next((note for note in self.notes if note.endswith(UNPLACED)), "")


class Tractogram(ABC):
    """One tractogram file. Opening it reads and checks the header; :meth:`chunks` reads the points."""

    format: ClassVar[str]
    header: Header

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path, f"a {self.format} file"):
            self.header = self._look()

    def chunks(self, max_points: int, data: str = "") -> Iterator[Chunk]:
        """Read the file once, in order, as chunks of at most ``max_points`` points in RAS+ mm.

        Parameters
        ----------
        max_points : four or more.
        data : one of the names in the header's ``per_point`` and ``per_streamline``; what has it in both is taken
            per point. Chunks hold that data alone, and nothing else is decoded; ``""`` is none.

        Raises
        ------
        InputError
            At once when there is no such data; on the way when the file turns out to be truncated or damaged.
        """
        self._check(data)
        return each(self.path, f"a {self.format} file", chunked(self._blocks(data), max_points))

    def _check(self, data: str) -> None:
        there = (*self.header.per_point, *self.header.per_streamline)
        if data and data not in there:
            names = f"it has {', '.join(there)}" if there else "it has none"
            raise InputError(f"{self.path} has no data {data!r} to colour by: {names}.")

    def damaged(self, what: str) -> InputError:
        """The error for a file that is not what it should be."""
        return not_whole(self.path, self.format, what)

    @abstractmethod
    def _look(self) -> Header: ...

    @abstractmethod
    def _blocks(self, data: str) -> Iterator[Block]: ...
