"""Files for ``--bids-filter-file`` that select some tractograms of a session, and none of its others."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tractcap.inputs.filenames import BUNDLE_ENTITIES, entities, split_name
from tractcap.inputs.filters import LONG_NAMES

_LONG = {short: long for long, short in LONG_NAMES.items()}
"""As pybids calls entities, which other programs read filter files with."""

_NOT_NAMED = ("extension", "datatype")
"""They say how a tractogram is stored, and another program may store it otherwise."""

_BUNDLE = tuple(_LONG.get(name, name) for name in BUNDLE_ENTITIES)


def exact_filters(wanted: Collection[str], others: Collection[str]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Filters that select tractograms by the entities in their paths, and which ones each selects.

    A filter is a product of entities, so tractograms share one only where they differ in nothing but the bundle's name.
    One that no filter can tell from the others is in none.

    Parameters
    ----------
    wanted, others : paths of tractograms of a session: those to select, and those not to.
    """
    known = {path: _entities(path) for path in (*wanted, *others)}
    names = sorted({name for labels in known.values() for name in labels})
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for path in wanted:
        bundle = next((name for name in _BUNDLE if name in known[path]), "")
        if bundle and not any(known[path] == known[other] for other in others):
            rest = tuple((name, known[path].get(name)) for name in names if name != bundle)
            alike[bundle, rest].append(path)
    filters: list[tuple[Mapping[str, Any], list[str]]] = []
    for (bundle, rest), paths in alike.items():
        labels = sorted({known[path][bundle] for path in paths})
        filters.append(({"tractogram": {**dict(rest), bundle: labels}}, paths))
    return filters


def _entities(path: str) -> dict[str, str]:
    stem, ending = split_name(Path(path).name)
    labels = entities(path, stem, ending)
    return {_LONG.get(name, name): label for name, label in labels.items() if name not in _NOT_NAMED}
