"""The checks of a run: which there are to make of each bundle, and what is told of those that are not made."""

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tractcap.checks import checks
from tractcap.checks.common import flags
from tractcap.checks.common.check import DONE, FAILED, MISSING, SKIPPED, Check, CheckFile, CheckInput, Value
from tractcap.inputs.filenames import split_image
from tractcap.inputs.search import Source
from tractcap.limits import MB, Watch, as_mb
from tractcap.limits.watch import SUPERVISOR
from tractcap.limits.worker_limits import environment
from tractcap.records import check as records
from tractcap.records.check import Attached, CheckRecord, Flag
from tractcap.work import check_record, plan
from tractcap.work.about import about, place
from tractcap.work.check_files import find, finders
from tractcap.work.check_options import ComparisonFile, ComparisonFiles
from tractcap.work.failures import Failures
from tractcap.work.headers import LOOK_NEED, looks
from tractcap.work.journal import Journal
from tractcap.work.pool import Pool, PoolLimits
from tractcap.work.prepare import Job, RunPlan, Settings
from tractcap.work.resume import plain
from tractcap.work.scenes import source
from tractcap.work.steps import MakeWorkers, Step, Story, carry_on

log = logging.getLogger("tractcap")

KEPT = "kept"
"""A check that an earlier run has made."""

_MOST_SEEN = 1000
"""Headers of files that bundles were checked with that are kept for the next participants' bundles."""

_STATUSES = (DONE, KEPT, FAILED, MISSING, SKIPPED)


@dataclass
class CheckCounts:
    """How many checks there are by status, and how many ``flags`` were raised; what ``failed``."""

    counts: Counter[str] = field(default_factory=Counter)
    flags: int = 0
    failed: Failures = field(default_factory=Failures)

    def summary(self) -> Iterator[str]:
        """What became of all checks, in a line; nothing where none was asked for."""
        if self.counts:
            counts = [f"{self.counts[status]} {status}" for status in _STATUSES if self.counts[status]]
            raised = f"{self.flags} flag{'s' * (self.flags != 1)} raised" if self.flags else "no flags"
            yield f"checks: {', '.join(counts)}; {raised}"
            yield from self.failed.summary()


@dataclass(frozen=True)
class PlannedCheck:
    """A check that is to be made of a job's bundle: the worker's ``arguments``, and the bytes it ``needs``."""

    check: Check
    job: Job
    given: CheckInput
    record: CheckRecord
    arguments: Mapping[str, Any]
    need: int

    @property
    def at(self) -> Path:
        """Where its JSON file will lie."""
        return records.place(Path(self.arguments["folder"]), self.arguments["stem"], self.check.name)


class RunChecks:
    """All checks of a run: ``tally`` counts them. Nothing else grows with the number of participants."""

    def __init__(self, settings: Settings, planned: RunPlan, journal: Journal | None = None) -> None:
        self._settings, self._planned, self._journal = settings, planned, journal
        self._finders = finders(settings.checks) if settings.checks.names else None
        self._seen: dict[str, dict[str, Any]] = {}  # headers that others may need too, such as an atlas's
        self.tally = CheckCounts()

    def of(self, jobs: Sequence[Job]) -> "ParticipantChecks":
        """The checks of a participant."""
        if self._finders is None:
            return ParticipantChecks(self._settings, self._planned.room, self.tally, jobs, {}, {}, self._journal)
        sources = [job.source for job in jobs]
        beside = find(self._settings.checks, sources, self._planned.companions, self._finders)
        for path in list(self._seen)[:-_MOST_SEEN]:
            del self._seen[path]
        return ParticipantChecks(
            self._settings, self._planned.room, self.tally, jobs, beside, self._seen, self._journal
        )

    def needs(self, watch: Watch, make_workers: MakeWorkers = Pool) -> dict[str, int]:
        """The most bytes that each check takes of any bundle that has what it needs; 0 where none has."""
        needs = dict.fromkeys(self._settings.checks.names, 0)
        if needs:
            limits = PoolLimits(1, LOOK_NEED, timeout=self._settings.timeout)
            with make_workers(limits, watch, environment(1)) as workers:
                for _ in carry_on(map(partial(self._needs, needs), self._planned.people), workers, 2):
                    pass
        return needs

    def _needs(self, needs: dict[str, int], participant: str) -> Story:
        jobs, _ = self._planned.of(participant)
        checking = self.of(jobs)
        yield checking.looks()
        for name, need in checking.needs():
            needs[name] = max(needs[name], need)


