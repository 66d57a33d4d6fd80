"""What is found in a folder, and where its pictures go."""

import os
import pickle
from pathlib import Path

import pytest
import trees

from tractcap.errors import SettingsError
from tractcap.inputs.filters import Filters
from tractcap.inputs.search import Source, search


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
    sources = trees.find(tmp_path)
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
    assert [source.name for source in trees.find(tmp_path)] == ["a.trx", "b.trx/c.trk", "d.trk/e.tck"]
    assert [source.name for source in trees.find(tmp_path / "a.trx")] == ["a.trx"]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    plant(tmp_path, "a/x.trk", "b/y.trk")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    assert [source.name for source in trees.find(tmp_path)] == ["a/b/y.trk", "a/x.trk", "b/a/x.trk", "b/y.trk"]


def test_titles(tmp_path: Path) -> None:
    plant(tmp_path, "sub-01/AF.trk", "sub-01/sub-01_AF.trk", "CST.trk")
    assert [source.title for source in trees.find(tmp_path)] == ["CST", "sub-01 AF", "sub-01_AF"]


def test_a_missing_input(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="doesn't exist"):
        trees.find(tmp_path / "nowhere")


def keys(sources: list[Source]) -> list[str]:
    return [source.bundle.key for source in sources if not source.empty]


def empty(sources: list[Source]) -> list[str]:
    return [source.bundle.key for source in sources if source.empty]


def test_bep046(tmp_path: Path) -> None:
    found = trees.find(trees.bep046(tmp_path))
    assert keys(found) == ["ArcuateFasciculus_L", "WholeBrain"]
    assert empty(found) == ["ArcuateFasciculus_R"]
    assert {source.space for source in found} == {trees.MNI}
    assert found[0].bundle.original == "ArcuateFasciculus_hemi-L"


def test_qsirecon(tmp_path: Path) -> None:
    trees.qsirecon(trees.raw(tmp_path) / "derivatives/qsirecon")
    found = trees.find(tmp_path)
    assert keys(found) == ["ArcuateFasciculus_L", "CorticospinalTract_R", "WholeBrain"]
    assert empty(found) == ["ArcuateFasciculus_R"]
    assert [source.bundle.original for source in found] == [
        "AssociationArcuateFasciculusL",
        "AssociationArcuateFasciculusR",
        "ProjectionBrainstemCorticospinalTractR",
        "space-ACPC_model-sdstream_streamlines",
    ]
    assert {source.dataset for source in found} == {
        "derivatives/qsirecon/derivatives/qsirecon-DSIStudio",
        "derivatives/qsirecon/derivatives/qsirecon-MRtrix3",
    }
    assert {source.folder for source in found} == {"sub-01/ses-1/figures"}


def test_pyafq_and_its_json_files_beside_tables(tmp_path: Path) -> None:
    found = trees.find(trees.pyafq(tmp_path))
    assert sorted(keys(found)) == [
        "AllBundles",
        "ArcuateFasciculus_L",
        "CallosumOrbital",
        "CorticospinalTract_R",
        "WholeBrain",
    ]
    assert empty(found) == ["ArcuateFasciculus_R"]


def test_old_pyafq(tmp_path: Path) -> None:
    found = trees.find(trees.old_pyafq(tmp_path))
    assert [(source.bundle.original, source.bundle.key, source.space) for source in found] == [
        ("CST_L", "CorticospinalTract_L", "T1w"),
        (
            "space-T1w_desc-preproc_dwi_space-RASMM_model-CSD_desc-prob-afq_tractography",
            "WholeBrain",
            "T1w",
        ),
    ]


def test_the_old_draft(tmp_path: Path) -> None:
    assert keys(trees.find(trees.old_draft(tmp_path))) == ["ArcuateFasciculus_L", "WholeBrain"]


def test_tractseg(tmp_path: Path) -> None:
    found = trees.find(trees.tractseg(tmp_path))
    assert len(set(keys(found))) == len(found) == 72
    assert {source.participant for source in found} == {""}


def test_plain_folders_and_one_file(tmp_path: Path) -> None:
    found = search(trees.plain(tmp_path), Filters())
    assert [(one.participant, one.bundle.original) for one in found.sources] == [
        ("", "AF_L"),
        ("", "CC_ForcepsMajor"),
        ("02", "AF_L"),
        ("02", "CC_ForcepsMajor"),
    ]
    assert [image.name for image in found.images] == ["sub-02/T1w.nii.gz"]
    alone = search(tmp_path / "sub-02/AF_L.trk", Filters())
    assert (keys(alone.sources), alone.images) == (["ArcuateFasciculus_L"], ())


