"""Folders as tools leave them: their own names, with a few real streamlines and images behind them.

Each function fills a dataset below ``root`` and returns it; :func:`find` searches one.
"""

import json
from collections.abc import Collection, Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
from phantoms import affine, asymmetric_bundle, save, save_trx

from tractcap.inputs.filters import Filters
from tractcap.inputs.search import Source, search

MNI = "MNI152NLin2009cAsym"

_TRACTSEG = (
    "AF_left AF_right ATR_left ATR_right CA CC_1 CC_2 CC_3 CC_4 CC_5 CC_6 CC_7 CG_left CG_right CST_left CST_right "
    "MLF_left MLF_right FPT_left FPT_right FX_left FX_right ICP_left ICP_right IFO_left IFO_right ILF_left ILF_right "
    "MCP OR_left OR_right POPT_left POPT_right SCP_left SCP_right SLF_I_left SLF_I_right SLF_II_left SLF_II_right "
    "SLF_III_left SLF_III_right STR_left STR_right UF_left UF_right CC T_PREF_left T_PREF_right T_PREM_left "
    "T_PREM_right T_PREC_left T_PREC_right T_POSTC_left T_POSTC_right T_PAR_left T_PAR_right T_OCC_left T_OCC_right "
    "ST_FO_left ST_FO_right ST_PREF_left ST_PREF_right ST_PREM_left ST_PREM_right ST_PREC_left ST_PREC_right "
    "ST_POSTC_left ST_POSTC_right ST_PAR_left ST_PAR_right ST_OCC_left ST_OCC_right"
)
TRACTSEG = _TRACTSEG.split()
"""TractSeg's 72."""


def find(root: Path, participants: Collection[str] = (), sessions: Collection[str] = ()) -> list[Source]:
    """The tractograms in a file or folder, of these participants and sessions, or of all."""
    return search(root, Filters(participants, sessions)).sources


def describe(folder: Path, generator: str) -> Path:
    """Make a folder a dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"Name": folder.name, "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    told |= {"GeneratedBy": [{"Name": generator, "Version": "1"}]}
    (folder / "dataset_description.json").write_text(json.dumps(told))
    return folder


def tractogram(path: Path, sidecar: bool = False, folder: bool = False) -> Path:
    """Write a bundle of three streamlines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    streamlines = asymmetric_bundle(3, 5)
    if path.suffix == ".trx":
        save_trx(path, streamlines, folder=folder)
    else:
        save(path, streamlines)
    if sidecar:
        note(path.with_name(path.name.split(".")[0] + ".json"))
    return path


def note(path: Path) -> Path:
    """Write a JSON file, as stands beside a tractogram or alone for an empty bundle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def image(path: Path, volumes: int = 1) -> Path:
    """Write a small image; one of several volumes has four dimensions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (9, 11, 9) + ((volumes,) if volumes > 1 else ())
    nib.Nifti1Image(np.ones(shape, np.int16), affine(voxel=20, shape=(9, 11, 9))).to_filename(path)
    return path


