"""What the pictures show and how they are rendered: options of the command line, as records hold them."""

from dataclasses import dataclass

from tractcap.records.json_record import Color, JsonRecord, Vector

SIX = ("left", "anterior", "superior", "right", "posterior", "inferior")
"""The views that are drawn unless others are asked for, by the side that they are seen from."""

IN_SLICE = ("sagittal", "coronal", "axial")
"""The views that show only what lies near a slice."""

LINES, TUBES = STYLES = ("lines", "tubes")
SLICES, GLASS = ANATOMY = ("slices", "glass")
FORMATS = ("gif", "webp", "mp4")
"""Of animations."""

DIRECTION, ENDPOINTS, ONE, BUNDLE = "direction", "endpoints", "one", "bundle"
DATA, SCALAR, POSITION, DENSITY = "data", "scalar", "position", "density"
"""Kinds of colouring."""

ROI, SURFACE, PEAKS, ODF = "roi", "surface", "peaks", "odf"
"""Kinds of overlays."""

GLYPHS = (PEAKS, ODF)
"""Those that are drawn in the voxels of slices, in the colours of their directions."""

_WIDTH = 1 / 320
"""Of a streamline, as a share of the picture's width: few streamlines can be seen, and many show their course.

Neither this nor the style depends on how many streamlines there are, so that pictures of a bundle can be compared.
"""

_LEAST_PIXELS = 1.5
"""Along a streamline's width: so a pixel is covered whole, wherever it lies."""


@dataclass(frozen=True)
class PictureOptions(JsonRecord, keys=str):
    """What the pictures show.

    ``views`` by name and ``size`` in pixels along each. ``style`` is lines or tubes; ``width`` is theirs in mm, None
    for the same share of every picture. ``opacity`` below 1 lets what lies behind shine through. ``anatomy`` is what
    is shown of the reference image, ``slices_at`` the point in mm that its slices lead through, None for the bundle's
    own centre; ``slab`` is how many mm on both sides of a slice the views in it show. ``animation`` names the formats
    of the turntable, of ``frames`` pictures of ``frame_size`` pixels. ``exact`` draws all points, also those whose
    absence can't be seen. ``mosaic_only`` keeps no views beside the mosaic of them.
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
    exact: bool = False
    mosaic_only: bool = False

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

    @property
    def in_slices(self) -> bool:
        """Whether any of the views shows a slice."""
        return any(name in IN_SLICE for name in self.views)

    def thickness(self, frame_width: float) -> float:
        """Width in mm of lines and tubes, in pictures that are ``frame_width`` mm wide."""
        return self.width if self.width is not None else max(_WIDTH, _LEAST_PIXELS / self.size) * frame_width


@dataclass(frozen=True)
class Coloring(JsonRecord, keys=str):
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


@dataclass(frozen=True)
class Overlay(JsonRecord, keys=str):
    """What is drawn beside the streamlines: the file's ``kind`` and ``path``, and its ``name`` in the legend.

    ``color`` is its own, None for one that is chosen; ``frame`` and ``basis`` are those of glyphs' directions, where
    they are given (:mod:`tractcap.inputs.fiber_conventions`). ``label_table`` is the file of its labels' names, where
    one is given.
    """

    kind: str
    name: str
    path: str
    color: Color | None = None
    frame: str = ""
    basis: str = ""
    label_table: str = ""


@dataclass(frozen=True)
class RenderSettings(JsonRecord, keys=str):
    """How pictures are rendered within the memory that there is.

    ``max_points`` bounds a chunk. ``passes`` are how many pictures are drawn at once, of all that there are: the files
    are read once for each. ``sampling`` is how many samples along a pixel are averaged, which smooths edges: with one,
    they are rough. The pictures are the same whatever the first two are.
    """

    max_points: int
    passes: tuple[int, ...]
    sampling: int = 2
