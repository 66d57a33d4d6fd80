"""The backstop: a limit that stops a runaway allocation inside one process.

``RLIMIT_DATA`` counts private writable memory, which is close to what a process really takes: a worker that holds
240 MB while it draws maps 90 MB more than it touches, and 15 MB with every thread. ``RLIMIT_AS`` counts address space,
of which the same worker maps 565 MB more, most of it libraries: as a bound on memory it would have to be so loose
that it bounds little. ``docs/memory.md`` has the figures.
"""

import resource

from tractcap.limits.sizes import MB

_UNTOUCHED = 160 * MB
_UNTOUCHED_PER_THREAD = 16 * MB

_LIBRARIES = 768 * MB
"""Address space that a worker maps beside its private memory: libraries and shared mappings, with some to spare."""


def allowance(threads: int) -> int:
    """Bytes of private memory that a worker maps but never touches, beside its need: the limit counts them."""
    return _UNTOUCHED + threads * _UNTOUCHED_PER_THREAD


def ceiling(threads: int) -> int | None:
    """The most bytes that one worker may need under the ulimits that it will inherit; None without any."""
    soft = {kind: resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)}
    untouched = allowance(threads)
    spare = {resource.RLIMIT_AS: untouched + _LIBRARIES, resource.RLIMIT_DATA: untouched}
    bounds = [soft[kind] - spare[kind] for kind in soft if soft[kind] != resource.RLIM_INFINITY]
    return max(0, min(bounds)) if bounds else None


def limit_data(size: int) -> int:
    """Limit this process's private writable memory to ``size`` bytes, or to less where it already was.

    Children inherit the limit. Returns the limit in force, in bytes.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    least = min(value for value in (size, soft, hard) if value != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (least, least))
    return least
