"""What is fuzzed: small whole files, and how each kind is read to its end. Those of texts are in ``texts.py``."""

import gzip
import io
import os
import random
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import fiber_images
import nibabel as nib
import numpy as np
import packings
import phantoms
import texts
from mutate import mutated, mutated_json
from target import Target

from tractcap.errors import InputError


def read_tractogram(path: Path) -> None:
    """All its points, and each of its data."""
    from tractcap.inputs.tractograms import open_tractogram

    tractogram = open_tractogram(path)
    for name in ("", *tractogram.header.per_point, *tractogram.header.per_streamline):
        for chunk in tractogram.chunks(1000, name):
            assert len(chunk.points) <= 1000


def read_image(path: Path) -> None:
    """As a map and as a reference."""
    from tractcap.inputs.images import ImageFile

    image = ImageFile(path)
    image.values()
    image.shown()


def read_mask(path: Path) -> None:
    """Its regions, each cut out."""
    from tractcap.inputs.overlay_rois import RegionFile

    file = RegionFile(path)
    list(file.masks(file.inspect()))


def read_surface(path: Path) -> None:
    """As a worker does."""
    from tractcap.inputs import overlay_surfaces

    overlay_surfaces.read_surface(path)


def read_peaks(path: Path) -> None:
    """Those of a slice."""
    from tractcap.inputs.fiber_models import PeaksFile, crossed_voxels

    file = PeaksFile(path)
    file.peaks(crossed_voxels(file.shape, file.affine, 1, 4.0))


def read_odf(path: Path) -> None:
    """Those of a slice, along a direction."""
    from tractcap.inputs.fiber_models import OdfFile, crossed_voxels

    file = OdfFile(path)
    with np.errstate(invalid="ignore", over="ignore"):
        file.values(crossed_voxels(file.shape, file.affine, 2, 5.0)) @ file.amplitudes(np.eye(3)[:1])


def read_tsf(path: Path) -> None:
    """With the tracks that it belongs to."""
    from tractcap.inputs.tractograms import open_tractogram

    tracks = path.with_name("a.tck")
    if not tracks.exists():
        phantoms.raw_tck(tracks, packings.exact(12))
    list(open_tractogram(tracks).chunks(1000, "tsf"))


def read_names(path: Path) -> None:
    """The bundles that it names in the file beside it."""
    from tractcap.inputs.bundles_within import bundles_within
    from tractcap.inputs.tractograms import open_tractogram

    tracks = path.with_name("a.tt")
    if not tracks.exists():
        packings.PACKINGS["tt"].write(tracks, packings.exact(12))
    for bundle in bundles_within(tracks):
        list(open_tractogram(tracks / bundle).chunks(1000))


def _written(*names: str) -> Callable[[], Sequence[bytes]]:
    """Files as :data:`packings.PACKINGS` writes them."""

    @cache
    def whole() -> Sequence[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            found = []
            for name in names:
                packing = packings.PACKINGS[name]
                packing.write(Path(folder) / packing.name, packings.exact(12))
                found.append((Path(folder) / packing.name).read_bytes())
        return found

    return whole


def _unpacked(*names: str) -> Callable[[], Sequence[bytes]]:
    """The same, unpacked: they are packed again when they are broken."""
    return lambda: [gzip.decompress(data) for data in _written(*names)()]


@cache
def _scalars() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tsf"
        values = [one[:, 2] for one in packings.exact(12)]
        return [phantoms.save_tsf(path, values, kind).read_bytes() for kind in ("Float32LE", "Float64BE")]


@cache
def _images(ending: str) -> Sequence[bytes]:
    kind = {".nii": nib.Nifti1Image, ".mgh": nib.MGHImage}[ending]
    values = np.arange(6 * 7 * 8).reshape(6, 7, 8)
    return [kind(values.astype(dtype), np.diag([2.0, 2, 2, 1])).to_bytes() for dtype in ("u1", "i2", "f4")]


@cache
def _masks() -> Sequence[bytes]:
    values = np.zeros((6, 7, 8))
    values[1:3, 2:5, 3:6], values[4, 4, 4] = 1, 7
    return [nib.Nifti1Image(values.astype(dtype), np.diag([2.0, 2, 2, 1])).to_bytes() for dtype in ("u1", "i2", "f4")]


@cache
def _peaks() -> Sequence[bytes]:
    values, affine = np.ones((4, 5, 6, 2, 3)), np.diag([2.0, 2, -2, 1])
    joined = values.reshape(4, 5, 6, 6)
    return [nib.Nifti1Image(data.astype("f4"), affine).to_bytes() for data in (values, joined)]


@cache
def _mif() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path, data, affine = Path(folder) / "a.mif", np.ones((4, 5, 6, 6)), np.diag([2.0, 2, 2, 1])
        kinds = (("+0,+1,+2,+3", "Float32LE"), ("-1,+2,+3,+0", "Int16LE"))
        return [fiber_images.save_mif(path, data, affine, *kind).read_bytes() for kind in kinds]


_CORNERS = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]], np.float32)
_FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)


@cache
def _gifti() -> Sequence[bytes]:
    arrays = [
        nib.gifti.GiftiDataArray(values, f"NIFTI_INTENT_{kind}", encoding=encoding)
        for values, kind in ((_CORNERS, "POINTSET"), (_FACES, "TRIANGLE"))
        for encoding in ("GIFTI_ENCODING_ASCII", "GIFTI_ENCODING_B64GZ")
    ]
    return [nib.gifti.GiftiImage(darrays=arrays[start::2]).to_bytes() for start in (0, 1)]


