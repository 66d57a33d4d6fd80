"""What of a dataset is drawn beside a tractogram, by the names that the field's tools give."""

from pathlib import Path

import pytest
import trees

from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_overlays import CHOICES, ODFS, PEAKS, ROIS, MatchingOverlays, OverlayChoice
from tractcap.inputs.search import Source, search

MAGIC = b"\xff\xff\xfe"


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def chosen(
    root: Path, choice: str, *, name: str = "", filters: Filters | None = None, **freesurfer: object
) -> OverlayChoice:
    """What is chosen for the first tractogram whose path ends so."""
    filters = filters or Filters()
    found = search(root, filters)
    matching = MatchingOverlays(found.images, filters, CHOICES, **freesurfer)  # type: ignore[arg-type]
    source = next(source for source in found.sources if source.name.endswith(name))
    return next(one for one in matching.of(source) if one.choice == choice)


def names(choice: OverlayChoice) -> list[tuple[str, str]]:
    return [(found.name, found.path.name) for found in choice.found]


def test_tractseg_endings_and_peaks(tmp_path: Path) -> None:
    plant(
        trees.tractseg(tmp_path, ["CST_left", "CST_right"]),
        *(
            f"tractseg_output/endings_segmentations/{bundle}_{end}.nii.gz"
            for bundle in ("CST_left", "CC")
            for end in "be"
        ),
        "tractseg_output/peaks.nii.gz",
    )
    found = chosen(tmp_path, ROIS, name="CST_left.tck")
    assert names(found) == [("CST_left beginning", "CST_left_b.nii.gz"), ("CST_left ending", "CST_left_e.nii.gz")]
    assert chosen(tmp_path, PEAKS, name="CST_left.tck").found[0].path == tmp_path / "tractseg_output/peaks.nii.gz"
    other = chosen(tmp_path, ROIS, name="CST_right.tck")
    assert other.found == ()
    assert other.why.endswith("endings_segmentations holds no endings of CST_right")


def test_tractseg_peaks_that_it_was_given(tmp_path: Path) -> None:
    plant(trees.tractseg(tmp_path, ["CST_left"]), "peaks.nii.gz")
    assert chosen(tmp_path, PEAKS).found[0].path == tmp_path / "peaks.nii.gz"


def test_tractseg_in_two_spaces(tmp_path: Path) -> None:
    plant(
        trees.tractseg(tmp_path, ["CST_left"]),
        "tractseg_output/endings_segmentations/CST_left_b.nii.gz",
        "tractseg_output/peaks.nii.gz",
        "tractseg_output/FA_2_MNI.mat",
    )
    for choice in (ROIS, PEAKS):
        none = chosen(tmp_path, choice)
        assert none.found == ()
        assert "FA_2_MNI.mat says that TractSeg moved images to another space" in none.why


AFQ = "sub-01/ses-1/dwi"


@pytest.mark.parametrize(
    ("stem", "tract", "regions", "expected"),
    [
        (  # today
            "sub-01_ses-1_acq-64dir",
            "desc-LeftArcuate",
            [f"space-ACPC_desc-LeftArcuate{role}_mask" for role in ("Include0", "Include1", "Exclude0", "Start")],
            ["LeftArcuate include 0", "LeftArcuate include 1", "LeftArcuate start", "LeftArcuate exclude 0"],
        ),
        (  # until 2024
            "sub-01_ses-1",
            "desc-ARCL",
            ["space-subject_desc-ARCLinclude0_mask", "space-subject_desc-ARCLstart0_mask"],
            ["ARCL include 0", "ARCL start"],
        ),
        ("sub-01_ses-1", "desc-ARCL", ["space-subject_desc-ARCL1include_mask"], ["ARCL include 1"]),  # until 2023
        (  # until 2022
            "sub-01_ses-1_space-T1w_desc-preproc_dwi",
            "space-RASMM_model-CSD_desc-det-afq-ARC_L",
            ["desc-ROI-ARC_L-1-include", "desc-ROI-ARC_L-2-include", "desc-ROI-ARC_L-3-exclude"],
            ["ARC_L include 1", "ARC_L include 2", "ARC_L exclude 3"],
        ),
    ],
)
def test_pyafq_regions(tmp_path: Path, stem: str, tract: str, regions: list[str], expected: list[str]) -> None:
    trees.tractogram(tmp_path / AFQ / f"bundles/{stem}_{tract}_tractography.trk")
    plant(tmp_path, *(f"{AFQ}/ROIs/{stem}_{region}.nii.gz" for region in regions))
    plant(tmp_path, *(f"{AFQ}/ROIs/{stem}_{region}.json" for region in regions))
    found = chosen(tmp_path, ROIS)
    assert [one.name for one in found.found] == expected


