"""Which image goes with which tractogram, and why."""

from pathlib import Path

import pytest
import trees

from tractcap.inputs.filters import Filters
from tractcap.inputs.matching_images import Choice, MatchingImages
from tractcap.inputs.search import Source, search

TRACT = "sub-01/dwi/sub-01_space-ACPC_bundle-AF_L_streamlines.tck"


def searched(root: Path, filters: Filters | None = None) -> tuple[list[Source], MatchingImages]:
    filters = filters or Filters()
    found = search(root, filters)
    return found.sources, MatchingImages(found.images, filters)


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def chosen(root: Path, *names: str, filters: Filters | None = None) -> Choice:
    """The reference of the first tractogram among files of these names."""
    sources, matching = searched(plant(root, *names), filters)
    return matching.reference(sources[0])


def test_qsirecon_beside_qsiprep(tmp_path: Path) -> None:
    trees.qsiprep(trees.raw(tmp_path, ["01", "02"]) / "derivatives/qsiprep")
    trees.qsirecon(tmp_path / "derivatives/qsirecon", ["01", "02"])
    sources, matching = searched(tmp_path)
    name = "derivatives/qsiprep/sub-01/anat/sub-01_space-ACPC_desc-preproc_T1w.nii.gz"
    assert matching.reference(sources[0]) == Choice(
        tmp_path / name, f"{name}: the T1w image of the same participant and space (ACPC)"
    )
    other = next(source for source in sources if source.participant == "02")
    name = (
        "derivatives/qsirecon/derivatives/qsirecon-DSIStudio/sub-02/ses-1/dwi/"
        "sub-02_ses-1_space-ACPC_model-tensor_param-fa_dwimap.nii.gz"
    )
    assert matching.reference(other) == Choice(
        tmp_path / name, f"{name}: the FA map of the same participant, session and space (ACPC)"
    )
    assert matching.scalar(sources[0], "QA").path == tmp_path / name.replace("02", "01").replace(
        "model-tensor_param-fa", "model-gqi_param-qa"
    )


def test_a_standard_space_is_matched_exactly(tmp_path: Path) -> None:
    trees.bep046(trees.raw(tmp_path) / "derivatives/dipy", ["01", "03"])
    sources, matching = searched(tmp_path)
    assert matching.reference(sources[0]) == Choice(None, f"none: no image of sub-01 is in space {trees.MNI}")
    assert matching.reference(sources[-1]) == Choice(None, f"none: no image of sub-03 is in space {trees.MNI}")
    trees.qsiprep(tmp_path / "derivatives/qsiprep")
    sources, matching = searched(tmp_path)
    assert matching.reference(sources[0]).path == (
        tmp_path / f"derivatives/qsiprep/sub-01/anat/sub-01_space-{trees.MNI}_desc-preproc_T1w.nii.gz"
    )


def test_pyafq_names_no_space(tmp_path: Path) -> None:
    trees.pyafq(trees.raw(tmp_path) / "derivatives/afq")
    sources, matching = searched(tmp_path)
    name = "derivatives/afq/sub-01/ses-1/dwi/sub-01_ses-1_desc-masked_b0ref.nii.gz"
    assert matching.reference(sources[0]) == Choice(
        tmp_path / name,
        f"{name}: the b0 image of the same participant, session and dataset, neither names a space",
    )
    assert matching.scalar(sources[0], "fa").path is not None
    assert matching.scalar(sources[0], "md") == Choice(
        None, "none: no md map of sub-01, ses-1 is in the same dataset and, like the tractogram, names no space"
    )


def test_old_pyafq_is_in_the_first_of_two_spaces(tmp_path: Path) -> None:
    sources, matching = searched(trees.old_pyafq(tmp_path))
    found = matching.reference(sources[0])
    assert found.why.endswith(
        ": the FA map of the same participant, session and space (T1w); the first of 2 such images"
    )
    assert found.path is not None
    assert found.path.name.endswith("_model-DTI_desc-FA_dwi.nii.gz")


def test_only_participants_have_references(tmp_path: Path) -> None:
    sources, matching = searched(trees.plain(tmp_path))
    assert matching.reference(sources[0]) == Choice(None, "none: anna/AF_L.trk is of no participant")


@pytest.mark.parametrize(
    "order",
    [
        [
            "sub-01/anat/sub-01_space-ACPC_desc-preproc_T1w.nii.gz",
            "sub-01/anat/sub-01_space-ACPC_T1w.nii.gz",
            "sub-01/dwi/sub-01_space-ACPC_dwiref.nii.gz",
            "sub-01/dwi/sub-01_space-ACPC_model-tensor_param-FA_dwimap.nii.gz",
            "sub-01/dwi/sub-01_space-ACPC_model-dki_param-FA_dwimap.nii.gz",
        ],
        [
            "sub-01/anat/sub-01_space-ACPC_T1w.nii",
            "sub-01/anat/sub-01_space-ACPC_acq-b_desc-preproc_T1w.nii",
        ],
        [
            "sub-01/dwi/sub-01_space-ACPC_res-1_b0.nii.gz",
            "sub-01/dwi/sub-01_space-ACPC_res-2_b0.nii.gz",
            "sub-01/dwi/sub-01_space-ACPC_desc-FA_dwi.nii.gz",
        ],
        ["sub-01/dwi/sub-01_space-ACPC_model-tensor_mdp-fa_dwimap.nii.gz", "x/sub-01_space-ACPC_FA.nii.gz"],
    ],
)
def test_the_order(tmp_path: Path, order: list[str]) -> None:
    for left in range(len(order)):
        folder = tmp_path / str(left)
        assert chosen(folder, TRACT, *order[left:]).path == folder / order[left]


