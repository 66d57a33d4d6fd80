"""How much memory is in use."""

import re
from pathlib import Path


def process_memory(pid: int | str = "self") -> dict[str, int]:
    """Bytes by the names of ``/proc/PID/status`` (``VmHWM``, ``RssAnon``, …); empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return {name: int(kb) * 1024 for name, kb in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
