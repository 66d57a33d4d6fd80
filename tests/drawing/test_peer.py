"""Silhouettes beside another program's: FURY draws the same lines by the same camera. It comes with the dev group."""

from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms
import pytest
from dipy.tracking.streamline import set_number_of_points
from numpy.typing import NDArray
from scenes import drawn
from scipy.ndimage import binary_dilation

from tractcap.drawing.extent import measure
from tractcap.drawing.views import VIEWS, Frame, View
from tractcap.inputs.demo import unpack
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import SIX

SIZE = 400


def theirs(streamlines: list[NDArray[np.float32]], frame: Frame, view: View, parts: int | None) -> NDArray[np.bool_]:
    """Which pixels FURY draws lines into, a pixel wide, straight or as VTK's splines of so many parts."""
    from fury import actor, window

    scene = window.Scene()
    scene.add(actor.line(streamlines, colors=(1, 1, 1), linewidth=1, spline_subdiv=parts))
    camera, distance = scene.camera(), frame.depth
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(*frame.center)
    camera.SetPosition(*(at + distance * side for at, side in zip(frame.center, view.seen_from, strict=True)))
    camera.SetViewUp(*view.up)
    camera.SetParallelScale(frame.width / 2)
    camera.SetClippingRange(distance / 2, 3 * distance / 2)
    seen: NDArray[np.bool_] = window.snapshot(scene, size=(SIZE, SIZE), multi_samples=0)[..., :3].any(axis=2)
    return seen


@pytest.mark.filterwarnings("ignore:Call to deprecated method SetNumberOfCells")  # FURY's, of VTK 9.6
@pytest.mark.parametrize("name", ["AF_L", "CST_R", "CC_ForcepsMajor"])
@pytest.mark.parametrize(("points", "parts"), [(None, 100), (200, None)], ids=["12 points as curves", "200 points"])
def test_silhouettes_are_those_of_fury(tmp_path: Path, name: str, points: int | None, parts: int | None) -> None:
    """Where points are few, both draw curves through them; where they are many, what is between them is straight."""
    path = next(unpack(tmp_path).glob(f"*/{name}.trk"))
    streamlines = list(nib.streamlines.load(path).streamlines)
    if points:
        streamlines = list(set_number_of_points(streamlines, nb_points=points))
        path = phantoms.save(tmp_path / "many.trk", streamlines)
    extent = measure(open_tractogram(path), 10_000, lambda _points: None)
    frame = Frame(extent.low, extent.high)
    ours = drawn(path, frame, size=SIZE, width=frame.width / SIZE)
    for view in SIX:
        one, other = (
            binary_dilation(seen, np.ones((3, 3)))
            for seen in (ours[view].any(axis=2), theirs(streamlines, frame, VIEWS[view], parts))
        )
        assert (one & other).sum() / (one | other).sum() >= 0.95, view
        assert (one & other[:, ::-1]).sum() / (one | other[:, ::-1]).sum() < 0.9, "a mirrored one is another"
