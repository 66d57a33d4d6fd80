"""What a participant's page shows of each tractogram: the JSON file's values as its card has them."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tractcap.inputs.bundles import Sided, counterparts
from tractcap.reports.checked import Checked, checked, counts
from tractcap.reports.html import href, percent, plural, size, tenths, volume, whole
from tractcap.reports.table import anchor
from tractcap.reports.tracts import DRAWN, Tract, in_words, telling

ANIMATIONS = ("mp4", "webp", "gif")
"""Formats of the turntable; the first that is there is shown."""

_PNG = b"\x89PNG\r\n\x1a\n"
_BACKGROUND = "#000000"


@dataclass(frozen=True)
class Picture:
    """A picture that can be looked at: ``what`` it shows, its ``link``, and its pixels if they could be read."""

    what: str
    label: str
    link: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Histogram:
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
    tract: Tract
    pictures: list[Picture]
    histogram: Histogram | None
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
        return self.tract.readable or self.tract.key or str(self.tract.told["Title"])

    @property
    def full_name(self) -> str:
        """The name, and what sets it apart."""
        return ", ".join(filter(None, (self.name, self.apart)))

    @property
    def original(self) -> str:
        """The name that the file has for it, where that is another one."""
        original = str(self.tract.told["Bundle"].get("Original") or "")
        return original if original.casefold() != self.name.casefold() else ""

    @property
    def why(self) -> str:
        """Why there are no pictures."""
        return str(self.tract.told.get("Why") or "The reason was not told.")

    @property
    def still(self) -> Picture | None:
        """What the card shows: the mosaic, or the first of the views."""
        stills = [one for one in self.pictures if not one.what.startswith("turntable")]
        return next((one for one in stills if one.what == "mosaic"), stills[0] if stills else None)

    @property
    def turntable(self) -> Picture | None:
        """The animation, if there is one."""
        return next((one for one in self.pictures if one.what.startswith("turntable")), None)

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = [self.full_name, *(f"{name.lower()} {value}" for name, value in self.facts[:2])]
        return ", ".join(told)


def card(output: Path, tract: Tract, left_out: list[Path]) -> Card:
    """What is shown of a tract; files of its checks that aren't whole are ``left_out``.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, IndexError
        When its JSON file doesn't hold what it should.
    """
    told = tract.told
    drawn = tract.status == DRAWN
    return Card(
        _overview_anchor(tract) if tract.overview else anchor(tract.source),
        tract,
        _pictures(output, tract),
        _histogram(told.get("Lengths") or {}) if drawn else None,
        list(_warnings(told)),
        list(_facts(told)) if drawn else [],
        list(_details(told)),
        _background(told),
        checks=checked(output, tract.made, left_out),
    )


def legends(cards: Sequence[Card]) -> None:
    """Tell each card of several tractograms which they are."""
    by_source = {one.tract.source: one for one in cards if not one.tract.overview}
    for one in cards:
        sources, colorings = one.tract.told["Sources"], one.tract.told.get("Colorings") or []
        if one.tract.overview and len(sources) == len(colorings):
            colors = {source: coloring.get("color") for source, coloring in zip(sources, colorings, strict=True)}
            shown = [(color, by_source[source]) for source, color in colors.items() if color and source in by_source]
            one.legend = [(as_hex(color), other) for color, other in shown]


def _overview_anchor(tract: Tract) -> str:
    return anchor("\n".join(str(source) for source in tract.told["Sources"])).replace("tract-", "overview-")


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
        for id_, tract, side in ((one.id, one.tract, _side(one.tract)) for one in by_id.values())
        if side
    }
    for id_, other in counterparts(sided).items():
        by_id[id_].pair = other


def _side(tract: Tract) -> str:
    return str(tract.told["Bundle"].get("Hemisphere") or "")


def _pictures(output: Path, tract: Tract) -> list[Picture]:
    """The mosaic, the views, and one turntable."""
    shown = dict(tract.pictures)
    animations = [shown.pop(f"turntable.{ending}", "") for ending in ANIMATIONS]
    order = sorted(shown, key=lambda what: what != "mosaic")
    stills = [Picture(what, what, href(shown[what]), *_pixels(output / shown[what])) for what in order]
    turning = next(filter(None, animations), "")
    kind = f"turntable {PurePosixPath(turning).suffix}"
    return [*stills, Picture(kind, "turntable", href(turning))] if turning else stills


def _pixels(path: Path) -> tuple[int, int]:
    """Width and height of a PNG file; 0 where they can't be read."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError:
        return 0, 0
    return struct.unpack(">II", head[16:24]) if len(head) == 24 and head.startswith(_PNG) else (0, 0)


