"""The images that go with a tractogram: its reference, under which it is drawn, and its scalar maps.

An image goes with a tractogram of the same participant, of the same session or of none, and of the same space. Where
neither names a space, both must be of one dataset. Of several the first is taken, in this order: T1w, then b0, then
FA; the tractogram's session before none; what has the fewest acquisitions, directions, runs that contradict it;
preprocessed before others; a tensor's map before other models'; the same dataset before others; then by name.
Standard library alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tractcap.inputs.filters import REFERENCE, SCALAR, Filters
from tractcap.inputs.search import Image, Source

_T1W, _B0, _FA = "T1w image", "b0 image", "FA map"
_KINDS = (_T1W, _B0, _FA)

_B0_SUFFIXES = ("b0", "b0ref", "dwiref")
_DWI = "dwi"
_MAPS = ("dwi", "dwimap", "mdp", "map", "scalarmap")
"""Suffixes of maps whose entities tell what they show."""

_LABELS = ("mask", "dseg", "probseg", "label", "seg", "bold", "boldref", "xfm")
"""Suffixes of what is never a map or an image of the anatomy."""

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


class MatchingImages:
    """Chooses among the images that were found with the tractograms."""

    def __init__(self, images: Sequence[Image], filters: Filters = _NO_FILTERS) -> None:
        self._filters = filters
        self._images: dict[str, list[Image]] = {}
        for image in images:
            self._images.setdefault(image.participant, []).append(image)
        self._last: tuple[str, list[_Told]] = ("", [])

    def reference(self, source: Source) -> Choice:
        """Choose the image of the anatomy that a tractogram is drawn on."""
        return self._choose(source, REFERENCE, _kind, "T1w, b0 or FA image")

    def scalar(self, source: Source, name: str) -> Choice:
        """Choose the map of a tractogram, such as FA, by its name in upper or lower case."""

        def kind(image: "_Told") -> str:
            return f"{name} map" if _shows(image, name) else ""

        return self._choose(source, SCALAR, kind, f"{name} map")

    def _of(self, participant: str) -> "list[_Told]":
        """A participant's images; tractograms come participant by participant."""
        if self._last[0] != participant:
            self._last = participant, [_Told(image) for image in self._images.get(participant, ())]
        return self._last[1]

    def _choose(self, source: Source, what: str, kind: "Callable[[_Told], str]", kinds: str) -> Choice:
        if not source.participant:
            return Choice(None, f"none: {source.name} is of no participant")
        whose = self._of(source.participant)
        near = [image for image in whose if _goes_with(image, source)]
        fit = [image for image in near if kind(image) and self._filters.keep(what, image.entities)]
        fit.sort(key=lambda image: _order(image, source, kind(image)))
        for number, image in enumerate(fit):
            if image.there:
                alike = sum(kind(other) == kind(image) for other in fit[number:])
                return Choice(image.path, _chosen(image, source, kind(image), alike))
        if fit:
            return Choice(None, f"none: {fit[0].name} is a link to a file that isn't there: {GET_IT}")
        if any(kind(image) for image in near):
            return Choice(None, f"none: no {kinds} of {_person(source)} is what the filter file asks for")
        return Choice(None, f"none: no {kinds if near else 'image'} of {_person(source)} {_where(source)}")


class _Told:
    """An image and its entities."""

    def __init__(self, image: Image) -> None:
        self.path, self.name, self.dataset = image.path, image.name, image.dataset
        self.entities = dict(image.entities)

    @cached_property
    def there(self) -> bool:
        """False for a link that leads nowhere, as those of annexed files may."""
        return self.path.is_file()

    def get(self, entity: str) -> str:
        return self.entities.get(entity, "")


def _goes_with(image: _Told, source: Source) -> bool:
    """Whether an image of the same participant is of the same session and space."""
    if image.get("ses") not in ("", source.session):
        return False
    if _is_space(image, source.space):
        return True
    return image.get("space") == source.space and (bool(source.space) or image.dataset == source.dataset)


def _is_space(image: _Told, space: str) -> bool:
    """Whether an image is what a space is named for, as QSIPrep's preprocessed T1w image of old was."""
    return (
        space == _T1W_SPACE
        and image.get("suffix") == "T1w"
        and image.get("desc") == "preproc"
        and not image.get("space")
    )


def _kind(image: _Told) -> str:
    """Which kind of reference an image is; empty for none, such as one of four dimensions."""
    suffix, desc = image.get("suffix"), image.get("desc").lower()
    if image.get("label"):
        return ""
    if suffix == "T1w":
        return _T1W
    if suffix in _B0_SUFFIXES or (suffix == _DWI and desc in _B0_SUFFIXES):
        return _B0
    return _FA if _shows(image, "FA") else ""


def _shows(image: _Told, name: str) -> bool:
    suffix = image.get("suffix")
    if image.get("label") or suffix.lower() in _LABELS:
        return False
    told = [suffix, image.get("param"), image.get("mdp"), *([image.get("desc")] if suffix in _MAPS else [])]
    if suffix == _DWI:  # the diffusion-weighted images themselves, unless they are said to be a map
        told.remove(suffix)
    return name.lower() in {one.lower() for one in told if one}


def _order(image: _Told, source: Source, kind: str) -> tuple[object, ...]:
    own = dict(source.entities)
    other = sum(bool(image.get(one)) and image.get(one) != own.get(one) for one in _SAME)
    return (
        _KINDS.index(kind) if kind in _KINDS else 0,
        image.get("ses") != source.session,
        other,
        kind == _T1W and image.get("desc") != "preproc",
        bool(image.get("model")) and image.get("model").lower() not in _TENSORS,
        image.dataset != source.dataset,
        image.name,
    )


def _chosen(image: _Told, source: Source, kind: str, count: int) -> str:
    same = ["participant", *(["session"] if image.get("ses") else [])]
    same.append(f"space ({source.space})" if source.space else "dataset, neither names a space")
    others = f"; the first of {count} such images" if count > 1 else ""
    return f"{image.name}: the {kind} of the same {_and(same)}{others}"


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _person(source: Source) -> str:
    return f"sub-{source.participant}" + (f", ses-{source.session}" if source.session else "")


def _where(source: Source) -> str:
    return f"is in space {source.space}" if source.space else "is in its dataset and names no space, as it doesn't"
