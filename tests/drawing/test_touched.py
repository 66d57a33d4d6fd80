"""Only the part of a picture in which something was drawn is read, and no pixel tells."""

from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from scenes import drawn

from tractcap.drawing import canvas
from tractcap.drawing.views import Frame

SMALL = np.array([[-8, -20, 10], [0, -14, 14], [4, -18, 22], [20, -16, 18]], np.float32)
OUT_OF_THE_FRAME = np.array([[-90, 30, 10], [-20, 35, 70]], np.float32)


@pytest.mark.parametrize("streamlines", [[SMALL], [SMALL, OUT_OF_THE_FRAME]])
@pytest.mark.parametrize("far", [0.0, 9000.0])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"style": "tubes", "width": 5.0},
        {"width": 9.0, "sampling": 1},
        {"opacity": 0.3, "width": 3.0},
        {"views": ("left",), "animation": ("gif",), "frames": 7, "frame_size": 61},
    ],
)
def test_no_pixel_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamlines: list[np.ndarray], far: float, how: dict[str, Any]
) -> None:
    frame = Frame((far - 50, -50, -50), (far + 50, 50, 50))
    shifted = [points + np.array([far, 0, 0], np.float32) for points in streamlines]
    path = phantoms.raw_tck(tmp_path / "a.tck", shifted)
    sizes = []
    touched = canvas.Canvas.touched

    def noted(own: canvas.Canvas, shot: int) -> tuple[range, range]:
        rows, columns = touched(own, shot)
        sizes.append(len(rows) * len(columns) / own.shots[shot].size ** 2)
        return rows, columns

    monkeypatch.setattr(canvas.Canvas, "touched", noted)
    part = drawn(path, frame, **{"size": 97, **how})
    assert len(streamlines) > 1 or max(sizes) < 0.5, "most isn't read"
    monkeypatch.setattr(canvas.Canvas, "touched", lambda own, shot: (range(own.shots[shot].size),) * 2)
    whole = drawn(path, frame, **{"size": 97, **how})
    assert len(part) == len(whole)
    for name, picture in whole.items():
        assert picture.any()
        np.testing.assert_array_equal(part[name], picture, name)
