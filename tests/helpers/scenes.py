"""Scenes drawn as arrays, without labels and files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tractcap.color_names import Color
from tractcap.drawing.anatomy import Anatomy
from tractcap.drawing.draw import ColoredTractogram, Scene, draw
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.overlays import DrawableOverlay
from tractcap.drawing.views import Frame, Vector
from tractcap.inputs.images import ImageFile, Volume
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import ONE, SIX, Coloring, PictureOptions, RenderSettings


def drawn(
    path: Path,
    frame: Frame,
    *,
    size: int = 200,
    views: tuple[str, ...] = SIX,
    max_points: int = 50_000,
    passes: tuple[int, ...] = (),
    sampling: int = 2,
    tally: StreamlineCounts | None = None,
    color: Color | None = None,
    coloring: Coloring | None = None,
    volume: Volume | None = None,
    reference: Path | None = None,
    at: Vector | None = None,
    overlays: Sequence[DrawableOverlay] = (),
    **look: object,
) -> dict[str, np.ndarray]:
    """Pictures by the names of their views, each (size, size, 3)."""
    colors = coloring or (Coloring(ONE, color=color) if color else Coloring())
    shown = PictureOptions(views=views, size=size, **look)
    anatomy = Anatomy(ImageFile(reference)) if reference else None
    scene = Scene([ColoredTractogram(open_tractogram(path), colors, volume)], frame, shown, anatomy, at, overlays)
    making = RenderSettings(max_points, passes or (len(shown.sizes),), sampling)
    return {one.view.name: one.pixels for one in draw(scene, making, tally or StreamlineCounts(), lambda points: None)}


def rest(path: Path, frame: Frame, **how: object) -> np.ndarray:
    """The one picture of one view."""
    (picture,) = drawn(path, frame, **how).values()
    return picture