@pytest.mark.parametrize(
    "region",
    [
        "sub-01_ses-1_run-2_space-subject_desc-ArcuateInclude0_mask",  # another run
        "sub-01_ses-2_run-1_space-subject_desc-ArcuateInclude0_mask",  # another session
        "sub-02_ses-1_run-1_space-subject_desc-ArcuateInclude0_mask",  # another person
        "sub-01_ses-1_run-1_acq-b_space-subject_desc-ArcuateInclude0_mask",  # another acquisition
        "sub-01_ses-1_space-subject_desc-ArcuateInclude0_mask",  # it isn't known of which run
        "sub-01_ses-1_run-1_space-subject_desc-LeftArcuateInclude0_mask",  # another bundle
        "sub-01_ses-1_run-1_space-subject_desc-Arcuate_probseg",  # no region
        "sub-01_ses-1_run-1_desc-brain_mask",
    ],
)
def test_what_is_no_region_of_this_bundle(tmp_path: Path, region: str) -> None:
    trees.tractogram(tmp_path / AFQ / "bundles/sub-01_ses-1_run-1_desc-Arcuate_tractography.trk")
    plant(tmp_path, f"{AFQ}/ROIs/{region}.nii.gz")
    none = chosen(tmp_path, ROIS)
    assert none.found == ()
    assert none.why.endswith("is of Arcuate of this run and space")
    plant(tmp_path, f"{AFQ}/ROIs/sub-01_ses-1_run-1_space-subject_desc-ArcuateInclude0_mask.nii.gz")
    assert len(chosen(tmp_path, ROIS).found) == 1


def test_pyafq_regions_of_another_space(tmp_path: Path) -> None:
    trees.tractogram(tmp_path / AFQ / "bundles/sub-01_ses-1_space-T1w_desc-Arcuate_tractography.trk")
    plant(tmp_path, f"{AFQ}/ROIs/sub-01_ses-1_space-{trees.MNI}_desc-ArcuateInclude0_mask.nii.gz")
    assert chosen(tmp_path, ROIS).found == ()


FOD = "model-msmtcsd_param-fod_label-WM_dwimap.mif.gz"


def qsirecon(root: Path) -> Path:
    return trees.qsirecon(root, ["01"]) / "derivatives/qsirecon-MRtrix3/sub-01"


@pytest.mark.parametrize("ending", ["mif.gz", "nii.gz"])
def test_qsirecon_fods(tmp_path: Path, ending: str) -> None:
    name = f"ses-1/dwi/sub-01_ses-1_space-ACPC_{FOD.replace('mif.gz', ending)}"
    folder = plant(qsirecon(tmp_path), name, name.replace("WM", "GM"), name.replace("fod", "fa"))
    found = chosen(tmp_path, ODFS)
    assert [one.path for one in found.found] == [folder / name]
    assert found.why.endswith("the FOD of the same participant in space ACPC")
    assert names(found)[0][0] == "msmtcsd FOD"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ses-1/dwi/sub-01_ses-1_space-T1w_", "not used: 1 in space T1w"),
        ("ses-1/dwi/sub-01_ses-1_", "not used: 1 in no space"),
        ("ses-2/dwi/sub-01_ses-2_space-ACPC_", "not used: 1 of another session or run"),
        ("ses-1/dwi/sub-01_ses-1_run-2_space-ACPC_", "not used: 1 of another session or run"),
        ("ses-1/dwi/sub-01_ses-1_acq-b_space-ACPC_", "not used: 1 of another session or run"),
        ("../sub-02/ses-1/dwi/sub-02_ses-1_space-ACPC_", "no FOD of sub-01 is in space ACPC"),
    ],
)
def test_fods_that_do_not_go_with_a_tractogram(tmp_path: Path, name: str, why: str) -> None:
    plant(qsirecon(tmp_path), name + FOD)
    none = chosen(tmp_path, ODFS, name="streamlines.tck.gz")
    assert none.found == ()
    assert none.why.endswith(why)


