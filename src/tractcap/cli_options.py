"""The command line's options as a table in groups, and the types that read their values."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tractcap.checks import checks
from tractcap.color_names import COLORMAPS, NAMES, parse_color
from tractcap.drawing.views import VIEWS
from tractcap.errors import RecordError, SettingsError
from tractcap.inputs.fiber_conventions import BASES, FRAMES
from tractcap.inputs.matching_overlays import CHOICES, T1W
from tractcap.limits import parse_size
from tractcap.records.options import ANATOMY, FORMATS, IN_SLICE, LINES, SIX, STYLES

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  refused outside of containers
REVIEW_OPTIONS = "Review"

CAP_VARIABLE = "MAX_MEMORY_MB"

LEVELS = ("participant", "group")
REVIEW = "review"
"""What is no level of an analysis: it runs until it is stopped."""

_COMMAS = re.compile(r",(?=[^,/=]*(?:,|$)|[^,/=]+=|[^,]*\{participant)")
"""Those between values; one within a path or a pattern belongs to it."""


class Parsed(click.ParamType):  # type: ignore[type-arg]
    """A value that a function of tractcap's reads.

    Parameters
    ----------
    name : str
        What the value is, for click.
    parse : callable
        Takes the text and the option's name; raises :class:`SettingsError` with a sentence that names both.
    """

    def __init__(self, name: str, parse: Callable[[str, str], Any]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text; a value that was read before stays."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value, param.opts[0] if param else self.name)
        except SettingsError as error:
            raise click.UsageError(str(error), ctx) from None


class WorkerCount(click.types.IntParamType):
    """A number of workers, or -1 for as many as fit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number other than 0."""
        count = super().convert(value, param, ctx)
        if count == 0 or count < -1:
            self.fail(f"{count} is no number of workers: give one above zero, or -1 for as many as fit.", param, ctx)
        return count


def names(single: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> Parsed:
    """Names with commas between, each once; ``groups`` are words that stand for several, or for none."""
    known = {**{name: (name,) for name in single}, **groups}

    def parse(text: str, option: str) -> tuple[str, ...]:
        given = [name.strip() for name in text.split(",")]
        if unknown := [name for name in given if name not in known]:
            raise SettingsError(f"{option} names {unknown[0]!r}: choose from {', '.join(known)}.")
        return tuple(dict.fromkeys(name for word in given for name in known[word]))

    return Parsed("names", parse)


def _point(text: str, option: str) -> tuple[float, float, float]:
    try:
        x, y, z = map(float, text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not all(map(math.isfinite, (x, y, z))):
        raise SettingsError(f"{option} is {text!r}: give three numbers, such as -20,0,15.")
    return x, y, z


def _layout(text: str, _option: str) -> Any:
    from tractcap.inputs.layouts import Layout

    return Layout(text).checked()


def _reasons(text: str, option: str) -> Path:
    from tractcap.records.rating_reasons import load

    try:
        load(Path(text))
    except FileNotFoundError:
        raise SettingsError(f"{option} is {text}, which isn't there.") from None
    except RecordError as error:
        raise SettingsError(f"{option}: {error}") from None
    return Path(text)


def _shard(text: str, _option: str) -> Any:
    from tractcap.work.shard import parse_shard

    return parse_shard(text)


def _level(context: click.Context, level: click.Parameter, value: str | None) -> str:
    """What is done; ``OUTPUT review`` needs no INPUT."""
    if value is None and str(context.params.get("output")) == REVIEW:
        context.params["output"] = context.params["input"]
        return REVIEW
    if value is None:
        raise click.MissingParameter(ctx=context, param=level)
    return value


class Option(click.Option):
    """An option of the table: its names with blanks between, its help, and what click takes; a default is shown.

    One that takes several values takes them with commas between too.
    """

    def __init__(self, spellings: str, text: str, **settings: Any) -> None:
        super().__init__(spellings.split(), help=text, show_default="default" in settings, **settings)

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Read the values, those between commas one by one; a comma in a path is the path's."""
        if self.multiple and value:
            value = [part for text in value for part in (list(filter(None, _COMMAS.split(text))) or [text])]
        return super().type_cast_value(ctx, value)


PATH = click.Path(path_type=Path)
SIZE = Parsed("size", parse_size)
ABOVE_ZERO = click.FloatRange(min=0, min_open=True)

