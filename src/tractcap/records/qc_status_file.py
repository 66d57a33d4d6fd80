"""``*_QC_status.tsv``: ratings of Nipoppy's QC-Studio, and its ``qc.json``, which says what is rated there.

Source: https://github.com/nipoppy/qc-studio, ``ui/models/qc_models.py`` and ``ui/utils/export.py``.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import read_json, read_text, write_text
from tractcap.records.ratings_file import FAIL, PASS, UNDATED, UNSURE
from tractcap.records.tables import harmless

ENDING = "_QC_status.tsv"
PARTICIPANT, SESSION = "[[NIPOPPY_BIDS_PARTICIPANT_ID]]", "[[NIPOPPY_BIDS_SESSION_ID]]"
"""What stands for the participant and the session in the paths of ``qc.json``, with ``sub-`` and ``ses-``."""

DECISIONS = {PASS: "PASS", FAIL: "FAIL", UNSURE: "UNCERTAIN"}

_COLUMNS = (
    "qc_task", "participant_id", "session_id", "task_id", "run_id", "pipeline", "timestamp", "rater_id",
    "rater_experience", "rater_fatigue", "final_qc", "notes",
)  # fmt: skip
_NEEDED = ("qc_task", "participant_id", "rater_id", "final_qc")
_REASONS = re.compile(r"\[([A-Za-z0-9_,-]+)\] ?(.*)")
_BLANK = ("", "n/a", "nan", "none")


@dataclass(frozen=True, slots=True)
class QCStatus:
    """What a rater said of a task of a participant's session; labels are without ``sub-`` and ``ses-``."""

    task: str
    participant: str
    session: str
    rater: str
    rating: str
    reasons: tuple[str, ...]
    note: str
    at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """What is rated, as QC-Studio takes it: zeros before a label don't matter, since it reads them as numbers."""
        return key_of(self.participant, self.session, self.task)


def key_of(participant: str, session: str, task: str) -> tuple[str, str, str]:
    """What is rated: the labels without zeros before them, and the task."""
    bare = (re.sub(r"^(\d+)\.0$", r"\1", label).lstrip("0") for label in (participant, session))
    return (*bare, task)  # type: ignore[return-value]


def load(path: Path) -> tuple[list[QCStatus], int]:
    """Read a file of ratings; and how many lines hold none: undecided ones, and those of facets.

    Raises
    ------
    FileNotFoundError
        When there is none.
    RecordError
        When it isn't such a file.
    """
    table = csv.DictReader(io.StringIO(read_text(path), newline=""), dialect="excel-tab")
    try:
        rows, header = list(table), table.fieldnames or []
    except csv.Error as error:
        raise RecordError(path, f"it is no table ({error})") from None
    if lacking := [column for column in _NEEDED if column not in header]:
        raise RecordError(path, f"its first line doesn't name {' and '.join(lacking)}")
    words = {word: rating for rating, word in DECISIONS.items()}
    ratings = []
    for row in rows:
        cells = {name: _text(row.get(name)) for name in (*_COLUMNS, "facet")}
        rating = words.get(cells["final_qc"].upper())
        if rating is None or cells["facet"]:
            continue
        with_reasons = _REASONS.fullmatch(cells["notes"])
        reasons, note = (with_reasons[1].split(","), with_reasons[2]) if with_reasons else ([], cells["notes"])
        participant, session = cells["participant_id"].removeprefix("sub-"), cells["session_id"].removeprefix("ses-")
        ratings.append(
            QCStatus(
                cells["qc_task"], participant, session, cells["rater_id"], rating,
                tuple(filter(None, reasons)), note, _moment(cells["timestamp"]),
            )
        )  # fmt: skip
    return ratings, len(rows) - len(ratings)


def save(path: Path, ratings: Iterable[QCStatus], pipeline: str) -> None:
    """Write a file of ratings.

    Raises
    ------
    OSError
        When it can't be written.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, restval="", dialect="excel-tab", lineterminator="\n")
    table.writeheader()
    for rating in ratings:
        reasons = f"[{','.join(rating.reasons)}] " if rating.reasons else ""
        cells = {
            "qc_task": rating.task, "participant_id": rating.participant, "session_id": rating.session,
            "pipeline": pipeline, "timestamp": "" if rating.at == UNDATED else f"{rating.at:%Y-%m-%d %H:%M:%S}",
            "rater_id": "".join(rating.rater.split()), "final_qc": DECISIONS[rating.rating],
            "notes": f"{reasons}{rating.note}".strip(),
        }  # fmt: skip
        table.writerow({name: harmless(value) for name, value in cells.items()})
    write_text(path, text.getvalue())


def load_config(path: Path) -> dict[str, list[str]]:
    """Read a ``qc.json``: of each task the paths of its pictures, with placeholders in them.

    Raises
    ------
    FileNotFoundError
        When there is none.
    RecordError
        When it isn't such a file.
    """
    tasks: dict[str, list[str]] = {}
    for name, task in read_json(path).items():
        if not isinstance(task, dict):
            raise RecordError(path, f"its task “{name}” is no object")
        paths = task.get("montage_path", task.get("svg_montage_path"))  # as QC-Studio called it before
        listed = paths if isinstance(paths, list) else [paths]
        tasks[name] = [path for path in listed if isinstance(path, str)]
    return tasks


def save_config(path: Path, tasks: Mapping[str, tuple[str, Iterable[str]]]) -> None:
    """Write a ``qc.json``.

    Parameters
    ----------
    tasks : of each what people call it, and the paths of its pictures below the dataset, with :data:`PARTICIPANT` and
        :data:`SESSION` in them.

    Raises
    ------
    OSError
        When it can't be written.
    """
    content = {task: {"display_name": name, "montage_path": [*paths]} for task, (name, paths) in tasks.items()}
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return "" if text.lower() in _BLANK else text


def _moment(text: str) -> datetime:
    """When it was rated; QC-Studio's times have no zone, and are taken as UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return UNDATED
    return at if at.tzinfo else at.replace(tzinfo=UTC)
