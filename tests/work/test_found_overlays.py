"""Overlays that are found in a dataset, from the command line to pictures, records, pages and reruns."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import trees
from fiber_images import mrtrix_coefficients, save_mif, save_nifti
from nibabel.freesurfer import write_geometry

SHAPE = (91, 109, 91)
INSIDE = (-33.0, 0.0, -8.0)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments), "--views", "left", "--size", "128"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def bundle(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return phantoms.save(path, phantoms.asymmetric_bundle())


def ball(path: Path, radius: float = 6.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return phantoms.save_labels(path, {1: (INSIDE, radius)}, phantoms.affine(), SHAPE)


def record(out: Path, name: str) -> dict[str, Any]:
    (path,) = (path for path in out.rglob(f"{name}.json") if path.parent.name == "figures")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def shown(out: Path, name: str) -> list[tuple[str, str]]:
    return [(one["Kind"], one["Name"]) for one in record(out, name)["Overlays"]]


def test_tractseg(tmp_path: Path) -> None:
    """Each bundle has its own regions, all have the peaks; reruns draw what a region belongs to, and nothing else."""
    top, out = tmp_path / "data/100307/tractseg_output", tmp_path / "out"
    for name in ("CST_left", "CST_right"):
        bundle(top / f"TOM_trackings/{name}.trk")
        ball(top / f"endings_segmentations/{name}_b.nii.gz")
    vectors = np.zeros((*SHAPE, 9), np.float32)
    vectors[40:50, 50:60, 40:50, 1] = 1
    save_nifti(top / "peaks.nii.gz", vectors, phantoms.affine())
    arguments = (tmp_path / "data", out, "participant", "--dataset-overlays", "rois,peaks", "--overview")
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    for name in ("CST_left", "CST_right"):
        assert shown(out, name) == [("roi", f"{name} beginning"), ("peaks", "TractSeg")]
    together = record(out, "*_desc-overview")
    assert [one["Name"] for one in together["Overlays"]] == ["TractSeg"]
    assert "2 overlays of single bundles are in these bundles' own pictures alone" in together["Notes"]
    assert "rois: 1 of CST_left in endings_segmentations" in (out / "sub-100307.html").read_text()
    assert "2 kept" in run(*arguments).stderr

    extra = ball(top / "endings_segmentations/CST_right_e.nii.gz", 4.0)
    appeared = run(*arguments)
    assert "1 drawn" in appeared.stderr
    assert "1 kept" in appeared.stderr
    assert len(shown(out, "CST_right")) == 3
    assert len(shown(out, "CST_left")) == 2
    ball(extra, 5.0)
    assert "1 drawn" in run(*arguments).stderr
    extra.unlink()
    vanished = run(*arguments)
    assert "1 drawn" in vanished.stderr
    assert "1 kept" in vanished.stderr
    assert len(shown(out, "CST_right")) == 2

    (top / "endings_segmentations/CST_left_b.nii.gz").write_bytes(b"no image")
    bad = run(*arguments)
    assert bad.returncode == 0, bad.stderr
    assert shown(out, "CST_left") == [("peaks", "TractSeg")]
    assert any(note.startswith("CST_left beginning isn't shown: ") for note in record(out, "CST_left")["Notes"])
    assert len(shown(out, "CST_right")) == 2


def test_a_mixed_tree(tmp_path: Path) -> None:
    """Another person's, run's, session's and space's regions and FODs are not taken, and that is said."""
    data, out = tmp_path / "data", tmp_path / "out"
    trees.describe(data, "pyAFQ")
    for who, run_label in (("01", "1"), ("01", "2"), ("02", "1")):
        folder = data / f"sub-{who}/ses-1/dwi"
        stem = f"sub-{who}_ses-1_run-{run_label}"
        bundle(folder / f"bundles/{stem}_space-ACPC_desc-LeftArcuate_tractography.trk")
        ball(folder / f"ROIs/{stem}_space-ACPC_desc-LeftArcuateInclude{who}{run_label}_mask.nii.gz")
    folder = data / "sub-01/ses-1/dwi"
    ball(folder / f"ROIs/sub-01_ses-1_run-1_space-{trees.MNI}_desc-LeftArcuateInclude9_mask.nii.gz")
    ball(folder / "ROIs/sub-01_ses-1_run-1_space-ACPC_desc-RightArcuateInclude0_mask.nii.gz")
    coefficients = np.zeros((9, 11, 9, 45), np.float32)
    coefficients[2:7, 2:9, 2:7] = mrtrix_coefficients(np.array([0.0, 1.0, 0.0]))
    affine = phantoms.affine(voxel=20, shape=(9, 11, 9))
    mif = "model-msmtcsd_param-fod_label-WM_dwimap.mif"
    save_mif(folder / f"sub-01_ses-1_run-1_space-ACPC_{mif}", coefficients, affine, "+0,+1,+2,+3")
    save_mif(folder / f"sub-01_ses-1_run-2_space-T1w_{mif}", coefficients, affine, "+0,+1,+2,+3")
    done = run(data, out, "participant", "--dataset-overlays", "all")
    assert done.returncode == 0, done.stderr
    name = "sub-{}_ses-1_run-{}_space-ACPC_desc-LeftArcuate_tractography"
    both = [("roi", "LeftArcuate include 011"), ("odf", "msmtcsd FOD")]
    assert shown(out, name.format("01", "1")) == both
    assert shown(out, name.format("01", "2")) == [("roi", "LeftArcuate include 012")]
    assert shown(out, name.format("02", "1")) == [("roi", "LeftArcuate include 021")]
    why = "odfs: none: no FOD of sub-01 is in space ACPC; not used: 1 in space T1w"
    assert done.stderr.count(why) == 1
    assert why in record(out, name.format("01", "2"))["OverlaysChosen"]
    assert "peaks: none: " in done.stderr


def test_freesurfer(tmp_path: Path) -> None:
    """A person's own pial surfaces; those of the other have none, which is said once."""
    data, out, fs = tmp_path / "data", tmp_path / "out", tmp_path / "fs"
    for who in ("01", "02"):
        bundle(data / f"sub-{who}/dwi/sub-{who}_space-T1w_tract-AF_tractogram.trk")
    bundle(data / "sub-01/dwi/sub-01_space-ACPC_tract-AF_tractogram.trk")
    (fs / "sub-01/surf").mkdir(parents=True)
    points = np.array([[-40.0, -30, -20], [-20, 30, -20], [-30, 0, 20], [-10, 0, 0]])
    faces = np.array([[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 3]])
    for hemisphere in ("lh", "rh"):
        volume = {"head": np.array([2, 0, 20], np.int32), "valid": "1  # volume info valid", "filename": "orig.mgz"}
        volume |= {"volume": np.array([256] * 3), "voxelsize": np.ones(3), "cras": np.zeros(3)}
        volume |= {"xras": np.array([-1.0, 0, 0]), "yras": np.array([0, 0, -1.0]), "zras": np.array([0, 1.0, 0])}
        write_geometry(fs / f"sub-01/surf/{hemisphere}.pial.T1", points, faces, volume_info=volume)
        (fs / f"sub-01/surf/{hemisphere}.pial").symlink_to("/nowhere")
    done = run(data, out, "participant", "--fs-subjects-dir", fs)
    assert done.returncode == 0, done.stderr
    surfaces = [("surface", "left pial surface"), ("surface", "right pial surface")]
    assert shown(out, "sub-01_space-T1w_tract-AF_tractogram") == surfaces
    assert shown(out, "sub-01_space-ACPC_tract-AF_tractogram") == []
    assert shown(out, "sub-02_space-T1w_tract-AF_tractogram") == []
    assert f"none: {fs} has no folder of sub-02" in done.stderr
    assert "sub-01_space-ACPC_tract-AF_tractogram.trk is in space ACPC; --fs-space says otherwise" in done.stderr
    assert run(data, out, "participant", "--fs-subjects-dir", tmp_path / "no").returncode == 2