ARGUMENTS: list[click.Parameter] = [
    click.Argument(["input"], type=PATH),
    click.Argument(["output"], type=PATH),
    click.Argument(
        ["level"], type=click.Choice([*LEVELS, REVIEW]), required=False, callback=_level,
        metavar=f"{{{'|'.join([*LEVELS, REVIEW])}}}",
    ),
]  # fmt: skip

OPTIONS: dict[str, list[Option]] = {
    "Who and what": [
        Option("--participant-label participants", "Draw only these participants, with or without sub-.",
               multiple=True, metavar="LABEL..."),
        Option("--session-label --session-id sessions", "Draw only these sessions, with or without ses-.",
               multiple=True, metavar="LABEL..."),
        Option("--tract-label tracts",
               "Draw only these bundles, by their own or any tool's name; without a side, both.",
               multiple=True, metavar="LABEL..."),
        Option("--layout layouts",
               "Where participant, session and bundle appear in paths below INPUT, for trees that aren't BIDS, such as "
               "{participant}/wave{session}/tracts/{bundle}.trk.  [default: as in BIDS and the field's tools]",
               type=Parsed("pattern", _layout), multiple=True, metavar="PATTERN"),
        Option("--bids-filter-file",
               "Entities that tractograms, references, maps and ODFs must have: see the documentation.",
               type=PATH, metavar="JSON"),
        Option("--vtk-space", "Space of .vtk, .vtp and .fib files that don't state it.  [default: RAS]",
               type=click.Choice(["RAS", "LPS"])),
        Option("--skip-bids-validation", "Accepted, as in other BIDS Apps, but nothing is validated.", is_flag=True),
    ],
    "Memory and workers": [
        Option("--mem --mem-mb mem",
               f"Total memory to use: MB, or 512M, 4G. Default: ${CAP_VARIABLE}, or the smallest limit found.",
               type=SIZE, metavar="SIZE"),
        Option("--mem-per-job", "Memory of a worker, instead of the estimate.", type=SIZE, metavar="SIZE"),
        Option("--safety-margin", "Share of the memory kept in reserve.", type=click.FloatRange(0, 0.9), default=0.2),
        Option("--nprocs --n-cpus --nthreads nprocs", "Maximum number of workers; -1: as many as fit.",
               type=WorkerCount(), default=-1),
        Option("--batch-size",
               "Finish this many participants and release their memory before starting the next.  [default: all]",
               type=click.IntRange(min=1), metavar="N"),
        Option("--timeout", "End a worker that shows no sign of life for this long.",
               type=ABOVE_ZERO, default=600, metavar="SECONDS"),
    ],
    "The picture": [
        Option("--views",
               f"Directions to draw from, separated by commas: {', '.join(VIEWS)}; six for the first six, in-slice for "
               "the last three.",
               type=names(VIEWS, {"six": SIX, "in-slice": IN_SLICE}), default="six", metavar="NAMES"),
        Option("--size", "Width and height of a picture in pixels.", type=click.IntRange(64, 4096), default=800),
        Option("--mosaic-only", "Keep of the views their mosaic alone: two files for each tractogram instead of eight.",
               is_flag=True),
        Option("--fit", "Frame each bundle separately, not all of a participant alike.", is_flag=True),
        Option("--overview", "Also draw all bundles of a participant in one picture, with a legend.", is_flag=True),
        Option("--style", "Lines, or lit tubes, which take longer.", type=click.Choice(STYLES), default=LINES),
        Option("--width", "Width of lines and tubes.  [default: 1/320 of a picture's width, at least 1.5 pixels]",
               type=click.FloatRange(min=0, min_open=True, max=50), metavar="MM"),
        Option("--opacity", "Opacity of the streamlines: below 1, what lies behind shines through.",
               type=click.FloatRange(0, 1, min_open=True), default=1.0),
        Option("--exact",
               "Draw all points of the streamlines, also those whose absence can't be seen, which takes longer.",
               is_flag=True),
        Option("--background", "Colour behind the streamlines: #rrggbb, or a name as for --color.",
               type=Parsed("color", parse_color), default="black"),
        Option("--animation", f"Also make a turntable, in formats separated by commas: {', '.join(FORMATS)}; or none.",
               type=names(FORMATS, {"none": ()}), default="none", metavar="FORMATS"),
        Option("--frames", "Number of pictures of the turntable.", type=click.IntRange(2, 360), default=36),
        Option("--frame-size", "Width and height of turntable pictures in pixels.",
               type=click.IntRange(64, 1024), default=400),
    ],
    "Colours": [
        Option("--color",
               "direction: of each segment; endpoints: direction from end to end; bundle: a colour for each bundle, "
               f"the same in all participants; one colour for all: #rrggbb, {', '.join(NAMES)}; data:NAME: values that "
               "the file holds for each point or streamline; scalar:NAME: values of a map, from --scalar or found in "
               "the dataset; position: along the bundle; density: of streamlines.  "
               "[default: direction, or the first map of --scalar]",
               metavar="HOW"),
        Option("--scalar scalars", "A map to colour by, such as FA=fa.nii.gz.", multiple=True, metavar="NAME=IMAGE"),
        Option("--color-range",
               "Values at the ends of the colour map; or participant or group, for one range over it.  "
               "[default: participant, from the 2nd to the 98th percentile]",
               metavar="LOW,HIGH"),
        Option("--colormap", "Colour map for values.", type=click.Choice(COLORMAPS), default=COLORMAPS[0]),
    ],
    "Anatomy and overlays": [
        Option("--reference",
               "Anatomy under the tracts: a NIfTI, or none.  "
               "[default: found in a BIDS dataset, in the tracts' own space]",
               type=PATH, metavar="IMAGE"),
        Option("--anatomy",
               "How the reference is shown: slices, glass (a see-through head or brain), both, or none.",
               type=names(ANATOMY, {"both": ANATOMY, "none": ()}), default=",".join(ANATOMY), metavar="NAMES"),
        Option("--roi rois",
               "Regions of interest to draw beside the streamlines: a mask, or a label image of which each label is a "
               "region. COLOR is as for --color.",
               multiple=True, metavar="[NAME=]IMAGE[:COLOR]"),
        Option("--label-names label_tables",
               "Names and colours of label images' labels: BIDS's dseg.tsv, or lines as in FreeSurferColorLUT.txt; of "
               "the region NAME, or of all.  [default: a table beside the image, if there is one]",
               multiple=True, metavar="[NAME=]TABLE"),
        Option("--surface surfaces",
               "Surfaces to draw beside the streamlines: GIFTI, FreeSurfer's geometry, .vtk or .vtp.",
               multiple=True, metavar="[NAME=]MESH[:COLOR]"),
        Option("--peaks",
               "Peaks of fibre orientation in the voxels of the slices: MRtrix's, TractSeg's, DIPY's or FSL's vectors. "
               f"AXES says along which axes they are, where the file doesn't: {', '.join(FRAMES)}.",
               multiple=True, metavar="[NAME=]IMAGE[:AXES]"),
        Option("--odf odfs",
               "Orientation distributions in the voxels of the slices, as spherical harmonics, of MRtrix's basis if "
               f"neither file nor BASIS say another: {', '.join(BASES)}.",
               multiple=True, metavar="[NAME=]IMAGE[:BASIS][:AXES]"),
        Option("--dataset-overlays find_overlays",
               "Overlays to look for in the dataset, separated by commas: rois, a bundle's own regions by TractSeg and "
               "pyAFQ; peaks, TractSeg's; odfs, QSIRecon's; all; none. Nothing of another person, session, run or "
               "space is drawn.",
               type=names(CHOICES, {"all": CHOICES, "none": ()}), default="none", metavar="NAMES"),
        Option("--fs-subjects-dir freesurfer",
               "FreeSurfer's folder of subjects, whose pial surfaces are drawn beside tracts that lie where they lie.",
               type=PATH, metavar="DIR"),
        Option("--fs-space freesurfer_space",
               "Space (space-) of tracts that lie where FreeSurfer's surfaces lie; none: of those that name no space.",
               default=T1W, metavar="LABEL"),
        Option("--slices-at", "Point in RAS+ mm that the slices pass through.  [default: each bundle's centre]",
               type=Parsed("point", _point), metavar="X,Y,Z"),
        Option("--slab", "In-slice views show what lies within this distance of the slice, on both sides.",
               type=ABOVE_ZERO, default=2.0, metavar="MM"),
    ],
    "Checks": [
        Option("--checks", f"Quality measures, separated by commas: {', '.join(checks())}; all; none.",
               default="none", metavar="NAMES"),
        Option("--atlas",
               "Bundles to compare with, of the same names, in the same space: a folder of tractograms or NIfTIs, or "
               "one file.",
               type=PATH, metavar="PATH"),
        Option("--before",
               "The same bundles before filtering, or from another program: a folder or dataset, or one "
               "tractogram.",
               type=PATH, metavar="PATH"),
        Option("--metric metrics",
               "A map to profile along the bundles; without IMAGE, found in the dataset.  "
               "[default: FA and MD, where found]",
               multiple=True, metavar="NAME[=IMAGE]"),
        Option("--flags",
               "Rules for flagging, instead of tractcap's own: see the documentation.",
               type=PATH, metavar="TOML"),
    ],
    "Group": [
        Option("--group-by",
               "Columns of participants.tsv, such as site, within which level group looks for outliers.  "
               "[default: all participants together]",
               multiple=True, metavar="COLUMN..."),
    ],
    "Rating": [
        Option("--reasons",
               "Reasons that raters choose from, instead of tractcap's own: a TSV file, which is kept in OUTPUT.",
               type=Parsed("list of reasons", _reasons), metavar="TSV"),
    ],
    "Clusters and reruns": [
        Option("--shard", "Draw the I-th of N equal shares of the work, for a cluster's array tasks; auto: "
               "as the scheduler numbers them.",
               type=Parsed("share", _shard), metavar="I/N|auto[/N]"),
        Option("-w --work-dir", "Folder for temporary files.  [default: inside OUTPUT]", type=PATH),
        Option("--overwrite", "Draw again what an earlier run drew from the same files with the same options.",
               is_flag=True),
        Option("--stop-on-first-crash", "Stop at the first tractogram that can't be drawn.", is_flag=True),
    ],
    REVIEW_OPTIONS: [
        Option("--address", "Address to serve the pages at: this machine's own, or, in a container alone, all of its.",
               type=click.Choice([LOOPBACK, EVERY_ADDRESS]), default=LOOPBACK),
        Option("--port", "Port to serve the pages at; 0: any that is free.",
               type=click.IntRange(0, 65535), default=8642),
    ],
    "Plan and log": [
        Option("--dry-run", "Print the limits found, the budget, the workers and each job's estimate; draw nothing.",
               is_flag=True),
        Option("--json as_json", "Print the plan of --dry-run as JSON; all sizes are bytes.", is_flag=True),
        Option("-v --verbose", "-v: name what is kept; -vv: log memory too.", count=True),
    ],
}  # fmt: skip

