"""What is hidden isn't drawn, and no pixel tells."""

from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from scenes import drawn

from tractcap.drawing import canvas
from tractcap.drawing.lines import DrawableLines
from tractcap.drawing.views import Frame

FRAME = Frame((-35, -40, -30), (35, 40, 30))
EVERY_SIDE = ("left", "anterior", "superior", "right", "posterior", "inferior", "sagittal", "coronal", "axial")
AT = (5.0, -10.0, 3.0)


def coils(count: int, seed: int, step: float) -> list[np.ndarray]:
    """Streamlines that wind through the frame in all directions, from point to point by so many mm."""
    rng = np.random.default_rng(seed)
    points = int(40 / step) + 2
    begins = rng.uniform(-15, 15, (count, 1, 3))
    turns = np.cumsum(rng.normal(0, 0.3, (count, points, 3)), axis=1) + rng.normal(0, 1, (count, 1, 3))
    paths = begins + np.cumsum(step * turns / np.linalg.norm(turns, axis=2, keepdims=True), axis=1)
    return list(np.clip(paths, FRAME.low, FRAME.high).astype(np.float32))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points are drawn each time. Few wait, so that there is much to learn."""
    monkeypatch.setattr(canvas, "_WAITING", 500)
    monkeypatch.setattr(canvas, "_FEW", 500)
    points: list[int] = []
    fill = canvas._fill

    def count(data: Any, lines: DrawableLines) -> None:
        points.append(len(lines.points))
        fill(data, lines)

    monkeypatch.setattr(canvas, "_fill", count)
    return points


@pytest.mark.parametrize(
    ("step", "how"),
    [
        (1.0, {"size": 150, "views": EVERY_SIDE}),
        (0.5, {"size": 301, "views": ("left", "inferior", "coronal"), "sampling": 1}),
        (1.0, {"size": 97, "views": EVERY_SIDE, "width": 4.0}),
        (6.0, {"size": 150, "views": EVERY_SIDE}),
        (1.0, {"size": 120, "views": ("left",), "animation": ("gif",), "frames": 8, "frame_size": 90}),
    ],
)
def test_no_pixel_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[int], step: float, how: dict[str, Any]
) -> None:
    streamlines = coils(4000, 1, step) + coils(50, 2, 9.0) + [np.array([FRAME.low, FRAME.high], np.float32)]
    path = phantoms.save(tmp_path / "a.trk", streamlines)
    ours = drawn(path, FRAME, at=AT, max_points=2000, **how)
    hidden = sum(counted)
    counted.clear()
    monkeypatch.setattr(
        canvas.Occlusion, "seen", lambda self, lines: ((place, lines) for place in range(len(self._maps)))
    )
    all_of_them = drawn(path, FRAME, at=AT, max_points=2000, **how)
    assert hidden < 0.75 * sum(counted), "most aren't drawn"
    assert len(ours) == len(all_of_them)
    for name, picture in ours.items():
        assert picture.any()
        np.testing.assert_array_equal(picture, all_of_them[name], name)
