"""Names of files: endings, and the entities that BIDS puts into them.

Standard library alone: the planner's process imports it.
"""

import re
from functools import lru_cache

ENDINGS = (".trk.gz", ".tck.gz", ".tt.gz", ".trk", ".tck", ".trx", ".vtk", ".vtp", ".fib", ".tt")
"""Endings of the formats that can be read, longest first."""

IMAGE_ENDINGS = (".nii.gz", ".mif.gz", ".nii", ".mif")
"""MRtrix's are read as peaks and ODFs alone."""

SUFFIXES = ("streamlines", "tractogram", "tractography")
"""Suffixes of tractograms' names: QSIRecon's, BEP046's, and pyAFQ's and the older draft's."""

BUNDLE_ENTITIES = ("tract", "bundle", "subset", "desc")
"""Entities that may name the bundle, in this order."""

_DATATYPES = {"anat", "dwi", "fmap", "func", "perf", "tractography"}

KNOWN_ENTITIES = (
    "acq|algo|atlas|bundles?|ce|cohort|den|desc|dir|echo|fit|from|hemi|label|mdp|method|mode|model|odfmodel|param|part|"
    "rec|recogmethod|res|run|seg|ses|space|stat|sub|subset|task|thresh|to|track|tract|trkmethod"
)
"""Entities that are understood in names that aren't BIDS's otherwise, as a regular expression."""

_KNOWN = re.compile(KNOWN_ENTITIES)

_SESSION = re.compile(r"(?<![a-zA-Z0-9])ses-([a-zA-Z0-9+]+)")
_PERSON = re.compile(r"(?<![a-zA-Z0-9])sub-([a-zA-Z]+_[0-9]+(?![a-zA-Z0-9])|[a-zA-Z0-9+]+(?:-[a-zA-Z0-9+]+)*)")
"""In a file's name; ``sub-HC_02`` isn't a label of BIDS, but one person's all the same."""
_PERSONS_FOLDER = re.compile(r"sub-(.+?)(?:_[a-zA-Z]+-.*)?")

_ENTITY = re.compile(r"([a-zA-Z]+)-(.+)")
_COORDINATES = "RASMM"
"""pyAFQ once wrote it as a second space: it says how coordinates are meant, not what they are aligned to."""


def split_name(name: str) -> tuple[str, str]:
    """Split a tractogram's name into its stem and its ending in lower case (``""`` for another file)."""
    return _split(name, ENDINGS)


def split_image(name: str) -> tuple[str, str]:
    """Split an image's name in the same way."""
    return _split(name, IMAGE_ENDINGS)


def _split(name: str, endings: tuple[str, ...]) -> tuple[str, str]:
    lower = name[-len(endings[0]) :].lower()
    if lower.endswith(endings):
        for ending in endings:
            if lower.endswith(ending) and len(name) > len(ending):
                return name[: -len(ending)], ending
    return name, ""


def split_source(name: str) -> tuple[str, str]:
    """Split a tractogram's name in the same way, or that of the JSON file that stands for an empty one."""
    return (name.removesuffix(".json"), ".json") if name.endswith(".json") else split_name(name)


@lru_cache(maxsize=16)  # it is asked for several times of a path
def participant_of(relative: str) -> str:
    """The participant's label, by ``sub-`` in any part of a path; the last one counts. Empty where there is none."""
    *folders, file = relative.split("/")
    of_folder = next((match[1] for part in reversed(folders) if (match := _PERSONS_FOLDER.fullmatch(part))), "")
    before, tag, after = file.partition(f"sub-{of_folder}")
    if of_folder and tag and not before[-1:].isalnum() and not after[:1].isalnum():
        return of_folder
    of_file = _PERSON.findall(file)
    return str(of_file[-1]) if of_file else of_folder


def entities(relative: str, stem: str, ending: str) -> dict[str, str]:
    """The entities in a file's name, and ``sub`` and ``ses`` in its folders'.

    ``suffix``, ``extension`` and ``datatype`` are among the entities, as in pybids.

    Parameters
    ----------
    relative : its path below the input.
    stem, ending : its name without its ending, and the ending.
    """
    last = stem.rpartition("_")[2]
    has_suffix = "_" in stem and "-" not in last and (_is_bids(stem) or last in SUFFIXES)
    folders = [part for part in relative.split("/")[:-1] if part in _DATATYPES]
    by_name = {name: label for name, label in _parts(stem) if name}
    by_path = {
        "sub": participant_of(relative),
        "ses": (_SESSION.findall(relative) or [""])[-1],
        "suffix": last if has_suffix else "",
        "extension": ending,
        "datatype": folders[-1] if folders else "",
    }
    return by_name | {name: label for name, label in by_path.items() if label}


def remainder(stem: str) -> str:
    """A stem without its entities and without a tractogram's suffix."""
    return "_".join(word for name, word in _parts(stem) if not name)


def _is_bids(stem: str) -> bool:
    return stem.startswith(("sub-", "tract-", "bundle-"))


def _parts(stem: str) -> list[tuple[str, str]]:
    """The parts between underscores as an entity's name (empty for a mere word) and its label or the word.

    A tractogram's suffix is left out. Words behind an entity that may name the bundle belong to it, since names of
    bundles hold underscores: ``desc-CST_L``.
    """
    pieces = stem.split("_")
    if pieces[-1] in SUFFIXES:
        pieces.pop()
    parts: list[tuple[str, str]] = []
    for piece in pieces:
        match = _ENTITY.fullmatch(piece)
        if match and (_KNOWN.fullmatch(match[1]) or _is_bids(stem)):
            if (match[1], match[2]) != ("space", _COORDINATES):
                parts.append((match[1], match[2]))
        elif piece and piece != "dwi":
            name, label = parts[-1] if parts else ("", "")
            if name in BUNDLE_ENTITIES and (name != "desc" or stem.endswith(SUFFIXES)):
                parts[-1] = (name, f"{label}_{piece}")
            else:
                parts.append(("", piece))
    return parts
