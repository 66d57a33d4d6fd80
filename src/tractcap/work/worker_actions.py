"""What a worker does for each kind of request."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tractcap.checks import checks
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.run_check import run_check
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.drawing import glyphs, opengl, overlays
from tractcap.drawing.anatomy import read_anatomy
from tractcap.drawing.draw import ColoredTractogram, Scene, draw, draw_piece
from tractcap.drawing.extent import measure
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.overlays import DrawableOverlay
from tractcap.drawing.tractogram_piece import PieceWriter
from tractcap.drawing.views import Frame
from tractcap.errors import DrawingError, InputError, MissingError
from tractcap.files import all_together, clear_parts, move, write_whole
from tractcap.inputs.bundles_within import split_bundle
from tractcap.inputs.images import ImageFile, Volume
from tractcap.inputs.reading import reading
from tractcap.inputs.search import fingerprint
from tractcap.inputs.tractograms import Tractogram, open_tractogram
from tractcap.inputs.tractograms.tsf import find_scalars
from tractcap.records import tractogram_piece_files as piece_files
from tractcap.records import tractogram_sidecar
from tractcap.records.json_record import JsonRecord
from tractcap.records.options import GLYPHS, SCALAR, Coloring
from tractcap.records.tractogram_sidecar import Box, DrawnRecord, Extent, LengthsRecord, Measurements, OverlayRecord
from tractcap.records.worker_requests import (
    AllFindings,
    BundleToDraw,
    CheckFindings,
    Draw,
    DrawKnownPicture,
    DrawPiece,
    FindOutline,
    Headers,
    ImageHeader,
    InspectOverlay,
    Measure,
    Merge,
    OverlayHeader,
    ReadHeaders,
    SelfTestResult,
    TractogramHeader,
    UnreadableFile,
    WriteGroup,
    WritePage,
    WrittenFiles,
)
from tractcap.version import __version__
from tractcap.work.check_requests import MakeCheck, MakeChecks
from tractcap.work.earlier_pictures import file_size, write_unmerged
from tractcap.work.pictures import PictureWriter, record_of

T = TypeVar("T")

Report = Callable[[int], None]
"""Takes how many points were read so far, as progress and as a sign of life."""


def read_headers(request: ReadHeaders, report: Report) -> Headers:
    """Read the headers of tractograms and images; what can't be read costs itself alone."""
    tractograms: dict[str, TractogramHeader | UnreadableFile] = {}
    images: dict[str, ImageHeader | UnreadableFile] = {}
    for path in request.tractograms:
        tractograms[path] = _readable(path, lambda path: _tractogram_header(path, request.vtk_space))
        report(len(tractograms))
    for path in request.images:
        images[path] = _readable(path, lambda path: ImageHeader(ImageFile(Path(path)).shape, *fingerprint(Path(path))))
        report(len(tractograms) + len(images))
    return Headers(tractograms, images)


def _readable(path: str, read: Callable[[str], T]) -> T | UnreadableFile:
    """What is read of a file; whatever else is raised, it is the file's fault."""
    try:
        with reading(Path(path)):
            return read(path)
    except InputError as error:
        return UnreadableFile(str(error), error.status if Path(split_bundle(path)[0]).exists() else MissingError.status)


def _tractogram_header(path: str, vtk_space: str) -> TractogramHeader:
    """A header, and which state of the file: files of values beside it are part of that."""
    header = _open(path, vtk_space).header
    values = (file for files in find_scalars(Path(path)).values() for file in files)
    states = [fingerprint(file) for file in (Path(path), *values)]
    return TractogramHeader(
        header.streamlines, header.exact, header.points, header.loaded, header.promised,
        bytes=sum(size for size, _ in states), modified=max(time for _, time in states),
    )  # fmt: skip


def find_outline(request: FindOutline, report: Report) -> Box:
    """Find the box around head or brain in a reference image."""
    low, high = read_anatomy(request.path).box
    report(1)
    return Box(_vector(low), _vector(high))


def inspect_overlay(request: InspectOverlay, report: Report) -> OverlayHeader:
    """Read an overlay's file for what it holds."""
    if request.overlay.kind in GLYPHS:
        header = glyphs.inspect(request.overlay)
    else:
        header = overlays.inspect(request.overlay, request.vtk_space)
    report(1)
    return header


def measure_tractogram(request: Measure, report: Report) -> Measurements:
    """Read a tractogram for its extent, its lengths, and the range of what it is coloured by."""
    coloring = request.coloring
    measured = measure(
        _open(request.path, request.vtk_space), request.max_points, report, coloring, _scalar_map(coloring)
    )
    return Measurements(
        extent=Extent(
            **{name: getattr(measured, name) for name in _EXTENT},
            streamlines=measured.tally.streamlines,
            points=measured.tally.points,
            measured_by=request.measured_by,
        ),
        lengths=LengthsRecord.parse(measured.lengths.dump()),
        volume_millimetres3=measured.volume,
        volume_voxel_millimetres=measured.voxel,
    )