def _background(told: Mapping[str, Any]) -> str:
    """The pictures' own, for what is beside them."""
    color = ((told.get("Made") or {}).get("Look") or {}).get("background")
    return as_hex(color) if color else _BACKGROUND


def as_hex(color: Sequence[int]) -> str:
    """A colour as ``#rrggbb``."""
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in color[:3])


def _histogram(lengths: Mapping[str, Any]) -> Histogram | None:
    about = lengths.get("Histogram")
    if not about or not any(about["Counts"]):
        return None
    counts, start, step = [int(count) for count in about["Counts"]], float(about["Start"]), float(about["BinWidth"])
    most = counts.index(max(counts))
    words = (
        f"Lengths from {tenths(lengths['Minimum'])} to {tenths(lengths['Maximum'])} mm, "
        f"most between {start + most * step:g} and {start + (most + 1) * step:g} mm"
    )
    return Histogram(_bars(counts), words, f"{start:g}", f"{start + len(counts) * step:g} mm")


def _bars(counts: Sequence[int]) -> str:
    """A path of bars; what is above none is seen."""
    wide, most = Histogram.WIDTH / len(counts), max(counts)
    bars = []
    for at, count in enumerate(counts):
        if count:
            high = max(1.0, Histogram.HEIGHT * count / most)
            bars.append(f"M{at * wide:.2f} {Histogram.HEIGHT}v{-high:.2f}h{max(0.5, wide - 0.6):.2f}v{high:.2f}z")
    return "".join(bars)


def _warnings(told: Mapping[str, Any]) -> Iterable[str]:
    """Sentences, each with a stop."""
    left_out = told.get("StreamlinesLeftOut") or {}
    if any(left_out.values()):
        reasons = ", ".join(f"{whole(count)} {reason}" for reason, count in left_out.items() if count)
        total = sum(left_out.values())
        yield f"{plural(total, 'streamline is', 'streamlines are')} left out: {reasons}."
    for note in told.get("Notes") or ():
        text = str(note).strip()
        yield text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _facts(told: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The numbers, each with its name."""
    yield "Streamlines", _count(told)
    lengths = told.get("Lengths") or {}
    for name in ("Mean", "Median"):
        if lengths.get(name) is not None:
            yield f"{name} length", f"{tenths(lengths[name])} mm"
    if lengths.get("Minimum") is not None:
        yield "Length range", f"{tenths(lengths['Minimum'])}–{tenths(lengths['Maximum'])} mm"
    if told.get("VolumeMillimetres3") is not None:
        yield "Volume", volume(told["VolumeMillimetres3"])
    if told.get("PointsOutsideReference") is not None:
        yield "Outside reference", percent(told["PointsOutsideReference"])


def _count(told: Mapping[str, Any]) -> str:
    drawn, all_ = told["StreamlinesDrawn"], told["Streamlines"]
    return f"{whole(drawn)} of {whole(all_)}" if drawn < all_ else whole(all_)


def _details(told: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What tells where it is from and how it was drawn."""
    sizes = told.get("SourceBytes") or []
    for at, source in enumerate(told["Sources"]):
        yield (
            ("Source" if at == 0 else ""),
            f"{source} ({size(sizes[at])})" if at < len(sizes) and sizes[at] else source,
        )
    if reference := (told.get("Made") or {}).get("Reference"):
        yield "Reference", str(reference["path"])
    if told.get("Style"):
        yield "Style", f"{told['Style']}, {told['WidthMillimetres']:.3g} mm wide"
    if told.get("MillimetresPerPixel"):
        yield "Pixel", f"{told['MillimetresPerPixel']:.3g} mm"
    if told.get("Points"):
        yield "Points", whole(told["Points"])
    if told.get("VolumeVoxelMillimetres"):
        yield "Volume’s voxels", f"{told['VolumeVoxelMillimetres']:g} mm"
