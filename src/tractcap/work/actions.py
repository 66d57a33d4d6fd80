"""What a worker can be told to do. Arguments and results are plain values that JSON holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache, partial
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

from tractcap import __version__
from tractcap.checks import checks
from tractcap.checks.common.check import CheckInput
from tractcap.checks.common.output import CheckOutput
from tractcap.drawing.anatomy import Anatomy
from tractcap.drawing.draw import ColoredTractogram, Scene, draw
from tractcap.drawing.draw import draw_piece as draw_part
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.measure import measure as measure_extent
from tractcap.drawing.piece_file import PieceWriter
from tractcap.drawing.views import Frame
from tractcap.errors import InputError, MissingError
from tractcap.files import all_together, clear_parts, write_whole
from tractcap.inputs.images import ImageFile, Volume
from tractcap.inputs.reading import reading
from tractcap.inputs.search import fingerprint
from tractcap.inputs.tractograms import open_tractogram
from tractcap.inputs.tractograms.tsf import find_scalars
from tractcap.records import tractogram
from tractcap.records.options import SCALAR, Coloring, PictureOptions, RenderSettings
from tractcap.records.piece import Piece
from tractcap.work import piece_files
from tractcap.work.about import tell_of_unmerged
from tractcap.work.picture_files import Pictures
from tractcap.work.picture_record import PictureFacts, sidecar

Report = Callable[[int], None]


def look(paths: Sequence[str], images: Sequence[str], vtk_space: str, report: Report) -> dict[str, Any]:
    """Look at headers: for each path its :class:`Header` as a dictionary, for each image its ``shape`` in voxels.

    With it comes the ``fingerprint`` of the file. What can't be read is ``{"failed": sentence, "status": …}``.
    """
    found: dict[str, Any] = {}
    for files, look_at in ((paths, partial(_header, vtk_space=vtk_space)), (images, _shape)):
        for path in files:
            found[path] = _tried(look_at, path)
            report(len(found))
    return found


def _header(path: str, vtk_space: str) -> dict[str, Any]:
    """A header, and the files of values ``beside`` the tractogram, whose changes are the tractogram's too."""
    found = [file for files in find_scalars(Path(path)).values() for file in files]
    return asdict(_open(path, vtk_space).header) | {"beside": [str(file) for file in found]}


def _shape(path: str) -> dict[str, Any]:
    return {"shape": ImageFile(Path(path)).shape}


def _tried(look_at: Callable[[str], dict[str, Any]], path: str) -> dict[str, Any]:
    """What is found in a file, and which state of it that is of; whatever else is raised, it is the file's fault."""
    try:
        with reading(Path(path)):
            header = look_at(path)
            states = [fingerprint(Path(file)) for file in (path, *header.get("beside", ()))]
    except InputError as error:
        missing = not Path(path).exists()
        return {"failed": str(error), "status": MissingError.status if missing else error.status}
    return {**header, "fingerprint": (sum(size for size, _ in states), max(time for _, time in states))}


def _open(path: str, vtk_space: str) -> Any:
    return open_tractogram(Path(path), vtk_space=vtk_space)


def outline(path: str, report: Report) -> dict[str, Any]:
    """The box in mm around the head or brain in a reference image: ``low`` and ``high``."""
    low, high = _anatomy(path).box
    report(1)
    return {"low": [float(one) for one in low], "high": [float(one) for one in high]}


