"""The self-test: a known picture is drawn, and what there is to know of this installation is printed."""

import importlib.metadata
import os
import platform
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tractcap.drawing import opengl
from tractcap.limits import MB, Budget, Watch, as_mb
from tractcap.records.worker_requests import DrawKnownPicture
from tractcap.version import __version__
from tractcap.work import memory_plan
from tractcap.work.pool import Task, do_alone
from tractcap.work.worker_process import left_out, library_hint

_PACKAGES = ("vtk", "numpy", "nibabel", "scipy", "dipy", "pillow", "matplotlib", "av", "jinja2", "click")


def self_test(budget: Budget, watch: Watch) -> bool:
    """Print the report for a bug report, and whether a known picture came out as it must.

    Raises
    ------
    SettingsError
        When ``TRACTCAP_GL`` has no such choice.
    """
    asked = opengl.asked()
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = "an unnamed system"
    click.echo(f"tractcap {__version__}")
    click.echo(f"Python {platform.python_version()} on {system}, {platform.machine()}, Linux {platform.release()}")
    click.echo(", ".join(f"{name} {_version(name)}" for name in _PACKAGES))
    for limit in budget.limits:
        click.echo(f"Limit: {as_mb(limit.bytes)} MB, {limit.where}")
    notes = [*budget.warnings, *budget.notes]
    if names := left_out(os.environ):
        notes.append(f"not handed to workers, since pictures could depend on them: {', '.join(names)}")
    if asked:
        notes.append(f"{opengl.VARIABLE}={asked}" + f": pictures are {opengl.GPU_NOTE}" * (asked == opengl.GPU))
    for note in notes:
        click.echo(f"Note: {note}")
    click.echo(f"Budget: {budget.describe()}")
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
    if fault := opengl.known_fault(result.description):
        click.echo(f"Known fault: {fault}")
    # tractcap's own pictures colour points, so this is no failure
    cells = f"WRONG, in meshes alone that are coloured by cells: {'; '.join(result.wrong_cells)}"
    click.echo(f"Cells: {cells if result.wrong_cells else 'as they must be'}")
    verdict = f"WRONG: {'; '.join(result.wrong)}{hint}" if result.wrong else "as it must be"
    click.echo(f"Picture: {verdict}, in {seconds}")
    return not result.wrong


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
    picture, wrong = drawn.pixels.astype(int), []
    for channel, name in enumerate(_ENDS):
        if name == "green":
            continue  # it lies along the line of sight
        x, _, z = np.mean(_ENDS[name], axis=0)
        # the front view has left at the right
        column, row = (round(_SIZE / 2 - at * _SIZE / scene.frame.width) for at in (x, z))
        color = picture[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3).max(axis=0)
        if color[channel] <= 150 or np.delete(color, channel).max() >= 60:
            wrong.append(f"where {name} is expected there is {color.tolist()}")
    return wrong
