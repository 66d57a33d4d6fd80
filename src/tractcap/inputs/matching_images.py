"""The images that go with a tractogram: its reference, under which it is drawn, and its scalar maps.

An image goes with a tractogram of the same participant, of the same session or of none, and of the same space. Where
neither names a space, both must be of the same dataset. Of several images the first is taken, in this order: T1w, then
b0, then FA; the tractogram's session before none; the fewest other acquisitions, directions and runs; preprocessed
before others; a tensor's map before other models'; the same dataset before others; then by name.
Standard library alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tractcap.inputs.filters import REFERENCE, SCALAR, Filters
from tractcap.inputs.search import Image, Source

_T1W, _B0, _FA = "T1w image", "b0 image", "FA map"
_KINDS = (_T1W, _B0, _FA)

_B0_SUFFIXES = ("b0", "b0ref", "dwiref")
_DWI = "dwi"
_MAPS = ("dwi", "dwimap", "mdp", "map", "scalarmap")
"""Suffixes of maps whose entities say what they show."""

_LABELS = ("mask", "dseg", "probseg", "label", "seg", "bold", "boldref", "xfm")
"""Suffixes of images that are neither a map nor the anatomy."""

_SAME = ("acq", "dir", "run", "rec", "part")
_TENSORS = ("tensor", "dti")

_NO_FILTERS = Filters()

_T1W_SPACE = "T1w"

GET_IT = "get it first (datalad get, or git annex get)"
"""What to do about a link to a file that isn't there."""


@dataclass(frozen=True)
class Choice:
    """An image, or None, and the sentence that says why."""

    path: Path | None
    why: str


@dataclass(frozen=True)
class _Candidate:
    """An image and its entities."""

    image: Image
    entities: dict[str, str]

    def get(self, entity: str) -> str:
        """An entity's label; empty without it."""
        return self.entities.get(entity, "")

    def fits(self, source: Source) -> bool:
        """Whether it is of the session and space of a tractogram of the same participant."""
        if self.get("ses") not in ("", source.session):
            return False
        # older versions of QSIPrep: the space is named after this image, which itself names none
        is_space = self.get("suffix") == "T1w" and self.get("desc") == "preproc" and not self.get("space")
        if source.space == _T1W_SPACE and is_space:
            return True
        same_dataset = self.image.dataset == source.dataset
        return self.get("space") == source.space and (bool(source.space) or same_dataset)

    @property
    def _is_neither(self) -> bool:
        """Whether it is neither a map nor the anatomy, or a file of MRtrix's, which isn't read as such."""
        return bool(self.get("label")) or self.get("extension") in (".mif", ".mif.gz")

    def shows(self, name: str) -> bool:
        """Whether it is the map of a name, such as FA."""
        suffix = self.get("suffix")
        if self._is_neither or suffix.lower() in _LABELS:
            return False
        names = [self.get("param"), self.get("mdp"), *([self.get("desc")] if suffix in _MAPS else [])]
        if suffix != _DWI:  # the diffusion-weighted images themselves, unless an entity says that they are a map
            names.append(suffix)
        return name.lower() in {label.lower() for label in names if label}

    @property
    def reference_kind(self) -> str:
        """Which kind of reference image it is, empty for none."""
        suffix, desc = self.get("suffix"), self.get("desc").lower()
        if self._is_neither:
            return ""
        if suffix == "T1w":
            return _T1W
        if suffix in _B0_SUFFIXES or (suffix == _DWI and desc in _B0_SUFFIXES):
            return _B0
        return _FA if self.shows("FA") else ""

    def order(self, source: Source, kind: str) -> tuple[object, ...]:
        """What the images of a tractogram are sorted by, the first being the best."""
        own = dict(source.entities)
        return (
            _KINDS.index(kind) if kind in _KINDS else 0,
            self.get("ses") != source.session,
            sum(bool(self.get(entity)) and self.get(entity) != own.get(entity) for entity in _SAME),
            kind == _T1W and self.get("desc") != "preproc",
            bool(self.get("model")) and self.get("model").lower() not in _TENSORS,
            self.image.dataset != source.dataset,
            self.image.name,
        )


class MatchingImages:
    """Chooses among the images that were found with the tractograms.

    Parameters
    ----------
    images : all participants' images.
    filters : which of them may be chosen.
    """

    def __init__(self, images: Sequence[Image], filters: Filters = _NO_FILTERS) -> None:
        self._filters = filters
        self._images: dict[str, list[Image]] = {}
        for image in images:
            self._images.setdefault(image.participant, []).append(image)
        self._last: tuple[str, list[_Candidate]] = ("", [])  # tractograms come participant by participant

    def reference(self, source: Source) -> Choice:
        """Choose the image of the anatomy that a tractogram is drawn on."""
        return self._choose(source, REFERENCE, lambda image: image.reference_kind, "T1w, b0 or FA image")

    def scalar(self, source: Source, name: str) -> Choice:
        """Choose the map of a tractogram, such as FA, by its name in upper or lower case."""
        kind = f"{name} map"
        return self._choose(source, SCALAR, lambda image: kind if image.shows(name) else "", kind)

    def _choose(self, source: Source, what: str, kind_of: Callable[[_Candidate], str], kinds: str) -> Choice:
        """Choose among the images of which ``kind_of`` gives a kind; ``kinds`` names all of these in sentences."""
        participant, space = source.participant, source.space
        if not participant:
            return Choice(None, f"none: {source.name} is of no participant")
        if self._last[0] != participant:
            images = self._images.get(participant, ())
            self._last = participant, [_Candidate(image, dict(image.entities)) for image in images]
        near = [image for image in self._last[1] if image.fits(source)]
        fit = [image for image in near if kind_of(image) and self._filters.keep(what, image.entities)]
        fit.sort(key=lambda image: image.order(source, kind_of(image)))
        for number, image in enumerate(fit):
            if image.image.path.is_file():  # else a link to nowhere, as those of annexed files may be
                kind = kind_of(image)
                same = ["participant", *(["session"] if image.get("ses") else [])]
                same.append(f"space ({space})" if space else "dataset, neither names a space")
                count = sum(kind_of(other) == kind for other in fit[number:])
                others = f"; the first of {count} such images" if count > 1 else ""
                why = f"the {kind} of the same {', '.join(same[:-1])} and {same[-1]}{others}"
                return Choice(image.image.path, f"{image.image.name}: {why}")
        if fit:
            return Choice(None, f"none: {fit[0].image.name} is a link to a file that isn't there: {GET_IT}")
        person = f"sub-{participant}" + (f", ses-{source.session}" if source.session else "")
        if any(kind_of(image) for image in near):
            return Choice(None, f"none: no {kinds} of {person} is what the filter file asks for")
        where = f"is in space {space}" if space else "is in the same dataset and, like the tractogram, names no space"
        return Choice(None, f"none: no {kinds if near else 'image'} of {person} {where}")
