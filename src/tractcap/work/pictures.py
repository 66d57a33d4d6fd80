"""Pictures and their record: what is written on them, the files as they are drawn, and what is recorded of them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.drawing import labels, opengl
from tractcap.drawing.animation import encode
from tractcap.drawing.bounds import cropping_notes
from tractcap.drawing.colors import ColorScale
from tractcap.drawing.draw import Picture, Scene
from tractcap.drawing.labels import Captions
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.png import write_png
from tractcap.drawing.views import VIEWS
from tractcap.drawing.volume import VOXEL
from tractcap.files import write_whole
from tractcap.records.options import GLYPHS, ODF, PEAKS, SLICES
from tractcap.records.sidecar_fields import THIS_PROGRAM
from tractcap.records.tracking_sidecar import read_tracking
from tractcap.records.tractogram_sidecar import Box, DrawnRecord, LengthsRecord, Measurements, ShownOverlay
from tractcap.records.worker_requests import Draw
from tractcap.version import __version__

_PACKAGES = {"VTK": "vtk", "NumPy": "numpy", "nibabel": "nibabel", "SciPy": "scipy", "dipy": "dipy"}

_SOFTWARE = f"tractcap {__version__}"

_PAGE = 1024
"""Most pixels along a view in the mosaic: of larger views it has smaller copies."""


class PictureWriter:
    """Takes views and frames as they are drawn; the mosaic and the animations are made at the end."""

    def __init__(self, folder: Path, request: Draw, scene: Scene, counts: StreamlineCounts) -> None:
        self._folder, self._request, self._scene, self._counts = folder, request, scene, counts
        self._pages: list[Image.Image] = []
        self._frames: list[NDArray[np.uint8]] = []
        self._names: list[str] = []
        self.heading_pixels = 0
        self._captions = _captions(request, scene, counts, None)

    def take(self, picture: Picture) -> None:
        """Label a picture; a view is written, a frame of the turntable is kept."""
        scene, view = self._scene, picture.view
        self._captions = _captions(self._request, scene, self._counts, picture.scale)
        image = Image.fromarray(picture.pixels)
        if view.name in VIEWS:
            note = ""
            if scene.at and (view.in_slice or (scene.anatomy and SLICES in scene.options.anatomy)):
                axis, _ = view.toward
                slab = f" ± {scene.options.slab:g}" if view.in_slice else ""
                note = f"{'xyz'[axis]} = {scene.at[axis]:z.0f}{slab} mm"
            labels.label(image, view, scene.frame, scene.options.background, note)
            whole_pixels = image.width % _PAGE == 0
            way = Image.Resampling.BOX if whole_pixels else Image.Resampling.LANCZOS
            self._pages.append(image.resize((_PAGE, _PAGE), way) if image.width > _PAGE else image.copy())
            if not scene.options.mosaic_only:
                labels.head(image, self._captions)
                self._save(f"view-{view.name}.png", image, image.width / scene.frame.width)
        else:
            labels.label(image, replace(view, name=""), scene.frame, scene.options.background, "")
            labels.head(image, self._captions)
            self._frames.append(np.asarray(image))

    def finish(self) -> list[str]:
        """Write what is made of several pictures; returns the names of all files, the mosaic's last."""
        for kind in self._scene.options.animation:
            name = f"{self._request.stem}_turntable.{kind}"
            title = self._captions.title
            write_whole(self._folder / name, partial(encode, self._frames, kind, title=title, software=_SOFTWARE))
            self._names.append(name)
        self._frames = []
        pixels_per_mm = self._pages[0].width / self._scene.frame.width
        self.heading_pixels = labels.heading_height(self._pages, self._captions)
        self._save("mosaic.png", labels.mosaic(self._pages, self._captions), pixels_per_mm)
        return self._names

    def _save(self, what: str, image: Image.Image, pixels_per_mm: float) -> None:
        """Write a PNG that says what made it, for whoever finds it without the files beside it."""
        name = f"{self._request.stem}_{what}"
        description = {
            "Title": self._captions.title,
            "Description": ". ".join([self._captions.subtitle, *self._captions.warnings]),
            "Software": _SOFTWARE,
            "Source": "\n".join(bundle.source.name for bundle in self._request.bundles),
        }
        # a name may be no UTF-8; the resolution is the anatomy's: a viewer that knows it shows true sizes
        texts = {key: value.encode(errors="backslashreplace").decode() for key, value in description.items()}
        save = partial(write_png, image=image, texts=texts, pixels_per_mm=pixels_per_mm, runs=True)
        write_whole(self._folder / name, save)
        self._names.append(name)


