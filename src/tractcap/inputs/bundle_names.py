"""Names of bundles: what each tool calls them, as one name. Standard library alone.

The table follows what the tools themselves list:

- TractSeg 2.10, ``tractseg/data/dataset_specific_utils.py`` and the README's names for its 72 bundles;
- pyAFQ 3.4, ``AFQ/api/bundle_dict.py`` for its names, ``AFQ/utils/conversion.py`` for the older ones (``ARC_L``), and
  ``AFQ/data/utils.py`` for those of the MATLAB version;
- DSI Studio's HCP-1065 atlas by the names of its files; QSIRecon's are those without underscores;
- RecoBundles' atlas (HCP-842) by the names of its files, read as the R package mascot documents them;
- TRACULA's folders: ``fmajor``, ``fminor``, ``acomm``, ``lh.ccg``.

Letters don't mean the same in all tools: ``MLF_left`` is TractSeg's middle longitudinal fasciculus, ``MLF_L`` is the
medial one in RecoBundles' atlas. ``LeftThalamicRadiation`` is the anterior one of AFQ, ``ThalamicRadiationL`` DSI
Studio's whole. ``CC_1`` to ``CC_7`` are TractSeg's segments of the corpus callosum; pyAFQ's parts of
it have other borders. pyAFQ's ``FA`` and ``FP`` are the forceps anterior and posterior: minor and major. Its ``CGC`` is
the cingulate part of the cingulum alone. A name that isn't clear stays what it is.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

_SIDES = {"L": "left", "R": "right"}
_OTHER = {"L": "R", "R": "L"}

_SPELLINGS = ("l", "r", "lh", "rh", "left", "right")

_UNCLEAR, _LETTER, _WORD = "", "letter", "word"
"""How a side is written."""

_TABLE = """
ArcuateFasciculus | Arcuate fasciculus | AF ARC Arcuate ArcuateFascicle
PosteriorArcuate | Posterior arcuate | pARC PosteriorArcuateFasciculus
SuperiorLongitudinalFasciculus | Superior longitudinal fasciculus | SLF SuperiorLongitudinal
SuperiorLongitudinalFasciculus1 | Superior longitudinal fasciculus I | SLF_I SLF1 SuperiorLongitudinalI \
  SuperiorLongitudinalFasciculusI CingulumSuperiorLongitudinalFasciculus1
SuperiorLongitudinalFasciculus2 | Superior longitudinal fasciculus II | SLF_II SLF2 SuperiorLongitudinalII \
  SuperiorLongitudinalFasciculusII
SuperiorLongitudinalFasciculus3 | Superior longitudinal fasciculus III | SLF_III SLF3 SuperiorLongitudinalIII \
  SuperiorLongitudinalFasciculusIII
InferiorLongitudinalFasciculus | Inferior longitudinal fasciculus | ILF InferiorLongitudinal
MiddleLongitudinalFasciculus | Middle longitudinal fasciculus | MdLF MiddleLongitudinal
MedialLongitudinalFasciculus | Medial longitudinal fasciculus |
DorsalLongitudinalFasciculus | Dorsal longitudinal fasciculus | DLF
InferiorFrontoOccipitalFasciculus | Inferior fronto-occipital fasciculus | IFO IFOF InferiorFrontoOccipital \
  InferiorOccipitoFrontalFasciculus InferiorOccipitoFrontalFascicle
