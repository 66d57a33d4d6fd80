"""The checks of a run: which there are to make of each bundle, and the records of all of them."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tractcap.checks import checks, flags
from tractcap.checks.common.check_definition import Check, CheckFile, CheckInput, shared_need
from tractcap.drawing import opengl
from tractcap.errors import RecordError
from tractcap.inputs.filenames import split_image
from tractcap.inputs.search import Source
from tractcap.limits import MB, as_mb
from tractcap.limits.watch import SUPERVISOR
from tractcap.records import check_sidecar as records
from tractcap.records.check_sidecar import DONE, FAILED, MISSING, SKIPPED, CheckRecord, Flag, Measured, Value
from tractcap.records.sidecar_fields import CHECK, THIS_PROGRAM, Identity
from tractcap.records.worker_requests import (
    CheckFindings,
    ImageHeader,
    SourceState,
    TractogramHeader,
    UnreadableFile,
)
from tractcap.work import memory_plan
from tractcap.work.check_files import ComparisonFile, ComparisonFiles, ComparisonFinder
from tractcap.work.check_requests import MakeCheck
from tractcap.work.earlier_pictures import file_size, identity_of, record_path
from tractcap.work.jobs import Job, RunPlan
from tractcap.work.outcome import KEPT, CheckCounts, Journal
from tractcap.work.pool import PoolLimits
from tractcap.work.read_headers import HEADER_NEED, FileHeaders
from tractcap.work.scheduler import Workers, run_stories
from tractcap.work.settings import Settings

log = logging.getLogger("tractcap")

_MOST_KNOWN = 1000
"""Headers of files that bundles were checked with that are kept for the next participants' bundles."""


@dataclass(frozen=True)
class PlannedCheck:
    """A check that is to be made of a job's bundle: the request, the bytes it needs, and the record so far."""

    check: Check
    job: Job
    record: CheckRecord
    request: MakeCheck
    need: int

    @property
    def path(self) -> Path:
        """Where its record lies."""
        return records.place(Path(self.request.folder), self.request.stem, self.check.name)


def need_together(several: Sequence[PlannedCheck]) -> int:
    """Bytes that checks of a bundle take where a worker makes one after the other, and keeps what it has read."""
    return max(planned.need for planned in several) + shared_need([planned.request.inputs for planned in several])


class RunChecks:
    """All checks of a run, which are counted. Nothing else grows with the number of participants."""

    def __init__(self, settings: Settings, planned: RunPlan, journal: Journal | None = None) -> None:
        self.settings, self.room, self.journal = settings, planned.room, journal
        self._planned = planned
        self._finder = ComparisonFinder(settings.checks) if settings.checks.names else None
        self.known = FileHeaders()  # headers that others may need too, such as an atlas's
        self.counts = CheckCounts()

    def of(self, jobs: Sequence[Job]) -> "ParticipantChecks":
        """The checks of a participant."""
        files: Mapping[Source, ComparisonFiles] = {}
        if self._finder:
            files = self._finder.find([job.source for job in jobs], self._planned.companions)
            for headers in (self.known.tractograms, self.known.images):
                for path in list(headers)[:-_MOST_KNOWN]:
                    del headers[path]
        return ParticipantChecks(self, jobs, files)

    def needs(self, workers: Workers) -> dict[str, int]:
        """The most bytes that each check takes of any bundle that has what it needs; 0 where none has."""
        needs = dict.fromkeys(self.settings.checks.names, 0)

        async def find_needs(participant: str) -> None:
            jobs, _ = self._planned.of(participant)
            participant_checks = self.of(jobs)
            await participant_checks.read_headers()
            for check in participant_checks.possible():
                needs[check.check.name] = max(needs[check.check.name], check.need)

        if needs:
            workers.settle(PoolLimits(1, HEADER_NEED, timeout=self.settings.timeout))
            for _ in run_stories(map(find_needs, self._planned.people), workers, 2):
                pass
        return needs


