"""The output's description as a BIDS derivative."""

import json
from pathlib import Path
from typing import Any

import pytest

from tractcap import __version__
from tractcap.work.output_folder import container, describe_dataset, sources


def described(output: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((output / "dataset_description.json").read_text())
    return told


def dataset(folder: Path, **keys: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.10.0", **keys}))
    return folder


def test_it_is_a_derivative_and_the_same_each_time(tmp_path: Path) -> None:
    describe_dataset(tmp_path, None)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == [".bidsignore", "README.md", "dataset_description.json"]
    describe_dataset(tmp_path, tmp_path / "nowhere")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    told = described(tmp_path)
    assert told["DatasetType"] == "derivative"
    assert told["BIDSVersion"]
    assert told["GeneratedBy"][0]["Name"] == "tractcap"
    assert told["GeneratedBy"][0]["Version"] == __version__
    assert str(tmp_path) not in json.dumps(told)


def test_what_others_have_written_stays(tmp_path: Path) -> None:
    describe_dataset(tmp_path, None)
    (tmp_path / "README.md").rename(tmp_path / "README")
    (tmp_path / "README").write_text("mine")
    (tmp_path / ".bidsignore").write_bytes(b"mine-\xff")
    told = {**described(tmp_path), "Name": "mine", "License": "CC0", "DatasetType": "raw"}
    told["GeneratedBy"] = [{"Name": "tractcap", "Version": "0.0.1"}, {"Name": "Manual"}]
    (tmp_path / "dataset_description.json").write_text(json.dumps(told))
    describe_dataset(tmp_path, None)
    assert (tmp_path / "README").read_text() == "mine"
    assert not (tmp_path / "README.md").exists()
    lines = (tmp_path / ".bidsignore").read_bytes().splitlines()
    assert lines[0] == b"mine-\xff"
    assert len(lines) == len(set(lines)) > 5
    now = described(tmp_path)
    assert (now["Name"], now["License"], now["DatasetType"]) == ("mine", "CC0", "derivative")
    assert [(by["Name"], by.get("Version")) for by in now["GeneratedBy"]] == [
        ("tractcap", __version__),
        ("Manual", None),
    ]


@pytest.mark.parametrize("text", ['{"Name": "another", "GeneratedBy": [{"Name": "dipy"}]}', "{", "[]", ""])
def test_the_description_of_another_dataset_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / "dataset_description.json").write_text(text)
    describe_dataset(tmp_path, tmp_path)
    assert (tmp_path / "dataset_description.json").read_text() == text
    assert "was not written by tractcap" in caplog.text


@pytest.mark.parametrize(
    ("variables", "file", "expected"),
    [
        ({}, "", {}),
        ({}, ".dockerenv", {"Type": "docker"}),
        ({"TRACTCAP_CONTAINER_TAG": "tractcap:1"}, ".dockerenv", {"Type": "docker", "Tag": "tractcap:1"}),
        ({"TRACTCAP_CONTAINER_TAG": "tractcap:1"}, "run/.containerenv", {"Type": "podman", "Tag": "tractcap:1"}),
        ({"TRACTCAP_CONTAINER_TAG": "tractcap:1"}, "", {"Tag": "tractcap:1"}),
        ({"APPTAINER_CONTAINER": "/home/me/a.sif", "SINGULARITY_CONTAINER": "/b"}, "", {"Type": "apptainer"}),
        ({"SINGULARITY_CONTAINER": "/home/me/a.sif"}, ".dockerenv", {"Type": "singularity"}),
    ],
)
def test_containers(tmp_path: Path, variables: dict[str, str], file: str, expected: dict[str, str]) -> None:
    if file:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert container(variables, tmp_path) == expected


def test_a_dataset_around_the_output_or_beside_it_is_linked(tmp_path: Path) -> None:
    study = dataset(tmp_path / "my study", DatasetDOI="doi:10.1/x")
    raw, output = study / "sub-01/dwi", study / "derivatives/tractcap"
    tracts = dataset(study / "derivatives/tracts é")
    for folder in (raw, output):
        folder.mkdir(parents=True)
    (raw / "a.tck").touch()
    doi = {"SourceDatasets": [{"DOI": "doi:10.1/x"}]}
    assert sources(output, raw / "a.tck") == {"DatasetLinks": {"source": "../.."}, **doi}
    assert sources(output, tracts) == {"DatasetLinks": {"source": "../tracts%20%C3%A9"}}
    assert sources(tmp_path / "elsewhere", raw) == doi, "how this machine's folders are called is nobody's business"
    assert sources(tmp_path, raw) == doi
    assert sources(tracts, tracts) == {}


def test_links_are_renewed_only_where_the_source_is_known(tmp_path: Path) -> None:
    study = dataset(tmp_path / "study")
    output = study / "derivatives/tractcap"
    output.mkdir(parents=True)
    for source, links in ((study, {"source": "../.."}), (None, {"source": "../.."}), (tmp_path, None)):
        describe_dataset(output, source)
        assert described(output).get("DatasetLinks") == links


def test_folders_of_no_participant_are_ignored_by_their_names(tmp_path: Path) -> None:
    describe_dataset(
        tmp_path, None, ["odd [1]*/b/figures", "new\nline", "space /figures", "a", "sub-1/figures", "figures"]
    )
    lines = (tmp_path / ".bidsignore").read_text().splitlines()
    assert lines[-3:] == ["/a", "/odd \\[1\\]\\*", "/space\\ "]
