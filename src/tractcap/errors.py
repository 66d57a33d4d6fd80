"""Every error that tractcap raises on purpose.

The number is the exit status that it leads to:

    TractcapError            1  something failed
    ├── InputError           1  one input can't be read or drawn; the others go on
    │   ├── MissingError     1  it isn't there
    │   ├── DamagedError     1  it isn't what its name says
    │   ├── OverlayError     -  it can't be drawn beside streamlines; pictures are drawn without it
    │   └── EmptyError       -  it holds no streamlines, which is no failure
    ├── RecordError          1  a file that goes with the pictures isn't what it should be; the others go on
    ├── DrawingError         1  a picture did not come out
    ├── SettingsError        2  an option, a variable or a folder is not usable
    ├── NothingToDrawError   3  no tractogram was found, or none matches the filters
    └── CapTooSmallError     4  not even the smallest plan fits into the memory
"""

from pathlib import Path

NO_MEMORY = "needs more memory than its worker may take (MemoryError)"
"""How sentences on it end."""


class TractcapError(Exception):
    """What is wrong, with which file or option, and what to do, as a sentence.

    Attributes
    ----------
    exit_code : int
        The exit status of the command line.
    status : str
        What a tractogram that fails with it is called: ``failed``, ``missing``, ``damaged`` or ``empty``.
    """

    exit_code = 1
    status = "failed"


class InputError(TractcapError):
    """An input can't be read or drawn."""


class MissingError(InputError):
    """An input isn't there."""

    status = "missing"


class DamagedError(InputError):
    """An input isn't what its name says."""

    status = "damaged"


class OverlayError(InputError):
    """An overlay can't be drawn; all else can, without it.

    Parameters
    ----------
    path : str
        The overlay's file.
    why : str
        What is wrong, as a sentence.
    again : bool
        True when it isn't the file's fault, as where memory lacks: another try may succeed.
    """

    def __init__(self, path: str, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.path, self.again = path, again


class EmptyError(InputError):
    """A tractogram holds no streamlines."""

    status = "empty"


class RecordError(TractcapError):
    """A file that goes with the pictures isn't the record that it should be.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    why : str
        What is wrong with it, without its name.
    foreign : bool
        True when the file doesn't claim to be tractcap's.
    """

    def __init__(self, path: Path, why: str, *, foreign: bool = False) -> None:
        super().__init__(f"{path} can't be understood: {why}.")
        self.path, self.why, self.foreign = path, why, foreign


class DrawingError(TractcapError):
    """A picture did not come out as it must."""


class SettingsError(TractcapError):
    """An option, a variable or a folder is not usable."""

    exit_code = 2


class NothingToDrawError(TractcapError):
    """There is no tractogram to draw."""

    exit_code = 3


class CapTooSmallError(TractcapError):
    """Not even the smallest plan fits into the memory."""

    exit_code = 4


def defect(error: Exception) -> str:
    """What to say of an error that should never come, as the end of a sentence."""
    return f"an unexpected error, which is a defect of tractcap: {type(error).__name__}: {error}"
