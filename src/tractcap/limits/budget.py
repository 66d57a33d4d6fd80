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
from tractcap.limits.usage import killed_together

MACHINE = "the machine's memory"
"""The name of the limit that is the physical memory."""

_ULIMITS = {"ulimit -v": resource.RLIMIT_AS, "ulimit -d": resource.RLIMIT_DATA}


@dataclass(frozen=True)
class Budget:
    """What a run may use in all: parent, workers, shared memory and files on tmpfs.

    Attributes
    ----------
    bytes : int
        The least of ``limits``.
    bound_by : Limit
        The limit that is least.
    limits : tuple of Limit
        All limits that were found, the cap included.
    cpus : int
        Processors that the CPU quota and the affinity leave, at least one.
    warnings, notes : tuple of str
        Sentences for the user.
    groups : tuple of pathlib.Path
        The folders of all control groups that count this process's memory, limited or not.
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
    cap: int | None = None,
    cap_source: str = "the cap",
    root: Path = Path("/"),
    environ: Mapping[str, str] = os.environ,
) -> Budget:
    """Settle the budget from the cap and from every limit that can be found.

    Parameters
    ----------
    cap : int or None
        The cap in bytes.
    cap_source : str
        The option or variable that the cap comes from.
    root : pathlib.Path
        The folder that holds ``proc`` and ``sys``.
    environ : mapping of str to str
        The environment. Slurm's memory variables count only where no control group limits memory.

    Raises
    ------
    SettingsError
        When there is no cap, and neither a limit nor the size of the memory can be found.
    """
    groups = cgroup.read(root)
    limits = list(groups.memory)
    for name, kind in _ULIMITS.items():
        if (soft := resource.getrlimit(kind)[0]) != resource.RLIM_INFINITY:
            limits.append(Limit(soft, name))
    if groups.physical:
        limits.append(Limit(groups.physical, MACHINE))
    if not groups.memory:
        limits += _slurm_memory(environ)
    warnings = [f"could not read {name}: a limit there is not seen" for name in groups.unreadable]
    if cap is not None:
        if limits and (least := min(limits, key=_size)).bytes < cap:
            used = f"{as_mb(least.bytes)} MB"
            warnings.append(f"{cap_source} asks for {as_mb(cap)} MB, but {least.where} allows {used}: {used} is used")
        limits.append(Limit(cap, cap_source))
    if not limits:
        raise SettingsError("no memory limit could be found on this system: say how much may be used with --mem.")
    least = min(limits, key=_size)
    notes = [] if groups.memory else ["no control group limits the memory, as far as can be seen from here"]
    if together := next(filter(killed_together, groups.groups), None):
        notes.append(f"{together}/memory.oom.group: for want of memory the kernel ends all of the run; a rerun goes on")
    return Budget(
        least.bytes,
        least,
        tuple(limits),
        _processors(groups.cpus, environ),
        tuple(warnings),
        tuple(notes),
        tuple(groups.groups),
    )


def _size(limit: Limit) -> int:
    return limit.bytes


def _slurm_memory(environ: Mapping[str, str]) -> list[Limit]:
    """What Slurm's variables say, for clusters that don't limit memory by control groups. 0 means all of a node."""
    names = ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE")
    per_node, per_cpu, cpus = (number(environ.get(name, "")) for name in names)
    if per_node:
        return [Limit(per_node * MB, names[0])]
    if per_cpu:
        return [Limit(per_cpu * (cpus or 1) * MB, f"{names[1]} × {cpus or 1}")]
    return []


def _processors(quotas: list[float], environ: Mapping[str, str]) -> int:
    counts = [*quotas, len(os.sched_getaffinity(0))]
    if per_task := number(environ.get("SLURM_CPUS_PER_TASK", "")):  # not every cluster binds tasks to their processors
        counts.append(per_task)
    return max(1, int(min(counts)))
