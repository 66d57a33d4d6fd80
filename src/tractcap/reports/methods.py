"""A text on methods for a paper: how the pictures were made, from the records beside them.

A sentence is there only if what it says was done. Numbers are those of the tractograms that the text is about.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import PurePosixPath

from markupsafe import Markup

from tractcap.checks.common.check import DONE
from tractcap.palette import apart
from tractcap.records.check import CheckRecord
from tractcap.records.identity import DAMAGED, EMPTY, FAILED, MISSING, OVERVIEW, UNREADABLE
from tractcap.records.options import (
    DATA,
    DENSITY,
    DIRECTION,
    ENDPOINTS,
    GLASS,
    IN_SLICE,
    LINES,
    ONE,
    POSITION,
    SCALAR,
    SIX,
    SLICES,
    TUBES,
    Coloring,
    PictureOptions,
)
from tractcap.records.tractogram import DrawnRecord, TractogramRecord
from tractcap.reports.references import REFERENCES

_FROM_SIDES = {"left": "the left", "right": "the right", "anterior": "the front", "posterior": "behind"}
_FROM_ENDS = {"superior": "above", "inferior": "below"}

_VALUED = (DATA, SCALAR, POSITION, DENSITY)

_FINE_DENSITY = 256.0
"""mm; a tractogram that reaches farther has larger voxels than 2 mm."""

_AXES = "red for left–right, green for posterior–anterior, blue for inferior–superior"


@dataclass(frozen=True)
class Sentence:
    """``text`` without its stop, and keys of references: ``cited`` at its end, ``named`` within it."""

    text: str
    cited: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """With its citations and its stop."""
        cited = "; ".join(REFERENCES[key].short for key in self.cited)
        return f"{self.text} ({cited})." if cited else f"{self.text}."


def methods(records: Sequence[TractogramRecord]) -> str:
    """Paragraphs and a list of references, as plain text and Markdown; empty where nothing was drawn.

    Parameters
    ----------
    records : of tractograms that were drawn and that were not.
    """
    paragraphs = _paragraphs(records)
    texts = [" ".join(sentence.whole for sentence in paragraph) for paragraph in paragraphs]
    if cited := _cited(paragraphs):
        texts += ["References", "\n".join(f"- {REFERENCES[key].plain}" for key in cited)]
    return "\n\n".join(texts) + "\n" if texts else ""


def methods_html(records: Sequence[TractogramRecord], checked: Sequence[CheckRecord] = ()) -> Markup:
    """The same as HTML: paragraphs and a list, escaped; with what the records of checks tell, of these too."""
    paragraphs = _paragraphs(records)
    if paragraphs and (sentences := list(_checks(checked))):
        paragraphs.append(sentences)
    lines = [f"<p>{escape(' '.join(one.whole for one in paragraph))}</p>" for paragraph in paragraphs]
    if cited := _cited(paragraphs):
        lines += ['<ul class="references">', *(f"<li>{REFERENCES[key].html}</li>" for key in cited), "</ul>"]
    return Markup("\n".join(lines))  # noqa: S704 - each part is escaped above


def _cited(paragraphs: Sequence[Sequence[Sentence]]) -> list[str]:
    """Each reference once, by authors."""
    sentences = [sentence for paragraph in paragraphs for sentence in paragraph]
    keys = {key for sentence in sentences for key in (*sentence.cited, *sentence.named)}
    return sorted(keys, key=lambda key: REFERENCES[key].plain)


def _paragraphs(records: Sequence[TractogramRecord]) -> list[list[Sentence]]:
    found = _Told(records)
    if not found.drawn:
        return []
    parts = (_what, _pictures, _colors, _anatomy, _counts, _software)
    return [sentences for part in parts if (sentences := list(part(found)))]


def _checks(checked: Sequence[CheckRecord]) -> Iterator[Sentence]:
    """A sentence for each check that was made, with the source of its method, which isn't among the references."""
    made: dict[str, CheckRecord] = {}
    sampled: set[str] = set()
    for one in checked:
        if one.status == DONE:
            made[one.name] = one
            sampled |= {one.name} if _is_sampled(one) else set()
    for name, one in made.items():
        which = ", of a random sample of streamlines" if name in sampled else ""
        yield Sentence(f"A check was made{which}: {name} ({one.source.rstrip('.')})")


