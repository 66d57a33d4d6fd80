"""All participants' tractograms as rows, and the table of them that BIDS asks for."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any

from tractcap.checks.common.check import DONE
from tractcap.records.identity import DRAWN, MISSING, STATUSES, Variant
from tractcap.records.ratings import NOT_AVAILABLE, RATINGS, Rating, cell
from tractcap.records.tractogram import DrawnRecord
from tractcap.reports.check_results import checked, columns
from tractcap.reports.collect import ChecksMade, PictureSet, telling, tracts
from tractcap.reports.outliers import Spread, spread
from tractcap.reports.ratings import MIXED, consensus


@dataclass(frozen=True, slots=True)
class Column:
    """A number that is told of every tractogram: the table's column, its name on the page, unit, and what it is."""

    column: str
    name: str
    unit: str
    what: str
    read: Callable[[DrawnRecord], float | None]
    compared: bool = True


MEASURES = (
    Column("streamlines", "Streamlines", "", "Streamlines in the file", lambda one: one.streamlines),
    Column("streamlines_drawn", "Streamlines drawn", "", "Streamlines drawn", lambda one: one.streamlines_drawn, False),
    Column("length_mean", "Mean length", "mm", "Mean length of the streamlines drawn", lambda one: one.lengths.mean),
    Column(
        "length_median", "Median length", "mm", "Median length of the streamlines drawn", lambda one: one.lengths.median
    ),
    Column("length_min", "Shortest", "mm", "Length of the shortest streamline drawn", lambda one: one.lengths.minimum),
    Column("length_max", "Longest", "mm", "Length of the longest streamline drawn", lambda one: one.lengths.maximum),
    Column("volume", "Volume", "mm^3", "Volume that the streamlines pass through", lambda one: one.volume_millimetres3),
    Column(
        "points_outside",
        "Points outside",
        "",
        "Fraction of the points that lie outside the reference image",
        lambda one: one.points_outside_reference,
    ),
)
COMPARED = tuple(at for at, measure in enumerate(MEASURES) if measure.compared)
"""Places of the measures by which outliers are told."""


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """What bundles are looked for in: a participant's session, or, where there are no participants, a folder."""

    participant: str
    session: str
    folder: str = ""

    @property
    def name(self) -> str:
        """What the page calls it."""
        labels = [label for label in (self.participant_id, self.session_id) if label != NOT_AVAILABLE]
        return " ".join(labels) or (self.folder if self.folder != "." else "") or "top folder"

    @property
    def participant_id(self) -> str:
        """As in a BIDS table."""
        return f"sub-{self.participant}" if self.participant else NOT_AVAILABLE

    @property
    def session_id(self) -> str:
        """As in a BIDS table."""
        return f"ses-{self.session}" if self.session else NOT_AVAILABLE


@dataclass(frozen=True, slots=True)
class ComparedBundle:
    """What is compared between participants: a bundle's tractograms of one variant, such as run or model."""

    key: str
    readable: str
    hemisphere: str
    variant: Variant = ()


@dataclass(slots=True)
class Row:
    """A tractogram, or a bundle that its unit lacks.

    ``values`` stand in the order of MEASURES; ``stem`` and ``pictures``: the files are ``{stem}{picture}``, below the
    output. ``made`` are its checks, None where there is none; ``flags`` the rules that they break, None where none was
    made.
    """

    unit: Unit
    bundle: ComparedBundle
    tractogram: str
    status: str
    values: tuple[float | None, ...] = (None,) * len(MEASURES)
    warnings: int | None = None
    why: str = ""
    stem: str = ""
    pictures: tuple[str, ...] = ()
    outlying: tuple[int, ...] = ()
    made: ChecksMade | None = None
    flags: tuple[str, ...] | None = None

    @property
    def outliers(self) -> list[str]:
        """Columns in which it is an outlier."""
        return [MEASURES[at].column for at in self.outlying]

    @property
    def anchor(self) -> str:
        """Where the participant's page tells of it."""
        return anchor(self.tractogram)

    @property
    def overview_anchor(self) -> str:
        """The same of an overview, whose tractograms are many."""
        return self.anchor.replace("tract-", "overview-")


@dataclass
class Table:
    """Everyone's ``rows``, ``spreads`` by bundle and measure, overviews of all bundles, and what was ``left_out``.

    ``columns`` are those of the table of checks: what each means, by its name. ``entities`` set tractograms of a bundle
    apart.
    """

    rows: list[Row]
    spreads: dict[ComparedBundle, list[Spread | None]]
    overviews: list[Row]
    left_out: list[str]
    columns: dict[str, dict[str, Any]]
    entities: tuple[str, ...] = ()


