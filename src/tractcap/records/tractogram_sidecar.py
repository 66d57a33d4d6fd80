"""The JSON file beside a tractogram's pictures, or an overview's: what they show, or why there are none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tractcap.errors import RecordError
from tractcap.files import read_json
from tractcap.inputs.bundle_names import identify
from tractcap.inputs.filenames import BUNDLE_ENTITIES, entities, remainder
from tractcap.records.json_record import OMIT, Color, Count, FileName, JsonRecord, OneOf, Vector, WrongValueError
from tractcap.records.options import Coloring, PictureOptions
from tractcap.records.sidecar_fields import (
    BUNDLE,
    DAMAGED,
    DRAWN,
    EMPTY,
    FAILED,
    MISSING,
    OVERVIEW,
    UNREADABLE,
    BundleRecord,
    Identity,
    Program,
)
from tractcap.version import __version__

OVERVIEW_STEM = "desc-overview"
"""With which the names of overviews' records end."""

_Kind = Annotated[str, OneOf((BUNDLE, OVERVIEW))]


@dataclass(frozen=True, kw_only=True)
class Memory(JsonRecord):
    """The budget of the run in bytes, and what kind of limit bound it."""

    budget_bytes: Count
    bound_by: str


@dataclass(frozen=True, kw_only=True)
class HistogramRecord(JsonRecord):
    """How many streamlines there are in each bin; ``start`` and ``bin_width`` are mm."""

    start: float
    bin_width: float
    counts: tuple[Count, ...]


@dataclass(frozen=True, kw_only=True)
class LengthsRecord(JsonRecord):
    """Of the streamlines drawn, in mm; of an overview there is a mean alone."""

    mean: float | None = None
    median: float | None = field(default=None, metadata=OMIT)
    minimum: float | None = field(default=None, metadata=OMIT)
    maximum: float | None = field(default=None, metadata=OMIT)
    histogram: HistogramRecord | None = field(default=None, metadata=OMIT)

    def validate(self) -> None:
        """A histogram has ends."""
        if self.histogram and None in (self.minimum, self.maximum):
            raise WrongValueError("has a histogram, but no Minimum and Maximum")


