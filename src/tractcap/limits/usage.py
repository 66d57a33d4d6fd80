"""How much memory is in use, measured where a limit holds.

Of a control group counts what the kernel can't give back when memory runs short: pages of files are left out, since
they can be read again; files on tmpfs are not, since they have nowhere else to be.

What a process holds is psutil's figure. The rest is read here: psutil knows no control groups and no peak of a process;
for what the machine has available it answers with what is free where a container's ``MemAvailable`` exceeds its
``MemTotal``; and it takes file systems from ``/etc/mtab``, which in an image may be a leftover.
"""

import re
from pathlib import Path

import psutil

from tractcap.limits import procfs

_FILE_PAGES = ("total_active_file", "total_inactive_file", "active_file", "inactive_file")


def private_memory(pid: int | None = None) -> int:
    """Bytes that a process holds, pages of files left out; 0 when it is gone. None is this process.

    Where the kernel doesn't distinguish pages of files (gVisor), they are counted too.
    """
    try:
        memory = psutil.Process(pid).memory_info()
    except (psutil.Error, OSError, ValueError):
        return 0
    return max(0, memory.rss - memory.shared)


class PrivatePeak:
    """The most ``bytes`` that this process has held at once since its peak was cleared, without pages of files.

    The kernel's own peak has these pages in it. How many they are is known of the present alone, and they are taken
    away where memory is short. So a rise of that peak is looked at soon after it: call :meth:`update` often.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root, self._with_files = root, 0
        self.bytes = 0
        self.update()

    def update(self) -> None:
        """Take in what is held now, and what was since the last call."""
        status = procfs.sizes(_text(self._root / "proc/self/status"))
        peak = status.get("VmHWM", 0)
        held = peak - status.get("RssFile", 0) if peak > self._with_files else 0
        self._with_files = max(self._with_files, peak)
        self.bytes = max(self.bytes, held, private_memory())


def group_memory(group: Path) -> int | None:
    """Bytes in a control group, of version 1 or 2, that can't be given back; None where the group doesn't count."""
    total = _number(group, "memory.usage_in_bytes", "memory.current")
    if total is None:
        return None
    stat = procfs.counts(_text(group / "memory.stat"))
    # version 1 has counts of the group alone and, as "total", of all below it; its usage is of all
    file_pages = [stat[name] for name in _FILE_PAGES if name in stat][:2]
    return max(0, total - sum(file_pages))


def group_peak(group: Path) -> int | None:
    """The kernel's own high-water mark of a group in bytes, pages of files included; None where it has none."""
    return _number(group, "memory.max_usage_in_bytes", "memory.peak")


def oom_kills(group: Path) -> int | None:
    """How often the kernel has killed for want of memory, as a group counts it; None where it doesn't count.

    Version 1 counts in the group of the killed process alone, version 2 in all groups above too.
    """
    events = procfs.counts(_text(group / "memory.events")) or procfs.counts(_text(group / "memory.oom_control"))
    return events.get("oom_kill")


def stalled_microseconds(group: Path | None, root: Path = Path("/")) -> int | None:
    """How long tasks have stood still for want of memory, as the kernel counts it; None where it doesn't.

    Source: "full" in https://docs.kernel.org/accounting/psi.html: time in which no task that had work could go on.

    Parameters
    ----------
    group : pathlib.Path or None
        A control group of version 2; None for the whole machine.
    root : pathlib.Path
        The folder that holds ``proc``.
    """
    text = _text(root / "proc/pressure/memory" if group is None else group / "memory.pressure")
    full = re.search(r"^full .*\btotal=([0-9]{1,25})$", text, re.MULTILINE)
    return int(full[1]) if full else None


def killed_together(group: Path) -> bool:
    """Whether the kernel kills all of a group of version 2 at once, for want of memory (``memory.oom.group``)."""
    return _text(group / "memory.oom.group") == "1"


def machine_available(root: Path = Path("/")) -> int | None:
    """Bytes that the machine could still give to processes, as the kernel estimates it."""
    return procfs.sizes(_text(root / "proc/meminfo")).get("MemAvailable")


def in_memory(path: Path, root: Path = Path("/")) -> bool:
    """Whether files at a path that exists are kept in memory: on tmpfs or ramfs."""
    kinds = {mount.point: mount.kind for mount in procfs.mounts(_text(root / "proc/self/mountinfo"))}
    folders = map(str, (path.resolve(), *path.resolve().parents))
    return next((kinds[folder] for folder in folders if folder in kinds), "") in ("tmpfs", "ramfs")


def _number(group: Path, *names: str) -> int | None:
    numbers = (procfs.number(_text(group / name)) for name in names)
    return next((number for number in numbers if number is not None), None)


def _text(path: Path) -> str:
    try:
        return procfs.read(path)
    except OSError:
        return ""
