"""Layouts: patterns of paths that say which participant, session and bundle a tractogram is of. Standard library alone.

``{participant}/wave{session}/tracts/{bundle}.trk`` is one: the path below the input. The user may give layouts; the
table ``layouts.toml`` has those of the field's tools; for other trees without ``sub-`` they are derived from folders.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path

from tractcap.errors import SettingsError
from tractcap.inputs.bundle_names import is_known
from tractcap.inputs.filenames import KNOWN_ENTITIES, split_source

PARTICIPANT, SESSION, BUNDLE, GROUP = "participant", "session", "bundle", "group"

_TOKEN = re.compile(r"\{(?P<field>[a-z]+[0-9]?)(?::(?P<words>[^{}/]+))?\}|(?P<folders>(?:\*\*/)+)|(?P<star>\*+)")
_FIELDS = re.compile(rf"({PARTICIPANT}[2-9]?|{SESSION}|{BUNDLE}|{GROUP}|{KNOWN_ENTITIES})")

_MOST_READINGS = 10_000
"""Readings of a path that are tried; a pattern that allows so many is refused as ambiguous."""


@dataclass(frozen=True)
class Layout:
    """How a path says which participant and bundle a tractogram is of.

    Parameters
    ----------
    text : folders and a name, with ``{participant}``, ``{session}``, ``{bundle}``, ``{group}`` and BIDS entities
        such as ``{run}`` in their places. ``{desc:rec|org}`` stands for either of these words, ``*`` for any part of a
        name and ``**/`` for any number of folders. Without an ending such as ``.trk`` it fits files of all formats. A
        participant's label may be in two parts, ``{participant}`` and ``{participant2}``.
    tool : the tool that leaves such paths. Its folder may be anywhere; any other pattern begins at the input.
    """

    text: str
    tool: str = ""

    def checked(self) -> "Layout":
        """The layout itself.

        Raises
        ------
        SettingsError
            When the text isn't a pattern.
        """
        fields = [match["field"] for match in _TOKEN.finditer(self.text) if match["field"]]
        if unknown := [field for field in fields if not _FIELDS.fullmatch(field)]:
            raise SettingsError(
                f"--layout {self.text!r} has {{{unknown[0]}}}: give {{participant}}, {{session}}, {{bundle}}, "
                "{group} or an entity of BIDS, such as {run}."
            )
        if PARTICIPANT not in fields or "{" in _TOKEN.sub("", self.text) or self.text.startswith("/"):
            raise SettingsError(
                f"--layout {self.text!r} is not a pattern of paths below INPUT with a participant: give one such as "
                "'{participant}/wave{session}/tracts/{bundle}.trk'."
            )
        return self

    def match(self, name: str) -> dict[str, str] | None:
        """The labels in a path, by the names in the braces; None where the path doesn't fit.

        Raises
        ------
        SettingsError
            When it can be read in several ways.
        """
        if self.tool and self._longest_literal not in name:  # most paths are none of this tool
            return None
        path, ending = split_source(name)
        if self._ending not in ("", ending) and ending != ".json":
            return None
        if self.tool:
            matches = (regex.fullmatch(path) for regex in self._tool_regexes)
            return next((match.groupdict() for match in matches if match), None)
        lazy, greedy = (_regex(self._body, many).fullmatch(path) for many in ("+?", "+"))
        if lazy is None or greedy is None:
            return None
        if lazy.groupdict() == greedy.groupdict():
            return lazy.groupdict()
        some = list(islice(_readings(list(_tokens(self._body)), path, {}), _MOST_READINGS))
        readings = list({tuple(sorted(reading.items())): reading for reading in some}.values())
        if len(some) < _MOST_READINGS and len(readings) > 1:
            readings = [reading for reading in readings if is_known(reading.get(BUNDLE, ""))] or readings
        if len(some) == _MOST_READINGS or len(readings) > 1:
            labels = " and ".join(reading.get(PARTICIPANT, "") for reading in readings[:2])
            raise SettingsError(
                f"{name} fits --layout {self.text!r} in several ways, such as participant {labels}: "
                "give a pattern in which no part can be taken for another."
            )
        return readings[0]

    def may_hold(self, folder: str, participants: Collection[str]) -> bool:
        """Whether a folder may hold tractograms of these participants, as far as its path says."""
        parts = self.text.split("/")[:-1]
        for name, pattern in zip(folder.split("/"), parts, strict=False):
            if pattern == "**":
                return True
            match = _regex(pattern, "+?").fullmatch(name)
            if match is None:
                return False
            label = match.groupdict().get(PARTICIPANT)
            if label is not None and not self.has_label_in_parts:
                return bare_label(label) in participants
        return folder.count("/") < len(parts)

    @property
    def has_label_in_parts(self) -> bool:
        """Whether a participant's label is in two parts of the path."""
        return f"{{{PARTICIPANT}2}}" in self.text

    @cached_property
    def _ending(self) -> str:
        return split_source(self.text)[1]

    @property
    def _body(self) -> str:
        return self.text.removesuffix(self._ending)

    @cached_property
    def _longest_literal(self) -> str:
        return max((part.strip("/") for part in re.split(r"\{[^}]*\}|\*", self._body)), key=len)

    @cached_property
    def _tool_regexes(self) -> list["re.Pattern[str]"]:
        """For the whole pattern below any folder, then for what is left of it where the input is one of its folders."""
        parts = self._body.split("/")
        shorter = ["/".join(parts[start:]) for start in range(1, len(parts))]
        inside = [text for text in shorter if f"{{{BUNDLE}}}" in text and f"{{{PARTICIPANT}" not in text]
        return [re.compile(f"(?:.*/)?{_regex(self._body, '+?').pattern}"), *(_regex(text, "+?") for text in inside)]


