"""What the supervisor asks of a worker and what it answers: one class for each, and each crosses the pipe as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from tractcap.records.check_sidecar import Attached, Value
from tractcap.records.json_record import OMIT, Color, Count, JsonRecord, Vector, parser
from tractcap.records.options import Coloring, Overlay, RenderSettings
from tractcap.records.sidecar_fields import Identity
from tractcap.records.tractogram_piece import Piece
from tractcap.records.tractogram_sidecar import (
    Box,
    DrawnRecord,
    MeasuredBy,
    MeasuredByValues,
    Measurements,
    Memory,
    OverlayRecord,
    SceneRecord,
)

Answer = TypeVar("Answer", bound=JsonRecord)


@dataclass(frozen=True)
class Request(JsonRecord, Generic[Answer], keys=str):
    """Something for a worker to do: a subclass for each ``action``, which names the class of its answer."""

    action: ClassVar[str]
    answer: ClassVar[type[JsonRecord]]

    def __init_subclass__(cls, action: str, answer: type[JsonRecord]) -> None:
        super().__init_subclass__(keys=str)
        cls.action, cls.answer = action, answer
        REQUESTS[action] = cls

    @property
    def subject(self) -> str:
        """What it is about, for the log."""
        return self.action

    @property
    def unfinished(self) -> tuple[Path, str] | None:
        """The folder in which a worker that dies leaves unfinished files, and how their names begin."""
        return None


REQUESTS: dict[str, type[Request[Any]]] = {}
"""The classes of requests by their actions."""


# reading headers


@dataclass(frozen=True)
class TractogramHeader(JsonRecord, keys=str):
    """What a tractogram's header says, and which state of the file: ``bytes`` and ``modified`` (ns).

    Files of values beside the tractogram count as parts of it. See :class:`tractcap.inputs.tractograms.Header`.
    """

    streamlines: Count
    exact: bool
    points: Count
    loaded: Count
    promised: int | None
    bytes: int
    modified: int


@dataclass(frozen=True)
class ImageHeader(JsonRecord, keys=str):
    """An image's voxels along each axis, and which state of the file: ``bytes`` and ``modified`` (ns)."""

    shape: tuple[int, int, int]
    bytes: int
    modified: int


@dataclass(frozen=True)
class OverlayHeader(JsonRecord, keys=str):
    """What an overlay's file holds, and which state of it: ``bytes`` and ``modified`` (ns).

    Parameters
    ----------
    labels : of a label image; empty for a mask.
    box : the lowest and the highest corner of it in RAS+ mm.
    sheets : how many surfaces of it are drawn in each picture.
    voxels : that are held while its surfaces are made. block : those of the grid that the largest is made on.
    triangles : about how many its surfaces have.
    label_table, names, label_colors : where its labels' names are from, and these and their colours by label.
    values : that are held of peaks or orientation distributions. frame, basis, note : see :class:`OverlayRecord`.
    """

    bytes: int
    modified: int
    box: tuple[Vector, Vector]
    labels: tuple[int, ...] = ()
    label_table: str = ""
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    label_colors: Mapping[str, Color] = field(default_factory=dict, hash=False)
    sheets: Count = 2
    voxels: Count = 0
    block: Count = 0
    triangles: Count = 0
    values: Count = 0
    frame: str = ""
    basis: str = ""
    note: str = ""


@dataclass(frozen=True)
class UnreadableFile(JsonRecord, keys=str):
    """Why a file can't be read, as a sentence, and the status of what depends on it."""

    why: str
    status: str = "failed"


@dataclass(frozen=True)
class Headers(JsonRecord, keys=str):
    """Headers of files, by path."""

    tractograms: Mapping[str, TractogramHeader | UnreadableFile] = field(default_factory=dict)
    images: Mapping[str, ImageHeader | UnreadableFile] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadHeaders(Request[Headers], action="headers", answer=Headers):
    """Read the headers of tractograms and images."""

    tractograms: tuple[str, ...]
    images: tuple[str, ...]
    vtk_space: str


@dataclass(frozen=True)
class InspectOverlay(Request[OverlayHeader], action="overlay", answer=OverlayHeader):
    """Read an overlay's file for what it holds."""

    overlay: Overlay
    vtk_space: str

    @property
    def subject(self) -> str:
        """The file."""
        return self.overlay.path


# drawing


@dataclass(frozen=True)
class FindOutline(Request[Box], action="outline", answer=Box):
    """Find the box around head or brain in a reference image."""

    path: str

    @property
    def subject(self) -> str:
        """The image."""
        return self.path


@dataclass(frozen=True)
class Measure(Request[Measurements], action="measure", answer=Measurements):
    """Read a tractogram for its extent, its lengths, and the range of what it is coloured by."""

    path: str
    vtk_space: str
    max_points: int
    coloring: Coloring
    measured_by: MeasuredByValues | MeasuredBy

    @property
    def subject(self) -> str:
        """The tractogram."""
        return self.path


@dataclass(frozen=True)
class SourceState(JsonRecord, keys=str):
    """A tractogram's ``name`` below the input, and which state of its file: ``bytes`` and ``modified`` (ns)."""

    name: str
    bytes: int
    modified: int


@dataclass(frozen=True)
class BundleToDraw(JsonRecord, keys=str):
    """A tractogram that is drawn: its file, its name in the legend, and its colours."""

    path: str
    name: str
    coloring: Coloring
    source: SourceState


