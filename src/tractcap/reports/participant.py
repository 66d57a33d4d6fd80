"""The page of a participant: every picture, its numbers, and what people think of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tractcap.files import write_text
from tractcap.limits.sizes import as_mb
from tractcap.reports.cards import Card, as_hex, card, legends, pair, set_apart
from tractcap.reports.html import render, tenths
from tractcap.reports.ratings import ENDING
from tractcap.reports.tracts import DRAWN, EMPTY, FAILED, Tract, changed, tracts

STATUSES = (DRAWN, FAILED, EMPTY)

_UNASKED = {"width": "by the number of streamlines", "slices_at": "each bundle’s centre"}
"""What an option means that is not given."""

_MEASURED = {"Streamlines": "streamlines", "VolumeMillimetres3": "volume"}


Told = Sequence[Mapping[str, Any]]
Methods = Callable[[Told, Told], str]


@dataclass(frozen=True)
class Group:
    """Cards under one heading: a session's, or a folder's."""

    label: str
    overviews: list[Card]
    cards: list[Card]


def place(output: Path, participant: str) -> Path:
    """Where a participant's page lies."""
    return output / (f"sub-{participant}.html" if participant else "index.html")


def outdated(output: Path) -> list[str]:
    """Participants whose pages are older than what they tell of: shards may have written them side by side."""
    return [who for who, when in changed(output).items() if not _newer(place(output, who), when)]


def _newer(path: Path, when: int) -> bool:
    try:
        return path.stat().st_mtime_ns > when
    except OSError:
        return False


def page(output: Path, participant: str, methods: Methods | None = None) -> Path | None:
    """Write the page of a participant, by its label; ``""`` for tractograms that are nobody's.

    Parameters
    ----------
    output : the folder that the page is written to, beside the participant's.
    participant : the label without ``sub-``.
    methods : makes what may stand in an article's methods section, of what is told of tractograms and of checks, as
        HTML of the type ``markupsafe.Markup``; plain text is escaped.

    Returns
    -------
    The page's path; None when there is nothing to tell of.

    Raises
    ------
    OSError
        When it can't be written.
    """
    left_out: list[Path] = []
    cards = list(_cards(output, participant, left_out))
    if not cards:
        return None
    set_apart(cards)
    pair(cards)
    legends(cards)
    path = place(output, participant)
    groups = list(_groups(cards))
    made = [check.told for one in cards for check in one.checks]
    text = methods([one.tract.told for one in cards], made) if methods else ""
    write_text(path, render("participant.html", **_values(participant, cards, groups, text, left_out)))
    return path


def _cards(output: Path, participant: str, left_out: list[Path]) -> Iterator[Card]:
    """Of all tracts, by name; a file that doesn't hold what it should is left out."""
    met: Counter[str] = Counter()
    for tract in tracts(output, participant, left_out):
        try:
            made = card(output, tract, left_out)
            _datum(made), list(_about([tract.told]))  # what can't be told is found here, by itself
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            left_out.append(Path(tract.folder, str(tract.told["Title"])))
            continue
        met[made.id] += 1
        if met[made.id] > 1:  # the same file, drawn under another name before
            made.id += f"-{met[made.id]}"
        yield made


def _groups(cards: Sequence[Card]) -> Iterator[Group]:
    """By session, or by folder where there are no participants; cards by name."""
    by_label: dict[str, list[Card]] = {}
    for one in sorted(cards, key=lambda one: (one.name.casefold(), one.tract.source)):
        by_label.setdefault(_label(one.tract), []).append(one)
    for label, ones in sorted(by_label.items()):
        yield Group(label, [one for one in ones if one.tract.overview], [one for one in ones if not one.tract.overview])


def _label(tract: Tract) -> str:
    if tract.participant:
        return f"ses-{tract.session}" if tract.session else ""
    return tract.folder.rpartition("/")[0]


