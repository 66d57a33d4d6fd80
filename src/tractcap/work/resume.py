"""What an earlier run has left, and whether it is what this run would draw.

The JSON file beside the pictures is written last. It tells what made them: the file by its size and time, the
version, the options and the frame. Pictures whose sizes aren't those that it tells are drawn again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.drawing.views import Frame, Vector

SOURCE = ("SourceBytes", "SourceModified", "VtkSpace")
"""What the extent depends on, beside the version."""


@dataclass(frozen=True)
class Recorded:
    """Of pictures that are there and whole: the extent of the tractogram in mm, and all that is told of them."""

    low: Vector
    high: Vector
    told: dict[str, Any]

    def tells_of(self, data: str) -> bool:
        """Whether it tells the range of the data that is to be coloured by; of none, it always does."""
        return not data or (self.told.get("Color") == f"data:{data}" and "DataRange" in self.told)

    def shows(self, frame: Frame, options: dict[str, Any], sampling: int) -> bool:
        """Whether they show this frame with these options, at least as smooth."""
        same = all(self.told.get(name) == value for name, value in options.items())
        framed = (self.told["FrameLow"], self.told["FrameHigh"]) == (list(frame.low), list(frame.high))
        return same and framed and self.told["SamplesPerPixel"] >= sampling**2


def recorded(sidecar: Path, source: dict[str, Any]) -> Recorded | None:
    """What a JSON file tells, if it is of this source and version and its pictures are all there."""
    try:
        told = json.loads(sidecar.read_text())
        ours = told["GeneratedBy"][0]["Version"] == __version__
        ours = ours and all(told[name] == source[name] for name in SOURCE)
        sizes = [(sidecar.parent / name).stat().st_size for name in told["Pictures"]]
        low, high = tuple(told["ExtentLow"]), tuple(told["ExtentHigh"])
        return Recorded(low, high, told) if ours and sizes == told["PictureBytes"] else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # not there, or not ours: draw
