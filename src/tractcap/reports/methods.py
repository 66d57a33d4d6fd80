"""A text on methods for a paper: how the pictures were made, from what the JSON files beside them tell.

A sentence is there only if what it says was done. Numbers are those of the tractograms that the text is about.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from tractcap.checks.kit.check import DONE
from tractcap.drawing.look import (
    DATA,
    DENSITY,
    DIRECTION,
    ENDPOINTS,
    GLASS,
    LINES,
    ONE,
    POSITION,
    SCALAR,
    SLICES,
    TUBES,
    Look,
)
from tractcap.drawing.palette import apart
from tractcap.drawing.views import IN_SLICE, SIX
from tractcap.reports.references import REFERENCES
from tractcap.reports.tracts import EMPTY, FAILED

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


def methods(told: Sequence[Mapping[str, Any]]) -> str:
    """Paragraphs and a list of references, as plain text and Markdown; empty where nothing was drawn.

    Parameters
    ----------
    told : what the JSON files hold, of tractograms that were drawn and that were not.
    """
    paragraphs = _paragraphs(told)
    texts = [" ".join(sentence.whole for sentence in paragraph) for paragraph in paragraphs]
    if cited := _cited(paragraphs):
        texts += ["References", "\n".join(f"- {REFERENCES[key].plain}" for key in cited)]
    return "\n\n".join(texts) + "\n" if texts else ""


def methods_html(told: Sequence[Mapping[str, Any]], checked: Sequence[Mapping[str, Any]] = ()) -> Markup:
    """The same as HTML: paragraphs and a list, escaped; with what the JSON files of checks tell, of these too."""
    paragraphs = _paragraphs(told)
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


def _paragraphs(told: Sequence[Mapping[str, Any]]) -> list[list[Sentence]]:
    found = _Told(told)
    if not found.drawn:
        return []
    parts = (_what, _pictures, _colors, _anatomy, _counts, _software)
    return [sentences for part in parts if (sentences := list(part(found)))]


def _checks(checked: Sequence[Mapping[str, Any]]) -> Iterator[Sentence]:
    """A sentence for each check that was made, with the source of its method, which isn't among the references."""
    made = {one["Name"]: one for one in checked if one["Status"] == DONE}
    for name, one in made.items():
        sampled = ", of a random sample of streamlines" if _sampled(checked, name) else ""
        yield Sentence(f"A check was made{sampled}: {name} ({str(one['Source']).rstrip('.')})")