UncinateFasciculus | Uncinate fasciculus | UF UNC Uncinate
Cingulum | Cingulum | CG C CingulumBundle
CingulumCingulate | Cingulum, cingulate part | CGC CCG
CingulumHippocampus | Cingulum, hippocampal part | HCC
CingulumFrontalParietal | Cingulum, frontal to parietal |
CingulumFrontalParahippocampal | Cingulum, frontal to parahippocampal |
CingulumParahippocampal | Cingulum, parahippocampal |
CingulumParahippocampalParietal | Cingulum, parahippocampal to parietal |
CingulumParolfactory | Cingulum, parolfactory |
ExtremeCapsule | Extreme capsule | EMC
FrontalAslantTract | Frontal aslant tract | FAT AST FrontalAslant
ParietalAslantTract | Parietal aslant tract | PAT ParietalAslant
HippocampusAlveus | Hippocampus alveus |
VerticalOccipitalFasciculus | Vertical occipital fasciculus | VOF VerticalOccipital
CorticospinalTract | Corticospinal tract | CST Corticospinal
CorticobulbarTract | Corticobulbar tract | CBT
CorticopontineTract | Corticopontine tract | CPT
FrontopontineTract | Frontopontine tract | FPT CorticopontineTractFrontal
ParietopontineTract | Parietopontine tract | PPT CorticopontineTractParietal
OccipitopontineTract | Occipitopontine tract | OPT CorticopontineTractOccipital
TemporopontineTract | Temporopontine tract | TPT
ParietoOccipitalPontineTract | Parieto-occipital pontine tract | POPT
CorticostriatalTract | Corticostriatal tract | CS
CorticostriatalTractAnterior | Corticostriatal tract, anterior |
CorticostriatalTractPosterior | Corticostriatal tract, posterior |
CorticostriatalTractSuperior | Corticostriatal tract, superior |
ThalamicRadiation | Thalamic radiation | CT CorticothalamicPathway
AnteriorThalamicRadiation | Anterior thalamic radiation | ATR AnteriorThalamic ThalamicRadiationAnterior
SuperiorThalamicRadiation | Superior thalamic radiation | STR ThalamicRadiationSuperior
PosteriorThalamicRadiation | Posterior thalamic radiation | ThalamicRadiationPosterior
OpticRadiation | Optic radiation | OR
AcousticRadiation | Acoustic radiation | AR
Fornix | Fornix | FX F F_L_R
AnsaLenticularis | Ansa lenticularis |
AnsaSubthalamica | Ansa subthalamica |
FasciculusLenticularis | Fasciculus lenticularis |
FasciculusSubthalamicus | Fasciculus subthalamicus |
MedialForebrainBundle | Medial forebrain bundle |
MedialLemniscus | Medial lemniscus | ML
LateralLemniscus | Lateral lemniscus | LL
ReticularTract | Reticular tract |
ReticulospinalTract | Reticulospinal tract | RST
SpinothalamicTract | Spinothalamic tract | STT
CentralTegmentalTract | Central tegmental tract | CTT
DentatorubrothalamicTract | Dentatorubrothalamic tract |
DentatorubrothalamicTractLeftRight | Dentatorubrothalamic tract, left to right | DentatorubrothalamicTractlr
DentatorubrothalamicTractRightLeft | Dentatorubrothalamic tract, right to left | DentatorubrothalamicTractrl
NonDecussatingDentatorubrothalamicTract | Non-decussating dentatorubrothalamic tract |
InferiorCerebellarPeduncle | Inferior cerebellar peduncle | ICP
MiddleCerebellarPeduncle | Middle cerebellar peduncle | MCP
SuperiorCerebellarPeduncle | Superior cerebellar peduncle | SCP
Cerebellum | Cerebellum | CB
Vermis | Vermis | V
CranialNerveII | Cranial nerve II | CNII
CranialNerveIII | Cranial nerve III | CNIII
CranialNerveIV | Cranial nerve IV | CNIV
CranialNerveV | Cranial nerve V | CNV
CranialNerveVII | Cranial nerve VII | CNVII
CranialNerveVIII | Cranial nerve VIII | CNVIII
CranialNerveX | Cranial nerve X | CNX
ThalamoPrefrontal | Thalamo-prefrontal | T_PREF
ThalamoPremotor | Thalamo-premotor | T_PREM
ThalamoPrecentral | Thalamo-precentral | T_PREC
ThalamoPostcentral | Thalamo-postcentral | T_POSTC
ThalamoParietal | Thalamo-parietal | T_PAR
ThalamoOccipital | Thalamo-occipital | T_OCC
StriatoFrontoOrbital | Striato-fronto-orbital | ST_FO
StriatoPrefrontal | Striato-prefrontal | ST_PREF
StriatoPremotor | Striato-premotor | ST_PREM
StriatoPrecentral | Striato-precentral | ST_PREC
StriatoPostcentral | Striato-postcentral | ST_POSTC
StriatoParietal | Striato-parietal | ST_PAR
StriatoOccipital | Striato-occipital | ST_OCC
"""
"""Key, readable name and other names of bundles that may have a side."""

_MIDLINE = """
CorpusCallosum | Corpus callosum | CC Callosum
CorpusCallosumRostrum | Corpus callosum 1, rostrum | CC_1
CorpusCallosumGenu | Corpus callosum 2, genu | CC_2
CorpusCallosumRostralBody | Corpus callosum 3, rostral body (premotor) | CC_3
CorpusCallosumAnteriorMidbody | Corpus callosum 4, anterior midbody (primary motor) | CC_4
CorpusCallosumPosteriorMidbody | Corpus callosum 5, posterior midbody (primary somatosensory) | CC_5
CorpusCallosumIsthmus | Corpus callosum 6, isthmus | CC_6
CorpusCallosumSplenium | Corpus callosum 7, splenium | CC_7
CorpusCallosumBody | Corpus callosum, body | CCMid CC_Mid
CorpusCallosumTapetum | Corpus callosum, tapetum |
ForcepsMinor | Forceps minor | fminor CC_ForcepsMinor CorpusCallosumForcepsMinor CallosumForcepsMinor
ForcepsMajor | Forceps major | fmajor CC_ForcepsMajor CorpusCallosumForcepsMajor CallosumForcepsMajor
CallosumAnteriorFrontal | Corpus callosum, anterior frontal part | AntFrontal
CallosumSuperiorFrontal | Corpus callosum, superior frontal part | SupFrontal
CallosumMotor | Corpus callosum, motor part |
CallosumOrbital | Corpus callosum, orbital part |
CallosumOccipital | Corpus callosum, occipital part |
CallosumPosteriorParietal | Corpus callosum, posterior parietal part | PostParietal
CallosumSuperiorParietal | Corpus callosum, superior parietal part | SupParietal
CallosumTemporal | Corpus callosum, temporal part |
AnteriorCommissure | Anterior commissure | AC CA acomm CommissureAnterior
AnteriorCommissureFrontal | Anterior commissure, frontal |
AnteriorCommissureOccipital | Anterior commissure, occipital |
AnteriorCommissureTemporal | Anterior commissure, temporal |
PosteriorCommissure | Posterior commissure | PC
WholeBrain | Whole brain | WholeBrainTractogram
AllBundles | All bundles | Bundles
Tractogram | Tractogram |
"""
"""Those that have none."""

_EXACT = {"FA": "ForcepsMinor", "FP": "ForcepsMajor"}
"""pyAFQ's; in lower case or with a side these letters are other tools' frontal aslant tract."""

_BY_STYLE = {
    ("mlf", _WORD): "MiddleLongitudinalFasciculus",
    ("mlf", _LETTER): "MedialLongitudinalFasciculus",
    ("thalamicradiation", _WORD): "AnteriorThalamicRadiation",
}
"""What the way the side is written tells about the tool."""

_GROUPS = re.compile(r"(?:Association|Commissure|ProjectionBasalGanglia|ProjectionBrainstem|Cerebellum|CranialNerve)_?")
"""DSI Studio's, before the name itself."""