_EXTENT = (
    "low", "high", "most_low", "most_high", "framed_low", "framed_high", "center", "values", "valued", "sampled",
    "without",
)  # fmt: skip
"""What an extent says of what was measured."""


def draw_pictures(request: Draw, report: Report, pieces: Sequence[Path] = ()) -> DrawnRecord:
    """Draw one PNG a view, their mosaic, the animations, and write the record beside them.

    Parameters
    ----------
    pieces : the files of pieces that make up the tractogram, which then needn't be drawn.

    Raises
    ------
    DrawingError
        When another run wrote some of the files meanwhile; whichever wrote last notices.
    """
    folder, stem, counts = Path(request.folder), request.stem, StreamlineCounts()
    scene = _scene(request)
    place = tractogram_sidecar.place(folder, stem)
    folder.mkdir(parents=True, exist_ok=True)
    clear_parts(folder, stem)
    with all_together(folder, stem) as unfinished:  # those of an earlier run stay until all of the new ones are there
        pictures = PictureWriter(unfinished, request, scene, counts)
        for picture in draw(scene, request.render, counts, report, pieces):
            pictures.take(picture)
            report(counts.points)
        paths = [unfinished / name for name in pictures.finish()]
        record = record_of(request, scene, counts, paths, pictures.heading_pixels)
        place.unlink(missing_ok=True)  # it is of what is replaced now
        for path in paths:
            move(path, folder / path.name)
    record.write(place)
    if tuple(file_size(folder / name) for name in record.pictures) != record.picture_bytes:
        raise DrawingError(f"{folder / stem}: another run wrote its pictures at the same time, by other options.")
    piece_files.clear(folder, stem)
    return record


def draw_one_piece(request: DrawPiece, report: Report) -> WrittenFiles:
    """Draw a piece of a tractogram, and keep it until it is merged."""
    request_to_draw = request.draw
    scene = _scene(request_to_draw, with_overlays=False)  # they are drawn when pieces are merged
    path = piece_files.file_of(piece_files.folder_of(Path(request_to_draw.folder), request_to_draw.stem), request.piece)

    def write(file: BinaryIO) -> None:
        with PieceWriter(file) as writer:
            facts = draw_piece(scene, request_to_draw.render, request.piece, report, writer)
            record = piece_files.PieceRecord(__version__, request_to_draw, request.need)
            writer.write_facts({**record.plain(), "facts": facts})

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, write)
    return WrittenFiles((str(path),))


def merge_pieces(request: Merge, report: Report) -> DrawnRecord:
    """Make a tractogram's pictures of its pieces.

    Raises
    ------
    InputError
        When pieces are missing, which is recorded where its pictures would be.
    """
    folder = Path(request.folder)
    try:
        to_draw, paths = piece_files.complete(folder)
    except InputError as error:
        if newest := piece_files.newest(folder):
            write_unmerged(newest.draw, str(error))
        raise
    # nothing is drawn, so no picture more is read for one by one
    one_by_one = replace(to_draw.render, passes=(1,) * len(to_draw.scene.options.sizes))
    scene = replace(to_draw.scene, overlays=request.overlays or to_draw.scene.overlays)
    return draw_pictures(replace(to_draw, render=one_by_one, scene=scene), report, paths)


def _scene(request: Draw, *, with_overlays: bool = True) -> Scene:
    scene = request.scene
    bundles = _Bundles(request.bundles, request.vtk_space)
    anatomy = read_anatomy(scene.reference.path) if scene.reference else None
    frame, at, size = Frame(*scene.frame), scene.slices_at, scene.options.size
    shown = [record for record in scene.overlays if not record.absence] if with_overlays else []
    beside: list[DrawableOverlay] = list(
        _overlays(tuple(record for record in shown if record.kind not in GLYPHS), scene.vtk_space)
    )
    for record in shown:
        if record.kind in GLYPHS and at:
            with overlays.blamed(record.path):
                beside.append(glyphs.load(record, frame, at, size))
    beside = [overlay.on(anatomy) if anatomy else overlay for overlay in beside]
    return Scene(bundles, frame, scene.options, anatomy, at, beside)


