"""What the labels of an image are called, and their colours: from a table that was given, or that lies beside it.

BIDS has ``_dseg.tsv`` with the columns index, name and color, which may lie in a folder above too
(https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html#common-image-derived-labels). FreeSurfer's
tables of colours have lines such as ``17 Left-Hippocampus 220 216 20 0``
(https://surfer.nmr.mgh.harvard.edu/fswiki/LabelsClutsAnnotationFiles).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tractcap.errors import InputError, RecordError
from tractcap.files import read_text

Color = tuple[int, int, int]

_IMAGE = re.compile(r"(.+?)(?:\.nii|\.mgh|\.mgz|\.img|\.hdr)?(?:\.gz)?")
_DESCRIPTION = "dataset_description.json"
_OTHERS = ("labels.txt", "FreeSurferColorLUT.txt")
"""Tables that are of all images in their folder."""

_LINE = re.compile(r"\s*([0-9]+)\s+(\S.*?)\s*")
_WITH_COLOR = re.compile(r"(\S.*?)\s+([0-9]{1,3})\s+([0-9]{1,3})\s+([0-9]{1,3})(?:\s+[0-9]+)?")
_HEX = re.compile("#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


@dataclass(frozen=True)
class LabelTable:
    """The names and colours of labels, by their numbers, as far as a table has them."""

    path: Path
    names: dict[int, str] = field(default_factory=dict)
    colors: dict[int, Color] = field(default_factory=dict)


def find_label_table(image: Path) -> Path | None:
    """The table of an image's labels: the one of its own name, one above it in its dataset, or its folder's."""
    match = _IMAGE.fullmatch(image.name)
    stem = match[1] if match else image.name
    own = [image.with_name(f"{stem}{ending}") for ending in (".tsv", ".txt", "_LUT.txt")]
    others = [image.with_name(name) for name in _OTHERS]
    return next((path for path in (*own, *_inherited(image, stem), *others) if path.is_file()), None)


def _inherited(image: Path, stem: str) -> Iterator[Path]:
    """Tables in an image's folder and those above in its dataset, all parts of whose names are in the image's name."""
    parts, folders = set(stem.split("_")), [image.parent, *image.parent.parents]
    top = next((number for number, folder in enumerate(folders) if (folder / _DESCRIPTION).is_file()), 0)
    if not stem.endswith("_dseg"):
        return
    for folder in folders[: top + 1]:
        tables = [path for path in folder.glob("*dseg.tsv") if set(path.stem.split("_")) <= parts]
        yield from sorted(tables, key=lambda path: (-len(path.stem.split("_")), path.name))


def read_label_table(path: Path) -> LabelTable:
    """Read a table. A label that it calls by different names has none.

    Raises
    ------
    InputError
        When it can't be read, or names no label.
    """
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise InputError(f"{path} doesn't exist: give a table of labels, such as a dseg.tsv.") from None
    except RecordError as error:
        raise InputError(f"{path} can't be read as a table of labels: {error.why}.") from None
    table, ambiguous = LabelTable(path), set()
    try:
        for label, name, color in (_rows_of_tsv if path.suffix == ".tsv" else _rows_of_lut)(text):
            if table.names.setdefault(label, name) != name:
                ambiguous.add(label)
            if color:
                table.colors[label] = color
    except (csv.Error, ValueError) as error:  # a field or a number that is too long
        raise InputError(f"{path} can't be read as a table of labels: {error}.") from None
    for label in ambiguous:  # keeps its number, as those without a name do
        del table.names[label]
        table.colors.pop(label, None)
    if not table.names:
        lines = "lines such as '17 Left-Hippocampus 220 216 20 0'"
        wanted = "columns index and name" if path.suffix == ".tsv" else lines
        raise InputError(f"{path} names no label: a table of labels has {wanted}.")
    return table


def _rows_of_tsv(text: str) -> Iterator[tuple[int, str, Color | None]]:
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        index, name = (row.get("index") or "").strip(), (row.get("name") or row.get("label") or "").strip()
        if index.isdecimal() and name and name != "n/a":
            match = _HEX.fullmatch((row.get("color") or "").strip())
            yield int(index), name, _color([int(part, 16) for part in match.groups()] if match else [])


def _rows_of_lut(text: str) -> Iterator[tuple[int, str, Color | None]]:
    for line in text.splitlines():
        if not (match := _LINE.fullmatch(line)):
            continue
        colored = _WITH_COLOR.fullmatch(match[2])
        name = colored[1] if colored else match[2]
        yield int(match[1]), name.strip("\"'"), _color([int(part) for part in colored.groups()[1:]] if colored else [])


def _color(parts: list[int]) -> Color | None:
    if len(parts) != 3 or max(parts) > 255:
        return None
    return parts[0], parts[1], parts[2]
