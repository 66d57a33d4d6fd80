"""What may be used: memory and processors, found before anything heavy is imported.

Knows nothing of tractograms and imports the standard library and psutil alone. Importing it changes nothing of the
process.
"""

from tractcap.limits.availability import check_memory_available, get_n_jobs_with_memory_limit
from tractcap.limits.budget import Budget, settle
from tractcap.limits.cgroup import Limit
from tractcap.limits.sizes import MB, as_mb, parse_size
from tractcap.limits.watch import Watch
from tractcap.limits.worker_limits import limit_data

__all__ = [
    "MB",
    "Budget",
    "Limit",
    "Watch",
    "as_mb",
    "check_memory_available",
    "get_n_jobs_with_memory_limit",
    "limit_data",
    "parse_size",
    "settle",
]
