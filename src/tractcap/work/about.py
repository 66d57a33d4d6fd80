"""Whose pictures: what is told of every tractogram, drawn or not, and the record of one that was not."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tractcap import __version__
from tractcap.errors import RecordError
from tractcap.inputs.search import Source, fingerprint
from tractcap.records import tractogram
from tractcap.records.identity import BUNDLE, DRAWN, FAILED, OVERVIEW
from tractcap.records.tractogram import DrawnRecord

GENERATED_BY = [{"Name": "tractcap", "Version": __version__}]


MEASURED = {"lengths": "Lengths", "volume": "VolumeMillimetres3", "voxel": "VolumeVoxelMillimetres"}
"""What is measured with the extent, by the names that the record has for them."""


def about(source: Source, status: str = DRAWN) -> dict[str, Any]:
    """What a record says first."""
    return {
        "Kind": BUNDLE,
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
    return {**about(source), "Kind": OVERVIEW, "Title": " ".join(whose(source)) or "all bundles", "Bundle": bundle}


def whose(source: Source) -> list[str]:
    """The entities that all tractograms that are shown together have in common."""
    labels = (("sub", source.participant), ("ses", source.session), *source.variant)
    return [f"{entity}-{label}" for entity, label in labels if label]


def place(output: Path, source: Source) -> Path:
    """Where a tractogram's record lies."""
    return tractogram.place(output / source.folder, source.stem)


def tell_of_undrawn(output: Path, source: Source, status: str, why: str, state: tuple[int, int] | None = None) -> None:
    """Write the record of a tractogram that has no pictures; one that tells of pictures of the same file stays.

    Parameters
    ----------
    state : bytes and when it was changed (ns), of the tractogram with the files of values beside it, if that is known:
        pictures may be of that state, or of the tractogram alone, before such a file came.

    Raises
    ------
    OSError
        When it can't be written.
    """
    path, alone = place(output, source), _state(source)
    if not any(_shows(path, *one) for one in {alone, state or alone}):
        size, modified = state or alone
        told = {"name": source.name, "bytes": size, "modified": modified}
        _tell(path, about(source, status), [told], why)


def tell_of_unmerged(path: Path, told: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], why: str) -> None:
    """Write the record of a tractogram of which pieces lack.

    Parameters
    ----------
    told, sources : what a worker would have drawn it by.
    """
    first = {name: told[name] for name in ("Kind", "Participant", "Session", "Title", "Bundle")}
    _tell(path, {**first, "Status": FAILED}, [one["source"] for one in sources], f"{told['Title']}: {why}")


def _tell(path: Path, first: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], why: str) -> None:
    told = {
        **first,
        "Why": why,
        "Sources": [one["name"] for one in sources],
        "SourceBytes": [one["bytes"] for one in sources],
        "SourceModified": [one["modified"] for one in sources],
        "GeneratedBy": GENERATED_BY,
    }
    tractogram.write(path, tractogram.parse(told))


def _shows(path: Path, size: int, modified: int) -> bool:
    """Whether a record tells of pictures of this state of a file."""
    try:
        earlier = tractogram.load(path)
    except (FileNotFoundError, RecordError):
        return False
    return isinstance(earlier, DrawnRecord) and (earlier.source_bytes, earlier.source_modified) == (
        (size,),
        (modified,),
    )


def _state(source: Source) -> tuple[int, int]:
    try:
        return fingerprint(source.path)
    except OSError:
        return 0, 0
