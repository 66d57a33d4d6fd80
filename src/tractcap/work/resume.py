"""What an earlier run has left, and whether it is what this run would draw.

The JSON file beside the pictures is written last. It tells what made them: the files by their sizes and times, the
version, the options and the frame. Pictures whose sizes aren't those that it tells are drawn again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.reports.tracts import DRAWN
from tractcap.work.about import MEASURED
from tractcap.work.images import Box, State


@dataclass(frozen=True)
class Recorded:
    """Of pictures that are there and whole: all that is told of them."""

    told: Mapping[str, Any]

    def extent(self, measured_by: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What was measured of the tractogram, if it was measured by the same colouring."""
        extent = self.told["Extent"] | {name: self.told[told] for name, told in MEASURED.items() if told in self.told}
        return extent if extent.get("measured_by") == measured_by else None

    def outline(self, reference: State) -> Box | None:
        """The box around the head in a reference image, if this state of it was drawn."""
        earlier = self.told["Made"]["Reference"]
        same = earlier and State(Path(earlier["path"]), earlier["bytes"], earlier["modified"]) == reference
        return tuple(earlier["box"]) if same else None

    def shows(self, made: Mapping[str, Any], colorings: Sequence[Mapping[str, Any]], sampling: int) -> bool:
        """Whether they show what is made of this, at least as smooth."""
        same = self.told["Made"] == plain(made) and self.told["Colorings"] == plain(colorings)
        return same and bool(self.told["SamplesPerPixel"] >= sampling**2)


def recorded(sidecar: Path, sources: Sequence[Mapping[str, Any]]) -> Recorded | None:
    """What a JSON file tells, if it is of these sources and this version, and its pictures are all there."""
    try:
        told = json.loads(sidecar.read_text())
        ours = told["Status"] == DRAWN
        ours = ours and told["GeneratedBy"][0]["Version"] == __version__
        ours = ours and told["SourceBytes"] == [source["bytes"] for source in sources]
        ours = ours and told["SourceModified"] == [source["modified"] for source in sources]
        sizes = [(sidecar.parent / name).stat().st_size for name in told["Pictures"]]
        return Recorded(told) if ours and sizes == told["PictureBytes"] and told["Extent"] else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # not there, or not ours: draw


def plain(values: Any) -> Any:
    """Values as they are once JSON has held them."""
    return json.loads(json.dumps(values))
