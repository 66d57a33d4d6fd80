"""What was taken because a file is silent is said in picture, page, log and record, in the same words."""

import html
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import packings
import phantoms
import pytest
from PIL import Image

SMALL = ("--size", "100", "--views", "left")
UNPLACED = "doesn't say where its voxels lie in mm: its qform_code and sform_code are 0"


def run(data: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", str(data), str(out), "participant", *SMALL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def patched(path: Path, offset: int, kind: str, *values: float) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into(kind, data, offset, *values)
    path.write_bytes(data)


SILENT = {
    "no-space.vtk": "the file doesn't say its space: RAS+ mm is taken",
    "no-place.trk": "the header doesn't say where the image's origin lies: the place in the head is unknown",
    "small-count.trk": "the header promises 20 streamlines, but there are 30",
    "stale-count.tck": "the header promises 7 streamlines, but there are 30",
}


def test_what_is_taken_is_said_everywhere(tmp_path: Path) -> None:
    data, out = tmp_path / "sub-01", tmp_path / "out"
    data.mkdir()
    streamlines = phantoms.asymmetric_bundle()
    packings.legacy(data / "no-space.vtk", streamlines)
    for name in ("no-place.trk", "small-count.trk", "good.trk"):
        packings.trk(data / name, streamlines)
    patched(data / "no-place.trk", 440, "<16f", *[0] * 16)
    patched(data / "small-count.trk", 988, "<i", 20)
    phantoms.raw_tck(data / "stale-count.tck", streamlines, count=7)
    done = run(tmp_path, out)
    assert done.returncode == 0, done.stderr
    page = html.unescape((out / "sub-01.html").read_text())
    for name, sentence in SILENT.items():
        (record,) = out.rglob(f"*{name.partition('.')[0]}.json")
        assert json.loads(record.read_text())["Notes"] == [sentence]
        assert f"{name}: {sentence}" in done.stderr
        assert sentence[1:] in page
        for picture in record.parent.glob(f"{record.stem}_*.png"):
            with Image.open(picture) as image:
                assert sentence in image.text["Description"]
    (good,) = out.rglob("*good.json")
    assert json.loads(good.read_text())["Notes"] == []


def head(path: Path, code: int = 1) -> Path:
    """An image whose header says, or with a code of 0 doesn't say, where it lies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.ones((9, 11, 9), np.int16), phantoms.affine(voxel=20, shape=(9, 11, 9)))
    image.header["qform_code"] = image.header["sform_code"] = code
    raw = bytearray(image.to_bytes())
    struct.pack_into("<2h", raw, 252, code, code)
    path.write_bytes(raw)
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two people; where the T1w and the FA of the first lie, their headers don't say."""
    root = tmp_path / "in"
    root.mkdir()
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    for who, code in (("01", 0), ("02", 1)):
        stem = root / f"sub-{who}/dwi/sub-{who}_space-ACPC_"
        head(root / f"sub-{who}/anat/sub-{who}_space-ACPC_T1w.nii", code)
        head(Path(f"{stem}FA.nii"), code)
        phantoms.save(Path(f"{stem}tract-AF_hemi-L_tractogram.trk"), phantoms.asymmetric_bundle())
    return root


def records(out: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in out.rglob("figures/*.json")]
    return {one["Participant"]: one for one in found}


def test_a_reference_that_says_nothing_of_its_place_is_found_and_not_used(dataset: Path, tmp_path: Path) -> None:
    done = run(dataset, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    first, second = (records(tmp_path / "out")[who] for who in ("01", "02"))
    assert first["Made"]["Reference"] is None
    assert second["Made"]["Reference"]["path"].endswith("sub-02_space-ACPC_T1w.nii")
    assert UNPLACED in done.stderr
    assert any(UNPLACED in note for note in first["Notes"])
    assert not second["Notes"]
    assert UNPLACED in html.unescape((tmp_path / "out/sub-01.html").read_text())


def test_a_map_that_says_nothing_of_its_place_is_found_and_not_used(dataset: Path, tmp_path: Path) -> None:
    done = run(dataset, tmp_path / "out", "--color", "scalar:FA", "--reference", "none")
    assert done.returncode == 1
    first, second = (records(tmp_path / "out")[who] for who in ("01", "02"))
    assert (first["Status"], second["Status"]) == ("failed", "drawn")
    assert UNPLACED in first["Why"]
    assert UNPLACED in done.stderr


@pytest.mark.parametrize("option", [("--reference", "{}"), ("--color", "scalar:FA", "--scalar", "FA={}")])
def test_an_image_that_was_asked_for_and_says_nothing_of_its_place_is_refused(
    dataset: Path, tmp_path: Path, option: tuple[str, ...]
) -> None:
    path = head(tmp_path / "asked.nii", 0)
    done = run(dataset, tmp_path / "out", *(word.format(path) for word in option))
    assert done.returncode == 2
    assert f"{path} {UNPLACED}" in done.stderr
    assert not list((tmp_path / "out").rglob("*.png"))