class ParticipantChecks:
    """Knows what each bundle of a participant is checked with, and writes the records."""

    def __init__(self, run: RunChecks, jobs: Sequence[Job], files: Mapping[Source, ComparisonFiles]) -> None:
        self._run, self._settings, self._files = run, run.settings, files
        self._jobs = {job.source.path: job for job in jobs}
        self._headers = FileHeaders()

    async def read_headers(self) -> None:
        """Read the headers of all that bundles are checked with, as far as they aren't known."""
        if not self._files:
            return
        others = [other.path for files in self._files.values() for other in files.others.values()]
        images = [path for files in self._files.values() for path in files.maps.values()]
        images += [job.reference.path for job in self._jobs.values() if job.reference]
        images += [path for path in others if split_image(path.name)[1]]
        tractograms = [path for path in others if path not in self._jobs and not split_image(path.name)[1]]
        known = self._run.known
        self._headers = FileHeaders(
            {path: known.tractograms[path] for path in tractograms if path in known.tractograms},
            {path: known.images[path] for path in images if path in known.images},
        )
        await self._headers.read(tractograms, images, self._settings.vtk_space)

    # which there are to make

    def possible(self) -> Iterator[PlannedCheck]:
        """The checks that were asked for, of each bundle that has what they need."""
        leading = [job for job in self._jobs.values() if job.leads]
        all_planned = (self._plan(checks()[name], job) for name in self._settings.checks.names for job in leading)
        return (planned for planned in all_planned if not planned.check.missing(planned.request.inputs))

    def to_make(self, job: Job) -> Iterator[PlannedCheck]:
        """The checks that are to be made of a bundle; records of the others are written."""
        self._run.known.tractograms |= self._headers.tractograms
        self._run.known.images |= self._headers.images
        for check in checks().values() if self._settings.checks.names else ():
            planned = self._plan(check, job)
            if check.name not in self._settings.checks.names:
                self._leave_out(planned, SKIPPED, "it was not asked for")
            elif why := check.missing(planned.request.inputs):
                self._leave_out(planned, MISSING, next(self._missing_files(planned), why))
            elif planned.need > self._run.room:
                total = as_mb(int((planned.need + SUPERVISOR) / (1 - self._settings.margin)) + MB)
                self.fail(
                    planned,
                    f"it takes {as_mb(planned.need)} MB, more than the {as_mb(self._run.room)} MB that workers may "
                    f"take: give {total} MB in all, or leave it out of --checks",
                )
            elif not self._settings.overwrite and (earlier := _whole_earlier(planned)):
                # what an earlier run found is kept, flagged by the rules of this one
                raised = self._flags(planned, earlier.measures)
                if raised == earlier.flags:
                    self._count(planned, KEPT, raised)
                else:
                    self._write(planned, replace(earlier, flags=raised), KEPT)
            else:
                yield planned

    def _plan(self, check: Check, job: Job) -> PlannedCheck:
        """What is checked: a bundle and what this check uses; in the atlas's space where it is compared with that."""
        files, bundle = self._files[job.source], job.source.bundle
        path, background = record_path(self._settings.output, job.source), self._settings.picture.background
        others = {name: self._file(other) for name, other in files.others.items()}
        if job.reference:
            others["reference"] = self._file(ComparisonFile(job.reference.path))
        used = {name: others[name] for name in check.uses if name in others}
        own = self._file(ComparisonFile(job.source.path, job.source.space))
        inputs = CheckInput(
            others.get("moved", own) if "atlas" in check.uses else own,
            bundle.readable,
            bundle.hemisphere,
            self._settings.vtk_space,
            {name: self._file(ComparisonFile(map_)) for name, map_ in files.maps.items() if "maps" in check.uses},
            used.get("reference"),
            used.get("atlas"),
            used.get("before"),
            used.get("mirror"),
        )
        request = MakeCheck(check.name, inputs, str(path.parent), job.source.stem, job.source.title, background)
        record = new_record(check, identity_of(job.source), job.state, self._made_with(job, inputs))
        return PlannedCheck(check, job, record, request, memory_plan.BASE + memory_plan.SCIENCE + check.need(inputs))

    def _file(self, other: ComparisonFile) -> CheckFile:
        """A file with what its header says; one that can't be read is left to the check, which says so."""
        header, path = self._header(other.path), str(other.path)
        if isinstance(header, ImageHeader):
            return CheckFile(path, voxels=math.prod(header.shape), space=other.space)
        if isinstance(header, TractogramHeader):
            return CheckFile(path, header.streamlines, header.points, 0, other.space, header.loaded)
        return CheckFile(path, space=other.space)

    def _header(self, path: Path) -> TractogramHeader | ImageHeader | UnreadableFile | None:
        if path in self._jobs:
            return self._jobs[path].header
        return self._headers.images.get(path) or self._headers.tractograms.get(path)

    def _made_with(self, job: Job, inputs: CheckInput) -> dict[str, Any]:
        """What decides what is found, beside the tractogram itself."""
        used = dict(inputs.files)
        if inputs.tractogram.path != str(job.source.path):
            used["in the atlas's space"] = inputs.tractogram
        made_with: dict[str, Any] = {}
        for name, file in used.items():
            header = self._header(Path(file.path))
            state = (0, 0) if header is None or isinstance(header, UnreadableFile) else (header.bytes, header.modified)
            made_with[name] = {"Path": file.path, "Bytes": state[0], "Modified": state[1], "Space": file.space}
        made_with |= {"Space": inputs.tractogram.space, "VtkSpace": inputs.vtk_space, "Hemisphere": inputs.hemisphere}
        if opengl.gpu_asked():
            made_with["GPU"] = True
        return {**made_with, "Background": list(self._settings.picture.background)}

    # what came of it

    def take(self, planned: PlannedCheck, findings: CheckFindings) -> None:
        """Write the record of what a worker has found."""
        if findings.missing:
            self._leave_out(planned, MISSING, findings.missing)
            return
        record = replace(
            planned.record,
            measures=findings.measures,
            about=about_measures(planned.check, findings.measures, [*planned.request.inputs.maps]),
            notes=(*self._missing_files(planned), *findings.notes),
            figures=findings.figures,
            tables=findings.tables,
            flags=self._flags(planned, findings.measures),
        )
        self._write(planned, record, DONE)

    def _missing_files(self, planned: PlannedCheck) -> Iterator[str]:
        """Sentences on what was asked for and isn't there, of what the check uses."""
        missing = self._files[planned.job.source].missing
        return (missing[name] for name in planned.check.uses if name in missing)

    def fail(self, planned: PlannedCheck, why: str) -> None:
        """Record that a check could not be made."""
        what = f"{planned.check.name} of {planned.job.source.name}"
        sentence = f"the check {what}: {why}"
        self._run.counts.failed.add(sentence)
        log.error("%s", sentence)
        if self._run.journal:
            self._run.journal.write("failed", source=what, why=why)
        self._leave_out(planned, FAILED, why)

    def _leave_out(self, planned: PlannedCheck, status: str, why: str) -> None:
        earlier = load_earlier_check(planned.path) if status == SKIPPED else None
        if earlier and earlier.source_modified == planned.record.source_modified:
            self._run.counts.counts[status] += 1  # what an earlier run found of the same file stays
            return
        self._write(planned, replace(planned.record, status=status, why=why), status)

    def _write(self, planned: PlannedCheck, record: CheckRecord, status: str) -> None:
        try:
            record.write(planned.path)
        except OSError as error:
            log.error("%s can't be written (%s): no page will show it", planned.path, error.strerror)
            self._run.counts.failed.add(f"{planned.path} can't be written: {error.strerror}")
        self._count(planned, status, record.flags)

    def _count(self, planned: PlannedCheck, status: str, raised: Sequence[Flag]) -> None:
        self._run.counts.counts[status] += 1
        self._run.counts.flags += len(raised)
        for flag in raised:
            log.warning("flagged: %s: %s", planned.job.source.name, flags.sentence(flag))

    def _flags(self, planned: PlannedCheck, measures: Mapping[str, Value]) -> tuple[Flag, ...]:
        return flags.raised(self._settings.checks.rules, planned.check.name, measures)


