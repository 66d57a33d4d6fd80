"""How a tractogram was tracked, as BEP046's JSON file says it, in the record and on the card."""

import json
import subprocess
import sys
from pathlib import Path

import phantoms
import pytest

from tractcap.records.tracking_sidecar import read_tracking
from tractcap.records.tractogram_sidecar import DrawnRecord, load

SIDECAR = {
    "Name": "MRtrix3",
    "StreamlineSeeding": {
        "Sources": [
            {"Type": "GridPerElement", "Source": "bids::sub-01/dwi/sub-01_mask.nii.gz", "SeedsPerElement": 8},
            {"Type": "Sphere"},
        ]
    },
    "StreamlinePropagation": {
        "Algorithm": {"Name": "iFOD2", "URL": "https://example.org"},
        "StepSize": 0.5,
        "AnglePerStep": 45,
        "Interpolation": "Linear",
        "InterpolationOrder": 0,
        "Source": "fod.nii.gz",
    },
    "StreamlineTermination": {"Anisotropy": [{"Metric": "FOD amplitude", "Source": "fod.nii.gz", "Threshold": 0.06}]},
    "StreamlineAcceptanceCriteria": {"MinimumLength": 30, "MaximumLength": 250},
    "StreamlineReconstructionDensity": {"AcceptedStreamlines": 10000000},
}
FACTS = {
    "Algorithm": "iFOD2",
    "Seeds": "GridPerElement, from bids::sub-01/dwi/sub-01_mask.nii.gz, 8 for each element; Sphere",
    "Steps": "0.5 mm, 45° at most",
    "Interpolation": "Linear",
    "Ends": "where FOD amplitude is below 0.06",
    "Lengths": "30 mm at least, 250 mm at most",
    "Until": "10,000,000 accepted streamlines",
}
NAME = "sub-01_space-MNI152NLin2009cAsym_tract-ArcuateFasciculus_hemi-L_track-ifod_tractogram"


def test_the_facts_are_on_the_card(tmp_path: Path) -> None:
    folder = tmp_path / "in/sub-01/dwi"
    folder.mkdir(parents=True)
    phantoms.save(folder / f"{NAME}.trx", phantoms.asymmetric_bundle(5))
    (folder / f"{NAME}.json").write_text(json.dumps(SIDECAR))
    command = [sys.executable, "-m", "tractcap", tmp_path / "in", tmp_path / "out", "participant", "--size", "64"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    record = load(tmp_path / f"out/sub-01/figures/{NAME}.json")
    assert isinstance(record, DrawnRecord)
    assert record.tracking == FACTS
    assert record.notes == ()
    page = (tmp_path / "out/sub-01.html").read_text()
    assert "<dt>Tracking: seeds</dt><dd>GridPerElement, from bids::sub-01/dwi/sub-01_mask.nii.gz" in page


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("{}", ""),
        (None, ""),
        ("[", "it is no whole JSON (line 1)"),
        ('{"StreamlinePropagation": {"StepSize": "half"}}', "“StreamlinePropagation.StepSize” is text, not a number"),
        (
            '{"StreamlineSeeding": {"Sources": [{"Type": 3}]}}',
            "“StreamlineSeeding.Sources[0].Type” is a number, not text",
        ),
    ],
)
def test_what_cannot_be_understood_is_said(tmp_path: Path, content: str | None, wrong: str) -> None:
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    facts, sentence = read_tracking(tmp_path / "a.tck.gz")
    assert facts == {}
    assert sentence == (f"its JSON file a.json doesn't say how it was tracked: {wrong}" if wrong else "")


def test_only_what_is_known_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"StreamlineTermination": {"Anisotropy": [{"Metric": "FA"}]}, "Other": 1}')
    assert read_tracking(tmp_path / "a.trk") == ({}, "")
