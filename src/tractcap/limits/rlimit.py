"""The backstop: a limit that stops a runaway allocation inside one process.

``RLIMIT_DATA`` counts private writable memory, which is close to what a process really takes.
``RLIMIT_AS`` counts address space, of which OSMesa maps two to four times what it uses.
"""

import resource


def limit_data(size: int) -> int:
    """Limit this process's private writable memory to ``size`` bytes, or to less where it already was.

    Children inherit the limit. Returns the limit in force, in bytes.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    least = min(value for value in (size, soft, hard) if value != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (least, least))
    return least
