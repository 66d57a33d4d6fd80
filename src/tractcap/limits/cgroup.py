"""The memory limits and the CPU quota of the control groups that this process lives in.

Versions 1 and 2 and hybrids of both are read. A process's own group is often unlimited while one
above it is not (Slurm), so every level up to the mount is looked at. Nothing outside ``root`` is read,
so that a test can hand in a tree of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

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


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo that mounts a control group hierarchy."""

    root: str
    point: str
    kind: str
    controllers: frozenset[str]


@dataclass
class Found:
    """What the control groups say. ``unreadable`` names the files that could not be read."""

    memory: list[Limit] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def read(root: Path = Path("/")) -> Found:
    """Read every memory limit and CPU quota that can be seen, at every level.

    Parameters
    ----------
    root : the folder that holds ``proc`` and ``sys``.

    Returns
    -------
    Memory limits in bytes ("unlimited" is left out, whatever number stands for it) and quotas in
    processors, each from the process's own group upwards.
    """
    found = Found()
    mounts = list(_mounts(_text(root / "proc/self/mountinfo", found) or ""))
    groups = dict(_groups(_text(root / "proc/self/cgroup", found) or ""))
    for level in _levels(root, "memory", mounts, groups):
        _read_memory(level, found, root)
    for level in _levels(root, "cpu", mounts, groups):
        _read_cpu(level, found)
    found.memory.sort(key=lambda limit: _HIDDEN in limit.where)  # where the group that has the limit is seen, name that
    return found


def physical_memory(root: Path = Path("/")) -> int | None:
    """Bytes of memory of the machine, or None where ``/proc/meminfo`` does not tell."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo", Found()) or "", re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _groups(text: str) -> Iterator[tuple[str, str]]:
    """Controller and path of each line of ``/proc/self/cgroup``; version 2's line has the controller ``""``."""
    for line in text.splitlines():
        parts = line.split(":", 2)  # at most twice: a path may hold colons
        if len(parts) == 3:
            for controller in parts[1].split(","):
                yield controller, parts[2]


def _mounts(text: str) -> Iterator[Mount]:
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")  # any number of optional fields may stand before the dash
        left, right = before.split(" "), after.split(" ")
        if dash and len(left) >= 6 and right[0] in ("cgroup", "cgroup2"):
            options = frozenset(right[-1].split(","))
            yield Mount(unescape(left[3]), unescape(left[4]), right[0], options)


def unescape(text: str) -> str:
    """A path as mountinfo writes it, with octal numbers for blanks and the like, as it is."""
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)


def _levels(root: Path, controller: str, mounts: list[Mount], groups: dict[str, str]) -> Iterator[Path]:
    """The folders that govern ``controller``, from the process's own group up to the mount.

    On a hybrid host version 2 is mounted too but has no say over a controller that version 1 holds.
    """
    if controller in groups:
        kind, path = "cgroup", groups[controller]
    elif "" in groups:
        kind, path = "cgroup2", groups[""]
    else:
        return
    for mount in mounts:
        if mount.kind == kind and (kind == "cgroup2" or controller in mount.controllers):
            point = root / mount.point.lstrip("/")
            yield from _upwards(point, _inside(mount.root, path))
            return  # a second mount of one hierarchy shows the same groups


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


def _text(path: Path, found: Found) -> str | None:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        found.unreadable.append(f"{path} ({error.strerror})")
        return None


def _read_memory(level: Path, found: Found, root: Path) -> None:
    unlimited = physical_memory(root) or 2**62  # v1 writes "no limit" as one of several huge numbers
    for name in ("memory.limit_in_bytes", "memory.max", "memory.high"):
        _add_memory(found, _text(level / name, found), unlimited, str(level / name), level)
    # parents that a container can't see still count: version 1 tells their least limit here
    stat = _text(level / "memory.stat", found) or ""
    match = re.search(r"^hierarchical_memory_limit (\d+)$", stat, re.MULTILINE)
    where = f"{level / 'memory.stat'} ({_HIDDEN})"
    _add_memory(found, match[1] if match else None, unlimited, where, level)


def _add_memory(found: Found, text: str | None, unlimited: int, where: str, level: Path) -> None:
    if text and text.isdigit() and int(text) < unlimited:
        found.memory.append(Limit(int(text), where, level))


def _read_cpu(level: Path, found: Found) -> None:
    quota = (_text(level / "cpu.max", found) or "").split()
    if not quota:
        quota = [_text(level / name, found) or "" for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit() and int(quota[1]):
        found.cpus.append(int(quota[0]) / int(quota[1]))