@pytest.mark.parametrize(
    "name",
    [
        "sub-01/dwi/sub-01_space-ACPC_dwi.nii.gz",
        "sub-01/dwi/sub-01_space-ACPC_desc-preproc_dwi.nii.gz",
        "sub-01/anat/sub-01_space-ACPC_desc-T1w_mask.nii.gz",
        "sub-01/anat/sub-01_space-ACPC_desc-preproc_dseg.nii.gz",
        "sub-01/anat/sub-01_space-ACPC_label-WM_probseg.nii.gz",
        "sub-01/anat/sub-01_space-ACPC_label-FA_T1w.nii.gz",
        "sub-01/dwi/sub-01_space-ACPC_desc-FA_mask.nii.gz",
    ],
)
def test_what_is_no_image_of_the_anatomy(tmp_path: Path, name: str) -> None:
    assert chosen(tmp_path, TRACT, name) == Choice(None, "none: no T1w, b0 or FA image of sub-01 is in space ACPC")


def test_sessions_do_not_mix(tmp_path: Path) -> None:
    tract = "sub-01/ses-b/dwi/sub-01_ses-b_space-T1w_tract-AF_tractogram.trk"
    a, b = (f"sub-01/ses-{label}/anat/sub-01_ses-{label}_space-T1w_T1w.nii.gz" for label in "ab")
    both = "sub-01/anat/sub-01_space-T1w_T1w.nii.gz"
    assert chosen(tmp_path / "1", tract, a).why == "none: no image of sub-01, ses-b is in space T1w"
    assert chosen(tmp_path / "2", tract, a, both).path == tmp_path / "2" / both
    assert chosen(tmp_path / "3", tract, a, both, b).path == tmp_path / "3" / b
    assert chosen(tmp_path / "4", "sub-01/sub-01_space-T1w_tractogram.trk", a).path is None


def test_acquisitions_and_runs_that_agree_come_first(tmp_path: Path) -> None:
    tract = "sub-01/dwi/sub-01_acq-b_run-2_space-T1w_tract-AF_tractogram.trk"
    names = [f"sub-01/dwi/sub-01_acq-{acq}_run-{run}_space-T1w_dwiref.nii.gz" for acq in "ab" for run in "12"]
    assert chosen(tmp_path, tract, *names).path == tmp_path / names[3]


def test_a_filter_file(tmp_path: Path) -> None:
    names = [f"sub-01/anat/sub-01_acq-{acq}_space-ACPC_T1w.nii.gz" for acq in "ab"]
    asked = Filters(bids={"reference": {"acq": ("b",)}})
    assert chosen(tmp_path, TRACT, *names, filters=asked).path == tmp_path / names[1]
    asked = Filters(bids={"reference": {"acq": ("c",)}})
    assert chosen(tmp_path, TRACT, *names, filters=asked).why == (
        "none: no T1w, b0 or FA image of sub-01 is what the filter file asks for"
    )


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    first, second = (f"sub-01/anat/sub-01_{desc}space-ACPC_T1w.nii.gz" for desc in ("desc-preproc_", ""))
    plant(tmp_path, TRACT, "sub-01/anat/x")
    (tmp_path / first).symlink_to(".git/annex/objects/x")
    assert (
        chosen(tmp_path).why
        == f"none: {first} is a link to a file that isn't there: get it first (datalad get, or git annex get)"
    )
    assert chosen(tmp_path, second).path == tmp_path / second


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_space-ACPC_model-noddi_param-ICVF_dwimap.nii.gz",
        "sub-01_space-ACPC_model-noddi_mdp-icvf_dwimap.nii.gz",
        "sub-01_space-ACPC_desc-icvf_dwimap.nii.gz",
        "sub-01_space-ACPC_icvf.nii",
        "sub-01_space-ACPC_model-noddi_ICVF.nii.gz",
    ],
)
def test_scalar_maps(tmp_path: Path, name: str) -> None:
    sources, matching = searched(plant(tmp_path, TRACT, f"sub-01/dwi/{name}"))
    found = matching.scalar(sources[0], "IcVf")
    assert found.path == tmp_path / "sub-01/dwi" / name
    assert found.why == f"sub-01/dwi/{name}: the IcVf map of the same participant and space (ACPC)"
    assert matching.scalar(sources[0], "FA").path is None


def test_the_image_that_a_space_is_named_for(tmp_path: Path) -> None:
    """QSIPrep's before it named the space; the raw image is another."""
    tract = "derivatives/qsirecon/sub-01/dwi/sub-01_space-T1w_bundle-AF_L_streamlines.tck"
    image = "derivatives/qsiprep/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz"
    assert chosen(tmp_path, tract, "sub-01/anat/sub-01_T1w.nii.gz").path is None
    assert chosen(tmp_path, image).path == tmp_path / image


def test_a_derivative_without_a_description_is_no_part_of_the_raw_dataset(tmp_path: Path) -> None:
    """Neither names a space: the raw image and the derivative's tractogram may lie apart."""
    tract = "derivatives/tracts/sub-01/AF_L.tck"
    assert chosen(tmp_path, tract, "sub-01/anat/sub-01_T1w.nii.gz").path is None
    own = "derivatives/tracts/sub-01/sub-01_T1w.nii.gz"
    assert chosen(tmp_path, own).path == tmp_path / own
