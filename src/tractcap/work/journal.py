"""The journal: what a run did, one JSON object a line, for programs to read.

Each run writes a file of its own, so that runs side by side on a shared file system don't get into each other's lines.
"""

import json
import logging
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

log = logging.getLogger("tractcap")

FOLDER = "logs"


class Journal:
    """Lines for a file below ``output``. A journal that can't be written is said once, and stops nothing."""

    def __init__(self, output: Path) -> None:
        now = datetime.now(UTC)
        self.path = output / FOLDER / f"tractcap-{now:%Y%m%dT%H%M%S}-{socket.gethostname()}-{os.getpid()}.jsonl"
        self._broken = False

    def write(self, event: str, **fields: Any) -> None:
        """Add a line: what happened, when, and the fields, which JSON must hold."""
        line = json.dumps({"time": datetime.now(UTC).isoformat(), "event": event, **fields}, ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(line.encode(errors="backslashreplace") + b"\n")
        except OSError as error:
            if not self._broken:
                log.warning("the journal %s can't be written: %s", self.path, error.strerror)
            self._broken = True
