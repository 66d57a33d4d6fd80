"""Whether two files are in one space: nothing is registered here, so what isn't in one can't be compared."""

from collections.abc import Sequence

from tractcap.checks.common.check import CheckFile
from tractcap.errors import InputError
from tractcap.inputs.tractograms import Tractogram


def shared(ours: CheckFile, theirs: CheckFile) -> list[str]:
    """What must be said of the spaces that two files' names tell: nothing where they tell the same.

    Raises
    ------
    InputError
        When they tell different ones.
    """
    if ours.space == theirs.space:
        return []
    if ours.space and theirs.space:
        raise InputError(
            f"{ours.name} is in space {ours.space}, and {theirs.path} in {theirs.space}: give both in the same space."
        )
    unknown = next(file.name for file in (ours, theirs) if not file.space)
    return [f"the space of {unknown} isn't told by the name"]


def placed(tractograms: Sequence[Tractogram], what: str) -> None:
    """Refuse what needs the place of tractograms' streamlines where a file doesn't tell it.

    Raises
    ------
    InputError
        When one doesn't; ``what`` isn't possible then.
    """
    for one in tractograms:
        if why := one.header.unplaced:
            raise InputError(f"{one.path.name}: {why}, so {what}.")
