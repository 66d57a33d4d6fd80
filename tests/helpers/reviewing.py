"""The server of ``tractcap OUTPUT review`` in a process of its own, which can be killed and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Server:
    """Serves an output at one port, which is chosen at the first start; ``address`` is what it printed last."""

    output: Path
    port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self, *arguments: object, prefix: tuple[str, ...] = ()) -> "Server":
        """Start it, and wait until it prints its address."""
        command = [*prefix, sys.executable, "-m", "tractcap", self.output, "review", "--port", self.port, *arguments]
        self.process = subprocess.Popen(
            [str(argument) for argument in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(self.environment),
        )
        assert self.process.stdout
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError(self.stop())
        self.port = urlsplit(self.address).port or 0
        return self

    @property
    def secret(self) -> str:
        return self.address.partition("key=")[2]

    @property
    def cookie(self) -> str:
        """The header that a browser sends once it opened the address."""
        return f"tractcap-{self.port}={self.secret}"

    def page(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it by a signal, and return what it logged."""
        if self.process is None:
            return ""
        self.process.send_signal(number)
        _, logged = self.process.communicate(timeout=30)
        return logged