def anchor(source: str) -> str:
    """The id of a tractogram's card on its participant's page."""
    return "tract-" + hashlib.sha1(source.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()[:10]


def read_table(output: Path, report: Callable[[int], None] = lambda _rows: None) -> Table:
    """Read the records one by one; only the numbers are kept. What is missing has rows too."""
    found = _Found()
    left_out: list[str] = []
    for tract in tracts(output, left_out=left_out):
        found.take(tract)
        report(len(found.rows))
    about = _flag(output, found.rows, report)
    rows = sorted(found.rows + _missing(found.rows), key=_order)
    entities = telling((row.bundle.key, row.bundle.variant) for row in rows)
    return Table(rows, _mark(rows), sorted(found.overviews, key=_order), left_out, about, entities)


def _flag(output: Path, rows: Iterable[Row], report: Callable[[int], None]) -> dict[str, dict[str, Any]]:
    """Flag rows by their checks, which are read one by one; return what these measure, by the columns' names."""
    about: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        report(number)
        found = checked(output, row.made) if row.made else []
        if any(one.status == DONE for one in found):
            row.flags = tuple(intern(name) for one in found for name in one.names)
        about |= {name: told for name, told in columns(found) if name not in about}
    return about


class _Found:
    """Collects rows; what many have in common is kept once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.overviews: list[Row] = []
        self._bundles: dict[tuple[str, Variant], ComparedBundle] = {}
        self._same: dict[Any, Any] = {}

    def take(self, tract: PictureSet) -> None:
        (self.overviews if tract.overview else self.rows).append(self._row(tract))

    def _row(self, tract: PictureSet) -> Row:
        stem, pictures = _files(tract)
        record = tract.record
        drawn = record if isinstance(record, DrawnRecord) else None
        return Row(
            self._once(_unit(tract)),
            self._bundle(tract),
            "\n".join(record.sources) if tract.overview else tract.source,
            tract.status,
            tuple(measure.read(drawn) if drawn else None for measure in MEASURES),
            len(drawn.notes) if drawn else 0,
            tract.why,
            stem,
            self._once(pictures),
            made=tract.made if drawn and tract.made.names else None,
        )

    def _bundle(self, tract: PictureSet) -> ComparedBundle:
        """The first that was met by that key and variant: its name and hemisphere are the same in all."""
        variant = self._once(tract.variant)
        bundle = ComparedBundle(tract.key, tract.readable, tract.record.bundle.hemisphere, variant)
        return self._bundles.setdefault((tract.key, variant), bundle)

    def _once(self, value: Any) -> Any:
        return self._same.setdefault(value, value)


def _unit(tract: PictureSet) -> Unit:
    return Unit(tract.participant, tract.session, "" if tract.participant else str(Path(tract.folder).parent))


def _files(tract: PictureSet) -> tuple[str, tuple[str, ...]]:
    """What the pictures' paths begin with, and their endings; the mosaic is the last."""
    names = tract.record.pictures
    if not names:
        return "", ()
    stem = names[0].rpartition("_")[0]
    at = f"{tract.folder}/{stem}" if tract.folder else stem
    return at, tuple(intern(name.removeprefix(stem)) for name in names if name.startswith(stem))


def _missing(rows: Iterable[Row]) -> list[Row]:
    """Bundles that others have, of the variants that a participant has. Nobody's folders needn't hold the same."""
    there: dict[Unit, dict[Variant, set[ComparedBundle]]] = defaultdict(lambda: defaultdict(set))
    everywhere: dict[Variant, set[ComparedBundle]] = defaultdict(set)
    for row in rows:
        if row.unit.participant:
            there[row.unit][row.bundle.variant].add(row.bundle)
            everywhere[row.bundle.variant].add(row.bundle)
    return [
        Row(unit, bundle, "", MISSING)
        for unit, variants in there.items()
        for variant, has in variants.items()
        for bundle in everywhere[variant] - has
    ]


def _order(row: Row) -> tuple[Any, ...]:
    unit = row.unit
    return (
        natural(unit.participant),
        natural(unit.session),
        natural(unit.folder),
        natural(row.bundle.key),
        row.bundle.variant,
        row.tractogram,
        row.stem,
    )


@lru_cache(maxsize=4096)
def natural(text: str) -> tuple[Any, ...]:
    """Something to sort by: numbers in the text by their value, then the text itself."""
    parts = re.split("([0-9]+)", text)
    return tuple(_by_value(part) if at % 2 else part.casefold() for at, part in enumerate(parts)), text


def _by_value(digits: str) -> tuple[int, str]:
    """Sorts as the number does, of however many digits."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _mark(rows: Sequence[Row]) -> dict[ComparedBundle, list[Spread | None]]:
    """Mark the outliers among the drawn of every bundle."""
    by_bundle: dict[ComparedBundle, list[Row]] = defaultdict(list)
    for row in rows:
        by_bundle[row.bundle].append(row)
    return {
        bundle: _mark_bundle([row for row in by_bundle[bundle] if row.status == DRAWN])
        for bundle in sorted(by_bundle, key=lambda bundle: (natural(bundle.key), bundle.variant))
    }


def _mark_bundle(rows: Sequence[Row]) -> list[Spread | None]:
    spreads = [spread(value for row in rows if (value := row.values[at]) is not None) for at in range(len(MEASURES))]
    for row in rows:
        row.outlying = tuple(at for at in COMPARED if _outlying(spreads[at], row.values[at]))
    return spreads


def _outlying(about: Spread | None, value: float | None) -> bool:
    return about is not None and value is not None and about.outlying(value)


COLUMNS: dict[str, dict[str, Any]] = {
    "participant_id": {"LongName": "Participant", "Description": "Participant that the tractogram is of"},
    "session_id": {"LongName": "Session", "Description": "Session that the tractogram is of"},
    "bundle": {
        "LongName": "ComparedBundle",
        "Description": "Name of the bundle that is the same in all participants and whatever tool made it",
    },
    "bundle_name": {"LongName": "Name of the bundle", "Description": "Name of the bundle in words"},
    "hemisphere": {
        "LongName": "Hemisphere",
        "Description": "Hemisphere that the bundle lies in, where its name tells",
        "Levels": {"L": "left", "R": "right"},
    },
    "tractogram": {"LongName": "Tractogram", "Description": "Path of the tractogram below the input"},
    "status": {
        "LongName": "Status",
        "Description": "What became of the tractogram",
        "Levels": STATUSES,
    },
    **{
        measure.column: {
            "LongName": measure.name,
            "Description": measure.what,
            **({"Units": measure.unit} if measure.unit else {}),
        }
        for measure in MEASURES
    },
    "warnings": {"LongName": "Warnings", "Description": "Number of warnings that were met in drawing"},
    "outlier": {
        "LongName": "Outlier",
        "Description": "Columns, separated by commas, in which |value - median| > 3 x 1.4826 x MAD among the values of "
        "the same bundle (Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013); of fewer than 5 values and where the "
        "MAD is 0 nothing is marked",
    },
    "flags": {
        "LongName": "Flags",
        "Description": "Rules that its checks break, separated by commas; none where they break none, n/a where it was "
        "not checked",
    },
    "rating": {
        "LongName": "Rating",
        "Description": "What the raters said of the pictures",
        "Levels": {
            **dict(zip(RATINGS, ("usable", "not usable", "the rater is not sure"), strict=True)),
            MIXED: "the raters disagree",
        },
    },
    "raters": {"LongName": "Raters", "Description": "Number of raters"},
}


def as_tsv(table: Table, ratings: Callable[[str], Sequence[Rating]]) -> str:
    """The rows as BIDS wants them: tabs between, no quotes, ``n/a`` for what isn't known."""
    lines = ("\t".join(map(_cell, _fields(row, table.entities, ratings(row.tractogram)))) for row in table.rows)
    return "\n".join(["\t".join(meanings(table.entities)), *lines, ""])


def dictionary(entities: Sequence[str]) -> str:
    """What the columns mean, as the JSON file beside the table."""
    return json.dumps(meanings(entities), indent=2, ensure_ascii=False) + "\n"


def meanings(entities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The columns and what they mean, with those that set tractograms of a bundle apart behind the bundle's."""
    apart = {
        column_of(name): {
            "LongName": name,
            "Description": f"What the tractogram's path says of {_ENTITIES.get(name, name)}: it sets tractograms of "
            "one bundle apart, of which only those that have the same are compared",
        }
        for name in entities
    }
    whose = ("participant_id", "session_id", "bundle", "bundle_name", "hemisphere")
    return {name: COLUMNS[name] for name in whose} | apart | COLUMNS


def column_of(entity: str) -> str:
    """The column of an entity."""
    return f"entity_{entity}" if entity in COLUMNS else entity


_ENTITIES = {
    "acq": "the acquisition",
    "desc": "how it was processed",
    "run": "the run",
    "model": "the model of diffusion",
    "rec": "the reconstruction",
    "space": "the space that it is in",
    "tool": "the tool that made it, by its folders",
    "dataset": "the dataset that holds it",
    "track": "the way of tracking",
}


def _fields(row: Row, entities: Sequence[str], ratings: Sequence[Rating]) -> list[str | float | None]:
    unit, bundle, variant = row.unit, row.bundle, dict(row.bundle.variant)
    return [
        *(unit.participant_id, unit.session_id, bundle.key, bundle.readable, bundle.hemisphere),
        *(variant.get(name) for name in entities),
        *(row.tractogram, row.status),
        *row.values,
        *(row.warnings, ",".join(row.outliers), _flags(row), consensus(ratings), len(ratings)),
    ]


def _flags(row: Row) -> str | None:
    return None if row.flags is None else ",".join(row.flags) or "none"


def _cell(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return cell(str(value)) if value not in (None, "") else NOT_AVAILABLE
