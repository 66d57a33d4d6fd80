"""The command line. Loads nothing heavy: that is for the workers."""

import io
import logging
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from tractcap import __version__, interpreter, interrupts
from tractcap.checks import checks
from tractcap.drawing.coloring_options import parse_coloring
from tractcap.drawing.palette import COLORMAPS, NAMES, parse_color
from tractcap.drawing.views import VIEWS
from tractcap.errors import SettingsError, TractcapError
from tractcap.limits import Budget, Watch, parse_size, settle
from tractcap.records.options import ANATOMY, FORMATS, IN_SLICE, LINES, SIX, STYLES, PictureOptions

log = logging.getLogger("tractcap")

_Command = TypeVar("_Command", bound=Callable[..., Any])

_CAP_VARIABLE = "MAX_MEMORY_MB"
_SIZES = (64, 4096)


def _option(*names: str, **how: Any) -> Callable[[_Command], _Command]:
    """An option whose long names are understood with underscores too, as in other BIDS Apps.

    The last name may be the parameter's, without dashes.
    """
    if how.get("multiple"):
        how["callback"] = lambda _context, _option, given: tuple(one for text in given for one in _separate(text))
    spellings = [spelling for name in names for spelling in (name, re.sub("(?<=[a-z])-", "_", name))]
    return click.option(*dict.fromkeys(spellings), **how)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("input", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.argument("level", type=click.Choice(["participant", "group"]))
@_option(
    "--participant-label",
    "participants",
    multiple=True,
    metavar="LABEL...",
    help="Draw these participants alone, with or without sub-.",
)
@_option(
    "--session-label",
    "--session-id",
    "sessions",
    multiple=True,
    metavar="LABEL...",
    help="Draw these sessions alone, with or without ses-.",
)
@_option(
    "--tract-label",
    "tracts",
    multiple=True,
    metavar="LABEL...",
    help="Draw these bundles alone, by their own name or by any tool's; without a side, both.",
)
@_option(
    "--layout",
    "layouts",
    multiple=True,
    metavar="PATTERN",
    help="Where participant, session and bundle stand in paths below INPUT, for trees that aren't BIDS, such as "
    "{participant}/wave{session}/tracts/{bundle}.trk.  [default: as BIDS and the field's tools have them]",
)
@_option(
    "--bids-filter-file",
    type=click.Path(path_type=Path),
    metavar="JSON",
    help="Entities that tractograms, references and maps must have: see the documentation.",
)
@_option(
    "--mem",
    "--mem-mb",
    "mem",
    metavar="SIZE",
    help=f"Memory that may be used in all: MB, or 512M, 4G. Default: ${_CAP_VARIABLE}, or the least limit found.",
)
@_option(
    "--nprocs",
    "--n-cpus",
    "--nthreads",
    "nprocs",
    type=int,
    default=-1,
    show_default=True,
    help="Most workers at once; -1: as many as fit.",
)
@_option("--mem-per-job", metavar="SIZE", help="What a worker may need, instead of the estimate.")
@_option(
    "--batch-size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Participants that are finished, and their memory released, before the next are begun.  [default: all]",
)
@_option(
    "--shard",
    metavar="I/N",
    help="Draw the I-th of N shares of the work, of equal bytes: for the array tasks of a cluster.",
)
@_option(
    "--safety-margin",
    type=click.FloatRange(0, 0.9),
    default=0.2,
    show_default=True,
    help="Share of the memory left unplanned.",
)
@_option(
    "--reference",
    type=click.Path(path_type=Path),
    metavar="IMAGE",
    help="Anatomy under the tracts: a NIfTI, or none.  [default: found in a BIDS dataset, of the tracts' own space]",
)
@_option(
    "--anatomy",
    default=",".join(ANATOMY),
    show_default=True,
    metavar="NAMES",
    help="What is shown of the reference: slices, glass (a see-through head or brain), both, or none.",
)
@_option(
    "--slices-at",
    metavar="X,Y,Z",
    help="Point in RAS+ mm that slices lead through.  [default: each bundle's centre]",
)
@_option(
    "--slab",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    metavar="MM",
    help="Views in a slice show what lies within so many mm of it, on both sides.",
)
@_option(
    "--views",
    default="six",
    show_default=True,
    metavar="NAMES",
    help=f"With commas between: {', '.join(VIEWS)}; six for the first six, in-slice for the last three.",
)
@_option("--size", type=click.IntRange(*_SIZES), default=800, show_default=True, help="Pixels along a picture.")
@_option("--fit", is_flag=True, help="Frame each bundle by itself, not all of a participant alike.")
@_option("--overview", is_flag=True, help="Also draw all bundles of a participant in one picture, with a legend.")
@_option(
    "--style",
    type=click.Choice(STYLES),
    default=LINES,
    show_default=True,
    help="Lines, or lit tubes, which take longer.",
)
@_option(
    "--width",
    type=click.FloatRange(min=0, min_open=True, max=50),
    metavar="MM",
    help="Of lines and tubes.  [default: 1/320 of a picture's width, at least 1.5 pixels]",
)
@_option(
    "--opacity",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Below 1, what lies behind shines through.",
)
@_option(
    "--animation",
    metavar="FORMATS",
    help=f"Also make a turntable: {', '.join(FORMATS)}, with commas between.",
)
@_option("--frames", type=click.IntRange(2, 360), default=36, show_default=True, help="Pictures of the turntable.")
@_option(
    "--frame-size", type=click.IntRange(64, 1024), default=400, show_default=True, help="Pixels along each of them."
)
@_option(
    "--color",
    metavar="HOW",
    help="direction: the local one's; endpoints: from end to end; bundle: one for each bundle, the same in all "
    f"participants; one for all: #rrggbb, {', '.join(NAMES)}; data:NAME: what the file holds for each point or "
    "streamline; scalar:NAME: a map, of --scalar or found in the dataset; position: along the bundle; density: of "
    "streamlines.  "
    "[default: direction, or the first map of --scalar]",
)
@_option("--scalar", "scalars", multiple=True, metavar="NAME=IMAGE", help="A map to colour by, such as FA=fa.nii.gz.")
@_option(
    "--color-range",
    metavar="LOW,HIGH",
    help="Ends of the colours of values, or: participant, group (one range for all).  [default: participant, from "
    "the 2nd to the 98th percentile]",
)
@_option("--colormap", type=click.Choice(COLORMAPS), default=COLORMAPS[0], show_default=True, help="Colours of values.")
@_option("--background", default="black", show_default=True, help="#rrggbb, or a name as for --color.")
@_option(
    "--checks",
    default="none",
    show_default=True,
    metavar="NAMES",
    help=f"Measures of quality, with commas between: {', '.join(checks())}; all; none.",
)
@_option(
    "--atlas",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Bundles to check against, of the same names, in the same space: a folder of tractograms or NIfTIs, or one.",
)
@_option(
    "--before",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The same bundles before they were filtered, or of another software: a folder or dataset, or one tractogram.",
)
@_option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME[=IMAGE]",
    help="A map along the bundles; without IMAGE it is found in the dataset.  [default: FA and MD, where found]",
)
@_option(
    "--flags",
    type=click.Path(path_type=Path),
    metavar="TOML",
    help="Rules for what is flagged, instead of those that come with tractcap: see the documentation.",
)
@_option(
    "--vtk-space",
    type=click.Choice(["RAS", "LPS"]),
    help="Space of .vtk, .vtp and .fib files that don't say theirs.  [default: RAS]",
)
@_option("--overwrite", is_flag=True, help="Draw again what an earlier run has drawn of the same files and options.")
@_option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="End a worker that shows no sign of life for so long.",
)
@_option("--stop-on-first-crash", is_flag=True, help="Stop at the first tractogram that can't be drawn.")
@_option("--skip-bids-validation", is_flag=True, help="Understood for BIDS Apps' sake: nothing is validated.")
@_option(
    "--dry-run",
    is_flag=True,
    help="Print the limits found, the budget, the workers and each job's estimate; draw nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan of --dry-run as JSON; all sizes are bytes.")
