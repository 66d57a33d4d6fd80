"""Measures of quality, one module each; ``checks.toml`` says what each one measures and needs.

The supervisor reads that table alone. The modules, which import numpy and what is heavier, are loaded by workers.
"""

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

from tractcap.checks.common.check_definition import Check, Measure
from tractcap.records.check_sidecar import HIGH, LOW


@cache
def checks() -> dict[str, Check]:
    """All checks by name, in the order in which they are shown."""
    table = tomllib.loads((Path(__file__).parent / "checks.toml").read_text(encoding="utf-8"))
    known = {}
    for name, entry in table.items():
        measures: list[Measure] = []
        for row in entry.pop("measures"):
            sampled = row.pop("sampled", False)
            measure = Measure(**row)
            measures.append(measure)
            for end, words, side in ((LOW, "at least", "Lower"), (HIGH, "at most", "Upper")) if sampled else ():
                what = f"{side} end of the 99 % interval for all streamlines"
                measures.append(replace(measure, key=f"{measure.key}{end}", name=f"{measure.name}, {words}", what=what))
        known[name] = Check(name=name, measures=tuple(measures), uses=tuple(entry.pop("uses", ())), **entry)
    return known