_PREFIX = re.compile(r"(?:tract|bundle|desc|subset)-")
_HEMISPHERE = re.compile(r"_hemi-(left|right|lh|rh|l|r)(?![A-Za-z0-9])", re.IGNORECASE)
_STATE = re.compile(r"(moved_)?(.+?)((?:_+(?:labels|recognized|orig|cleaned|ic|m))*)", re.DOTALL)
"""What was done with a bundle: RecoBundles in dipy's workflows, and in rbx_flow and nf-neuro."""

_BEHIND = re.compile(r"(.*[^_\-. ])[_\-. ]+(left|right|L|R|lh|rh)", re.IGNORECASE)
_BEFORE = re.compile(r"(left|right|L|R|lh|rh)[_\-. ]+(.+)", re.IGNORECASE)
_BEFORE_CAMEL = re.compile(r"(Left|Right)([A-Z].*)")
_BEHIND_CAMEL = re.compile(r"(.*[a-z0-9]|CN[IVX]+)(L|R|Left|Right)")
_WITHIN_CAMEL = re.compile(r"(.*[a-z])([LR])_?([A-Z0-9].*)")


@dataclass(frozen=True)
class BundleName:
    """A bundle as its tool calls it (``original``), as one name for all tools (``key``), and for people.

    ``hemisphere`` is ``L``, ``R`` or empty.
    """

    original: str
    key: str
    readable: str
    hemisphere: str


def identify(text: str, side: str = "") -> BundleName:
    """Find out which bundle a tool means; an unknown name stays itself.

    ``AssociationArcuateFasciculusL``, ``AF_left``, ``LeftArcuate`` and ``tract-ArcuateFasciculus_hemi-L`` are one.

    Parameters
    ----------
    side : the hemisphere as the entity ``hemi`` has it, which beats what the name says.
    """
    bare = _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text
    side = hemisphere(found[1] if (found := _HEMISPHERE.search(bare)) else side)
    bare = _HEMISPHERE.sub("", bare)
    if known := _known(bare):
        key, readable, own = known
        return _named(text, key, readable, side or own)
    own = _clear_side(bare)
    if not side:
        return BundleName(text, bare, bare, own)
    base = next((base for base, other, _ in _splits(bare) if other == own), bare) if own and own != side else bare
    if own == side:
        return BundleName(text, bare, bare, side)
    return _named(text, base, base, side)


def hemisphere(text: str) -> str:
    """``L``, ``R`` or empty, whichever way the entity ``hemi`` spells it."""
    return text[0].upper() if text.lower() in _SPELLINGS else ""


