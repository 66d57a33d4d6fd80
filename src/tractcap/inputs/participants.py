"""Who is in a tree of folders that has no ``sub-`` and that no tool is known for. Standard library alone.

Where the same bundles lie in several folders whose paths differ at one level, that level names the people.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from tractcap.inputs.bundle_names import is_known
from tractcap.inputs.filenames import split_source
from tractcap.inputs.layouts import PARTICIPANT, Layout, bare_label


def by_folders(names: Iterable[str]) -> Layout | None:
    """The pattern by which folders name people, None where no bundle is in two folders.

    Where the paths differ at several levels, all of them make up the label: what may be two people is never one.
    """
    held: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = split_source(name)[0].rpartition("/")
        held.setdefault(folder, []).append(file)
    levels = {level for level, labels in _differing(held) if not all(map(_is_no_person, labels))}
    return _pattern(sorted(levels)) if levels else None


def by_label(name: str, labels: Collection[str]) -> Layout | None:
    """The pattern by which a path's folders name one of the participants that are asked for."""
    folders = name.split("/")[:-1]
    for first in range(len(folders)):
        for last in range(first + 1, min(first + 3, len(folders)) + 1):
            if bare_label("-".join(folders[first:last])) in labels:
                return _pattern(range(first, last))
    return None


def _is_no_person(label: str) -> bool:
    return is_known(label) or label.startswith("ses-")


def _pattern(levels: Collection[int]) -> Layout:
    numbered = {level: number for number, level in enumerate(levels, 1)}
    parts = [
        f"{{{PARTICIPANT}{'' if numbered[level] == 1 else numbered[level]}}}" if level in numbered else "*"
        for level in range(max(levels) + 1)
    ]
    return Layout("/".join([*parts, "**/{bundle}"]))


def _differing(held: dict[str, list[str]]) -> Iterator[tuple[int, set[str]]]:
    """Levels at which folders that hold the same files differ, and how they are called there."""
    alike: dict[tuple[int, str], tuple[set[str], set[int]]] = {}
    for folder, files in held.items():
        parts = folder.split("/") if folder else []
        for level, label in enumerate(parts):
            rest = "/".join([*parts[:level], "\0", *parts[level + 1 :]])
            labels, there = alike.setdefault((level, _blank(rest, label)), (set(), set()))
            those = {hash(_blank(file, label)) for file in files}
            if not there or those & there:
                labels.add(label)
            there |= those
    yield from ((level, labels) for (level, _), (labels, _) in alike.items() if len(labels) > 1)


def _blank(text: str, label: str) -> str:
    """A text in which a person's label, which names of files and folders may repeat, is nobody's."""
    if label not in text:
        return text
    return re.sub(rf"(?<![a-zA-Z0-9]){re.escape(label)}(?![a-zA-Z0-9])", "\0", text)
