"""Thread counts and malloc's ways, which libraries read once, when they are loaded."""

_BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_LARGE = str(2 * 2**20)
"""Bytes from which a block of memory is given back to the kernel as soon as it is freed: a canvas' buffers are
larger, the arrays of a chunk are smaller and are used again. glibc's own bound moves up to 32 MB."""


def environment(threads: int) -> dict[str, str]:
    """The variables that keep a worker to ``threads`` threads and its heap small.

    llvmpipe (``LP_NUM_THREADS``) and BLAS count the host's cores and know nothing of a quota; BLAS has nothing to
    do here. One arena halves the address space that glibc maps for the threads.
    """
    malloc = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": _LARGE, "MALLOC_TRIM_THRESHOLD_": _LARGE}
    return {"LP_NUM_THREADS": str(threads), **dict.fromkeys(_BLAS, "1"), **malloc}
