"""The Python API: :class:`TractographyVisualizer` draws in workers that are limited; their caller is not.

Importing it changes nothing of the process; using it starts worker processes and watches their memory from here.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tractcap.drawing.look import Look
from tractcap.errors import SettingsError
from tractcap.inputs.bundles import identify
from tractcap.inputs.layout import Source
from tractcap.limits import MB, Budget, Watch, limit_data, settle
from tractcap.work.dataset import describe_dataset
from tractcap.work.outputs import check_output
from tractcap.work.prepare import Settings, prepare
from tractcap.work.run import Outcome, carry_out

log = logging.getLogger("tractcap")

Subjects = Mapping[str, Mapping[str, str | os.PathLike[str]]]


@dataclass(frozen=True)
class Result:
    """What became of one tract: ``pictures``, the mosaic last, or the sentence why it ``failed``."""

    pictures: tuple[Path, ...] = ()
    failed: str = ""

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
        if max_memory_mb is not None and max_memory_mb <= 0:
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
        ref_img: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
        *,
        safety_margin: float = 0.2,
        size: int = 800,
        overwrite: bool = False,
    ) -> dict[str, dict[str, Result]]:
        """Draw six views and their mosaic of each tract of each subject.

        Parameters
        ----------
        subjects_original_space : paths of tractograms by subject and tract: ``{"sub-001": {"AF_L": "AF_L.trk"}}``.
        ref_img : as ``reference_image``. n_jobs : as of the class, for this call.
        safety_margin : share of the memory left unplanned. size : pixels along a picture.
        overwrite : draw again what is there of the same files and options.

        Returns
        -------
        A :class:`Result` by subject and tract. A tract that failed is one too, and false; the others don't notice.

        Raises
        ------
        CapTooSmallError
            When not one of them fits into the memory.
        """
        sources = {
            (who, tract): _source(who, tract, Path(path))
            for who, tracts in subjects_original_space.items()
            for tract, path in tracts.items()
        }
        settings = Settings(
            Path(), self.output, Look(size=size), reference=_path(ref_img or self._reference), overwrite=overwrite,
            nprocs=self.n_jobs if n_jobs is None else _jobs(n_jobs), margin=safety_margin,
        )  # fmt: skip
        outcome = self._draw(settings, list(sources.values())) if sources else Outcome()
        results: dict[str, dict[str, Result]] = {who: {} for who in subjects_original_space}
        for (who, tract), source in sources.items():
            results[who][tract] = _result(source, outcome)
        return results

    def _draw(self, settings: Settings, sources: list[Source]) -> Outcome:
        budget = self._settle()
        for warning in budget.warnings:
            log.warning("%s", warning)
        log.info("%s", budget.describe())
        watch = Watch(self._settle, budget, settings.margin)
        planned = prepare(settings, watch, sources)
        if planned.crew.warning:
            log.warning("%s", planned.crew.warning)
        describe_dataset(self.output, None, planned.folders)
        outcome = carry_out(settings, planned, watch)
        for line in outcome.summary(planned, watch):
            log.info("%s", line)
        return outcome

    def _settle(self) -> Budget:
        return settle(self._cap, "max_memory_mb")


def _path(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path)


def _jobs(count: int) -> int:
    if count == 0 or count < -1:
        raise SettingsError(f"n_jobs is {count}: give a number of workers above zero, or -1 for as many as fit.")
    return count


def _source(who: str, tract: str, path: Path) -> Source:
    if unsafe := [name for name in (who, tract) if not name or "/" in name or name.startswith(".") or "\0" in name]:
        raise SettingsError(f"{unsafe[0]!r} can't be the name of a subject or tract: it names a file or folder.")
    participant = who.removeprefix("sub-")
    folder = f"sub-{participant}/figures"
    return Source(path, f"{who}/{tract}", participant, "", folder, tract, bundle=identify(tract))


def _result(source: Source, outcome: Outcome) -> Result:
    pictures = {**outcome.kept, **outcome.drawn}.get(source, [])
    return Result(tuple(pictures)) if pictures else Result(failed=outcome.failed.get(source, "it was not drawn"))