def without_state(text: str) -> tuple[str, str]:
    """A bundle's name without what its tool puts around it, and that: ``AF_L`` and ``cleaned`` of ``AF_L_cleaned``."""
    moved, bare, after = _STATE.fullmatch(text).groups(default="")  # type: ignore[union-attr]
    return bare, "_".join(part for part in (moved.strip("_"), *after.split("_")) if part)


def is_known(text: str) -> bool:
    """Whether a name is one of the table's."""
    return _known(text) is not None


Thing = TypeVar("Thing", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Sided:
    """A bundle of a hemisphere: ``among`` which its counterpart is, and the ``folder`` that its file lies in."""

    among: Hashable
    folder: str
    key: str
    hemisphere: str


def counterparts(bundles: Mapping[Thing, Sided]) -> dict[Thing, Thing]:
    """Of each bundle the one of the other hemisphere: of several that in the same folder, else none."""
    found: dict[tuple[Hashable, str], list[Thing]] = {}
    for thing, one in bundles.items():
        found.setdefault((one.among, one.key), []).append(thing)
    pairs = {}
    for thing, one in bundles.items():
        base = one.key.removesuffix(f"_{one.hemisphere}")
        if one.hemisphere not in _OTHER or base == one.key:
            continue
        others = found.get((one.among, f"{base}_{_OTHER[one.hemisphere]}"), [])
        if len(others) > 1 or len(found[one.among, one.key]) > 1:
            others = [other for other in others if bundles[other].folder == one.folder]
        if len(others) == 1:
            pairs[thing] = others[0]
    return pairs


def without_side(bundle: BundleName) -> tuple[str, ...]:
    """The names of a bundle and of its counterpart in the other hemisphere alike."""
    if not bundle.hemisphere:
        return ()
    bases = [base for name in (bundle.original, bundle.key) for base, _, _ in _splits(name)]
    return (*dict.fromkeys(bases), bundle.readable.removesuffix(f", {_SIDES[bundle.hemisphere]}"))


def _named(text: str, key: str, readable: str, side: str) -> BundleName:
    return (
        BundleName(text, f"{key}_{side}", f"{readable}, {_SIDES[side]}", side)
        if side
        else BundleName(text, key, readable, "")
    )


@lru_cache(maxsize=4096)
def _known(text: str) -> tuple[str, str, str] | None:
    """Key, readable name and side."""
    for name in dict.fromkeys(_forms(text)):
        if found := _look_up(name, _UNCLEAR):
            return *found, ""
        for base, side, style in _splits(name):
            if found := _look_up(base, style):
                return *found, side
    return None


def _forms(text: str) -> Iterator[str]:
    yield text
    if group := _GROUPS.match(text):
        yield text[group.end() :]
    if text:
        yield without_state(text)[0]


def _look_up(name: str, style: str) -> tuple[str, str] | None:
    plain = _plain(name)
    key = _BY_STYLE.get((plain, style)) or (_EXACT.get(name) if style == _UNCLEAR else None)
    if (style and plain in _WITHOUT_SIDE) or (not style and len(plain) == 1 and name != "V"):
        return None
    return _NAMES.get(_plain(key) if key else plain)


def _splits(name: str) -> Iterator[tuple[str, str, str]]:
    """Ways to take the side off a name: what is left, the side, and how it was written."""
    if found := _BEHIND.fullmatch(name):
        yield found[1], found[2][0].upper(), _style(found[2])
    if found := _BEFORE.fullmatch(name) or _BEFORE_CAMEL.fullmatch(name):
        yield found[2], found[1][0].upper(), _style(found[1])
    if found := _BEHIND_CAMEL.fullmatch(name):
        yield found[1], found[2][0], _style(found[2])
    if found := _WITHIN_CAMEL.fullmatch(name):
        yield found[1] + found[3], found[2], _LETTER


def _style(side: str) -> str:
    return _LETTER if len(side) == 1 else _WORD


def _clear_side(name: str) -> str:
    """The side of an unknown name, if it is written apart from it."""
    found = _BEHIND.fullmatch(name)
    if found is None:
        found = _BEFORE.fullmatch(name) or _BEFORE_CAMEL.fullmatch(name)
        return found[1][0].upper() if found else ""
    return found[2][0].upper()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _rows(table: str) -> Iterator[tuple[str, str, list[str]]]:
    for line in table.replace("\\\n", " ").strip().splitlines():
        key, readable, others = (part.strip() for part in line.split("|"))
        yield key, readable, [key, *others.split()]


def _by_name(table: str) -> dict[str, tuple[str, str]]:
    return {_plain(name): (key, readable) for key, readable, names in _rows(table) for name in names}


_WITHOUT_SIDE = _by_name(_MIDLINE)
_NAMES = {**_by_name(_TABLE), **_WITHOUT_SIDE}
