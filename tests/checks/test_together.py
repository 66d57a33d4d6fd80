"""All checks of a bundle: its files are read once for them, and what one finds doesn't depend on the others."""

from collections import Counter
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantoms
import pytest

from tractcap.checks import checks
from tractcap.checks.common.check_definition import CheckFile, CheckInput
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.run_check import run_check
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.inputs.tractograms.tck import TckTractogram


@pytest.fixture
def inputs(tmp_path: Path) -> CheckInput:
    """A bundle and all that it can be checked with."""
    ours = phantoms.asymmetric_bundle(60)
    files = {
        "tractogram": ours,
        "atlas": [line + np.float32(1) for line in ours],
        "before": [*ours, *phantoms.straight_bundle(9)],
        "mirror": [line * np.array([-1, 1, 1], np.float32) for line in ours],
    }
    given: dict[str, Any] = {
        name: CheckFile(str(phantoms.save(tmp_path / f"{name}.tck", lines)), space="MNI")
        for name, lines in files.items()
    }
    data = np.random.default_rng(0).random((91, 109, 91)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, phantoms.affine()), tmp_path / "fa.nii")
    image = CheckFile(str(tmp_path / "fa.nii"), voxels=data.size)
    return CheckInput(**given, maps={"FA": image}, reference=image, hemisphere="L")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts how often each file is read to its end."""
    counted: Counter[str] = Counter()
    read = TckTractogram._read_blocks

    def reading(self: TckTractogram, data: str) -> Any:
        yield from read(self, data)
        counted[self.path.stem] += 1

    monkeypatch.setattr(TckTractogram, "_read_blocks", reading)
    return counted


def made(inputs: CheckInput, folder: Path, shared: SharedFiles | None = None) -> dict[str, Any]:
    """What each check finds, and the bytes of all that it writes."""
    folder.mkdir()
    found = {}
    for name, check in checks().items():
        output = CheckOutput(folder, "a", name, "a", lambda _points: None)
        findings = run_check(check, inputs, output, shared or SharedFiles())
        written = [(folder / attached.file).read_bytes() for attached in (*output.figures, *output.tables)]
        found[name] = findings, written
    return found


def test_each_file_is_read_once_for_all_checks(inputs: CheckInput, tmp_path: Path, reads: Counter[str]) -> None:
    together = made(inputs, tmp_path / "together", SharedFiles())
    assert reads == {"tractogram": 1, "atlas": 1, "before": 1, "mirror": 1}
    assert together == made(inputs, tmp_path / "alone")
    assert reads["tractogram"] == 1 + len(checks())


def test_what_can_t_be_held_gives_the_same_and_is_read_a_few_times(
    inputs: CheckInput, tmp_path: Path, reads: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once to measure and sample, twice for cluster confidence, once for adjacency, twice for densities."""
    held = made(inputs, tmp_path / "held", SharedFiles())
    monkeypatch.setattr("tractcap.checks.common.shared_files.MOST_POINTS", 100)
    reads.clear()
    assert made(inputs, tmp_path / "not", SharedFiles()) == held
    assert reads == {"tractogram": 6, "atlas": 2, "before": 3, "mirror": 1}


@pytest.mark.parametrize("most", [3 * 20, 3 * 20 - 1])
def test_only_so_many_points_are_held(tmp_path: Path, reads: Counter[str], most: int) -> None:
    path = phantoms.save(tmp_path / "a.tck", [np.full((20, 3), number, np.float32) for number in range(3)])
    tractogram = TckTractogram(path)
    tractogram.hold(most)
    first, second = ([chunk.points.tolist() for chunk in tractogram.chunks(points)] for points in (20, 20))
    assert first == second
    assert len(first) == 3
    assert reads["a"] == (1 if most == 60 else 2)


def test_a_reading_that_was_given_up_isn_t_taken_for_the_file(tmp_path: Path) -> None:
    path = phantoms.save(tmp_path / "a.tck", [np.full((20, 3), number, np.float32) for number in range(3)])
    tractogram = TckTractogram(path)
    tractogram.hold(1000)
    assert len(next(iter(tractogram.chunks(20))).points) == 20
    assert sum(len(chunk.points) for chunk in tractogram.chunks(20)) == 60
