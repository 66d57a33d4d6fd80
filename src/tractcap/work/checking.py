"""The checks of a run: which there are to make of each bundle, and what is told of those that are not made."""

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tractcap.checks import checks
from tractcap.checks.kit import flags
from tractcap.checks.kit.check import DONE, FAILED, MISSING, SKIPPED, Check, File, Given, Value
from tractcap.inputs.names import split_image
from tractcap.limits import MB, Watch, as_mb
from tractcap.limits.watch import SUPERVISOR
from tractcap.records import check as records
from tractcap.records.check import Attached, CheckRecord, Flag
from tractcap.work import checked, plan
from tractcap.work.about import about, place
from tractcap.work.asked import Other
from tractcap.work.beside import find
from tractcap.work.prepare import Job, Planned, Settings, look
from tractcap.work.resume import plain
from tractcap.work.scenes import source

log = logging.getLogger("tractcap")

KEPT = "kept"
"""A check that an earlier run has made."""

_STATUSES = (DONE, KEPT, FAILED, MISSING, SKIPPED)


@dataclass
class Tally:
    """How many checks there are by status; ``flags`` and what ``failed`` are sentences."""

    counts: Counter[str] = field(default_factory=Counter)
    flags: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def summary(self) -> Iterator[str]:
        """What became of all checks, in a line; nothing where none was asked for."""
        if self.counts:
            counts = [f"{self.counts[status]} {status}" for status in _STATUSES if self.counts[status]]
            raised = f"{len(self.flags)} flag{'s' * (len(self.flags) != 1)} raised" if self.flags else "no flags"
            yield f"checks: {', '.join(counts)}; {raised}"
            yield from (f"failed: {sentence}" for sentence in self.failed)


@dataclass(frozen=True)
class Order:
    """A check that is to be made of a job's bundle: the worker's ``arguments``, and the bytes it ``needs``."""

    check: Check
    job: Job
    given: Given
    record: CheckRecord
    arguments: Mapping[str, Any]
    need: int

    @property
    def at(self) -> Path:
        """Where its JSON file will lie."""
        return records.place(Path(self.arguments["folder"]), self.arguments["stem"], self.check.name)


