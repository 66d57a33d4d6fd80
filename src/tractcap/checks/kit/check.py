"""What a check is. Standard library alone: the supervisor's process imports it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tractcap.checks.kit.desk import Desk

Value = float | int | str | None
"""Of a measure. None where it can't be told, such as the mean of nothing."""

DONE, FAILED, MISSING, SKIPPED = STATUSES = ("done", "failed", "missing", "skipped")
"""What became of a check: it was made; it could not be; what it needs isn't there; it was not asked for."""


@dataclass(frozen=True)
class Given:
    """A bundle to be checked, and what there is to check it with; all paths are strings, empty where there is none.

    ``path`` is its tractogram, of at most so many ``streamlines`` and ``points``; ``bundle`` its name for people and
    ``hemisphere`` L, R or empty; ``space`` the label of the space that its name tells, if it does. ``maps`` are scalar
    maps by name, of ``voxels`` each. ``reference`` is the image of the anatomy. ``atlas`` is the same bundle of an
    atlas, a tractogram or an image, with its ``atlas_space``; ``before`` the same bundle as it was before, or as
    another software made it; ``mirror`` the same bundle of the other hemisphere, ``mirror_streamlines`` at most.
    """

    path: str
    streamlines: int = 0
    points: int = 0
    bundle: str = ""
    hemisphere: str = ""
    space: str = ""
    vtk_space: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    voxels: Mapping[str, int] = field(default_factory=dict)
    reference: str = ""
    atlas: str = ""
    atlas_space: str = ""
    before: str = ""
    mirror: str = ""

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Self:
        """From what :meth:`dump` and JSON have made of one."""
        return cls(**told)

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        return asdict(self)

    @property
    def files(self) -> dict[str, str]:
        """The paths of all that isn't the tractogram, by what they are."""
        alone = {name: getattr(self, name) for name in ("reference", "atlas", "before", "mirror")}
        return {**{name: path for name, path in alone.items() if path}, **{f"map {k}": v for k, v in self.maps.items()}}


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
    is from. ``uses`` are the files it needs of :class:`Given`'s, by what they are; ``lacks`` says in a sentence what
    of what it needs isn't there, empty if all is. ``need`` are the bytes of memory it takes beside a worker that can
    draw. ``run`` makes it. ``place`` is its place among others.
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