def _captions(request: Draw, scene: Scene, counts: StreamlineCounts, scale: ColorScale | None) -> Captions:
    several = len(request.bundles) > 1
    left_out = f" of {counts.streamlines:,}" if counts.drawn < counts.streamlines else ""
    parts = (
        f"{len(request.bundles)} bundles" if several else "",
        f"{counts.drawn:,}{left_out} streamline{'s' * (counts.streamlines != 1)}",
        f"mean {counts.mean_length:.1f} mm",
        f"on {_reference_name(request)}" if request.scene.reference else "",
        *(_glyph_count(overlay.shown) for overlay in scene.overlays if overlay.shown.kind in GLYPHS),
    )
    colors = [(bundle.name, bundle.coloring.color) for bundle in request.bundles] if several else []
    overlays = [
        (f"{overlay.name} {overlay.names.get(label, label)}".strip(), color)
        for overlay in request.scene.overlays
        if not overlay.absence
        for label, color in overlay.colors.items()
    ]
    return Captions(
        request.title,
        " · ".join(part for part in parts if part),
        tuple(_warnings(request, scene, counts)),
        scale,
        (*((name, color) for name, color in colors if color), *overlays),
        scene.options.background,
    )


def _glyph_count(shown: ShownOverlay) -> str:
    """How many glyphs the slices show together, and of how many."""
    left_out = f" of {shown.glyphs_in_slices:,}" if shown.glyphs != shown.glyphs_in_slices else ""
    return f"{shown.glyphs:,}{left_out} {'ODFs' if shown.kind == ODF else 'voxels with peaks'} of {shown.name}"


def _warnings(request: Draw, scene: Scene, counts: StreamlineCounts) -> Iterator[str]:
    """What a viewer must know, as sentences without a stop."""
    if request.scene.gpu:
        yield opengl.GPU_NOTE
    yield from request.warnings
    yield from scene.headers.notes
    promised = scene.headers.promised
    if promised is not None and promised != counts.streamlines:
        yield f"the header promises {promised:,} streamlines, but there are {counts.streamlines:,}"
    if counts.outside:
        yield f"{percent(_share_outside(counts))} of the points lie outside {_reference_name(request)}"
    yield from cropping_notes(counts)
    yield from _overlay_warnings(request, scene)
    if (precision := scene.frame.precision) > scene.frame.width / scene.options.size:
        yield f"so far from the origin, points are placed to {precision:.1g} mm, which is more than a pixel"
    if missing := request.scene.missing:
        yield f"not in the picture: {', '.join(missing)}"


def _overlay_warnings(request: Draw, scene: Scene) -> Iterator[str]:
    """What a viewer must know of what is drawn beside the streamlines."""
    for overlay in request.scene.overlays:
        if overlay.absence:
            yield overlay.absence
        elif not scene.frame.meets(*overlay.box):
            yield f"{overlay.name} lies outside the picture"
        elif len(different := set(overlay.colors.values())) < len(overlay.colors):
            yield f"the {len(overlay.colors)} labels of {overlay.name} have {len(different)} colours: some share one"
    for shown in (overlay.shown for overlay in scene.overlays):
        if shown.outside_reference:
            yield f"{percent(shown.outside_reference)} of {shown.name} lies outside {_reference_name(request)}"
        yield from shown.notes


def _reference_name(request: Draw) -> str:
    return Path(request.scene.reference.path).name if request.scene.reference else ""


def _share_outside(counts: StreamlineCounts) -> float:
    """The share of all points that lie outside the reference image."""
    return counts.outside / max(1, counts.points)


