"""How images say which way fibres run: the axes of their vectors, and the basis of their spherical harmonics.

Standard library alone: the supervisor's process imports it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tractcap.errors import SettingsError

WORLD, VOXEL, BVEC = FRAMES = ("world", "voxel", "bvec")
"""The axes of directions: the scanner's, RAS+ (MRtrix, TractSeg), the image's own (DIPY), or the image's own, of which
the first is reversed where they are right-handed (FSL). BIDS' extension proposal 16: ``xyz``, ``ijk``, ``bvec``."""

MRTRIX = "mrtrix"
TOURNIER, TOURNIER_LEGACY = "tournier07", "tournier07_legacy"
DESCOTEAUX, DESCOTEAUX_LEGACY = "descoteaux07", "descoteaux07_legacy"
BASES = (MRTRIX, TOURNIER, TOURNIER_LEGACY, DESCOTEAUX, DESCOTEAUX_LEGACY)
"""Of spherical harmonics: MRtrix's, which is tournier07 along the scanner's axes, and DIPY's, along the image's."""


@dataclass(frozen=True)
class FiberConvention:
    """What is known of an image's directions; empty where it isn't.

    ``frame`` is one of :data:`FRAMES`, ``basis`` one of :data:`BASES` without MRtrix's, which is two things in one.
    """

    frame: str = ""
    basis: str = ""

    def completed(self, other: "FiberConvention") -> "FiberConvention":
        """With what the other one knows where this one doesn't."""
        return FiberConvention(self.frame or other.frame, self.basis or other.basis)


def parse_convention(words: Sequence[str], option: str, *, bases: bool = True) -> FiberConvention:
    """The convention that an option's words name, such as ``descoteaux07`` and ``voxel``.

    Parameters
    ----------
    option : with its value, for errors. bases : whether it may name a basis.

    Raises
    ------
    SettingsError
        When a word isn't known, or two say the same thing.
    """
    kinds = (FRAMES, BASES) if bases else (FRAMES,)
    named = [[word for word in words if word in kind] for kind in kinds]
    unknown = [word for word in words if not any(word in kind for kind in kinds)]
    several = next((some for some in named if len(some) > 1), [])
    if unknown or several:
        what = f"{unknown[0]!r} isn't known" if unknown else f"it can't be both {' and '.join(several)}"
        known = " and a basis of ".join(", ".join(kind) for kind in kinds)
        raise SettingsError(f"{option}: {what}; after the image may stand axes of {known}.")
    frame, basis = ("".join(some) for some in (*named, [])[:2])
    return FiberConvention(frame).completed(of_basis(basis))


def of_basis(name: str) -> FiberConvention:
    """The convention of the program that a basis is known by: of DIPY, but for MRtrix's."""
    if name == MRTRIX:
        return FiberConvention(WORLD, TOURNIER)
    return FiberConvention(VOXEL, name) if name else FiberConvention()
