"""Tractograms as chunks of streamlines in RAS+ mm, whatever the file's format and size.

Each format is a module with one class; this registry chooses by the file's name.
"""

from pathlib import Path

from tractcap.errors import InputError
from tractcap.inputs.bundles_within import split_bundle
from tractcap.inputs.filenames import split_name
from tractcap.inputs.reading import check_file, reading
from tractcap.inputs.tractograms.base import Header, Tractogram
from tractcap.inputs.tractograms.chunks import Chunk
from tractcap.inputs.tractograms.tck import TckTractogram
from tractcap.inputs.tractograms.trk import TrkTractogram
from tractcap.inputs.tractograms.trx import TrxTractogram
from tractcap.inputs.tractograms.tt import TtTractogram
from tractcap.inputs.tractograms.vtk import VtkTractogram

__all__ = ["Chunk", "Header", "Tractogram", "open_tractogram"]

FORMATS: dict[str, type[Tractogram]] = {
    ".trk": TrkTractogram,
    ".trk.gz": TrkTractogram,
    ".tck": TckTractogram,
    ".tck.gz": TckTractogram,
    ".trx": TrxTractogram,
    ".vtk": VtkTractogram,
    ".vtp": VtkTractogram,
    ".fib": VtkTractogram,
    ".tt": TtTractogram,
    ".tt.gz": TtTractogram,
}


def open_tractogram(path: Path, vtk_space: str = "") -> Tractogram:
    """Open a tractogram by the ending of its name; its header is read and checked, its points are not.

    Parameters
    ----------
    path : the file, or the folder of an unpacked ``.trx``; with the name of a bundle behind it, only that is read.
    vtk_space : ``"RAS"`` or ``"LPS"``, the space of ``.vtk``, ``.vtp`` and ``.fib`` files that don't say theirs.

    Raises
    ------
    InputError
        When the name's ending isn't known, or the file isn't what its name says.
    """
    file = Path(split_bundle(str(path))[0])
    _, ending = split_name(file.name)
    if path.suffix.lower() == ".dpy":
        raise InputError(f"{path} is a .dpy, which isn't read: save it as .trk or .trx with DIPY.")
    if ending not in FORMATS:
        raise InputError(f"{path} is not a tractogram by its name: expected one of {', '.join(FORMATS)}.")
    kind = FORMATS[ending]
    with reading(file):
        is_folder = kind is TrxTractogram and file.is_dir()
    if not is_folder:
        check_file(file, "give the tractogram itself")
    return VtkTractogram(path, vtk_space) if kind is VtkTractogram else kind(path)
