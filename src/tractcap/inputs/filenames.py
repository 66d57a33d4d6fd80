"""Names of files: endings, and the entities that BIDS puts into them.

Standard library alone: the planner's process imports it.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

ENDINGS = (".trk.gz", ".tck.gz", ".trk", ".tck", ".trx", ".vtk", ".vtp", ".fib")
"""Endings of the formats that can be read, longest first."""

IMAGE_ENDINGS = (".nii.gz", ".nii")

SUFFIXES = ("streamlines", "tractogram", "tractography")
"""With which tractograms' names end: QSIRecon's, BEP046's, and pyAFQ's and the older draft's."""

BUNDLE_ENTITIES = ("tract", "bundle", "subset", "desc")
"""Entities that may tell the bundle, in this order."""

_DATATYPES = {"anat", "dwi", "fmap", "func", "perf", "tractography"}

KNOWN_ENTITIES = (
    "acq|algo|atlas|bundles?|ce|cohort|den|desc|dir|echo|fit|from|hemi|label|mdp|method|mode|model|odfmodel|param|part|"
    "rec|recogmethod|res|run|seg|ses|space|stat|sub|subset|task|thresh|to|track|tract|trkmethod"
)
"""Entities that are understood in names that BIDS has no part in otherwise."""

_KNOWN = re.compile(KNOWN_ENTITIES)

_SESSION = re.compile(r"(?<![a-zA-Z0-9])ses-([a-zA-Z0-9+]+)")
_PERSON = re.compile(r"(?<![a-zA-Z0-9])sub-([a-zA-Z]+_[0-9]+(?![a-zA-Z0-9])|[a-zA-Z0-9+]+(?:-[a-zA-Z0-9+]+)*)")
"""In a file's name; ``sub-HC_02`` is no label of BIDS, and that of one person all the same."""
_PERSONS_FOLDER = re.compile(r"sub-(.+?)(?:_[a-zA-Z]+-.*)?")

_ENTITY = re.compile(r"([a-zA-Z]+)-(.+)")
_COORDINATES = "RASMM"
"""What pyAFQ once wrote as a second space: it says how coordinates are meant, not what they are aligned to."""


def split_name(name: str) -> tuple[str, str]:
    """Split a file's name into its stem and its known ending in lower case (``""`` when it has none)."""
    return _split(name, ENDINGS)


def split_image(name: str) -> tuple[str, str]:
    """The same of an image's name."""
    return _split(name, IMAGE_ENDINGS)


def _split(name: str, endings: tuple[str, ...]) -> tuple[str, str]:
    lower = name[-len(endings[0]) :].lower()
    if lower.endswith(endings):
        for ending in endings:
            if lower.endswith(ending) and len(name) > len(ending):
                return name[: -len(ending)], ending
    return name, ""


def split_source(name: str) -> tuple[str, str]:
    """The same of a tractogram's name, or of that of the JSON file that stands for an empty one."""
    return (name.removesuffix(".json"), ".json") if name.endswith(".json") else split_name(name)


def participant_of(relative: str) -> str:
    """Whose a file is, by ``sub-`` in any part of its path; the last one counts. Empty where there is none."""
    *folders, file = relative.split("/")
    of_folder = next((found[1] for part in reversed(folders) if (found := _PERSONS_FOLDER.fullmatch(part))), "")
    before, tag, after = file.partition(f"sub-{of_folder}")
    if of_folder and tag and not before[-1:].isalnum() and not after[:1].isalnum():
        return of_folder
    of_file = _PERSON.findall(file)
    return str(of_file[-1]) if of_file else of_folder


def entities(relative: str, stem: str, ending: str) -> dict[str, str]:
    """What a file's name tells, ``sub`` and ``ses`` by its folders too.

    ``suffix``, ``extension`` and ``datatype`` are among the entities, as in pybids.

    Parameters
    ----------
    relative : its path below the input. stem, ending : its name in two.
    """
    found = {name: value for kind, name, value in _parts(stem) if kind == "entity"}
    whose = {"sub": participant_of(relative), "ses": (_SESSION.findall(relative) or [""])[-1]}
    found |= {name: label for name, label in whose.items() if label}
    suffix = _suffix(stem)
    folders = [part for part in PurePosixPath(relative).parts[:-1] if part in _DATATYPES]
    more = {"suffix": suffix, "extension": ending, "datatype": folders[-1] if folders else ""}
    return found | {name: value for name, value in more.items() if value}


def remainder(stem: str) -> str:
    """What is left of a stem without entities and a tractogram's suffix."""
    return "_".join(value for kind, _, value in _parts(stem) if kind == "word")


def _suffix(stem: str) -> str:
    last = stem.rpartition("_")[2]
    return last if "_" in stem and "-" not in last and (_is_bids(stem) or last in SUFFIXES) else ""


def _is_bids(stem: str) -> bool:
    return stem.startswith(("sub-", "tract-", "bundle-"))


def _parts(stem: str) -> Iterator[tuple[str, str, str]]:
    """The parts between underscores as (``entity`` or ``word``, entity's name, value); a tractogram's suffix is none.

    Words behind an entity that may tell the bundle belong to it, for names of bundles hold underscores: ``desc-CST_L``.
    """
    pieces = stem.split("_")
    if pieces[-1] in SUFFIXES:
        pieces.pop()
    told: list[tuple[str, str, str]] = []
    for piece in pieces:
        entity = _ENTITY.fullmatch(piece)
        if entity and (_KNOWN.fullmatch(entity[1]) or _is_bids(stem)):
            if (entity[1], entity[2]) != ("space", _COORDINATES):
                told.append(("entity", entity[1], entity[2]))
        elif told and piece != "dwi" and _names_bundle(told[-1][1], stem):
            told[-1] = ("entity", told[-1][1], f"{told[-1][2]}_{piece}")
        elif piece and piece != "dwi":
            told.append(("word", "", piece))
    yield from told


def _names_bundle(entity: str, stem: str) -> bool:
    return entity in BUNDLE_ENTITIES and (entity != "desc" or stem.endswith(SUFFIXES))
