"""Which checks are asked for, and with what. Standard library alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tractcap.checks import checks, flags
from tractcap.checks.flags import Rule
from tractcap.errors import SettingsError
from tractcap.inputs.search import Source

ALL, NONE = "all", "none"


@dataclass(frozen=True)
class ComparisonFile:
    """A file to compare with, and the label of the space that it is in, if that is known."""

    path: Path
    space: str = ""


@dataclass(frozen=True)
class ComparisonFiles:
    """What there is to check one bundle with, None where there is none.

    ``moved`` is the bundle itself in the atlas's space, if it isn't there already. ``missing`` are sentences on what
    was asked for and isn't there, by what it is: ``maps``, ``atlas``, ``before``.
    """

    maps: Mapping[str, Path] = field(default_factory=dict)
    atlas: ComparisonFile | None = None
    before: ComparisonFile | None = None
    mirror: ComparisonFile | None = None
    moved: ComparisonFile | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def others(self) -> dict[str, ComparisonFile]:
        """All but the maps, by what they are."""
        files = {"atlas": self.atlas, "before": self.before, "mirror": self.mirror, "moved": self.moved}
        return {name: file for name, file in files.items() if file}


@dataclass(frozen=True)
class CheckOptions:
    """Which checks were asked for, by ``names``, and with what.

    ``atlas`` and ``before`` are a file or a folder; ``metrics`` are maps by name, None for one to be found in the
    dataset. ``rules`` say what is flagged. ``files`` are those that each tractogram is checked with, where the caller
    knows.
    """

    names: tuple[str, ...] = ()
    atlas: Path | None = None
    before: Path | None = None
    metrics: Mapping[str, Path | None] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    files: Mapping[Source, ComparisonFiles] | None = None


def parse(
    names: str, atlas: Path | None, before: Path | None, metrics: Sequence[str], rules: Path | None
) -> CheckOptions:
    """Read what ``--checks``, ``--atlas``, ``--before``, ``--metric`` and ``--flags`` ask for.

    Raises
    ------
    SettingsError
        When they can't be understood, or nothing is checked by what is given.
    """
    wanted = _names(names)
    given = {"--atlas": atlas, "--before": before, "--metric": metrics, "--flags": rules}
    if unused := [option for option, value in given.items() if value and not wanted]:
        raise SettingsError(f"{unused[0]} is for checks, and none are asked for: give --checks too, such as all.")
    return CheckOptions(wanted, atlas, before, dict(map(_metric, metrics)), flags.read(rules) if wanted else ())


def _names(text: str) -> tuple[str, ...]:
    known = tuple(checks())
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in (*known, ALL, NONE)]:
        raise SettingsError(f"--checks names {unknown[0]!r}: choose from {', '.join((*known, ALL, NONE))}.")
    return known if ALL in names else tuple(name for name in known if name in names)


def _metric(text: str) -> tuple[str, Path | None]:
    name, equals, path = text.partition("=")
    if not name or (equals and not path):
        raise SettingsError(f"--metric is {text!r}: give a name, or a name and an image, such as FA=fa.nii.gz.")
    return name, Path(path) if path else None