def _is_sampled(record: CheckRecord) -> bool:
    """Whether a check measured a part of the streamlines."""
    sampled, streamlines, *unmeasured = (
        value if isinstance(value := record.measures.get(key), int | float) else 0
        for key in ("Sampled", "Streamlines", "SinglePoint", "NotFinite", "TooShort")
    )
    return sampled < streamlines - sum(unmeasured)


class _Told:
    """What was told, sorted."""

    def __init__(self, records: Sequence[TractogramRecord]) -> None:
        self.all = [one for one in records if isinstance(one, DrawnRecord)]
        self.drawn = [one for one in self.all if one.kind != OVERVIEW]
        self.overviews = [one for one in self.all if one.kind == OVERVIEW]
        self.undrawn = Counter(one.status for one in records)

    @cached_property
    def looks(self) -> list[PictureOptions]:
        """How each was to look."""
        return [one.scene.options for one in self.all]

    @cached_property
    def colorings(self) -> list[Coloring]:
        """What each tractogram's colours mean."""
        return [coloring for one in self.drawn for coloring in one.colorings]

    @cached_property
    def people(self) -> dict[str, list[DrawnRecord]]:
        """The records of each participant's tractograms."""
        people: dict[str, list[DrawnRecord]] = {}
        for one in self.drawn:
            people.setdefault(one.participant, []).append(one)
        return people

    @property
    def on_images(self) -> list[DrawnRecord]:
        """Those with a reference image of which something is shown."""
        return [one for one in self.drawn if one.scene.reference and one.scene.options.anatomy]

    def kinds(self, *kinds: str) -> list[Coloring]:
        """The colourings of these kinds."""
        return [coloring for coloring in self.colorings if coloring.kind in kinds]


def _what(found: _Told) -> Iterator[Sentence]:
    people = [name for name in found.people if name]
    of = f" of {_number(len(people), 'participant')}" if people else ""
    versions = {by.version for one in found.all for by in one.generated_by if by.name == "tractcap"}
    tractograms = _number(len(found.drawn), "tractogram")
    yield Sentence(
        f"Pictures of {tractograms}{of} were drawn with tractcap {_list(sorted(versions))}, "
        "a program that draws tractograms for quality control in bounded memory"
    )
    if count := sum(found.undrawn[status] for status in (FAILED, DAMAGED, MISSING)):
        yield Sentence(f"{_number(count, 'further tractogram')} could not be drawn")
    if count := found.undrawn[EMPTY]:
        yield Sentence(f"{_number(count, 'further tractogram')} held no streamlines")
    if count := found.undrawn[UNREADABLE]:
        yield Sentence(f"What was told of {_number(count, 'further tractogram')} could not be understood")


def _pictures(found: _Told) -> Iterator[Sentence]:
    names = {name for look in found.looks for name in look.views}
    sides = [name for name in SIX if name in names]
    if sides:
        where = _list([{**_FROM_SIDES, **_FROM_ENDS}[name] for name in sides])
        yield Sentence(f"They show the streamlines in parallel projection as seen from {where}")
    if slices := [name for name in IN_SLICE if name in names]:
        slabs = _span(look.slab for look in found.looks)
        yield Sentence(
            f"Views of {_list(slices)} slices show the parts of the streamlines that lie within {slabs} mm of the slice"
        )
    yield from _slices(found)
    yield from _frames(found)
    yield from _streamlines(found)
    yield from _turntables(found)
    if found.overviews:
        yield Sentence("A further picture shows all tractograms of a participant together")


def _slices(found: _Told) -> Iterator[Sentence]:
    points = {one.scene.options.slices_at for one in found.drawn if one.scene.slices_at}
    if points == {None}:
        yield Sentence("Slices lead through the mean of all points of a tractogram")
    elif len(points) == 1 and (point := points.pop()):
        yield Sentence(f"Slices lead through the point {', '.join(f'{axis:g}' for axis in point)} mm (RAS+)")


def _frames(found: _Told) -> Iterator[Sentence]:
    several = [tracts for tracts in found.people.values() if len(tracts) > 1]
    frames = [{one.scene.frame for one in tracts} for tracts in several]
    if several and all(len(one) == 1 for one in frames):
        yield Sentence("All pictures of a participant have the same frame and scale")
    elif several and all(len(one) == len(tracts) for one, tracts in zip(frames, several, strict=True)):
        yield Sentence("Each tractogram has a frame and scale of its own")


