"""The files that are drawn. All are made up, and the same each time."""

import io
import json
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/helpers"))
import large  # type: ignore[import-not-found]
import phantoms  # type: ignore[import-not-found]

_HEADER, _COUNT_AT = 1000, 988
"""Bytes of a .trk's header, and where it says how many streamlines there are."""


def of_size(path: Path, size: int, seed: int = 0) -> Path:
    """Write a .trk of about ``size`` MB."""
    written: Path = large.write_trk(path, size * large.MB, seed)
    return written


def of_count(path: Path, count: int) -> Path:
    """Write a .trk of exactly so many streamlines: as many as are made together, the last ones cut off."""
    large.write_trk(path, 0)
    made, size = streamlines(path), path.stat().st_size
    large.write_trk(path, -(-count // made) * size)
    record = (path.stat().st_size - _HEADER) // streamlines(path)
    with path.open("r+b") as file:
        file.truncate(_HEADER + count * record)
        file.seek(_COUNT_AT)
        file.write(struct.pack("<i", count))
    return path


def streamlines(trk: Path) -> int:
    """How many a .trk holds, as its header says."""
    with trk.open("rb") as file:
        return int(struct.unpack_from("<i", file.read(_HEADER), _COUNT_AT)[0])


def as_tck(trk: Path, path: Path) -> Path:
    """Write the same streamlines as a .tck, one after the other."""
    # the .trk's own lazy tractogram would be moved into the world twice
    nib.streamlines.save(nib.streamlines.LazyTractogram(lambda: _read(trk), affine_to_rasmm=np.eye(4)), path)
    return path


def _read(trk: Path) -> Iterator[Any]:
    """Streamlines (N, 3) in RAS+ mm, one after the other."""
    yield from nib.streamlines.load(trk, lazy_load=True).streamlines


def as_trx(trk: Path, path: Path) -> Path:
    """Write the same streamlines as a .trx, one after the other; only where each begins is held in memory."""
    offsets = [0]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("positions.3.float32", "w", force_zip64=True) as file, io.BufferedWriter(file, 2**20) as out:
            for one in _read(trk):
                out.write(one.astype("<f4").tobytes())
                offsets.append(offsets[-1] + len(one))
        archive.writestr("offsets.uint64", np.array(offsets, "<u8").tobytes())
        header = {"DIMENSIONS": [91, 109, 91], "VOXEL_TO_RASMM": phantoms.affine().tolist()}
        header |= {"NB_VERTICES": offsets[-1], "NB_STREAMLINES": len(offsets) - 1}
        archive.writestr("header.json", json.dumps(header))
    return path


def bundles(folder: Path, count: int, most: int) -> Path:
    """Write so many .trk of 100 to ``most`` streamlines, of 60 to 160 points each, into a folder."""
    folder.mkdir()
    for number, (size, points) in enumerate(_shapes(count, most)):
        phantoms.save(folder / f"bundle-{number:03d}.trk", phantoms.asymmetric_bundle(size, points, number))
    return folder


def _shapes(count: int, most: int) -> Iterator[tuple[int, int]]:
    random = np.random.default_rng(0)
    for _ in range(count):
        yield int(random.integers(100, most, endpoint=True)), int(random.integers(60, 160, endpoint=True))


def head(path: Path) -> Path:
    """Write a reference image."""
    written: Path = phantoms.save_head(path, voxel=2.0)
    return written
