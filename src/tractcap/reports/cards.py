"""What a participant's page shows of each tractogram: its record's values as its card has them."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tractcap.errors import RecordError
from tractcap.files import read_start
from tractcap.records.hemispheres import Sided, counterparts
from tractcap.records.tractogram import DrawnRecord, LengthsRecord
from tractcap.reports.check_results import Checked, checked, counts
from tractcap.reports.collect import PictureSet, in_words, telling
from tractcap.reports.formatting import href, percent, plural, sentence, size, tenths, volume, whole
from tractcap.reports.group_table import anchor

ANIMATIONS = ("mp4", "webp", "gif")
"""Formats of the turntable; the first that is there is shown."""

_PNG = b"\x89PNG\r\n\x1a\n"
_BACKGROUND = "#000000"


@dataclass(frozen=True)
class PictureLink:
    """A picture that can be looked at: ``what`` it shows, its ``link``, and its pixels if they could be read."""

    what: str
    label: str
    link: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class HistogramBars:
    """Bars as an SVG path in a box of ``WIDTH`` × ``HEIGHT``, and the same in words."""

    path: str
    words: str
    low: str
    high: str

    WIDTH = 160
    HEIGHT = 36


@dataclass
class Card:
    """A tractogram, or several in one picture, and its ``checks``.

    ``apart`` says what sets it apart from others of the same bundle, ``pair`` is the id of the card of the other
    hemisphere, ``legend`` has the colours of those that are shown together.
    """

    id: str
    tract: PictureSet
    pictures: list[PictureLink]
    histogram: HistogramBars | None
    warnings: list[str]
    facts: list[tuple[str, str]]
    details: list[tuple[str, str]]
    background: str
    apart: str = ""
    pair: str = ""
    legend: list[tuple[str, "Card"]] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)

    @property
    def flags(self) -> list[str]:
        """What its checks flag, as sentences."""
        return [sentence for one in self.checks for sentence in one.flags]

    @property
    def checked(self) -> str:
        """What became of its checks, in words."""
        return ", ".join(f"{count} {status}" for status, count in counts(self.checks))

    @property
    def name(self) -> str:
        """The bundle's name for people, or the file's."""
        return self.tract.readable or self.tract.key or self.tract.record.title

    @property
    def full_name(self) -> str:
        """The name, and what sets it apart."""
        return ", ".join(filter(None, (self.name, self.apart)))

    @property
    def original(self) -> str:
        """The name that the file has for it, where that is another one."""
        original = self.tract.record.bundle.original
        return original if original.casefold() != self.name.casefold() else ""

    @property
    def why(self) -> str:
        """Why there are no pictures."""
        return sentence(self.tract.why) or "The reason was not told."

    @property
    def still(self) -> PictureLink | None:
        """What the card shows: the mosaic, or the first of the views."""
        stills = [one for one in self.pictures if not one.what.startswith("turntable")]
        return next((one for one in stills if one.what == "mosaic"), stills[0] if stills else None)

    @property
    def turntable(self) -> PictureLink | None:
        """The animation, if there is one."""
        return next((one for one in self.pictures if one.what.startswith("turntable")), None)

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = [self.full_name, *(f"{name.lower()} {value}" for name, value in self.facts[:2])]
        return ", ".join(told)


def card(output: Path, tract: PictureSet) -> Card:
    """What is shown of a tract."""
    record, shown = tract.record, (_overview_anchor(tract) if tract.overview else anchor(place_of(tract)))
    if not isinstance(record, DrawnRecord):
        return Card(shown, tract, _pictures(output, tract), None, [], [], list(_sources(tract)), _BACKGROUND)
    return Card(
        shown,
        tract,
        _pictures(output, tract),
        _histogram(record.lengths),
        list(_warnings(record)),
        list(_facts(record)),
        [*_sources(tract), *_details(record)],
        as_hex(record.scene.options.background),
        checks=checked(output, tract.made),
    )


def place_of(tract: PictureSet) -> str:
    """What tells a tract from others: its tractogram's path, or its record's where that can't be understood."""
    return tract.source or f"{tract.folder}/{tract.stem}"


def legends(cards: Sequence[Card]) -> None:
    """Tell each card of several tractograms which they are."""
    by_source = {one.tract.source: one for one in cards if not one.tract.overview}
    for one in cards:
        record = one.tract.record
        if one.tract.overview and isinstance(record, DrawnRecord) and len(record.sources) == len(record.colorings):
            colors = {source: coloring.color for source, coloring in zip(record.sources, record.colorings, strict=True)}
            shown = [(color, by_source[source]) for source, color in colors.items() if color and source in by_source]
            one.legend = [(as_hex(color), other) for color, other in shown]


def _overview_anchor(tract: PictureSet) -> str:
    return anchor("\n".join(tract.record.sources) or place_of(tract)).replace("tract-", "overview-")


def set_apart(cards: Sequence[Card]) -> None:
    """Tell each card what sets it apart, if anything does."""
    entities = telling((one.tract.key, one.tract.variant) for one in cards)
    for one in cards:
        one.apart = in_words(one.tract.variant, entities)


