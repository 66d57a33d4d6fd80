"""Flags: rules with thresholds, in one file that can be replaced. Standard library alone: the supervisor reads it."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.checks import checks
from tractcap.checks.common.check_definition import interval, is_end
from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_text
from tractcap.records.check_sidecar import HIGH, LOW, Flag, Value

OURS = Path(__file__).parent / "flags.toml"
"""The rules that come with tractcap."""

_EVERY = "NAME"
"""In a measure's key, what stands for each map's name."""

MOST = 1e300
"""Thresholds beyond it, and such as aren't numbers, are mistakes."""

_BOUNDS = ("below", "above")


@dataclass(frozen=True)
class Rule:
    """Flags a measure of a check that lies below, or above, a threshold: one of the two is given."""

    name: str
    check: str
    measure: str
    below: float | None = None
    above: float | None = None

    def raised(self, measures: Mapping[str, Value]) -> Iterator[Flag]:
        """A flag for each of the measures that break the rule.

        A measure of a sample breaks it where its whole interval lies beyond the threshold.
        """
        below = -math.inf if self.below is None else self.below
        above = math.inf if self.above is None else self.above
        of_ends = self.measure.endswith((LOW, HIGH))
        for key, value in measures.items():
            ours = key == self.measure or (_fits(key, self.measure) and (of_ends or not is_end(measures, key)))
            if ours and isinstance(value, int | float):
                bounds = (value, *interval(measures, key))
                if all(isinstance(bound, int | float) and (bound < below or bound > above) for bound in bounds):
                    yield Flag(name=self.name, measure=key, value=value, below=self.below, above=self.above)


def raised(rules: tuple[Rule, ...], check: str, measures: Mapping[str, Value]) -> tuple[Flag, ...]:
    """The flags that a check's measures raise; a value that isn't known raises none."""
    return tuple(flag for rule in rules if rule.check == check for flag in rule.raised(measures))


def sentence(flag: Flag) -> str:
    """A flag in words, such as ``few streamlines left: Retention is 0.15, below 0.2``."""
    bound = f"below {flag.below:g}" if flag.below is not None else f"above {flag.above:g}"
    return f"{flag.name}: {flag.measure} is {flag.value:g}, {bound}"


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
        table = tomllib.loads(read_text(at))
    except FileNotFoundError:
        raise SettingsError(f"--flags {at} doesn't exist: give a file of rules.") from None
    except RecordError as error:
        raise SettingsError(f"--flags {at} can't be understood: {error.why}. Give a file of rules.") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"--flags {at} can't be read as TOML: {error}.") from error
    rules = table.pop("flag", [])
    if table or not isinstance(rules, list):
        raise SettingsError(
            f"--flags {at} holds {next(iter(table), 'flag')!r}: give rules, each under [[flag]], alone."
        )
    for number, rule in enumerate(rules, 1):
        if wrong := _wrong(rule):
            raise SettingsError(f"--flags {at}, rule {number}: {wrong}.")
    return tuple(Rule(**rule) for rule in rules)


def _wrong(rule: Any) -> str:
    """What is wrong with a rule, or nothing."""
    if not isinstance(rule, dict):
        return "it is no table"
    words = ("name", "check", "measure")
    if unknown := sorted(rule.keys() - {*words, *_BOUNDS}):
        return f"{unknown[0]!r} isn't understood: give name, check, measure, and below or above"
    if missing := [key for key in words if not isinstance(rule.get(key), str) or not rule[key]]:
        return f"it needs a {missing[0]}, in quotes"
    bounds = [rule[key] for key in _BOUNDS if key in rule]
    if len(bounds) != 1 or not isinstance(bounds[0], int | float) or isinstance(bounds[0], bool):
        return "give one number, either below or above"
    if not -MOST <= bounds[0] <= MOST:
        return "give one number, either below or above"
    check, measure = rule["check"], rule["measure"]
    if check not in checks():
        return f"there is no check {check!r}, only {', '.join(checks())}"
    keys = [known.key for known in checks()[check].measures]
    if not any(measure == key or _fits(measure, key) for key in keys):
        return f"the check {check} has no measure {measure!r}, only {', '.join(keys)}"
    return ""
