"""The tractograms that checks of a bundle read: what one check has read of them serves the next."""

from collections.abc import Callable
from pathlib import Path

from tractcap.checks.common.check_definition import MOST_POINTS, CheckFile, Report
from tractcap.checks.common.sample import Sample, take
from tractcap.checks.common.whole_file import Survey, survey
from tractcap.errors import InputError
from tractcap.inputs.tractograms import Chunk, Tractogram, open_tractogram


class SharedFiles:
    """Opens tractograms. One of up to ``MOST_POINTS`` points is held once it was read, and so is read once.

    Parameters
    ----------
    vtk_space : of VTK files that don't say theirs.
    """

    def __init__(self, vtk_space: str = "") -> None:
        self._vtk_space = vtk_space
        self._open: dict[str, Tractogram] = {}
        self._surveys: dict[str, Survey] = {}
        self._samples: dict[str, Sample] = {}

    def open_file(self, file: CheckFile) -> Tractogram:
        """A tractogram.

        Raises
        ------
        InputError
            When it can't be read.
        """
        if file.path not in self._open:
            tractogram = open_tractogram(Path(file.path), vtk_space=self._vtk_space)
            tractogram.hold(MOST_POINTS)
            self._open[file.path] = tractogram
        return self._open[file.path]

    def open_placed(self, file: CheckFile, otherwise: str) -> Tractogram:
        """A tractogram of which it must be known where its streamlines lie.

        Raises
        ------
        InputError
            When it can't be read, or that isn't known; ``otherwise`` says what isn't possible then.
        """
        tractogram = self.open_file(file)
        if why := tractogram.header.unplaced:
            raise InputError(f"{file.name}: {why}, so {otherwise}.")
        return tractogram

    def survey(self, file: CheckFile, report: Report, also: Callable[[Chunk], None] | None = None) -> Survey:
        """What there is in a tractogram, which is read for it unless that was done for another check.

        Parameters
        ----------
        also : takes each chunk of streamlines of two points or more, for which it is read in any case.

        Raises
        ------
        InputError
            When it can't be read, is damaged, or has no streamline of two points or more.
        """
        if also or file.path not in self._surveys:
            self._surveys[file.path] = survey(self.open_file(file), report, also=also)
            self._samples[file.path] = self._surveys[file.path].sample
        return self._surveys[file.path]

    def sample(self, file: CheckFile, report: Report) -> Sample:
        """A sample of a tractogram's streamlines; see :meth:`survey`."""
        if file.path not in self._samples:
            self._samples[file.path] = take(self.open_file(file), report)
        return self._samples[file.path]
