"""Outputs as runs leave them, without drawing: JSON files as beside pictures, and small pictures."""

import io
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from PIL import Image

from tractcap import __version__

SIX = ("left", "anterior", "superior", "right", "posterior", "inferior")
BUNDLES = (
    "ArcuateFasciculus_L",
    "ArcuateFasciculus_R",
    "CorticospinalTract_L",
    "CorticospinalTract_R",
    "ForcepsMajor",
    "UncinateFasciculus_L",
    "UncinateFasciculus_R",
)
_SIDES = {"_L": "left", "_R": "right"}


@dataclass
class Output:
    """A folder that is filled tract by tract."""

    root: Path

    def add(
        self,
        key: str,
        participant: str = "01",
        session: str = "",
        *,
        status: str = "drawn",
        why: str = "",
        source: str = "",
        stem: str = "",
        views: Iterable[str] = SIX,
        turntable: str = "",
        kind: str = "bundle",
        pictures: bool = True,
        told: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write a tract's JSON file, and pictures if it was drawn; ``told`` replaces or adds what the file tells.

        Returns the JSON file's path.
        """
        whose = "_".join(f"{name}-{label}" for name, label in (("sub", participant), ("ses", session)) if label)
        where = whose.replace("_", "/")
        source = source or "/".join(
            part for part in (where, "dwi", f"{whose or 'all'}_bundle-{key}_tractogram.trk") if part
        )
        stem = stem or f"{whose or 'all'}_bundle-{key}"
        folder = self.root / where / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        names = _pictures(stem, views, turntable) if status == "drawn" else []
        for name in names if pictures else ():
            draw(folder / name, key)
        content = {
            "Kind": kind,
            "Status": status,
            "Participant": participant,
            "Session": session,
            "Title": stem,
            "Bundle": bundle(key),
            **({} if status == "drawn" else {"Why": why or _WHY[status]}),
            "Sources": [source],
            "SourceBytes": [],
            "SourceModified": [],
            "GeneratedBy": [{"Name": "tractcap", "Version": __version__}],
            **(numbers(stem) if status == "drawn" else {}),
            "Pictures": names,
            **(told or {}),
        }
        for name, one in (("SourceBytes", 1234567), ("SourceModified", 1_700_000_000_123_456_789)):
            if name not in (told or {}):
                content[name] = [one] * len(content["Sources"])
        path = folder / f"{stem}.json"
        path.write_text(json.dumps(content))
        return path


_WHY = {"failed": "The file ends in the middle of a streamline: copy it again.", "empty": "It holds no streamlines."}


def bundle(key: str) -> dict[str, str]:
    """What a JSON file tells of a bundle's name."""
    side = key[-2:] if key.endswith(("_L", "_R")) else ""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key.removesuffix(side)).strip()
    readable = words.capitalize() + (f", {_SIDES[side]}" if side else "")
    return {"Original": key.replace("_", ""), "Key": key, "Readable": readable, "Hemisphere": side[1:]}


def numbers(seed: str) -> dict[str, Any]:
    """What is counted and measured of a tract that was drawn: the same for the same seed."""
    chance = _chance(seed)
    count, mean = chance.randint(200, 4000), chance.uniform(60, 140)
    counts = [round(count / 8 * 2 ** (-(((at - 10) / 4) ** 2))) for at in range(24)]
    start = round(mean - 50, 0)
    return {
        "Memory": {"BudgetBytes": 512 * 2**20, "BoundBy": "a control group"},
        "Made": {
            "Look": {"views": list(SIX), "size": 800, "background": [0, 0, 0], "style": "lines", "anatomy": ["slices"]},
            "Frame": [[-70.0, -100.0, -40.0], [70.0, 60.0, 80.0]],
            "Reference": {"path": "sub-01/anat/sub-01_T1w.nii.gz", "bytes": 7654321, "modified": 1},
        },
        "ReferenceChosen": "sub-01_T1w.nii.gz, the participant's own T1w image in the space of the tractogram.",
        "Colorings": [{"kind": "direction", "name": "", "color": None}],
        "Style": "lines",
        "WidthMillimetres": 1.2,
        "MillimetresPerPixel": 0.3,
        "SamplesPerPixel": 4,
        "Streamlines": count,
        "StreamlinesDrawn": count,
        "StreamlinesLeftOut": {},
        "Lengths": {
            "Mean": round(mean, 3),
            "Median": round(mean - 1.5, 3),
            "Minimum": start,
            "Maximum": start + 96,
            "Histogram": {"Start": start, "BinWidth": 4.0, "Counts": counts},
        },
        "VolumeMillimetres3": chance.randint(3000, 40000),
        "VolumeVoxelMillimetres": 2.0,
        "Points": count * 40,
        "PointsOutsideReference": 0.0012,
        "Notes": [],
    }


def _chance(seed: str) -> random.Random:
    return random.Random(seed.encode(errors="surrogateescape"))


def _pictures(stem: str, views: Iterable[str], turntable: str) -> list[str]:
    turning = [f"{stem}_turntable.{turntable}"] if turntable else []
    return [*(f"{stem}_view-{view}.png" for view in views), *turning, f"{stem}_mosaic.png"]


def draw(path: Path, seed: str) -> None:
    """A small picture; of a turntable, two frames."""
    chance = _chance(seed)
    size = (60, 44) if path.stem.endswith("_mosaic") else (40, 40)
    frames = [Image.new("RGB", size, tuple(chance.randint(40, 200) for _ in range(3))) for _ in range(2)]
    file = io.BytesIO()
    if path.suffix in {".gif", ".webp"}:
        frames[0].save(file, path.suffix[1:], save_all=True, append_images=frames[1:], duration=100, loop=0)
    elif path.suffix == ".mp4":
        _film(file, frames)
    else:
        frames[0].save(file, "png")
    path.write_bytes(file.getvalue())


def _film(file: io.BytesIO, frames: Iterable[Image.Image]) -> None:
    with av.open(file, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=10, width=40, height=40, pix_fmt="yuv420p")
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_image(frame)))
        film.mux(stream.encode())
