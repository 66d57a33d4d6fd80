"""Ratings that Nipoppy's QC-Studio and tractcap exchange: see :mod:`tractcap.records.qc_status_file`."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.records.qc_status_file import (
    ENDING,
    PARTICIPANT,
    SESSION,
    QCStatus,
    key_of,
    load,
    load_config,
    save,
    save_config,
)
from tractcap.records.ratings_file import Rating
from tractcap.records.tables import cell
from tractcap.reports.group_rows import Row, Session
from tractcap.reports.ratings import Ratings, TractogramRatings, files_below
from tractcap.version import __version__

FOLDER = "qc_studio"
"""What is written for QC-Studio lies here; its own files are read from anywhere else below the output."""


def read_qc_status(output: Path, rows: Callable[[], Iterable[Row]], ratings: Ratings) -> None:
    """Take QC-Studio's ratings too.

    Parameters
    ----------
    rows : gives the tractograms; it is called only where there are such ratings.
    ratings : to which they, and sentences on what is left out, are added.
    """
    found = _read_files(output, ratings)
    if not found:
        return
    unmatched = Counter(name for given in found.values() for name, _ in given)
    names = _names_in_configs(output, ratings)
    for row in rows():
        if not row.tractogram or not row.pictures:
            continue
        for task in {task_of(row), *names.get(_picture(_template(row)), ())}:
            for name, status in found.get(key_of(row.session.participant, row.session.label, task), ()):
                rating = (status.rating, status.note, status.at, status.reasons)
                ratings.add(Rating(cell(row.tractogram), status.rater, *rating))
                unmatched[name] -= 1
    for name, count in unmatched.items():
        if count:
            what = "lines are of tasks, participants or sessions that aren't here, and are left out."
            ratings.problems.append(f"{name}: {count:,} {what}")


def _read_files(output: Path, ratings: Ratings) -> dict[tuple[str, str, str], list[tuple[str, QCStatus]]]:
    """All of QC-Studio's ratings with the names of their files, by what they rate."""
    found: dict[tuple[str, str, str], list[tuple[str, QCStatus]]] = defaultdict(list)
    for path in files_below(output, ENDING):
        name = path.relative_to(output).as_posix()
        if name.startswith(f"{FOLDER}/"):
            continue
        try:
            given, without = load(path)
        except FileNotFoundError:
            continue  # gone meanwhile
        except RecordError as error:
            ratings.problems.append(f"{name} holds no ratings that can be read: {error.why}.")
            given, without = [], 0
        ratings.files += 1
        if without:
            ratings.problems.append(f"{name}: {without:,} lines have no final_qc of PASS, FAIL or UNCERTAIN.")
        for status in given:
            found[status.key].append((name, status))
    return found


class QCStudioFiles:
    """A ``qc.json`` of all bundles of participants, and a file of ratings for each rater.

    Ratings of an earlier state of a file aren't written: QC-Studio couldn't tell them from others.

    Parameters
    ----------
    ratings : the ratings of a row's tractogram.
    """

    def __init__(self, output: Path, ratings: Callable[[Row], TractogramRatings]) -> None:
        self._output, self._ratings = output, ratings
        self._tasks: dict[str, tuple[str, dict[str, None]]] = {}
        self._given: dict[str, list[QCStatus]] = defaultdict(list)

    def taking(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, of which what the files say is kept."""
        for row in rows:
            if row.session.participant and row.pictures:
                self._take(row)
            yield row

    def _take(self, row: Row) -> None:
        task = task_of(row)
        self._tasks.setdefault(task, (row.bundle.readable or row.bundle.key or task, {}))[1][_template(row)] = None
        for rating in self._ratings(row).present:
            session = row.session
            what = (rating.rating, rating.reasons, rating.note, rating.at)
            self._given[rating.rater or "unnamed"].append(
                QCStatus(task, session.participant, session.label, rating.rater or "unnamed", *what)
            )

    def write(self) -> list[Path]:
        """Write the files, when all rows were taken; returns their paths."""
        folder = self._output / FOLDER
        paths = [folder / f"{_label(rater)}{ENDING}" for rater in self._given]
        for path in folder.glob(f"*{ENDING}"):
            if path not in paths:
                path.unlink()  # of a rater of an earlier run
        if not self._tasks:
            return []
        folder.mkdir(exist_ok=True)
        save_config(folder / "qc.json", self._tasks)
        for path, statuses in zip(paths, self._given.values(), strict=True):
            save(path, statuses, f"tractcap-{__version__}")
        return [folder / "qc.json", *paths]


def task_of(row: Row) -> str:
    """A bundle's name in ``qc.json``: that of its pictures, without participant and session."""
    return _replaced(row.stem.rpartition("/")[2], row.session, ("", "")).strip("_")


def _template(row: Row) -> str:
    """The path of the mosaic, with participant and session left open."""
    path = row.stem + row.pictures[-1]
    return "/".join(_replaced(part, row.session, (f"{PARTICIPANT}_", f"{SESSION}_")) for part in path.split("/"))


def _replaced(name: str, session: Session, words: tuple[str, str]) -> str:
    """A name with other words in place of participant and session, each with an underscore behind it."""
    for entity, label, word in zip(("sub", "ses"), (session.participant, session.label), words, strict=True):
        if label:
            name = f"_{name}_".replace(f"_{entity}-{label}_", f"_{word}")[1:-1]
    return name


def _picture(path: str) -> str:
    """The name of a picture's file without what it shows."""
    return path.rpartition("/")[2].removesuffix(".png").rpartition("_")[0]


def _names_in_configs(output: Path, ratings: Ratings) -> dict[str, set[str]]:
    """What tasks are called in files ``qc.json`` that others wrote, by the names of pictures that they show."""
    names: dict[str, set[str]] = defaultdict(set)
    for path in files_below(output, "qc.json"):
        name = path.relative_to(output).as_posix()
        if name.startswith(f"{FOLDER}/"):
            continue
        try:
            tasks = load_config(path)
        except FileNotFoundError:
            continue  # gone meanwhile
        except RecordError as error:
            ratings.problems.append(f"{name} says nothing of tasks that can be read: {error.why}.")
            continue
        for task, paths in tasks.items():
            for picture in paths:
                names[_picture(picture)].add(task)
    return names


def _label(rater: str) -> str:
    """A rater's name as that of a file."""
    plain = re.sub(r"[^A-Za-z0-9-]", "", rater)[:40]
    return plain if plain == rater else plain + hashlib.sha256(rater.encode(errors="replace")).hexdigest()[:8]
