"""What a worker process is given: its thread counts, malloc's settings, and a limit of its own.

The limit is the backstop that stops a runaway allocation inside one process. ``RLIMIT_DATA`` counts private writable
memory, which is close to what a process really takes: a worker that holds 240 MB while it draws maps 90 MB more than
it touches, and 15 MB with every thread. ``RLIMIT_AS`` counts address space, of which the same worker maps 565 MB more,
most of it libraries: as a bound on memory it would have to be so loose that it bounds little. ``docs/memory.md`` has
the figures.
"""

import os
import resource

from tractcap.limits.sizes import MB

_UNTOUCHED = 160 * MB
_UNTOUCHED_PER_THREAD = 16 * MB

_LIBRARIES = 768 * MB
"""Address space that a worker maps on top of its private memory: libraries and shared mappings, with some to spare."""

_LARGE = str(2 * MB)
"""Bytes from which a block of memory is given back to the kernel as soon as it is freed: a canvas' buffers are
larger, the arrays of a chunk are smaller and are used again. glibc's own bound moves up to 32 MB."""


def environment() -> dict[str, str]:
    """The variables that keep a worker's heap small, and BLAS to one thread. Libraries read them when they load.

    BLAS counts the host's cores, knows nothing of a quota, and has nothing to do here. One arena halves the address
    space that glibc maps for the threads.
    """
    blas = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    malloc = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": _LARGE, "MALLOC_TRIM_THRESHOLD_": _LARGE}
    return {**blas, **malloc}


def draw_with(threads: int) -> None:
    """Let llvmpipe have so many threads, where nothing was drawn yet. It counts the host's cores otherwise."""
    os.environ["LP_NUM_THREADS"] = str(threads)


def allowance(threads: int) -> int:
    """Bytes of private memory that a worker maps but never touches, on top of its need: the limit counts them."""
    return _UNTOUCHED + threads * _UNTOUCHED_PER_THREAD


def ceiling(threads: int) -> int | None:
    """The most bytes that one worker may need under the ulimits that it will inherit; None without any."""
    untouched = allowance(threads)
    spare = {resource.RLIMIT_AS: untouched + _LIBRARIES, resource.RLIMIT_DATA: untouched}
    softs = {kind: resource.getrlimit(kind)[0] for kind in spare}
    bounds = [soft - spare[kind] for kind, soft in softs.items() if soft != resource.RLIM_INFINITY]
    return max(0, min(bounds)) if bounds else None


def limit_data(size: int, inherited: tuple[int, int] | None = None) -> int:
    """Limit this process's private writable memory, or keep the limit that it was started with where that is lower.

    Children inherit the limit.

    Parameters
    ----------
    size : int
        The limit in bytes.
    inherited : tuple of int, optional
        The soft and hard limit that the process was started with. The hard one is kept then, so that the process may
        limit itself to more later.

    Returns
    -------
    int
        The limit in force, in bytes.
    """
    soft, hard = inherited or resource.getrlimit(resource.RLIMIT_DATA)
    least = min(value for value in (size, soft, hard) if value != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (least, hard if inherited else least))
    return least
