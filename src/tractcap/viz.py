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

from tractcap import quality_check_workflow
from tractcap.checks import checks
from tractcap.errors import CapTooSmallError, SettingsError
from tractcap.inputs.search import Source
from tractcap.limits import MB, Budget, Watch, limit_data, settle
from tractcap.records import check_sidecar as records
from tractcap.records import options
from tractcap.records.options import PictureOptions
from tractcap.records.sidecar_fields import EMPTY, FAILED
from tractcap.work import overlay_options
from tractcap.work.outcome import RunListener, TractogramOutcome
from tractcap.work.output_folder import check_output, describe_dataset
from tractcap.work.pool import pool
from tractcap.work.prepare_jobs import prepare
from tractcap.work.run import Run
from tractcap.work.run_checks import load_earlier_check
from tractcap.work.settings import Settings

log = logging.getLogger("tractcap")

_ACTORS = ".tractcap_actors"
"""A folder in the output, of actors that are drawn beside tracts."""

Subjects = Mapping[str, Mapping[str, str | os.PathLike[str]]]
File = str | os.PathLike[str]


@dataclass(frozen=True)
class Result:
    """What became of one tract; it is true unless it failed.

    Parameters
    ----------
    pictures : tuple of pathlib.Path
        The files of its pictures, the mosaic last; none if it failed or is empty.
    failed : str
        Why it failed, as a sentence; empty if it didn't.
    status : str
        ``drawn`` or ``kept`` (from an earlier call), ``failed``, ``missing``, ``damaged`` or ``empty``: a tract without
        streamlines has no pictures, and has not failed.
    checks : mapping of str to mapping
        The JSON files of its checks, by the checks' names: ``Status``, ``Measures``, ``Flags`` and so on, see the
        documentation of checks.
    """

    pictures: tuple[Path, ...] = ()
    failed: str = ""
    status: str = FAILED
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return not self.failed


@dataclass(frozen=True)
class Overlay:
    """A file that is drawn beside the tracts.

    Parameters
    ----------
    kind : str
        ``roi``, ``surface``, ``peaks`` or ``odf``: what the file holds, as the options of the command line call it.
    path : str or path-like
        The file.
    name : str
        Its name in pictures and records; empty for the file's.
    color : str
        Of a region or surface: ``#rrggbb`` or a name, as for ``--color``; empty for one that is chosen.
    axes : str
        Of peaks and ODFs, the axes of their directions: ``world``, ``voxel`` or ``bvec``; empty for what the file says.
    basis : str
        Of ODFs, the basis of their spherical harmonics, as for ``--odf``; empty for what the file says.
    label_names : str or path-like
        Of a label image, a table of its labels' names, as for ``--label-names``; empty for one that lies beside it.

    Raises
    ------
    SettingsError
        When the kind isn't known, or a word isn't known or isn't for this kind.
    """

    kind: str
    path: str | os.PathLike[str]
    name: str = ""
    color: str = ""
    axes: str = ""
    basis: str = ""
    label_names: str | os.PathLike[str] = ""

    def __post_init__(self) -> None:
        self._record()

    def _record(self) -> options.Overlay:
        """The same as records hold it."""
        words = {"color": self.color, "axes": self.axes, "basis": self.basis}
        words["label_names"] = os.fspath(self.label_names)
        return overlay_options.of_parts(self.kind, os.fspath(self.path), self.name, words)


