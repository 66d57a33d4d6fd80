"""What pictures shall look like. Standard library alone: the supervisor's process imports it.

Both :class:`PictureOptions` and :class:`Coloring` are plain values that JSON holds: they are sent to workers, and told
beside the pictures, so that a rerun knows what made these.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from tractcap.drawing.palette import Color
from tractcap.drawing.views import IN_SLICE, SIX, Frame, Vector

LINES, TUBES = STYLES = ("lines", "tubes")
SLICES, GLASS = ANATOMY = ("slices", "glass")
FORMATS = ("gif", "webp", "mp4")
"""Of animations."""

_WIDTH = 1 / 320
"""Of a streamline, as a share of the picture's width: few streamlines can be seen, and many show their course.

Neither this nor the style depends on how many streamlines there are, so that pictures of a bundle can be compared.
"""

_LEAST_PIXELS = 1.5
"""Along a streamline's width: so a pixel is covered whole, wherever it lies."""


@dataclass(frozen=True)
class PictureOptions:
    """What the pictures shall be.

    ``views`` by name and ``size`` in pixels along each. ``style`` is lines or tubes; ``width`` is theirs in mm, None
    for the same share of every picture. ``opacity`` below 1 lets what lies behind shine through. ``anatomy`` is what
    is shown of the reference image, ``slices_at`` the point in mm that its slices lead through, None for the bundle's
    own centre; ``slab`` is how many mm on both sides of a slice the views in it show. ``animation`` names the formats
    of the turntable, of ``frames`` pictures of ``frame_size`` pixels.
    """

    views: tuple[str, ...] = SIX
    size: int = 800
    background: Color = (0, 0, 0)
    style: str = LINES
    width: float | None = None
    opacity: float = 1.0
    anatomy: tuple[str, ...] = ANATOMY
    slices_at: Vector | None = None
    slab: float = 2.0
    animation: tuple[str, ...] = ()
    frames: int = 36
    frame_size: int = 400

    @property
    def turning(self) -> int:
        """How many pictures the turntable takes, none where there is no animation."""
        return self.frames if self.animation else 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pixels along each picture that is drawn: the views, then the turntable's frames."""
        return (self.size,) * len(self.views) + (self.frame_size,) * self.turning

    @property
    def sums(self) -> int:
        """How many sums of layers each picture takes: none if opaque, else one for each side of a slice."""
        return 0 if self.opacity >= 1 else 2

    def thickness(self, frame: Frame) -> float:
        """Width in mm of lines and tubes."""
        return self.width if self.width is not None else max(_WIDTH, _LEAST_PIXELS / self.size) * frame.width

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Self:
        """From what :meth:`dump` and JSON have made of one."""
        return cls(**_tuples(told))

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        return asdict(self)


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they were before JSON made lists of tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}


def in_slices(names: tuple[str, ...]) -> bool:
    """Whether any of these views shows a slice."""
    return any(name in IN_SLICE for name in names)


DIRECTION, ENDPOINTS, ONE, BUNDLE = "direction", "endpoints", "one", "bundle"
DATA, SCALAR, POSITION, DENSITY = "data", "scalar", "position", "density"


@dataclass(frozen=True)
class Coloring:
    """What decides the colours.

    ``kind`` is the direction at each point or from end to end, one ``color``, one for each bundle, or values: the
    file's own data or a scalar map, of a ``name`` (the map in the image ``path``), position along the bundle,
    or density. Values are shown between the ends of ``limits`` or, if None, of their robust range, over the
    participant or ``over_group``.
    """

    kind: str = DIRECTION
    name: str = ""
    path: str = ""
    color: Color | None = None
    limits: tuple[float, float] | None = None
    over_group: bool = False
    colormap: str = "viridis"

    @property
    def measured(self) -> bool:
        """Whether its values have a range that files must be read for."""
        return self.kind in (DATA, SCALAR, DENSITY)

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Self:
        """From what :meth:`dump` and JSON have made of one."""
        return cls(**_tuples(told))

    def dump(self) -> dict[str, Any]:
        """As values that JSON holds."""
        return asdict(self)
