"""What of a dataset goes with a tractogram and can be drawn beside it: regions, peaks, ODFs, surfaces.

A tool's own folders say it most certainly: what TractSeg and pyAFQ leave beside a bundle's tractogram is of the same
person, session, run and space. Elsewhere the names of BIDS must agree in all of these. The names are those of

- TractSeg, https://github.com/MIC-DKFZ/TractSeg/blob/master/resources/Tutorial.md and ``bin/TractSeg``;
- pyAFQ, https://github.com/tractometry/pyAFQ/blob/main/AFQ/api/bundle_dict.py (``transform_rois``), and its earlier
  names;
- QSIRecon, https://github.com/PennLINC/qsirecon/blob/main/qsirecon/data/nonscalars/mrtrix_dwi.yaml;
- FreeSurfer, https://surfer.nmr.mgh.harvard.edu/fswiki/ReconAllOutputFiles.

Standard library alone.
"""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tractcap.inputs.filenames import entities, split_source
from tractcap.inputs.filters import ODF, Filters
from tractcap.inputs.tractogram_source import Image, Source

ROIS, PEAKS, ODFS = CHOICES = ("rois", "peaks", "odfs")
"""What can be looked for in a dataset."""

SURFACES = "surfaces"
"""What is looked for in FreeSurfer's folder."""

T1W, UNNAMED = "T1w", "none"
"""The space of FreeSurfer's surfaces unless another one is given, and the word for tractograms that name no space."""

_TRACTSEG, _PYAFQ = "TOM_trackings", ("bundles", "clean_bundles")
"""The folders of tractograms."""

_MOVED = ("FA_2_MNI.mat", "endings_segmentations_MNI")
"""What TractSeg leaves where it moved images to another space and some of them back (``--preprocess``)."""

_ENDINGS = {"b": "beginning", "e": "ending"}

_AFQ_REGION = re.compile(
    r"(?P<stem>.+?)_desc-(?:"
    r"ROI-(?P<bundle1>.+)-(?P<number1>[0-9]+)-(?P<role1>include|exclude)\.nii\.gz"  # until 2022
    r"|(?P<bundle2>.+?)(?P<number2>[0-9]+)(?P<role2>include|exclude|start|end)_mask\.nii\.gz"  # until 2023
    r"|(?P<bundle3>.+?)(?P<role3>[Ii]nclude|[Ee]xclude|[Ss]tart|[Ee]nd)(?P<number3>[0-9]*)_mask\.nii\.gz)"
)

_SCAN = ("sub", "ses", "acq", "ce", "dir", "run", "rec", "echo", "part", "task", "cohort")
"""Entities that tell one scan, or one of a space's templates, from another."""

_FREESURFER_MAGIC = b"\xff\xff\xfe"
"""How surfaces begin; a link that was copied to a system without links is a small file of other bytes."""


@dataclass(frozen=True)
class FoundOverlay:
    """What was found: one of :data:`CHOICES` or :data:`SURFACES`, its name in the legend, and the file."""

    choice: str
    name: str
    path: Path


@dataclass(frozen=True)
class OverlayChoice:
    """What was found of one choice, maybe nothing, and the sentence that says why."""

    choice: str
    found: tuple[FoundOverlay, ...]
    why: str