def pair(cards: Iterable[Card]) -> None:
    """Tell each card of a hemisphere which one is the other's."""
    by_id = {one.id: one for one in cards}
    sided = {
        id_: Sided((tract.folder, tract.variant), tract.source.rpartition("/")[0], tract.key, side)
        for id_, tract, side in ((one.id, one.tract, one.tract.record.bundle.hemisphere) for one in by_id.values())
        if side
    }
    for id_, other in counterparts(sided).items():
        by_id[id_].pair = other


def _pictures(output: Path, tract: PictureSet) -> list[PictureLink]:
    """The mosaic, the views, and one turntable."""
    shown = dict(tract.pictures)
    animations = [shown.pop(f"turntable.{ending}", "") for ending in ANIMATIONS]
    order = sorted(shown, key=lambda what: what != "mosaic")
    stills = [PictureLink(what, what, href(shown[what]), *_pixels(output / shown[what])) for what in order]
    turning = next(filter(None, animations), "")
    kind = f"turntable {PurePosixPath(turning).suffix}"
    return [*stills, PictureLink(kind, "turntable", href(turning))] if turning else stills


def _pixels(path: Path) -> tuple[int, int]:
    """Width and height of a PNG file; 0 where they can't be read."""
    try:
        head = read_start(path, 24)
    except (OSError, RecordError):
        return 0, 0
    return struct.unpack(">II", head[16:24]) if len(head) == 24 and head.startswith(_PNG) else (0, 0)


def as_hex(color: Sequence[float]) -> str:
    """A colour as ``#rrggbb``."""
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in color[:3])


def _histogram(lengths: LengthsRecord) -> HistogramBars | None:
    about, low, high = lengths.histogram, lengths.minimum, lengths.maximum
    if about is None or low is None or high is None or not any(about.counts):
        return None
    counts, start, step = about.counts, about.start, about.bin_width
    most = counts.index(max(counts))
    words = (
        f"Lengths from {tenths(low)} to {tenths(high)} mm, "
        f"most between {start + most * step:g} and {start + (most + 1) * step:g} mm"
    )
    return HistogramBars(_bars(counts), words, f"{start:g}", f"{start + len(counts) * step:g} mm")


def _bars(counts: Sequence[int]) -> str:
    """A path of bars; what is above none is seen."""
    wide, most = HistogramBars.WIDTH / len(counts), max(counts)
    bars = []
    for at, count in enumerate(counts):
        if count:
            high = max(1.0, HistogramBars.HEIGHT * count / most)
            bars.append(f"M{at * wide:.2f} {HistogramBars.HEIGHT}v{-high:.2f}h{max(0.5, wide - 0.6):.2f}v{high:.2f}z")
    return "".join(bars)


def _warnings(record: DrawnRecord) -> Iterable[str]:
    """Sentences, each with a stop."""
    left_out = record.streamlines_left_out
    if any(left_out.values()):
        reasons = ", ".join(f"{whole(count)} {reason}" for reason, count in left_out.items() if count)
        total = sum(left_out.values())
        yield f"{plural(total, 'streamline is', 'streamlines are')} left out: {reasons}."
    yield from map(sentence, record.notes)


def _facts(record: DrawnRecord) -> Iterable[tuple[str, str]]:
    """The numbers, each with its name."""
    yield "Streamlines", _count(record)
    lengths = record.lengths
    for name, value in (("Mean", lengths.mean), ("Median", lengths.median)):
        if value is not None:
            yield f"{name} length", f"{tenths(value)} mm"
    if lengths.minimum is not None and lengths.maximum is not None:
        yield "Length range", f"{tenths(lengths.minimum)}–{tenths(lengths.maximum)} mm"
    if record.volume_millimetres3 is not None:
        yield "Volume", volume(record.volume_millimetres3)
    if record.points_outside_reference is not None:
        yield "Outside reference", percent(record.points_outside_reference)


def _count(record: DrawnRecord) -> str:
    drawn, all_ = record.streamlines_drawn, record.streamlines
    return f"{whole(drawn)} of {whole(all_)}" if drawn < all_ else whole(all_)


def _sources(tract: PictureSet) -> Iterable[tuple[str, str]]:
    """The files that it is of, with their sizes."""
    record = tract.record
    sizes = record.source_bytes or (0,) * len(record.sources)
    for at, (source, bytes_) in enumerate(zip(record.sources, sizes, strict=True)):
        yield "Source" if at == 0 else "", f"{source} ({size(bytes_)})" if bytes_ else source


def _details(record: DrawnRecord) -> Iterable[tuple[str, str]]:
    """What tells how it was drawn."""
    if record.scene.reference:
        yield "Reference", record.scene.reference.path
    if record.style and record.width_millimetres is not None:
        yield "Style", f"{record.style}, {record.width_millimetres:.3g} mm wide"
    if record.millimetres_per_pixel:
        yield "Pixel", f"{record.millimetres_per_pixel:.3g} mm"
    if record.points:
        yield "Points", whole(record.points)
    if record.volume_voxel_millimetres:
        yield "Volume’s voxels", f"{record.volume_voxel_millimetres:g} mm"