@click.option(
    "-w",
    "--work-dir",
    "--work_dir",
    type=click.Path(path_type=Path),
    help="Folder for temporary files.  [default: inside OUTPUT]",
)
@click.option("-v", "--verbose", count=True, help="-v: name what is kept; -vv: and tell of memory as it goes.")
@click.option(
    "--self-test",
    "--self_test",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _option, asked: _self_test(context) if asked else None,
    help="Draw a known picture, and print what a bug report needs: versions, OpenGL, limits.",
)
@click.version_option(__version__, message="tractcap %(version)s")
def tractcap(**asked: Any) -> None:
    """Draw tractograms, whatever their size, within a memory cap.

    INPUT is a BIDS (derivative) dataset, a folder of tractograms, one tractogram, or the word demo for real
    bundles that come with the installation. Pictures and a page for each participant go to OUTPUT, a folder.
    Level group reads what participants' runs have left there, and makes the group's page and table of it.

    \b
    Exit status: 0 all drawn (or empty); 1 some inputs failed; 2 bad options or settings; 3 nothing to draw;
    4 the cap is too small; 130 or 143 interrupted.
    """  # noqa: D301
    _log_to_stderr(asked["verbose"])
    interrupts.install()
    sys.exit(_draw(asked) if asked["level"] == "participant" else _gather(asked))


