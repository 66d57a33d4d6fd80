"""The cards of a participant's page: what it shows of each tractogram."""

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

from tractcap.color_names import as_hex
from tractcap.errors import RecordError
from tractcap.files import read_start
from tractcap.records.hemispheres import Sided, counterparts
from tractcap.records.tractogram_sidecar import DrawnRecord, LengthsRecord, TractogramRecord
from tractcap.reports.check_results import CheckResult, count_statuses, read_checks
from tractcap.reports.formatting import href, percent, plural, sentence, size, tenths, volume, whole
from tractcap.reports.picture_sets import PictureSet, distinguishing_entities, in_words, picture_sets

ANIMATIONS = ("mp4", "webp", "gif")
"""Formats of the turntable; the first that is there is shown."""

_PNG = b"\x89PNG\r\n\x1a\n"
_BACKGROUND = "#000000"


@dataclass(frozen=True)
class PictureLink:
    """A picture: the ``view`` that it shows, its ``label`` and ``link``, and its pixels where they could be read."""

    view: str
    label: str
    link: str
    width: int = 0
    height: int = 0

    @property
    def turns(self) -> bool:
        """Whether it is an animation."""
        return self.view.startswith("turntable")


@dataclass(frozen=True)
class HistogramBars:
    """Bars as an SVG path in a box of ``WIDTH`` × ``HEIGHT``, and the same in words."""

    WIDTH: ClassVar = 160
    HEIGHT: ClassVar = 36

    path: str
    words: str
    low: str
    high: str


@dataclass
class Card:
    """A tractogram, or several in one overview.

    ``apart`` says what sets it apart from others of the same bundle, ``pair`` is the id of the card of the other
    hemisphere, ``legend`` has the colours and cards of the tractograms of an overview.
    """

    id: str
    picture_set: PictureSet
    pictures: list[PictureLink]
    histogram: HistogramBars | None = None
    warnings: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    background: str = _BACKGROUND
    apart: str = ""
    pair: str = ""
    legend: list[tuple[str, "Card"]] = field(default_factory=list)

    @property
    def record(self) -> TractogramRecord:
        """What is known of the tractogram."""
        return self.picture_set.record

    @property
    def overview(self) -> bool:
        """Whether it shows several tractograms."""
        return self.picture_set.overview

    @property
    def source(self) -> str:
        """The tractogram's path below the input; empty where it isn't known."""
        return self.picture_set.source

    @property
    def flags(self) -> list[str]:
        """What its checks flag, as sentences."""
        return [sentence for check in self.checks for sentence in check.flags]

    @property
    def checks_summary(self) -> str:
        """How many checks have which status."""
        return ", ".join(f"{count} {status}" for status, count in count_statuses(self.checks))

    @property
    def name(self) -> str:
        """The bundle's name for people, or the file's."""
        return self.record.bundle.readable or self.record.bundle.key or self.record.title

    @property
    def full_name(self) -> str:
        """The name, and what sets it apart."""
        return ", ".join(filter(None, (self.name, self.apart)))

    @property
    def original(self) -> str:
        """The file's name for the bundle, where it is another one."""
        original = self.record.bundle.original
        return original if original.casefold() != self.name.casefold() else ""

    @property
    def why(self) -> str:
        """Why there are no pictures."""
        return sentence(self.picture_set.why) or "The reason isn't known."

    @property
    def still(self) -> PictureLink | None:
        """The picture on the card: the mosaic, or the first of the views."""
        stills = [picture for picture in self.pictures if not picture.turns]
        return stills[0] if stills else None

    @property
    def turntable(self) -> PictureLink | None:
        """The animation, if there is one."""
        return next((picture for picture in self.pictures if picture.turns), None)

    @property
    def alt(self) -> str:
        """The picture in words."""
        return ", ".join([self.full_name, *(f"{name.lower()} {value}" for name, value in self.facts[:2])])


def read_cards(output: Path, participant: str, left_out: list[str], report: Callable[[int], None]) -> list[Card]:
    """The cards of a participant's tractograms, by label; sentences on other files are added to ``left_out``."""
    cards: list[Card] = []
    ids: Counter[str] = Counter()
    for picture_set in picture_sets(output, participant, left_out):
        card = _card(output, picture_set)
        ids[card.id] += 1
        if ids[card.id] > 1:  # the same file, drawn under another name before
            card.id += f"-{ids[card.id]}"
        cards.append(card)
        report(len(cards))
    entities = distinguishing_entities((card.record.bundle.key, card.picture_set.variant) for card in cards)
    for card in cards:
        card.apart = in_words(card.picture_set.variant, entities)

    sided = {
        card.id: Sided(
            (card.picture_set.folder, card.picture_set.variant),
            card.source.rpartition("/")[0],
            card.record.bundle.key,
            card.record.bundle.hemisphere,
        )
        for card in cards
        if card.record.bundle.hemisphere
    }
    pairs = counterparts(sided)
    by_source = {card.source: card for card in cards if not card.overview}
    for card in cards:
        card.pair = pairs.get(card.id, "")
        record = card.record
        if card.overview and isinstance(record, DrawnRecord) and len(record.sources) == len(record.colorings):
            colors = {source: coloring.color for source, coloring in zip(record.sources, record.colorings, strict=True)}
            card.legend = [
                (as_hex(color), by_source[source]) for source, color in colors.items() if color and source in by_source
            ]
    return cards


