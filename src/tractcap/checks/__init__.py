"""Measures of quality, one module each; ``checks.toml`` says what each one measures and needs.

The supervisor reads that table alone. The modules, which import numpy and what is heavier, are loaded by workers.
"""

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tractcap.checks.common.check_definition import Check, Measure
from tractcap.records.check_sidecar import HIGH, LOW


@cache
def checks() -> dict[str, Check]:
    """All checks by name, in the order in which they are shown."""
    table = tomllib.loads((Path(__file__).parent / "checks.toml").read_text(encoding="utf-8"))
    return {name: _check(name, **entry) for name, entry in table.items()}


def _check(name: str, measures: list[dict[str, Any]], uses: list[str] | None = None, **entry: Any) -> Check:
    every: list[Measure] = []
    for row in measures:
        sampled = row.pop("sampled", False)
        measure = Measure(**row)
        every.append(measure)
        for end, words, side in ((LOW, "at least", "Lower"), (HIGH, "at most", "Upper")) if sampled else ():
            what = f"{side} end of the 99 % interval for all streamlines"
            every.append(replace(measure, key=f"{measure.key}{end}", name=f"{measure.name}, {words}", what=what))
    return Check(name=name, measures=tuple(every), uses=tuple(uses or ()), **entry)