class Checking:
    """Knows what each bundle is checked with, and keeps the records."""

    def __init__(self, settings: Settings, planned: Planned, watch: Watch) -> None:
        self._settings, self._room = settings, planned.room
        self.tally = Tally()
        self._jobs = {job.source.path: job for job in planned.jobs}
        asked = settings.checks
        sources = [job.source for job in planned.jobs]
        self._beside = find(asked, sources, planned.companions) if asked.names else {}
        self._headers = self._look(watch) if asked.names else {}

    def _look(self, watch: Watch) -> dict[str, dict[str, Any]]:
        """Look at the headers of all that bundles are checked with, as far as no job knows them."""
        others = [other.path for one in self._beside.values() for other in one.others.values()]
        maps = [path for one in self._beside.values() for path in one.maps.values()]
        maps += [job.reference.path for job in self._jobs.values() if job.reference]
        maps += [path for path in others if _image(path)]
        tractograms = [path for path in others if path not in self._jobs and not _image(path)]
        if not (maps or tractograms):
            return {}
        return look(dict.fromkeys(tractograms), dict.fromkeys(maps), self._settings, watch)

    # what is to be made

    def needs(self) -> dict[str, int]:
        """The most bytes that each check takes of any bundle that has what it needs; 0 where none has."""
        made = [one for name, one in checks().items() if name in self._settings.checks.names]
        orders = {one.name: [self._order(one, job) for job in self._jobs.values() if job.leads] for one in made}
        return {
            name: max((order.need for order in several if not order.check.lacks(order.given)), default=0)
            for name, several in orders.items()
        }

    def orders(self, job: Job) -> Iterator[Order]:
        """The checks that are to be made of a bundle; what is told of the others is written."""
        for check in checks().values() if self._settings.checks.names else ():
            order = self._order(check, job)
            if check.name not in self._settings.checks.names:
                self._leave(order, SKIPPED, "it was not asked for")
            elif why := check.lacks(order.given):
                self._leave(order, MISSING, next(self._lacking(order), why))
            elif order.need > self._room:
                self.fail(order, self._too_large(order.need))
            elif earlier := None if self._settings.overwrite else checked.kept(order.at, order.record):
                self._keep(order, earlier)
            else:
                yield order

    def _too_large(self, need: int) -> str:
        total = as_mb(int((need + SUPERVISOR) / (1 - self._settings.margin)) + MB)
        room = as_mb(self._room)
        return (
            f"it takes {as_mb(need)} MB, more than the {room} MB that workers may take: give {total} MB in all, or "
            "leave it out of --checks"
        )

    def _order(self, check: Check, job: Job) -> Order:
        given = self._given(check, job)
        at = place(self._settings.output, job.source)
        record = checked.record(check, about(job.source), source(job), self._with(job, given), DONE, "")
        arguments = {
            "name": check.name, "given": given.dump(), "folder": str(at.parent), "stem": job.source.stem,
            "title": job.source.title, "background": list(self._settings.look.background),
        }  # fmt: skip
        return Order(check, job, given, record, arguments, plan.BASE + plan.SCIENCE + check.need(given))

    def _given(self, check: Check, job: Job) -> Given:
        """A bundle and what this check uses; in the atlas's space where it is compared with that."""
        beside, bundle = self._beside[job.source], job.source.bundle
        own = self._file(Other(job.source.path, job.source.space))
        others: dict[str, File | None] = {name: self._file(other) for name, other in beside.others.items()}
        others["reference"] = self._file(Other(job.reference.path)) if job.reference else None
        if "atlas" in check.uses and (moved := others.get("moved")):
            own = moved
        return Given(
            own, bundle.readable, bundle.hemisphere, self._settings.vtk_space,
            {name: self._file(Other(path)) for name, path in beside.maps.items()} if "maps" in check.uses else {},
            **{name: others.get(name) for name in check.uses if name != "maps"},
        )  # fmt: skip

    def _file(self, other: Other) -> File:
        """With what its header tells; one that can't be read is left to the check, which says so."""
        known = self._jobs.get(other.path)
        header = known.header if known else self._headers.get(str(other.path), {})
        if shape := header.get("shape"):
            return File(str(other.path), voxels=math.prod(shape), space=other.space)
        return File(str(other.path), header.get("streamlines", 0), header.get("points", 0), 0, other.space)

    def _with(self, job: Job, given: Given) -> dict[str, Any]:
        """What decides what is found, beside the file itself."""
        used = {**given.files, **({"in the atlas's space": given.tractogram} if _moved(job, given) else {})}
        states = {name: self._state(file) for name, file in used.items()}
        how = {"Space": given.tractogram.space, "VtkSpace": given.vtk_space, "Hemisphere": given.hemisphere}
        told: dict[str, Any] = plain({**states, **how, "Background": list(self._settings.look.background)})
        return told

    def _state(self, file: File) -> dict[str, Any]:
        known = self._jobs.get(Path(file.path))
        size, modified = (known.bytes, known.modified) if known else self._headers[file.path].get("fingerprint", (0, 0))
        return {"Path": file.path, "Bytes": size, "Modified": modified, "Space": file.space}

    # what came of it

    def made(self, order: Order, found: Mapping[str, Any]) -> None:
        """Tell what a worker has found."""
        measures = {key: _told(value) for key, value in found["Measures"].items()}
        record = replace(
            order.record,
            measures=measures,
            about=checked.about_measures(order.check, measures, [*order.given.maps]),
            notes=(*self._lacking(order), *found["Notes"]),
            figures=tuple(map(Attached.parse, found["Figures"])),
            tables=tuple(map(Attached.parse, found["Tables"])),
            flags=self._flags(order, measures),
        )
        self._tell(order, record, DONE)

    def _lacking(self, order: Order) -> Iterator[str]:
        """Sentences on what was asked for and isn't there, of what the check uses."""
        lacks = self._beside[order.job.source].lacks
        return (lacks[name] for name in order.check.uses if name in lacks)

    def fail(self, order: Order, why: str) -> None:
        """Tell that a check could not be made."""
        self.tally.failed.append(f"the check {order.check.name} of {order.job.source.name}: {why}")
        log.error("%s", self.tally.failed[-1])
        self._leave(order, FAILED, why)

    def _keep(self, order: Order, earlier: CheckRecord) -> None:
        """Keep what an earlier run found, flagged by the rules of this one."""
        raised = self._flags(order, earlier.measures)
        if raised != earlier.flags:
            self._tell(order, replace(earlier, flags=raised), KEPT)
        else:
            self._count(order, KEPT, raised)

    def _leave(self, order: Order, status: str, why: str) -> None:
        earlier = checked.earlier(order.at) if status == SKIPPED else None
        if earlier and earlier.source_modified == order.record.source_modified:
            self.tally.counts[status] += 1  # what an earlier run found of the same file stays
            return
        self._tell(order, replace(order.record, status=status, why=why), status)

    def _tell(self, order: Order, record: CheckRecord, status: str) -> None:
        try:
            records.write(order.at, record)
        except OSError as error:
            log.error("%s can't be written (%s): no page will tell of it", order.at, error.strerror)
            self.tally.failed.append(f"{order.at} can't be written: {error.strerror}")
        self._count(order, status, record.flags)

    def _count(self, order: Order, status: str, raised: Sequence[Flag]) -> None:
        self.tally.counts[status] += 1
        for flag in raised:
            self.tally.flags.append(f"{order.job.source.name}: {flags.sentence(flag.plain())}")
            log.warning("flagged: %s", self.tally.flags[-1])

    def _flags(self, order: Order, measures: Mapping[str, Any]) -> tuple[Flag, ...]:
        raised = flags.raised(self._settings.checks.rules, order.check.name, measures)
        return tuple(Flag.parse(plain(one)) for one in raised)


def _told(value: Value) -> Value:
    """A number that is none, such as the mean of nothing, can't be told."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _image(path: Path) -> bool:
    return bool(split_image(path.name)[1])


def _moved(job: Job, given: Given) -> bool:
    """Whether it isn't the tractogram itself that is checked."""
    return given.tractogram.path != str(job.source.path)
