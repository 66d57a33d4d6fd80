"""The plan: what each job needs, and how many workers may run at once. Pure arithmetic.

The constants are measured: over the formats, sizes, numbers of views and sizes of pictures that the tests go through in
a control group, the peak of a worker lies between 0.6 and 1.0 times its estimate; of small bundles, whose pictures may
be drawn one by one, from 0.35 on.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tractcap.limits import MB, as_mb
from tractcap.limits.watch import SUPERVISOR
from tractcap.records.options import RenderSettings
from tractcap.records.worker_requests import OverlayHeader

BASE = 80 * MB
"""A worker with everything imported and an OpenGL context, before it draws."""

_LINE, _TUBE = (800, 50), (1000, 560)
"""Bytes of a point while it is drawn, once and for each picture that is drawn at the same time, up to six: our arrays,
VTK's copies and buffers, and what llvmpipe keeps of lines and tubes."""

_TUBES = 2
"""By how many times fewer points are drawn at once as tubes."""

_BENT = 8
"""Points that one of a file's becomes at most, where streamlines bend between few: see ``drawing.lines.MOST_PARTS``."""

BYTES_PER_SAMPLE = 8
BYTES_PER_SUM = 16
"""Of a sample: colour and depth, and one sum of layers."""

BYTES_PER_PICTURE_PIXEL = 14
"""A finished picture, its labelled copy, and Pillow's buffers for the PNG."""

PAGE = 1024
BYTES_PER_PAGE_PIXEL = 9
"""A picture in the mosaic, beside it and within it; of larger pictures it has copies of so many pixels a side."""

BYTES_PER_FRAME_PIXEL = 5
ENCODING = 24 * MB
BYTES_PER_ENCODED_PIXEL = 70
"""Of an animation: a finished frame, the encoders' code, and what they hold of a few frames."""

SCIENCE = 34 * MB
"""What scipy and matplotlib take, which images and colours of values need."""

BYTES_PER_VOXEL = 1
BYTES_PER_MAP_VOXEL = 4
MOST_VOXELS = 320**3
ANATOMY = 16 * MB
"""Beside its voxels: head or brain on a coarse grid while it is set apart from air, and the surface of the glass."""

BYTES_PER_BUNDLE = 16 * 2**10
"""Of an overview: a bundle in the request, the legend and the record. Its file is open only while it is drawn."""

WORTH_PIECES = 5_000_000
"""Points from which on it pays to draw a tractogram in pieces: fewer are drawn before another worker has begun."""

_PROCESSORS = 2
"""That a worker uses with a large tractogram: the next lines are prepared while others are drawn."""

FURY = 26 * MB
"""FURY's code, which overlays need."""

BYTES_PER_OVERLAY_VOXEL, BYTES_PER_BLOCK_VOXEL = 3, 24
BYTES_PER_TRIANGLE = 240
BYTES_PER_SHEET = 4 * MB
"""Of overlays: a voxel of all that is held of a label image, one of the grid that a surface is made on, a triangle with
its share of points while it is drawn, and a band of rows of samples while these are mixed with streamlines."""

BYTES_PER_GLYPH_VALUE = 16
GLYPHS = 24 * MB
"""Of peaks and orientation distributions: a value that is held, and a file's block and the glyphs drawn at once."""

DENSITY = 22 * MB
"""The most that counting streamlines on a grid takes."""

CHUNKS = (50_000, 20_000)
"""Points a chunk, from what is best to what still works: below some 20,000 drawing slows down."""

SAMPLING = 2
"""Samples along a pixel: edges are smoothed by averaging, since multisampled buffers can't be merged by depth."""


@dataclass(frozen=True)
class Workload:
    """What a job's need depends on, beside how it is rendered.

    ``sizes`` are the pixels along each picture, of which the first ``views`` are views and the others frames of an
    animation; ``points`` the most that the file may hold, ``loaded`` bytes of it that must be held whole; ``sums`` how
    many sums of layers a sample has; ``extra`` bytes for images and the like; ``tubes`` says that they are
    drawn instead of lines. ``sheets`` is how many surfaces overlays have, ``geometry`` the bytes that these take, and
    ``making`` those that making them takes before anything is drawn.
    """

    views: int
    sizes: tuple[int, ...]
    points: int
    loaded: int = 0
    sums: int = 0
    extra: int = 0
    tubes: bool = False
    sheets: int = 0
    geometry: int = 0
    making: int = 0


