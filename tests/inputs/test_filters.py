"""What of a dataset is asked for."""

import json
from pathlib import Path

import pytest

from tractcap.errors import SettingsError
from tractcap.inputs.bundle_names import identify
from tractcap.inputs.filters import Filters, read


@pytest.mark.parametrize(
    ("label", "kept"),
    [
        ("AF", "AF_left AF_right"),
        ("af_l", "AF_left"),
        ("AF_left", "AF_left"),
        ("ARC_L", "AF_left"),
        ("LeftArcuate", "AF_left"),
        ("ArcuateFasciculus", "AF_left AF_right"),
        ("Arcuate fasciculus", "AF_left AF_right"),
        ("arcuate fasciculus, right", "AF_right"),
        ("tract-ArcuateFasciculus", "AF_left AF_right"),
        ("bundle-AssociationArcuateFasciculusR", "AF_right"),
        ("CC", "CC"),
        ("CC_1", "CC_1"),
        ("MyTract", "MyTract_L"),
        ("mytract_L", "MyTract_L"),
        ("MyTract_R", ""),
        ("A", ""),
    ],
)
def test_bundles(label: str, kept: str) -> None:
    filters = Filters(tracts=[label])
    names = ["AF_left", "AF_right", "CC", "CC_1", "MyTract_L"]
    assert [name for name in names if filters.keep_bundle(identify(name))] == kept.split()


def test_filters_describe_themselves() -> None:
    assert Filters().description == ""
    asked = Filters(["sub-01", "02"], ["ses-1"], ["AF"], {"tractogram": {"run": ("1",)}})
    assert asked.description == "participants 01 or 02, session 1, bundle AF, the entities in the filter file"


def read_text(folder: Path, text: str) -> Filters:
    (folder / "filter.json").write_text(text)
    return Filters(bids=read(folder / "filter.json"))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("gqi", "a"),
        (["gqi", "csd"], "a b"),
        (None, "c"),
        ("*", "a b"),
        (["csd", None], "b c"),
        ("GQI", ""),
    ],
)
def test_entities(tmp_path: Path, asked: object, kept: str) -> None:
    filters = read_text(tmp_path, json.dumps({"tractogram": {"model": asked}}))
    files: dict[str, dict[str, str]] = {"a": {"model": "gqi"}, "b": {"model": "csd"}, "c": {}}
    assert [name for name, entities in files.items() if filters.keep("tractogram", entities)] == kept.split()


def test_names_and_numbers_as_pybids_has_them(tmp_path: Path) -> None:
    text = '{"tractogram": {"subject": "01", "session": "1", "run": 1, "extension": "tck.gz", "datatype": "dwi"}}'
    filters = read_text(tmp_path, text)
    told = {"sub": "01", "ses": "1", "run": "01", "extension": ".tck.gz", "datatype": "dwi"}
    assert filters.keep("tractogram", told)
    assert not filters.keep("tractogram", told | {"run": "02"})
    assert filters.keep("reference", {})


def test_t1w_is_a_reference(tmp_path: Path) -> None:
    filters = read_text(tmp_path, '{"t1w": {"acquisition": "a"}, "reference": {"space": "ACPC"}}')
    assert filters.bids == {"reference": {"acq": ("a",), "space": ("ACPC",)}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "it is no whole JSON .line 1.. It must hold an object such as"),
        ("[]", "it holds no JSON object. It must hold an object such as"),
        ("\ufeff{}x", "it is no whole JSON"),
        ('{"bold": {}}', "has 'bold', but only tractogram, reference, t1w, scalar or odf can be filtered"),
        ('{"tractogram": "x"}', "tractogram in the filter file .* must be an object"),
        ('{"tractogram": {"run": true}}', "tractogram: run in the filter file .* is true"),
        ('{"tractogram": {"run": [1.5]}}', "tractogram: run in the filter file .* is 1.5"),
    ],
)
def test_a_bad_file(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_text(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"x\.json doesn't exist: give a JSON file"):
        read(tmp_path / "x.json")


def test_a_mark_at_the_start_of_the_text_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"tractogram": {"run": 1}}', encoding="utf-8-sig")
    assert read(tmp_path / "x.json") == {"tractogram": {"run": ("1",)}}
