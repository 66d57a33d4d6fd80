"""What a worker can be told to do. Arguments and results are plain values that JSON holds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from tractcap import __version__
from tractcap.drawing import labels
from tractcap.drawing.draw import SAMPLING, Drawn, Options, draw
from tractcap.drawing.lines import Tally
from tractcap.drawing.measure import measure as measure_extent
from tractcap.drawing.views import Frame
from tractcap.errors import TractcapError
from tractcap.files import write_text, write_whole
from tractcap.inputs.tractograms import open_tractogram

Report = Callable[[int], None]


def look(paths: Sequence[str], vtk_space: str, report: Report) -> dict[str, Any]:
    """Look at headers: for each path its :class:`Header` as a dictionary, or ``{"failed": sentence}``."""
    del report  # headers are looked at within a moment
    return {path: _look(path, vtk_space) for path in paths}


def _look(path: str, vtk_space: str) -> dict[str, Any]:
    try:
        return asdict(open_tractogram(Path(path), vtk_space=vtk_space).header)
    except TractcapError as error:
        return {"failed": str(error)}


def measure(path: str, vtk_space: str, max_points: int, report: Report) -> dict[str, Any]:
    """Read a tractogram for its extent: ``low`` and ``high`` in mm."""
    extent = measure_extent(open_tractogram(Path(path), vtk_space=vtk_space), max_points, report)
    return {"low": extent.low, "high": extent.high}


def draw_pictures(
    path: str,
    source: str,
    vtk_space: str,
    frame: Sequence[Sequence[float]],
    views: Sequence[str],
    size: int,
    max_points: int,
    views_per_pass: int,
    folder: str,
    stem: str,
    title: str,
    report: Report,
) -> dict[str, Any]:
    """Draw one PNG a view, their mosaic, and a JSON file that tells what they show; returns that."""
    box = Frame(tuple(frame[0]), tuple(frame[1]))  # type: ignore[arg-type]
    tractogram = open_tractogram(Path(path), vtk_space=vtk_space)
    options, tally = Options(tuple(views), size, max_points, views_per_pass), Tally()
    Path(folder).mkdir(parents=True, exist_ok=True)
    pages: list[Image.Image] = []
    names = [
        _save_view(drawn, box, title, tally, Path(folder), stem, pages)
        for drawn in draw(tractogram, box, options, tally, report)
    ]
    names.append(f"{stem}_mosaic.png")
    _save_picture(Path(folder) / names[-1], labels.mosaic(pages, title, count_line(tally)), size / box.width)
    told = _sidecar(source, tractogram.header.notes, box, options, tally, names)
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    write_text(Path(folder) / f"{stem}.json", text)
    return told


def _save_view(
    drawn: Drawn, frame: Frame, title: str, tally: Tally, folder: Path, stem: str, pages: list[Image.Image]
) -> str:
    """Label a view, keep it for the mosaic, write it with its heading; returns the file's name."""
    labels.label(drawn.image, drawn.view, frame)
    pages.append(drawn.image.copy())
    labels.head(drawn.image, title, count_line(tally))
    name = f"{stem}_view-{drawn.view.name}.png"
    _save_picture(folder / name, drawn.image, drawn.image.width / frame.width)
    return name


def _save_picture(path: Path, image: Image.Image, pixels_per_mm: float) -> None:
    # the resolution is the anatomy's: a viewer that knows it shows true sizes
    dpi = pixels_per_mm * 25.4
    write_whole(path, lambda file: image.save(file, "PNG", dpi=(dpi, dpi)))


def count_line(tally: Tally) -> str:
    """How many streamlines the picture shows, and of how many if any were left out."""
    of = f" of {tally.streamlines:,}" if tally.drawn < tally.streamlines else ""
    return f"{tally.drawn:,}{of} streamline{'s' * (tally.streamlines != 1)}"


def _sidecar(
    source: str, notes: Sequence[str], frame: Frame, options: Options, tally: Tally, names: list[str]
) -> dict[str, Any]:
    return {
        "Sources": [source],
        "GeneratedBy": [{"Name": "tractcap", "Version": __version__}],
        "Pictures": names,
        "Streamlines": tally.streamlines,
        "StreamlinesDrawn": tally.drawn,
        "StreamlinesLeftOut": {reason: count for reason, count in tally.left_out.items() if count},
        "Points": tally.points,
        "Views": list(options.views),
        "Size": options.size,
        "SamplesPerPixel": SAMPLING**2,
        "FrameLow": list(frame.low),
        "FrameHigh": list(frame.high),
        "MillimetresPerPixel": frame.width / options.size,
        "Notes": list(notes),
    }


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {"look": look, "measure": measure, "draw": draw_pictures}
"""By the names that the supervisor uses."""