class MatchingOverlays:
    """Chooses what is drawn beside tractograms, of what lies in their dataset and in FreeSurfer's folder.

    Parameters
    ----------
    images : all participants' images.
    filters : which of them may be chosen.
    wanted : some of :data:`CHOICES`.
    freesurfer : FreeSurfer's folder of subjects; None for no surfaces.
    freesurfer_space : the space of tractograms that lie where its surfaces lie; ``none`` for those that name none.
    """

    def __init__(
        self,
        images: Sequence[Image],
        filters: Filters,
        wanted: Collection[str] = (),
        freesurfer: Path | None = None,
        freesurfer_space: str = T1W,
    ) -> None:
        self._filters, self._wanted = filters, wanted
        self._freesurfer, self._freesurfer_space = freesurfer, freesurfer_space
        self._listed: tuple[Path | None, tuple[str, ...]] = None, ()  # bundles come folder by folder
        self._odfs: dict[str, list[tuple[Image, dict[str, str]]]] = {}
        for image in images if ODFS in wanted else ():
            labels = dict(image.entities)
            if labels.get("suffix") == "dwimap" and labels.get("param") == "fod" and labels.get("label") == "WM":
                self._odfs.setdefault(image.participant, []).append((image, labels))

    def of(self, source: Source) -> tuple[OverlayChoice, ...]:
        """What goes with a tractogram, a choice for each that is wanted."""
        # a bundle's own come last, so that what all have in common has the same colours beside each
        ways = {PEAKS: self._peaks, ODFS: self._odf_image, ROIS: self._rois}
        chosen = [way(source) for choice, way in ways.items() if choice in self._wanted]
        return (*([self._surfaces(source)] if self._freesurfer else ()), *chosen)

    def _rois(self, source: Source) -> OverlayChoice:
        """The regions that a tool has of this bundle."""
        folder = (source.root / source.file).parent
        if folder.name == _TRACTSEG:
            return self._endings(source, folder.parent)
        top = folder.parent if folder.name in _PYAFQ else folder
        if self._listed[0] != top:
            self._listed = top, _files_in(top / "ROIs")
        names = self._listed[1]
        regions = sorted(_afq_regions(source, names))
        found = tuple(FoundOverlay(ROIS, name, top / "ROIs" / file) for _, name, file in regions)
        bundle = source.bundle.original
        if found:
            return OverlayChoice(ROIS, found, f"{len(found)} of {bundle} in ROIs, beside the bundles")
        if names:
            return OverlayChoice(ROIS, (), f"none: no region in {top / 'ROIs'} is of {bundle} of this run and space")
        return OverlayChoice(ROIS, (), f"none: there are no regions of bundles near {source.root / source.file}")

    def _endings(self, source: Source, top: Path) -> OverlayChoice:
        """The regions in which TractSeg has a bundle begin and end."""
        if why := _moved(top):
            return OverlayChoice(ROIS, (), why)
        bundle = split_source(source.file.rpartition("/")[2])[0]
        paths = {word: top / "endings_segmentations" / f"{bundle}_{end}.nii.gz" for end, word in _ENDINGS.items()}
        found = tuple(
            FoundOverlay(ROIS, f"{bundle} {word}", path) for word, path in paths.items() if os.path.lexists(path)
        )
        if found:
            return OverlayChoice(ROIS, found, f"{len(found)} of {bundle} in endings_segmentations, beside its bundles")
        return OverlayChoice(ROIS, (), f"none: {top / 'endings_segmentations'} holds no endings of {bundle}")

    def _peaks(self, source: Source) -> OverlayChoice:
        """The peaks that TractSeg tracked along."""
        folder = (source.root / source.file).parent
        if folder.name != _TRACTSEG:
            return OverlayChoice(PEAKS, (), f"none: {source.root / source.file} isn't in a folder of TractSeg's")
        top = folder.parent
        if why := _moved(top):
            return OverlayChoice(PEAKS, (), why)
        for place in (top, *([top.parent] if top.name == "tractseg_output" else ())):  # what it made, what it was given
            if os.path.lexists(path := place / "peaks.nii.gz"):
                why = "the peaks in TractSeg's own folder" if place == top else "the peaks beside TractSeg's folder"
                return OverlayChoice(PEAKS, (FoundOverlay(PEAKS, "TractSeg", path),), f"{path.name}: {why}")
        return OverlayChoice(PEAKS, (), f"none: there is no peaks.nii.gz in {top}")

    def _odf_image(self, source: Source) -> OverlayChoice:
        """The image of white matter's fibre orientation distributions, of the same session, run and space."""
        own, person = dict(source.entities), f"sub-{source.participant}" if source.participant else source.name
        images = self._odfs.get(source.participant, []) if source.participant else []
        same = [
            (image, labels)
            for image, labels in images
            if all(labels.get(entity) in (None, own.get(entity)) for entity in _SCAN if entity != "ses")
            and labels.get("ses", "") in ("", source.session)
        ]
        there = [
            (image, labels)
            for image, labels in same
            if labels.get("space", "") == source.space and (source.space or image.dataset == source.dataset)
        ]
        kept = [(image, labels) for image, labels in there if self._filters.keep(ODF, labels)]
        space = f"space {source.space}" if source.space else "its dataset, without a space in its name"
        if kept:
            kept.sort(
                key=lambda pair: (
                    pair[1].get("ses", "") != source.session,
                    pair[1].get("model") != own.get("model"),
                    pair[0].dataset != source.dataset,
                    pair[0].name,
                )
            )
            image, labels = kept[0]
            others = f"; the first of {len(kept)} such images" if len(kept) > 1 else ""
            name = " ".join(filter(None, (labels.get("model", ""), "FOD")))
            why = f"{image.name}: the FOD of the same participant in {space}{others}"
            return OverlayChoice(ODFS, (FoundOverlay(ODFS, name, image.path),), why)
        if there:
            return OverlayChoice(ODFS, (), f"none: no FOD of {person} is what the filter file asks for")
        spaces = sorted(
            {f"space {label}" if label else "no space" for _, labels in same for label in [labels.get("space")]}
        )
        other = f"; not used: {len(same)} in {', '.join(spaces)}" if same else ""
        other = other or (f"; not used: {len(images)} of another session or run" if images else "")
        return OverlayChoice(ODFS, (), f"none: no FOD of {person} is in {space}{other}")

    def _surfaces(self, source: Source) -> OverlayChoice:
        """FreeSurfer's pial surfaces, for a tractogram in the space of the T1w image that it was given."""
        assert self._freesurfer is not None
        space, wanted = source.space or UNNAMED, self._freesurfer_space
        if not source.participant:
            return OverlayChoice(SURFACES, (), f"none: {source.name} is of no participant")
        if space != wanted:
            where = f"in space {source.space}" if source.space else "of a space that it doesn't name"
            why = (
                f"none: FreeSurfer's surfaces are taken to be in space {wanted}, and {source.name} is {where}; "
                "--fs-space says otherwise"
            )
            return OverlayChoice(SURFACES, (), why)
        folders, why = _freesurfer_folders(self._freesurfer, source.participant, source.session)
        if len(folders) != 1:
            return OverlayChoice(SURFACES, (), why)
        found = tuple(
            FoundOverlay(SURFACES, f"{side} pial surface", path)
            for side, hemisphere in (("left", "lh"), ("right", "rh"))
            if (path := _pial(folders[0] / "surf", hemisphere))
        )
        if not found:
            return OverlayChoice(SURFACES, (), f"none: there is no pial surface in {folders[0] / 'surf'}")
        where = f"space {space}" if source.space else "no named space"
        return OverlayChoice(
            SURFACES,
            found,
            f"{' and '.join(f'{one.path.name}' for one in found)} in {folders[0]}, taken to be in {where}",
        )


