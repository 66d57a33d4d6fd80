"""Golden pictures: what each command drew when it was looked at and found good.

A picture may differ a little, since Mesa's versions do: up to a warning's threshold in silence, up to an error's with a
warning. A picture that differs more is saved beside the golden one's copy in ``golden-failed/``, for the eye.
``GOLDEN=write`` writes them anew.
"""

import os
import shutil
import warnings
from pathlib import Path

import fiber_images
import nibabel as nib
import numpy as np
import phantoms
from PIL import Image

IMAGES = Path(__file__).parents[1] / "images"
FAILED = Path(__file__).parents[2] / "golden-failed"

BLOCK = 8
"""Pixels along the blocks whose mean colours are compared: one sample more or less at an edge is no difference."""

WARNING, ERROR = (8.0, 0.25), (30.0, 1.0)
"""Of 255: the largest difference of a block, and the mean difference of all."""

COMMON = ("--size", "160")
CASES = {
    "plain": (),
    "tubes-on-slices": ("--reference", "head.nii.gz", "--anatomy", "slices", "--style", "tubes", "--width", "1.2"),
    "glass-on-white": ("--reference", "head.nii.gz", "--anatomy", "glass", "--background", "white"),
    "in-slice": ("--reference", "head.nii.gz", "--views", "in-slice"),
    "opacity": ("--reference", "head.nii.gz", "--opacity", "0.2", "--width", "2"),
    "rois": ("--reference", "head.nii.gz", "--roi", "balls.nii.gz", "--views", "left,superior,axial"),
    "glyphs": ("--peaks", "peaks.nii.gz", "--odf", "odf.nii.gz", "--views", "left,superior,axial", "--fit"),
    "scalar": ("--scalar", "height=height.nii.gz", "--width", "2", "--views", "left,superior,anterior"),
    "position": ("--color", "position", "--fit", "--views", "left,superior,anterior"),
    "endpoints": ("--color", "endpoints", "--views", "left,superior,anterior"),
}


def inputs(folder: Path) -> Path:
    """The files that the commands draw; returns the tractogram."""
    folder.mkdir(parents=True, exist_ok=True)
    phantoms.save_head(folder / "head.nii.gz", voxel=2.0)
    matrix = phantoms.affine(voxel=4.0, shape=(46, 55, 46))
    grid = np.stack(np.meshgrid(*map(np.arange, (46, 55, 46)), indexing="ij"), axis=-1)
    height = (grid @ matrix[:3, :3].T + matrix[:3, 3])[..., 2]
    nib.Nifti1Image(height.astype("f4"), matrix).to_filename(folder / "height.nii.gz")
    balls = {1: ((-33.0, -5.0, -8.0), 16.0), 2: ((-28.0, 45.0, 35.0), 12.0)}
    phantoms.save_labels(folder / "balls.nii.gz", balls, phantoms.affine(), (91, 109, 91))
    fiber_images.save_vortex(folder / "peaks.nii.gz", folder / "odf.nii.gz")
    (folder / "height.nii.json").unlink(missing_ok=True)
    (folder / "height.json").write_text('{"Units": "mm"}')
    return phantoms.save(folder / "bundle.trk", phantoms.asymmetric_bundle(60))


def options(name: str, folder: str) -> tuple[str, ...]:
    """A case's options, with images in a folder."""
    placed = (
        f"{folder}/{one}" if one.endswith(".nii.gz") and "=" not in one else one.replace("=height", f"={folder}/height")
        for one in CASES[name]
    )
    return (*COMMON, *placed)


def check(name: str, picture: Path) -> None:
    """Compare a picture with the golden one."""
    golden = IMAGES / f"{name}.png"
    if os.environ.get("GOLDEN") == "write":
        shutil.copyfile(picture, golden)
    found = difference(picture, golden)
    if any(one > most for one, most in zip(found, ERROR, strict=True)):
        FAILED.mkdir(exist_ok=True)
        shutil.copyfile(picture, FAILED / f"{name}.png")
        shutil.copyfile(golden, FAILED / f"{name}-golden.png")
        raise AssertionError(f"{name} differs by {found}: look at {FAILED}")
    if any(one > most for one, most in zip(found, WARNING, strict=True)):
        warnings.warn(f"{name} differs by {found} from its golden picture", GoldenWarning, stacklevel=2)


class GoldenWarning(UserWarning):
    """A picture differs from the golden one, but not much."""


def difference(picture: Path, golden: Path) -> tuple[float, float]:
    """The largest difference of a block's mean colour, and the mean difference."""
    one, other = (np.asarray(Image.open(path).convert("RGB")).astype(float) for path in (picture, golden))
    if one.shape != other.shape:
        return 255.0, 255.0
    rows, columns = (side // BLOCK for side in one.shape[:2])
    blocks = (one - other)[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, 3).mean(axis=(1, 3))
    return round(float(np.abs(blocks).max()), 2), round(float(np.abs(one - other).mean()), 3)
