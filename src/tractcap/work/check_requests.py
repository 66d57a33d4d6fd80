"""Requests to check a bundle. Workers read them too, and load nothing of the supervisor's for it."""

from dataclasses import dataclass
from pathlib import Path

from tractcap.checks.common.check_definition import CheckInput
from tractcap.records.json_record import Color
from tractcap.records.worker_requests import AllFindings, CheckFindings, Request


@dataclass(frozen=True)
class MakeCheck(Request[CheckFindings], action="check", answer=CheckFindings):
    """Make a check of a bundle; names of its pictures and tables begin with the bundle's ``stem``."""

    name: str
    inputs: CheckInput
    folder: str
    stem: str
    title: str
    background: Color

    @property
    def unfinished(self) -> tuple[Path, str]:
        """Pictures and tables."""
        return Path(self.folder), self.stem


@dataclass(frozen=True)
class MakeChecks(Request[AllFindings], action="checks", answer=AllFindings):
    """Make several checks of a bundle, for all of which its files are read together."""

    checks: tuple[MakeCheck, ...]

    @property
    def stem(self) -> str:
        """How names of the bundle's files begin."""
        return self.checks[0].stem

    @property
    def unfinished(self) -> tuple[Path, str]:
        """Pictures and tables."""
        return self.checks[0].unfinished
