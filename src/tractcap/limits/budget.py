"""The budget: how much memory and how many processors a run may use, and what bounds it."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.limits import cgroup
from tractcap.limits.cgroup import Limit
from tractcap.limits.procfs import number
from tractcap.limits.sizes import MB, as_mb

_CAP = "the cap asked for"

MACHINE = "the machine's memory"
"""Where the limit that is the physical memory was found."""
_SLURM = ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU")


@dataclass(frozen=True)
class Budget:
    """What a run may use in all: parent, workers, shared memory and files on tmpfs.

    ``bytes`` is the least of ``limits``; ``bound_by`` is the one that is least. ``cpus`` counts the
    processors that the CPU quota and the affinity leave, at least one. ``groups`` are the folders of all control groups
    that count what is used, limited or not.
    """

    bytes: int
    bound_by: Limit
    limits: tuple[Limit, ...]
    cpus: int
    warnings: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())
    groups: tuple[Path, ...] = field(default=())

    def describe(self) -> str:
        """One line that says what was settled and why."""
        return f"memory {as_mb(self.bytes)} MB, bound by {self.bound_by.where}; {self.cpus} CPU{'s' * (self.cpus > 1)}"


def settle(
    cap: int | None = None, cap_source: str = _CAP, root: Path = Path("/"), environ: Mapping[str, str] = os.environ
) -> Budget:
    """Settle the budget from the cap asked for and from every limit that can be found.

    Parameters
    ----------
    cap : bytes asked for, or None.
    cap_source : the option or variable that asked.
    root : the folder that holds ``proc`` and ``sys``.
    environ : the environment, read for Slurm's variables where no control group limits memory.

    Raises
    ------
    SettingsError
        When no cap was given and neither a limit nor the size of the memory can be found.
    """
    found = cgroup.read(root)
    limits = [*found.memory, *_inherited(), *_physical(found.physical)]
    if not found.memory:
        limits += _slurm(environ)
    warnings = [f"could not read {name}: a limit there is not seen" for name in found.unreadable]
    if cap is not None:
        if limits and (least := min(limits, key=_size)).bytes < cap:
            warnings.append(_over(cap, cap_source, least))
        limits.append(Limit(cap, cap_source))
    if not limits:
        raise SettingsError("no memory limit could be found on this system: say how much may be used with --mem.")
    least = min(limits, key=_size)
    notes = [] if found.memory else ["no control group limits the memory, as far as can be seen from here"]
    cpus = _cpus(found.cpus, environ)
    return Budget(least.bytes, least, tuple(limits), cpus, tuple(warnings), tuple(notes), tuple(found.groups))


def _size(limit: Limit) -> int:
    return limit.bytes


def _over(cap: int, source: str, least: Limit) -> str:
    return (
        f"{source} asks for {as_mb(cap)} MB, but {least.where} allows {as_mb(least.bytes)} MB: "
        f"{as_mb(least.bytes)} MB is used"
    )


def _inherited() -> list[Limit]:
    kinds = {"ulimit -v": resource.RLIMIT_AS, "ulimit -d": resource.RLIMIT_DATA}
    softs = {name: resource.getrlimit(kind)[0] for name, kind in kinds.items()}
    return [Limit(soft, name) for name, soft in softs.items() if soft != resource.RLIM_INFINITY]


def _physical(size: int | None) -> list[Limit]:
    return [Limit(size, MACHINE)] if size else []


def _slurm(environ: Mapping[str, str]) -> list[Limit]:
    """Slurm's own words, for clusters whose control groups don't tell. 0 means all of a node."""
    node, per_cpu, cpus = (number(environ.get(name, "")) for name in (*_SLURM, "SLURM_CPUS_ON_NODE"))
    if node:
        return [Limit(node * MB, _SLURM[0])]
    if per_cpu:
        return [Limit(per_cpu * (cpus or 1) * MB, f"{_SLURM[1]} × {cpus or 1}")]
    return []


def _cpus(quotas: list[float], environ: Mapping[str, str]) -> int:
    asked = number(environ.get("SLURM_CPUS_PER_TASK", ""))  # not every cluster binds its tasks to what they asked for
    return max(1, int(min([*quotas, *([asked] if asked else []), len(os.sched_getaffinity(0))])))