PARAMETERS: list[click.Parameter] = [*ARGUMENTS, *(option for options in OPTIONS.values() for option in options)]


class Command(click.Command):
    """A command that shows its options in the groups of the table."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group as a section of the help, and last what is in none."""
        others = [option for option in self.get_params(ctx) if option not in PARAMETERS]
        sections: list[tuple[str, Sequence[click.Parameter]]] = [*OPTIONS.items(), ("About tractcap", others)]
        for title, options in sections:
            rows = [option.get_help_record(ctx) for option in options]
            with formatter.section(title):
                formatter.write_dl([row for row in rows if row])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read a command line, see :func:`repeat_options`."""
        return super().parse_args(ctx, repeat_options(args, self.get_params(ctx)))


def with_dashes(name: str) -> str:
    """An option's name as it stands in the table: other BIDS Apps write some with underscores."""
    return name.replace("_", "-")


def repeat_options(arguments: Sequence[str], parameters: Iterable[click.Parameter]) -> list[str]:
    """Let options that take several values take them as other BIDS Apps do: ``--participant-label 01 02``.

    That is understood behind the three positional arguments; before them such an option takes one value.

    Parameters
    ----------
    arguments : sequence of str
        The command line without the program's name.
    parameters : iterable of click.Parameter
        What the command takes.

    Returns
    -------
    list of str
        The command line with the option's name before each of its values.
    """
    known = {name: option for option in parameters if isinstance(option, click.Option) for name in option.opts}
    result: list[str] = []
    repeated, positionals, value_due = "", 0, False
    for at, argument in enumerate(arguments):
        if argument == "--":
            return result + list(arguments[at:])
        if value_due:
            value_due = False
        elif argument.startswith("-") and argument != "-":
            name, equals, _ = argument.partition("=")
            option, value_due = known.get(with_dashes(name)), not equals
            if option is None and not argument.startswith("--"):
                # short ones together: the first that takes a value takes what is left, -vvw/dir, or the next argument
                letters = argument[1:]
                while letters and (option := known.get(f"-{letters[0]}")) and _is_flag(option):
                    letters = letters[1:]
                value_due = len(letters) == 1
            repeated = name if option and option.multiple else ""
            value_due = value_due and option is not None and not _is_flag(option)
        elif repeated and positionals >= 3:
            result.append(repeated)
        else:
            positionals += 1
        result.append(argument)
    return result


def _is_flag(option: click.Option) -> bool:
    return option.is_flag or option.count