class ParticipantChecks:
    """Knows what each bundle of a participant is checked with, and keeps the records."""

    def __init__(
        self,
        settings: Settings,
        room: int,
        tally: CheckCounts,
        jobs: Sequence[Job],
        beside: Mapping[Source, ComparisonFiles],
        seen: dict[str, dict[str, Any]],
        journal: Journal | None,
    ) -> None:
        self._settings, self._room, self._tally, self._beside = settings, room, tally, beside
        self._jobs = {job.source.path: job for job in jobs}
        self._seen, self._journal = seen, journal
        self._headers: dict[str, dict[str, Any]] = {}

    def looks(self) -> Iterator[Step]:
        """The steps of looking at the headers of all that bundles are checked with, as far as they aren't known."""
        if not self._beside:
            return
        others = [other.path for one in self._beside.values() for other in one.others.values()]
        maps = [path for one in self._beside.values() for path in one.maps.values()]
        maps += [job.reference.path for job in self._jobs.values() if job.reference]
        maps += [path for path in others if _image(path)]
        tractograms = [path for path in others if path not in self._jobs and not _image(path)]
        self._headers = {str(path): self._seen[str(path)] for path in (*maps, *tractograms) if str(path) in self._seen}
        new_tractograms, new_maps = (
            [one for one in dict.fromkeys(several) if str(one) not in self._seen] for several in (tractograms, maps)
        )
        yield from looks(new_tractograms, new_maps, self._settings.vtk_space, self._headers)

    # what is to be made

    def needs(self) -> Iterator[tuple[str, int]]:
        """The bytes that each check takes of each bundle that has what it needs."""
        for check in (one for name, one in checks().items() if name in self._settings.checks.names):
            for order in (self._order(check, job) for job in self._jobs.values() if job.leads):
                if not check.missing(order.given):
                    yield check.name, order.need

    def orders(self, job: Job) -> Iterator[PlannedCheck]:
        """The checks that are to be made of a bundle; what is told of the others is written."""
        self._seen.update(self._headers)
        for check in checks().values() if self._settings.checks.names else ():
            order = self._order(check, job)
            if check.name not in self._settings.checks.names:
                self._leave(order, SKIPPED, "it was not asked for")
            elif why := check.missing(order.given):
                self._leave(order, MISSING, next(self._lacking(order), why))
            elif order.need > self._room:
                self.fail(order, self._too_large(order.need))
            elif earlier := None if self._settings.overwrite else check_record.kept(order.at, order.record):
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

    def _order(self, check: Check, job: Job) -> PlannedCheck:
        given = self._given(check, job)
        at = place(self._settings.output, job.source)
        record = check_record.record(check, about(job.source), source(job), self._with(job, given), DONE, "")
        arguments = {
            "name": check.name, "given": given.plain(), "folder": str(at.parent), "stem": job.source.stem,
            "title": job.source.title, "background": list(self._settings.look.background),
        }  # fmt: skip
        return PlannedCheck(check, job, given, record, arguments, plan.BASE + plan.SCIENCE + check.need(given))

    def _given(self, check: Check, job: Job) -> CheckInput:
        """A bundle and what this check uses; in the atlas's space where it is compared with that."""
        beside, bundle = self._beside[job.source], job.source.bundle
        own = self._file(ComparisonFile(job.source.path, job.source.space))
        others: dict[str, CheckFile | None] = {name: self._file(other) for name, other in beside.others.items()}
        others["reference"] = self._file(ComparisonFile(job.reference.path)) if job.reference else None
        if "atlas" in check.uses and (moved := others.get("moved")):
            own = moved
        maps = beside.maps if "maps" in check.uses else {}
        used = {name: others.get(name) for name in check.uses}
        return CheckInput(
            own,
            bundle.readable,
            bundle.hemisphere,
            self._settings.vtk_space,
            {name: self._file(ComparisonFile(path)) for name, path in maps.items()},
            used.get("reference"),
            used.get("atlas"),
            used.get("before"),
            used.get("mirror"),
        )

    def _file(self, other: ComparisonFile) -> CheckFile:
        """With what its header tells; one that can't be read is left to the check, which says so."""
        known = self._jobs.get(other.path)
        header = known.header if known else self._headers.get(str(other.path), {})
        if shape := header.get("shape"):
            return CheckFile(str(other.path), voxels=math.prod(shape), space=other.space)
        counts = (header.get("streamlines", 0), header.get("points", 0), 0)
        return CheckFile(str(other.path), *counts, other.space, header.get("loaded", 0))

    def _with(self, job: Job, given: CheckInput) -> dict[str, Any]:
        """What decides what is found, beside the file itself."""
        used = {**given.files, **({"in the atlas's space": given.tractogram} if _moved(job, given) else {})}
        states = {name: self._state(file) for name, file in used.items()}
        how = {"Space": given.tractogram.space, "VtkSpace": given.vtk_space, "Hemisphere": given.hemisphere}
        told: dict[str, Any] = plain({**states, **how, "Background": list(self._settings.look.background)})
        return told

    def _state(self, file: CheckFile) -> dict[str, Any]:
        known = self._jobs.get(Path(file.path))
        header = self._headers.get(file.path, {})
        size, modified = (known.bytes, known.modified) if known else header.get("fingerprint", (0, 0))
        return {"Path": file.path, "Bytes": size, "Modified": modified, "Space": file.space}

    # what came of it

    def made(self, order: PlannedCheck, found: Mapping[str, Any]) -> None:
        """Tell what a worker has found."""
        if why := found.get("Missing"):
            self._leave(order, MISSING, why)
            return
        measures = {key: _told(value) for key, value in found["Measures"].items()}
        record = replace(
            order.record,
            measures=measures,
            about=check_record.about_measures(order.check, measures, [*order.given.maps]),
            notes=(*self._lacking(order), *found["Notes"]),
            figures=tuple(map(Attached.parse, found["Figures"])),
            tables=tuple(map(Attached.parse, found["Tables"])),
            flags=self._flags(order, measures),
        )
        self._tell(order, record, DONE)

    def _lacking(self, order: PlannedCheck) -> Iterator[str]:
        """Sentences on what was asked for and isn't there, of what the check uses."""
        lacks = self._beside[order.job.source].lacks
        return (lacks[name] for name in order.check.uses if name in lacks)

    def fail(self, order: PlannedCheck, why: str) -> None:
        """Tell that a check could not be made."""
        sentence = f"the check {order.check.name} of {order.job.source.name}: {why}"
        self._tally.failed.add(sentence)
        log.error("%s", sentence)
        if self._journal:
            self._journal.write("failed", source=f"{order.check.name} of {order.job.source.name}", why=why)
        self._leave(order, FAILED, why)

    def _keep(self, order: PlannedCheck, earlier: CheckRecord) -> None:
        """Keep what an earlier run found, flagged by the rules of this one."""
        raised = self._flags(order, earlier.measures)
        if raised != earlier.flags:
            self._tell(order, replace(earlier, flags=raised), KEPT)
        else:
            self._count(order, KEPT, raised)

    def _leave(self, order: PlannedCheck, status: str, why: str) -> None:
        earlier = check_record.earlier(order.at) if status == SKIPPED else None
        if earlier and earlier.source_modified == order.record.source_modified:
            self._tally.counts[status] += 1  # what an earlier run found of the same file stays
            return
        self._tell(order, replace(order.record, status=status, why=why), status)

    def _tell(self, order: PlannedCheck, record: CheckRecord, status: str) -> None:
        try:
            records.write(order.at, record)
        except OSError as error:
            log.error("%s can't be written (%s): no page will tell of it", order.at, error.strerror)
            self._tally.failed.add(f"{order.at} can't be written: {error.strerror}")
        self._count(order, status, record.flags)

    def _count(self, order: PlannedCheck, status: str, raised: Sequence[Flag]) -> None:
        self._tally.counts[status] += 1
        for flag in raised:
            self._tally.flags += 1
            log.warning("flagged: %s: %s", order.job.source.name, flags.sentence(flag))

    def _flags(self, order: PlannedCheck, measures: Mapping[str, Any]) -> tuple[Flag, ...]:
        return flags.raised(self._settings.checks.rules, order.check.name, measures)


def _told(value: Value) -> Value:
    """A number that is none, such as the mean of nothing, can't be told."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _image(path: Path) -> bool:
    return bool(split_image(path.name)[1])


def _moved(job: Job, given: CheckInput) -> bool:
    """Whether it isn't the tractogram itself that is checked."""
    return given.tractogram.path != str(job.source.path)
