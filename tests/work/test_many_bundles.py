"""Overviews of very many bundles take no more memory than those of a few: bundles are opened one after the other."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import packings
import phantoms
import standin

from tractcap.limits import MB, Watch, settle
from tractcap.records.options import ONE, Coloring, PictureOptions, RenderSettings
from tractcap.records.sidecar_fields import OVERVIEW, BundleRecord, Identity
from tractcap.records.tractogram_sidecar import Box, Memory
from tractcap.records.worker_requests import BundleToDraw, Draw, SourceState
from tractcap.work.pool import Task, do_alone


def groups(path: Path, count: int) -> Path:
    """A TRX of as many groups, of one streamline each."""
    packings.trx(path, phantoms.asymmetric_bundle(20), method=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(count):
            archive.writestr(f"groups/bundle{number:04}.uint32", np.array([number % 20], "<u4").tobytes())
    return path


def overview(path: Path, count: int, out: Path) -> Draw:
    """Of the first so many groups."""
    names = [f"bundle{number:04}" for number in range(count)]
    return Draw(
        bundles=tuple(
            BundleToDraw(f"{path}/{name}", name, Coloring(ONE, color=(200, 90, 20)), SourceState(name, 1, 1))
            for name in names
        ),
        vtk_space="",
        scene=replace(
            standin.SCENE, options=PictureOptions(size=64, views=("left",)), frame=((-80, -80, -80), (80, 80, 80))
        ),
        render=RenderSettings(20_000, (1,), 1),
        measured=Box((-80, -80, -80), (80, 80, 80)),
        folder=str(out),
        stem="desc-overview",
        title="all bundles",
        identity=Identity(
            kind=OVERVIEW,
            status="drawn",
            participant="",
            session="",
            title="",
            bundle=BundleRecord(key="", readable=""),
        ),
        reference_chosen="",
        overlays_chosen=(),
        memory=Memory(budget_bytes=MB, bound_by="cap"),
        warnings=(),
    )


def peak(request: Draw) -> int:
    """The most bytes that a worker holds while it carries out a request."""
    event = do_alone(Task(request, 2**31), Watch(settle, settle(), 0.2))
    assert event.answer, event.failed
    return event.peak


def test_a_worker_holds_one_bundle_of_an_overview_at_a_time(tmp_path: Path) -> None:
    path = groups(tmp_path / "many.trx", 500)
    few, many = (peak(overview(path, count, tmp_path / "out")) for count in (10, 500))
    assert many - few < 8 * MB, (few / MB, many / MB)
