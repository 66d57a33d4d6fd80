"""What the JSON files of checks tell, as pages and tables have it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.checks.kit.check import DONE, FAILED, MISSING, SKIPPED
from tractcap.reports.html import href
from tractcap.reports.places import KIND, Made, place

ORDER = (DONE, FAILED, MISSING, SKIPPED)

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Checked:
    """A check of a bundle: all that is ``told`` of it, and the ``folder`` below the output that its files lie in."""

    told: Told
    folder: str

    @property
    def status(self) -> str:
        """``done``, ``failed``, ``missing`` or ``skipped``."""
        return str(self.told["Status"])

    @property
    def flags(self) -> list[str]:
        """Each flag as a sentence: its rule, the value and the threshold."""
        return [_flag(flag, self.told["About"]) for flag in self.told["Flags"]]

    @property
    def names(self) -> list[str]:
        """The rules that are broken."""
        return [str(flag["Name"]) for flag in self.told["Flags"]]

    @property
    def measures(self) -> list[tuple[str, str, str]]:
        """Of each measure its name, its value with its unit, and what it is."""
        about = self.told["About"]
        return [
            (about[key]["Name"], _value(value, about[key]["Unit"]), about[key]["What"])
            for key, value in self.told["Measures"].items()
        ]

    @property
    def notes(self) -> list[str]:
        """Sentences on what was left out, or must be known."""
        return [_sentence(note) for note in self.told["Notes"]]

    @property
    def why(self) -> str:
        """Why there is nothing, where there is nothing."""
        return _sentence(self.told["Why"]) if self.told["Why"] else ""

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Titles and links of the pictures."""
        return [(str(one["Title"]), self._link(one["File"])) for one in self.told["Figures"]]

    @property
    def tables(self) -> list[tuple[str, str]]:
        """Titles and links of the tables."""
        return [(str(one["Title"]), self._link(one["File"])) for one in self.told["Tables"]]

    def _link(self, name: str) -> str:
        return href(f"{self.folder}/{name}" if self.folder else name)


def _flag(flag: Mapping[str, Any], about: Told) -> str:
    key, name = flag["Measure"], str(flag["Name"])
    told = about.get(key) or {"Name": key, "Unit": ""}
    side = "Below" if "Below" in flag else "Above"
    measured = f"{str(told['Name']).lower()} {_value(flag['Value'], told['Unit'])}"
    return f"{name[:1].upper()}{name[1:]}: {measured}, {side.lower()} {_value(flag[side], told['Unit'])}."


def _value(value: Any, unit: str) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, int | float):
        value = f"{value:,}" if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9) else f"{value:,.4g}"
        value = value.removesuffix(".0")
    return f"{value} {unit.replace('^3', '³')}".strip()


def _sentence(text: Any) -> str:
    words = str(text).strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def checked(output: Path, made: Made, left_out: list[Path] | None = None) -> list[Checked]:
    """The checks of a bundle, in the order in which they are shown; files that aren't whole are ``left_out``."""
    found = []
    for at in (place(output, made.folder, made.stem, name) for name in made.names):
        if told := _read(at):
            same = (told["SourceBytes"], told["SourceModified"]) == made.state
            found.append(Checked(told if same else _outdated(told), made.folder))
        elif left_out is not None and at.exists():
            left_out.append(at.relative_to(output))
    return found


def _outdated(told: Told) -> Told:
    """What is told of a check of another state of the tractogram: that it has to be made again."""
    nothing = {name: type(told[name])() for name in ("Measures", "About", "Notes", "Flags", "Figures", "Tables")}
    return {**told, **nothing, "Status": MISSING, "Why": _OUTDATED}


_OUTDATED = "the tractogram has changed since it was made: run the checks again"


_NEEDED = ("Name", "What", "Source", "Check", "SourceBytes", "SourceModified")


def _read(path: Path) -> Told | None:
    try:
        told = json.loads(path.read_text())
        one = Checked(told, "")
        whole = told["Kind"] == KIND and one.status in ORDER
        _ = [
            told["SourceBytes"],
            told["SourceModified"],
            one.flags,
            one.measures,
            one.notes,
            one.why,
            one.figures,
            one.tables,
            told["Name"],
            told["What"],
        ]
        return told if whole and isinstance(told, dict) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def counts(several: Iterable[Checked]) -> list[tuple[str, int]]:
    """How many there are of each status, none left out but those that are none."""
    found = Counter(one.status for one in several)
    return [(status, found[status]) for status in ORDER if found[status]]


def values(several: Iterable[Checked]) -> Iterator[tuple[str, Any]]:
    """Status and measures of all checks of a bundle, by the names of a table's columns."""
    for one in several:
        name = str(one.told["Check"])
        yield f"{name}_status", one.status
        for key, value in one.told["Measures"].items():
            yield f"{name}_{key}", value


def columns(several: Iterable[Checked]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What these columns mean, as a data dictionary has it."""
    for one in several:
        name = str(one.told["Check"])
        what = {"LongName": f"{one.told['Name']}: status", "Description": str(one.told["What"]), "Levels": _LEVELS}
        yield f"{name}_status", what
        for key, about in one.told["About"].items():
            told = {"LongName": about["Name"], "Description": about["What"]}
            yield f"{name}_{key}", {**told, **({"Units": about["Unit"]} if about["Unit"] else {})}


_LEVELS = {
    DONE: "it was made",
    FAILED: "it could not be made",
    MISSING: "what it needs isn't there",
    SKIPPED: "it was not asked for",
}
