"""What may be used: memory and processors, found before anything heavy is imported.

Knows nothing of tractograms and imports the standard library alone.
"""

from tractcap.limits.budget import Budget, settle
from tractcap.limits.cgroup import Limit
from tractcap.limits.sizes import MB, as_mb, parse_size

__all__ = ["MB", "Budget", "Limit", "as_mb", "parse_size", "settle"]