def test_a_filter_file_chooses_fods(tmp_path: Path) -> None:
    first, second = (f"ses-1/dwi/sub-01_ses-1_space-ACPC_{FOD.replace('msmtcsd', model)}" for model in ("csd", "ss3t"))
    folder = plant(qsirecon(tmp_path), first, second)
    assert chosen(tmp_path, ODFS).found[0].path == folder / first
    assert chosen(tmp_path, ODFS).why.endswith("; the first of 2 such images")
    asked = Filters(bids={"odf": {"model": ("ss3t",)}})
    assert chosen(tmp_path, ODFS, filters=asked).found[0].path == folder / second
    asked = Filters(bids={"odf": {"model": ("none",)}})
    assert chosen(tmp_path, ODFS, filters=asked).why == "none: no FOD of sub-01 is what the filter file asks for"


# FreeSurfer

TRACT = "data/sub-01/ses-1/dwi/sub-01_ses-1_space-T1w_tract-AF_tractogram.trk"


def subject(root: Path, name: str, *files: str) -> Path:
    for file in files or ("lh.pial", "rh.pial"):
        path = root / "fs" / name / "surf" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MAGIC)
    return root / "fs" / name / "surf"


def surfaces(root: Path, tract: str = TRACT, **more: object) -> OverlayChoice:
    plant(root, tract)
    return chosen(root / "data", "surfaces", freesurfer=root / "fs", **more)


def test_freesurfer_surfaces(tmp_path: Path) -> None:
    folder = subject(tmp_path, "sub-01")
    found = surfaces(tmp_path)
    assert [one.path for one in found.found] == [folder / "lh.pial", folder / "rh.pial"]
    assert names(found)[0][0] == "left pial surface"
    assert found.why.endswith("taken to be in space T1w")


def test_a_link_that_is_broken_or_was_copied_as_a_file(tmp_path: Path) -> None:
    folder = subject(tmp_path, "sub-01", "lh.pial.T1", "rh.pial.T1")
    (folder / "lh.pial").symlink_to("../no/lh.pial.T1")
    (folder / "rh.pial").write_bytes(b"rh.pial.T1")
    assert [one.path.name for one in surfaces(tmp_path).found] == ["lh.pial.T1", "rh.pial.T1"]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["sub-01", "sub-01_ses-1"], "sub-01_ses-1"),
        (["01"], "01"),
        (["sub-01", "sub-01_ses-2"], "none: {fs} has sub-01_ses-2 and others of single sessions"),
        (["sub-01", "01"], "none: {fs} has sub-01 and 01, which may be two people"),
        (["sub-02"], "none: {fs} has no folder of sub-01"),
    ],
)
def test_whose_surfaces(tmp_path: Path, folders: list[str], expected: str) -> None:
    for folder in folders:
        subject(tmp_path, folder)
    found = surfaces(tmp_path)
    if expected.startswith("none"):
        assert found.found == ()
        assert found.why.startswith(expected.format(fs=tmp_path / "fs"))
    else:
        assert {one.path.parent.parent.name for one in found.found} == {expected}


@pytest.mark.parametrize("space", ["space-ACPC_", f"space-{trees.MNI}_", ""])
def test_surfaces_of_another_space(tmp_path: Path, space: str) -> None:
    subject(tmp_path, "sub-01")
    tract = TRACT.replace("space-T1w_", space)
    none = surfaces(tmp_path, tract)
    assert none.found == ()
    assert "FreeSurfer's surfaces are taken to be in space T1w" in none.why
    label = space.removeprefix("space-").removesuffix("_") or "none"
    assert len(surfaces(tmp_path, tract, freesurfer_space=label).found) == 2


def test_nothing_is_looked_for_that_is_not_wanted(tmp_path: Path) -> None:
    trees.tractseg(tmp_path, ["CST_left"])
    assert MatchingOverlays((), Filters()).of(Source(tmp_path, "tractseg_output/TOM_trackings/CST_left.tck")) == ()
