"""The output as a BIDS derivative: its description, what the BIDS validator shall pass over, and a README.

What others have written stays: a README, further lines and keys, and the whole description of another tool's dataset.
"""

import json
import logging
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from tractcap import __version__
from tractcap.errors import RecordError
from tractcap.files import read_bytes, write_text, write_whole
from tractcap.records import dataset_description
from tractcap.records.dataset_description import NAME, Description
from tractcap.reports.picture_sets import FIGURES

log = logging.getLogger("tractcap")

_VERSION = "1.10.0"
_OURS = ("BIDSVersion", "DatasetType", "GeneratedBy")

_CONTAINER_TAG = "TRACTCAP_CONTAINER_TAG"
"""Is set in the images, so that a description can say which it was."""

_BY_VARIABLE = {"APPTAINER_CONTAINER": "apptainer", "SINGULARITY_CONTAINER": "singularity"}
_BY_FILE = {"run/.containerenv": "podman", ".dockerenv": "docker"}

_IGNORED = (
    # without a slash behind: the validator doesn't take the folder itself for ignored otherwise
    f"/{FIGURES}",
    f"/sub-*/{FIGURES}",
    f"/sub-*/ses-*/{FIGURES}",
    "/*.html",
    "/group_checks.json",
    "/group_checks.tsv",
    "/group_tractograms.json",
    "/group_tractograms.tsv",
    "*_desc-ratings.json",
    "*_desc-ratings.tsv",
)
"""Logs are missing here: BIDS knows them."""

_README = """\
# Pictures of tractograms

These are pictures for the quality control of tractograms, drawn by tractcap. They are a BIDS derivative.

- `sub-<label>.html` shows a participant's tractograms, `group.html` everyone's. They work offline, as long as they lie
  beside the folders of the participants.
- `group_tractograms.tsv` has one line for each tractogram: what was counted and measured. `group_tractograms.json`
  tells what its columns mean.
- `group_checks.tsv` has one line for each tractogram that was checked: all that its checks measured.
- `sub-<label>/[ses-<label>/]figures/` has the pictures. The JSON file beside those of a tractogram says which file they
  were drawn from, and all that decides what they show.
- `logs/` has a journal of each run.

A rerun draws what is missing, or what another file, option or version had made. This file and what is added to
`dataset_description.json` and `.bidsignore` stay as they are.
"""


def describe_dataset(output: Path, source: Path | None, folders: Collection[str] = ()) -> None:
    """Mark the output as a BIDS derivative. What can't be written is said, and stops nothing.

    Parameters
    ----------
    source : what is drawn, if it is known. folders : where pictures go, below the output.
    """
    with _going_on():
        _write_description(output, source)
    with _going_on():
        _ignore(output / ".bidsignore", folders)
    with _going_on():
        if not any(path.name.lower().startswith("readme") for path in output.iterdir()):
            write_text(output / "README.md", _README)


@contextmanager
def _going_on() -> Iterator[None]:
    try:
        yield
    except RecordError as error:
        log.warning("%s It is left as it is", error)
    except OSError as error:
        log.warning("%s can't be written: %s", error.filename or "a file", error.strerror)


def _write_description(output: Path, source: Path | None) -> None:
    path = output / NAME
    known = _read(path)
    if known is not None and not _is_ours(known):
        known = None
    if known is None and (path.exists() or path.is_symlink()):
        log.warning("%s was not written by tractcap, and is left as it is", path)
        return
    others = [by.plain() for by in known.generated_by if by.name != "tractcap"] if known else []
    ours = _description(os.environ, Path("/"))
    made = {"Name": "tractcap: pictures of tractograms", **(known.plain() if known else {}), **ours}
    made["GeneratedBy"] += others
    if source is not None:
        made = {key: value for key, value in made.items() if key not in ("DatasetLinks", "SourceDatasets")}
        made |= sources(output, source)
    order = dict.fromkeys(("Name", *_OURS, "DatasetLinks", "SourceDatasets", *made))
    write_text(path, json.dumps({key: made[key] for key in order if key in made}, indent=2, ensure_ascii=False) + "\n")


def _description(environ: Mapping[str, str], root: Path) -> dict[str, Any]:
    inside = container(environ, root)
    by = {"Name": "tractcap", "Version": __version__, **({"Container": inside} if inside else {})}
    return {"BIDSVersion": _VERSION, "DatasetType": "derivative", "GeneratedBy": [by]}


def _read(path: Path) -> Description | None:
    """What a description says; None where there is none, or it isn't understood."""
    try:
        return dataset_description.load(path)
    except (FileNotFoundError, RecordError):
        return None


def _is_ours(known: Description) -> bool:
    return any(by.name == "tractcap" for by in known.generated_by)


def container(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    """The container that this is run in, as ``GeneratedBy`` tells it; empty where it is none.

    Parameters
    ----------
    environ : the environment's variables. root : the root of the file system.
    """
    kinds = [kind for name, kind in _BY_VARIABLE.items() if environ.get(name)]
    kinds += [kind for name, kind in _BY_FILE.items() if (root / name).exists()]
    tag = environ.get(_CONTAINER_TAG)
    return {**({"Type": kinds[0]} if kinds else {}), **({"Tag": tag} if tag else {})}


def sources(output: Path, source: Path) -> dict[str, Any]:
    """What a description says of the dataset that was drawn, which may be nothing."""
    here, asked = output.resolve(), source.resolve()
    root = next((folder for folder in (asked, *asked.parents) if (folder / NAME).is_file()), None)
    if root in (None, here):
        return {}
    link, described = _link(here, root), _read(root / NAME)
    told = {"SourceDatasets": [{"DOI": described.dataset_doi}]} if described and described.dataset_doi else {}
    return {**({"DatasetLinks": {"source": link}} if link else {}), **told}


def _link(output: Path, root: Path) -> str:
    """The relative address of a dataset that lies around the output or shares a dataset with it.

    Of any other it would tell how the folders of this machine are called, and mean nothing elsewhere.
    """
    common = Path(os.path.commonpath([output, root]))
    if common == output or not (common.name == "derivatives" or (common / NAME).is_file()):
        return ""
    return quote(os.fsencode(os.path.relpath(root, output)))


def _ignore(path: Path, folders: Collection[str]) -> None:
    """Add the lines that lack. The validator knows no folders but participants', so the others are named."""
    try:
        text = read_bytes(path)
    except FileNotFoundError:
        text = b""
    tops = {folder.split("/")[0] for folder in folders if not folder.startswith("sub-")} - {FIGURES}
    lines = [*_IGNORED, *(f"/{_plain(name)}" for name in sorted(tops) if name.isprintable())]
    missing = b"".join(line.encode() + b"\n" for line in lines if line.encode() not in text.splitlines())

    def write(file: BinaryIO) -> None:
        file.write(text + (b"\n" if text and not text.endswith(b"\n") else b"") + missing)

    if missing:
        write_whole(path, write)


def _plain(name: str) -> str:
    """A name whose characters stand for themselves in ``.bidsignore``."""
    escaped = re.sub(r"([\\*?\[\]])", r"\\\1", name)
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") else escaped
