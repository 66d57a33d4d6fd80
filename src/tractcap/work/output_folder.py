"""The output folder: it must be writable, and it is a BIDS derivative, with a description and a README.

What others have written stays: a README, further lines and keys, and the whole description of another tool's dataset.
"""

import fcntl
import filecmp
import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from tractcap.errors import RecordError, SettingsError
from tractcap.files import all_together, clear_parts, lock_open_file, read_bytes, read_text, write_text, write_whole
from tractcap.inputs import demo
from tractcap.limits.usage import in_memory
from tractcap.records import rating_reasons
from tractcap.records.dataset_description import NAME, Description
from tractcap.reports.picture_sets import FIGURES
from tractcap.version import __version__
from tractcap.work.outcome import JOURNALS

log = logging.getLogger("tractcap")

_VERSION = "1.10.0"
_LINKS = ("DatasetLinks", "SourceDatasets")

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
    "/.tractcap-group.sqlite3*",
    "/group_rows_*",
    "/group_checks.json",
    "/group_checks.tsv",
    "/group_tractograms.json",
    "/group_tractograms.tsv",
    "/failed",
    "/qc_studio",
    "/rating_reasons.tsv",
    "/ratings",
    "*_QC_status.tsv",
    "*_desc-ratings.json",
    "*_desc-ratings.tsv",
)
"""Logs are missing here: BIDS knows them."""


def check_output(output: Path) -> None:
    """Make the output folder and see that files can be written there.

    Raises
    ------
    SettingsError
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output) as probe:  # has no name that a death could leave
            probe.write(b"tractcap")
    except OSError as error:
        raise SettingsError(
            f"the output folder {output} can't be written ({error.strerror}): "
            f"give one that user {os.getuid()} may write to."
        ) from error
    if in_memory(output):
        log.warning("the output folder %s is on tmpfs: its files are memory, and count against the limit", output)


def keep_reasons(output: Path, reasons: Path | None) -> None:
    """Keep a lab's list of reasons for ratings in the output folder, where pages are made with it, also later."""
    path = output / rating_reasons.NAME
    if reasons is not None and not (path.is_file() and filecmp.cmp(reasons, path, shallow=False)):
        write_text(path, read_text(reasons))


@contextmanager
def workplace(parent: Path, source: Path) -> Iterator[Path]:
    """Yield the input: what was asked for, or for the word ``demo`` a temporary folder with the demo's bundles.

    The folder is made below ``parent`` and not in the system's, which may be memory.
    """
    if str(source) != demo.WORD:
        yield source
        return
    folder, name = parent if parent.is_dir() else Path(tempfile.gettempdir()), "tractcap-demo"
    clear_parts(folder, name)
    with all_together(folder, name) as unpacked:
        yield demo.unpack(unpacked)


@contextmanager
def at_work(output: Path, *, share: bool = False) -> Iterator[None]:
    """Mark the output as being worked on. Another run there is logged, and disturbs nothing.

    The mark is a lock, and gone with the process. Where the file system knows no locks nobody can tell.

    Parameters
    ----------
    share : this is one of several runs that are meant to work side by side.
    """
    path = output / JOURNALS / ".lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+")
    except OSError:
        yield  # a journal that can't be written is logged
        return
    with file:
        if not share and lock_open_file(file.fileno()) is False:
            log.warning(
                "another run is at work in %s. Nothing is lost by that, but both may draw the same, "
                "and pages and tables show what is there when they are written",
                output,
            )
        lock_open_file(file.fileno(), fcntl.LOCK_SH)  # for those that come
        yield


def describe_dataset(output: Path, source: Path | None, folders: Collection[str] = ()) -> None:
    """Mark the output as a BIDS derivative. What can't be written is logged, and stops nothing.

    Parameters
    ----------
    source : what is drawn, if it is known. folders : where pictures go, below the output.
    """
    steps: tuple[Callable[[], None], ...] = (
        partial(_write_description, output, source),
        partial(_write_bidsignore, output / ".bidsignore", folders),
        partial(_write_readme, output),
    )
    for step in steps:
        try:
            step()
        except RecordError as error:
            log.warning("%s It is left as it is", error)
        except OSError as error:
            log.warning("%s can't be written: %s", error.filename or "a file", error.strerror)


