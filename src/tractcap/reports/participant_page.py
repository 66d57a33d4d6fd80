"""The page of a participant: every picture, its numbers, and what people think of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.files import write_text
from tractcap.limits.sizes import as_mb
from tractcap.records.identity import DRAWN, FAILED, STATUSES, UNREADABLE
from tractcap.records.options import Coloring
from tractcap.records.ratings import ENDING
from tractcap.records.tractogram import DrawnRecord, TractogramRecord
from tractcap.reports.cards import Card, as_hex, card, legends, pair, set_apart
from tractcap.reports.collect import PictureSet, page_of, tracts
from tractcap.reports.formatting import render, tenths
from tractcap.reports.methods import MethodsText, methods_text

_UNASKED = {"width": "by the number of streamlines", "slices_at": "each bundle’s centre"}
"""What an option means that is not given."""


@dataclass(frozen=True)
class Group:
    """Cards under one heading: a session's, or a folder's."""

    label: str
    overviews: list[Card]
    cards: list[Card]


def page(
    output: Path,
    participant: str,
    report: Callable[[int], None] = lambda _cards: None,
) -> Path | None:
    """Write the page of a participant, by its label; ``""`` for tractograms that are nobody's.

    Parameters
    ----------
    output : the folder that the page is written to, beside the participant's.
    participant : the label without ``sub-``.
    report : is called now and then as a sign of life.

    Returns
    -------
    The page's path; None when there is nothing to tell of.

    Raises
    ------
    OSError
        When it can't be written.
    """
    left_out: list[str] = []
    cards = _cards(output, participant, left_out, report)
    if not cards:
        return None
    set_apart(cards)
    pair(cards)
    legends(cards)
    path = page_of(output, participant)
    made = [check.record for one in cards for check in one.checks]
    text = methods_text([one.tract.record for one in cards], made)
    write_text(path, render("participant.html", **_values(participant, cards, list(_groups(cards)), text, left_out)))
    return path


def _cards(output: Path, participant: str, left_out: list[str], report: Callable[[int], None]) -> list[Card]:
    """Of all tracts, by name."""
    cards = []
    for tract in tracts(output, participant, left_out):
        cards.append(card(output, tract))
        report(len(cards))
    met: Counter[str] = Counter()
    for one in cards:
        met[one.id] += 1
        if met[one.id] > 1:  # the same file, drawn under another name before
            one.id += f"-{met[one.id]}"
    return cards


def _groups(cards: Sequence[Card]) -> Iterator[Group]:
    """By session, or by folder where there are no participants; cards by name."""
    by_label: dict[str, list[Card]] = {}
    for one in sorted(cards, key=lambda one: (one.name.casefold(), one.tract.source)):
        by_label.setdefault(_label(one.tract), []).append(one)
    for label, ones in sorted(by_label.items()):
        yield Group(label, [one for one in ones if one.tract.overview], [one for one in ones if not one.tract.overview])


def _label(tract: PictureSet) -> str:
    if tract.participant:
        return f"ses-{tract.session}" if tract.session else ""
    return tract.folder.rpartition("/")[0]


def _values(
    participant: str, cards: Sequence[Card], groups: Sequence[Group], methods: MethodsText, left_out: Sequence[str]
) -> dict[str, Any]:
    bundles = [one for one in cards if not one.tract.overview]
    statuses = Counter(one.tract.status for one in bundles)
    drawn = [one.tract.record for one in bundles or cards if isinstance(one.tract.record, DrawnRecord)]
    name = f"sub-{participant}" if participant else ""
    return {
        "name": name,
        "groups": groups,
        "total": len(bundles),
        "streamlines": sum(one.streamlines for one in drawn if bundles),
        "statuses": [(status, statuses[status]) for status in STATUSES if statuses[status]],
        "flagged": sum(bool(one.flags) for one in bundles),
        "undrawn": [one for group in groups for one in group.cards if one.tract.status != DRAWN],
        "about": list(_about([one.tract.record for one in bundles or cards])),
        "methods": methods,
        "left_out": left_out,
        "data": _data(name, cards),
    }


def _data(name: str, cards: Sequence[Card]) -> dict[str, Any]:
    """What the page's script needs."""
    return {
        "participant": name,
        "file": (name or "tractograms") + ENDING.removesuffix(".tsv"),
        "dictionary": _DICTIONARY,
        "cards": [_datum(one) for one in cards],
    }


