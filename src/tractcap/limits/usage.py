"""How much memory is in use, measured where a limit holds.

Of a control group counts what the kernel can't give back when memory runs short: pages of files are left out, since
they can be read again; files on tmpfs are not, since they have nowhere else to be.
"""

import re
from pathlib import Path

from tractcap.limits.cgroup import unescape

_KINDS = ("total_active_file", "total_inactive_file", "active_file", "inactive_file")


def process_memory(pid: int | str = "self") -> dict[str, int]:
    """Bytes by the names of ``/proc/PID/status`` (``VmHWM``, ``RssAnon``, …); empty when the process is gone."""
    text = _text(Path(f"/proc/{pid}/status"))
    return {name: int(kb) * 1024 for name, kb in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


def private_memory(pid: int | str = "self") -> int:
    """Bytes that a process holds beside pages of files; 0 when it is gone."""
    found = process_memory(pid)
    return found.get("RssAnon", 0) + found.get("RssShmem", 0)


def group_memory(group: Path) -> int | None:
    """Bytes in a control group that can't be given back, or None where the group doesn't tell.

    Parameters
    ----------
    group : the group's folder, of version 1 or 2.
    """
    total = _text(group / "memory.usage_in_bytes") or _text(group / "memory.current")
    if not total.isdigit():
        return None
    stat = _pairs(group / "memory.stat")
    # version 1 tells of the group alone and, as "total", of all below it; its usage is of all
    files = [stat[name] for name in _KINDS if name in stat][:2]
    return max(0, int(total) - sum(files))


def group_peak(group: Path) -> int | None:
    """The kernel's own high-water mark of a group in bytes, pages of files included; None where it has none."""
    text = _text(group / "memory.max_usage_in_bytes") or _text(group / "memory.peak")
    return int(text) if text.isdigit() else None


def oom_kills(group: Path) -> int | None:
    """How often the kernel has killed in this group for want of memory; None where it doesn't count."""
    events = _pairs(group / "memory.events") or _pairs(group / "memory.oom_control")
    return events.get("oom_kill")


def machine_available(root: Path = Path("/")) -> int | None:
    """Bytes that the machine could still give to processes, as the kernel estimates it."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def in_memory(path: Path, root: Path = Path("/")) -> bool:
    """Whether files at a path that exists are kept in memory: on tmpfs or ramfs."""
    mounts = [line.split(" - ") for line in _text(root / "proc/self/mountinfo").splitlines() if " - " in line]
    kinds = {unescape(left.split(" ")[4]): right.split(" ")[0] for left, right in mounts}
    at = path.resolve()
    nearest = next((str(folder) for folder in (at, *at.parents) if str(folder) in kinds), "")
    return kinds.get(nearest) in ("tmpfs", "ramfs")


def _pairs(path: Path) -> dict[str, int]:
    words = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
