"""A run whose workers are stood in for: ``standin.py FOLDER BUNDLES [--all-fail]``.

Prints, as JSON, what was told, and the peak of this process's memory in bytes. It writes what a run writes but for
pictures, pages, and records of checks, whose place is taken so that a hundred thousand small files don't take minutes.
"""

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tractcap.inputs.tractogram_source import Source
from tractcap.limits import Watch, settle
from tractcap.records.check_sidecar import CheckRecord
from tractcap.records.options import PictureOptions
from tractcap.records.sidecar_fields import THIS_PROGRAM, BundleRecord
from tractcap.records.tractogram_sidecar import (
    DrawnRecord,
    Extent,
    HistogramRecord,
    LengthsRecord,
    Measurements,
    SceneRecord,
)
from tractcap.records.worker_requests import (
    AllFindings,
    CheckFindings,
    Draw,
    Headers,
    ImageHeader,
    Measure,
    ReadHeaders,
    TractogramHeader,
    WritePage,
    WrittenFiles,
)
from tractcap.work.check_files import parse
from tractcap.work.check_requests import MakeCheck, MakeChecks
from tractcap.work.pool import Event, PoolLimits, Task
from tractcap.work.prepare_jobs import prepare
from tractcap.work.run import Run
from tractcap.work.settings import Settings

A_PARTICIPANT = 10


class StandIn:
    """Does all tasks at once, and remembers none."""

    def __init__(self) -> None:
        self._queue: deque[Task[Any]] = deque()

    def settle(self, _limits: PoolLimits) -> None:
        assert not self._queue

    def release(self) -> None:
        assert not self._queue

    def submit(self, task: Task[Any]) -> None:
        self._queue.append(task)

    def events(self) -> Iterator[Event[Any]]:
        while self._queue:
            task = self._queue.popleft()
            if FAIL and isinstance(task.request, Draw):
                yield Event(task, failed=f"{task.request.bundles[0].path} is damaged in this test.")
            else:
                yield Event(task, ANSWERS[task.request.action](task.request))


def headers(request: ReadHeaders) -> Headers:
    header = TractogramHeader(900, True, 90_000, 0, None, 10**6, 10**18)
    image = ImageHeader((90, 90, 90), 10**6, 10**18)
    return Headers(dict.fromkeys(request.tractograms, header), dict.fromkeys(request.images, image))


def measure(request: Measure) -> Measurements:
    histogram = HistogramRecord(start=40.0, bin_width=4.0, counts=(5,) * 24)
    low, high = (-40.0, -60.0, -30.0), (40.0, 60.0, 50.0)
    return Measurements(
        extent=Extent(
            low=low, high=high, most_low=low, most_high=high, framed_low=low, framed_high=high,
            center=(0.0, 0.0, 10.0), streamlines=900, points=90_000, measured_by=request.measured_by,
        ),
        lengths=LengthsRecord(mean=90.0, median=90.0, minimum=40.0, maximum=130.0, histogram=histogram),
        volume_millimetres3=9000.0,
        volume_voxel_millimetres=2.0,
    )  # fmt: skip


def draw(request: Draw) -> DrawnRecord:
    return DrawnRecord(
        participant="", session="", title="", bundle=BundleRecord(key="", readable=""), sources=("a",),
        source_bytes=(1,), source_modified=(1,), generated_by=(THIS_PROGRAM,), scene=SCENE, streamlines=900,
        streamlines_drawn=900, pictures=(f"{request.stem}_mosaic.png",),
    )  # fmt: skip


SCENE = SceneRecord(options=PictureOptions(), frame=((0, 0, 0), (1, 1, 1)))


def check(_request: MakeCheck) -> CheckFindings:
    return CheckFindings({"Streamlines": 900})


def checks(request: MakeChecks) -> AllFindings:
    return AllFindings(tuple(map(check, request.checks)))


def page(request: WritePage) -> WrittenFiles:
    return WrittenFiles((f"sub-{request.participant}.html",))


ANSWERS = {"headers": headers, "measure": measure, "draw": draw, "check": check, "checks": checks, "page": page}


def sources(count: int) -> Iterator[Source]:
    """As the walk over a dataset finds them, one after the other."""
    for number in range(count):
        who, bundle = f"{number // A_PARTICIPANT:05}", f"bundle{number % A_PARTICIPANT}"
        yield Source(Path("/dataset"), f"sub-{who}/dwi/sub-{who}_space-ACPC_bundle-{bundle}_streamlines.tck")


def main(folder: Path, count: int) -> None:
    lines = Counted()
    logging.getLogger("tractcap").addHandler(lines)
    logging.getLogger("tractcap").propagate = False
    CheckRecord.write = lambda _record, _path: None
    settings = Settings(
        folder / "in", folder / "out", checks=parse("all", None, None, [], None), scratch=folder, nprocs=4
    )
    (folder / "out").mkdir(parents=True)
    watch = Watch(settle, settle(), 0.2)
    planned = prepare(settings, watch, StandIn(), sources(count))
    outcome = Run(settings, planned, watch, StandIn()).carry_out()
    found = {
        "drawn": outcome.drawn,
        "failed": len(outcome.failed),
        "checks": sum(outcome.checks.counts.values()),
        "lines": len(list(outcome.summary(planned, watch))),
        "peak": int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024,
    }
    sys.stdout.write(json.dumps(found) + "\n")


class Counted(logging.Handler):
    """Takes log lines, and forgets them."""

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()


FAIL = "--all-fail" in sys.argv
if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
