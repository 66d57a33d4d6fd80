"""What a run was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tractcap.inputs.filters import Filters
from tractcap.inputs.layouts import Layout
from tractcap.inputs.matching_overlays import T1W
from tractcap.inputs.search import Source
from tractcap.records.options import Coloring, Overlay, PictureOptions
from tractcap.work.check_files import CheckOptions
from tractcap.work.shard import Shard


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    ``picture`` and ``coloring`` are what the pictures shall be; ``reference`` is the image of the anatomy under them,
    ``references`` those of single participants, and ``find_reference`` looks for each tractogram's own in the dataset
    where none is given.
    ``fit`` frames each tractogram by itself instead of all of a participant's alike; ``overview`` adds a picture of
    them all. ``overlays`` are drawn beside every tractogram; ``find_overlays`` are kinds that are looked for in the
    dataset, ``freesurfer`` is FreeSurfer's folder of subjects, whose surfaces are drawn beside what is in
    ``freesurfer_space``. ``layouts`` are patterns of the tractograms' paths, empty
    for those that are known. ``checks`` are the measures of quality. ``margin`` is a share of the budget;
    ``mem_per_job`` overrides the estimates, in bytes; ``batch_size`` is how many participants are finished before the
    next are begun, 0 for all at once; ``shard`` a share of the work, None for all; ``timeout`` how many seconds a
    worker may be silent; ``scratch`` a folder for temporary files, None for the system's; ``command`` is the
    command line, for the journal.
    """

    input: Path
    output: Path
    picture: PictureOptions = field(default_factory=PictureOptions)
    coloring: Coloring = field(default_factory=Coloring)
    reference: Path | None = None
    references: Mapping[str, Path] = field(default_factory=dict)
    find_reference: bool = False
    fit: bool = False
    overview: bool = False
    overlays: tuple[Overlay, ...] = ()
    find_overlays: tuple[str, ...] = ()
    freesurfer: Path | None = None
    freesurfer_space: str = T1W
    filters: Filters = field(default_factory=Filters)
    layouts: tuple[Layout, ...] = ()
    checks: CheckOptions = field(default_factory=CheckOptions)
    nprocs: int = -1
    margin: float = 0.2
    mem_per_job: int | None = None
    vtk_space: str = ""
    stop_on_first_crash: bool = False
    overwrite: bool = False
    batch_size: int = 0
    shard: Shard | None = None
    timeout: float = 600.0
    scratch: Path | None = None
    command: str = ""

    def reference_of(self, source: Source) -> Path | None:
        """The image that was asked for, of a tractogram's participant or of all."""
        return self.references.get(source.participant, self.reference)
