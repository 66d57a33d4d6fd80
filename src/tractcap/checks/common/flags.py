"""Flags: rules with thresholds, in one file that can be replaced. Standard library alone: the supervisor reads it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.checks.common.check import HIGH, LOW, Value, interval, is_end
from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_text

OURS = Path(__file__).parent.parent / "flags.toml"
"""The rules that come with tractcap."""

_EVERY = "NAME"
"""In a measure's key, what stands for each map's name."""

MOST = 1e300
"""Thresholds beyond it, and such as aren't numbers, are mistakes."""

_BOUNDS = ("below", "above")
_KEYS = {"name", "check", "measure", *_BOUNDS}


@dataclass(frozen=True)
class Rule:
    """Flags a measure of a check that lies below, or above, a threshold: of the two one is given."""

    name: str
    check: str
    measure: str
    below: float | None = None
    above: float | None = None

    def raised(self, measures: Mapping[str, Value]) -> Iterator[dict[str, Any]]:
        """A flag for each of the measures that it is raised by, as the check's JSON file has it.

        A measure of a sample raises it where its whole interval lies beyond the threshold.
        """
        for key, value in measures.items():
            if self._is_of(key, measures) and all(map(self._crossed, (value, *interval(measures, key)))):
                bound = {"Below": self.below} if self.below is not None else {"Above": self.above}
                yield {"Name": self.name, "Measure": key, "Value": value, **bound}

    def _is_of(self, key: str, measures: Mapping[str, Value]) -> bool:
        ends = self.measure.endswith((LOW, HIGH))
        return key == self.measure or (_fits(key, self.measure) and (ends or not is_end(measures, key)))

    def _crossed(self, value: Value) -> bool:
        if not isinstance(value, int | float):
            return False
        low = self.below is not None and value < self.below
        return low or (self.above is not None and value > self.above)


def raised(rules: tuple[Rule, ...], check: str, measures: Mapping[str, Value]) -> list[dict[str, Any]]:
    """The flags that a check's measures raise; a value that can't be told raises none."""
    return [flag for rule in rules if rule.check == check for flag in rule.raised(measures)]


def sentence(flag: Mapping[str, Any]) -> str:
    """A flag in words, such as ``few streamlines left: Retention is 0.15, below 0.2``."""
    bound = f"below {flag['Below']:g}" if "Below" in flag else f"above {flag['Above']:g}"
    return f"{flag['Name']}: {flag['Measure']} is {flag['Value']:g}, {bound}"


def _fits(key: str, measure: str) -> bool:
    before, every, after = measure.partition(_EVERY)
    if not every:
        return key == measure
    return key.startswith(before) and key.endswith(after) and len(key) > len(before) + len(after)


def read(path: Path | None = None) -> tuple[Rule, ...]:
    """The rules of a file; of tractcap's own, if None.

    Raises
    ------
    SettingsError
        When it can't be read, or a rule can't be understood.
    """
    at = path or OURS
    try:
        told = tomllib.loads(read_text(at))
    except FileNotFoundError:
        raise SettingsError(f"--flags {at} doesn't exist: give a file of rules.") from None
    except RecordError as error:
        raise SettingsError(f"--flags {at} can't be understood: {error.why}. Give a file of rules.") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"--flags {at} can't be read as TOML: {error}.") from error
    found = told.pop("flag", [])
    if told or not isinstance(found, list):
        raise SettingsError(f"--flags {at} holds {_first(told) or 'flag'!r}: give rules, each under [[flag]], alone.")
    return tuple(_rule(at, number, one) for number, one in enumerate(found, 1))


def _first(told: Mapping[str, Any]) -> str:
    return next(iter(told), "")


def _rule(at: Path, number: int, told: Any) -> Rule:
    if not isinstance(told, dict) or (wrong := _wrong(told)):
        raise SettingsError(f"--flags {at}, rule {number}: {wrong if isinstance(told, dict) else 'it is no table'}.")
    return Rule(**told)


def _wrong(told: Mapping[str, Any]) -> str:
    """What is wrong with a rule, or nothing."""
    if unknown := sorted(told.keys() - _KEYS):
        return f"{unknown[0]!r} isn't understood: give name, check, measure, and below or above"
    if lacks := [key for key in ("name", "check", "measure") if not isinstance(told.get(key), str) or not told[key]]:
        return f"it needs a {lacks[0]}, in quotes"
    bounds = [told[key] for key in _BOUNDS if key in told]
    if len(bounds) != 1 or not _is_number(bounds[0]):
        return "give one number, either below or above"
    return _unknown(told["check"], told["measure"])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -MOST <= value <= MOST


def _unknown(check: str, measure: str) -> str:
    from tractcap.checks import checks

    if check not in checks():
        return f"there is no check {check!r}, only {', '.join(checks())}"
    keys = [one.key for one in checks()[check].measures]
    if measure not in keys and not any(_fits(measure, key) for key in keys):
        return f"the check {check} has no measure {measure!r}, only {', '.join(keys)}"
    return ""