def _open_streams() -> None:
    """Give a closed stdin, stdout or stderr somewhere to go, before a file or pipe gets its number.

    What is printed is UTF-8; names of files that are none are printed as they are.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            os.dup2(opened, number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status."""
    if arguments is None:
        interpreter.take_utf8()
    _open_streams()
    try:
        tractcap(spread(list(sys.argv[1:] if arguments is None else arguments)), prog_name="tractcap")
    except TractcapError as error:
        _log_to_stderr(0)
        log.error("%s", error)
        sys.exit(error.exit_code)
    except interrupts.Interrupted as interrupted:
        log.error("interrupted; what was drawn is whole, and a rerun goes on")
        sys.exit(interrupted.exit_code)
    except OSError as error:
        _log_to_stderr(0)
        log.error("%s can't be read or written: %s.", error.filename or "a file", error.strerror or error)
        sys.exit(1)
    raise AssertionError("click exits by itself")


def _separate(text: str) -> list[str]:
    """What an option that takes several was given with commas between; a comma in a path is the path's."""
    return [one for one in re.split(r",(?=[^,/=]*(?:,|$)|[^,/=]+=|[^,]*\{participant)", text) if one] or [text]


def spread(arguments: list[str]) -> list[str]:
    """Let options that take several labels take them as other BIDS Apps do: ``--participant-label 01 02``.

    That is understood behind the three positional arguments; before them such an option takes one label.
    """
    known = {name: one for one in _options() for name in (*one.opts, *one.secondary_opts)}
    result: list[str] = []
    several, positionals, value_due = "", 0, False
    for at, argument in enumerate(arguments):
        if argument == "--":
            return result + arguments[at:]
        if value_due:
            value_due = False
        elif argument.startswith("-") and argument != "-":
            name, value_due = _read(argument, known)
            several = name if name in known and known[name].multiple else ""
        elif several and positionals >= 3:
            result.append(several)
        else:
            positionals += 1
        result.append(argument)
    return result


def _options() -> list[click.Option]:
    """All options, the one for help too."""
    return [one for one in tractcap.get_params(click.Context(tractcap)) if isinstance(one, click.Option)]


def _read(argument: str, known: dict[str, click.Option]) -> tuple[str, bool]:
    """The option that an argument ends with, and whether its value is the next: ``-vvw`` is ``-w``, ``-w/dir`` too."""
    name, equals, _ = argument.partition("=")
    if argument.startswith("--") or name in known:
        return name, not equals and name in known and not _is_flag(known[name])
    for at, letter in enumerate(argument[1:], 1):
        name = f"-{letter}"
        if name not in known or not _is_flag(known[name]):
            return name, name in known and at == len(argument) - 1
    return name, False


