"""The plan: what each job needs, and how many workers may run at once. Pure arithmetic on what was found.

The constants are measured: over the formats, sizes, numbers of views and sizes of pictures that the tests go through in
a control group, the peak of a worker lies between 0.6 and 1.0 times its estimate.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tractcap.limits import MB, as_mb
from tractcap.limits.watch import SUPERVISOR

BASE = 72 * MB
"""A worker with everything imported and an OpenGL context, before it draws."""

BYTES_PER_POINT = 1100
"""Of a chunk while it is drawn: our arrays, VTK's copies and buffers, and what llvmpipe keeps of its lines."""

BYTES_PER_SAMPLE = 8
BYTES_PER_PICTURE_PIXEL = 10
"""A finished picture, its labelled copy and its place in the mosaic, and Pillow's buffers for the PNG."""

CHUNKS = (50_000, 20_000)
"""Points a chunk, from what is best to what still works: below some 20,000 drawing slows down."""

SAMPLING = 2
"""Samples along a pixel: edges are smoothed by averaging, since multisampled buffers can't be merged by depth."""


@dataclass(frozen=True)
class Shape:
    """How a job's pictures are made: points a chunk, views a pass, samples along a pixel.

    The pictures are the same whatever it is, but for the sampling: with one sample their edges are rough.
    """

    max_points: int
    views_per_pass: int
    sampling: int = SAMPLING


@dataclass(frozen=True)
class Content:
    """What a job's need depends on, beside its shape.

    ``views`` is how many pictures, ``size`` pixels along each; ``points`` the most that the file may hold, ``loaded``
    bytes of it that must be held whole.
    """

    views: int
    size: int
    points: int
    loaded: int = 0


@dataclass(frozen=True)
class Crew:
    """How many workers, how many threads each has for drawing, and what bounded their number."""

    workers: int
    threads: int
    bound_by: str
    warning: str = ""


def need(content: Content, shape: Shape) -> int:
    """Bytes of memory that a worker takes to draw a tractogram."""
    samples = shape.views_per_pass * (content.size * shape.sampling) ** 2
    pictures = content.views * content.size**2 * BYTES_PER_PICTURE_PIXEL
    points = min(shape.max_points, content.points)
    return BASE + points * BYTES_PER_POINT + samples * BYTES_PER_SAMPLE + pictures + content.loaded


def usable(budget: int, margin: float) -> int:
    """What the workers may take together: the budget, less a share of it as margin, less the supervisor."""
    return max(0, int(budget * (1 - margin)) - SUPERVISOR)


def shapes(views: int) -> Iterator[Shape]:
    """From the best shape to the last: smaller chunks, then fewer views a pass, and no smoothing at the very end."""
    for sampling in (SAMPLING, 1):
        for per_pass in range(views, 0, -1):
            for points in CHUNKS:
                yield Shape(points, per_pass, sampling)


def fit(content: Content, room: int) -> Shape | None:
    """The best shape whose need fits into ``room`` bytes."""
    return next((shape for shape in shapes(content.views) if need(content, shape) <= room), None)


def smaller(shape: Shape) -> Shape:
    """The shape in which a job that failed is tried again: as small as it gets without another picture."""
    return replace(shape, max_points=CHUNKS[-1], views_per_pass=1)


def least(content: Content, margin: float) -> int:
    """The smallest budget in bytes that draws a tractogram."""
    return int((need(content, Shape(CHUNKS[-1], 1, 1)) + SUPERVISOR) / (1 - margin)) + MB


def crew(asked: int, cpus: int, needs: list[int], room: int) -> Crew:
    """The number of workers: the least of what was asked for, processors, jobs and what fits into memory.

    Parameters
    ----------
    asked : how many were asked for; -1 for as many as fit.
    needs : bytes of each job, not empty. room : bytes for all workers.
    """
    bounds = {"the processors": cpus, "the number of jobs": len(needs), "memory": max(1, _together(needs, room))}
    if asked > 0:
        bounds = {"--nprocs": asked, **{k: v for k, v in bounds.items() if k != "the processors"}}
    bound_by = min(bounds, key=lambda name: bounds[name])
    workers = bounds[bound_by]
    without = min(value for name, value in bounds.items() if name != "memory")
    warning = _fewer(workers, without, needs, room) if workers < without else ""
    return Crew(workers, max(1, cpus // workers), bound_by, warning)


def _together(needs: list[int], room: int) -> int:
    """How many jobs fit at once, the small ones before the large: a small job runs beside a large one if both fit."""
    count = 0
    for one in sorted(needs):
        room -= one
        if room < 0:
            break
        count += 1
    return count


def _fewer(workers: int, wanted: int, needs: list[int], room: int) -> str:
    least, most = as_mb(min(needs)), as_mb(max(needs))
    of = f"{least} MB" if least == most else f"{least} to {most} MB"
    return (
        f"memory allows {workers} worker{'s' * (workers > 1)} at once instead of {wanted}: "
        f"a job may need {of}, and {as_mb(room)} MB are there for all of them"
    )
