"""What a worker can be told to do. Arguments and results are plain values that JSON holds."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from tractcap import __version__
from tractcap.drawing import labels
from tractcap.drawing.data import Scale
from tractcap.drawing.draw import Drawn, Options, draw
from tractcap.drawing.lines import Tally
from tractcap.drawing.measure import measure as measure_extent
from tractcap.drawing.palette import Color
from tractcap.drawing.views import Frame
from tractcap.errors import TractcapError
from tractcap.files import clear_parts, write_text, write_whole
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


def measure(path: str, vtk_space: str, max_points: int, data: str, report: Report) -> dict[str, Any]:
    """Read a tractogram for its extent: ``low`` and ``high`` in mm, and ``values``, from where to where ``data`` is."""
    extent = measure_extent(open_tractogram(Path(path), vtk_space=vtk_space), max_points, report, data)
    return {"low": extent.low, "high": extent.high, "values": extent.values, "without": extent.without}


def draw_pictures(
    path: str,
    source: Mapping[str, Any],
    vtk_space: str,
    box: Sequence[Sequence[float]],
    frame: Sequence[Sequence[float]],
    views: Sequence[str],
    size: int,
    max_points: int,
    views_per_pass: int,
    sampling: int,
    color: Sequence[int] | None,
    scale: Mapping[str, Any] | None,
    background: Sequence[int],
    folder: str,
    stem: str,
    title: str,
    report: Report,
) -> dict[str, Any]:
    """Draw one PNG a view, their mosaic, and a JSON file that tells what they show; returns that.

    ``source`` names the file and says which state of it; ``box`` is its extent, ``frame`` what the pictures show.
    """
    shown, at, paper = _frame(frame), Path(folder), _rgb(background) or (0, 0, 0)
    painted = Scale(scale["name"], scale["low"], scale["high"]) if scale else _rgb(color)
    tractogram = open_tractogram(Path(path), vtk_space=vtk_space)
    options, tally = Options(tuple(views), size, max_points, views_per_pass, sampling, painted, paper), Tally()
    at.mkdir(parents=True, exist_ok=True)
    clear_parts(at, stem)
    (at / f"{stem}.json").unlink(missing_ok=True)  # it would tell of pictures that are about to be replaced
    pages: list[Image.Image] = []
    names = [
        _save_view(drawn, shown, title, tally, at / stem, pages, options)
        for drawn in draw(tractogram, shown, options, tally, report)
    ]
    names.append(f"{stem}_mosaic.png")
    _save_picture(at / names[-1], labels.mosaic(pages, title, count_line(tally), paper), size / shown.width)
    told = _sidecar(source, vtk_space, tractogram.header.notes, options, tally)
    told |= {"FrameLow": shown.low, "FrameHigh": shown.high, "MillimetresPerPixel": shown.width / size}
    if scale:
        told |= {
            "Color": f"data:{scale['name']}",
            "ColorRange": [scale["low"], scale["high"]],
            "DataRange": scale["own"],
        }
        told["Notes"] += [f"{scale['without']:,} points have no value and are gray"] * bool(scale["without"])
        told["PointsWithoutValue"] = scale["without"]
    told |= {"ExtentLow": box[0], "ExtentHigh": box[1]}
    told |= {"Pictures": names, "PictureBytes": [(at / name).stat().st_size for name in names]}
    write_text(at / f"{stem}.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    return told


def _rgb(values: Sequence[int] | None) -> Color | None:
    return None if values is None else (values[0], values[1], values[2])


def _frame(box: Sequence[Sequence[float]]) -> Frame:
    return Frame(tuple(box[0]), tuple(box[1]))  # type: ignore[arg-type]


def _save_view(
    drawn: Drawn, frame: Frame, title: str, tally: Tally, stem: Path, pages: list[Image.Image], options: Options
) -> str:
    """Label a view, keep it for the mosaic, write it with its heading; returns the file's name."""
    background = options.background
    labels.label(drawn.image, drawn.view, frame, background)
    if isinstance(options.color, Scale):
        labels.color_bar(drawn.image, options.color, background)
    pages.append(drawn.image.copy())
    labels.head(drawn.image, title, count_line(tally), background)
    name = f"{stem.name}_view-{drawn.view.name}.png"
    _save_picture(stem.parent / name, drawn.image, drawn.image.width / frame.width)
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
    source: Mapping[str, Any], vtk_space: str, notes: Sequence[str], options: Options, tally: Tally
) -> dict[str, Any]:
    rough = () if options.sampling > 1 else ("edges are not smoothed: the memory left no room for it",)
    return {
        "Sources": [source["name"]],
        "SourceBytes": source["bytes"],
        "SourceModified": source["modified"],
        "VtkSpace": vtk_space,
        "GeneratedBy": [{"Name": "tractcap", "Version": __version__}],
        "Streamlines": tally.streamlines,
        "StreamlinesDrawn": tally.drawn,
        "StreamlinesLeftOut": {reason: count for reason, count in tally.left_out.items() if count},
        "Points": tally.points,
        "Views": list(options.views),
        "Size": options.size,
        "Color": options.color if isinstance(options.color, tuple) else "direction",
        "Background": options.background,
        "SamplesPerPixel": options.sampling**2,
        "Notes": [*notes, *rough],
    }


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {"look": look, "measure": measure, "draw": draw_pictures}
"""By the names that the supervisor uses."""
