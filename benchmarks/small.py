"""What many small bundles take, and how much of the processors is used."""

from collections.abc import Iterator
from pathlib import Path

import files
from measuring import CPUS, MB, Asked, Goal, Table, draw

GOAL = 0.9
"""Share of all processors' time."""

_BUNDLES, _MOST = 200, 2_000


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Draw a folder of bundles in one call."""
    count, most = (4, 200) if asked.quick else (_BUNDLES, _MOST)
    drew = draw(files.bundles(folder / "bundles", count, most))
    use = drew.cpu / (drew.seconds * len(CPUS))
    columns = ("bundles", "seconds", "seconds a bundle", "CPU seconds a bundle", "CPU use", "memory, MB")
    table = Table(f"small: bundles of 100 to {most:,} streamlines, six views each, in one call", columns)
    table.rows.append((count, drew.seconds, drew.seconds / count, drew.cpu / count, use, drew.peak // MB))
    table.goals.append(Goal(f"use of {len(CPUS)} CPUs", use, GOAL, at_least=True))
    table.notes.append("CPU use is user and system time of all processes over seconds times CPUs.")
    yield table