def raw(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """A raw dataset: T1w and diffusion images that name no space."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset_description.json").write_text('{"Name": "raw", "BIDSVersion": "1.10.0"}')
    for who in people:
        image(root / f"sub-{who}/anat/sub-{who}_T1w.nii.gz")
        image(root / f"sub-{who}/dwi/sub-{who}_dwi.nii.gz", volumes=3)
    return root


def bep046(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """The open proposal's own example."""
    describe(root, "dipy")
    for who in people:
        stem = f"{root}/sub-{who}/dwi/sub-{who}_space-{MNI}_tract"
        tractogram(Path(f"{stem}-wholebrain_track-eudx_tractogram.trx"), sidecar=True)
        tractogram(Path(f"{stem}-ArcuateFasciculus_hemi-L_track-eudx_tractogram.trx"), sidecar=True)
        note(Path(f"{stem}-ArcuateFasciculus_hemi-R_track-eudx_tractogram.json"))
    return root


def qsiprep(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """Preprocessed images in the spaces that QSIPrep writes."""
    describe(root, "QSIPrep")
    for who in people:
        anat, dwi = root / f"sub-{who}/anat", root / f"sub-{who}/ses-1/dwi"
        for space in ("ACPC", MNI):
            image(anat / f"sub-{who}_space-{space}_desc-preproc_T1w.nii.gz")
            image(anat / f"sub-{who}_space-{space}_desc-brain_mask.nii.gz")
            image(anat / f"sub-{who}_space-{space}_dseg.nii.gz")
        image(anat / f"sub-{who}_space-ACPC_label-WM_probseg.nii.gz")
        image(dwi / f"sub-{who}_ses-1_space-ACPC_desc-preproc_dwi.nii.gz", volumes=3)
        image(dwi / f"sub-{who}_ses-1_space-ACPC_dwiref.nii.gz")
    return root


def qsirecon(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """DSI Studio's autotrack, MRtrix's whole brain and a tensor's maps, each a dataset below ``derivatives``."""
    describe(root, "QSIRecon")
    for who in people:
        name = f"sub-{who}/ses-1/dwi/sub-{who}_ses-1_space-ACPC"
        dsi = describe(root / "derivatives/qsirecon-DSIStudio", "QSIRecon")
        for bundle in ("AssociationArcuateFasciculusL", "ProjectionBrainstemCorticospinalTractR"):
            tractogram(dsi / f"{name}_model-gqi_bundle-{bundle}_streamlines.tck.gz", sidecar=True)
        note(dsi / f"{name}_model-gqi_bundle-AssociationArcuateFasciculusR_streamlines.json")
        image(dsi / f"{name}_model-tensor_param-fa_dwimap.nii.gz")
        image(dsi / f"{name}_model-gqi_param-qa_dwimap.nii.gz")
        mrtrix = describe(root / "derivatives/qsirecon-MRtrix3", "QSIRecon")
        tractogram(mrtrix / f"{name}_model-sdstream_streamlines.tck.gz")
    return root


def pyafq(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """pyAFQ 3: bundles in their folder, and JSON files beside tables and maps that are called tractography too."""
    describe(root, "pyAFQ")
    for who in people:
        session = root / f"sub-{who}/ses-1/dwi"
        stem = f"sub-{who}_ses-1"
        for bundle in ("RightCorticospinal", "LeftArcuate", "CallosumOrbital"):
            tractogram(session / f"bundles/{stem}_desc-{bundle}_tractography.trk", sidecar=True)
        note(session / f"bundles/{stem}_desc-RightArcuate_tractography.json")
        tractogram(session / f"{stem}_desc-bundles_tractography.trx", sidecar=True)
        tractogram(session / f"tractography/{stem}_tractography.trx", sidecar=True)
        for table in ("profiles", "slCount"):
            note(session / f"{stem}_desc-{table}_tractography.csv")
            note(session / f"{stem}_desc-{table}_tractography.json")
        image(session / f"{stem}_desc-density_tractography.nii.gz")
        note(session / f"{stem}_desc-density_tractography.json")
        image(session / f"{stem}_desc-masked_b0ref.nii.gz")
        image(session / f"models/{stem}_model-tensor_param-FA_dwimap.nii.gz")
    return root


def old_pyafq(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """pyAFQ 0.x on QSIPrep's output: two spaces in a name, of which one is a convention for coordinates."""
    describe(root, "pyAFQ")
    for who in people:
        session = root / f"sub-{who}/ses-1"
        stem = f"sub-{who}_ses-1_space-T1w_desc-preproc_dwi"
        tractogram(session / f"clean_bundles/{stem}_space-RASMM_model-CSD_desc-det-afq-CST_L_tractography.trk")
        tractogram(session / f"{stem}_space-RASMM_model-CSD_desc-prob-afq_tractography.trk")
        image(session / f"{stem}_model-DKI_FA.nii.gz")
        image(session / f"{stem}_model-DTI_desc-FA_dwi.nii.gz")
    return root


def old_draft(root: Path, people: Iterable[str] = ("01",)) -> Path:
    """The draft before BEP046."""
    for who in people:
        tractogram(root / f"sub-{who}/dwi/sub-{who}_tractography.tck")
        tractogram(root / f"sub-{who}/dwi/sub-{who}_subset-AF_L_tractography.trk")
    return root


def tractseg(root: Path, bundles: Iterable[str] = TRACTSEG) -> Path:
    """One person's bundles, without anything of BIDS."""
    for bundle in bundles:
        tractogram(root / "tractseg_output/TOM_trackings" / f"{bundle}.tck")
    return root


def plain(root: Path, people: Iterable[str] = ("anna", "sub-02")) -> Path:
    """A folder a person."""
    for who in people:
        tractogram(root / who / "AF_L.trk")
        tractogram(root / who / "CC_ForcepsMajor.trk.gz")
        image(root / who / "T1w.nii.gz")
    return root


def tractcap(root: Path, stem: str = "sub-01_ses-1_bundle-AF_L_streamlines") -> Path:
    """What tractcap itself leaves."""
    describe(root, "tractcap")
    figures = root / "sub-01/ses-1/figures"
    note(figures / f"{stem}.json")
    (figures / f"{stem}_mosaic.png").touch()
    (root / "sub-01.html").touch()
    return root