@dataclass(frozen=True)
class Draw(Request[DrawnRecord], action="draw", answer=DrawnRecord):
    """Draw a tractogram, or several together, and write the record beside the pictures, which is the answer.

    ``measured`` is what is known of one tractogram, or the box around several. The pictures' names begin with ``stem``.
    ``warnings`` are sentences for the record's notes.
    """

    bundles: tuple[BundleToDraw, ...]
    vtk_space: str
    scene: SceneRecord
    render: RenderSettings
    measured: Measurements | Box
    folder: str
    stem: str
    title: str
    identity: Identity
    reference_chosen: str
    overlays_chosen: tuple[str, ...]
    memory: Memory
    warnings: tuple[str, ...]

    def without(self, path: str, why: str) -> "Draw | None":
        """The same without the overlays of a file, and why; None where none of them was to be drawn."""
        overlays = _without(self.scene.overlays, path, why)
        return replace(self, scene=replace(self.scene, overlays=overlays)) if overlays else None

    @property
    def subject(self) -> str:
        """The tractograms."""
        return ", ".join(bundle.path for bundle in self.bundles)

    @property
    def unfinished(self) -> tuple[Path, str]:
        """Pictures."""
        return Path(self.folder), self.stem


def _without(overlays: tuple[OverlayRecord, ...], path: str, why: str) -> tuple[OverlayRecord, ...]:
    """Overlays, of which those of a file failed; none where that is nothing new."""
    failed = tuple(
        replace(overlay, failed=why) if overlay.path == path and not overlay.absence else overlay
        for overlay in overlays
    )
    return failed if sum(bool(one.absence) for one in failed) > sum(bool(one.absence) for one in overlays) else ()


@dataclass(frozen=True)
class WrittenFiles(JsonRecord, keys=str):
    """Paths of files that were written; none if there was nothing to write. ``notes`` are sentences for the log."""

    paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrawPiece(Request[WrittenFiles], action="piece", answer=WrittenFiles):
    """Draw a piece of a tractogram, and keep it until it is merged, which takes ``need`` bytes of memory."""

    draw: Draw
    piece: Piece
    need: int

    @property
    def subject(self) -> str:
        """The tractogram."""
        return self.draw.subject


@dataclass(frozen=True)
class Merge(Request[DrawnRecord], action="merge", answer=DrawnRecord):
    """Make a tractogram's pictures of the pieces in a folder.

    ``overlays`` are those of its scene, where some of them failed.
    """

    folder: str
    overlays: tuple[OverlayRecord, ...] = ()

    def without(self, path: str, why: str) -> "Merge | None":
        """As :meth:`Draw.without`."""
        overlays = _without(self.overlays, path, why)
        return replace(self, overlays=overlays) if overlays else None


# checks, pages, and the self-test


@dataclass(frozen=True)
class CheckFindings(JsonRecord, keys=str):
    """What a check found; where there is nothing to measure, ``missing`` says so."""

    measures: Mapping[str, Value] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    figures: tuple[Attached, ...] = ()
    tables: tuple[Attached, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class AllFindings(JsonRecord, keys=str):
    """What each check of a bundle found; None for one that failed, and is to be made by itself."""

    findings: tuple[CheckFindings | None, ...]


@dataclass(frozen=True)
class WritePage(Request[WrittenFiles], action="page", answer=WrittenFiles):
    """Write a participant's page; the answer's path is below the output."""

    output: str
    participant: str


@dataclass(frozen=True)
class WriteGroup(Request[WrittenFiles], action="group", answer=WrittenFiles):
    """Write the group's page and tables; the answer's paths are below the output.

    Values are compared within the columns ``group_by`` of the table ``participants``.
    """

    output: str
    participants: str = ""
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class SelfTestResult(JsonRecord, keys=str):
    """The OpenGL library and its description, what is ``wrong`` with the picture, and which cells of a mesh are."""

    library: str
    description: str
    wrong: tuple[str, ...]
    wrong_cells: tuple[str, ...]


@dataclass(frozen=True)
class DrawKnownPicture(Request[SelfTestResult], action="self-test", answer=SelfTestResult):
    """Draw a known picture from a file in a folder."""

    folder: str


# messages of a worker


@dataclass(frozen=True)
class Progress(JsonRecord, keys=str):
    """How many points a worker has read of its task."""

    progress: int


@dataclass(frozen=True)
class Reading(JsonRecord, keys=str):
    """The input that a worker begins to read; empty once it no longer reads it."""

    reading: str


@dataclass(frozen=True)
class LoggedWarning(JsonRecord, keys=str):
    """A sentence that the supervisor logs for a worker."""

    warning: str


@dataclass(frozen=True)
class TaskEnded(JsonRecord, keys=str):
    """The end of a task: ``done``, an answer as JSON holds it, or ``failed``, a sentence.

    ``status`` is that of a tractogram that so failed, ``again`` whether another try may succeed, ``overlay`` the
    file of the overlay that did. ``peak`` is the most bytes that the worker held meanwhile, ``resting`` what it holds
    now.
    """

    peak: int
    resting: int
    done: Any = field(default=None, metadata=OMIT)
    failed: str = ""
    status: str = "failed"
    again: bool = False
    overlay: str = ""


Message = Progress | Reading | LoggedWarning | TaskEnded

parse_message = parser(Message)
