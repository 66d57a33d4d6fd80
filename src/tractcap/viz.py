"""The Python API: :class:`TractographyVisualizer` draws in workers that are limited; their caller is not.

Importing it changes nothing of the process; using it starts worker processes and watches their memory from here.
"""

import logging
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tractcap import workflow
from tractcap.checks import checks
from tractcap.errors import CapTooSmallError, SettingsError
from tractcap.inputs.search import Source
from tractcap.limits import MB, Budget, Watch, limit_data, settle
from tractcap.records import check as records
from tractcap.records.identity import EMPTY, FAILED
from tractcap.records.options import PictureOptions
from tractcap.work import check_record
from tractcap.work.bids_output import describe_dataset
from tractcap.work.output_folder import check_output
from tractcap.work.prepare import Settings, prepare
from tractcap.work.run import RunListener, TractogramOutcome, carry_out

log = logging.getLogger("tractcap")

Subjects = Mapping[str, Mapping[str, str | os.PathLike[str]]]
File = str | os.PathLike[str]


@dataclass(frozen=True)
class Result:
    """What became of one tract: ``pictures``, the mosaic last, or the sentence why it ``failed``.

    ``status`` is ``drawn`` or ``kept`` (from an earlier call), ``failed``, ``missing``, ``damaged`` or ``empty``: one
    without streamlines has no pictures, and has not failed. ``checks`` are what the JSON files of its checks tell, by
    the checks' names: ``Status``, ``Measures``, ``Flags`` and so on, see the documentation of checks.
    """

    pictures: tuple[Path, ...] = ()
    failed: str = ""
    status: str = FAILED
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return not self.failed