def bare_label(label: str) -> str:
    """A participant's label without ``sub-``, and without entities behind it."""
    return re.sub(r"_[a-zA-Z]+-.*", "", label.removeprefix("sub-")) if label.startswith("sub-") else label


KNOWN = tuple(
    Layout(pattern, tool)
    for tool, table in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
    for pattern in table["patterns"]
)
"""The layouts of the field's tools, of which the first that fits counts."""


def known(name: str) -> Layout | None:
    """The first of the tools' layouts that a path fits."""
    return next((layout for layout in KNOWN if layout.match(name) is not None), None)


def fitting(name: str, layouts: Sequence[Layout]) -> Layout | None:
    """The first of the user's layouts that a path fits.

    Raises
    ------
    SettingsError
        When it fits two that read it differently, or one in several ways.
    """
    readings = {layout: labels for layout in layouts if (labels := layout.match(name)) is not None}
    first, *others = readings or (None,)
    if first and (other := next((layout for layout in others if readings[layout] != readings[first]), None)):
        raise SettingsError(
            f"{name} fits two layouts, {first.text!r} and {other.text!r}: give patterns of which each path fits one."
        )
    return first


def from_folders(names: Iterable[str]) -> Layout | None:
    """The layout by which folders stand for participants: where the same bundles are in several of them.

    Where the paths differ at several levels, all of these make up the label, so that two people are never taken for
    one. None where no bundle is in two folders, or the folders are sessions or bundles.
    """
    files_of: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = split_source(name)[0].rpartition("/")
        files_of.setdefault(folder, []).append(file)
    # folders whose paths are alike but for one level: their labels there, and hashes of the files that they hold
    alike: dict[tuple[int, str], tuple[set[str], set[int]]] = {}
    for folder, files in files_of.items():
        parts = folder.split("/") if folder else []
        for level, label in enumerate(parts):
            rest = "/".join([*parts[:level], "\0", *parts[level + 1 :]])
            labels, known_files = alike.setdefault((level, _without_label(rest, label)), (set(), set()))
            own = {hash(_without_label(file, label)) for file in files}
            if not known_files or known_files & own:
                labels.add(label)
            known_files |= own
    levels = {
        level
        for (level, _), (labels, _) in alike.items()
        if len(labels) > 1 and not all(is_known(label) or label.startswith("ses-") for label in labels)
    }
    return _with_participant_at(sorted(levels)) if levels else None


def from_labels(name: str, labels: Collection[str]) -> Layout | None:
    """The layout by which folders of a path stand for one of these participants."""
    folders = name.split("/")[:-1]
    for first in range(len(folders)):
        for last in range(first + 1, min(first + 3, len(folders)) + 1):
            if bare_label("-".join(folders[first:last])) in labels:
                return _with_participant_at(range(first, last))
    return None


def _without_label(text: str, label: str) -> str:
    """A path or name with a participant's label, which files may repeat, blanked out."""
    if label not in text:
        return text
    return re.sub(rf"(?<![a-zA-Z0-9]){re.escape(label)}(?![a-zA-Z0-9])", "\0", text)


def _with_participant_at(levels: Sequence[int]) -> Layout:
    parts = ["*"] * (levels[-1] + 1)
    for number, level in enumerate(levels, 1):
        parts[level] = f"{{{PARTICIPANT}{'' if number == 1 else number}}}"
    return Layout("/".join([*parts, "**/{bundle}"]))


@lru_cache(maxsize=256)
def _regex(text: str, many: str) -> "re.Pattern[str]":
    """A pattern as a regular expression; ``many`` is ``+`` for parts as long as can be, ``+?`` for short ones."""
    parts: list[str] = []
    for kind, value in _tokens(text):
        if kind == "text":
            parts.append(re.escape(value))
        elif kind == "*":
            parts.append("[^/]*" + many.removeprefix("+"))
        elif kind == "**/":
            parts.append("(?:[^/]+/)*")
        else:
            words = "|".join(map(re.escape, value.split("|"))) if value else f"[^/]{many}"
            parts.append(f"(?P={kind})" if f"(?P<{kind}>" in "".join(parts) else f"(?P<{kind}>{words})")
    return re.compile("".join(parts) + "$")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a pattern: ``text``, ``*``, ``**/`` or a field's name, and its text or words."""
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield "text", text[end : match.start()]
        yield match["field"] or ("**/" if match["folders"] else "*"), match["words"] or ""
        end = match.end()
    if end < len(text):
        yield "text", text[end:]


def _readings(tokens: Sequence[tuple[str, str]], text: str, labels: dict[str, str]) -> Iterator[dict[str, str]]:
    """All ways in which a text fits a pattern, as the labels that each gives."""
    if not tokens:
        if not text:
            yield labels
        return
    (kind, value), rest = tokens[0], tokens[1:]
    if kind == "text" or kind in labels:
        wanted = value if kind == "text" else labels[kind]
        taken = [wanted] if text.startswith(wanted) else []
    elif kind == "**/":
        taken = ["", *(text[: match.end()] for match in re.finditer("/", text))]
    else:
        longest = text.split("/", 1)[0]
        taken = [longest[:end] for end in range(0 if kind == "*" else 1, len(longest) + 1)]
        taken = [part for part in taken if not value or part in value.split("|")]
    for part in taken:
        field = {} if kind in ("text", "*", "**/") else {kind: part}
        yield from _readings(rest, text[len(part) :], labels | field)
