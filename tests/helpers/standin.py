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

from tractcap.inputs.source import Source
from tractcap.limits import Watch, settle
from tractcap.records import check as records
from tractcap.work.check_options import parse
from tractcap.work.pool import Event, Task
from tractcap.work.prepare import Settings, prepare
from tractcap.work.run import carry_out

A_PARTICIPANT = 10


class StandIn:
    """Does all tasks at once, and remembers none."""

    def __init__(self, *_made_of: Any) -> None:
        self._queue: deque[Task] = deque()

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_error: object) -> None:
        assert not self._queue

    def submit(self, task: Task) -> None:
        self._queue.append(task)

    def events(self) -> Iterator[Event]:
        while self._queue:
            task = self._queue.popleft()
            if FAIL and task.action == "draw":
                yield Event(task, failed=f"{task.arguments['bundles'][0]['path']} is damaged in this test.")
            else:
                yield Event(task, done=DONE[task.action](task.arguments))


def look(arguments: Any) -> dict[str, Any]:
    header = {"streamlines": 900, "exact": True, "points": 90_000, "loaded": 0, "notes": []}
    header |= {"per_point": [], "per_streamline": [], "beside": []}
    paths = dict.fromkeys(arguments["paths"], header | {"fingerprint": [10**6, 10**18]})
    image = {"shape": [90, 90, 90], "fingerprint": [10**6, 10**18]}
    return paths | dict.fromkeys(arguments["images"], image)


def measure(_arguments: Any) -> dict[str, Any]:
    counts = {"Start": 40.0, "BinWidth": 4.0, "Counts": [5] * 24}
    lengths = {"Mean": 90.0, "Median": 90.0, "Minimum": 40.0, "Maximum": 130.0, "Histogram": counts}
    corners = {"low": [-40.0, -60.0, -30.0], "high": [40.0, 60.0, 50.0]}
    boxes = {f"{kind}{end}": corner for kind in ("", "framed_", "most_") for end, corner in corners.items()}
    told = {"center": [0.0, 0.0, 10.0], "lengths": lengths, "volume": 9000.0, "voxel": 2.0, "values": None}
    return boxes | told | {"streamlines": 900, "points": 90_000, "valued": 0, "sampled": 0, "without": 0}


def draw(arguments: Any) -> dict[str, Any]:
    names = [f"{arguments['stem']}_mosaic.png"]
    return {"Pictures": names, "Notes": [], "StreamlinesLeftOut": {}, "Streamlines": 900, "StreamlinesDrawn": 900}


def check(_arguments: Any) -> dict[str, Any]:
    return {"Measures": {"Streamlines": 900}, "Notes": [], "Figures": [], "Tables": []}


DONE = {
    "look": look,
    "measure": measure,
    "draw": draw,
    "check": check,
    "page": lambda arguments: {"path": f"sub-{arguments['participant']}.html"},
}


def sources(count: int) -> Iterator[Source]:
    """As the walk over a dataset finds them, one after the other."""
    for number in range(count):
        who, bundle = f"{number // A_PARTICIPANT:05}", f"bundle{number % A_PARTICIPANT}"
        yield Source(Path("/dataset"), f"sub-{who}/dwi/sub-{who}_space-ACPC_bundle-{bundle}_streamlines.tck")


def main(folder: Path, count: int) -> None:
    lines = Counted()
    logging.getLogger("tractcap").addHandler(lines)
    logging.getLogger("tractcap").propagate = False
    records.write = lambda _at, _record: None
    settings = Settings(
        folder / "in", folder / "out", checks=parse("all", None, None, [], None), scratch=folder, nprocs=4
    )
    (folder / "out").mkdir(parents=True)
    watch = Watch(settle, settle(), 0.2)
    planned = prepare(settings, watch, sources(count), StandIn)
    outcome = carry_out(settings, planned, watch, make_workers=StandIn)
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
