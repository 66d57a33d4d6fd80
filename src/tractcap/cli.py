"""The command line. Loads nothing heavy: that is for the workers."""

import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tractcap import interrupts, python_interpreter
from tractcap.cli_options import CAP_VARIABLE, EVERY_ADDRESS, LOOPBACK, PARAMETERS, REVIEW, Command, with_dashes
from tractcap.color_names import parse_coloring
from tractcap.errors import CapTooSmallError, SettingsError, TractcapError
from tractcap.limits import Budget, Watch, parse_size, settle
from tractcap.records.options import ODF, PEAKS, ROI, SURFACE, PictureOptions
from tractcap.terminal import log_to_stderr, open_streams, progress
from tractcap.version import __version__

if TYPE_CHECKING:  # --help needn't wait for these
    from tractcap.inputs.layouts import Layout
    from tractcap.work.scheduler import Workers
    from tractcap.work.settings import Settings
    from tractcap.work.shard import Shard

log = logging.getLogger("tractcap")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status.

    Parameters
    ----------
    arguments : sequence of str or None
        The command line without the program's name; None for this process's own.
    """
    if arguments is None:
        python_interpreter.take_utf8()
    open_streams()
    try:
        tractcap(None if arguments is None else list(arguments), prog_name="tractcap")
    except TractcapError as error:
        log_to_stderr()
        log.error("%s", error)
        sys.exit(error.exit_code)
    except interrupts.Interrupted as interrupted:
        log.error("interrupted; what was drawn is whole, and a rerun goes on")
        sys.exit(interrupted.exit_code)
    except OSError as error:
        log_to_stderr()
        log.error("%s can't be read or written: %s.", error.filename or "a file", error.strerror or error)
        sys.exit(1)
    raise AssertionError("click exits by itself")


def _self_test(context: click.Context, _option: click.Parameter, given: bool) -> None:
    """Test the installation, and exit: 0 if the picture came out right, else 1."""
    if not given:
        return
    from tractcap.work.selftest import self_test

    log_to_stderr()
    interrupts.install()
    settle_budget = _budget_settler(None)
    budget = settle_budget()
    context.exit(0 if self_test(budget, Watch(settle_budget, budget, 0.2)) else 1)


@click.command(
    cls=Command,
    params=list(PARAMETERS),
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        "token_normalize_func": with_dashes,
    },
)
@click.option(
    "--self-test",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_self_test,
    help="Draw a known picture, and print what a bug report needs: versions, OpenGL, limits.",
)
@click.version_option(__version__, message="tractcap %(version)s")
def tractcap(
    *,
    input: Path,  # noqa: A002  as BIDS Apps call it
    output: Path,
    level: str,
    participants: tuple[str, ...],
    sessions: tuple[str, ...],
    tracts: tuple[str, ...],
    layouts: "tuple[Layout, ...]",
    bids_filter_file: Path | None,
    vtk_space: str | None,
    skip_bids_validation: bool,  # noqa: ARG001  nothing is validated
    mem: int | None,
    mem_per_job: int | None,
    safety_margin: float,
    nprocs: int,
    batch_size: int | None,
    timeout: float,
    group_by: tuple[str, ...],
    fit: bool,
    overview: bool,
    color: str | None,
    scalars: tuple[str, ...],
    color_range: str | None,
    colormap: str,
    reference: Path | None,
    rois: tuple[str, ...],
    label_tables: tuple[str, ...],
    surfaces: tuple[str, ...],
    peaks: tuple[str, ...],
    odfs: tuple[str, ...],
    find_overlays: tuple[str, ...],
    freesurfer: Path | None,
    freesurfer_space: str,
    checks: str,
    atlas: Path | None,
    before: Path | None,
    metrics: tuple[str, ...],
    flags: Path | None,
    reasons: Path | None,
    shard: "Shard | None",
    work_dir: Path | None,
    overwrite: bool,
    stop_on_first_crash: bool,
    address: str,
    port: int,
    dry_run: bool,
    as_json: bool,
    verbose: int,
    **picture: Any,
) -> None:
    """Draw tractograms, whatever their size, within a memory cap.

    INPUT is a BIDS (derivative) dataset, a folder of tractograms, one tractogram, or the word demo for real
    bundles that come with the installation. Pictures and a page for each participant go to OUTPUT, a folder.
    Level group reads the results of participants' runs there, and makes the group's page and table from them.
    Level review serves the pages on this machine alone, and saves ratings beside them, until it is stopped; the
    folder of the pages is enough for it.

    Option names may also be written with underscores, as in other BIDS Apps.

    \b
    Exit status: 0 all drawn (or empty); 1 some inputs failed; 2 bad options or settings; 3 nothing to draw;
    4 the cap is too small; 130 or 143 interrupted.
    """  # noqa: D301
    log_to_stderr(verbose)
    interrupts.install()
    if level == REVIEW:
        return _review(output, address, port)
    settle_budget = _budget_settler(mem)
    budget = settle_budget()
    for warning in budget.warnings:
        log.warning("%s", warning)
    log.info("%s", budget.describe())
    watch = Watch(settle_budget, budget, safety_margin)
    from tractcap.work.output_folder import check_output, keep_reasons, workplace

    if level == "group":
        check_output(output)
        keep_reasons(output, reasons)
        sys.exit(_make_group_page(output, watch, timeout, input, group_by))

    from tractcap.inputs.filters import Filters, read
    from tractcap.work import check_files, overlay_options
    from tractcap.work.pool import pool
    from tractcap.work.settings import Settings

    if group_by:
        raise SettingsError("--group-by is for level group: participants' own pages compare nobody.")
    if color_range == "group" and batch_size:
        raise SettingsError("--color-range group needs all participants at once: leave out --batch-size.")
    if color_range == "group" and shard:
        raise SettingsError("--color-range group needs all participants: leave out --shard, or give LOW,HIGH.")
    if freesurfer and not freesurfer.is_dir():
        raise SettingsError(f"--fs-subjects-dir is {freesurfer}, which is no folder: give FreeSurfer's of subjects.")
    scratch = work_dir or output
    if not dry_run:
        check_output(output)
        keep_reasons(output, reasons)
    with workplace(scratch, input) as source, pool(watch) as workers:
        settings = Settings(
            input=source,
            output=output,
            picture=PictureOptions(**picture),  # whose fields have the options' names
            coloring=parse_coloring(color, scalars, color_range, colormap),
            reference=None if str(reference) == "none" else reference,
            find_reference=reference is None,
            fit=fit,
            overview=overview,
            overlays=overlay_options.with_label_names(
                overlay_options.parse({ROI: rois, SURFACE: surfaces, PEAKS: peaks, ODF: odfs}), label_tables
            ),
            find_overlays=find_overlays,
            freesurfer=freesurfer,
            freesurfer_space=freesurfer_space.removeprefix("space-"),
            filters=Filters(participants, sessions, tracts, read(bids_filter_file) if bids_filter_file else {}),
            layouts=tuple(layouts),
            checks=check_files.parse(checks, atlas, before, metrics, flags),
            nprocs=nprocs,
            margin=safety_margin,
            mem_per_job=mem_per_job,
            vtk_space=vtk_space or "",
            stop_on_first_crash=stop_on_first_crash,
            overwrite=overwrite,
            batch_size=batch_size or 0,
            shard=shard,
            timeout=timeout,
            scratch=scratch,
            command=shlex.join(["tractcap", *sys.argv[1:]]),
        )
        sys.exit(_draw(settings, watch, workers, dry_run=dry_run, as_json=as_json))


def _budget_settler(mem: int | None) -> Callable[[], Budget]:
    """What settles the budget, now and again later: the option beats the variable."""
    cap, source = mem, "--mem"
    if cap is None and (text := os.environ.get(CAP_VARIABLE)) is not None:
        cap, source = parse_size(text, CAP_VARIABLE), CAP_VARIABLE
    return lambda: settle(cap, source)


def _draw(settings: "Settings", watch: Watch, workers: "Workers", *, dry_run: bool, as_json: bool) -> int:
    """Plan, then print the plan, or draw and print the outputs, a participant's together; returns the exit status."""
    from tractcap.work import dry_run as plans
    from tractcap.work.outcome import RunListener
    from tractcap.work.output_folder import at_work, describe_dataset
    from tractcap.work.prepare_jobs import prepare
    from tractcap.work.run import Run
    from tractcap.work.run_checks import RunChecks

    class Printer(RunListener):
        def __init__(self, bar: Callable[[int, float], None]) -> None:
            self._bar = bar

        def progress(self, finished: int, share: float) -> None:
            self._bar(finished, share)

        def participant(self, paths: Sequence[Path]) -> None:
            for path in paths:
                click.echo(path)

    planned = prepare(settings, watch, workers)
    if planned.crew.warning:
        log.warning("%s", planned.crew.warning)
    if dry_run:
        needs = RunChecks(settings, planned).needs(workers)
        for line in (plans.as_json if as_json else plans.describe)(planned, settings, watch.budget, needs):
            click.echo(line)
        whole = not (planned.failed or planned.unread) and all(need <= planned.room for need in needs.values())
    else:
        log.info("%s", planned.crew.most_workers())
        describe_dataset(settings.output, settings.input, planned.tops)
        with at_work(settings.output, share=settings.shard is not None), progress(planned.count) as bar:
            outcome = Run(settings, planned, watch, workers, Printer(bar)).carry_out()
        for line in outcome.summary(planned, watch):
            log.info("%s", line)
        whole = outcome.whole and not planned.unread
    if planned.too_small:
        raise CapTooSmallError(planned.too_small)
    return 0 if whole else 1