def _streamlines(found: _Told) -> Iterator[Sentence]:
    styles = [one.style for one in found.drawn]
    for style, what in ((TUBES, "as lit tubes"), (LINES, "as lines")):
        if style in styles:
            of = f" of {_number(styles.count(style), 'tractogram')}" if len(set(styles)) > 1 else ""
            width = _span(one.width_millimetres or 0 for one in found.drawn if one.style == style)
            yield Sentence(f"The streamlines{of} were drawn {what} {width} mm wide")
    if TUBES in styles:
        yield Sentence("Tubes follow Catmull–Rom splines through the points of the streamlines", ("catmull",))
    yield Sentence("Depth was made visible by eye-dome lighting", ("boucheny",))
    if clear := [look.opacity for look in found.looks if look.opacity < 1]:
        yield Sentence(
            f"Streamlines had an opacity of {_span(clear)} and were mixed in any order by weighted averages",
            ("bavoil",),
        )
    if smooth := [one.samples_per_pixel for one in found.drawn if one.samples_per_pixel > 1]:
        rough = len(found.drawn) - len(smooth)
        but = f", but for {_number(rough, 'tractogram')}" if rough else ""
        yield Sentence(f"Each pixel is the mean of {_span(smooth)} samples{but}")


def _turntables(found: _Told) -> Iterator[Sentence]:
    if turning := [look.frames for look in found.looks if look.animation]:
        yield Sentence(f"Animations of {_span(turning)} pictures each turn around the vertical axis")


def _colors(found: _Told) -> Iterator[Sentence]:
    if found.kinds(DIRECTION):
        yield Sentence(
            "Colours are the absolute components of the unit tangent at each point of a streamline, the chord between "
            f"its neighbours: {_AXES}",
            ("pajevic",),
        )
    if found.kinds(ENDPOINTS):
        yield Sentence(
            f"Each streamline has the colour of the direction from its first to its last point: {_AXES}",
            ("pajevic",),
        )
    yield from _single(found)
    yield from _valued(found)


def _single(found: _Told) -> Iterator[Sentence]:
    colors = {one.color for one in found.kinds(ONE)}
    if len(colors) > 1:
        cited = ("okabe",) if colors <= set(apart()) else ()
        yield Sentence("Each bundle has a colour of its own, the same in all participants", cited)
    elif colors:
        yield Sentence("All streamlines have the same colour")


def _valued(found: _Told) -> Iterator[Sentence]:
    for kind, tell in _TOLD_VALUES.items():
        if found.kinds(kind):
            yield tell(found)
    if maps := sorted({one.colormap for one in found.kinds(*_VALUED)}):
        cited = ("matplotlib", *(("cividis",) if "cividis" in maps else ()))
        yield Sentence(f"Values are shown by the colour map {_list(maps)}", cited)
    if found.kinds(DATA, SCALAR, DENSITY):
        yield from _range(found)


def _data(found: _Told) -> Sentence:
    names = sorted({one.name for one in found.kinds(DATA)})
    return Sentence(
        f"Colours stand for what the file holds for each point or streamline under the name {_list(_quoted(names))}"
    )


def _scalar(found: _Told) -> Sentence:
    names = sorted({one.name for one in found.kinds(SCALAR)})
    return Sentence(
        f"Colours stand for the map {_list(_quoted(names))}, interpolated trilinearly at each point", ("scipy",)
    )


def _position(_: _Told) -> Sentence:
    return Sentence(
        "Colours stand for the position along the bundle: the nearest of 100 points on its core, the mean of a sample "
        "of up to 1,000 streamlines that were resampled to 100 points each and turned to run alike",
        ("quickbundles",),
    )


def _density(found: _Told) -> Sentence:
    fine = all(_reach(one) <= _FINE_DENSITY for one in found.drawn)
    voxels = "2 mm" if fine else "at least 2 mm"
    return Sentence(
        f"Colours stand for the density of streamlines: how many visit each voxel of a grid of {voxels}, interpolated "
        "trilinearly at each point",
        ("calamante", "scipy"),
    )


_TOLD_VALUES: dict[str, Callable[[_Told], Sentence]] = {
    DATA: _data,
    SCALAR: _scalar,
    POSITION: _position,
    DENSITY: _density,
}


def _reach(one: DrawnRecord) -> float:
    """mm; endless where it isn't told."""
    if one.extent is None or one.extent.framed_low is None or one.extent.framed_high is None:
        return float("inf")
    return max(high - low for low, high in zip(one.extent.framed_low, one.extent.framed_high, strict=True))


