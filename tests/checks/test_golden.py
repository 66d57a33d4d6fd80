"""Sheets of pictures and plots look as they did when they were looked at: titles, captions, colours, axes, marks."""

from pathlib import Path
from typing import Any

import checking
import golden
import nibabel as nib
import numpy as np
import phantoms
import pytest
from PIL import Image

from tractcap.checks.common.check_definition import CheckFile

PICTURES = {
    "check-shape-plots": ("shape", "distributions"),
    "check-shape": ("shape", "streamlines"),
    "check-profile-plot": ("profile", "profile-height"),
    "check-profile": ("profile", "bundle-height"),
    "check-segments": ("segments", "streamlines"),
}
"""Plots beside each other and one alone; scales of streamlines and of points; marks, and a legend."""


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """What the checks are made with: a bundle that rises at its front end, and a map of the height."""
    matrix = phantoms.affine(voxel=4.0, shape=(46, 55, 46))
    grid = np.stack(np.meshgrid(*map(np.arange, (46, 55, 46)), indexing="ij"), axis=-1)
    height = (grid @ matrix[:3, :3].T + matrix[:3, 3])[..., 2]
    nib.Nifti1Image(height.astype("f4"), matrix).to_filename(tmp_path / "height.nii")
    (tmp_path / "height.json").write_text('{"Units": "mm"}')
    lines = [one[: 10 + at] for at, one in enumerate(phantoms.asymmetric_bundle(30))]
    path = phantoms.save(tmp_path / "AF_L.trk", lines)
    return {"path": path, "maps": {"height": CheckFile(str(tmp_path / "height.nii"))}}


@pytest.mark.filterwarnings("default::golden.GoldenWarning")
@pytest.mark.parametrize("name", PICTURES)
def test_golden(name: str, given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.checks.common.panels.SIZE", 200)
    check, what = PICTURES[name]
    checking.make(check, tmp_path, **given)
    at = tmp_path / f"AF_L_check-{check}_{what}.png"
    with Image.open(at) as picture:
        if picture.width > 900:  # a plot; half of it is enough for the eye, and a smaller file
            picture.convert("RGB").reduce(2).quantize(64).save(at)
    golden.check(name, at)