def percent(share: float) -> str:
    """A share in percent; what is above none is never shown as none."""
    return f"{100 * share:.1f} %" if share >= 0.0005 else "less than 0.1 %"


def record_of(
    request: Draw, scene: Scene, counts: StreamlineCounts, pictures: Sequence[Path], heading: int
) -> DrawnRecord:
    """The record of pictures, which have just been written; ``heading`` is the height of the mosaic's."""
    sources = [bundle.source for bundle in request.bundles]
    measured = request.measured if isinstance(request.measured, Measurements) else None
    tracking, wrong = read_tracking(Path(request.bundles[0].path)) if len(sources) == 1 else ({}, "")
    return DrawnRecord(
        **vars(request.identity),
        reference_chosen=request.reference_chosen,
        overlays_chosen=request.overlays_chosen,
        memory=request.memory,
        sources=tuple(source.name for source in sources),
        source_bytes=tuple(source.bytes for source in sources),
        source_modified=tuple(source.modified for source in sources),
        generated_by=(THIS_PROGRAM,),
        tracking=tracking,
        software=_software(scene),
        scene=request.scene,
        colorings=tuple(bundle.coloring for bundle in request.bundles),
        style=scene.options.style,
        width_millimetres=scene.options.thickness(scene.frame.width),
        millimetres_per_pixel=scene.frame.width / scene.options.size,
        samples_per_pixel=request.render.sampling**2,
        streamlines=counts.streamlines,
        streamlines_drawn=counts.drawn,
        streamlines_outside_picture=counts.beyond,
        streamlines_left_out={reason: count for reason, count in counts.left_out.items() if count},
        lengths=measured.lengths if measured else LengthsRecord(mean=round(counts.mean_length, 3)),
        volume_millimetres3=measured.volume_millimetres3 if measured else None,
        volume_voxel_millimetres=measured.volume_voxel_millimetres if measured else None,
        points=counts.points,
        overlays=tuple(overlay.shown for overlay in scene.overlays),
        points_outside_reference=round(_share_outside(counts), 6) if scene.anatomy else None,
        extent=request.measured if isinstance(request.measured, Box) else request.measured.extent,
        notes=(*_notes(request, scene, counts), *filter(None, [wrong])),
        pictures=tuple(path.name for path in pictures),
        picture_bytes=tuple(path.stat().st_size for path in pictures),
        pictures_sha256=_sha256(pictures),
        heading_pixels=heading,
    )


def _sha256(paths: Iterable[Path]) -> str:
    """Of files one after the other; they are in the page cache still."""
    hashed = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**20):
                hashed.update(block)
    return hashed.hexdigest()


_version = cache(version)  # each call reads and parses the package's description


def _software(scene: Scene) -> dict[str, str]:
    by_fury = any(overlay.shown.kind != PEAKS for overlay in scene.overlays)
    packages = _PACKAGES | ({"FURY": "fury"} if by_fury else {})
    return {**{name: _version(package) for name, package in packages.items()}, "OpenGL": opengl.describe()}


def _notes(request: Draw, scene: Scene, counts: StreamlineCounts) -> Iterator[str]:
    yield from _warnings(request, scene, counts)
    extent = request.measured.extent if isinstance(request.measured, Measurements) else None
    if extent and extent.sampled < extent.valued:
        yield (
            f"the range of its values is that of {extent.sampled:,} of {extent.valued:,}, spread evenly over the file"
        )
    if isinstance(request.measured, Measurements) and (voxel := request.measured.volume_voxel_millimetres) > VOXEL:
        yield f"its volume is on voxels of {voxel:g} mm, since it reaches over more space than a head"
    if request.render.sampling == 1:
        yield "edges are not smoothed: the memory left no room for it"
    if extent and extent.without:
        yield f"{extent.without:,} points have no value and are gray"
    if scene.anatomy and scene.anatomy.coarse > 1:
        yield f"{_reference_name(request)} is shown at every {scene.anatomy.coarse} voxels' mean"
