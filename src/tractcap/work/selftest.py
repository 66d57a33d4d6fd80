"""The self-test: a known picture is drawn, and what there is to know of this installation is printed."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tractcap.limits import MB, Budget, Watch, as_mb
from tractcap.records.worker_requests import DrawKnownPicture
from tractcap.version import __version__
from tractcap.work import memory_plan
from tractcap.work.pool import Task
from tractcap.work.prepare_jobs import do_alone
from tractcap.work.worker_process import left_out, library_hint

_PACKAGES = ("vtk", "numpy", "nibabel", "scipy", "dipy", "pillow", "matplotlib", "av", "jinja2", "click")


def self_test(budget: Budget, watch: Watch) -> bool:
    """Print the report for a bug report, and whether a known picture came out as it must."""
    for line in _environment(budget):
        click.echo(line)
    began = time.monotonic()
    with TemporaryDirectory(prefix="tractcap-") as folder:
        event = do_alone(Task(DrawKnownPicture(folder), memory_plan.BASE + 64 * MB), watch)
    seconds = f"{time.monotonic() - began:.1f} s"
    hint = library_hint(os.environ)
    result = event.answer
    if result is None:
        click.echo(f"Picture: FAILED after {seconds}: {event.failed}{hint if hint not in event.failed else ''}")
        return False
    click.echo(f"OpenGL: {result.library}: {result.description}")
    verdict = f"WRONG: {'; '.join(result.wrong)}{hint}" if result.wrong else "as it must be"
    click.echo(f"Picture: {verdict}, in {seconds}")
    return not result.wrong


def _environment(budget: Budget) -> Iterator[str]:
    yield f"tractcap {__version__}"
    yield f"Python {platform.python_version()} on {_system()}, {platform.machine()}, Linux {platform.release()}"
    yield ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    for limit in budget.limits:
        yield f"Limit: {as_mb(limit.bytes)} MB, {limit.where}"
    for note in (*budget.warnings, *budget.notes):
        yield f"Note: {note}"
    if names := left_out(os.environ):
        yield f"Note: not handed to workers, since pictures could depend on them: {', '.join(names)}"
    yield f"Budget: {budget.describe()}"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "an unnamed system"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


# in the worker

_ENDS = {"red": ((-40.0, 0.0, -30.0), (40.0, 0.0, -30.0)), "green": ((0.0, -40.0, 0.0), (0.0, 40.0, 0.0)),
         "blue": ((-30.0, 0.0, -20.0), (-30.0, 0.0, 40.0))}  # fmt: skip
"""Three lines along the axes, in mm, and the colour that each direction has."""

_SIZE = 200


def known_picture(folder: Path) -> list[str]:
    """Draw three lines as seen from the front, and say what is wrong of them, as sentences without a stop."""
    import numpy as np
    from nibabel.streamlines import Tractogram, save

    from tractcap.drawing.draw import ColoredTractogram, Scene, draw
    from tractcap.drawing.lines import StreamlineCounts
    from tractcap.drawing.views import Frame
    from tractcap.inputs.tractograms import open_tractogram
    from tractcap.records.options import Coloring, PictureOptions, RenderSettings

    path = folder / "three-lines.tck"
    lines = [np.linspace(*ends, 20, dtype=np.float32) for ends in _ENDS.values()]
    save(Tractogram(lines, affine_to_rasmm=np.eye(4)), str(path))
    options = PictureOptions(views=("anterior",), size=_SIZE, style="lines", width=4.0)
    scene = Scene(
        [ColoredTractogram(open_tractogram(path), Coloring(), None)], Frame((-50, -50, -50), (50, 50, 50)), options
    )
    (drawn,) = draw(scene, RenderSettings(1000, (1,), 2), StreamlineCounts(), lambda _points: None)
    pixels_per_mm = _SIZE / scene.frame.width
    return [wrong for name in ("red", "blue") if (wrong := _wrong(drawn.pixels, pixels_per_mm, name))]


def _wrong(pixels: object, pixels_per_mm: float, name: str) -> str:
    """What is wrong of a line that lies across the line of sight; the front view has left at the right."""
    import numpy as np

    picture = np.asarray(pixels).astype(int)
    begin, end = np.array(_ENDS[name])
    x, _, z = (begin + end) / 2
    column, row = (round(_SIZE / 2 - at * pixels_per_mm) for at in (x, z))
    color = picture[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3).max(axis=0)
    channel = ("red", "green", "blue").index(name)
    others = np.delete(color, channel)
    return "" if color[channel] > 150 and others.max() < 60 else f"where {name} is expected there is {color.tolist()}"
