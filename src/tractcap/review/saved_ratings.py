"""The files of ``OUTPUT/ratings``: one for each participant and rater, so that nobody writes into another's."""

import hashlib
import json
import os
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.files import clear_parts, read_text, taking_turns
from tractcap.records.rating_reasons import in_use
from tractcap.records.ratings_file import ENDING, RatingsTable, save

FOLDER = "ratings"

_LONGEST_LABEL = 40


@dataclass(frozen=True)
class SavedFile:
    """The name of a file of ratings and its text; or ``problem``, a sentence on why it can't be read."""

    name: str
    text: str
    problem: str = ""


class SavedRatings:
    """Reads and writes the ratings of an output folder.

    Parameters
    ----------
    output : pathlib.Path
        The folder; its ``ratings`` are made with the first rating.
    """

    def __init__(self, output: Path) -> None:
        columns = tomllib.loads(files("tractcap.reports").joinpath("rating_columns.toml").read_text(encoding="utf-8"))
        reasons, _problem = in_use(output)
        columns["reasons"]["Levels"] = {reason.name: reason.description for reason in reasons}
        self._columns = frozenset(columns)
        self._dictionary = json.dumps(columns, indent=2, ensure_ascii=False) + "\n"
        self.folder = output / FOLDER
        if self.folder.is_dir():
            clear_parts(self.folder, "")  # of a server that was killed

    def read_only(self) -> str:
        """Why ratings can't be saved, as a sentence; empty where they can."""
        folder = self.folder if self.folder.exists() else self.folder.parent
        return "" if os.access(folder, os.W_OK | os.X_OK) else f"The folder {folder.name} can’t be written here."

    def of(self, page: str) -> list[SavedFile]:
        """The files of a participant, by the name of its page, in the order of their names."""
        name = re.compile(rf"{re.escape(_stem(page))}(_rater-[^_]*)?{re.escape(ENDING)}")
        try:
            paths = sorted(path for path in self.folder.iterdir() if name.fullmatch(path.name))
        except FileNotFoundError:
            return []
        found = []
        for path in paths:
            with suppress(FileNotFoundError):  # gone meanwhile
                try:
                    found.append(SavedFile(path.name, read_text(path)))
                except RecordError as error:
                    problem = f"{path.name} holds no ratings that can be read: {error.why}."
                    found.append(SavedFile(path.name, "", problem))
        return found

    def save(self, page: str, text: str) -> list[SavedFile]:
        """Save ratings of a page: when this returns, they are on the disk.

        Parameters
        ----------
        page : str
            The page's name.
        text : str
            A table of ratings with its header, as a file of ratings has it.

        Returns
        -------
        list of SavedFile
            Of each rater's file the lines of the same tractograms, as they are saved now: they may be newer.

        Raises
        ------
        ValueError
            When the text is no such table; nothing is saved.
        RecordError
            When a rater's file can't be understood; it stays as it is, and other raters' ratings are saved.
        OSError
            When a file can't be written; it stays as it is.
        """
        table = RatingsTable.parse(text)
        if unknown := set(table.columns) - self._columns:
            raise ValueError(f"the column {min(unknown)} isn’t known: page and server are of different versions")
        if not all(raters := table.by_rater()):
            raise ValueError("a rating has no rater")
        self.folder.mkdir(exist_ok=True)
        saved, problems = [], []
        with taking_turns(self.folder / ".lock"):  # another server may save here too
            for rater, own in raters.items():
                path = self.folder / f"{_stem(page)}_rater-{label(rater)}{ENDING}"
                try:
                    saved.append(SavedFile(path.name, save(path, own, self._dictionary).text()))
                except RecordError as error:
                    problems.append(error)
        if problems:
            raise problems[0]
        return saved


def label(rater: str) -> str:
    """A rater's name as a BIDS label: letters and digits; eight more digits where that left something out of it."""
    plain = "".join(letter for letter in rater if letter.isascii() and letter.isalnum())[:_LONGEST_LABEL]
    return plain if plain == rater else plain + hashlib.sha256(rater.encode()).hexdigest()[:8]


def _stem(page: str) -> str:
    """How the names of files of ratings begin."""
    name = page.removesuffix(".html")
    return "tractograms" if name == "index" else name
