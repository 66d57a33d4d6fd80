"""What a dataset says of itself, as far as it is read here: ``dataset_description.json``."""

from dataclasses import dataclass, field

from tractcap.records.json_record import OMIT, JsonRecord
from tractcap.records.sidecar_fields import Program

NAME = "dataset_description.json"


@dataclass(frozen=True, kw_only=True)
class Maker(Program):
    """A program that made a dataset; BIDS lets it have no version."""

    version: str | None = field(default=None, metadata=OMIT)  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class Description(JsonRecord):
    """A dataset's description. ``more`` has all that isn't read here."""

    name: str | None = field(default=None, metadata=OMIT)
    generated_by: tuple[Maker, ...] = ()
    dataset_doi: str | None = field(default=None, metadata={"key": "DatasetDOI", **OMIT})