@dataclass(frozen=True, kw_only=True)
class ReferenceRecord(JsonRecord, keys=str):
    """The image under the streamlines: which state of it, and the ``box`` around head or brain in RAS+ mm.

    ``modified`` is when its file was changed, in nanoseconds since 1970.
    """

    path: str
    bytes: int
    modified: int
    box: tuple[Vector, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OverlayRecord(JsonRecord, keys=str):
    """What is drawn beside the streamlines: which file, and which state of it; ``modified`` as of the reference image.

    Parameters
    ----------
    colors : by label, each a text, in a label image; that of a mask has the key "".
    names, label_table : of a label image, its labels' names, and the file that they are from.
    box : the lowest and the highest corner in RAS+ mm of what it shows; empty where it isn't shown.
    missing : why it can't be shown, as a sentence; empty if it can.
    failed : why it could not be drawn all the same, which is found only then: pictures without it are those of this
        file, so records that differ in this alone are equal.
    frame, basis : of glyphs, the axes of their directions, and the basis of their spherical harmonics.
    note : what of these was assumed, or what is wrong with labels' names, as a sentence; may be empty.
    """

    kind: str
    name: str
    path: str
    bytes: Count = 0
    modified: Count = 0
    colors: Mapping[str, Color] = field(default_factory=dict, hash=False)
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    label_table: str = ""
    box: tuple[Vector, ...] = ()
    missing: str = ""
    frame: str = ""
    basis: str = ""
    note: str = ""
    failed: str | None = field(default=None, compare=False, metadata=OMIT)

    @property
    def absence(self) -> str:
        """That it isn't shown, and why, as a sentence without a stop; empty if it is."""
        why = (self.missing or self.failed or "").replace(self.path, Path(self.path).name).rstrip(".")
        return f"{self.name} isn't shown: {why}" if why else ""


@dataclass(frozen=True, kw_only=True)
class ShownOverlay(JsonRecord):
    """How much of an overlay's file is shown: of a mask or label image its voxels, labels, and triangles of surfaces.

    ``label_names`` are those of its labels that ``label_table`` names. Of peaks and orientation distributions it is how
    many ``glyphs`` are drawn, ``glyphs_in_slices`` how many there are, and the ``axes`` and the ``basis`` that they
    were taken to have. ``space`` says how the file places it; ``outside_reference`` is the share of it outside the
    reference image.
    """

    kind: str
    name: str
    path: str
    space: str = ""
    voxels: Count | None = field(default=None, metadata=OMIT)
    labels: Count | None = field(default=None, metadata=OMIT)
    label_names: Mapping[str, str] | None = field(default=None, metadata=OMIT, hash=False)
    label_table: str | None = field(default=None, metadata=OMIT)
    triangles: Count | None = field(default=None, metadata=OMIT)
    glyphs: Count | None = field(default=None, metadata=OMIT)
    glyphs_in_slices: Count | None = field(default=None, metadata=OMIT)
    axes: str | None = field(default=None, metadata=OMIT)
    basis: str | None = field(default=None, metadata=OMIT)
    outside_reference: float | None = field(default=None, metadata=OMIT)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SceneRecord(JsonRecord, shared=True):
    """All that decides what pictures show, beside the tractograms and their colours.

    ``frame`` is the lowest and the highest corner of what they show, ``slices_at`` a point, both in RAS+ mm. ``map`` is
    the state of the map that colours: its bytes, and when it was changed, in nanoseconds since 1970. ``missing`` names
    bundles that an overview lacks. ``gpu`` is true of pictures that a GPU draws, which aren't reproducible.
    """

    options: PictureOptions = field(metadata={"key": "Look"})
    frame: tuple[Vector, Vector]
    reference: ReferenceRecord | None = None
    slices_at: Vector | None = None
    map: tuple[int, int] | None = None
    vtk_space: str = ""
    missing: tuple[str, ...] = ()
    overlays: tuple[OverlayRecord, ...] = ()
    gpu: bool | None = field(default=None, metadata={**OMIT, "key": "GPU"})


@dataclass(frozen=True)
class MeasuredBy(JsonRecord, keys=str):
    """What an extent depends on beside the tractogram: ``way`` is the version of measuring."""

    vtk_space: str
    way: int


@dataclass(frozen=True)
class MeasuredByValues(MeasuredBy, keys=str):
    """Where the range of values was measured too: which values, and which state of a map."""

    kind: str
    name: str
    path: str
    map: tuple[int, int] | None


@dataclass(frozen=True)
class Box(JsonRecord, keys=str):
    """The lowest and the highest corner of a box, in RAS+ mm."""

    low: Vector
    high: Vector
    measured_by: MeasuredByValues | MeasuredBy | None = field(default=None, metadata=OMIT)


@dataclass(frozen=True, kw_only=True)
class Extent(JsonRecord, keys=str):
    """The box around a tractogram's streamlines, the mean of their points, and the range of what colours them.

    ``most_low`` and ``most_high`` are the corners of the box around all streamlines but a few, ``framed_low`` and
    ``framed_high`` of what pictures show, all in RAS+ mm. The range is that of ``sampled`` of ``valued`` values;
    ``without`` points have none.
    """

    low: Vector
    high: Vector
    most_low: Vector
    most_high: Vector
    framed_low: Vector
    framed_high: Vector
    center: Vector
    values: tuple[float, float] | None = field(default=None, metadata=OMIT)
    valued: Count = 0
    sampled: Count = 0
    without: Count = 0
    streamlines: Count | None = field(default=None, metadata=OMIT)
    points: Count | None = field(default=None, metadata=OMIT)
    measured_by: MeasuredByValues | MeasuredBy


@dataclass(frozen=True, kw_only=True)
class Measurements(JsonRecord):
    """What is measured of a tractogram before it is drawn; the volume is that of voxels of so many mm."""

    extent: Extent
    lengths: LengthsRecord
    volume_millimetres3: float
    volume_voxel_millimetres: float


@dataclass(frozen=True, kw_only=True)
class UndrawnRecord(Identity):
    """Of a tractogram that has no pictures, and ``why``.

    ``sources`` are paths below INPUT, ``source_modified`` when they were changed, in nanoseconds since 1970.
    """

    kind: _Kind = BUNDLE
    status: Annotated[str, OneOf((FAILED, DAMAGED, EMPTY, MISSING))]
    why: str = ""
    sources: tuple[str, ...]
    source_bytes: tuple[int, ...] = ()
    source_modified: tuple[int, ...] = ()
    generated_by: tuple[Program, ...]
    pictures: tuple[FileName, ...] = ()
    picture_bytes: tuple[int, ...] = ()

    def validate(self) -> None:
        """Each source has its size and time, where these are told."""
        _each_has(self.sources, self.source_bytes or self.sources, self.source_modified or self.sources)


@dataclass(frozen=True, kw_only=True)
class DrawnRecord(Identity):
    """Of pictures of a tractogram, or of several in one picture.

    ``sources`` are paths below INPUT, ``source_modified`` when they were changed, in nanoseconds since 1970.
    ``streamlines`` are the files'; ``volume_millimetres3`` is that of voxels of ``volume_voxel_millimetres``;
    ``points_outside_reference`` is a share. ``tracking`` says how the streamlines were tracked, as the JSON file beside
    the tractogram did when it was drawn. ``notes`` are sentences that a viewer must know. ``pictures_sha256`` is of
    the pictures' bytes one after the other: ``cat`` them in their order into ``sha256sum``. ``heading_pixels`` of the
    mosaic are above its pictures.
    """

    kind: _Kind = BUNDLE
    status: Annotated[str, OneOf((DRAWN,))] = DRAWN
    reference_chosen: str = ""
    overlays_chosen: tuple[str, ...] = ()
    memory: Memory | None = field(default=None, metadata=OMIT)
    sources: tuple[str, ...]
    source_bytes: tuple[int, ...]
    source_modified: tuple[int, ...]
    generated_by: tuple[Program, ...]
    tracking: Mapping[str, str] = field(default_factory=dict, hash=False)
    software: Mapping[str, str] = field(default_factory=dict)
    scene: SceneRecord = field(metadata={"key": "Made"})
    colorings: tuple[Coloring, ...] = ()
    style: str = ""
    width_millimetres: float | None = field(default=None, metadata=OMIT)
    millimetres_per_pixel: float | None = field(default=None, metadata=OMIT)
    samples_per_pixel: Count = 1
    streamlines: Count
    streamlines_drawn: Count
    streamlines_outside_picture: Count = 0
    streamlines_left_out: Mapping[str, Count] = field(default_factory=dict)
    lengths: LengthsRecord = LengthsRecord()
    volume_millimetres3: float | None = field(default=None, metadata=OMIT)
    volume_voxel_millimetres: float | None = field(default=None, metadata=OMIT)
    points: Count | None = field(default=None, metadata=OMIT)
    points_outside_reference: float | None = field(default=None, metadata=OMIT)
    overlays: tuple[ShownOverlay, ...] = ()
    extent: Extent | Box | None = field(default=None, metadata=OMIT)
    notes: tuple[str, ...] = ()
    pictures: tuple[FileName, ...]
    picture_bytes: tuple[int, ...] = ()
    pictures_sha256: str | None = field(default=None, metadata={**OMIT, "key": "PicturesSHA256"})
    heading_pixels: Count | None = field(default=None, metadata=OMIT)

    def validate(self) -> None:
        """Each source has its size and time, each picture its size where these are told."""
        _each_has(self.sources, self.source_bytes, self.source_modified)
        if self.picture_bytes and len(self.picture_bytes) != len(self.pictures):
            raise WrongValueError(f"has {len(self.picture_bytes)} parts, not {len(self.pictures)}", "PictureBytes")

    def measurements(self, measured_by: MeasuredBy) -> Measurements | None:
        """All that was measured of the tractogram, if it was measured in this way."""
        extent, volume, voxel = self.extent, self.volume_millimetres3, self.volume_voxel_millimetres
        if not isinstance(extent, Extent) or extent.measured_by != measured_by or volume is None or voxel is None:
            return None
        return Measurements(
            extent=extent, lengths=self.lengths, volume_millimetres3=volume, volume_voxel_millimetres=voxel
        )

    def shows(self, scene: SceneRecord, colorings: tuple[Coloring, ...], sampling: int) -> bool:
        """Whether the pictures show this scene in these colours, at least as smooth."""
        return (self.scene, self.colorings) == (scene, colorings) and self.samples_per_pixel >= sampling**2


TractogramRecord = DrawnRecord | UndrawnRecord


def _each_has(sources: tuple[str, ...], sizes: tuple[Any, ...], times: tuple[Any, ...]) -> None:
    if not sources:
        raise WrongValueError("is empty", "Sources")
    for name, values in (("SourceBytes", sizes), ("SourceModified", times)):
        if len(values) != len(sources):
            raise WrongValueError(f"has {len(values)} parts, not {len(sources)}", name)


def place(folder: Path, stem: str) -> Path:
    """Where the record of the pictures ``{stem}_…`` in a folder lies."""
    return folder / f"{stem}.json"


def load(path: Path) -> TractogramRecord:
    """Read a record.

    Raises
    ------
    FileNotFoundError
        When there is none.
    RecordError
        When it can't be understood.
    """
    content = read_json(path)
    try:
        return parse(content)
    except WrongValueError as wrong:
        if content.get("Kind") not in (BUNDLE, OVERVIEW) and "tractcap" not in str(content.get("GeneratedBy")):
            raise RecordError(path, "tractcap didn't write it", foreign=True) from None
        raise RecordError(path, f"{wrong}{_other_version(content)}") from None


def parse(content: Mapping[str, Any]) -> TractogramRecord:
    """A record of what JSON holds.

    Raises
    ------
    WrongValueError
        When it isn't one.
    """
    record: TractogramRecord = (DrawnRecord if content.get("Status") == DRAWN else UndrawnRecord).parse(content)
    if not any(program.name == "tractcap" for program in record.generated_by):
        raise WrongValueError("doesn't name tractcap", "GeneratedBy")
    return record


def _other_version(content: Mapping[str, Any]) -> str:
    try:
        version = _Makers.parse(content).generated_by[0].version
    except (WrongValueError, IndexError):
        return ""
    return f"; tractcap {version} wrote it, and this is {__version__}" if version != __version__ else ""


@dataclass(frozen=True, kw_only=True)
class _Makers(JsonRecord):
    generated_by: tuple[Program, ...]


def unreadable(path: Path, output: Path, error: RecordError) -> UndrawnRecord:
    """What is known of a record that can't be understood: whose it is by its place, and what is left of it."""
    relative = path.relative_to(output).as_posix()
    labels = entities(relative, path.stem, "")
    try:
        known = _Remains.parse(read_json(path))
    except (FileNotFoundError, RecordError, WrongValueError):
        bundle = next((labels[name] for name in BUNDLE_ENTITIES if name in labels), remainder(path.stem) or path.stem)
        known = _Remains(
            kind=OVERVIEW if path.stem.endswith(OVERVIEW_STEM) else BUNDLE,
            title=path.stem,
            bundle=BundleRecord(**asdict(identify(bundle))),
        )
    return UndrawnRecord(
        kind=known.kind, status=UNREADABLE, participant=labels.get("sub", ""), session=labels.get("ses", ""),
        title=known.title, bundle=known.bundle, sources=known.sources, generated_by=(),
        why=f"its JSON file {relative} can't be understood: {error.why}. Run the participant level again",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Remains(JsonRecord):
    """What says which tractogram it is, of a record that can't be understood."""

    kind: _Kind
    title: str
    bundle: BundleRecord
    sources: tuple[str, ...] = ()