def _range(found: _Told) -> Iterator[Sentence]:
    """The ends of the colours: given, or the robust range of all that share it."""
    if any(one.over_group for one in found.kinds(DATA, SCALAR, DENSITY)):
        sharing, whose = [found.drawn], "all participants"
    else:
        sharing, whose = list(found.people.values()), "a participant"
    if all(map(_robust, sharing)):
        yield Sentence(
            "They range from the 2nd to the 98th percentile of the values: from the lowest to the highest of the "
            f"tractograms of {whose}"
        )
    elif len(limits := {one.limits for one in found.kinds(DATA, SCALAR, DENSITY) if one.limits}) == 1:
        low, high = limits.pop()
        yield Sentence(f"They range from {low:g} to {high:g}")


def _robust(tracts: Sequence[DrawnRecord]) -> bool:
    """Whether the limits are what tractograms that share them would have, had nobody given others."""
    ends = [one.extent.values for one in tracts if one.extent and one.extent.values]
    if not ends:
        return False
    shared = (min(low for low, _ in ends), max(high for _, high in ends))
    return all(coloring.limits == shared for one in tracts for coloring in one.colorings)


def _anatomy(found: _Told) -> Iterator[Sentence]:
    if not (shown := found.on_images):
        return
    names = sorted({PurePosixPath(one.scene.reference.path).name for one in shown if one.scene.reference})
    which = _printable(names[0]) if len(names) == 1 else f"one of {len(names):,} reference images"
    yield Sentence(
        f"Streamlines are shown on {which}, windowed from the 1st to the 99.5th percentile of its voxels that are "
        "not zero",
        ("nibabel",),
    )
    yield Sentence(
        "Its head or brain is the largest body above half of Otsu's threshold of the smoothed image, closed and its "
        "holes filled",
        ("otsu", "dipy", "scipy"),
    )
    parts = {part for one in shown for part in one.scene.options.anatomy}
    if SLICES in parts:
        yield Sentence("Slices through it are shown among the streamlines")
    if GLASS in parts:
        yield Sentence("Its surface is shown behind them as if made of glass", ("edges",))


def _counts(found: _Told) -> Iterator[Sentence]:
    total = sum(one.streamlines for one in found.drawn)
    reasons: Counter[str] = Counter()
    for one in found.drawn:
        reasons.update(one.streamlines_left_out)
    if reasons:
        why = _list([f"{count:,} {reason}" for reason, count in sorted(reasons.items())])
        yield Sentence(f"Of {_number(total, 'streamline')}, {reasons.total():,} were left out: {why}")
    elif total > 1:
        yield Sentence(f"All {total:,} streamlines were drawn, none of them simplified")
    if any(one.lengths.median is not None for one in found.drawn):
        yield Sentence("The length of a streamline is the sum of the distances between its successive points")
    if voxels := {one.volume_voxel_millimetres for one in found.drawn if one.volume_voxel_millimetres}:
        yield Sentence(
            f"The volume of a tractogram is that of the voxels of {_span(voxels)} mm that streamlines pass through"
        )
    if any(one.points_outside_reference is not None for one in found.drawn):
        yield Sentence(
            "The share of the points that lie outside the reference image was counted, as a sign of a wrong space"
        )


def _software(found: _Told) -> Iterator[Sentence]:
    versions = [one.software for one in found.all]
    used = [("VTK", "vtk"), ("NumPy", "numpy")]
    endings = {ending for one in found.all for name in one.sources for ending in PurePosixPath(name).suffixes[-2:]}
    images = any(one.scene.reference for one in found.all) or found.kinds(SCALAR)
    if images or ".trk" in endings:
        used.append(("nibabel", "nibabel"))
    if found.on_images or found.kinds(SCALAR, POSITION, DENSITY):
        used.append(("SciPy", "scipy"))
    if found.on_images:
        used.append(("dipy", "dipy"))
    names = [f"{_versioned(name, versions)} ({REFERENCES[key].short})" for name, key in used]
    yield Sentence(f"tractcap relies on {_list(names)}", named=tuple(key for _, key in used))


def _versioned(name: str, versions: Iterable[Mapping[str, str]]) -> str:
    known = sorted({one[name] for one in versions if one.get(name)})
    return " ".join([name, _list(known)]) if known else name


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _list(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _quoted(names: Iterable[str]) -> list[str]:
    return [f"“{_printable(name)}”" for name in names]


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _span(values: Iterable[float]) -> str:
    """One number, or from the least to the greatest."""
    found = sorted({float(f"{value:.3g}") for value in values})
    return f"{found[0]:g}" if len(found) == 1 else f"{found[0]:g} to {found[-1]:g}"
