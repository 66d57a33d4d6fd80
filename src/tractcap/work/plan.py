"""The plan: what each job needs, and how many workers may run at once. Pure arithmetic on what was found."""

from dataclasses import dataclass

from tractcap.limits import MB, as_mb

SUPERVISOR = 32 * MB
"""What the supervisor's own process takes, with room for its lists of jobs."""

BASE = 72 * MB
"""A worker with everything imported and an OpenGL context, before it draws."""

BYTES_PER_POINT = 1100
"""Of a chunk while it is drawn: our arrays, VTK's copies and buffers, and what llvmpipe keeps of its lines."""

SAMPLES_PER_PIXEL = 4
BYTES_PER_SAMPLE = 8
BYTES_PER_PICTURE_PIXEL = 10
"""A finished picture, its labelled copy and its place in the mosaic, and Pillow's buffers for the PNG."""

CHUNKS = (50_000, 20_000)
"""Points a chunk, from what is best to what still works: below some 20,000 drawing slows down."""


@dataclass(frozen=True)
class Shape:
    """How a job's pictures are made: points a chunk, views a pass. The pictures are the same whatever it is."""

    max_points: int
    views_per_pass: int


@dataclass(frozen=True)
class Crew:
    """How many workers, how many threads each has for drawing, and what bounded their number."""

    workers: int
    threads: int
    bound_by: str
    warning: str = ""


def need(views: int, size: int, loaded: int, shape: Shape) -> int:
    """Bytes of memory that a worker takes to draw a tractogram.

    Parameters
    ----------
    views : how many pictures. size : pixels along each.
    loaded : bytes of the file that must be held whole.
    shape : how they are made.
    """
    buffers = shape.views_per_pass * size * size * SAMPLES_PER_PIXEL * BYTES_PER_SAMPLE
    pictures = views * size * size * BYTES_PER_PICTURE_PIXEL
    return BASE + shape.max_points * BYTES_PER_POINT + buffers + pictures + loaded


def usable(budget: int, margin: float) -> int:
    """What the workers may take together: the budget, less a share of it as margin, less the supervisor."""
    return max(0, int(budget * (1 - margin)) - SUPERVISOR)


def fit(views: int, size: int, loaded: int, room: int) -> Shape | None:
    """The best shape whose need fits into ``room`` bytes: fewer views a pass first, then smaller chunks."""
    shapes = [Shape(points, per_pass) for points in CHUNKS for per_pass in range(views, 0, -1)]
    return next((shape for shape in shapes if need(views, size, loaded, shape) <= room), None)


def least(views: int, size: int, loaded: int, margin: float) -> int:
    """The smallest budget in bytes that draws a tractogram."""
    return int((need(views, size, loaded, Shape(CHUNKS[-1], 1)) + SUPERVISOR) / (1 - margin)) + MB


def crew(asked: int, cpus: int, needs: list[int], room: int) -> Crew:
    """The number of workers: the least of what was asked for, processors, jobs and what fits into memory.

    Parameters
    ----------
    asked : how many were asked for; -1 for as many as fit.
    needs : bytes of each job, not empty. room : bytes for all workers.
    """
    by_memory = max(1, room // max(needs))
    bounds = {"the processors": cpus, "the number of jobs": len(needs), "memory": by_memory}
    if asked > 0:
        bounds = {"--nprocs": asked, **{k: v for k, v in bounds.items() if k != "the processors"}}
    bound_by = min(bounds, key=lambda name: bounds[name])
    workers = bounds[bound_by]
    without = min(value for name, value in bounds.items() if name != "memory")
    warning = _fewer(workers, without, max(needs), room) if workers < without else ""
    return Crew(workers, max(1, cpus // workers), bound_by, warning)


def _fewer(workers: int, wanted: int, largest: int, room: int) -> str:
    return (
        f"memory allows {workers} worker{'s' * (workers > 1)} at once instead of {wanted}: "
        f"a job may need {as_mb(largest)} MB, and {as_mb(room)} MB are there for all of them"
    )