def _sampled(checked: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a check measured a part of the streamlines of any tractogram."""
    found = (one["Measures"] for one in checked if one["Name"] == name)
    return any(
        (one.get("Sampled") or 0) < (one.get("Streamlines") or 0) - (one.get("SinglePoint") or 0) for one in found
    )


class _Told:
    """What was told, sorted."""

    def __init__(self, told: Sequence[Mapping[str, Any]]) -> None:
        known = [one for one in told if one.get("Made") and one.get("Status") not in (FAILED, EMPTY)]
        self.drawn = [one for one in known if one.get("Kind") != "overview"]
        self.overviews = [one for one in known if one.get("Kind") == "overview"]
        self.undrawn = Counter(one.get("Status") for one in told)
        self.all = known

    @cached_property
    def looks(self) -> list[Mapping[str, Any]]:
        """How each was to look."""
        return [_look(one) for one in self.all]

    @cached_property
    def colorings(self) -> list[Mapping[str, Any]]:
        """What each tractogram's colours mean."""
        return [coloring for one in self.drawn for coloring in one.get("Colorings", ())]

    @cached_property
    def people(self) -> dict[str, list[Mapping[str, Any]]]:
        """What is told of each participant's tractograms."""
        people: dict[str, list[Mapping[str, Any]]] = {}
        for one in self.drawn:
            people.setdefault(one.get("Participant", ""), []).append(one)
        return people

    @property
    def on_images(self) -> list[Mapping[str, Any]]:
        """Those with a reference image of which something is shown."""
        return [one for one in self.drawn if one["Made"].get("Reference") and _look(one)["anatomy"]]

    def kinds(self, *kinds: str) -> list[Mapping[str, Any]]:
        """The colourings of these kinds."""
        return [coloring for coloring in self.colorings if coloring["kind"] in kinds]


def _look(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """How it was to look; what an earlier version doesn't tell was not there to be asked for."""
    return {**Look().dump(), **one["Made"]["Look"]}


def _what(found: _Told) -> Iterator[Sentence]:
    people = [name for name in found.people if name]
    of = f" of {_number(len(people), 'participant')}" if people else ""
    versions = {one["GeneratedBy"][0]["Version"] for one in found.all}
    tractograms = _number(len(found.drawn), "tractogram")
    yield Sentence(
        f"Pictures of {tractograms}{of} were drawn with tractcap {_list(sorted(versions))}, "
        "a program that draws tractograms for quality control in bounded memory"
    )
    if count := found.undrawn[FAILED]:
        yield Sentence(f"{_number(count, 'further tractogram')} could not be drawn")
    if count := found.undrawn[EMPTY]:
        yield Sentence(f"{_number(count, 'further tractogram')} held no streamlines")


def _pictures(found: _Told) -> Iterator[Sentence]:
    names = {name for look in found.looks for name in look["views"]}
    sides = [name for name in SIX if name in names]
    if sides:
        where = _list([{**_FROM_SIDES, **_FROM_ENDS}[name] for name in sides])
        yield Sentence(f"They show the streamlines in parallel projection as seen from {where}")
    if slices := [name for name in IN_SLICE if name in names]:
        slabs = _span(look["slab"] for look in found.looks)
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
    sliced = [one for one in found.drawn if one["Made"].get("SlicesAt")]
    points = {tuple(_look(one)["slices_at"] or ()) for one in sliced}
    if points == {()}:
        yield Sentence("Slices lead through the mean of all points of a tractogram")
    elif len(points) == 1:
        yield Sentence(f"Slices lead through the point {', '.join(f'{axis:g}' for axis in points.pop())} mm (RAS+)")


def _frames(found: _Told) -> Iterator[Sentence]:
    several = [tracts for tracts in found.people.values() if len(tracts) > 1]
    frames = [{str(one["Made"]["Frame"]) for one in tracts} for tracts in several]
    if several and all(len(one) == 1 for one in frames):
        yield Sentence("All pictures of a participant have the same frame and scale")
    elif several and all(len(one) == len(tracts) for one, tracts in zip(frames, several, strict=True)):
        yield Sentence("Each tractogram has a frame and scale of its own")


def _streamlines(found: _Told) -> Iterator[Sentence]:
    styles = [one.get("Style") for one in found.drawn]
    for style, what in ((TUBES, "as lit tubes"), (LINES, "as lines")):
        if style in styles:
            of = f" of {_number(styles.count(style), 'tractogram')}" if len(set(styles)) > 1 else ""
            width = _span(one["WidthMillimetres"] for one in found.drawn if one.get("Style") == style)
            yield Sentence(f"The streamlines{of} were drawn {what} {width} mm wide")
    if TUBES in styles:
        yield Sentence("Tubes follow Catmull–Rom splines through the points of the streamlines", ("catmull",))
    yield Sentence("Depth was made visible by eye-dome lighting", ("boucheny",))
    if clear := [look["opacity"] for look in found.looks if look["opacity"] < 1]:
        yield Sentence(
            f"Streamlines had an opacity of {_span(clear)} and were mixed in any order by weighted averages",
            ("bavoil",),
        )
    if smooth := [one["SamplesPerPixel"] for one in found.drawn if one.get("SamplesPerPixel", 1) > 1]:
        rough = len(found.drawn) - len(smooth)
        but = f", but for {_number(rough, 'tractogram')}" if rough else ""
        yield Sentence(f"Each pixel is the mean of {_span(smooth)} samples{but}")


def _turntables(found: _Told) -> Iterator[Sentence]:
    if turning := [look["frames"] for look in found.looks if look["animation"]]:
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
    colors = {tuple(one["color"]) for one in found.kinds(ONE)}
    if len(colors) > 1:
        cited = ("okabe",) if colors <= set(apart()) else ()
        yield Sentence("Each bundle has a colour of its own, the same in all participants", cited)
    elif colors:
        yield Sentence("All streamlines have the same colour")


def _valued(found: _Told) -> Iterator[Sentence]:
    for kind, tell in _TOLD_VALUES.items():
        if found.kinds(kind):
            yield tell(found)
    if maps := sorted({one["colormap"] for one in found.kinds(*_VALUED)}):
        cited = ("matplotlib", *(("cividis",) if "cividis" in maps else ()))
        yield Sentence(f"Values are shown by the colour map {_list(maps)}", cited)
    if found.kinds(DATA, SCALAR, DENSITY):
        yield from _range(found)


def _data(found: _Told) -> Sentence:
    names = sorted({one["name"] for one in found.kinds(DATA)})
    return Sentence(
        f"Colours stand for what the file holds for each point or streamline under the name {_list(_quoted(names))}"
    )


def _scalar(found: _Told) -> Sentence:
    names = sorted({one["name"] for one in found.kinds(SCALAR)})
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


def _reach(one: Mapping[str, Any]) -> float:
    extent = one.get("Extent") or {}
    sides = zip(extent.get("framed_low", (0,)), extent.get("framed_high", (float("inf"),)), strict=True)
    return max(float(high - low) for low, high in sides)


def _range(found: _Told) -> Iterator[Sentence]:
    """The ends of the colours: given, or the robust range of all that share it."""
    if any(one.get("over_group") for one in found.kinds(DATA, SCALAR, DENSITY)):
        sharing, whose = [found.drawn], "all participants"
    else:
        sharing, whose = list(found.people.values()), "a participant"
    if all(map(_robust, sharing)):
        yield Sentence(
            "They range from the 2nd to the 98th percentile of the values: from the lowest to the highest of the "
            f"tractograms of {whose}"
        )
    elif len(limits := {tuple(one["limits"]) for one in found.kinds(DATA, SCALAR, DENSITY) if one["limits"]}) == 1:
        low, high = limits.pop()
        yield Sentence(f"They range from {low:g} to {high:g}")


def _robust(tracts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the limits are what tractograms that share them would have, had nobody given others."""
    ends = [one["Extent"]["values"] for one in tracts if (one.get("Extent") or {}).get("values")]
    if not ends:
        return False
    shared = [min(low for low, _ in ends), max(high for _, high in ends)]
    return all(list(coloring["limits"] or ()) == shared for one in tracts for coloring in one["Colorings"])


def _anatomy(found: _Told) -> Iterator[Sentence]:
    if not (shown := found.on_images):
        return
    names = sorted({PurePosixPath(one["Made"]["Reference"]["path"]).name for one in shown})
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
    parts = {part for one in shown for part in _look(one)["anatomy"]}
    if SLICES in parts:
        yield Sentence("Slices through it are shown among the streamlines")
    if GLASS in parts:
        yield Sentence("Its surface is shown behind them as if made of glass", ("edges",))


def _counts(found: _Told) -> Iterator[Sentence]:
    total = sum(one.get("Streamlines", 0) for one in found.drawn)
    reasons: Counter[str] = Counter()
    for one in found.drawn:
        reasons.update(one.get("StreamlinesLeftOut") or {})
    if reasons:
        why = _list([f"{count:,} {reason}" for reason, count in sorted(reasons.items())])
        yield Sentence(f"Of {_number(total, 'streamline')}, {reasons.total():,} were left out: {why}")
    elif total > 1:
        yield Sentence(f"All {total:,} streamlines were drawn, none of them simplified")
    if any("Median" in (one.get("Lengths") or {}) for one in found.drawn):
        yield Sentence("The length of a streamline is the sum of the distances between its successive points")
    if voxels := {one["VolumeVoxelMillimetres"] for one in found.drawn if "VolumeVoxelMillimetres" in one}:
        yield Sentence(
            f"The volume of a tractogram is that of the voxels of {_span(voxels)} mm that streamlines pass through"
        )
    if any("PointsOutsideReference" in one for one in found.drawn):
        yield Sentence(
            "The share of the points that lie outside the reference image was counted, as a sign of a wrong space"
        )


def _software(found: _Told) -> Iterator[Sentence]:
    versions = [one.get("Software") or {} for one in found.all]
    used = [("VTK", "vtk"), ("NumPy", "numpy")]
    endings = {ending for one in found.all for name in one["Sources"] for ending in PurePosixPath(name).suffixes[-2:]}
    images = any(one["Made"].get("Reference") for one in found.all) or found.kinds(SCALAR)
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
