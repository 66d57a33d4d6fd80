"""What tools call their bundles."""

import pickle

import pytest
from trees import TRACTSEG

from tractcap.inputs.bundle_names import identify, is_known, without_side

LEFT_ARCUATE = (
    "AF_L AF_left ARC_L LeftArcuate left_AF L_AF AssociationArcuateFasciculusL Association_ArcuateFasciculusL "
    "ArcuateFasciculus_hemi-L tract-ArcuateFasciculus_hemi-L bundle-AF_L desc-LeftArcuate af_left lh.AF "
    "ArcuateFasciculus_L AF_L_recognized moved_AF_L__recognized"
)
PYAFQ = (
    "LeftAnteriorThalamic LeftCingulumCingulate LeftCorticospinal LeftInferiorFrontooccipital LeftOpticRadiation "
    "LeftInferiorLongitudinal LeftArcuate LeftUncinate LeftPosteriorArcuate LeftVerticalOccipital "
    "LeftMiddleLongitudinal LeftSuperiorLongitudinal LeftSuperiorLongitudinalI LeftSuperiorLongitudinalII "
    "LeftSuperiorLongitudinalIII LeftInferiorCerebellarPeduncle LeftMiddleCerebellarPeduncle "
    "LeftSuperiorCerebellarPeduncle ForcepsMinor ForcepsMajor CallosumAnteriorFrontal CallosumMotor "
    "CallosumOccipital CallosumOrbital CallosumPosteriorParietal CallosumSuperiorFrontal CallosumSuperiorParietal "
    "CallosumTemporal"
)
DSI_STUDIO = (
    "Association_ArcuateFasciculusL Association_CingulumL Association_CingulumL_FrontalParietal "
    "Association_ExtremeCapsuleL Association_FrontalAslantTractL Association_HippocampusAlveusL "
    "Association_InferiorFrontoOccipitalFasciculusL Association_InferiorLongitudinalFasciculusL "
    "Association_MiddleLongitudinalFasciculusL Association_ParietalAslantTractL "
    "Association_SuperiorLongitudinalFasciculusL Association_SuperiorLongitudinalFasciculusL_2 "
    "Association_UncinateFasciculusL Association_VerticalOccipitalFasciculusL Cerebellum_CerebellumL "
    "Cerebellum_InferiorCerebellarPeduncleL Cerebellum_MiddleCerebellarPeduncle "
    "Cerebellum_SuperiorCerebellarPeduncle Cerebellum_Vermis Commissure_AnteriorCommissure "
    "Commissure_AnteriorCommissure_Frontal Commissure_CorpusCallosum Commissure_CorpusCallosum_ForcepsMajor "
    "Commissure_CorpusCallosum_ForcepsMinor Commissure_CorpusCallosum_Body CranialNerve_CNIIIL CranialNerve_CNVIIIR "
    "ProjectionBasalGanglia_AcousticRadiationL ProjectionBasalGanglia_AnsaLenticularisL "
    "ProjectionBasalGanglia_CorticostriatalTractL_Anterior ProjectionBasalGanglia_FornixR "
    "ProjectionBasalGanglia_OpticRadiationL ProjectionBasalGanglia_ThalamicRadiationL_Anterior "
    "ProjectionBrainstem_CorticospinalTractR ProjectionBrainstem_CorticopontineTractL_Parietal "
    "ProjectionBrainstem_DentatorubrothalamicTract-lr ProjectionBrainstem_MedialForebrainBundleL "
    "ProjectionBrainstem_NonDecussatingDentatorubrothalamicTractR ProjectionBrainstem_ReticularTractL"
)
RECOBUNDLES = (
    "AC AF_L AR_L AST_L C_L CB_L CC_ForcepsMajor CC_ForcepsMinor CC CCMid CNII_L CNVIII_R CS_L CST_L CT_L CTT_L DLF_L "
    "EMC_L F_L_R FPT_L ICP_L IFOF_L ILF_L LL_L MCP MdLF_L ML_L MLF_L OPT_L OR_L PC PPT_L RST_L SCP SLF_L STT_L TPT_L "
    "UF_L V VOF_L"
)


@pytest.mark.parametrize("name", LEFT_ARCUATE.split())
def test_one_bundle_has_one_key(name: str) -> None:
    found = identify(name)
    assert (found.key, found.readable, found.hemisphere) == ("ArcuateFasciculus_L", "Arcuate fasciculus, left", "L")
    assert found.original == name


@pytest.mark.parametrize("tool", [" ".join(TRACTSEG), PYAFQ, DSI_STUDIO, RECOBUNDLES])
def test_all_names_of_a_tool_are_known_and_apart(tool: str) -> None:
    names = tool.split()
    assert [name for name in names if not is_known(name)] == []
    assert len({identify(name).key for name in names}) == len(names)


def test_qsirecons_names_are_dsi_studios() -> None:
    for name in DSI_STUDIO.split():
        assert identify(name.replace("_", "").replace("-", "")).key == identify(name).key


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("FA", "CC_ForcepsMinor"),  # pyAFQ's forceps anterior
        ("FP", "Forceps Major"),
        ("UNC_R", "UF_right"),
        ("CST_R", "ProjectionBrainstemCorticospinalTractR"),
        ("IFO_left", "IFOF_L"),
        ("FX_left", "ProjectionBasalGanglia_FornixL"),
        ("CA", "AC"),
        ("SLF_III_right", "AssociationSuperiorLongitudinalFasciculusR3"),
        ("LeftThalamicRadiation", "ATR_left"),
        ("Callosum Orbital", "CallosumOrbital"),
    ],
)
def test_names_that_mean_the_same(one: str, another: str) -> None:
    assert identify(one).key == identify(another).key


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("MLF_left", "MLF_L"),  # TractSeg's middle, RecoBundles' medial
        ("FA", "FA_L"),
        ("FA", "fa"),
        ("CC_2", "CallosumOrbital"),
        ("CC_2", "CC_ForcepsMinor"),
        ("CGC_L", "CG_left"),
        ("pARC_L", "ARC_L"),
        ("ThalamicRadiationL", "LeftThalamicRadiation"),
    ],
)
def test_letters_that_look_alike(one: str, another: str) -> None:
    assert identify(one).key != identify(another).key


@pytest.mark.parametrize(
    ("name", "side"),
    [("MyTract_L", "L"), ("my_right", "R"), ("LeftMTmask", "L"), ("MTmaskL", ""), ("x", ""), ("CELL", ""), ("", "")],
)
def test_an_unknown_name_stays_itself(name: str, side: str) -> None:
    found = identify(name)
    assert (found.original, found.key, found.readable, found.hemisphere) == (name, name, name, side)


def test_a_side_that_is_told_apart_joins_an_unknown_name() -> None:
    found = identify("MyTract_hemi-R")
    assert (found.key, found.readable, found.hemisphere) == ("MyTract_R", "MyTract, right", "R")


def test_without_side() -> None:
    assert set(without_side(identify("AF_left"))) == {"AF", "ArcuateFasciculus", "Arcuate fasciculus"}
    assert without_side(identify("CC_1")) == ()


def test_it_can_be_a_key_and_be_sent() -> None:
    found = identify("AF_L")
    assert {pickle.loads(pickle.dumps(found))} == {found}
