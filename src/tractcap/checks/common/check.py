"""What a check is. Standard library alone: the supervisor's process imports it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tractcap.errors import EmptyError
from tractcap.inputs.filenames import split_image

if TYPE_CHECKING:
    from tractcap.checks.common.output import CheckOutput
    from tractcap.inputs.tractograms import Tractogram

Value = float | int | str | None
"""Of a measure. None where it can't be told, such as the mean of nothing."""

LOW, HIGH = "Low", "High"
"""Ends of the keys of measures that say between what a measure of a sample lies for all streamlines."""

DONE, FAILED, MISSING, SKIPPED = STATUSES = ("done", "failed", "missing", "skipped")
"""What became of a check: it was made; it could not be; what it needs isn't there; it was not asked for."""

_ALONE = ("reference", "atlas", "before", "mirror")


@dataclass(frozen=True)
class CheckFile:
    """What a check reads: a tractogram of at most so many ``streamlines`` and ``points``, or an image of ``voxels``.

    ``space`` is the label of the space that its name tells, empty where it doesn't. ``loaded`` are the bytes that a
    tractogram takes which can't be read in chunks.
    """

    path: str
    streamlines: int = 0
    points: int = 0
    voxels: int = 0
    space: str = ""
    loaded: int = 0

    @property
    def image(self) -> bool:
        """Whether it is an image, not a tractogram."""
        return bool(split_image(self.path)[1])

    @property
    def name(self) -> str:
        """Its last part, for people."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class CheckInput:
    """A bundle to be checked, and what there is to check it with; None where there is none.

    ``bundle`` is its name for people and ``hemisphere`` L, R or empty. ``maps`` are scalar maps by name, ``reference``
    is the image of the anatomy. ``atlas`` is the same bundle of an atlas, a tractogram or an image; ``before`` the same
    bundle as it was before, or as another software made it; ``mirror`` the same bundle of the other hemisphere.
    ``vtk_space`` is that of VTK files that don't say theirs.
    """

    tractogram: CheckFile
    bundle: str = ""
    hemisphere: str = ""
    vtk_space: str = ""
    maps: Mapping[str, CheckFile] = field(default_factory=dict)
    reference: CheckFile | None = None
    atlas: CheckFile | None = None
    before: CheckFile | None = None
    mirror: CheckFile | None = None

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Self:
        """From what :meth:`dump` and JSON have made of one."""
        alone = {name: CheckFile(**told[name]) if told[name] else None for name in _ALONE}
        maps = {name: CheckFile(**one) for name, one in told["maps"].items()}
        return cls(**{**told, **alone, "tractogram": CheckFile(**told["tractogram"]), "maps": maps})

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        return asdict(self)

    def open(self, file: CheckFile) -> "Tractogram":
        """One of its tractograms.

        Raises
        ------
        InputError
            When it can't be read.
        """
        from tractcap.inputs.tractograms import open_tractogram

        return open_tractogram(Path(file.path), vtk_space=self.vtk_space)

    @property
    def files(self) -> dict[str, CheckFile]:
        """All that isn't the tractogram, by what they are, such as ``atlas`` or ``map FA``."""
        alone = {name: getattr(self, name) for name in _ALONE}
        return {**{name: one for name, one in alone.items() if one}, **{f"map {k}": v for k, v in self.maps.items()}}


@dataclass(frozen=True)
class Measure:
    """A number or word that a check finds: its ``key`` in JSON files, its name and meaning, its ``unit`` if any.

    A measure of each map has NAME in its key, such as ``MeanNAME``, which stands for the map's name.
    """

    key: str
    name: str
    what: str
    unit: str = ""


def estimated(key: str, name: str, what: str, unit: str = "") -> tuple[Measure, Measure, Measure]:
    """A measure of all streamlines that a sample tells, and the ends of the interval that it lies in."""
    ends = ((LOW, "at least", "Lower"), (HIGH, "at most", "Upper"))
    return (
        Measure(key, name, what, unit),
        *(
            Measure(f"{key}{end}", f"{name}, {words}", f"{side} end of the interval of 99 % for all streamlines", unit)
            for end, words, side in ends
        ),
    )  # type: ignore[return-value]


def interval(measures: Mapping[str, Value], key: str) -> tuple[Value, Value]:
    """Between what a measure lies for all streamlines: twice its value where it is known."""
    value = measures[key]
    return measures.get(f"{key}{LOW}", value), measures.get(f"{key}{HIGH}", value)


def is_end(measures: Mapping[str, Value], key: str) -> bool:
    """Whether a measure is an end of another one's interval."""
    return any(key.endswith(end) and key.removesuffix(end) in measures for end in (LOW, HIGH))


@dataclass
class Findings:
    """What a check found: its measures' values by key, and sentences on what was left out or else must be known.

    Where there is nothing to measure, ``missing`` says so.
    """

    measures: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class Check:
    """A measure of quality.

    ``name`` is for the command line, ``title`` and ``what`` (a sentence) for people, ``source`` says where the method
    is from. ``uses`` names what it reads of :class:`CheckInput` beside the tractogram: ``maps``, ``reference``,
    ``atlas``, ``before``, ``mirror``; ``lacks`` says in a sentence what of what it needs isn't there, empty if all
    is. ``need`` are the bytes of memory it takes beside a worker that can draw. ``run`` makes it, by way of
    :meth:`make`. ``place`` is its place among others.
    """

    name: str
    title: str
    what: str
    source: str
    measures: tuple[Measure, ...]
    run: Callable[[CheckInput, "CheckOutput"], Findings]
    need: Callable[[CheckInput], int]
    lacks: Callable[[CheckInput], str] = lambda given: ""  # noqa: ARG005
    uses: tuple[str, ...] = ()
    place: int = 50

    def make(self, given: CheckInput, desk: "CheckOutput") -> Findings:
        """Make it.

        Raises
        ------
        InputError
            When something that was given can't be read, or can't be compared with the bundle.
        """
        try:
            return self.run(given, desk)
        except EmptyError as error:
            return Findings(missing=str(error))
