"""What every record tells first: whose it is, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tractcap.records.json_record import JsonRecord, Label
from tractcap.version import __version__

DRAWN, FAILED, DAMAGED, EMPTY, MISSING = "drawn", "failed", "damaged", "empty", "missing"
"""What a record says of its tractogram."""

UNREADABLE = "unreadable"
"""What is told of a record that can't be understood."""

STATUSES = {
    DRAWN: "pictures of it were made",
    FAILED: "it could not be drawn",
    DAMAGED: "its file isn't what its name says",
    UNREADABLE: "the JSON file that tells of it can't be understood: run the participant level again",
    EMPTY: "it holds no streamlines",
    MISSING: "its file isn't there, or other participants have the bundle and this one has not",
}
"""What became of a tractogram, and what that means: the same words in pages, tables, JSON files and the log."""

Variant = tuple[tuple[str, str], ...]
"""Entities and their labels, such as run and model."""

BUNDLE, OVERVIEW, CHECK = "bundle", "overview", "check"
"""Kinds of records."""


@dataclass(frozen=True, kw_only=True)
class BundleRecord(JsonRecord):
    """A bundle's name: ``original`` is the file's, ``key`` the same for all tools, ``readable`` for people."""

    original: str = ""
    key: str
    readable: str
    hemisphere: str = ""


@dataclass(frozen=True, kw_only=True)
class Program(JsonRecord):
    """What made a record, or a dataset."""

    name: str
    version: str = ""


THIS_PROGRAM = Program(name="tractcap", version=__version__)


@dataclass(frozen=True, kw_only=True)
class Identity(JsonRecord):
    """``participant`` and ``session`` are labels without ``sub-`` and ``ses-``, empty where there is none.

    ``status`` is what became of it. ``title`` names it in pictures. ``variant`` is what sets a tractogram apart from
    others of the bundle in its session.
    """

    kind: str
    status: str
    participant: Label
    session: Label
    title: str
    bundle: BundleRecord
    variant: Mapping[str, str] = field(default_factory=dict)