def new_record(check: Check, identity: Identity, source: SourceState, made_with: Mapping[str, Any]) -> CheckRecord:
    """The record of a check of a bundle before it is made.

    Parameters
    ----------
    made_with : what else decides what is found.
    """
    return CheckRecord(
        **vars(identity) | {"kind": CHECK, "status": DONE},
        check=check.name,
        name=check.title,
        what=check.what,
        source=check.source,
        place=check.place,
        sources=(source.name,),
        source_bytes=(source.bytes,),
        source_modified=(source.modified,),
        generated_by=(THIS_PROGRAM,),
        with_=made_with,
    )


def about_measures(check: Check, measures: Mapping[str, Value], maps: Sequence[str]) -> dict[str, Measured]:
    """The name, meaning and unit of each measure by its key; those of maps by the map's name."""
    about = {}
    for measure in check.measures:
        for name in (*maps, "NAME"):
            title, what = (text.replace("NAME", name) for text in (measure.name, measure.what))
            about[measure.key.replace("NAME", name)] = Measured(name=title, what=what, unit=measure.unit)
    return {key: about[key] for key in measures}


def load_earlier_check(path: Path) -> CheckRecord | None:
    """The record of an earlier run; of one that can't be understood the log says that it is written anew."""
    try:
        return CheckRecord.load(path)
    except FileNotFoundError:
        return None
    except RecordError as error:
        log.warning("%s It is written anew", error)
        return None


def _whole_earlier(planned: PlannedCheck) -> CheckRecord | None:
    """What an earlier run has found, if it is of the same files, version and options, and all of it is there."""
    earlier, wanted = load_earlier_check(planned.path), planned.record
    if not earlier or earlier.status != DONE:
        return None
    ours, theirs = (
        (record.check, record.generated_by, record.sources, record.source_bytes, record.source_modified, record.with_)
        for record in (wanted, earlier)
    )
    files = (*earlier.figures, *earlier.tables)
    whole = all(file_size(planned.path.with_name(file.file)) == file.bytes for file in files)
    return earlier if ours == theirs and whole else None
