"""Names of bundles: what each tool calls them, and one name for all tools. Standard library alone.

The table ``bundle_names.tsv`` follows what the tools themselves list:

- TractSeg 2.10, ``tractseg/data/dataset_specific_utils.py`` and the README's names for its 72 bundles;
- pyAFQ 3.4, ``AFQ/api/bundle_dict.py`` for its names, ``AFQ/utils/conversion.py`` for the older ones (``ARC_L``), and
  ``AFQ/data/utils.py`` for those of the MATLAB version;
- DSI Studio's HCP-1065 atlas by the names of its files; QSIRecon's are those without underscores;
- RecoBundles' atlas (HCP-842) by the names of its files, read as the R package mascot documents them;
- TRACULA's folders: ``fmajor``, ``fminor``, ``acomm``, ``lh.ccg``.

The same letters can mean different bundles: ``MLF_left`` is TractSeg's middle longitudinal fasciculus, ``MLF_L`` is the
medial one in RecoBundles' atlas. ``LeftThalamicRadiation`` is the anterior one of AFQ, ``ThalamicRadiationL`` DSI
Studio's whole. ``CC_1`` to ``CC_7`` are TractSeg's segments of the corpus callosum; pyAFQ's parts of
it have other borders. pyAFQ's ``FA`` and ``FP`` are the forceps anterior and posterior: minor and major. Its ``CGC`` is
the cingulate part of the cingulum alone. A name that isn't clear stays as it is.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_SIDES = {"L": "left", "R": "right"}

_LETTER, _WORD = "letter", "word"
"""How a side is written: as one letter, or as a word (``left``, ``lh``)."""

_EXACT = {"FA": "ForcepsMinor", "FP": "ForcepsMajor"}
"""pyAFQ's; in lower case or with a side these letters are other tools' frontal aslant tract."""

_BY_STYLE = {
    ("mlf", _WORD): "MiddleLongitudinalFasciculus",
    ("mlf", _LETTER): "MedialLongitudinalFasciculus",
    ("thalamicradiation", _WORD): "AnteriorThalamicRadiation",
}
"""Names that mean different bundles in different tools, which the way the side is written tells apart."""

_GROUPS = re.compile(r"(?:Association|Commissure|ProjectionBasalGanglia|ProjectionBrainstem|Cerebellum|CranialNerve)_?")
"""DSI Studio's groups of bundles, which precede the bundle's own name."""

_PREFIX = re.compile(r"^(?:tract|bundle|desc|subset)-")
_HEMISPHERE = re.compile(r"_hemi-(left|right|lh|rh|l|r)(?![A-Za-z0-9])", re.IGNORECASE)
_STATE = re.compile(r"(moved_)?(.+?)((?:_+(?:labels|recognized|orig|cleaned|ic|m))*)", re.DOTALL)
"""What was done with a bundle: RecoBundles in dipy's workflows, and in rbx_flow and nf-neuro."""

_SEPARATE_SIDE = (
    re.compile(r"(?P<base>.*[^_\-. ])[_\-. ]+(?P<side>left|right|L|R|lh|rh)", re.IGNORECASE),
    re.compile(r"(?P<side>left|right|L|R|lh|rh)[_\-. ]+(?P<base>.+)", re.IGNORECASE),
    re.compile(r"(?P<side>Left|Right)(?P<base>[A-Z].*)"),
)
"""Names in which the side clearly stands apart."""

_ATTACHED_SIDE = (
    re.compile(r"(?P<base>.*[a-z0-9]|CN[IVX]+)(?P<side>L|R|Left|Right)"),
    re.compile(r"(?P<base>.*[a-z])(?P<side>[LR])_?(?P<rest>[A-Z0-9].*)"),
)
"""Names that may end in a side or hold one, which counts only where the rest is a known name."""


@dataclass(frozen=True)
class BundleName:
    """A bundle's name.

    Parameters
    ----------
    original : the name that its tool gives it.
    key : one name for the bundle whatever the tool, such as ``ArcuateFasciculus_L``.
    readable : the name for people, such as ``Arcuate fasciculus, left``.
    hemisphere : ``L``, ``R`` or empty.
    """

    original: str
    key: str
    readable: str
    hemisphere: str