def _afq_regions(source: Source, names: Sequence[str]) -> Iterator[tuple[tuple[bool, str, int], str, str]]:
    """Of files in pyAFQ's folder of regions, those of a bundle: by what they are sorted, their names, the files."""
    own = dict(source.entities)
    bundle = source.bundle.original
    for file in names:
        match = _AFQ_REGION.fullmatch(file)
        if not match:
            continue
        which = next(number for number in "123" if match[f"bundle{number}"] is not None)
        role, number = match[f"role{which}"].lower(), match[f"number{which}"]
        theirs = entities(file, match["stem"], "")
        theirs |= {"ses": theirs.get("ses", own.get("ses", ""))} if "ses" in own and "ses" not in theirs else {}
        if _bare(match[f"bundle{which}"]) != _bare(bundle):
            continue
        if any(theirs.get(entity, "") != own.get(entity, "") for entity in _SCAN):
            continue
        # pyAFQ leaves the space out of tractograms' names; where one has it, it must be the same
        if source.space and theirs.get("space", source.space) not in (source.space, "subject"):
            continue
        numbered = role in ("include", "exclude")
        yield (role == "exclude", role, int(number or 0)), f"{bundle} {role}{f' {number}' * numbered}", file


def _bare(bundle: str) -> str:
    """A bundle's name as pyAFQ writes it into names of files: without what would part it."""
    return re.sub("[-_ ]", "", bundle)


def _files_in(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.name for entry in entries))
    except OSError:
        return ()


def _moved(top: Path) -> str:
    """Why nothing in a folder of TractSeg's is taken: its images lie in two spaces; empty if they don't."""
    left = next((name for name in _MOVED if os.path.lexists(top / name)), "")
    if not left:
        return ""
    return (
        f"none: {top / left} says that TractSeg moved images to another space (--preprocess), and not all of them back"
    )


def _freesurfer_folders(top: Path, participant: str, session: str) -> tuple[list[Path], str]:
    """The folder of a participant's session or, where there is none of any session, of the participant; or why not."""
    people = [f"sub-{participant}", participant]
    of_session = [top / f"{who}_ses-{session}" for who in people if session]
    found = [folder for folder in of_session if folder.is_dir()]
    if not found:
        others = [name for name in _files_in(top) if name.startswith(tuple(f"{who}_ses-" for who in people))]
        if others:
            person = f"sub-{participant}" + (f", ses-{session}" if session else ", of no session")
            return [], f"none: {top} has {others[0]} and others of single sessions, but none of {person}"
        found = [folder for folder in (top / who for who in people) if folder.is_dir()]
    if len(found) > 1:
        return found, f"none: {top} has {found[0].name} and {found[1].name}, which may be two people"
    return found, "" if found else f"none: {top} has no folder of sub-{participant}"


def _pial(folder: Path, hemisphere: str) -> Path | None:
    """A hemisphere's pial surface, which often is a link to the one made of the T1w image alone; None without it."""
    paths = [folder / f"{hemisphere}.pial{kind}" for kind in ("", ".T1")]
    whole = [path for path in paths if _is_surface(path)]
    there = [path for path in paths if path.is_file()]  # a damaged one is said to be
    return (*whole, *there, None)[0]


def _is_surface(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(3) == _FREESURFER_MAGIC
    except OSError:
        return False