def _card(output: Path, picture_set: PictureSet) -> Card:
    record = picture_set.record
    card = Card(picture_set.anchor, picture_set, _pictures(output, picture_set))
    sizes = record.source_bytes or (0,) * len(record.sources)
    for number, (source, bytes_) in enumerate(zip(record.sources, sizes, strict=True)):
        card.details.append(("" if number else "Source", f"{source} ({size(bytes_)})" if bytes_ else source))
    if isinstance(record, DrawnRecord):
        card.histogram = _histogram(record.lengths)
        left_out = {reason: count for reason, count in record.streamlines_left_out.items() if count}
        if left_out:
            reasons = ", ".join(f"{whole(count)} {reason}" for reason, count in left_out.items())
            subject = plural(sum(left_out.values()), "streamline is", "streamlines are")
            card.warnings.append(f"{subject} left out: {reasons}.")
        card.warnings += map(sentence, record.notes)
        card.facts = list(_facts(record))
        card.details += [(f"Tracking: {name.lower()}", value) for name, value in record.tracking.items()]
        if record.scene.reference:
            card.details.append(("Reference", record.scene.reference.path))
        if record.style and record.width_millimetres is not None:
            card.details.append(("Style", f"{record.style}, {record.width_millimetres:.3g} mm wide"))
        if record.millimetres_per_pixel:
            card.details.append(("Pixel", f"{record.millimetres_per_pixel:.3g} mm"))
        if record.points:
            card.details.append(("Points", whole(record.points)))
        if record.volume_voxel_millimetres:
            card.details.append(("Volume’s voxels", f"{record.volume_voxel_millimetres:g} mm"))
        card.checks = read_checks(output, picture_set.check_files)
        card.background = as_hex(record.scene.options.background)
    return card


def _pictures(output: Path, picture_set: PictureSet) -> list[PictureLink]:
    """The mosaic, the views, and one turntable; a view's pixels are 0 where its PNG file can't be read."""
    paths = dict(picture_set.pictures)
    animations = [paths.pop(f"turntable.{ending}", "") for ending in ANIMATIONS]
    pictures = []
    for view in sorted(paths, key=lambda view: view != "mosaic"):
        try:
            head = read_start(output / paths[view], 24)
        except (OSError, RecordError):
            head = b""
        is_png = len(head) == 24 and head.startswith(_PNG)
        pixels = struct.unpack(">II", head[16:24]) if is_png else (0, 0)
        pictures.append(PictureLink(view, view, href(paths[view]), *pixels))
    if turntable := next(filter(None, animations), ""):
        pictures.append(PictureLink(f"turntable {PurePosixPath(turntable).suffix}", "turntable", href(turntable)))
    return pictures


def _histogram(lengths: LengthsRecord) -> HistogramBars | None:
    histogram, low, high = lengths.histogram, lengths.minimum, lengths.maximum
    if histogram is None or low is None or high is None or not any(histogram.counts):
        return None
    counts, start, bin_width = histogram.counts, histogram.start, histogram.bin_width
    wide, most = HistogramBars.WIDTH / len(counts), max(counts)
    bars = []
    for at, count in enumerate(counts):
        if count:
            tall = max(1.0, HistogramBars.HEIGHT * count / most)  # a single streamline can be seen too
            bars.append(f"M{at * wide:.2f} {HistogramBars.HEIGHT}v{-tall:.2f}h{max(0.5, wide - 0.6):.2f}v{tall:.2f}z")
    peak = start + counts.index(most) * bin_width
    words = f"Lengths from {tenths(low)} to {tenths(high)} mm, most between {peak:g} and {peak + bin_width:g} mm"
    return HistogramBars("".join(bars), words, f"{start:g}", f"{start + len(counts) * bin_width:g} mm")


def _facts(record: DrawnRecord) -> Iterator[tuple[str, str]]:
    """The numbers on the card, each with its name."""
    drawn, total, lengths = record.streamlines_drawn, record.streamlines, record.lengths
    yield "Streamlines", f"{whole(drawn)} of {whole(total)}" if drawn < total else whole(total)
    if lengths.mean is not None:
        yield "Mean length", f"{tenths(lengths.mean)} mm"
    if lengths.median is not None:
        yield "Median length", f"{tenths(lengths.median)} mm"
    if lengths.minimum is not None and lengths.maximum is not None:
        yield "Length range", f"{tenths(lengths.minimum)}–{tenths(lengths.maximum)} mm"
    if record.volume_millimetres3 is not None:
        yield "Volume", volume(record.volume_millimetres3)
    if record.points_outside_reference is not None:
        yield "Outside reference", percent(record.points_outside_reference)
