"""What a check is. Standard library alone: the supervisor's process imports it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tractcap.inputs.names import split_image

if TYPE_CHECKING:
    from tractcap.checks.kit.desk import Desk

Value = float | int | str | None
"""Of a measure. None where it can't be told, such as the mean of nothing."""

DONE, FAILED, MISSING, SKIPPED = STATUSES = ("done", "failed", "missing", "skipped")
"""What became of a check: it was made; it could not be; what it needs isn't there; it was not asked for."""

_ALONE = ("reference", "atlas", "before", "mirror")


@dataclass(frozen=True)
class File:
    """What a check reads: a tractogram of at most so many ``streamlines`` and ``points``, or an image of ``voxels``.

    ``space`` is the label of the space that its name tells, empty where it doesn't.
    """

    path: str
    streamlines: int = 0
    points: int = 0
    voxels: int = 0
    space: str = ""

    @property
    def image(self) -> bool:
        """Whether it is an image, not a tractogram."""
        return bool(split_image(self.path)[1])

    @property
    def name(self) -> str:
        """Its last part, for people."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Given:
    """A bundle to be checked, and what there is to check it with; None where there is none.

    ``bundle`` is its name for people and ``hemisphere`` L, R or empty. ``maps`` are scalar maps by name, ``reference``
    is the image of the anatomy. ``atlas`` is the same bundle of an atlas, a tractogram or an image; ``before`` the same
    bundle as it was before, or as another software made it; ``mirror`` the same bundle of the other hemisphere.
    ``vtk_space`` is that of VTK files that don't say theirs.
    """

    tractogram: File
    bundle: str = ""
    hemisphere: str = ""
    vtk_space: str = ""
    maps: Mapping[str, File] = field(default_factory=dict)
    reference: File | None = None
    atlas: File | None = None
    before: File | None = None
    mirror: File | None = None

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Self:
        """From what :meth:`dump` and JSON have made of one."""
        alone = {name: File(**told[name]) if told[name] else None for name in _ALONE}
        maps = {name: File(**one) for name, one in told["maps"].items()}
        return cls(**{**told, **alone, "tractogram": File(**told["tractogram"]), "maps": maps})

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        return asdict(self)

    @property
    def files(self) -> dict[str, File]:
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


@dataclass
class Findings:
    """What a check found: its measures' values by key, and sentences on what was left out or else must be known."""

    measures: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """A measure of quality.

    ``name`` is for the command line, ``title`` and ``what`` (a sentence) for people, ``source`` says where the method
    is from. ``uses`` names what it reads of :class:`Given` beside the tractogram: ``maps``, ``reference``, ``atlas``,
    ``before``, ``mirror``; ``lacks`` says in a sentence what of what it needs isn't there, empty if all is. ``need``
    are the bytes of memory it takes beside a worker that can draw. ``run`` makes it. ``place`` is its place among
    others.
    """

    name: str
    title: str
    what: str
    source: str
    measures: tuple[Measure, ...]
    run: Callable[[Given, "Desk"], Findings]
    need: Callable[[Given], int]
    lacks: Callable[[Given], str] = lambda given: ""  # noqa: ARG005
    uses: tuple[str, ...] = ()
    place: int = 50
