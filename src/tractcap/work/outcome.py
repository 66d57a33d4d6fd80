"""What a run did: counted, with the first of many failures, heard by a listener, and kept in a journal."""

import json
import logging
import os
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tractcap.inputs.tractogram_source import Source
from tractcap.limits import Watch, as_mb
from tractcap.records.check_sidecar import DONE, FAILED, MISSING, SKIPPED
from tractcap.work.jobs import RunPlan

log = logging.getLogger("tractcap")

KEPT = "kept"
"""What became of a tractogram or check that an earlier run has drawn or made."""

PARTED = "parted"
"""What became of a tractogram of which other shards draw pieces too."""

MOST = 50
"""Sentences on failures that are kept; the journal has all."""

JOURNALS = "logs"
"""The folder of journals, below the output."""


@dataclass
class Failures:
    """How many there are, and sentences on the ``first`` of them: a run with many failures takes no more memory."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < MOST:
            self.first.append(sentence)

    def __len__(self) -> int:
        return self.count

    def summary(self) -> Iterator[str]:
        """One line each, and one for all that have none."""
        yield from (f"failed: {sentence}" for sentence in self.first)
        if more := self.count - len(self.first):
            yield f"failed: and {more:,} more, which the log above and the journal name"


@dataclass
class CheckCounts:
    """How many checks there are by status, and how many ``flags`` were raised; what ``failed``."""

    counts: Counter[str] = field(default_factory=Counter)
    flags: int = 0
    failed: Failures = field(default_factory=Failures)

    def summary(self) -> Iterator[str]:
        """What became of all checks, in a line; nothing where none was asked for."""
        if self.counts:
            statuses = (DONE, KEPT, FAILED, MISSING, SKIPPED)
            counts = [f"{self.counts[status]} {status}" for status in statuses if self.counts[status]]
            raised = f"{self.flags} flag{'s' * (self.flags != 1)} raised" if self.flags else "no flags"
            yield f"checks: {', '.join(counts)}; {raised}"
            yield from self.failed.summary()


@dataclass
class RunOutcome:
    """What a run did, in numbers: it is as small for a hundred thousand tractograms as for one.

    So many tractograms were ``drawn``, or ``kept`` from an earlier run; are ``empty``; are ``parted`` among shards that
    draw pieces of them. ``failed`` are those that could not be drawn, or aren't there, ``others`` what could not be
    made of several of them. ``retries`` counts what was tried again, ``checks`` what became of measures of quality.
    ``too_small`` says of the memory that it was too little for anything.
    """

    drawn: int = 0
    kept: int = 0
    empty: int = 0
    parted: int = 0
    failed: Failures = field(default_factory=Failures)
    others: Failures = field(default_factory=Failures)
    retries: int = 0
    checks: CheckCounts = field(default_factory=CheckCounts)
    too_small: str = ""

    @property
    def whole(self) -> bool:
        """Whether all that could be drawn and made was."""
        return not (self.failed or self.others or self.checks.failed)

    def summary(self, planned: RunPlan, watch: Watch) -> Iterator[str]:
        """What was done, and with what memory, in a few lines; failures with their causes last."""
        peak, of_what = watch.peak()
        counts = {"kept from an earlier run": self.kept, "drawn in part": self.parted, "tried again": self.retries}
        counts |= {"empty": self.empty, "failed": len(self.failed)}
        yield ", ".join([f"{self.drawn} drawn", *(f"{count} {what}" for what, count in counts.items() if count)])
        yield from self.checks.summary()
        yield f"{watch.budget.describe()}; {planned.crew.most_workers()}; peak {as_mb(peak)} MB ({of_what})"
        if watch.stalled_seconds:
            seconds = f"{watch.stalled_seconds:.0f} s"
            yield f"in {seconds} tasks stood still for want of memory: none was begun beside others then"
        yield from self.failed.summary()
        yield from self.others.summary()


@dataclass(frozen=True)
class TractogramOutcome:
    """What became of one tractogram: its ``pictures``, the mosaic last, or ``why`` it has none."""

    source: Source
    status: str
    pictures: tuple[Path, ...] = ()
    why: str = ""


class RunListener:
    """Hears of a run as it goes on, and keeps of it what it likes; this one keeps nothing."""

    def progress(self, finished: int, share: float) -> None:
        """So many tractograms have pictures, and so much of all work is done."""

    def tractogram(self, outcome: TractogramOutcome) -> None:
        """It is known what became of a tractogram."""

    def participant(self, paths: Sequence[Path]) -> None:
        """A participant is done: its mosaics, its overviews, and its page."""


class Journal:
    """What a run did, one JSON object a line, for programs to read; a journal that can't be written stops nothing.

    Each run writes a file of its own, so that runs side by side on a shared file system don't get into each other's
    lines.
    """

    def __init__(self, output: Path) -> None:
        now = datetime.now(UTC)
        self.path = output / JOURNALS / f"tractcap-{now:%Y%m%dT%H%M%S}-{socket.gethostname()}-{os.getpid()}.jsonl"
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