class _Bundles(Sequence[ColoredTractogram]):
    """The bundles of a scene, of which the one that is looked at is open: each holds what its file's header says."""

    def __init__(self, to_draw: Sequence[BundleToDraw], vtk_space: str) -> None:
        self._to_draw, self._vtk_space = to_draw, vtk_space
        self._opened: tuple[int, ColoredTractogram] | None = None

    def __len__(self) -> int:
        return len(self._to_draw)

    def __getitem__(self, number: Any) -> Any:
        bundle = self._to_draw[number]  # ends an iteration by an IndexError
        if not self._opened or self._opened[0] != number:
            self._opened = None  # before the next takes memory
            tractogram = _open(bundle.path, self._vtk_space)
            self._opened = number, ColoredTractogram(tractogram, bundle.coloring, _scalar_map(bundle.coloring))
        return self._opened[1]


def _open(path: str, vtk_space: str) -> Tractogram:
    return open_tractogram(Path(path), vtk_space=vtk_space)


def _scalar_map(coloring: Coloring) -> Volume | None:
    if coloring.kind != SCALAR:
        return None
    with reading(Path(coloring.path)):
        return _read_map(coloring.path, Path(coloring.path).stat().st_mtime_ns)


# one of each is kept for the next tractogram, which often takes the same


@lru_cache(1)
def _read_map(path: str, _modified: int) -> Volume:
    return ImageFile(Path(path)).values()


@lru_cache(1)
def _overlays(records: tuple[OverlayRecord, ...], vtk_space: str) -> tuple[DrawableOverlay, ...]:
    loaded = []
    for record in records:
        with overlays.blamed(record.path):
            loaded.append(overlays.load(record, vtk_space))
    return tuple(loaded)


def _vector(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z


def make_checks(request: MakeChecks, report: Report) -> AllFindings:
    """Make several checks of a bundle; one that fails costs itself alone."""
    files = SharedFiles(request.checks[0].inputs.vtk_space)

    def attempt(check: MakeCheck) -> CheckFindings | None:
        try:
            return make_check(check, report, files)
        except Exception:
            return None  # made again by itself, it says why

    return AllFindings(tuple(map(attempt, request.checks)))


def make_check(request: MakeCheck, report: Report, files: SharedFiles | None = None) -> CheckFindings:
    """Make a check of a bundle: its pictures and tables, beside the bundle's."""
    folder = Path(request.folder)
    clear_parts(folder, f"{request.stem}_check-{request.name}")
    for earlier in folder.glob(f"{escape(request.stem)}_check-{request.name}_*"):
        earlier.unlink(missing_ok=True)  # another run may be at the same
    output = CheckOutput(folder, request.stem, request.name, request.title, report, request.background)
    files = files or SharedFiles(request.inputs.vtk_space)
    findings = run_check(checks()[request.name], request.inputs, output, files)
    if findings.missing:
        return CheckFindings(missing=findings.missing)
    notes = [*findings.notes] + [opengl.GPU_NOTE] * (bool(output.figures) and opengl.gpu_asked())
    return CheckFindings(findings.measures, tuple(notes), tuple(output.figures), tuple(output.tables))


def write_page(request: WritePage, report: Report) -> WrittenFiles:
    """Write a participant's page, again where records came meanwhile: another run's page may have been replaced."""
    from tractcap.reports.participant_page import write_participant_page
    from tractcap.reports.picture_sets import listed

    output, path, shown = Path(request.output), None, None
    while (records := listed(output, request.participant)) != shown:
        shown, path = records, write_participant_page(output, request.participant, report)
    return WrittenFiles((str(path.relative_to(output)),) if path else ())


def write_group(request: WriteGroup, report: Report) -> WrittenFiles:
    """Write the group's page and tables."""
    from tractcap.reports.group_page import write_group_files

    output = Path(request.output)
    files = write_group_files(output, report, Path(request.participants), request.group_by)
    return WrittenFiles(tuple(str(path.relative_to(output)) for path in files.paths), tuple(files.notes))


def draw_known_picture(request: DrawKnownPicture, _report: Report) -> SelfTestResult:
    """Draw a known picture, and say what is wrong with it."""
    from tractcap.work.selftest import known_picture

    library = opengl.choose()
    from tractcap.drawing.cell_colors import wrong_cells

    wrong = known_picture(Path(request.folder))
    return SelfTestResult(library, opengl.describe(), tuple(wrong), tuple(wrong_cells()))


ACTIONS: dict[str, Callable[[Any, Report], JsonRecord]] = {
    ReadHeaders.action: read_headers,
    FindOutline.action: find_outline,
    InspectOverlay.action: inspect_overlay,
    Measure.action: measure_tractogram,
    Draw.action: draw_pictures,
    DrawPiece.action: draw_one_piece,
    Merge.action: merge_pieces,
    MakeCheck.action: make_check,
    MakeChecks.action: make_checks,
    WritePage.action: write_page,
    WriteGroup.action: write_group,
    DrawKnownPicture.action: draw_known_picture,
}