@pytest.mark.parametrize(
    ("name", "original", "key"),
    [
        ("sub-01_AF_left.tck", "AF_left", "ArcuateFasciculus_L"),
        ("sub-01_ses-2_AF_L.trk", "AF_L", "ArcuateFasciculus_L"),
        ("sub-01_bundle-SLF_III_left.trk", "SLF_III_left", "SuperiorLongitudinalFasciculus3_L"),
        ("sub-01_tract-My_hemi-R_tractogram.trx", "My_hemi-R", "My_R"),
        ("my-tract_L.trk", "my-tract_L", "my-tract_L"),
        ("sub-01.trk", "sub-01", "Tractogram"),
        ("sub-01_desc-preproc_tractogram.trx", "desc-preproc_tractogram", "WholeBrain"),
        ("sub-01_desc-MTxLGN_tractography.trx", "MTxLGN", "MTxLGN"),
        ("sub-01_desc-LeftArcuate_streamlines.tck", "LeftArcuate", "ArcuateFasciculus_L"),
    ],
)
def test_names_of_bundles(tmp_path: Path, name: str, original: str, key: str) -> None:
    plant(tmp_path, name)
    bundle = trees.find(tmp_path)[0].bundle
    assert (bundle.original, bundle.key) == (original, key)


def test_a_json_file_that_describes_tractograms_below_it_is_no_empty_bundle(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "track-eudx_tractogram.json",
        "tractogram.json",
        "sub-01/sub-01_tractogram.json",
        "sub-01/dwi/sub-01_tract-AF_hemi-L_track-eudx_tractogram.trx",
        "sub-01/dwi/sub-01_tract-AF_hemi-R_track-eudx_tractogram.json",
        "sub-02/sub-02_tractogram.json",
        "sub-02/notes.json",
    )
    found = trees.find(tmp_path)
    assert [source.name for source in found if source.empty] == [
        "sub-01/dwi/sub-01_tract-AF_hemi-R_track-eudx_tractogram.json",
        "sub-02/sub-02_tractogram.json",
    ]
    assert found[1].stem == "sub-01_tract-AF_hemi-R_track-eudx_tractogram"


def test_a_folder_beside_its_json_file(tmp_path: Path) -> None:
    trees.tractogram(tmp_path / "sub-01_tractogram.trx", sidecar=True, folder=True)
    assert [(source.name, source.empty) for source in trees.find(tmp_path)] == [("sub-01_tractogram.trx", False)]


def test_tractcaps_own_output_is_left_aside(tmp_path: Path) -> None:
    trees.qsirecon(tmp_path)
    before = search(tmp_path, Filters())
    out = trees.tractcap(tmp_path / "derivatives/tractcap")
    trees.tractcap(tmp_path / "link-target", "sub-01_tractogram")
    assert search(tmp_path, Filters()) == before
    assert trees.find(out) == []


def test_the_output_may_hold_the_input(tmp_path: Path) -> None:
    """Its figures alone are left aside, whether it says already whose it is or not."""
    plant(tmp_path, "in/a.trk", "in/out/b.trk", "in/out/sub-1/figures/c.trk", "in/figures/d.trk")

    def names(output: Path) -> list[str]:
        return [source.name for source in search(tmp_path / "in", Filters(), output).sources]

    assert names(tmp_path / "in/out") == ["a.trk", "figures/d.trk", "out/b.trk"]
    assert names(tmp_path / "in") == ["a.trk", "out/b.trk"]
    assert names(tmp_path / "nowhere") == ["a.trk", "figures/d.trk", "out/b.trk", "out/sub-1/figures/c.trk"]


def test_a_link_to_itself(tmp_path: Path) -> None:
    plant(tmp_path, "a.trk")
    (tmp_path / "loop").symlink_to("loop")
    assert [source.name for source in trees.find(tmp_path)] == ["a.trk"]


def test_filters(tmp_path: Path) -> None:
    trees.qsirecon(tmp_path, ["01", "02"])
    assert len(trees.find(tmp_path)) == 8
    assert len(trees.find(tmp_path, ["sub-02"])) == 4
    assert len(trees.find(tmp_path, ["02"], ["ses-1"])) == 4
    assert trees.find(tmp_path, [], ["2"]) == []
    found = search(tmp_path, Filters(["02"], tracts=["AF"]))
    assert [source.name.rpartition("bundle-")[2] for source in found.sources] == [
        "AssociationArcuateFasciculusL_streamlines.tck.gz",
        "AssociationArcuateFasciculusR_streamlines.json",
    ]
    assert {dict(image.entities)["sub"] for image in found.images} == {"02"}
    asked = Filters(bids={"tractogram": {"bundle": (None,), "model": ("sdstream",)}})
    assert keys(search(tmp_path, asked).sources) == ["WholeBrain", "WholeBrain"]


def test_each_folder_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees.qsirecon(trees.raw(tmp_path) / "derivatives/qsirecon")
    read: list[Path] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: read.append(path) or scandir(path))
    found = search(tmp_path, Filters(), tmp_path / "out")
    assert (len(found.sources), len(found.images)) == (4, 4)
    folders = list(read)
    assert sorted(folders) == sorted(Path(folder) for folder, _, _ in os.walk(tmp_path))


def test_many_empty_bundles(tmp_path: Path) -> None:
    plant(tmp_path, *(f"{n}_tractogram.{'json' if n % 2 else 'trk'}" for n in range(400)))
    assert sum(source.empty for source in trees.find(tmp_path)) == 200


def test_sources_can_be_keys_and_be_sent(tmp_path: Path) -> None:
    found = trees.find(trees.bep046(tmp_path))
    assert set(pickle.loads(pickle.dumps(found))) == set(found)
