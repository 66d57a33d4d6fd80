"""Which bundles are the left and the right one of a pair."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

_OTHER = {"L": "R", "R": "L"}

Thing = TypeVar("Thing", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Sided:
    """A bundle that may have a counterpart in the other hemisphere.

    Parameters
    ----------
    group : what both must have in common, such as participant and session.
    folder : where its file lies.
    key, hemisphere : as in :class:`~tractcap.records.sidecar_fields.BundleRecord`.
    """

    group: Hashable
    folder: str
    key: str
    hemisphere: str


def counterparts(bundles: Mapping[Thing, Sided]) -> dict[Thing, Thing]:
    """Pair each bundle with that of the other hemisphere.

    Where several would do, the counterpart is the only one in the same folder, else there is none.
    """
    by_key: dict[tuple[Hashable, str], list[Thing]] = {}
    for thing, bundle in bundles.items():
        by_key.setdefault((bundle.group, bundle.key), []).append(thing)
    pairs = {}
    for thing, bundle in bundles.items():
        base = bundle.key.removesuffix(f"_{bundle.hemisphere}")
        if bundle.hemisphere not in _OTHER or base == bundle.key:
            continue
        others = by_key.get((bundle.group, f"{base}_{_OTHER[bundle.hemisphere]}"), [])
        if len(others) > 1 or len(by_key[bundle.group, bundle.key]) > 1:
            others = [other for other in others if bundles[other].folder == bundle.folder]
        if len(others) == 1:
            pairs[thing] = others[0]
    return pairs
