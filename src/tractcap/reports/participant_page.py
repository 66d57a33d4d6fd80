"""The page of a participant: every picture, its numbers, and what people think of it."""

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from tractcap.color_names import as_hex
from tractcap.files import write_text
from tractcap.records.options import Coloring, PictureOptions
from tractcap.records.rating_reasons import in_use
from tractcap.records.ratings_file import ENDING, STATE
from tractcap.records.sidecar_fields import DRAWN, FAILED, STATUSES, UNREADABLE
from tractcap.records.tractogram_sidecar import DrawnRecord, OverlayRecord, TractogramRecord
from tractcap.reports.afq_profiles import write_afq_profiles
from tractcap.reports.cards import Card, read_cards
from tractcap.reports.citation_files import write_citations
from tractcap.reports.formatting import read_toml, render, tenths
from tractcap.reports.methods import methods_text
from tractcap.reports.picture_sets import listed, page_of
from tractcap.reports.ratings import state_of


@dataclass(frozen=True)
class CardGroup:
    """Cards under one heading: a session's, or a folder's."""

    label: str
    overviews: list[Card]
    cards: list[Card]


def write_participant_page(
    output: Path, participant: str, report: Callable[[int], None] = lambda _cards: None
) -> Path | None:
    """Write the page of a participant, the methods text that is on it as files for an article, and a table of profiles.

    Parameters
    ----------
    output : the folder that the participants' folders lie in, and the page.
    participant : the label without ``sub-``; ``""`` for tractograms without a participant.
    report : is called now and then as a sign of life.

    Returns
    -------
    The page's path; None when there are no records.

    Raises
    ------
    OSError
        When it can't be written.
    """
    records = len(listed(output, participant))
    left_out: list[str] = []
    cards = read_cards(output, participant, left_out, report)
    if not cards:
        return None
    name = f"sub-{participant}" if participant else ""
    groups = _groups(cards)
    bundles = [card for card in cards if not card.overview]
    statuses = Counter(card.record.status for card in bundles)
    checks = [check.record for card in cards for check in card.checks]
    reasons, problem = in_use(output)
    dictionary = read_toml("rating_columns.toml")
    dictionary["reasons"]["Levels"] = {reason.name: reason.description for reason in reasons}
    page = render(
        "participant.html",
        name=name,
        records=records,
        groups=groups,
        total=len(bundles),
        streamlines=sum(card.record.streamlines for card in bundles if isinstance(card.record, DrawnRecord)),
        statuses=[(status, statuses[status]) for status in STATUSES if statuses[status]],
        flagged=sum(bool(card.flags) for card in bundles),
        undrawn=[card for group in groups for card in group.cards if card.record.status != DRAWN],
        provenance=_provenance([card.record for card in bundles or cards]),
        methods=methods_text([card.record for card in cards], checks),
        left_out=left_out,
        reasons=reasons,
        reasons_problem=problem,
        data={
            "participant": name,
            "file": (name or "tractograms") + ENDING.removesuffix(".tsv"),
            "dictionary": dictionary,
            "reasons": [asdict(reason) for reason in reasons],
            "cards": [_script_data(card) for card in cards],
        },
    )
    path = page_of(output, participant)
    write_text(path, page)
    write_citations(output, participant, [card.record for card in cards], checks)
    write_afq_profiles(output, participant, cards)
    return path


def _groups(cards: Sequence[Card]) -> list[CardGroup]:
    """Cards by session, or by folder where there are no participants; within each by name."""
    by_label: dict[str, list[Card]] = {}
    for card in sorted(cards, key=lambda card: (card.name.casefold(), card.source)):
        label = f"ses-{card.record.session}" if card.record.session else ""
        if not card.record.participant:
            label = card.picture_set.folder.rpartition("/")[0]
        by_label.setdefault(label, []).append(card)
    return [
        CardGroup(label, [card for card in group if card.overview], [card for card in group if not card.overview])
        for label, group in sorted(by_label.items())
    ]


