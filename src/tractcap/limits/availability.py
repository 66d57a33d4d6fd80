"""What a program asks before it loads something large: whether there is room, and for how many at once."""

import logging
from pathlib import Path

from tractcap.limits.budget import Budget, settle
from tractcap.limits.sizes import MB
from tractcap.limits.watch import Watch

log = logging.getLogger("tractcap")


def check_memory_available(required_mb: float, safety_margin: float = 0.2, *, root: Path = Path("/")) -> bool:
    """Whether so much memory can be taken now, under every limit that this process lives in, without swap.

    Parameters
    ----------
    required_mb : float
        MB (2^20 bytes).
    safety_margin : float
        Share of the budget that must stay free as well.
    root : pathlib.Path
        The folder that holds ``proc`` and ``sys``.
    """
    return required_mb * MB <= _free(settle(root=root), safety_margin, root)


def get_n_jobs_with_memory_limit(
    base_n_jobs: int,
    estimated_memory_per_job_mb: float = 2048.0,
    safety_margin: float = 0.2,
    *,
    root: Path = Path("/"),
) -> int:
    """How many jobs of a size may run at once: as many as are wanted, or as memory allows, at least one.

    A warning gives the figures when memory makes it fewer.

    Parameters
    ----------
    base_n_jobs : int
        As many are wanted; -1 for one a processor.
    estimated_memory_per_job_mb : float
        MB (2^20 bytes) of one job.
    safety_margin : float
        Share of the budget that must stay free.
    root : pathlib.Path
        The folder that holds ``proc`` and ``sys``.

    Raises
    ------
    ValueError
        When the number of jobs is 0 or below -1, or a job's memory isn't above zero.
    """
    if base_n_jobs == 0 or base_n_jobs < -1 or estimated_memory_per_job_mb <= 0:
        raise ValueError("base_n_jobs must be above zero or -1, and estimated_memory_per_job_mb above zero")
    budget = settle(root=root)
    wanted = base_n_jobs if base_n_jobs > 0 else budget.cpus
    free = _free(budget, safety_margin, root)
    fitting = max(1, min(wanted, int(free // (estimated_memory_per_job_mb * MB))))
    if fitting < wanted:
        log.warning(
            "memory allows %d of %d jobs at once: one may need %.0f MB, and %.0f MB are free (%s)",
            *(fitting, wanted, estimated_memory_per_job_mb, free / MB, budget.describe()),
        )
    return fitting


def _free(budget: Budget, margin: float, root: Path) -> int:
    return max(0, Watch(lambda: budget, budget, margin, root).left().bytes - int(margin * budget.bytes))