def _is_flag(option: click.Option) -> bool:
    return option.is_flag or option.count


class _OneLine(logging.Formatter):
    """Keeps a message to one line, whatever the names in it hold."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _log_to_stderr(verbose: int) -> None:
    logging.basicConfig()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLine("tractcap: %(message)s"))
    log.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)


def _draw(asked: dict[str, Any]) -> int:
    """Settle the budget, plan, draw; returns the exit status."""
    from tractcap.errors import CapTooSmallError
    from tractcap.work.output_folder import check_output, workplace
    from tractcap.work.prepare import prepare

    settle_again = _settler(asked["mem"])
    budget = settle_again()
    for warning in budget.warnings:
        log.warning("%s", warning)
    log.info("%s", budget.describe())
    if not asked["dry_run"]:
        check_output(asked["output"])
    with workplace(asked["work_dir"] or asked["output"], asked["input"]) as source:
        settings = _settings(asked, source)
        watch = Watch(settle_again, budget, settings.margin)
        planned = prepare(settings, watch)
        if planned.crew.warning:
            log.warning("%s", planned.crew.warning)
        if asked["dry_run"]:
            whole = _show(settings, planned, watch, asked["as_json"])
        else:
            whole = _carry_out(settings, planned, watch)
        if planned.too_small:
            raise CapTooSmallError(planned.too_small)
        return 0 if whole else 1


def _self_test(context: click.Context) -> None:
    """Test the installation, and exit: 0 if the picture came out right, else 1."""
    from tractcap.work.selftest import self_test

    _log_to_stderr(0)
    interrupts.install()
    settle_again = _settler(None)
    budget = settle_again()
    context.exit(0 if self_test(budget, Watch(settle_again, budget, 0.2)) else 1)


def _gather(asked: dict[str, Any]) -> int:
    """Make the group's page and table; returns the exit status."""
    from tractcap.work.group_level import gather
    from tractcap.work.output_folder import check_output

    settle_again = _settler(asked["mem"])
    budget = settle_again()
    log.info("%s", budget.describe())
    check_output(asked["output"])
    watch = Watch(settle_again, budget, asked["safety_margin"])
    paths, failed = gather(asked["output"], watch, asked["timeout"])
    for sentence in failed:
        log.error("%s", sentence)
    for path in paths:
        click.echo(path)
    return 1 if failed else 0


def _settler(mem: str | None) -> Callable[[], Budget]:
    """What settles the budget, now and again later: the option beats the variable."""
    text, source = (mem, "--mem") if mem is not None else (os.environ.get(_CAP_VARIABLE), _CAP_VARIABLE)
    cap = None if text is None else parse_size(text, source)
    return lambda: settle(cap, source)


def _show(settings: Any, planned: Any, watch: Watch, as_json: bool) -> bool:
    """Print the plan; returns whether all of it can be carried out, as far as is known already."""
    from tractcap.work import dry_run
    from tractcap.work.checking import RunChecks

    tell = dry_run.as_json if as_json else dry_run.describe
    needs = RunChecks(settings, planned).needs(watch)
    for line in tell(planned, settings, watch.budget, needs):
        click.echo(line)
    return not (planned.failed or planned.unread) and all(need <= planned.room for need in needs.values())


def _carry_out(settings: Any, planned: Any, watch: Watch) -> bool:
    """Draw, and print the paths of what is made, a participant's together; returns whether nothing failed."""
    from tractcap.progress import progress
    from tractcap.work.bids_output import describe_dataset
    from tractcap.work.run import RunListener, carry_out

    class Printer(RunListener):
        def __init__(self, bar: Callable[[int, float], None]) -> None:
            self._bar = bar

        def progress(self, finished: int, share: float) -> None:
            self._bar(finished, share)

        def made(self, paths: Sequence[Path]) -> None:
            for path in paths:
                click.echo(path)

    log.info("%d worker%s", planned.crew.workers, "s" * (planned.crew.workers > 1))
    describe_dataset(settings.output, settings.input, planned.tops)
    with progress(planned.count) as bar:
        outcome = carry_out(settings, planned, watch, Printer(bar))
    for line in outcome.summary(planned, watch):
        log.info("%s", line)
    return outcome.whole and not planned.unread


