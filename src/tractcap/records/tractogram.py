"""The JSON file beside a tractogram's pictures, or an overview's: what they show, or why there are none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tractcap import __version__
from tractcap.errors import RecordError
from tractcap.files import read_json, write_text
from tractcap.inputs.bundle_names import identify
from tractcap.inputs.filenames import BUNDLE_ENTITIES, entities, remainder
from tractcap.records.identity import (
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
from tractcap.records.json_record import OMIT, Count, FileName, JsonRecord, Vector, WrongValueError, one_of
from tractcap.records.options import Coloring, PictureOptions

OVERVIEW_STEM = "desc-overview"
"""With which the names of overviews' records end."""

_Kind = Annotated[str, one_of((BUNDLE, OVERVIEW))]


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
    """The image under the streamlines: which state of it, and the ``box`` around head or brain in mm."""

    path: str
    bytes: int
    modified: int
    box: tuple[Vector, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SceneRecord(JsonRecord):
    """All that decides what pictures show, beside the tractograms and their colours. ``frame`` is in mm."""

    options: PictureOptions = field(metadata={"key": "Look"})
    frame: tuple[Vector, Vector]
    reference: ReferenceRecord | None = None
    slices_at: Vector | None = None
    map: tuple[int, int] | None = None
    vtk_space: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExtentRecord(JsonRecord, keys=str):
    """The box around what was drawn, the mean of its points, and the range of what it is coloured by.

    ``most_low`` and ``most_high`` are the corners of the box around all streamlines but a few, ``framed_low`` and
    ``framed_high`` of what pictures show, all in RAS+ mm. The range is that of ``sampled`` of ``valued`` values.
    """

    low: Vector
    high: Vector
    most_low: Vector | None = field(default=None, metadata=OMIT)
    most_high: Vector | None = field(default=None, metadata=OMIT)
    framed_low: Vector | None = field(default=None, metadata=OMIT)
    framed_high: Vector | None = field(default=None, metadata=OMIT)
    center: Vector | None = field(default=None, metadata=OMIT)
    values: tuple[float, float] | None = field(default=None, metadata=OMIT)
    valued: Count | None = field(default=None, metadata=OMIT)
    sampled: Count | None = field(default=None, metadata=OMIT)
    without: Count | None = field(default=None, metadata=OMIT)
    streamlines: Count | None = field(default=None, metadata=OMIT)
    points: Count | None = field(default=None, metadata=OMIT)
    measured_by: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UndrawnRecord(Identity):
    """Of a tractogram that has no pictures, and ``why``."""

    kind: _Kind = BUNDLE
    status: Annotated[str, one_of((FAILED, DAMAGED, EMPTY, MISSING))]
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

    ``streamlines`` are the files'; ``volume_millimetres3`` is that of voxels of ``volume_voxel_millimetres``;
    ``points_outside_reference`` is a share. ``notes`` are sentences that a viewer must know.
    """

    kind: _Kind = BUNDLE
    status: Annotated[str, one_of((DRAWN,))] = DRAWN
    reference_chosen: str = ""
    memory: Memory | None = field(default=None, metadata=OMIT)
    sources: tuple[str, ...]
    source_bytes: tuple[int, ...]
    source_modified: tuple[int, ...]
    generated_by: tuple[Program, ...]
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
    extent: ExtentRecord | None = field(default=None, metadata=OMIT)
    notes: tuple[str, ...] = ()
    pictures: tuple[FileName, ...]
    picture_bytes: tuple[int, ...] = ()

    def validate(self) -> None:
        """Each source has its size and time, each picture its size where these are told."""
        _each_has(self.sources, self.source_bytes, self.source_modified)
        if self.picture_bytes and len(self.picture_bytes) != len(self.pictures):
            raise WrongValueError(f"has {len(self.picture_bytes)} parts, not {len(self.pictures)}", "PictureBytes")


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
    told = read_json(path)
    try:
        return parse(told)
    except WrongValueError as wrong:
        if _is_foreign(told):
            raise RecordError(path, "tractcap didn't write it", foreign=True) from None
        raise RecordError(path, f"{wrong}{_by_other_version(told)}") from None


def parse(told: Mapping[str, Any]) -> TractogramRecord:
    """A record of what JSON holds.

    Raises
    ------
    WrongValueError
        When it isn't one.
    """
    record: TractogramRecord = (DrawnRecord if told.get("Status") == DRAWN else UndrawnRecord).parse(told)
    if not any(by.name == "tractcap" for by in record.generated_by):
        raise WrongValueError("doesn't name tractcap", "GeneratedBy")
    return record


def unreadable(path: Path, output: Path, error: RecordError) -> UndrawnRecord:
    """What can be told of a record that isn't understood: whose it is by its place, and by what is left of it."""
    relative = path.relative_to(output).as_posix()
    named = entities(relative, path.stem, "")
    left = _left(path) or _Left(
        kind=OVERVIEW if path.stem.endswith(OVERVIEW_STEM) else BUNDLE,
        title=path.stem,
        bundle=BundleRecord(**asdict(identify(_bundle_in(path.stem, named)))),
    )
    return UndrawnRecord(
        kind=left.kind, status=UNREADABLE, participant=named.get("sub", ""), session=named.get("ses", ""),
        title=left.title, bundle=left.bundle, sources=left.sources, generated_by=(),
        why=f"its JSON file {relative} can't be understood: {error.why}. Run the participant level again",
    )  # fmt: skip


def _left(path: Path) -> "_Left | None":
    try:
        return _Left.parse(read_json(path))
    except (FileNotFoundError, RecordError, WrongValueError):
        return None


def _bundle_in(stem: str, named: Mapping[str, str]) -> str:
    return next((named[entity] for entity in BUNDLE_ENTITIES if entity in named), remainder(stem) or stem)


@dataclass(frozen=True, kw_only=True)
class _Left(JsonRecord):
    """What tells which tractogram it is, of a record that isn't understood."""

    kind: _Kind
    title: str
    bundle: BundleRecord
    sources: tuple[str, ...] = ()


def _is_foreign(told: Mapping[str, Any]) -> bool:
    return told.get("Kind") not in (BUNDLE, OVERVIEW) and "tractcap" not in str(told.get("GeneratedBy"))


def _by_other_version(told: Mapping[str, Any]) -> str:
    try:
        version = _Made.parse(told).generated_by[0].version
    except (WrongValueError, IndexError):
        return ""
    return f"; tractcap {version} wrote it, and this is {__version__}" if version != __version__ else ""


@dataclass(frozen=True, kw_only=True)
class _Made(JsonRecord):
    generated_by: tuple[Program, ...]


def write(path: Path, record: TractogramRecord) -> None:
    """Write a record, and the folder that it lies in.

    Raises
    ------
    OSError
        When it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, record.text())
