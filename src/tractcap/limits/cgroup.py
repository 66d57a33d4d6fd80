"""The memory limits and the CPU quota of the control groups that this process lives in.

Versions 1 and 2 and hybrids of both are read. A process's own group is often unlimited while one
above it is not (Slurm), so every level up to the mount is looked at. Nothing outside ``root`` is read,
so that a test can hand in a tree of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tractcap.limits import procfs
from tractcap.limits.procfs import Mount

_KINDS = ("cgroup", "cgroup2")
_LIMITS = ("memory.limit_in_bytes", "memory.max", "memory.high")
_NO_LIMIT = 2**62
"""Version 1 writes "no limit" as one of several numbers above this."""

_HIDDEN = "hierarchical_memory_limit"
"""What version 1 tells of the limits of groups that may not be seen."""


@dataclass(frozen=True)
class Limit:
    """A bound on memory: how many bytes, where it was found, and the folder of the control group that it bounds.

    ``group`` is None for a bound that no control group keeps: the machine's memory, a ulimit, a cap asked for.
    """

    bytes: int
    where: str
    group: Path | None = None

    @property
    def kind(self) -> str:
        """What it is, the same in each run of a container: the folder's name isn't."""
        return "a control group" if self.group else self.where


@dataclass
class CgroupLimits:
    """What the control groups say, and the bytes of the machine's ``physical`` memory, None where it isn't told.

    ``groups`` are the folders of all groups that count this process's memory, limited or not. ``unreadable`` names the
    files that could not be read.
    """

    physical: int | None = None
    memory: list[Limit] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    groups: list[Path] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def read(root: Path = Path("/")) -> CgroupLimits:
    """Read every memory limit and CPU quota that can be seen, at every level.

    Parameters
    ----------
    root : the folder that holds ``proc`` and ``sys``.

    Returns
    -------
    Memory limits in bytes ("unlimited" is left out, whatever number stands for it) and quotas in
    processors, each from the process's own group upwards, in every mount.
    """
    found = CgroupLimits()
    # 0 is what a container's own meminfo may say where it knows nothing
    found.physical = procfs.sizes(_text(root / "proc/meminfo", found) or "").get("MemTotal") or None
    mounts = [one for one in procfs.mounts(_text(root / "proc/self/mountinfo", found) or "") if one.kind in _KINDS]
    paths = dict(_paths(_text(root / "proc/self/cgroup", found) or ""))
    found.groups += dict.fromkeys(_levels(root, "memory", mounts, paths))
    for group in found.groups:
        _read_memory(group, found)
    for group in dict.fromkeys(_levels(root, "cpu", mounts, paths)):
        _read_cpu(group, found)
    found.memory.sort(key=lambda limit: _HIDDEN in limit.where)  # where the group that has the limit is seen, name that
    return found


def _paths(text: str) -> Iterator[tuple[str, str]]:
    """Controller and path of each line of ``/proc/self/cgroup``; version 2's line has the controller ``""``."""
    for line in text.split("\n"):
        parts = line.split(":", 2)  # at most twice: a path may hold colons
        if len(parts) == 3:
            for controller in parts[1].split(","):
                yield controller, parts[2]


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
            yield from _upwards(root / mount.point.lstrip("/"), _inside(mount.root, path))


def _inside(mount_root: str, path: str) -> PurePosixPath:
    """The group's path below the mount point; the mount point itself where the group lies outside of it."""
    try:
        inside = PurePosixPath(path).relative_to(mount_root)
    except ValueError:
        inside = PurePosixPath()  # a namespace hides where the group lies: what is mounted is the best that is known
    return PurePosixPath() if ".." in inside.parts else inside


def _upwards(point: Path, inside: PurePosixPath) -> Iterator[Path]:
    yield point / inside
    for parent in inside.parents:
        yield point / parent


def _text(path: Path, found: CgroupLimits) -> str | None:
    try:
        return procfs.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        found.unreadable.append(f"{path} ({error.strerror})")
        return None


def _read_memory(group: Path, found: CgroupLimits) -> None:
    told = {str(group / name): _text(group / name, found) for name in _LIMITS}
    # parents that a container can't see still count: version 1 tells their least limit here
    hidden = re.search(rf"^{_HIDDEN} (.*)$", _text(group / "memory.stat", found) or "", re.MULTILINE)
    told[f"{group / 'memory.stat'} ({_HIDDEN})"] = hidden and hidden[1]
    most = found.physical or _NO_LIMIT
    for where, text in told.items():
        if (size := procfs.number(text or "")) is not None and size <= most:
            found.memory.append(Limit(size, where, group))


def _read_cpu(group: Path, found: CgroupLimits) -> None:
    words = (_text(group / "cpu.max", found) or "").split(" ")
    if len(words) != 2:
        words = [_text(group / name, found) or "" for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    quota, period = map(procfs.number, words)
    if quota is not None and period:
        found.cpus.append(quota / period)
