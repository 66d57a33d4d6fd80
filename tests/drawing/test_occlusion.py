"""What is hidden isn't drawn, and no pixel tells."""

from collections.abc import Iterator
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


class Counter:
    """Stands before what hides lines: counts the points that are drawn, and lets all of them be drawn if asked to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.points, self.hiding = 0, True
        seen = canvas.Occlusion.seen

        def count(occlusion: canvas.Occlusion, lines: DrawableLines) -> Iterator[tuple[int, DrawableLines]]:
            everything = ((place, lines) for place in range(len(occlusion.shots)))
            for place, part in seen(occlusion, lines) if self.hiding else everything:
                self.points += len(part.points)
                yield place, part

        monkeypatch.setattr(canvas.Occlusion, "seen", count)


@pytest.mark.parametrize("worth", [0, 40_000])
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: float, how: dict[str, Any], worth: int
) -> None:
    """Whether or not lines are left out from the first on."""
    monkeypatch.setattr(canvas, "_WORTH_HIDING", worth)
    streamlines = coils(4000, 1, step) + coils(50, 2, 9.0) + [np.array([FRAME.low, FRAME.high], np.float32)]
    path = phantoms.save(tmp_path / "a.trk", streamlines)
    counter = Counter(monkeypatch)
    ours = drawn(path, FRAME, at=AT, max_points=500, **how)  # few are queued, so that there is much to learn
    hidden, counter.points, counter.hiding = counter.points, 0, False
    all_of_them = drawn(path, FRAME, at=AT, max_points=2000, **how)
    assert hidden < 0.75 * counter.points, "most aren't drawn"
    assert len(ours) == len(all_of_them)
    for name, picture in ours.items():
        assert picture.any()
        np.testing.assert_array_equal(picture, all_of_them[name], name)