def _make_group_page(output: Path, watch: Watch, timeout: float, source: Path, group_by: Sequence[str]) -> int:
    """Make the group's page and table; returns the exit status."""
    from tractcap.work.group_level import gather
    from tractcap.work.output_folder import at_work

    with at_work(output):
        paths, failures = gather(output, watch, timeout, source, group_by)
    for sentence in failures:
        log.error("%s", sentence)
    for path in paths:
        click.echo(path)
    return 1 if failures else 0


def _review(output: Path, address: str, port: int) -> None:
    """Serve the pages until a signal asks to stop."""
    from tractcap.review.server import serve
    from tractcap.work.output_folder import container

    inside = container(os.environ, Path("/"))
    apart = bool(inside) and inside.get("Type") not in ("apptainer", "singularity")  # with a network of its own
    if address != LOOPBACK and not apart:
        raise SettingsError(
            f"--address {address} would serve the pages to the whole network: leave it out. It is for containers of "
            "Docker and Podman, whose port is published by -p 127.0.0.1:PORT:PORT."
        )

    def ready(opened: str) -> None:
        if address != LOOPBACK:
            log.info("served at all addresses of this container: publish the port by -p 127.0.0.1:%d:%d", port, port)
        elif apart:
            log.info("in a container whose port is published (-p), --address %s is needed", EVERY_ADDRESS)
        log.info("ratings are saved in %s; Ctrl-C stops this. Open:", output / "ratings")
        click.echo(opened)

    serve(output, address, port, ready)
    log.info("stopped; every rating that was shown as saved is in %s", output / "ratings")