def _script_data(card: Card) -> dict[str, object]:
    """What the page's script needs of a card."""
    record = card.record
    drawn = record if isinstance(record, DrawnRecord) else None
    return {
        "id": card.id,
        "name": card.name,
        "apart": card.apart,
        "key": record.bundle.key,
        "session": f"ses-{record.session}" if record.session else "",
        "source": card.source,
        "state": dict(zip(STATE, astuple(state_of(record)), strict=True)),
        "overview": card.overview,
        "status": record.status,
        "why": "" if drawn else card.why,
        "warned": bool(card.warnings),
        "flagged": bool(card.flags),
        "unmade": any(check.record.status in (FAILED, UNREADABLE) for check in card.checks),
        "pair": card.pair,
        "side": record.bundle.hemisphere,
        "background": card.background,
        "heading": drawn and drawn.heading_pixels,
        "pictures": [
            [picture.view, picture.label, picture.link, picture.width, picture.height] for picture in card.pictures
        ],
        "streamlines": drawn and drawn.streamlines,
        "volume": drawn and drawn.volume_millimetres3,
        "mean": drawn and drawn.lengths.mean,
    }


def _provenance(records: Sequence[TractogramRecord]) -> list[tuple[str, list[tuple[str, int]]]]:
    """How the pictures were made: what is said, each value of it, and how many tractograms have it (0 for all)."""
    values: dict[str, Counter[str]] = {}
    for record in records:
        about = {
            "Software": ", ".join(f"{program.name} {program.version}" for program in record.generated_by),
            "Tractograms from": record.sources[0].rpartition("/")[0] if record.sources else "",
        }
        if isinstance(record, DrawnRecord):
            reference = record.scene.reference.path if record.scene.reference else ""
            sizes = (tenths(high - low) for low, high in zip(*record.scene.frame, strict=True))
            memory = record.memory
            about |= {
                "Reference": ": ".join(filter(None, (reference, record.reference_chosen))),
                "Overlays": "; ".join(map(_overlay, record.scene.overlays)),
                "Overlays looked for": "; ".join(record.overlays_chosen),
                "Colours": _coloring(record.colorings[0]) if record.colorings else "",
                "Options": _options(record.scene.options),
                "Frame": f"{' × '.join(sizes)} mm",
                "Renderer": f"a GPU, not reproducible: {record.software.get('OpenGL', '')}" if record.scene.gpu else "",
                "Memory": f"{memory.budget_bytes / 2**20:,.0f} MB, bound by {memory.bound_by}" if memory else "",
            }
        for name, value in about.items():
            values.setdefault(name, Counter())[value] += bool(value)
    known = {name: +counts for name, counts in values.items()}  # without those that are empty
    return [
        (name, [(value, 0 if len(counts) == 1 else count) for value, count in counts.items()])
        for name, counts in known.items()
        if counts
    ]


def _overlay(overlay: OverlayRecord) -> str:
    """An overlay's name, kind and file."""
    return f"{overlay.name} ({overlay.kind}{', not shown' * bool(overlay.absence)}): {overlay.path}"


def _coloring(coloring: Coloring) -> str:
    """What the colours mean, in words."""
    kind = " ".join(filter(None, (coloring.kind, coloring.name)))
    color = f" {as_hex(coloring.color)}" if coloring.color and kind != "bundle" else ""
    limits = coloring.limits
    return f"by {kind}{color}" + (f", from {limits[0]:g} to {limits[1]:g}, {coloring.colormap}" if limits else "")


def _options(options: PictureOptions) -> str:
    """The options that pictures were drawn with, as the command line takes them: its options have the fields' names."""
    words = []
    for name, value in options.plain().items():
        if value is None or value is False:
            continue
        words.append(f"--{name.replace('_', '-')}")
        if name == "background":
            words.append(as_hex(value))
        elif isinstance(value, list):
            words.append(",".join(map(str, value)) or "none")
        elif value is not True:
            words.append(str(value))
    return shlex.join(words)
