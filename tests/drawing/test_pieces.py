"""A tractogram in pieces, drawn apart and merged: the same pixels, counts and scale as drawn at once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest

from tractcap.drawing import overlays
from tractcap.drawing.anatomy import Anatomy
from tractcap.drawing.draw import ColoredTractogram, Picture, Scene, draw, draw_piece
from tractcap.drawing.lines import StreamlineCounts
from tractcap.drawing.overlays import DrawableOverlay
from tractcap.drawing.tractogram_piece import PieceWriter
from tractcap.drawing.views import Frame
from tractcap.files import write_whole
from tractcap.inputs.images import ImageFile
from tractcap.inputs.tractograms import open_tractogram
from tractcap.records.options import DATA, DENSITY, ENDPOINTS, ROI, Coloring, PictureOptions, RenderSettings
from tractcap.records.tractogram_piece import Piece, pieces, read_told
from tractcap.records.tractogram_sidecar import OverlayRecord

FRAME = Frame((-90, -120, -70), (90, 80, 110))


@pytest.fixture(scope="module")
def tangle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streamlines on top of each other with other values, some of them longer than a chunk, and two that are bad."""
    short = [s * 3 for s in phantoms.ragged(300)]
    long = [np.linspace([-60, -60, -60], [60, 60, 60], 3000, dtype=np.float32)] * 2
    bad = [np.full((5, 3), np.nan, np.float32), np.zeros((1, 3), np.float32)]
    streamlines = [*short, *long, *bad, *short[::-1]]
    values = [np.full((len(s), 1), number, np.float32) for number, s in enumerate(streamlines)]
    return phantoms.save(tmp_path_factory.mktemp("tangle") / "a.trk", streamlines, data_per_point={"order": values})


def region(folder: Path) -> DrawableOverlay:
    """A ball among the streamlines."""
    path = phantoms.save_labels(
        folder / "ball.nii", {1: ((0.0, 0.0, 0.0), 25.0)}, phantoms.affine(voxel=4.0), (46, 55, 46)
    )
    return overlays.load(OverlayRecord(kind=ROI, name="ball", path=str(path), colors={"": (255, 0, 0)}))


def scene(
    path: Path, coloring: Coloring, reference: Path | None, beside: Sequence[DrawableOverlay] = (), **look: Any
) -> Scene:
    anatomy = Anatomy(ImageFile(reference)) if reference else None
    shown = PictureOptions(**{"size": 150, "style": "lines", "views": ("left", "superior", "axial"), **look})
    return Scene([ColoredTractogram(open_tractogram(path), coloring)], FRAME, shown, anatomy, (0.0, 0.0, 0.0), beside)


def silent(points: int) -> None:
    """Nobody listens."""


def write_piece(path: Path, shown: Scene, making: RenderSettings, piece: Piece) -> Path:
    def write(file: Any) -> None:
        with PieceWriter(file) as writer:
            writer.write_facts({"facts": draw_piece(shown, making, piece, silent, writer)})

    write_whole(path, write)
    return path


def everything(drawn: list[Picture], tally: StreamlineCounts) -> list[Any]:
    return [tally, *((one.view.name, one.scale, one.pixels.tobytes()) for one in drawn)]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize(
    ("coloring", "look"),
    [
        (Coloring(), {}),
        (Coloring(DATA, name="order", limits=(0.0, 600.0)), {}),
        (Coloring(ENDPOINTS), {"animation": ("gif",), "frames": 2, "frame_size": 100}),
        (Coloring(DENSITY, limits=(0.0, 9.0)), {"style": "tubes"}),
    ],
    ids=["direction", "data", "endpoints", "density in tubes"],
)
def test_the_same_pixels(tangle: Path, tmp_path: Path, count: int, coloring: Coloring, look: dict[str, Any]) -> None:
    shown = scene(tangle, coloring, phantoms.save_head(tmp_path / "head.nii"), [region(tmp_path)], **look)
    making = RenderSettings(1000, (2, len(shown.options.sizes) - 2), 2)
    alone, apart = StreamlineCounts(), StreamlineCounts()
    whole = everything(list(draw(shown, making, alone, silent)), alone)
    paths = []
    for piece in pieces(count, len(shown.options.sizes)):
        one_by_one = RenderSettings(1000, (1,) * len(piece.drawn), 2)
        paths.append(write_piece(tmp_path / f"{piece.index}.zip", shown, one_by_one, piece))
    assert everything(list(draw(shown, making, apart, silent, paths)), apart) == whole
    plain = everything(list(draw(replace(shown, overlays=()), making, StreamlineCounts(), silent, paths)), apart)
    assert all(one != other for one, other in zip(plain[1:], whole[1:], strict=True)), "pieces hold no overlays"
    assert alone.drawn == 602
    assert alone.left_out.total() == 2


def test_each_piece_draws_its_own_and_no_more(tangle: Path, tmp_path: Path) -> None:
    """Without the middle one, its lines lack: a merge that draws all by itself would not notice."""
    shown, making = scene(tangle, Coloring(), None, views=("left",)), RenderSettings(1000, (1,), 1)
    paths = [write_piece(tmp_path / f"{n}.zip", shown, making, Piece(n, 3)) for n in range(3)]
    whole, lacking = (
        list(draw(shown, making, StreamlineCounts(), silent, some)) for some in (paths, [paths[0], paths[2]])
    )
    assert any(a.pixels.tobytes() != b.pixels.tobytes() for a, b in zip(whole, lacking, strict=True))
    read = [read_told(path)["facts"]["tally"]["points"] for path in paths]
    assert read[0] < read[1] < read[2], "a piece is read up to its end alone"
