"""What a check is, what it reads, and what it finds. Standard library alone: the supervisor's process imports it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tractcap.errors import InputError
from tractcap.inputs.filenames import split_image
from tractcap.limits import MB
from tractcap.records.check_sidecar import HIGH, LOW, Value
from tractcap.records.json_record import JsonRecord

Report = Callable[[int], None]
"""To be called now and then with the number of points that were read, as a sign of life."""

MOST_STREAMLINES = 2_000
"""Of a sample."""

MOST_POINTS = 1_000_000
"""Of a sample: 12 MB; fewer streamlines are taken where these have more."""

CHUNK = 20_000
"""Points that are read at once."""

_READING = 1100 * CHUNK
"""Bytes that reading one chunk after the other takes."""

_SURVEY = 10 * MB
"""What was counted of a tractogram: the voxels that streamlines pass through, and lengths."""

_BYTES_PER_VOXEL = 8
"""Of a map or an atlas's image, in single precision with what is made of it."""

_REFERENCE, _REFERENCE_VOXELS = 2 * MB, 320**3
"""What telling the head from air in a reference image takes beyond the pictures; a byte for each of so many voxels."""


@dataclass(frozen=True)
class CheckFile(JsonRecord, keys=str):
    """What a check reads: a tractogram of at most so many ``streamlines`` and ``points``, or an image of ``voxels``.

    ``space`` is the label of the space in its name, empty where there is none. ``loaded`` are the bytes that a
    tractogram takes which can't be read in chunks.
    """

    path: str
    streamlines: int = 0
    points: int = 0
    voxels: int = 0
    space: str = ""
    loaded: int = 0

    @property
    def image(self) -> bool:
        """Whether it is an image, not a tractogram."""
        return bool(split_image(self.path)[1])

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def sample_need(self) -> int:
        """Bytes that a sample of a tractogram takes, with the copies that are drawn of it, and its points, if held.

        A header may promise more than the file holds, never less: so the most that a sample may hold counts, and not
        how long streamlines seem to be. What can't be read in chunks is loaded for it.
        """
        return self.loaded + 5 * 12 * min(MOST_POINTS, self.points) + 300 * min(2 * MOST_STREAMLINES, self.streamlines)

    def space_notes(self, other: "CheckFile") -> list[str]:
        """Notes on the spaces of two files: none where both names have the same.

        Nothing is registered here, so files in different spaces can't be compared.

        Raises
        ------
        InputError
            When the names have different spaces.
        """
        if self.space == other.space:
            return []
        if self.space and other.space:
            raise InputError(
                f"{self.name} is in space {self.space}, and {other.path} in {other.space}: give both in the same space."
            )
        unknown = other.name if self.space else self.name
        return [f"the name of {unknown} doesn't say which space it is in"]


@dataclass(frozen=True)
class CheckInput(JsonRecord, keys=str):
    """A bundle to be checked, and what there is to check it with; None where there is none.

    ``bundle`` is its name for people and ``hemisphere`` L, R or empty. ``maps`` are scalar maps by name, ``reference``
    is the image of the anatomy. ``atlas`` is the same bundle of an atlas, a tractogram or an image; ``before`` the same
    bundle as it was before, or as another software made it; ``mirror`` the same bundle of the other hemisphere.
    ``vtk_space`` is that of VTK files that don't say theirs.
    """

    tractogram: CheckFile
    bundle: str = ""
    hemisphere: str = ""
    vtk_space: str = ""
    maps: Mapping[str, CheckFile] = field(default_factory=dict)
    reference: CheckFile | None = None
    atlas: CheckFile | None = None
    before: CheckFile | None = None
    mirror: CheckFile | None = None

    @property
    def files(self) -> dict[str, CheckFile]:
        """All but the tractogram, by what they are, such as ``atlas`` or ``map FA``."""
        others = {"reference": self.reference, "atlas": self.atlas, "before": self.before, "mirror": self.mirror}
        maps = {f"map {name}": file for name, file in self.maps.items()}
        return {name: file for name, file in others.items() if file} | maps


def shared_need(several: Sequence[CheckInput]) -> int:
    """Bytes that take what is kept of tractograms for the next check: a survey with its sample, and points if few."""
    every = (file for inputs in several for file in (inputs.tractogram, *inputs.files.values()) if not file.image)
    return sum(
        _SURVEY + 2 * 12 * min(MOST_POINTS, file.points) for file in {file.path: file for file in every}.values()
    )


@dataclass(frozen=True)
class Measure:
    """A number or word that a check finds: its ``key`` in JSON files, its name and meaning, its ``unit`` if any.

    A measure of each map has NAME in its key, such as ``MeanNAME``, which stands for the map's name.
    """

    key: str
    name: str
    what: str
    unit: str = ""


def interval(measures: Mapping[str, Value], key: str) -> tuple[Value, Value]:
    """Between which values a measure lies for all streamlines: twice its own where it is known exactly."""
    value = measures[key]
    return measures.get(f"{key}{LOW}", value), measures.get(f"{key}{HIGH}", value)


def is_end(measures: Mapping[str, Value], key: str) -> bool:
    """Whether a measure is an end of another one's interval."""
    return any(key.endswith(end) and key.removesuffix(end) in measures for end in (LOW, HIGH))


@dataclass
class Findings:
    """What a check found: its measures' values by key, and notes, such as on what was left out.

    Where there is nothing to measure, ``missing`` says so.
    """

    measures: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class Check:
    """A measure of quality; ``checks.toml`` says what its fields mean."""

    name: str
    title: str
    what: str
    source: str
    place: int
    memory_mb: int
    measures: tuple[Measure, ...]
    uses: tuple[str, ...] = ()
    needs: str = ""

    def missing(self, inputs: CheckInput) -> str:
        """A sentence on what it needs and isn't there; empty if all is."""
        if "mirror" in self.uses and not inputs.hemisphere:
            return "the name has no hemisphere, so there is no other side"
        return self.needs if self.needs and not getattr(inputs, self.uses[0]) else ""

    def need(self, inputs: CheckInput) -> int:
        """Bytes of memory that it takes in addition to a worker that can draw."""
        used = [inputs.tractogram, *(file for name, file in inputs.files.items() if name in self.uses)]
        need = self.memory_mb * MB + _READING + sum(file.sample_need for file in used)
        if "maps" in self.uses:  # one after the other
            need += _BYTES_PER_VOXEL * max((file.voxels for file in inputs.maps.values()), default=0)
        if "atlas" in self.uses and inputs.atlas:
            need += _BYTES_PER_VOXEL * inputs.atlas.voxels
        if "reference" in self.uses and inputs.reference:
            need += _REFERENCE + min(inputs.reference.voxels, _REFERENCE_VOXELS)
        return need
