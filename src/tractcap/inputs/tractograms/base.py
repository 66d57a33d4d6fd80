"""What every format promises."""

import gzip
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tractcap.errors import InputError
from tractcap.inputs.tractograms.chunks import Block, Chunk, chunked

BLOCK_BYTES = 2**20
"""How much is read from a file at once."""

DEFLATE_RATIO = 1032
"""Deflate can't shrink anything further than this (zlib's technical note)."""


@dataclass(frozen=True)
class Header:
    """What a look at the header tells, checked against the file's size.

    ``streamlines`` and ``points`` are never below what the file holds; ``exact`` says that
    ``streamlines`` is what the file holds, if it is whole. ``loaded`` is the memory in bytes that a format
    takes which can't be read in chunks. ``per_point`` and ``per_streamline`` name the data stored beside the
    points. ``notes`` are sentences for the log.
    """

    streamlines: int
    exact: bool
    points: int
    loaded: int = 0
    per_point: tuple[str, ...] = ()
    per_streamline: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


class Tractogram(ABC):
    """One tractogram file. Opening it reads and checks the header; :meth:`chunks` reads the points."""

    format: ClassVar[str]
    header: Header

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = self._look()

    def chunks(self, max_points: int) -> Iterator[Chunk]:
        """Read the file once, in order, as chunks of at most ``max_points`` points in RAS+ mm.

        Raises
        ------
        InputError
            When the file turns out to be truncated or damaged.
        """
        try:
            yield from chunked(self._blocks(), max_points)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.damaged(f"its compressed data end early or are broken ({error})") from error
        except OSError as error:
            raise InputError(f"{self.path} can't be read: {error.strerror or error}.") from error

    def damaged(self, what: str) -> InputError:
        """The error for a file that is not what it should be."""
        return InputError(f"{self.path} is not a whole {self.format} file: {what}.")

    @abstractmethod
    def _look(self) -> Header: ...

    @abstractmethod
    def _blocks(self) -> Iterator[Block]: ...


def size_bound(path: Path) -> int:
    """The most bytes that the file can hold once it is unpacked."""
    size = path.stat().st_size
    return size * DEFLATE_RATIO if path.name.lower().endswith(".gz") else size
