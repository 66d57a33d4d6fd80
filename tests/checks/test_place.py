"""Where a bundle lies: what needs its place is refused where that isn't known, and what isn't in one space too."""

import struct
from pathlib import Path
from typing import Any

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest

from tractcap.checks import checks
from tractcap.checks.common.check_definition import CheckFile
from tractcap.errors import InputError

UNKNOWN = "the header doesn't say where the image's origin lies: the place in the head is unknown"


def unplaced(path: Path, count: int = 30) -> Path:
    """A .trk as AFNI and Diffusion Toolkit write it, with voxel sizes and no matrix: lines of 80 mm."""
    header = bytearray(1000)
    header[:6] = b"TRACK\0"
    struct.pack_into("<3h", header, 6, 100, 100, 60)
    struct.pack_into("<3f", header, 12, 1.25, 1.25, 2.5)
    header[948:952] = b"RAS\0"
    struct.pack_into("<3i", header, 988, count, 2, 1000)
    lines = [np.linspace([30, 10, 30 + at], [30, 90, 30 + at], 41).astype("<f4") for at in range(count)]
    path.write_bytes(bytes(header) + b"".join(struct.pack("<i", len(one)) + one.tobytes() for one in lines))
    return path


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    data = np.full((91, 109, 91), 0.5, np.float32)
    nib.save(nib.Nifti1Image(data, phantoms.affine()), tmp_path / "fa.nii.gz")
    image = CheckFile(str(tmp_path / "fa.nii.gz"), voxels=data.size)
    other = CheckFile(str(phantoms.save(tmp_path / "b.tck", phantoms.straight_bundle())))
    return {
        "maps": {"FA": image}, "reference": image, "atlas": other, "before": other, "mirror": other, "hemisphere": "L"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["profile", "atlas", "before", "sides"])
def test_what_needs_the_place_is_refused_where_it_is_unknown(tmp_path: Path, given: Any, name: str) -> None:
    """Whichever of the two files it is that doesn't say where it lies."""
    assert set(checks()) - {"shape", "cci", "segments"} == {"profile", "atlas", "before", "sides"}
    path = unplaced(tmp_path / "a.trk")
    with pytest.raises(InputError, match=rf"a\.trk: {UNKNOWN}, so (maps|it) can't be (read|compared) .*\.$"):
        checking.make(name, tmp_path / "out", path, **given)
    placed = phantoms.save(tmp_path / "c.tck", phantoms.straight_bundle())
    for other in {"atlas", "before", "mirror"} & set(checks()[name].uses):
        with pytest.raises(InputError, match=rf"a\.trk: {UNKNOWN}, so "):
            checking.make(name, tmp_path / "out", placed, **{**given, other: CheckFile(str(path))})


@pytest.mark.parametrize("name", ["shape", "cci", "segments"])
def test_what_needs_only_lengths_is_given_and_says_so(tmp_path: Path, given: Any, name: str) -> None:
    found, _ = checking.make(name, tmp_path / "out", unplaced(tmp_path / "a.trk"), **given)
    assert UNKNOWN in found.notes
    if name == "shape":
        assert (found.measures["LengthMean"], found.measures["SpanMean"]) == pytest.approx((80, 80), abs=0.01)
        assert found.measures["OutsideReference"] is None
        assert any("what lies outside the head or brain can't be measured" in note for note in found.notes)


@pytest.mark.parametrize("name", ["atlas", "before", "sides"])
def test_spaces_must_be_the_same(tmp_path: Path, given: Any, name: str) -> None:
    """Those that both names tell; where one tells none, it is said."""
    path = phantoms.save(tmp_path / "a.tck", phantoms.straight_bundle())
    other = "mirror" if name == "sides" else name
    (beside,) = {"atlas", "before", "mirror"} & set(checks()[name].uses)
    assert beside == other
    theirs = given[other].path

    def notes(ours: str, space: str) -> list[str]:
        tractogram, against = CheckFile(str(path), space=ours), CheckFile(theirs, space=space)
        made = checking.make(name, tmp_path / "out", path, **{**given, "tractogram": tractogram, other: against})
        return [note for note in made[0].notes if "doesn't say which space" in note]

    with pytest.raises(InputError, match=r"a\.tck is in space T1w, and .*b\.tck in MNI: give both in the same space"):
        notes("T1w", "MNI")
    assert notes("MNI", "MNI") == []
    assert "the name of b.tck doesn't say which space" in notes("MNI", "")[0]
    assert "the name of a.tck doesn't say which space" in notes("", "MNI")[0]
    assert notes("", "") == []


def test_notes_of_a_file_that_is_silent_about_its_space_are_told(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.vtk", phantoms.straight_bundle())
    found, _ = checking.make("segments", tmp_path / "out", path)
    assert any("doesn't say its space" in note for note in found.notes)
    assert not checking.make("segments", tmp_path / "out", path, vtk_space="RAS")[0].notes
