"""How a tractogram was tracked: the JSON file beside it, with the keys that BEP046 proposes.

Source: https://github.com/bids-standard/bids-specification/pull/2333 as of July 2026 (commit 8b49ca80). All keys are
optional here, since few programs write them yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tractcap.errors import RecordError
from tractcap.inputs.filenames import split_name
from tractcap.records.json_record import Count, JsonRecord


@dataclass(frozen=True, kw_only=True)
class Algorithm(JsonRecord):
    """What a tracking algorithm is called."""

    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Propagation(JsonRecord):
    """How streamlines go on; angles are degrees, lengths mm."""

    algorithm: Algorithm = Algorithm()
    angle_per_step: float | None = None
    step_size: float | None = None
    minimum_radius: float | None = None
    interpolation: str = ""


@dataclass(frozen=True, kw_only=True)
class SeedSource(JsonRecord):
    """Where seeds are: how they are drawn, from which file, and how many for each of its elements."""

    type: str = ""
    source: str = ""
    seeds_per_element: float | None = None


@dataclass(frozen=True, kw_only=True)
class Seeding(JsonRecord):
    """Where streamlines begin."""

    sources: tuple[SeedSource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Threshold(JsonRecord):
    """Of a measure of anisotropy."""

    metric: str = ""
    threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class Termination(JsonRecord):
    """Where streamlines end."""

    anisotropy: tuple[Threshold, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Acceptance(JsonRecord):
    """Which streamlines are kept, by their length in mm."""

    minimum_length: float | None = None
    maximum_length: float | None = None


@dataclass(frozen=True, kw_only=True)
class Density(JsonRecord):
    """After how many tracking ends."""

    seeds: Count | None = None
    generated_streamlines: Count | None = None
    accepted_streamlines: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Tracking(JsonRecord):
    """How a tractogram was tracked."""

    streamline_seeding: Seeding = Seeding()
    streamline_propagation: Propagation = Propagation()
    streamline_termination: Termination = Termination()
    streamline_acceptance_criteria: Acceptance = Acceptance()
    streamline_reconstruction_density: Density = Density()

    def facts(self) -> dict[str, str]:
        """What people ask of a tracking, by name; nothing of what isn't known."""
        propagation, density = self.streamline_propagation, self.streamline_reconstruction_density
        kept = self.streamline_acceptance_criteria
        counts = {
            "seeds": density.seeds,
            "streamlines": density.generated_streamlines,
            "accepted streamlines": density.accepted_streamlines,
        }
        steps = (
            _quantity(propagation.step_size, " mm"),
            _quantity(propagation.angle_per_step, "° at most"),
            _quantity(propagation.minimum_radius, " mm radius at least"),
        )
        lengths = (_quantity(kept.minimum_length, " mm at least"), _quantity(kept.maximum_length, " mm at most"))
        facts = {
            "Algorithm": propagation.algorithm.name,
            "Seeds": "; ".join(filter(None, map(_seeds, self.streamline_seeding.sources))),
            "Steps": ", ".join(filter(None, steps)),
            "Interpolation": propagation.interpolation,
            "Ends": "; ".join(_ends(self.streamline_termination)),
            "Lengths": ", ".join(filter(None, lengths)),
            "Until": " or ".join(f"{count:,} {what}" for what, count in counts.items() if count is not None),
        }
        return {name: value for name, value in facts.items() if value}


def _quantity(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g}{unit}"


def _seeds(source: SeedSource) -> str:
    count = _quantity(source.seeds_per_element, " for each element")
    return ", ".join(filter(None, (source.type, source.source and f"from {source.source}", count)))


def _ends(termination: Termination) -> Iterator[str]:
    for limit in termination.anisotropy:
        if limit.threshold is not None:
            yield f"where {limit.metric or 'anisotropy'} is below {limit.threshold:g}"


def read_tracking(tractogram: Path) -> tuple[dict[str, str], str]:
    """Read how a tractogram was tracked from the JSON file beside it, which many don't have.

    Returns
    -------
    The facts by name, and what is wrong with the file, as a sentence without a stop; empty if nothing is.
    """
    stem, _ = split_name(tractogram.name)
    try:
        return Tracking.load(tractogram.with_name(f"{stem}.json")).facts(), ""
    except FileNotFoundError:
        return {}, ""
    except RecordError as error:
        return {}, f"its JSON file {stem}.json doesn't say how it was tracked: {error.why}"
