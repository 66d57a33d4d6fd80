"""What every record tells first: whose it is, and what became of it."""

from dataclasses import dataclass

from tractcap.records.values import Values

DRAWN, FAILED, EMPTY = "drawn", "failed", "empty"
"""What a record says of its tractogram."""

MISSING, UNREADABLE = "missing", "unreadable"
"""What is told where no record says anything: there is none, or it can't be understood."""

STATUSES = {
    DRAWN: "pictures of it were made",
    FAILED: "it could not be read or drawn",
    EMPTY: "it holds no streamlines",
    UNREADABLE: "the JSON file beside its pictures can't be understood: run the participant level again",
    MISSING: "other participants have the bundle, this one has not",
}
"""What became of a tractogram, and what that means: the same words in pages, tables, JSON files and the log."""

BUNDLE, OVERVIEW, CHECK = "bundle", "overview", "check"
"""Kinds of records."""


@dataclass(frozen=True, kw_only=True)
class Bundle(Values):
    """A bundle's name: ``original`` is the file's, ``key`` the same for all tools, ``readable`` for people."""

    original: str = ""
    key: str
    readable: str
    hemisphere: str = ""


@dataclass(frozen=True, kw_only=True)
class Program(Values):
    """What made a record, or a dataset."""

    name: str
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Whose(Values):
    """``participant`` and ``session`` are labels without ``sub-`` and ``ses-``, empty where there is none."""

    kind: str
    status: str
    participant: str
    session: str
    title: str
    bundle: Bundle