class TractographyVisualizer:
    """Draws tractograms within a memory cap.

    Parameters
    ----------
    output_directory : str or path-like
        Where pictures and pages are written.
    reference_image : str, path-like or None
        The anatomy under the tracts, an image such as a NIfTI file; None for none.
    max_memory_mb : float or None
        MB (2^20 bytes) for this process and all its workers together. The least of this and of every limit that can be
        found is kept; None leaves it to these.
    n_jobs : int
        Most workers at once; -1 for as many as processors and memory allow.
    overlays : iterable of str, path-like, Overlay or vtkActor
        What is drawn beside the tracts. An :class:`Overlay` says what its file holds: a region, a surface, peaks or
        ODFs. A text is as for ``--roi`` or, if its file isn't an image, ``--surface``: ``"seed=seed.nii.gz:orange"``.
        Any actor of FURY or VTK that shows polygons, in RAS+ mm, will do too.
    limit_caller : bool
        Also set this process's own ``RLIMIT_DATA`` to ``max_memory_mb``, which can't be undone.

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
        overlays: Iterable[Any] = (),
        limit_caller: bool = False,
    ) -> None:
        if max_memory_mb is not None and not 0 < max_memory_mb < math.inf:
            raise SettingsError(f"max_memory_mb is {max_memory_mb}: give a number of MB above zero, or None.")
        self.output, self.n_jobs = Path(output_directory), _jobs(n_jobs)
        self._reference = reference_image
        self._cap = None if max_memory_mb is None else int(max_memory_mb * MB)
        check_output(self.output)
        if isinstance(overlays, str | os.PathLike):
            raise SettingsError(f"overlays is {os.fspath(overlays)!r}: give a list, such as [{os.fspath(overlays)!r}].")
        self.overlays = tuple(self._overlay(one, number) for number, one in enumerate(overlays, 1))
        overlay_options.check_names(self.overlays)
        if limit_caller and self._cap is not None:
            limit_data(self._cap)

    def _overlay(self, given: Any, number: int) -> options.Overlay:
        """What is drawn, of a path, an overlay, or an actor, which is kept as a file in the output."""
        if isinstance(given, Overlay):
            return given._record()
        if isinstance(given, str | os.PathLike):
            return overlay_options.of_file(os.fspath(given))
        from tractcap.drawing.actors import save_actor

        return save_actor(given, f"actor {number}", self.output / _ACTORS)

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
        subjects_original_space : mapping of str to mapping of str to path
            Paths of tractograms by subject and tract: ``{"sub-001": {"AF_L": "AF_L.trk"}}``.
        ref_img : path, mapping of str to path, or None
            As ``reference_image``, or an image for each subject.
        n_jobs : int or None
            As of the class, for this call.
        subjects_mni_space : mapping of str to mapping of str to path, or None
            The same tracts in the atlas's space; None where they are in it already.
        atlas_files : mapping of str to path, or None
            Tractograms or images of an atlas by tract.
        metric_files : mapping of str to mapping of str to path, or None
            Scalar maps by subject and name, such as FA.
        before_files : mapping of str to mapping of str to path, or None
            Tracts as they were before, or as other software made them, by subject and tract.
        skip_checks : iterable of str
            Checks that are left out, by their names or by pyTractoViz's; ``all`` for all.
        flags : path or None
            A file of rules for what is flagged.
        html_output : path or None
            Where else pages can be opened: a folder, or a name with ``{subject}`` in it; a small page there redirects
            to each.
        safety_margin : float
            Share of the memory that is left unplanned.
        size : int
            Pixels along a picture.
        overwrite : bool
            Draw and check again what is there of the same files and options.

        Returns
        -------
        dict of str to dict of str to Result
            By subject and tract. A tract that failed is one too, and false; the others don't notice.

        Raises
        ------
        CapTooSmallError
            When not one of them fits into the memory.
        SettingsError
            When a name or a file of rules can't be used.
        """
        sources = quality_check_workflow.sources(subjects_original_space)
        options = quality_check_workflow.check_options(
            sources, subjects_mni_space, atlas_files or {}, before_files or {}, metric_files or {}, skip_checks,
            _path(flags),
        )  # fmt: skip
        reference, each = quality_check_workflow.references(ref_img, _path(self._reference))
        settings = Settings(
            Path(), self.output, PictureOptions(size=size), reference=reference, references=each, checks=options,
            overwrite=overwrite, overlays=self.overlays,
            nprocs=self.n_jobs if n_jobs is None else _jobs(n_jobs), margin=safety_margin,
        )  # fmt: skip
        outcomes = self._draw(settings, list(sources.values())) if sources else {}
        if html_output is not None:
            quality_check_workflow.write_redirects(self.output, subjects_original_space, Path(html_output))
        results: dict[str, dict[str, Result]] = {who: {} for who in subjects_original_space}
        for (who, tract), source in sources.items():
            outcome = outcomes.get(source)
            if outcome is None:
                result = Result(failed="it was not drawn")
            elif not outcome.pictures:
                result = Result(failed="" if outcome.status == EMPTY else outcome.why, status=outcome.status)
            else:
                paths = {name: records.place(self.output / source.folder, source.stem, name) for name in checks()}
                found = {name: record.plain() for name, path in paths.items() if (record := load_earlier_check(path))}
                result = Result(outcome.pictures, status=outcome.status, checks=found)
            results[who][tract] = result
        return results

    def _draw(self, settings: Settings, sources: list[Source]) -> dict[Source, TractogramOutcome]:
        """Draw them; returns what became of each."""
        budget = self._settle()
        for warning in budget.warnings:
            log.warning("%s", warning)
        log.info("%s", budget.describe())
        watch = Watch(self._settle, budget, settings.margin)
        results = _Results()
        with pool(watch) as workers:
            planned = prepare(settings, watch, workers, sources)
            if planned.crew.warning:
                log.warning("%s", planned.crew.warning)
            describe_dataset(self.output, None, planned.tops)
            outcome = Run(settings, planned, watch, workers, results).carry_out()
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

    def tractogram(self, outcome: TractogramOutcome) -> None:
        self.by_source[outcome.source] = outcome


def _path(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path)


def _jobs(count: int) -> int:
    if count == 0 or count < -1:
        raise SettingsError(f"n_jobs is {count}: give a number of workers above zero, or -1 for as many as fit.")
    return count
