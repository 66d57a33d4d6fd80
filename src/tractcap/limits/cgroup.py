"""The memory limits and CPU quotas of the control groups that this process lives in.

Versions 1 and 2 and hybrids of both are read. A process's own group is often unlimited while one above it is not
(Slurm), so every level up to the mount counts. Nothing outside ``root`` is read: tests pass trees of texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tractcap.limits import procfs
from tractcap.limits.procfs import Mount

_LIMIT_FILES = ("memory.limit_in_bytes", "memory.max", "memory.high")
_NO_LIMIT = 2**62
"""Version 1 writes "no limit" as one of several numbers above this."""

_HIDDEN = "hierarchical_memory_limit"
"""The line of version 1 that has the least limit of parents that a container can't see."""


@dataclass(frozen=True)
class Limit:
    """A bound on memory.

    Attributes
    ----------
    bytes : int
    where : str
        The file, option, variable or ulimit that sets it.
    group : pathlib.Path or None
        The folder of the control group that keeps it; None for the machine's memory, a ulimit and a cap.
    """

    bytes: int
    where: str
    group: Path | None = None

    @property
    def kind(self) -> str:
        """``where``, but for control groups, whose folders have another name in each run of a container."""
        return "a control group" if self.group else self.where


@dataclass
class CgroupLimits:
    """What :func:`read` finds: the limits, and the machine's ``physical`` memory in bytes where that is known.

    ``cpus`` are quotas in processors. ``groups`` are the folders of all groups that count this process's memory,
    limited or not. ``unreadable`` names the files that could not be read, and why.
    """

    physical: int | None = None
    memory: list[Limit] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    groups: list[Path] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def read(root: Path = Path("/")) -> CgroupLimits:
    """Read every memory limit and CPU quota that can be seen, at every level and in every mount.

    Parameters
    ----------
    root : pathlib.Path
        The folder that holds ``proc`` and ``sys``.

    Returns
    -------
    CgroupLimits
        "Unlimited" is left out, whatever number stands for it.
    """
    limits = CgroupLimits()
    # 0 is what a container's own meminfo may say where it knows nothing
    limits.physical = procfs.sizes(_text(root / "proc/meminfo", limits)).get("MemTotal") or None
    mounts = list(procfs.mounts(_text(root / "proc/self/mountinfo", limits)))
    paths: dict[str, str] = {}
    for line in _text(root / "proc/self/cgroup", limits).split("\n"):
        parts = line.split(":", 2)  # at most twice: a path may hold colons
        if len(parts) == 3:
            paths |= dict.fromkeys(parts[1].split(","), parts[2])  # version 2's line has the controller ""
    limits.groups += dict.fromkeys(_levels(root, "memory", mounts, paths))
    for group in limits.groups:
        texts = {str(group / name): _text(group / name, limits) for name in _LIMIT_FILES}
        hidden = re.search(rf"^{_HIDDEN} (.*)$", _text(group / "memory.stat", limits), re.MULTILINE)
        texts[f"{group / 'memory.stat'} ({_HIDDEN})"] = hidden[1] if hidden else ""
        for where, text in texts.items():
            if (size := procfs.number(text)) is not None and size <= (limits.physical or _NO_LIMIT):
                limits.memory.append(Limit(size, where, group))
    for group in dict.fromkeys(_levels(root, "cpu", mounts, paths)):
        words = _text(group / "cpu.max", limits).split(" ")
        if len(words) != 2:
            words = [_text(group / name, limits) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
        quota, period = map(procfs.number, words)
        if quota is not None and period:
            limits.cpus.append(quota / period)
    # where the group that has the limit can be seen, that one is named
    limits.memory.sort(key=lambda limit: _HIDDEN in limit.where)
    return limits


def _levels(root: Path, controller: str, mounts: list[Mount], paths: dict[str, str]) -> Iterator[Path]:
    """The folders that govern ``controller``, from the process's own group up to each mount.

    On a hybrid host version 2 is mounted too but has no say over a controller that version 1 holds. Several mounts of
    one hierarchy may show different parts of it.
    """
    kind, path = ("cgroup", paths.get(controller)) if controller in paths else ("cgroup2", paths.get(""))
    if path is None:
        return
    for mount in mounts:
        if mount.kind == kind and (kind == "cgroup2" or controller in mount.options):
            point, inside = root / mount.point.lstrip("/"), PurePosixPath()
            # where a namespace hides in which group the process is, the mount point is the best that is known
            if PurePosixPath(path).is_relative_to(mount.root):
                inside = PurePosixPath(path).relative_to(mount.root)
            if ".." in inside.parts:
                inside = PurePosixPath()
            yield from (point / folder for folder in (inside, *inside.parents))


def _text(path: Path, limits: CgroupLimits) -> str:
    try:
        return procfs.read(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        limits.unreadable.append(f"{path} ({error.strerror})")
        return ""