@cache
def _freesurfer() -> Sequence[bytes]:
    volume = {
        "head": np.array([2, 0, 20], np.int32), "valid": "1", "filename": "x", "volume": np.array([9, 9, 9]),
        "voxelsize": np.ones(3), "xras": np.array([-1.0, 0, 0]), "yras": np.array([0.0, 0, -1]),
        "zras": np.array([0.0, 1, 0]), "cras": np.ones(3),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        nib.freesurfer.write_geometry(path := Path(folder) / "lh.pial", _CORNERS, _FACES, volume_info=volume)
        return [path.read_bytes()]


def _polygons() -> Sequence[bytes]:
    points = " ".join(f"{value:g}" for value in _CORNERS.ravel())
    faces = " ".join(f"3 {a} {b} {c}" for a, b, c in _FACES)
    head = "# vtk DataFile Version 3.0\nSPACE=LPS\nASCII\nDATASET POLYDATA\n"
    return [f"{head}POINTS 4 float\n{points}\nPOLYGONS 4 16\n{faces}\n".encode()]


def _packed(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Broken before or after it was compressed."""
    if chance.random() < 0.5:
        return gzip.compress(mutated(chance, data, others), 1)
    return mutated(chance, gzip.compress(data, 1), others)


def _zipped(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Broken as a whole, or one of its members before it was packed."""
    if chance.random() < 0.5:
        return mutated(chance, data, others)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        victim = chance.choice(names)
        for name in names:
            content, change = old.read(name), mutated_json if name.endswith(".json") else mutated
            new.writestr(name, change(chance, content, [content]) if name == victim else content)
    return made.getvalue()


_LEGACY = [
    f"vtk, {version}, {kind}, {dtype}" for version in (42, 51) for kind in ("text", "binary") for dtype in ("f4", "f8")
]
_XML = [
    "vtp, text",
    *(
        f"vtp, {mode}, {packer}, f4, little endian"
        for mode in ("Binary", "Appended")
        for packer in ("None", "ZLib", "LZ4")
    ),
]

TARGETS: dict[str, Target] = {
    "trk": Target("a.trk", _written("trk", "trk, big endian"), read_tractogram),
    "trk.gz": Target("a.trk.gz", _written("trk", "trk, big endian"), read_tractogram, _packed, gzip.compress),
    "tck": Target("a.tck", _written("tck, Float32LE", "tck, Float64BE"), read_tractogram),
    "tck.gz": Target("a.tck.gz", _written("tck, Float32LE", "tck, Float64BE"), read_tractogram, _packed, gzip.compress),
    "trx": Target(
        "a.trx",
        _written(
            *(f"trx, {dtype}, {kind}" for dtype in ("float16", "float32") for kind in ("stored", "deflated", "LZMA"))
        ),
        read_tractogram,
        _zipped,
    ),
    "tt": Target("a.tt", _written("tt"), read_tractogram),
    "tt.gz": Target(
        "a.tt.gz", _unpacked("tt.gz, three matrices", "tt.gz, place last"), read_tractogram, _packed, gzip.compress
    ),
    "tt.txt": Target("a.tt.txt", lambda: [b"AF_L\nCST_R\nAF_L\n", "Faisceau arqué\r\n\r\nb".encode()], read_names),
    "vtk": Target("a.vtk", _written(*_LEGACY), read_tractogram, crashes=True),
    "vtp": Target("a.vtp", _written(*_XML), read_tractogram, crashes=True),
    "tsf": Target("a.tsf", _scalars, read_tsf),
    "tsf.gz": Target("a.tsf.gz", _scalars, read_tsf, _packed, gzip.compress),
    "nii": Target("a.nii", partial(_images, ".nii"), read_image),
    "nii.gz": Target("a.nii.gz", partial(_images, ".nii"), read_image, _packed, gzip.compress),
    "mgh": Target("a.mgh", partial(_images, ".mgh"), read_image),
    "mgz": Target("a.mgz", partial(_images, ".mgh"), read_image, _packed, gzip.compress),
    "mask": Target("a.nii", _masks, read_mask),
    "peaks": Target("a.nii", _peaks, read_peaks),
    "odf": Target("a.nii.gz", lambda: _peaks()[1:], read_odf, _packed, gzip.compress),
    "mif": Target("a.mif", _mif, read_odf),
    "mif.gz": Target("a.mif.gz", _mif, read_odf, _packed, gzip.compress),
    "gii": Target("a.gii", _gifti, read_surface),
    "surface": Target("lh.pial", _freesurfer, read_surface),
    "polygons": Target("a.vtk", _polygons, read_surface, crashes=True),
    **texts.TARGETS,
    "piece": Target("1-of-1.zip", texts.pieces, texts.read_piece, _zipped, blamed="its"),
}
"""By what they are called on the command line."""


def _raise(path: Path) -> None:
    raise KeyError(path.name)


def _wait(path: Path) -> None:
    time.sleep(600)


def _die(path: Path) -> None:
    os.abort()


def _grow(path: Path) -> None:
    bytearray(2**33)


def _blame_another(path: Path) -> None:
    raise InputError("another file is damaged.")


ODD: dict[str, Target] = {
    read.__name__.strip("_"): Target("a.odd", lambda: [b"whole"], read)
    for read in (_raise, _wait, _die, _grow, _blame_another)
}
"""What the fuzzer itself is tested by: each must be a finding."""