class TractographyVisualizer:
    """Draws tractograms within a memory cap.

    Parameters
    ----------
    output_directory : where pictures go.
    reference_image : the anatomy under the tracts, an image such as a NIfTI file; None for none.
    max_memory_mb : MB (2^20 bytes) for this process and all its workers together; None leaves it to the limits found.
        The workers are kept to it, and it is the least of this and of every limit that can be found.
    n_jobs : most workers at once; -1 for as many as processors and memory allow.
    limit_caller : also set this process's own ``RLIMIT_DATA`` to ``max_memory_mb``, which can't be undone.

    Raises
    ------
    SettingsError
        When a number makes no sense or the folder can't be written.
    """

    def __init__(
        self,
        output_directory: str | os.PathLike[str] = "output",
        reference_image: str | os.PathLike[str] | None = None,
        max_memory_mb: float | None = None,
        n_jobs: int = -1,
        *,
        limit_caller: bool = False,
    ) -> None:
        if max_memory_mb is not None and not 0 < max_memory_mb < math.inf:
            raise SettingsError(f"max_memory_mb is {max_memory_mb}: give a number of MB above zero, or None.")
        self.output, self.n_jobs = Path(output_directory), _jobs(n_jobs)
        self._reference = reference_image
        self._cap = None if max_memory_mb is None else int(max_memory_mb * MB)
        check_output(self.output)
        if limit_caller and self._cap is not None:
            limit_data(self._cap)

    def run_quality_check_workflow(
        self,
        subjects_original_space: Subjects,
        ref_img: File | Mapping[str, File] | None = None,
        n_jobs: int | None = None,
        *,
        subjects_mni_space: Subjects | None = None,
        atlas_files: Mapping[str, File] | None = None,
        metric_files: Subjects | None = None,
        before_files: Subjects | None = None,
        skip_checks: Iterable[str] = (),
        flags: File | None = None,
        html_output: File | None = None,
        safety_margin: float = 0.2,
        size: int = 800,
        overwrite: bool = False,
    ) -> dict[str, dict[str, Result]]:
        """Draw six views and their mosaic of each tract of each subject, and check it.

        A subject's page, ``sub-<label>.html``, is written when its tracts are drawn, and again when they are checked.

        Parameters
        ----------
        subjects_original_space : paths of tractograms by subject and tract: ``{"sub-001": {"AF_L": "AF_L.trk"}}``.
        ref_img : as ``reference_image``, or one for each subject. n_jobs : as of the class, for this call.
        subjects_mni_space : the same tracts in the atlas's space; None where they are in it already.
        atlas_files : tractograms or images of an atlas by tract. metric_files : maps by subject and name, such as FA.
        before_files : tracts as they were before, or as another software made them, by subject and tract.
        skip_checks : checks that are left out, by their names or by pyTractoViz's; ``all`` for all.
        flags : a file of rules for what is flagged. html_output : where else pages can be opened: a folder, or a name
            with ``{subject}`` in it; a small file there leads to each.
        safety_margin : share of the memory left unplanned. size : pixels along a picture.
        overwrite : draw and check again what is there of the same files and options.

        Returns
        -------
        A :class:`Result` by subject and tract. A tract that failed is one too, and false; the others don't notice.

        Raises
        ------
        CapTooSmallError
            When not one of them fits into the memory.
        SettingsError
            When a name or a file of rules can't be used.
        """
        sources = workflow.sources(subjects_original_space)
        asked = workflow.asked(
            sources, subjects_mni_space, atlas_files or {}, before_files or {}, metric_files or {}, skip_checks,
            _path(flags),
        )  # fmt: skip
        reference, each = workflow.references(ref_img, _path(self._reference))
        settings = Settings(
            Path(), self.output, PictureOptions(size=size), reference=reference, references=each, checks=asked,
            overwrite=overwrite,
            nprocs=self.n_jobs if n_jobs is None else _jobs(n_jobs), margin=safety_margin,
        )  # fmt: skip
        told = self._draw(settings, list(sources.values())) if sources else {}
        if html_output is not None:
            workflow.lead(self.output, subjects_original_space, Path(html_output))
        results: dict[str, dict[str, Result]] = {who: {} for who in subjects_original_space}
        for (who, tract), source in sources.items():
            results[who][tract] = self._result(source, told.get(source))
        return results

    def _result(self, source: Source, told: TractogramOutcome | None) -> Result:
        if told is None:
            return Result(failed="it was not drawn")
        if not told.pictures:
            return Result(failed="" if told.status == EMPTY else told.why, status=told.status)
        places = {name: records.place(self.output / source.folder, source.stem, name) for name in checks()}
        found = {name: record.plain() for name, at in places.items() if (record := check_record.earlier(at))}
        return Result(told.pictures, status=told.status, checks=found)

    def _draw(self, settings: Settings, sources: list[Source]) -> dict[Source, TractogramOutcome]:
        """Draw them; returns what became of each."""
        budget = self._settle()
        for warning in budget.warnings:
            log.warning("%s", warning)
        log.info("%s", budget.describe())
        watch = Watch(self._settle, budget, settings.margin)
        planned = prepare(settings, watch, sources)
        if planned.crew.warning:
            log.warning("%s", planned.crew.warning)
        describe_dataset(self.output, None, planned.tops)
        results = _Results()
        outcome = carry_out(settings, planned, watch, results)
        for line in outcome.summary(planned, watch):
            log.info("%s", line)
        if planned.too_small:
            raise CapTooSmallError(planned.too_small)
        return results.by_source

    def _settle(self) -> Budget:
        return settle(self._cap, "max_memory_mb")


class _Results(RunListener):
    """Keeps what became of each tractogram, for the caller, who asked for them by name."""

    def __init__(self) -> None:
        self.by_source: dict[Source, TractogramOutcome] = {}

    def told(self, told: TractogramOutcome) -> None:
        self.by_source[told.source] = told


def _path(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path)


def _jobs(count: int) -> int:
    if count == 0 or count < -1:
        raise SettingsError(f"n_jobs is {count}: give a number of workers above zero, or -1 for as many as fit.")
    return count
