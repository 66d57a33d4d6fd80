"""How time and memory grow: with streamlines, views, pixels, and how time shrinks with workers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import files
import numpy as np
from measuring import CPUS, MB, Asked, Drew, Goal, Table, draw, progress, warm

from tractcap.records.options import SIX

GOAL = 1.8
"""Times as fast with two workers."""

_COUNTS = (1_000, 10_000, 100_000, 300_000, 1_000_000)
_FULL = 10_000_000
_FITTED = 100_000
"""From so many streamlines on, time is fitted: what is constant hides below the rest."""

_PICTURED = 100_000
"""Streamlines of the file whose views and pixels grow."""

_CAP = ("--mem", "512")
_JOBS, _FRAMES = 20, 54
_QUICK_JOBS, _QUICK_FRAMES = 4, 6


def measure(asked: Asked, folder: Path) -> Iterator[Table]:
    """Let one thing grow after the other."""
    yield _of_streamlines(asked, folder)
    path = files.of_count(folder / "pictured.trk", 2_000 if asked.quick else _PICTURED)
    warm(path)
    yield _of_views(path, _QUICK_FRAMES if asked.quick else _FRAMES)
    yield _of_pixels(path)
    path.unlink()
    yield _of_workers(asked, folder)


def _of_streamlines(asked: Asked, folder: Path) -> Table:
    counts = (1_000, 3_000) if asked.quick else (*_COUNTS, *[_FULL] * asked.full)
    drew = []
    for count in counts:
        path = files.of_count(folder / "grown.trk", count)
        warm(path)
        progress(f"growth: {count:,} streamlines")
        drew.append(draw(path, *_CAP))
        path.unlink()
    table = _grown("growth: streamlines, six views under 512 MB", "streamlines", counts, drew)
    fitted = [at for at, count in enumerate(counts) if asked.quick or count >= _FITTED]
    table.notes.append(
        f"Time grows with the power {_exponent([counts[at] for at in fitted], [drew[at].seconds for at in fitted]):.2f}"
        f" of the streamlines, fitted from {counts[fitted[0]]:,} on; each has 130 points."
    )
    return table


def _exponent(counts: Sequence[float], seconds: Sequence[float]) -> float:
    return float(np.polyfit(np.log(counts), np.log(seconds), 1)[0])


def _grown(title: str, what: str, values: Sequence[int], drew: Sequence[Drew]) -> Table:
    """A row for each value, with ratios to the first."""
    table = Table(title, (what, "seconds", "time, × the first", "memory, MB", "memory, × the first"))
    for value, one in zip(values, drew, strict=True):
        ratios = one.seconds / drew[0].seconds, one.peak / drew[0].peak
        table.rows.append((value, one.seconds, ratios[0], one.peak // MB, ratios[1]))
    return table


def _of_views(path: Path, frames: int) -> Table:
    count, counts = files.streamlines(path), (1, 3, 6, len(SIX) + frames)
    drew = []
    for views in counts:
        progress(f"growth: {views} views")
        turning = ("--animation", "webp", "--frames", str(frames), "--frame-size", "800") if views > len(SIX) else ()
        drew.append(draw(path, *_CAP, "--views", ",".join(SIX[:views]), *turning))
    table = _grown(f"growth: views of {count:,} streamlines, 800×800 pixels, under 512 MB", "views", counts, drew)
    table.notes.append(
        f"{counts[-1]} are six views and a turntable of {frames} frames, which is also written as WebP. Where they "
        "don't fit into memory together, the file is read several times."
    )
    return table


def _of_pixels(path: Path) -> Table:
    sizes = (400, 800, 1600)
    drew = []
    for size in sizes:
        progress(f"growth: {size} pixels")
        drew.append(draw(path, *_CAP, "--size", str(size)))
    title = f"growth: pixels along each of six views of {files.streamlines(path):,} streamlines, under 512 MB"
    return _grown(title, "pixels", sizes, drew)


def _of_workers(asked: Asked, folder: Path) -> Table:
    jobs, count = folder / "jobs", _QUICK_JOBS if asked.quick else _JOBS
    size = max(1, asked.size // count)
    jobs.mkdir()
    for number in range(count):
        files.of_size(jobs / f"job-{number:02d}.trk", size, seed=number)
    one = files.of_size(folder / "one.trk", asked.size)
    table = Table(
        "growth: workers", ("what", "seconds, 1 worker on 1 CPU", "seconds, up to 2 workers", "times as fast")
    )
    for name, path in ((f"{count} files of {size} MB", jobs), (f"one of {asked.size} MB", one)):
        progress(f"growth: workers, {name}")
        alone = draw(path, "--nprocs", "1", cpus=CPUS[:1])
        both = draw(path, "--nprocs", "2")
        faster = alone.seconds / both.seconds
        table.rows.append((name, alone.seconds, both.seconds, faster))
        table.goals.append(Goal(f"{name}, times as fast by up to 2 workers", faster, GOAL, at_least=True))
    table.notes.append(f"Up to two workers may use {len(CPUS)} CPUs; one draws the one file, and uses two.")
    return table