def _settings(asked: dict[str, Any], source: Path) -> Any:
    from tractcap.work.prepare import Settings
    from tractcap.work.shard import parse_shard

    per_job = asked["mem_per_job"]
    if asked["color_range"] == "group" and asked["batch_size"]:
        raise SettingsError("--color-range group needs all participants at once: leave out --batch-size.")
    if asked["color_range"] == "group" and asked["shard"]:
        raise SettingsError("--color-range group needs all participants: leave out --shard, or give LOW,HIGH.")
    return Settings(
        input=source,
        output=asked["output"],
        look=_look(asked),
        coloring=parse_coloring(asked["color"], asked["scalars"], asked["color_range"], asked["colormap"]),
        reference=None if str(asked["reference"]) == "none" else asked["reference"],
        find_reference=asked["reference"] is None,
        fit=asked["fit"],
        overview=asked["overview"],
        filters=_filters(asked),
        layouts=_layouts(asked["layouts"]),
        checks=_checks(asked),
        nprocs=_nprocs(asked["nprocs"]),
        margin=asked["safety_margin"],
        mem_per_job=None if per_job is None else parse_size(per_job, "--mem-per-job"),
        vtk_space=asked["vtk_space"] or "",
        stop_on_first_crash=asked["stop_on_first_crash"],
        overwrite=asked["overwrite"],
        batch_size=asked["batch_size"] or 0,
        shard=parse_shard(asked["shard"]),
        timeout=asked["timeout"],
        scratch=asked["work_dir"] or asked["output"],
    )


def _filters(asked: dict[str, Any]) -> Any:
    from tractcap.inputs.filters import Filters, read

    file = asked["bids_filter_file"]
    return Filters(asked["participants"], asked["sessions"], asked["tracts"], read(file) if file else {})


def _layouts(texts: Sequence[str]) -> tuple[Any, ...]:
    from tractcap.inputs.layouts import Layout

    return tuple(Layout(text).checked() for text in texts)


def _checks(asked: dict[str, Any]) -> Any:
    from tractcap.work.check_options import parse

    return parse(asked["checks"], asked["atlas"], asked["before"], asked["metrics"], asked["flags"])


def _look(asked: dict[str, Any]) -> PictureOptions:
    return PictureOptions(
        views=_views(asked["views"]),
        size=asked["size"],
        background=parse_color(asked["background"], "--background"),
        style=asked["style"],
        width=asked["width"],
        opacity=asked["opacity"],
        anatomy=_names(asked["anatomy"], "--anatomy", {**dict.fromkeys(ANATOMY, ()), "both": ANATOMY, "none": ()}),
        slices_at=None if asked["slices_at"] is None else _point(asked["slices_at"]),
        slab=asked["slab"],
        animation=_names(asked["animation"] or "none", "--animation", {**dict.fromkeys(FORMATS, ()), "none": ()}),
        frames=asked["frames"],
        frame_size=asked["frame_size"],
    )


def _names(text: str, option: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Names with commas between, each once; some stand for several, or for none."""
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise SettingsError(f"{option} names {unknown[0]!r}: choose from {', '.join(known)}.")
    single = [name for name in known if not known[name] and name != "none"]
    return tuple(dict.fromkeys(one for name in names for one in (known[name] or (name,)) if one in single))


def _views(text: str) -> tuple[str, ...]:
    known = {**dict.fromkeys(VIEWS, ()), "six": SIX, "in-slice": IN_SLICE}
    return _names(text, "--views", known)


def _point(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = map(float, text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not all(map(math.isfinite, (x, y, z))):
        raise SettingsError(f"--slices-at is {text!r}: give three numbers, such as -20,0,15.")
    return x, y, z


def _nprocs(count: int) -> int:
    if count == 0 or count < -1:
        raise SettingsError(f"--nprocs is {count}: give a number of workers above zero, or -1 for as many as fit.")
    return count