def identify(text: str, side: str = "") -> BundleName:
    """Find out which bundle a tool means; an unknown name stays itself.

    ``AssociationArcuateFasciculusL``, ``AF_left``, ``LeftArcuate`` and ``tract-ArcuateFasciculus_hemi-L`` are the same.

    Parameters
    ----------
    text : a tool's name for the bundle, with or without its side.
    side : the hemisphere as the entity ``hemi`` gives it, which takes precedence over the name's.
    """
    bare = _PREFIX.sub("", text)
    side = hemisphere(match[1] if (match := _HEMISPHERE.search(bare)) else side)
    bare = _HEMISPHERE.sub("", bare)
    if known := _known(bare):
        key, readable, own_side = known
        return _with_side(text, key, readable, side or own_side)
    base, own_side, _ = next(_splits(bare, _SEPARATE_SIDE), (bare, "", ""))
    if side in ("", own_side):
        return BundleName(text, bare, bare, own_side)
    return _with_side(text, base, base, side)


def hemisphere(text: str) -> str:
    """``L``, ``R`` or empty, however the entity ``hemi`` spells it."""
    return text[0].upper() if text.lower() in ("l", "r", "lh", "rh", "left", "right") else ""


def without_state(text: str) -> tuple[str, str]:
    """Split off what was done with a bundle: ``AF_L_cleaned`` becomes ``AF_L`` and ``cleaned``."""
    moved, bare, after = _STATE.fullmatch(text).groups(default="")  # type: ignore[union-attr]
    return bare, "_".join(part for part in (moved.strip("_"), *after.split("_")) if part)


def is_known(text: str) -> bool:
    """Whether a name is in the table."""
    return _known(text) is not None


def without_side(bundle: BundleName) -> tuple[str, ...]:
    """The names that a bundle shares with its counterpart in the other hemisphere; none for one without a side."""
    if not bundle.hemisphere:
        return ()
    bases = [base for name in (bundle.original, bundle.key) for base, _, _ in _splits(name)]
    return (*dict.fromkeys(bases), bundle.readable.removesuffix(f", {_SIDES[bundle.hemisphere]}"))


def _with_side(original: str, key: str, readable: str, side: str) -> BundleName:
    if not side:
        return BundleName(original, key, readable, "")
    return BundleName(original, f"{key}_{side}", f"{readable}, {_SIDES[side]}", side)


@lru_cache(maxsize=4096)
def _known(text: str) -> tuple[str, str, str] | None:
    """Key, readable name and side of a name in the table, by the first reading of it that is there."""
    group = _GROUPS.match(text)
    readings = [text, *([text[group.end() :]] if group else []), *([without_state(text)[0]] if text else [])]
    for name in dict.fromkeys(readings):
        if row := _row(name, ""):
            return *row, ""
        for base, side, style in _splits(name):
            if row := _row(base, style):
                return *row, side
    return None


def _row(name: str, style: str) -> tuple[str, str] | None:
    """Key and readable name of a bundle by its name without its side; ``style`` says how that was written."""
    plain = _plain(name)
    if (style and plain in _MIDLINE) or (not style and len(plain) == 1 and name != "V"):
        return None
    key = _BY_STYLE.get((plain, style)) or (None if style else _EXACT.get(name))
    return _TABLE.get(_plain(key) if key else plain)


def _splits(
    name: str, patterns: tuple["re.Pattern[str]", ...] = _SEPARATE_SIDE + _ATTACHED_SIDE
) -> Iterator[tuple[str, str, str]]:
    """Ways to take the side off a name: what is left, the side, and how it was written."""
    for pattern in patterns:
        if match := pattern.fullmatch(name):
            parts = match.groupdict(default="")
            style = _LETTER if len(parts["side"]) == 1 else _WORD
            yield parts["base"] + parts.get("rest", ""), parts["side"][0].upper(), style


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


with Path(__file__).with_suffix(".tsv").open(encoding="utf-8", newline="") as _file:
    _BUNDLES = [
        (row, [_plain(name) for name in (row["key"], *row["other_names"].split())])
        for row in csv.DictReader(_file, delimiter="\t")
    ]

_TABLE = {name: (row["key"], row["name"]) for row, names in _BUNDLES for name in names}
"""Each bundle's key and readable name, by all its names."""

_MIDLINE = frozenset(name for row, names in _BUNDLES if row["has_side"] == "no" for name in names)
"""The names of bundles that have no side."""
