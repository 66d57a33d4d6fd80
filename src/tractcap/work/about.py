"""Whose pictures: what is told of every tractogram, drawn or not, and the JSON file of one that was not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.files import write_text
from tractcap.inputs.layout import Source, fingerprint
from tractcap.reports.tracts import DRAWN, FAILED

GENERATED_BY = [{"Name": "tractcap", "Version": __version__}]


MEASURED = {"lengths": "Lengths", "volume": "VolumeMillimetres3", "voxel": "VolumeVoxelMillimetres"}
"""What is measured with the extent, by the names that the JSON file has for them."""


def about(source: Source, status: str = DRAWN) -> dict[str, Any]:
    """What a JSON file says first."""
    return {
        "Kind": "bundle",
        "Status": status,
        "Participant": source.participant,
        "Session": source.session,
        "Title": source.title,
        "Bundle": {name.capitalize(): value for name, value in asdict(source.bundle).items()},
        "Variant": dict(source.variant),
    }


def about_all(source: Source) -> dict[str, Any]:
    """What one of tractograms together says first, of which ``source`` is one."""
    bundle = {"Original": "", "Key": "", "Readable": "all bundles", "Hemisphere": ""}
    return {**about(source), "Kind": "overview", "Title": " ".join(whose(source)) or "all bundles", "Bundle": bundle}


def whose(source: Source) -> list[str]:
    """The entities that all tractograms that are shown together have in common."""
    labels = (("sub", source.participant), ("ses", source.session), *source.variant)
    return [f"{entity}-{label}" for entity, label in labels if label]


def place(output: Path, source: Source) -> Path:
    """Where a tractogram's JSON file lies."""
    return output / source.folder / f"{source.stem}.json"


def tell_of_undrawn(output: Path, source: Source, status: str, why: str) -> None:
    """Write the JSON file of a tractogram that has no pictures; one that tells of pictures of the same file stays.

    Raises
    ------
    OSError
        When it can't be written.
    """
    path, size, modified = place(output, source), *_state(source)
    if (earlier := read(path)) and earlier.get("Status") == DRAWN and earlier.get("SourceModified") == [modified]:
        return
    state = {"name": source.name, "bytes": size, "modified": modified}
    _tell(path, about(source, status), [state], why)


def tell_of_unmerged(path: Path, told: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], why: str) -> None:
    """Write the JSON file of a tractogram of which pieces lack.

    Parameters
    ----------
    told, sources : what a worker would have drawn it by.
    """
    _tell(path, {**told, "Status": FAILED}, [one["source"] for one in sources], f"{told['Title']}: {why}")


def _tell(path: Path, first: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], why: str) -> None:
    told = {
        **first,
        "Why": why,
        "Sources": [one["name"] for one in sources],
        "SourceBytes": [one["bytes"] for one in sources],
        "SourceModified": [one["modified"] for one in sources],
        "GeneratedBy": GENERATED_BY,
        "Pictures": [],
        "PictureBytes": [],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _state(source: Source) -> tuple[int, int]:
    try:
        return fingerprint(source.path)
    except OSError:
        return 0, 0


def read(path: Path) -> Mapping[str, Any] | None:
    """What a JSON file holds; None where there is none, or no object."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
