"""Bundles as no tracking should leave them: each check finds something that is a number, or says why it can't."""

import json
import math
from pathlib import Path

import checking
import nibabel as nib
import numpy as np
import phantoms
import pytest

from tractcap.checks import checks
from tractcap.checks.kit.check import File
from tractcap.errors import InputError

NAN = np.float32("nan")
ODD = {
    "one": phantoms.straight_bundle(1),
    "two points": [np.array([[0, 0, 0], [30, 0, 0]], np.float32)] * 3,
    "no length": [np.zeros((5, 3), np.float32)] * 3,
    "one without length": [*phantoms.straight_bundle(2), np.full((3, 3), 7, np.float32)],
    "short": [one * np.float32(0.01) for one in phantoms.straight_bundle(5)],
    "far": [one + np.float32(9000) for one in phantoms.straight_bundle(5)],
    "huge": [one * np.float32(100) for one in phantoms.straight_bundle(5)],
    "broken ones": [*phantoms.straight_bundle(3), np.full((4, 3), NAN), np.zeros((1, 3), np.float32)],
    "all broken": [np.full((4, 3), NAN)] * 2,
    "the same": phantoms.straight_bundle(1) * 30,
    "folded": [np.concatenate([one, one[::-1]]) for one in phantoms.straight_bundle(5)],
    "a flat one": [np.float32([[0, y, 0], [20, y, 0], [40, y, 0]]) for y in range(6)],
}


@pytest.mark.parametrize("name", checks())
@pytest.mark.parametrize("odd", ODD)
def test_numbers_or_a_sentence(tmp_path: Path, name: str, odd: str) -> None:
    path = phantoms.save(tmp_path / "a.tck", ODD[odd])
    other = File(str(phantoms.save(tmp_path / "b.tck", phantoms.straight_bundle(5))))
    data = np.random.default_rng(0).random((91, 109, 91)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, phantoms.affine()), tmp_path / "fa.nii")
    image = File(str(tmp_path / "fa.nii"), voxels=data.size)
    given = {"maps": {"FA": image}, "reference": image, "atlas": other, "before": other, "mirror": other}
    refused = ""
    with np.errstate(all="raise", under="ignore"):
        try:
            found, desk = checking.make(name, tmp_path / "out", path, hemisphere="L", **given)
        except InputError as error:
            refused = str(error)
    if refused:
        assert "a.tck" in refused or "fa.nii" in refused
        return
    json.dumps(found.measures, allow_nan=False)
    assert all(value is None or math.isfinite(value) for value in found.measures.values())
    assert all((tmp_path / "out" / one["File"]).stat().st_size for one in (*desk.figures, *desk.tables))