def _datum(one: Card) -> dict[str, Any]:
    record = one.tract.record
    drawn = record if isinstance(record, DrawnRecord) else None
    modified, size = (*record.source_modified, 0)[0], (*record.source_bytes, 0)[0]
    return {
        "id": one.id,
        "name": one.name,
        "apart": one.apart,
        "key": one.tract.key,
        "session": f"ses-{one.tract.session}" if one.tract.session else "",
        "source": one.tract.source,
        "state": [str(modified), str(size)],  # nanoseconds are beyond a script's numbers
        "overview": one.tract.overview,
        "status": one.tract.status,
        "why": "" if drawn else one.why,
        "warned": bool(one.warnings),
        "flagged": bool(one.flags),
        "unmade": any(check.status in (FAILED, UNREADABLE) for check in one.checks),
        "pair": one.pair,
        "side": record.bundle.hemisphere,
        "background": one.background,
        "pictures": [[view.what, view.label, view.link, view.width, view.height] for view in one.pictures],
        "streamlines": drawn and drawn.streamlines,
        "volume": drawn and drawn.volume_millimetres3,
        "mean": drawn and drawn.lengths.mean,
    }


def _about(records: Sequence[TractogramRecord]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """How the pictures were made: by name, each value met and how many have it (0 for all)."""
    drawn = [one for one in records if isinstance(one, DrawnRecord)]
    told = {"Software": map(_version, records), "Tractograms from": map(_sources, records)}
    for name, values in (told | {name: map(tell, drawn) for name, tell in _TOLD.items()}).items():
        if counts := Counter(value for value in values if value):
            yield name, [(value, 0 if len(counts) == 1 else count) for value, count in counts.items()]


def _version(record: TractogramRecord) -> str:
    return ", ".join(f"{by.name} {by.version}" for by in record.generated_by)


def _sources(record: TractogramRecord) -> str:
    return record.sources[0].rpartition("/")[0] if record.sources else ""


def _reference(record: DrawnRecord) -> str:
    reference = record.scene.reference
    return ": ".join(part for part in (reference.path if reference else "", record.reference_chosen) if part)


def _memory(record: DrawnRecord) -> str:
    memory = record.memory
    return f"{as_mb(memory.budget_bytes):,} MB, bound by {memory.bound_by}" if memory else ""


def _coloring(record: DrawnRecord) -> str:
    return _color(record.colorings[0]) if record.colorings else ""


def _color(coloring: Coloring) -> str:
    kind = " ".join(part for part in (coloring.kind, coloring.name) if part)
    color = f" {as_hex(coloring.color)}" if coloring.color and kind != "bundle" else ""
    limits = coloring.limits
    return f"by {kind}{color}" + (f", from {limits[0]:g} to {limits[1]:g}, {coloring.colormap}" if limits else "")


def _options(record: DrawnRecord) -> str:
    look = record.scene.options.plain()
    return "; ".join(f"{name.replace('_', ' ')}: {_option(name, value)}" for name, value in look.items())


def _option(name: str, value: Any) -> str:
    if name == "background":
        return as_hex(value)
    if value is None:
        return _UNASKED.get(name, "not given")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _frame(record: DrawnRecord) -> str:
    return " × ".join(tenths(high - low) for low, high in zip(*record.scene.frame, strict=True)) + " mm"


_TOLD: Mapping[str, Callable[[DrawnRecord], str]] = {
    "Reference": _reference,
    "Colours": _coloring,
    "Options": _options,
    "Frame": _frame,
    "Memory": _memory,
}

_DICTIONARY = {
    "participant_id": {"Description": "The participant's label"},
    "session_id": {"Description": "The session's label"},
    "tractogram": {"Description": "Path of the rated tractogram below the input folder"},
    "bundle": {"Description": "The bundle's name, the same in all participants"},
    "rating": {
        "Description": "What the rater thinks of the tractogram, by its pictures",
        "Levels": {"pass": "Fit for use", "fail": "Not fit for use", "unsure": "Needs another look"},
    },
    "note": {"Description": "What the rater wrote about it"},
    "rater": {"Description": "Who rated it"},
    "rated_at": {"Description": "When it was rated, in UTC", "Format": "YYYY-MM-DDTHH:MM:SSZ"},
}