def measure(path: str, vtk_space: str, max_points: int, coloring: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Read a tractogram for its extent.

    It is an :class:`Extent`, but that ``lengths`` are what is told of these, and ``streamlines`` and ``points`` all
    that were counted.
    """
    told = Coloring.parse(coloring)
    extent = measure_extent(_open(path, vtk_space), max_points, report, told, _volume(told))
    counted = {"streamlines": extent.tally.streamlines, "points": extent.tally.points}
    found = asdict(extent) | {"lengths": extent.lengths.dump()} | counted
    del found["tally"]
    return found


def draw_pictures(
    bundles: Sequence[Mapping[str, Any]],
    vtk_space: str,
    made: Mapping[str, Any],
    making: Mapping[str, Any],
    extent: Mapping[str, Any],
    folder: str,
    stem: str,
    title: str,
    about: Mapping[str, Any],
    report: Report,
    merged: Sequence[Path] = (),
) -> dict[str, Any]:
    """Draw one PNG a view, their mosaic, the animations, and a JSON file that tells what they show; returns that.

    Parameters
    ----------
    bundles : of each its ``path``, ``name`` in the legend, ``coloring``, and ``source``, which names the file and says
        which state of it. made : all that decides what the pictures show. making : how they are made.
    extent, about : what was measured, and whose they are, to be told beside the pictures. merged : the files of pieces
        that make up the tractogram.
    """
    at, tally = Path(folder), StreamlineCounts()
    scene = _scene(bundles, made, vtk_space)
    at.mkdir(parents=True, exist_ok=True)
    clear_parts(at, stem)
    facts = PictureFacts(title, about, made, bundles, scene, tally)
    how = RenderSettings(making["max_points"], tuple(making["passes"]), making["sampling"])
    with all_together(at, stem) as beside:  # those of an earlier run stay until all of the new ones are there
        pictures = Pictures(beside, stem, scene, facts)
        for drawn in draw(scene, how, tally, report, merged):
            pictures.take(drawn)
            report(tally.points)
        sizes = {name: (beside / name).stat().st_size for name in pictures.finish()}
        record = sidecar(facts, how.sampling, extent, sizes)
        tractogram.place(at, stem).unlink(missing_ok=True)  # it tells of what is replaced now
        for name in sizes:
            (beside / name).replace(at / name)
    tractogram.write(tractogram.place(at, stem), record)
    piece_files.clear(at, stem)
    return record.plain()


def draw_piece(arguments: Mapping[str, Any], piece: Mapping[str, int], need: int, report: Report) -> dict[str, Any]:
    """Draw a piece of a tractogram, and keep it until it is merged; returns its ``path``.

    Parameters
    ----------
    arguments : of :func:`draw_pictures`, but that ``making`` is of the piece's own pictures. piece : see
        :class:`Piece`. need : bytes that merging takes.
    """
    own, told, how = Piece(**piece), arguments, arguments["making"]
    scene = _scene(told["bundles"], told["made"], told["vtk_space"])
    making = RenderSettings(how["max_points"], tuple(how["passes"]), how["sampling"])
    at = piece_files.file_of(piece_files.place(Path(told["folder"]), told["stem"]), own)

    def write(file: BinaryIO) -> None:
        with PieceWriter(file) as writer:
            facts = draw_part(scene, making, own, report, writer)
            writer.write_facts({"version": __version__, "arguments": told, "need": need, "facts": facts})

    at.parent.mkdir(parents=True, exist_ok=True)
    clear_parts(at.parent, at.name)
    write_whole(at, write)
    return {"path": str(at)}


def merge(folder: str, report: Report) -> dict[str, Any]:
    """Make a tractogram's pictures of its pieces; returns what :func:`draw_pictures` does.

    Raises
    ------
    InputError
        When pieces lack, which is told beside where its pictures would be.
    """
    try:
        told, paths = piece_files.together(Path(folder))
    except InputError as error:
        if last := piece_files.arguments(Path(folder)):
            tell_of_unmerged(Path(last["folder"]) / f"{last['stem']}.json", last["about"], last["bundles"], str(error))
        raise
    one_by_one = (1,) * len(
        PictureOptions.parse(told["made"]["Look"]).sizes
    )  # nothing is drawn, so nothing is drawn again
    return draw_pictures(**told | {"making": told["making"] | {"passes": one_by_one}}, report=report, merged=paths)


def _scene(bundles: Sequence[Mapping[str, Any]], made: Mapping[str, Any], vtk_space: str) -> Scene:
    low, high = (tuple(corner) for corner in made["Frame"])
    drawn = [_bundle(one, vtk_space) for one in bundles]
    anatomy = _anatomy(made["Reference"]["path"]) if made["Reference"] else None
    at = made["SlicesAt"]
    return Scene(drawn, Frame(low, high), PictureOptions.parse(made["Look"]), anatomy, tuple(at) if at else None)


def _bundle(told: Mapping[str, Any], vtk_space: str) -> ColoredTractogram:
    coloring = Coloring.parse(told["coloring"])
    return ColoredTractogram(_open(told["path"], vtk_space), coloring, _volume(coloring))


def _anatomy(path: str) -> Anatomy:
    with reading(Path(path)):
        return _read_anatomy(path, Path(path).stat().st_mtime_ns)


def _volume(coloring: Coloring) -> Volume | None:
    if coloring.kind != SCALAR:
        return None
    with reading(Path(coloring.path)):
        return _read_map(coloring.path, Path(coloring.path).stat().st_mtime_ns)


# one of each is kept for the next tractogram, which often takes the same


@lru_cache(1)
def _read_anatomy(path: str, _modified: int) -> Anatomy:
    return Anatomy(ImageFile(Path(path)))


@lru_cache(1)
def _read_map(path: str, _modified: int) -> Volume:
    return ImageFile(Path(path)).values()


def check(
    name: str, given: Mapping[str, Any], folder: str, stem: str, title: str, background: Sequence[int], report: Report
) -> dict[str, Any]:
    """Make a check of a bundle: its pictures and tables, beside the bundle's; returns what its JSON file tells."""
    one, at = checks()[name], Path(folder)
    clear_parts(at, f"{stem}_check-{name}")
    for earlier in at.glob(f"{escape(stem)}_check-{name}_*"):
        earlier.unlink()
    red, green, blue = background
    files = CheckOutput(at, stem, name, title, report, (red, green, blue))
    found = one.run(CheckInput.parse(given), files)
    if found.missing:
        return {"Missing": found.missing}
    figures, tables = ([file.plain() for file in several] for several in (files.figures, files.tables))
    return {"Measures": found.measures, "Notes": found.notes, "Figures": figures, "Tables": tables}


def page(output: str, participant: str, report: Report) -> dict[str, Any]:
    """Write a participant's page; returns its ``path`` below the output, or none."""
    from tractcap.reports.participant_page import write_participant_page

    path = write_participant_page(Path(output), participant, report)
    return {"path": str(path.relative_to(output)) if path else ""}


def group(output: str, report: Report) -> dict[str, Any]:
    """Write the group's page and tables; returns their ``paths``."""
    from tractcap.reports.group_page import write_group_page

    return {"paths": [str(path.relative_to(output)) for path in write_group_page(Path(output), report)]}


def self_test(folder: str, report: Report) -> dict[str, Any]:
    """Draw a known picture: the OpenGL's ``library`` and ``gl``, and what is ``wrong`` of the picture."""
    del report
    from tractcap.drawing import opengl
    from tractcap.work.selftest import known_picture

    library = opengl.choose()
    return {"library": library, "gl": opengl.describe(), "wrong": known_picture(Path(folder))}


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "look": look,
    "outline": outline,
    "measure": measure,
    "draw": draw_pictures,
    "piece": draw_piece,
    "merge": merge,
    "check": check,
    "page": page,
    "group": group,
    "self-test": self_test,
}
"""By the names that the supervisor uses."""