@dataclass(frozen=True)
class WorkerPlan:
    """How many workers at most, how many threads each has for drawing, and what bounded their number."""

    workers: int
    threads: int
    bound_by: str
    warning: str = ""

    def most_workers(self) -> str:
        """How many they may become, in words: a few small jobs are done by fewer."""
        return f"up to {self.workers} workers" if self.workers > 1 else "1 worker"


def need(workload: Workload, render: RenderSettings) -> int:
    """Bytes of memory that a worker takes to draw a tractogram."""
    once, each = _TUBE if workload.tubes else _LINE
    points = min(render.max_points // (_TUBES if workload.tubes else 1), workload.points * _BENT)
    chunk = points * (once + each * min(6, max(render.passes)))
    per_sample = BYTES_PER_SAMPLE + workload.sums * BYTES_PER_SUM
    samples = _most(workload.sizes, render.passes) * render.sampling**2
    pictures = _pictures(workload.sizes, workload.views) + _overlays(workload, render)
    drawing = BASE + chunk + samples * per_sample + pictures + workload.loaded + workload.extra
    return max(drawing, BASE // 2 + workload.extra + workload.geometry + workload.making)


def _overlays(workload: Workload, render: RenderSettings) -> int:
    """Bytes of overlays: each sheet has buffers for one picture, the largest."""
    buffers = max(workload.sizes) ** 2 * render.sampling**2 * BYTES_PER_SAMPLE
    return workload.sheets * (buffers + BYTES_PER_SHEET) + workload.geometry


@lru_cache(64)
def _pictures(sizes: tuple[int, ...], count: int) -> int:
    """Bytes of finished pictures, of which so many are views: one at work, pages of the mosaic, frames."""
    views, frames = sizes[:count], sizes[count:]
    pages = sum(min(PAGE, size) ** 2 for size in views)
    film = ENCODING + frames[0] ** 2 * BYTES_PER_ENCODED_PIXEL if frames else 0
    turning = sum(size**2 for size in frames) * BYTES_PER_FRAME_PIXEL
    return max(sizes) ** 2 * BYTES_PER_PICTURE_PIXEL + pages * BYTES_PER_PAGE_PIXEL + turning + film


@lru_cache(1024)
def _most(sizes: tuple[int, ...], passes: tuple[int, ...]) -> int:
    """Pixels of all pictures of a pass, of the one that has most."""
    ends = itertools.accumulate(passes, initial=0)
    return max(sum(size**2 for size in sizes[first:last]) for first, last in itertools.pairwise(ends))


def images(reference: Sequence[int] | None, scalar_map: Sequence[int] | None) -> int:
    """Bytes that a reference image and a scalar map take, by their voxels along each axis."""
    total = SCIENCE if reference or scalar_map else 0
    if reference:
        total += ANATOMY + min(MOST_VOXELS, math.prod(reference)) * BYTES_PER_VOXEL
    return total + (math.prod(scalar_map) * BYTES_PER_MAP_VOXEL if scalar_map else 0)


def geometry(overlays: Sequence[OverlayHeader]) -> int:
    """Bytes that overlays' geometry takes, beside their buffers, and FURY."""
    values = sum(header.values for header in overlays)
    glyphs = GLYPHS + values * BYTES_PER_GLYPH_VALUE if values else 0
    return bool(overlays) * FURY + sum(header.triangles for header in overlays) * BYTES_PER_TRIANGLE + glyphs


def making(overlays: Sequence[OverlayHeader]) -> int:
    """Bytes that making overlays' geometry takes, one after the other."""
    needs = (header.voxels * BYTES_PER_OVERLAY_VOXEL + header.block * BYTES_PER_BLOCK_VOXEL for header in overlays)
    return max(needs, default=0)


def usable(budget: int, margin: float) -> int:
    """What the workers may take together: the budget, less a share of it as margin, less the supervisor."""
    return max(0, int(budget * (1 - margin)) - SUPERVISOR)


def candidates(sizes: tuple[int, ...]) -> Iterator[RenderSettings]:
    """From the best settings to the last: smaller chunks, then more passes, and no smoothing at the very end."""
    for sampling in (SAMPLING, 1):
        for passes in _passes(sizes):
            for points in CHUNKS:
                yield RenderSettings(points, passes, sampling)


# all tractograms of a run have pictures of the same sizes: what follows of these is found once


@lru_cache(16)
def _passes(sizes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Ways to part pictures of some sizes into passes, from one to as many as there are pictures."""
    runs = {sum(size**2 for size in sizes[a:b]) for a in range(len(sizes)) for b in range(a + 1, len(sizes) + 1)}
    ways: list[tuple[int, ...]] = []
    for room in sorted((run for run in runs if run >= max(sizes) ** 2), reverse=True):
        passes = _filled(sizes, room)
        if not ways or len(passes) > len(ways[-1]):
            ways.append(passes)
    return tuple(ways)


def _filled(sizes: Sequence[int], room: int) -> tuple[int, ...]:
    """How many pictures each pass takes, one after the other, of at most so many pixels together."""
    passes, left = [0], room
    for size in sizes:
        if size**2 > left and passes[-1]:
            passes.append(0)
            left = room
        passes[-1] += 1
        left -= size**2
    return tuple(passes)


def fit(workload: Workload, room: int) -> RenderSettings | None:
    """The best settings whose need fits into ``room`` bytes."""
    return next((render for render in candidates(workload.sizes) if need(workload, render) <= room), None)


def smaller(workload: Workload, render: RenderSettings) -> RenderSettings:
    """Settings for a second try of a job that failed: smaller chunks, and half as much in a pass if it can be."""
    half = _most(workload.sizes, render.passes) // 2
    ways = [passes for passes in _passes(workload.sizes) if len(passes) >= len(render.passes)]
    fitting = (passes for passes in ways if _most(workload.sizes, passes) <= half)
    return replace(render, max_points=CHUNKS[-1], passes=next(fitting, ways[-1]))


def least(workload: Workload, margin: float) -> int:
    """The smallest budget in bytes that draws a tractogram."""
    alone = RenderSettings(CHUNKS[-1], (1,) * len(workload.sizes), 1)
    return int((need(workload, alone) + SUPERVISOR) / (1 - margin)) + MB


def crew(wanted: int, cpus: int, needs: Sequence[int], room: int) -> WorkerPlan:
    """The number of workers: the least of what was asked for, processors, jobs and what fits into memory.

    Parameters
    ----------
    wanted : how many were asked for; -1 for as many as fit.
    needs : bytes of each job, not empty. room : bytes for all workers.
    """
    # the small ones before the large: a small job runs beside a large one if both fit
    together = sum(held <= room for held in itertools.accumulate(sorted(needs)))
    bounds = {"the processors": cpus, "the number of jobs": len(needs), "memory": max(1, together)}
    if wanted > 0:
        bounds = {"--nprocs": wanted, **{k: v for k, v in bounds.items() if k != "the processors"}}
    bound_by = min(bounds, key=lambda name: bounds[name])
    workers = bounds[bound_by]
    without = min(value for name, value in bounds.items() if name != "memory")
    warning = ""
    if workers < without:
        least, most = as_mb(min(needs)), as_mb(max(needs))
        of = f"{least} MB" if least == most else f"{least} to {most} MB"
        warning = (
            f"memory allows {workers} worker{'s' * (workers > 1)} at once instead of {without}: "
            f"a job may need {of}, and {as_mb(room)} MB are there for all of them"
        )
    return WorkerPlan(workers, max(1, cpus // workers), bound_by, warning)


def counts(points: Sequence[int], workers: int) -> list[int]:
    """Into how many pieces each tractogram is drawn, one if into none, so that no two workers have more than a share.

    One worker keeps two processors busy, and sooner than two workers, which would both read and prepare all points.

    Parameters
    ----------
    points : of each tractogram.
    """
    share = max(1.0, sum(points) / max(1, workers // _PROCESSORS))
    return [math.ceil(count / share) if count > max(WORTH_PIECES, share) else 1 for count in points]


def of_piece(workload: Workload, render: RenderSettings, pictures: range) -> tuple[Workload, RenderSettings]:
    """What a piece draws, and how: chunks must be the same in all pieces, whatever memory each worker has."""
    sizes = workload.sizes[pictures.start : pictures.stop]
    passes = _filled(sizes, _most(workload.sizes, render.passes))
    views = max(0, min(pictures.stop, workload.views) - pictures.start)
    return replace(workload, sizes=sizes, views=views, sheets=0, geometry=0, making=0), RenderSettings(
        CHUNKS[-1], passes, render.sampling
    )


def fit_pieces(
    workload: Workload, sampling: int, drawn: Sequence[range], room: int
) -> tuple[RenderSettings, int] | None:
    """The best settings in which each piece of these pictures fits into ``room`` bytes, and the most one takes."""
    for render in candidates(workload.sizes):
        most = max(need(*of_piece(workload, render, pictures)) for pictures in drawn)
        if render.sampling == sampling and most <= room:
            return render, most
    return None


def merging(workload: Workload, render: RenderSettings) -> RenderSettings:
    """How pieces are merged: one picture after the other, since none is drawn."""
    return RenderSettings(CHUNKS[-1], (1,) * len(workload.sizes), render.sampling)
