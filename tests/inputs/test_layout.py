"""What is found in a folder, and where its pictures go."""

from pathlib import Path

import pytest

from tractcap.errors import SettingsError
from tractcap.inputs.layout import find


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_names_in_the_wild(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "sub-01/dwi/sub-01_space-MNI152NLin2009cAsym_tract-ArcuateFasciculus_hemi-L_track-eudx_tractogram.trx",
        "sub-02/ses-a/dwi/sub-02_ses-a_model-gqi_bundle-AssociationArcuateFasciculusL_streamlines.tck.gz",
        "sub-03/bundles/sub-03_desc-RightCorticospinal_tractography.trk",
        "tracts/AF_L.TRK",
        ".hidden/x.trk",
        ".x.trk",
        "notes.txt",
        ".trk",
    )
    sources = find(tmp_path)
    assert [(source.participant, source.session, source.folder) for source in sources] == [
        ("01", "", "sub-01/figures"),
        ("02", "a", "sub-02/ses-a/figures"),
        ("03", "", "sub-03/figures"),
        ("", "", "tracts/figures"),
    ]
    assert [source.stem for source in sources][1:] == [
        "sub-02_ses-a_model-gqi_bundle-AssociationArcuateFasciculusL_streamlines",
        "sub-03_desc-RightCorticospinal_tractography",
        "AF_L",
    ]


def test_a_folder_that_is_named_like_a_file(tmp_path: Path) -> None:
    plant(tmp_path, "a.trx/header.json", "a.trx/positions.3.float32", "b.trx/c.trk", "d.trk/e.tck")
    assert [source.name for source in find(tmp_path)] == ["a.trx", "b.trx/c.trk", "d.trk/e.tck"]
    assert [source.name for source in find(tmp_path / "a.trx")] == ["a.trx"]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    plant(tmp_path, "a/x.trk", "b/y.trk")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    assert [source.name for source in find(tmp_path)] == ["a/b/y.trk", "a/x.trk", "b/a/x.trk", "b/y.trk"]


def test_titles(tmp_path: Path) -> None:
    plant(tmp_path, "sub-01/AF.trk", "sub-01/sub-01_AF.trk", "CST.trk")
    assert [source.title for source in find(tmp_path)] == ["CST", "sub-01 AF", "sub-01_AF"]


def test_a_missing_input(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="doesn't exist"):
        find(tmp_path / "nowhere")
