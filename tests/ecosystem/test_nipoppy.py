"""The pipeline for Nipoppy: valid, installed into a study, and run there for two participants and the group."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import phantoms
import pytest

from conftest import ROOT
from tractcap import __version__

pytestmark = pytest.mark.ecosystem

Call = Callable[..., subprocess.CompletedProcess[str]]
PIPELINE = ROOT / "integrations/boutiques"


def test_it_is_valid(call: Call) -> None:
    done = call("nipoppy", "pipeline", "validate", PIPELINE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def study(call: Call, tmp_path: Path) -> Path:
    """A study of two participants, who have tractograms, with the pipeline installed."""
    study, tractograms = tmp_path / "study", tmp_path / "tractograms"
    for participant in ("01", "02"):
        name = f"sub-{participant}/ses-1/dwi/sub-{participant}_ses-1_bundle-AFL_streamlines.tck"
        (tractograms / name).parent.mkdir(parents=True)
        phantoms.save(tractograms / name, phantoms.asymmetric_bundle(5))
    for arguments in (("init", "--study", study), ("pipeline", "install", "--study", study, "--force", PIPELINE)):
        done = call("nipoppy", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    for participant in ("01", "02"):  # without which Nipoppy has nobody to process
        (study / f"bids/sub-{participant}/ses-1/dwi").mkdir(parents=True)
        (study / f"bids/sub-{participant}/ses-1/dwi/sub-{participant}_ses-1_dwi.nii.gz").touch()
    lines = ["participant_id\tvisit_id\tsession_id\tdatatype"] + [f'{who}\t1\t1\t["dwi"]' for who in ("01", "02")]
    (study / "manifest.tsv").write_text("\n".join(lines) + "\n")
    config = study / "global_config.json"
    text, count = re.subn(r'("TRACTOGRAMS": )(null|"[^"]*")', rf"\1{json.dumps(str(tractograms))}", config.read_text())
    assert count == 1, "Nipoppy asks for the variable"
    config.write_text(text)
    (study / f"containers/tractcap-{__version__}.sif").touch()
    return study


def test_a_study_is_drawn(call: Call, study: Path, apptainer: Path) -> None:
    for step in ("participant", "group"):
        done = call("nipoppy", "process", "--study", study, "--pipeline", "tractcap", "--pipeline-step", step)
        assert done.returncode == 0, done.stdout + done.stderr
    output = study / f"derivatives/tractcap/{__version__}/output"
    assert len(list(output.glob("sub-0[12]/ses-1/figures/*_mosaic.png"))) == 2
    assert (output / "group.html").is_file()
    assert f"--bind {study.parent}/tractograms:{study.parent}/tractograms:ro" in apptainer.read_text()

    done = call("nipoppy", "track-processing", "--study", study, "--pipeline", "tractcap")
    assert done.returncode == 0, done.stdout + done.stderr
    status = (study / "derivatives/processing_status.tsv").read_text()
    assert status.count("SUCCESS") == 2, status
