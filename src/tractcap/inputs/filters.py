"""Filters: the participants, sessions, bundles and entities to keep of a dataset. Standard library alone.

A filter file is what fMRIPrep and QSIPrep take (``--bids-filter-file``): a JSON object that gives, for each kind of
file, the entities that its name must have. An entity's value is a label, a list of labels of which one must match,
``null`` for an entity that must be absent, or ``"*"`` for one that must be there with any label.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tractcap.errors import RecordError, SettingsError
from tractcap.files import read_json
from tractcap.inputs.bundle_names import BundleName, identify, without_side

TRACTOGRAM, REFERENCE, SCALAR, ODF = "tractogram", "reference", "scalar", "odf"

Entities = Mapping[str, tuple[str | None, ...]]
"""The labels of which an entity must have one; None stands for its absence."""

_KINDS = {TRACTOGRAM: TRACTOGRAM, REFERENCE: REFERENCE, "t1w": REFERENCE, SCALAR: SCALAR, ODF: ODF}
_ANY = "*"

LONG_NAMES = {
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
"""pybids's long names of entities, and their keys."""


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
        """The participants, without ``sub-``."""
        return frozenset(name.removeprefix("sub-") for name in self.participants)

    @cached_property
    def session_labels(self) -> frozenset[str]:
        """The sessions, without ``ses-``."""
        return frozenset(name.removeprefix("ses-") for name in self.sessions)

    @property
    def description(self) -> str:
        """The filters in words, as in 'participant 01, session 2'; empty where there are none."""
        labels = {
            "participant": [name.removeprefix("sub-") for name in self.participants],
            "session": [name.removeprefix("ses-") for name in self.sessions],
            "bundle": list(self.tracts),
        }
        parts = [f"{kind}{'s' * (len(names) > 1)} {_or(names)}" for kind, names in labels.items() if names]
        return ", ".join([*parts, *(["the entities in the filter file"] if self.bids.get(TRACTOGRAM) else [])])

    def keep_participant(self, label: str) -> bool:
        """Whether a participant is to be kept."""
        return not self.participants or label in self.participant_labels

    def keep_session(self, label: str) -> bool:
        """Whether a session is to be kept."""
        return not self.sessions or label in self.session_labels

    def keep_bundle(self, bundle: BundleName) -> bool:
        """Whether a bundle is to be kept."""
        return not self.tracts or any(self.means(label, bundle) for label in self.tracts)

    @staticmethod
    def means(label: str, bundle: BundleName) -> bool:
        """Whether a label of ``--tract-label`` names a bundle, or its two sides together."""
        bare = label.removeprefix("tract-").removeprefix("bundle-")
        names = (bundle.original, bundle.key, bundle.readable, *without_side(bundle))
        if bare.casefold() in {name.casefold() for name in names}:
            return True
        key = identify(label).key.casefold()
        return key == bundle.key.casefold() or key in {name.casefold() for name in without_side(bundle)}

    def keep(self, kind: str, entities: Mapping[str, str]) -> bool:
        """Whether a file of a kind has the entities that the filter file asks for."""
        wanted = self.bids.get(kind, {})
        return all(any(_fits(entities.get(name), label) for label in labels) for name, labels in wanted.items())


def read(path: Path) -> dict[str, Entities]:
    """Read a filter file: the entities to keep, by kind of file.

    Raises
    ------
    SettingsError
        When it can't be read or understood.
    """
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise SettingsError(f"the filter file {path} doesn't exist: give a JSON file of entities.") from None
    except RecordError as error:
        raise SettingsError(
            f"the filter file {path} can't be understood: {error.why}. "
            'It must hold an object such as {"tractogram": {"run": "1"}}.'
        ) from None
    if unknown := [kind for kind in content if kind not in _KINDS]:
        raise SettingsError(
            f"the filter file {path} has {_or(list(map(repr, unknown)))}, but only {_or(list(_KINDS))} can be filtered."
        )
    result: dict[str, dict[str, tuple[str | None, ...]]] = {}
    for kind, entities in content.items():
        if not isinstance(entities, dict):
            raise SettingsError(f'{kind} in the filter file {path} must be an object such as {{"space": "T1w"}}.')
        kept = result.setdefault(_KINDS[kind], {})
        for name, value in entities.items():
            labels = value if isinstance(value, list) else [value]
            for label in labels:
                if label is not None and (not isinstance(label, str | int) or isinstance(label, bool)):
                    raise SettingsError(
                        f"{kind}: {name} in the filter file {path} is {json.dumps(label)}: "
                        'give a label, a list of labels, null for absent or "*" for any.'
                    )
            texts = tuple(None if label is None else str(label) for label in labels)
            kept[LONG_NAMES.get(str(name), str(name))] = texts
    return dict(result)


def _fits(label: str | None, wanted: str | None) -> bool:
    if label is None or wanted is None:
        return label is wanted
    if wanted == _ANY or label == wanted or label.removeprefix(".") == wanted.removeprefix("."):
        return True
    return label.isdecimal() and wanted.isdecimal() and int(label) == int(wanted)  # run-01 is run 1


def _or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
