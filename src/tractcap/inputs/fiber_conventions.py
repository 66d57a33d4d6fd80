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


def parse_convention(words: Sequence[str], option: str) -> FiberConvention:
    """The convention that an option's words name, such as ``descoteaux07`` and ``voxel``.

    Raises
    ------
    SettingsError
        When a word isn't known, or two say the same thing.
    """
    frames, bases = [word for word in words if word in FRAMES], [word for word in words if word in BASES]
    known = f"after the image may stand {', '.join(FRAMES)}, and a basis: {', '.join(BASES)}"
    if unknown := [word for word in words if word not in FRAMES + BASES]:
        raise SettingsError(f"{option}: {unknown[0]!r} isn't known; {known}.")
    if twice := next((both for both in (frames, bases) if len(both) > 1), None):
        raise SettingsError(f"{option}: it can't be both {' and '.join(twice)}; {known}.")
    return FiberConvention("".join(frames)).completed(of_basis("".join(bases)))


def of_basis(name: str) -> FiberConvention:
    """The convention of the program that a basis is known by: of DIPY, but for MRtrix's."""
    if name == MRTRIX:
        return FiberConvention(WORLD, TOURNIER)
    return FiberConvention(VOXEL, name) if name else FiberConvention()
