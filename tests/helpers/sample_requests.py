"""Requests to workers, filled in as small as they can be."""

from pathlib import Path

from tractcap.limits import MB
from tractcap.records.options import Coloring, PictureOptions, RenderSettings
from tractcap.records.sidecar_fields import BUNDLE, DRAWN, BundleRecord, Identity
from tractcap.records.tractogram_sidecar import Box, MeasuredBy, Memory, SceneRecord
from tractcap.records.worker_requests import BundleToDraw, Draw, Measure, SourceState

CORNERS = ((0, 0, 0), (1, 1, 1))


def measure(path: Path) -> Measure:
    return Measure(str(path), "", 1000, Coloring(), MeasuredBy("", 1))


def draw(folder: Path, stem: str = "a") -> Draw:
    """Of one tractogram, without a reference image."""
    return Draw(
        bundles=(BundleToDraw("a.trk", "AF", Coloring(), SourceState("a.trk", 1, 2)),),
        vtk_space="",
        scene=SceneRecord(options=PictureOptions(size=100), frame=CORNERS, map=(1, 2)),
        render=RenderSettings(9, (1,)),
        measured=Box(*CORNERS),
        folder=str(folder),
        stem=stem,
        title="A",
        identity=Identity(
            kind=BUNDLE, status=DRAWN, participant="01", session="", title="A",
            bundle=BundleRecord(key="AF", readable="AF"),
        ),
        reference_chosen="",
        overlays_chosen=(),
        memory=Memory(budget_bytes=100 * MB, bound_by="a test"),
        warnings=(),
    )  # fmt: skip
