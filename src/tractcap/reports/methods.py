"""The methods text for an article: how the pictures were made, from the records beside them.

The words are in ``templates/methods.txt``, the references in ``references.toml``. Here it is gathered what the records
say.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import PurePosixPath
from urllib.parse import quote

from tractcap.color_names import apart
from tractcap.records.check_sidecar import DONE, CheckRecord
from tractcap.records.json_record import Color
from tractcap.records.options import ODF, PEAKS, ROI, SURFACE, Coloring
from tractcap.records.sidecar_fields import DAMAGED, EMPTY, FAILED, MISSING, OVERVIEW, UNREADABLE
from tractcap.records.tractogram_sidecar import DrawnRecord, Extent, TractogramRecord
from tractcap.reports.formatting import environment, read_toml

_FINE_DENSITY = 256.0
"""mm; a tractogram that is larger has larger voxels than 2 mm in its density map."""

_OVERLAYS = {ROI: "regions of interest", SURFACE: "surfaces"}
_GLYPHS = {PEAKS: "peaks of fibre orientation", ODF: "orientation distribution functions"}
"""What is drawn beside streamlines, everywhere and in slices, in words."""

_RANGED = ("data", "scalar", "density")
"""Colourings whose values are shown from the low to the high end of a range."""


@dataclass(frozen=True)
class Reference:
    """A reference: ``short`` is how the text cites it, ``key`` how LaTeX does, the rest is what the list says."""

    key: str
    short: str
    authors: str
    title: str
    doi: str = ""

    @property
    def url(self) -> str:
        """Where its DOI leads; empty where it has none."""
        return f"https://doi.org/{quote(self.doi, safe='/:;()')}" if self.doi else ""

    @property
    def plain(self) -> str:
        """The reference as a line of text."""
        return " ".join(filter(None, (self.authors, self.title, self.url)))


@cache
def references() -> dict[str, Reference]:
    """The references of ``references.toml`` by their keys."""
    return {key: Reference(key, **fields) for key, fields in read_toml("references.toml").items()}


@dataclass(frozen=True)
class MethodsText:
    """Paragraphs, and the references that they cite, ordered by authors. Both are empty where nothing was drawn."""

    paragraphs: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def plain(self) -> str:
        """The text in Markdown."""
        parts = list(self.paragraphs)
        if self.references:
            parts += ["References", "\n".join(f"- {reference.plain}" for reference in self.references)]
        return "\n\n".join(parts) + "\n" if parts else ""


def _by_name(cited: Sequence[Reference]) -> str:
    return f"({'; '.join(reference.short for reference in cited)})"


def methods_text(
    records: Sequence[TractogramRecord],
    checks: Iterable[CheckRecord] = (),
    cite: Callable[[Sequence[Reference]], str] = _by_name,
) -> MethodsText:
    """Write the methods text of the records of tractograms, drawn or not, and of their checks.

    ``cite`` says how the text names references.
    """
    study = Study(records, checks)
    if not study.drawn:
        return MethodsText()
    cited: set[Reference] = set()

    def cite_keys(*keys: str) -> str:
        chosen = [references()[key] for key in keys]
        cited.update(chosen)
        return cite(chosen)

    template = environment().overlay(autoescape=False, trim_blocks=False).get_template("methods.txt")
    text = template.render(study=study, cite=cite_keys)
    paragraphs = (re.sub("[ \n]+", " ", paragraph).strip() for paragraph in text.split("\n---\n"))
    return MethodsText(tuple(filter(None, paragraphs)), tuple(sorted(cited, key=lambda reference: reference.plain)))


class Study:
    """What the records say, as the template of the methods text asks for it.

    Parameters
    ----------
    records : of tractograms and overviews, drawn or not.
    checks : of their checks, made or not.
    """

    def __init__(self, records: Sequence[TractogramRecord], checks: Iterable[CheckRecord]) -> None:
        with_pictures = [record for record in records if isinstance(record, DrawnRecord)]
        self.drawn = [record for record in with_pictures if record.kind != OVERVIEW]
        self.overviews = [record for record in with_pictures if record.kind == OVERVIEW]
        self.options = [record.scene.options for record in with_pictures]
        self.colorings = [coloring for record in self.drawn for coloring in record.colorings]
        self.on_images = [record for record in self.drawn if record.scene.reference and record.scene.options.anatomy]
        shown = {overlay.kind for record in with_pictures for overlay in record.overlays}
        self.overlays = [words for kind, words in _OVERLAYS.items() if kind in shown]
        self.glyphs = [words for kind, words in _GLYPHS.items() if kind in shown]
        self.by_fury = bool(shown - {PEAKS})
        self.palette = set(apart())
        self._with_pictures = with_pictures

        programs = [program for record in with_pictures for program in record.generated_by]
        self.versions = sorted({program.version for program in programs if program.name == "tractcap"} - {""})
        statuses = Counter(record.status for record in records)
        self.failed = statuses[FAILED] + statuses[DAMAGED] + statuses[MISSING]
        self.empty = statuses[EMPTY]
        self.unreadable = statuses[UNREADABLE]

        self.views = {view for options in self.options for view in options.views}
        self.styles = {record.style for record in self.drawn}
        self.streamlines = sum(record.streamlines for record in self.drawn)
        self.left_out: Counter[str] = Counter()
        for record in self.drawn:
            self.left_out.update(record.streamlines_left_out)

        self._done = [check for check in checks if check.status == DONE]
        self.checks = list({check.name: check for check in self._done}.values())

    @cached_property
    def by_participant(self) -> dict[str, list[DrawnRecord]]:
        """The records of each participant's tractograms, by label; ``""`` for those without a participant."""
        by_participant: dict[str, list[DrawnRecord]] = {}
        for record in self.drawn:
            by_participant.setdefault(record.participant, []).append(record)
        return by_participant

    @property
    def people(self) -> list[str]:
        """Labels of the participants."""
        return [label for label in self.by_participant if label]

    @property
    def slices_lead_through(self) -> str:
        """The point that all slices lead through, in mm, or ``mean``; empty where it isn't the same for all."""
        points = {record.scene.options.slices_at for record in self.drawn if record.scene.slices_at}
        if len(points) != 1:
            return ""
        point = points.pop()
        return ", ".join(f"{axis:g}" for axis in point) if point else "mean"

    @property
    def frames(self) -> str:
        """Whether each participant's pictures have a ``shared`` frame or each its ``own``; empty where it's mixed."""
        several = [records for records in self.by_participant.values() if len(records) > 1]
        counts = [(len({record.scene.frame for record in records}), len(records)) for records in several]
        if not several:
            return ""
        if all(frames == 1 for frames, _ in counts):
            return "shared"
        return "own" if all(frames == tractograms for frames, tractograms in counts) else ""

    def colored_by(self, *kinds: str) -> list[Coloring]:
        """The colourings of these kinds."""
        return [coloring for coloring in self.colorings if coloring.kind in kinds]

    def names_of(self, kind: str) -> list[str]:
        """Names of what tractograms of this kind of colouring are coloured by."""
        return sorted({coloring.name for coloring in self.colored_by(kind)})

    @property
    def single_colors(self) -> set[Color]:
        """The colours of tractograms that have one colour each."""
        return {coloring.color for coloring in self.colored_by("one") if coloring.color}

    @property
    def colormaps(self) -> list[str]:
        """Names of the colour maps that values are shown by."""
        return sorted({coloring.colormap for coloring in self.colored_by(*_RANGED, "position")})

    @property
    def fine_density(self) -> bool:
        """Whether all density maps have voxels of 2 mm."""
        for record in self.drawn:
            box = record.extent
            if not isinstance(box, Extent):
                return False
            if max(high - low for low, high in zip(box.framed_low, box.framed_high, strict=True)) > _FINE_DENSITY:
                return False
        return True

    @property
    def range_over_group(self) -> bool:
        """Whether all participants share one range of values."""
        return any(coloring.over_group for coloring in self.colored_by(*_RANGED))

    @property
    def range_is_robust(self) -> bool:
        """Whether the colours have the range of the values themselves, not one that the user gave."""
        for sharing in [self.drawn] if self.range_over_group else self.by_participant.values():
            extents = (record.extent for record in sharing)
            ranges = [extent.values for extent in extents if isinstance(extent, Extent) and extent.values]
            if not ranges:
                return False
            shared = (min(low for low, _ in ranges), max(high for _, high in ranges))
            if any(coloring.limits != shared for record in sharing for coloring in record.colorings):
                return False
        return bool(self.colored_by(*_RANGED))

    @property
    def range(self) -> tuple[float, float] | None:
        """The one range of the colours; None where there is none, or several."""
        ranges = {coloring.limits for coloring in self.colored_by(*_RANGED) if coloring.limits}
        return ranges.pop() if len(ranges) == 1 else None

    @property
    def images(self) -> list[str]:
        """Names of the reference images that are shown."""
        references = (record.scene.reference for record in self.on_images)
        return sorted({PurePosixPath(reference.path).name for reference in references if reference})

    @property
    def anatomy(self) -> set[str]:
        """What of them is shown."""
        return {part for record in self.on_images for part in record.scene.options.anatomy}

    @property
    def read_images(self) -> bool:
        """Whether NIfTI images, or tractograms whose format relies on them, were read."""
        sources = [PurePosixPath(source) for record in self._with_pictures for source in record.sources]
        images = any(record.scene.reference for record in self._with_pictures) or bool(self.colored_by("scalar"))
        return images or any(".trk" in source.suffixes[-2:] for source in sources)

    @cached_property
    def sampled_checks(self) -> set[str]:
        """Names of the checks that measured only some of the streamlines that they could measure."""
        sampled = set()
        for check in self._done:
            counts = {key: value for key, value in check.measures.items() if isinstance(value, int | float)}
            unfit = sum(counts.get(key, 0) for key in ("SinglePoint", "NotFinite", "TooShort"))
            if counts.get("Sampled", 0) < counts.get("Streamlines", 0) - unfit:
                sampled.add(check.name)
        return sampled

    def versions_of(self, package: str) -> list[str]:
        """The versions of a package that pictures were made with."""
        return sorted({record.software.get(package, "") for record in self._with_pictures} - {""})
