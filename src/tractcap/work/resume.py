"""What an earlier run has left, and whether it is what this run would draw.

The record beside the pictures is written last. It tells what made them: the files by their sizes and times, the
version, the options and the frame. Pictures whose sizes aren't those that it tells are drawn again.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.errors import RecordError
from tractcap.records import tractogram
from tractcap.records.options import Coloring
from tractcap.records.tractogram import DrawnRecord, ExtentRecord, SceneRecord
from tractcap.work.about import MEASURED
from tractcap.work.chosen_images import Box, State

log = logging.getLogger("tractcap")


@dataclass(frozen=True)
class Recorded:
    """The record of pictures that are there and whole, and the box that these were measured to have."""

    record: DrawnRecord
    box: ExtentRecord

    def extent(self, measured_by: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """All that was measured of the tractogram, if it was measured by the same colouring."""
        told = self.record.plain()
        measured = {name: told.get(key) for name, key in MEASURED.items()}
        boxes = (self.box.center, self.box.most_low, self.box.most_high, self.box.framed_low, self.box.framed_high)
        if self.box.measured_by != measured_by or None in (*boxes, *measured.values()):
            return None
        return self.box.plain() | measured

    def outline(self, reference: State) -> Box | None:
        """The box around the head in a reference image, if this state of it was drawn."""
        earlier = self.record.scene.reference
        if earlier is None or State(Path(earlier.path), earlier.bytes, earlier.modified) != reference:
            return None
        return (earlier.box[0], earlier.box[1]) if len(earlier.box) == 2 else None

    def shows(self, made: Mapping[str, Any], colorings: Sequence[Mapping[str, Any]], sampling: int) -> bool:
        """Whether they show what is made of this, at least as smooth."""
        same = self.record.scene == SceneRecord.parse(plain(made))
        same = same and self.record.colorings == tuple(Coloring.parse(plain(one)) for one in colorings)
        return same and self.record.samples_per_pixel >= sampling**2


def recorded(sidecar: Path, sources: Sequence[Mapping[str, Any]], *, say: bool = True) -> Recorded | None:
    """What a record tells, if it is of these sources and this version, and its pictures are all there.

    Parameters
    ----------
    say : log of one that can't be understood that its pictures are drawn anew.
    """
    try:
        record = tractogram.load(sidecar)
    except FileNotFoundError:
        return None
    except RecordError as error:
        if say:
            log.warning("%s Its pictures are drawn anew", error)
        return None
    if not isinstance(record, DrawnRecord) or not record.extent or not _is_of(record, sources):
        return None
    sizes = tuple(_size(sidecar.with_name(name)) for name in record.pictures)
    return Recorded(record, record.extent) if sizes == record.picture_bytes else None


def _is_of(record: DrawnRecord, sources: Sequence[Mapping[str, Any]]) -> bool:
    state = tuple(one["bytes"] for one in sources), tuple(one["modified"] for one in sources)
    return (record.source_bytes, record.source_modified) == state and record.generated_by[0].version == __version__


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None  # gone


def plain(values: Any) -> Any:
    """Values as they are once JSON has held them."""
    return json.loads(json.dumps(values))
