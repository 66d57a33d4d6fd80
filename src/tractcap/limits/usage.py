"""How much memory is in use, measured where a limit holds.

Of a control group counts what the kernel can't give back when memory runs short: pages of files are left out, since
they can be read again; files on tmpfs are not, since they have nowhere else to be.
"""

from pathlib import Path

from tractcap.limits import procfs

_KINDS = ("total_active_file", "total_inactive_file", "active_file", "inactive_file")


def private_memory(pid: int | str = "self", root: Path = Path("/")) -> int:
    """Bytes that a process holds beside pages of files (with them where they aren't told apart); 0 when it is gone."""
    found = _status(pid, root)
    if "RssAnon" not in found:  # gVisor, and Linux before 4.5
        return found.get("VmRSS", 0)
    return found["RssAnon"] + found.get("RssShmem", 0)


def private_peak(pid: int | str = "self", root: Path = Path("/")) -> int:
    """The most bytes that a process held at once, pages of files left out; what it holds now where that isn't told."""
    found = _status(pid, root)
    return max(found.get("VmHWM", 0) - found.get("RssFile", 0), private_memory(pid, root))


def _status(pid: int | str, root: Path) -> dict[str, int]:
    return procfs.sizes(_text(root / f"proc/{pid}/status"))


def group_memory(group: Path) -> int | None:
    """Bytes in a control group that can't be given back, or None where the group doesn't tell.

    Parameters
    ----------
    group : the group's folder, of version 1 or 2.
    """
    total = _number(group, "memory.usage_in_bytes", "memory.current")
    if total is None:
        return None
    stat = procfs.counts(_text(group / "memory.stat"))
    # version 1 tells of the group alone and, as "total", of all below it; its usage is of all
    files = [stat[name] for name in _KINDS if name in stat][:2]
    return max(0, total - sum(files))


def group_peak(group: Path) -> int | None:
    """The kernel's own high-water mark of a group in bytes, pages of files included; None where it has none."""
    return _number(group, "memory.max_usage_in_bytes", "memory.peak")


def oom_kills(group: Path) -> int | None:
    """How often the kernel has killed for want of memory, as a group counts it; None where it doesn't count.

    Version 1 counts in the group of the killed process alone, version 2 in all groups above too.
    """
    events = procfs.counts(_text(group / "memory.events")) or procfs.counts(_text(group / "memory.oom_control"))
    return events.get("oom_kill")


def machine_available(root: Path = Path("/")) -> int | None:
    """Bytes that the machine could still give to processes, as the kernel estimates it."""
    return procfs.sizes(_text(root / "proc/meminfo")).get("MemAvailable")


def in_memory(path: Path, root: Path = Path("/")) -> bool:
    """Whether files at a path that exists are kept in memory: on tmpfs or ramfs."""
    kinds = {mount.point: mount.kind for mount in procfs.mounts(_text(root / "proc/self/mountinfo"))}
    at = path.resolve()
    nearest = next((str(folder) for folder in (at, *at.parents) if str(folder) in kinds), "")
    return kinds.get(nearest) in ("tmpfs", "ramfs")


def _number(group: Path, *names: str) -> int | None:
    found = (procfs.number(_text(group / name)) for name in names)
    return next((number for number in found if number is not None), None)


def _text(path: Path) -> str:
    try:
        return procfs.read(path)
    except OSError:
        return ""