def _values(
    participant: str, cards: Sequence[Card], groups: Sequence[Group], methods: str, left_out: Sequence[Path]
) -> dict[str, Any]:
    bundles = [one for one in cards if not one.tract.overview]
    statuses = Counter(one.tract.status for one in bundles)
    name = f"sub-{participant}" if participant else ""
    return {
        "name": name,
        "groups": groups,
        "total": len(bundles),
        "streamlines": sum(int(one.tract.told.get("Streamlines") or 0) for one in bundles),
        "statuses": [(status, statuses[status]) for status in STATUSES if statuses[status]],
        "flagged": sum(bool(one.flags) for one in bundles),
        "undrawn": [one for group in groups for one in group.cards if one.tract.status != DRAWN],
        "about": list(_about([one.tract.told for one in bundles or cards])),
        "methods": methods,
        "left_out": sorted(path.as_posix() for path in left_out),
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
    told, modified = one.tract.told, one.tract.told.get("SourceModified") or [0]
    return {
        "id": one.id,
        "name": one.name,
        "apart": one.apart,
        "key": one.tract.key,
        "session": f"ses-{one.tract.session}" if one.tract.session else "",
        "source": one.tract.source,
        "state": [
            str(modified[0]),
            str((told.get("SourceBytes") or [0])[0]),
        ],  # nanoseconds are beyond a script's numbers
        "overview": one.tract.overview,
        "status": one.tract.status,
        "why": "" if one.tract.status == DRAWN else one.why,
        "warned": bool(one.warnings),
        "flagged": bool(one.flags),
        "unmade": any(check.status == FAILED for check in one.checks),
        "pair": one.pair,
        "side": str(told["Bundle"].get("Hemisphere") or ""),
        "background": one.background,
        "pictures": [[view.what, view.label, view.link, view.width, view.height] for view in one.pictures],
        **{name: told.get(key) for key, name in _MEASURED.items()},
        "mean": (told.get("Lengths") or {}).get("Mean"),
    }


def _about(told: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """How the pictures were made: by name, each value met and how many have it (0 for all)."""
    for name, tell in _TOLD.items():
        if values := list(_distinct(told, tell)):
            yield name, values


def _distinct(told: Iterable[Mapping[str, Any]], tell: Callable[[Mapping[str, Any]], str]) -> Iterator[tuple[str, int]]:
    counts = Counter(value for one in told if (value := tell(one)))
    yield from ((value, 0 if len(counts) == 1 else count) for value, count in counts.items())


def _version(told: Mapping[str, Any]) -> str:
    return ", ".join(f"{by['Name']} {by['Version']}" for by in told["GeneratedBy"])


def _sources(told: Mapping[str, Any]) -> str:
    return str(told["Sources"][0]).rpartition("/")[0]


def _reference(told: Mapping[str, Any]) -> str:
    reference, why = (told.get("Made") or {}).get("Reference"), str(told.get("ReferenceChosen") or "")
    return ": ".join(part for part in (str(reference["path"]) if reference else "", why) if part)


def _memory(told: Mapping[str, Any]) -> str:
    memory = told.get("Memory")
    return f"{as_mb(memory['BudgetBytes']):,} MB, bound by {memory['BoundBy']}" if memory else ""


def _coloring(told: Mapping[str, Any]) -> str:
    colorings = told.get("Colorings") or []
    return _color(colorings[0]) if colorings else ""


def _color(coloring: Mapping[str, Any]) -> str:
    kind = " ".join(str(coloring[part]) for part in ("kind", "name") if coloring.get(part))
    color = f" {as_hex(coloring['color'])}" if coloring.get("color") and kind != "bundle" else ""
    limits = coloring.get("limits")
    return f"by {kind}{color}" + (f", from {limits[0]:g} to {limits[1]:g}, {coloring['colormap']}" if limits else "")


def _options(told: Mapping[str, Any]) -> str:
    look = (told.get("Made") or {}).get("Look") or {}
    return "; ".join(f"{name.replace('_', ' ')}: {_option(name, value)}" for name, value in look.items())


def _option(name: str, value: Any) -> str:
    if name == "background":
        return as_hex(value)
    if value is None:
        return _UNASKED.get(name, "not given")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _frame(told: Mapping[str, Any]) -> str:
    frame = (told.get("Made") or {}).get("Frame")
    if not frame:
        return ""
    return " × ".join(tenths(high - low) for low, high in zip(*frame, strict=True)) + " mm"


_TOLD: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Software": _version,
    "Tractograms from": _sources,
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
