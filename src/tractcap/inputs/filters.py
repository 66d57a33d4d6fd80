"""What is asked for of a dataset: participants, sessions, bundles, entities. Standard library alone.

A filter file is what fMRIPrep and QSIPrep take (``--bids-filter-file``): a JSON object that has, for each kind of file,
the entities that its name must have. An entity's value is a label, a list of labels of which one must match, ``null``
for an entity that must be absent, or ``"*"`` for one that must be there with whatever label.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_json
from tractcap.inputs.bundle_names import BundleName, identify, without_side

TRACTOGRAM, REFERENCE, SCALAR = "tractogram", "reference", "scalar"

Entities = Mapping[str, tuple[str | None, ...]]
"""The labels of which an entity must have one; None stands for its absence."""

_KINDS = {TRACTOGRAM: TRACTOGRAM, REFERENCE: REFERENCE, "t1w": REFERENCE, SCALAR: SCALAR}
_ANY = "*"

_LONG = {
    "acquisition": "acq",
    "density": "den",
    "description": "desc",
    "direction": "dir",
    "hemisphere": "hemi",
    "participant": "sub",
    "reconstruction": "rec",
    "resolution": "res",
    "session": "ses",
    "subject": "sub",
}
"""Names that pybids has for entities, and their keys."""


@dataclass(frozen=True)
class Filters:
    """What is kept; empty keeps all.

    Parameters
    ----------
    participants, sessions : labels, with or without ``sub-`` and ``ses-``.
    tracts : bundles by their own name, by any tool's or for people; one without a side keeps both.
    bids : entities by kind of file, as :func:`read` gives them.
    """

    participants: Collection[str] = ()
    sessions: Collection[str] = ()
    tracts: Collection[str] = ()
    bids: Mapping[str, Entities] = field(default_factory=dict, hash=False)

    @cached_property
    def participant_labels(self) -> frozenset[str]:
        """Those that are asked for, without ``sub-``."""
        return frozenset(name.removeprefix("sub-") for name in self.participants)

    @cached_property
    def session_labels(self) -> frozenset[str]:
        """Those that are asked for, without ``ses-``."""
        return frozenset(name.removeprefix("ses-") for name in self.sessions)

    @property
    def description(self) -> str:
        """What is asked for, as in 'participant 01, session 2'; empty where nothing is."""
        labels = {
            "participant": [name.removeprefix("sub-") for name in self.participants],
            "session": [name.removeprefix("ses-") for name in self.sessions],
            "bundle": list(self.tracts),
        }
        parts = [f"{kind}{'s' * (len(names) > 1)} {_or(names)}" for kind, names in labels.items() if names]
        return ", ".join([*parts, *(["the entities in the filter file"] if self.bids.get(TRACTOGRAM) else [])])

    def keep_participant(self, label: str) -> bool:
        """Whether a participant is asked for."""
        return not self.participants or label in self.participant_labels

    def keep_session(self, label: str) -> bool:
        """Whether a session is asked for."""
        return not self.sessions or label in self.session_labels

    def keep_bundle(self, bundle: BundleName) -> bool:
        """Whether a bundle is asked for."""
        return not self.tracts or any(self.means(label, bundle) for label in self.tracts)

    @staticmethod
    def means(label: str, bundle: BundleName) -> bool:
        """Whether the label of a tract is a bundle's name, or that of both sides of it."""
        bare = label.removeprefix("tract-").removeprefix("bundle-")
        names = (bundle.original, bundle.key, bundle.readable, *without_side(bundle))
        if bare.casefold() in {name.casefold() for name in names}:
            return True
        asked = identify(label).key.casefold()
        return asked == bundle.key.casefold() or asked in {name.casefold() for name in without_side(bundle)}

    def keep(self, kind: str, entities: Mapping[str, str]) -> bool:
        """Whether a file's entities are those that the filter file asks for."""
        asked = self.bids.get(kind, {})
        return all(any(_fits(entities.get(name), one) for one in labels) for name, labels in asked.items())


def read(path: Path) -> dict[str, Entities]:
    """Read a filter file.

    Raises
    ------
    SettingsError
        When it can't be read or understood.
    """
    try:
        told = read_json(path)
    except FileNotFoundError:
        raise SettingsError(f"the filter file {path} doesn't exist: give a JSON file of entities.") from None
    except RecordError as error:
        raise SettingsError(
            f"the filter file {path} can't be understood: {error.why}. "
            'It must hold an object such as {"tractogram": {"run": "1"}}.'
        ) from None
    if unknown := [kind for kind in told if kind not in _KINDS]:
        raise SettingsError(
            f"the filter file {path} has {_or(list(map(repr, unknown)))}, but only {_or(list(_KINDS))} can be filtered."
        )
    found: dict[str, Entities] = {}
    for kind, entities in told.items():
        found[_KINDS[kind]] = {**found.get(_KINDS[kind], {}), **_entities(path, kind, entities)}
    return found


def _entities(path: Path, kind: str, told: Any) -> Entities:
    if not isinstance(told, dict):
        raise SettingsError(f'{kind} in the filter file {path} must be an object such as {{"space": "T1w"}}.')
    return {
        _LONG.get(str(name), str(name)): tuple(_labels(path, f"{kind}: {name}", value)) for name, value in told.items()
    }


def _labels(path: Path, where: str, value: Any) -> Iterable[str | None]:
    for one in value if isinstance(value, list) else [value]:
        if one is not None and (not isinstance(one, str | int) or isinstance(one, bool)):
            raise SettingsError(
                f"{where} in the filter file {path} is {json.dumps(one)}: "
                'give a label, a list of labels, null for absent or "*" for any.'
            )
        yield one if one is None else str(one)


def _fits(label: str | None, asked: str | None) -> bool:
    if label is None or asked is None:
        return label is asked
    if asked == _ANY or label == asked or label.removeprefix(".") == asked.removeprefix("."):
        return True
    return label.isdecimal() and asked.isdecimal() and int(label) == int(asked)  # run-01 is run 1


def _or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
