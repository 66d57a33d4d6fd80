"""A window is used for small pictures one after the other: nothing of them is left in the next one, or in memory."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from scenes import drawn

from tractcap.drawing import canvas
from tractcap.drawing.views import Frame
from tractcap.limits import MB
from tractcap.limits.usage import private_memory

FRAME = Frame((-90, -120, -70), (90, 80, 110))
AT = (0.0, 0.0, 0.0)


def test_nothing_is_left_of_the_last_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = []
    make = canvas.vtkRenderWindow

    def counted() -> Any:
        windows.append(make())
        return windows[-1]

    monkeypatch.setattr(canvas, "vtkRenderWindow", counted)
    large = phantoms.save(tmp_path / "large.trk", phantoms.asymmetric_bundle(80))
    dense = phantoms.save(tmp_path / "dense.trk", phantoms.asymmetric_bundle(200))
    monkeypatch.setattr(canvas, "_WORTH_HIDING", 2000)
    small = phantoms.save(tmp_path / "small.trk", phantoms.straight_bundle(5))
    head = phantoms.save_head(tmp_path / "head.nii.gz", voxel=8.0)
    ways: list[tuple[Path, dict[str, Any]]] = [
        (large, {}),
        (small, {}),
        (small, {"max_points": 40}),  # more than can be drawn at once
        (dense, {}),
        (large, {"style": "tubes", "width": 3.0}),
        (small, {"opacity": 0.4}),
        (small, {"reference": head, "at": AT}),
        (small, {"size": 131, "views": ("left", "axial"), "at": AT}),
        (large, {"views": ("left",), "animation": ("gif",), "frames": 3, "frame_size": 60}),
        (small, {}),
    ]
    alone = []
    for path, how in ways:
        monkeypatch.setattr(canvas, "_STAGES", [])
        alone.append(drawn(path, FRAME, **{"size": 150, **how}))
    assert len(windows) == len(ways)
    monkeypatch.setattr(canvas, "_STAGES", [])
    after_another = [drawn(path, FRAME, **{"size": 150, **how}) for path, how in ways]
    at_once = 4  # some of the ways draw all pictures side by side: these windows are given back
    assert len(windows) == len(ways) + at_once + 1
    for ours, theirs in zip(after_another, alone, strict=True):
        assert any(picture.any() for picture in theirs.values())
        for name, picture in theirs.items():
            np.testing.assert_array_equal(ours[name], picture, name)


def test_a_window_that_failed_is_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(5))
    monkeypatch.setattr(canvas, "_STAGES", [])
    whole = drawn(path, FRAME)
    lit = canvas.lit

    def fail(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(canvas, "lit", fail)
    with pytest.raises(MemoryError):
        drawn(path, FRAME)
    assert not canvas._STAGES
    monkeypatch.setattr(canvas, "lit", lit)
    again = drawn(path, FRAME)
    for name, picture in whole.items():
        np.testing.assert_array_equal(again[name], picture, name)


@pytest.mark.parametrize("worth", [50_000, 40])
def test_no_buffer_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worth: int) -> None:
    """Neither of pictures that are drawn one by one, nor of those that are drawn side by side."""
    monkeypatch.setattr(canvas, "_WORTH_HIDING", worth)
    path = phantoms.save(tmp_path / "a.trk", phantoms.straight_bundle(5))
    drawn(path, FRAME, size=50)
    before = private_memory()
    drawn(path, FRAME, size=1200)  # 46 MB for each
    ctypes.CDLL(None).malloc_trim(0)
    assert private_memory() - before < 30 * MB
