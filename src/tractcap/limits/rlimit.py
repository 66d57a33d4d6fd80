"""The backstop: a limit that stops a runaway allocation inside one process.

``RLIMIT_DATA`` counts private writable memory, which is close to what a process really takes: a drawing worker maps
some 100 MB more than it touches, mostly stacks of threads. ``RLIMIT_AS`` counts address space, of which the same
worker maps 800 MB more than it touches, and a few MB more with every thread and library: as a bound on memory it
would have to be so loose that it bounds nothing. ``docs/memory.md`` has the figures.
"""

import resource

from tractcap.limits.sizes import MB

_UNTOUCHED = 160 * MB
_UNTOUCHED_PER_THREAD = 16 * MB

ADDRESSES = 1024 * MB
"""Address space that a drawing worker maps beside its need: libraries, shared mappings, stacks."""


def allowance(threads: int) -> int:
    """Bytes of private memory that a worker maps but never touches, beside its need: the limit counts them."""
    return _UNTOUCHED + threads * _UNTOUCHED_PER_THREAD


def ceiling(threads: int) -> int | None:
    """The most bytes that one worker may need under the ulimits that it will inherit; None without any."""
    soft = {kind: resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)}
    spare = {resource.RLIMIT_AS: ADDRESSES, resource.RLIMIT_DATA: allowance(threads)}
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
