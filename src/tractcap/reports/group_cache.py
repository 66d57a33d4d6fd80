"""The rows of the group's table in a database in the output: a rerun reads only records that are new or changed.

It is a cache: whatever it holds was read from records, and can be read again. One that isn't understood, or that
another version wrote, is made anew.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any

from tractcap.errors import TractcapError
from tractcap.records.check_sidecar import DONE, Value, place
from tractcap.records.ratings_file import RatedState
from tractcap.records.sidecar_fields import UNREADABLE, Variant
from tractcap.reports.check_results import ColumnMeaning, columns, read_checks
from tractcap.reports.group_rows import ComparedBundle, Row, Session, StoredChecks, row_of
from tractcap.reports.picture_sets import PictureSet, figures_folders, json_files, read_picture_set, record_files
from tractcap.version import __version__

DATABASE = ".tractcap-group.sqlite3"

Report = Callable[[int], None]
"""Is called now and then with a count, as a sign of life."""

_FORMAT = f"1 of tractcap {__version__}"
_TABLES = """
CREATE TABLE format (text TEXT);
CREATE TABLE folders (id INTEGER PRIMARY KEY, path BLOB UNIQUE);
CREATE TABLE shared (id INTEGER PRIMARY KEY, json TEXT UNIQUE);
CREATE TABLE records (
    folder INTEGER, name BLOB, stamp TEXT, kind INTEGER, session INTEGER, bundle INTEGER, tractogram TEXT, row TEXT,
    check_columns INTEGER, check_values TEXT, PRIMARY KEY (folder, name)
);
CREATE INDEX by_session ON records (kind, session, bundle);
CREATE INDEX by_bundle ON records (kind, bundle);
"""
_BUNDLE, _OVERVIEW, _LEFT_OUT = range(3)
_TOGETHER = 5000
"""Records after which what was read is kept, whatever happens then."""
_MEMORY = 32 * 2**20


class _UselessError(Exception):
    """A database holds what another version wrote."""


@contextmanager
def open_cache(output: Path, notes: list[str]) -> Iterator["RowCache"]:
    """Open the cache of an output, or make it; ``notes`` gets a sentence where it is made anew, or can't be kept.

    Raises
    ------
    TractcapError
        When another run uses it, or the disk is full.
    """
    path = output / DATABASE
    try:
        database = _connect(str(path))
    except (_UselessError, sqlite3.DatabaseError) as error:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TractcapError(
                f"another run of level group is at work in {output}: wait until it has ended."
            ) from None
        if code in (0, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            notes.append(f"{path} {error if code == 0 else f'is damaged ({error})'}: all records are read again.")
            path.unlink()
            database = _connect(str(path))
        else:  # a file system without locks, for example
            notes.append(f"{path} can't be used ({error}): the next run will read all records again.")
            database = _connect("")
    try:
        yield RowCache(database, output)
    except sqlite3.DatabaseError as error:
        if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            path.unlink(missing_ok=True)
            raise TractcapError(f"{path} is damaged ({error}), and is removed: run the group level again.") from None
        raise TractcapError(
            f"{path} can't be written ({error}): make room there, and run the group level again."
        ) from None
    finally:
        database.close()


def _connect(name: str) -> sqlite3.Connection:
    """A database that no other process uses meanwhile; one without a name is temporary."""
    database = sqlite3.connect(name, timeout=0, isolation_level=None)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute(f"PRAGMA cache_size = {-_MEMORY // 1024}")
        database.execute("BEGIN EXCLUSIVE")
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in _TABLES.split(";"):
                database.execute(statement)
            database.execute("INSERT INTO format VALUES (?)", (_FORMAT,))
        if database.execute("SELECT text FROM format").fetchall() != [(_FORMAT,)]:
            raise _UselessError("is another version's")
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 of an error that isn't SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


class RowCache:
    """What is known of all records of an output, once :meth:`update` has run."""

    def __init__(self, database: sqlite3.Connection, output: Path) -> None:
        self._database, self._output = database, output
        texts = database.execute("SELECT json, id FROM shared")
        self._ids: dict[Any, int] = dict(texts.fetchall())  # of texts, and of values that this run met
        self._texts = {number: text for text, number in self._ids.items()}
        self._values: dict[int, Any] = {}

    # from records to rows

    def update(self, report: Report) -> tuple[int, int]:
        """Read what is new or changed, forget what is gone.

        Returns
        -------
        How many records were read, and how many there are.
        """
        known = {os.fsdecode(path): number for path, number in self._database.execute("SELECT path, id FROM folders")}
        read = seen = 0
        self._database.execute("BEGIN")
        for folder in figures_folders(self._output):
            number = known.pop(folder.relative_to(self._output).as_posix(), None)
            stamps = dict(self._database.execute("SELECT name, stamp FROM records WHERE folder = ?", (number,)))
            files = json_files(folder)
            for name, checks in record_files(files):
                seen += 1
                report(seen)
                of_checks = (check + _stamp(files[place(folder, name[:-5], check).name]) for check in checks)
                stamp = " ".join([_stamp(files[name]), *of_checks])
                if stamps.pop(os.fsencode(name), None) == stamp:
                    continue
                number = self._number_of(folder) if number is None else number
                self._read(folder, number, name, checks, stamp)
                read += 1
                if read % _TOGETHER == 0:
                    self._database.execute("COMMIT")
                    self._database.execute("BEGIN")
            gone = ((number, name) for name in stamps)
            self._database.executemany("DELETE FROM records WHERE folder = ? AND name = ?", gone)
        for number in known.values():
            self._database.execute("DELETE FROM records WHERE folder = ?", (number,))
            self._database.execute("DELETE FROM folders WHERE id = ?", (number,))
        self._database.execute("COMMIT")
        return read, seen

    def _number_of(self, folder: Path) -> int:
        path = os.fsencode(folder.relative_to(self._output).as_posix())
        cursor = self._database.execute("INSERT INTO folders (path) VALUES (?)", (path,))
        return int(cursor.lastrowid or 0)

    def _read(self, folder: Path, number: int, name: str, checks: tuple[str, ...], stamp: str) -> None:
        """Read a record and those of its checks; of another program's file, a sentence is kept."""
        found = read_picture_set(self._output, folder, name, checks)
        key = (number, os.fsencode(name))
        if not found:
            self._database.execute("DELETE FROM records WHERE folder = ? AND name = ?", key)
            return
        if isinstance(found, str):
            values = (*key, stamp, _LEFT_OUT, None, None, "", _dump(found), None, None)
        else:
            values = (*key, *self._stored(found, stamp))
        self._database.execute("REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def _stored(self, picture_set: PictureSet, stamp: str) -> tuple[Any, ...]:
        row = row_of(picture_set)
        results = read_checks(self._output, picture_set.check_files)
        if any(result.record.status == DONE for result in results):
            row.flags = tuple(flag.name for result in results for flag in result.record.flags)
        found = list(columns(results))
        session, bundle = row.session, row.bundle
        fields = (row.status, row.values, row.warnings, row.why, row.stem, self._id(row.pictures), row.anchor)
        unsure = row.status == UNREADABLE or any(result.record.status == UNREADABLE for result in results)
        return (
            "" if unsure else stamp,  # it may be readable next time, though it is the same file
            _OVERVIEW if picture_set.overview else _BUNDLE,
            self._id((session.participant, session.label, session.folder)),
            self._id((bundle.key, bundle.readable, bundle.hemisphere, bundle.variant)),
            row.tractogram,
            _dump((*fields, None if row.flags is None else self._id(row.flags), _parts(row.state))),
            self._id(_dump([(name, meaning) for name, meaning, _ in found])) if found else None,
            _dump([None if value is None else str(value) for _, _, value in found]) if found else None,
        )

    def _id(self, value: Any) -> int:
        """The number of a tuple, or a text in JSON, that many rows have in common."""
        if value not in self._ids:
            text = value if isinstance(value, str) else _dump(value)
            if text not in self._ids:
                number = int(self._database.execute("INSERT INTO shared (json) VALUES (?)", (text,)).lastrowid or 0)
                self._ids[text], self._texts[number] = number, text
            self._ids[value] = self._ids[text]
        return self._ids[value]

    # from rows to tables

    def _value(self, number: int) -> Any:
        if number not in self._values:
            self._values[number] = json.loads(self._texts[number])
        return self._values[number]

    def sessions(self) -> dict[int, Session]:
        """The sessions by number."""
        numbers = self._database.execute("SELECT DISTINCT session FROM records WHERE kind = ?", (_BUNDLE,))
        return {number: Session(*self._value(number)) for (number,) in numbers.fetchall()}

    def bundles(self) -> dict[int, ComparedBundle]:
        """The bundles by number; several numbers may be of one, where records differ in its readable name."""
        numbers = self._database.execute("SELECT DISTINCT bundle FROM records WHERE kind = ?", (_BUNDLE,))
        bundles: dict[tuple[str, Variant], ComparedBundle] = {}
        found = {}
        for key, readable, hemisphere, pairs, number in sorted(
            (*self._value(number), number) for (number,) in numbers.fetchall()
        ):
            variant = tuple((name, label) for name, label in pairs)
            bundle = ComparedBundle(key, readable, hemisphere, variant)
            found[number] = bundles.setdefault((key, variant), bundle)
        return found

    def bundles_of_sessions(self) -> Iterator[tuple[int, int]]:
        """The number of each session that has each bundle."""
        yield from self._database.execute("SELECT DISTINCT session, bundle FROM records WHERE kind = ?", (_BUNDLE,))

    def rows(self, session: int, sessions: dict[int, Session], bundles: dict[int, ComparedBundle]) -> list[Row]:
        """A session's tractograms."""
        found = self._database.execute(
            "SELECT bundle, tractogram, row, check_columns, check_values FROM records WHERE kind = ? AND session = ?",
            (_BUNDLE, session),
        )
        return [self._row(sessions[session], bundles[bundle], *rest) for bundle, *rest in found]

    def overviews(self, session: int, of: Session) -> list[Row]:
        """A session's overviews."""
        found = self._database.execute(
            "SELECT bundle, tractogram, row FROM records WHERE kind = ? AND session = ?", (_OVERVIEW, session)
        )
        return [self._row(of, self._bundle(bundle), *rest) for bundle, *rest in found]

    def _bundle(self, number: int) -> ComparedBundle:
        key, readable, hemisphere, pairs = self._value(number)
        return ComparedBundle(key, readable, hemisphere, tuple((name, label) for name, label in pairs))

    def _row(
        self,
        session: Session,
        bundle: ComparedBundle,
        tractogram: str,
        text: str,
        check_columns: int | None = None,
        check_values: str = "",
    ) -> Row:
        status, values, warnings, why, stem, pictures, anchor, flags, state = json.loads(text)
        return Row(
            session, bundle, tractogram, status, tuple(values), warnings, why, stem, tuple(self._value(pictures)),
            anchor,
            None if flags is None else tuple(self._value(flags)),
            RatedState(*state),
            None if check_columns is None else (check_columns, check_values),
        )  # fmt: skip

    def values(self, bundle: int) -> Iterator[tuple[int, str, list[float | None]]]:
        """The session's number, the status and the measures of each tractogram of a bundle."""
        found = self._database.execute(
            "SELECT session, row FROM records WHERE kind = ? AND bundle = ?", (_BUNDLE, bundle)
        )
        for session, text in found:
            status, values = json.loads(text)[:2]
            yield session, status, values

    def __contains__(self, name: object) -> bool:
        """Whether there is a row of a tractogram, by its path as tables have it."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_tractogram ON records (tractogram)")
        found = self._database.execute("SELECT 1 FROM records WHERE kind = ? AND tractogram = ?", (_BUNDLE, name))
        return found.fetchone() is not None

    def left_out(self) -> list[str]:
        """Sentences on files that aren't tractcap's, in the order of their paths."""
        return [json.loads(text) for (text,) in self._by_path("row", _LEFT_OUT)]

    def check_columns(self) -> dict[str, ColumnMeaning]:
        """The columns of the table of checks, and what they mean, in the order of the records' paths."""
        lists = {number for (number,) in self._database.execute("SELECT DISTINCT check_columns FROM records")} - {None}
        found: dict[str, ColumnMeaning] = {}
        for (number,) in self._by_path("check_columns", _BUNDLE) if lists else ():
            if number in lists:
                lists.remove(number)
                for name, meaning in self._value(number):
                    found.setdefault(name, meaning)
            if not lists:
                break
        return found

    def _by_path(self, column: str, kind: int) -> Iterator[tuple[Any]]:
        folders = self._database.execute("SELECT path, id FROM folders").fetchall()
        for _, number in sorted((os.fsdecode(path).split("/"), number) for path, number in folders):
            yield from self._database.execute(
                f"SELECT {column} FROM records WHERE kind = ? AND folder = ? ORDER BY name",  # noqa: S608
                (kind, number),
            )

    def check_values(self, checks: StoredChecks) -> dict[str, Value]:
        """The checks' measures of a row, by their columns."""
        number, values = checks
        return dict(zip((name for name, _ in self._value(number)), json.loads(values), strict=True))


_parts = attrgetter(*RatedState.__slots__)

_dump = json.JSONEncoder(separators=(",", ":")).encode


def _stamp(state: os.stat_result | None) -> str:
    """Size and time of a file; different for the next of the same file where that may yet change unnoticed.

    Some file systems know whole seconds alone.
    """
    if state is None:
        return ""
    modified, now = state.st_mtime_ns, time.time_ns()
    unsure = f":{now}" if modified % 10**9 == 0 and now - modified < 2 * 10**9 else ""
    return f"{state.st_size}:{modified}{unsure}"