def _write_readme(output: Path) -> None:
    if not any(path.name.lower().startswith("readme") for path in output.iterdir()):
        write_text(output / "README.md", Path(__file__).with_name("output_readme.md").read_text(encoding="utf-8"))


def _write_description(output: Path, source: Path | None) -> None:
    """Write what is ours into the dataset's description, and leave another program's as it is."""
    path = output / NAME
    known = _read(path)
    ours = known is not None and any(program.name == "tractcap" for program in known.generated_by)
    if not ours and (path.exists() or path.is_symlink()):
        log.warning("%s was not written by tractcap, and is left as it is", path)
        return
    inside = container(os.environ, Path("/"))
    this = {"Name": "tractcap", "Version": __version__, **({"Container": inside} if inside else {})}
    others = [program.plain() for program in known.generated_by if program.name != "tractcap"] if known else []
    description = {
        "Name": "tractcap: pictures of tractograms",
        **(known.plain() if known else {}),
        "BIDSVersion": _VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [this, *others],
    }
    if source is not None:
        description = {key: value for key, value in description.items() if key not in _LINKS} | sources(output, source)
    order = dict.fromkeys(("Name", "BIDSVersion", "DatasetType", "GeneratedBy", *_LINKS, *description))
    ordered = {key: description[key] for key in order if key in description}
    write_text(path, json.dumps(ordered, indent=2, ensure_ascii=False) + "\n")


def _read(path: Path) -> Description | None:
    """What a description says; None where there is none, or it isn't understood."""
    try:
        return Description.load(path)
    except (FileNotFoundError, RecordError):
        return None


def container(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    """The container that this is run in, as ``GeneratedBy`` gives it; empty where it is none.

    Parameters
    ----------
    environ : the environment's variables. root : the root of the file system.
    """
    kinds = [kind for name, kind in _BY_VARIABLE.items() if environ.get(name)]
    kinds += [kind for name, kind in _BY_FILE.items() if (root / name).exists()]
    tag = environ.get(_CONTAINER_TAG)
    return {**({"Type": kinds[0]} if kinds else {}), **({"Tag": tag} if tag else {})}


def sources(output: Path, source: Path) -> dict[str, Any]:
    """What a description says of the dataset that was drawn, which may be nothing.

    A link is the relative address of a dataset that lies around the output or shares a dataset with it. Of any other it
    would say how the folders of this machine are called, and mean nothing elsewhere.
    """
    here, drawn = output.resolve(), source.resolve()
    root = next((folder for folder in (drawn, *drawn.parents) if (folder / NAME).is_file()), None)
    if root is None or root == here:
        return {}
    links: dict[str, Any] = {}
    common = Path(os.path.commonpath([here, root]))
    if common != here and (common.name == "derivatives" or (common / NAME).is_file()):
        links["DatasetLinks"] = {"source": quote(os.fsencode(os.path.relpath(root, here)))}
    if (description := _read(root / NAME)) and description.dataset_doi:
        links["SourceDatasets"] = [{"DOI": description.dataset_doi}]
    return links


def _write_bidsignore(path: Path, folders: Collection[str]) -> None:
    """Add the lines that are missing. The validator knows no folders but participants', so the others are named."""
    try:
        text = read_bytes(path)
    except FileNotFoundError:
        text = b""
    lines = list(_IGNORED)
    for folder in sorted({folder.split("/")[0] for folder in folders if not folder.startswith("sub-")} - {FIGURES}):
        if folder.isprintable():
            escaped = re.sub(r"([\\*?\[\]])", r"\\\1", folder)  # its characters stand for themselves
            lines.append(f"/{escaped[:-1]}\\ " if escaped.endswith(" ") else f"/{escaped}")
    missing = b"".join(line.encode() + b"\n" for line in lines if line.encode() not in text.splitlines())

    def write(file: BinaryIO) -> None:
        file.write(text + (b"\n" if text and not text.endswith(b"\n") else b"") + missing)

    if missing:
        write_whole(path, write)
