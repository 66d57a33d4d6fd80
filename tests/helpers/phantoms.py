"""Streamlines with known answers, and writers for every format that are not tractcap's own."""

import gzip
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import dsi_studio
import nibabel as nib
import numpy as np
from nibabel.streamlines import Field

Streamlines = list[np.ndarray]

ENDINGS = ("trk", "trk.gz", "tck", "tck.gz", "trx", "vtk", "vtp", "fib")


def asymmetric_bundle(count: int = 30, points: int = 40, seed: int = 0) -> Streamlines:
    """A bundle in the left hemisphere that rises at its front end: no mirror image of it looks the same."""
    random = np.random.default_rng(seed)
    t = np.linspace(0, 1, points)
    base = np.stack([-40 + 15 * t, -50 + 100 * t, -10 + 50 * t**4], axis=1)
    return [(base + random.normal(0, 2, 3)).astype(np.float32) for _ in range(count)]


def straight_bundle(count: int = 40, flipped: bool = False) -> Streamlines:
    """From y = -40 to 40 mm, some mm apart; every other one the other way round if ``flipped``."""
    random = np.random.default_rng(0)
    base = np.linspace([-20, -40, 10], [-20, 40, 10], 30)
    found = [(base + random.normal(0, 1.5, 3) * [1, 0, 1]).astype(np.float32) for _ in range(count)]
    return [one[::-1] if flipped and at % 2 else one for at, one in enumerate(found)]


def ragged(count: int = 200, seed: int = 1) -> Streamlines:
    """Streamlines of very different lengths, in order of nothing."""
    random = np.random.default_rng(seed)
    lengths = random.integers(2, 60, count)
    return [np.cumsum(random.normal(0, 1, (n, 3)), axis=0).astype(np.float32) for n in lengths]


def affine(order: str = "RAS", voxel: float = 2.0, shape: tuple[int, int, int] = (91, 109, 91)) -> np.ndarray:
    """A grid over the same box in mm, stored in the given order."""
    matrix = np.diag([voxel, voxel, voxel, 1.0])
    matrix[:3, 3] = [-90, -126, -72]
    for axis, (letter, positive) in enumerate(zip(order, "RAS", strict=True)):
        if letter != positive:
            matrix[axis, 3] += (shape[axis] - 1) * voxel
            matrix[axis, axis] *= -1
    return matrix


def save(path: Path, streamlines: Streamlines, order: str = "RAS", **fields: object) -> Path:
    """Write streamlines given in RAS+ mm in the format that the name's ending asks for."""
    ending = path.name.split(".", 1)[1]
    if ending in ("vtk", "vtp", "fib"):
        return save_vtk(path, streamlines)
    if ending == "trx":
        return save_trx(path, streamlines)
    if ending in ("tt", "tt.gz"):
        return dsi_studio.save(path, dsi_studio.matrices(streamlines))
    tractogram = nib.streamlines.Tractogram(streamlines, affine_to_rasmm=np.eye(4), **fields)
    header = {
        Field.VOXEL_TO_RASMM: affine(order),
        Field.VOXEL_SIZES: (2, 2, 2),
        Field.DIMENSIONS: (91, 109, 91),
        Field.VOXEL_ORDER: order,
    }
    kind = nib.streamlines.TrkFile if ending.startswith("trk") else nib.streamlines.TckFile
    file = kind(tractogram, header=header)
    plain = io.BytesIO()
    file.save(plain)
    path.write_bytes(gzip.compress(plain.getvalue()) if ending.endswith(".gz") else plain.getvalue())
    return path


def save_trx(
    path: Path,
    streamlines: Streamlines,
    *,
    compressed: bool = False,
    folder: bool = False,
    groups: dict[str, list[int]] | None = None,
) -> Path:
    """Write a TRX by trx-python.

    Per point it has ``height`` (z) and ``place`` (three columns, the point itself), per streamline ``number`` and
    ``pair`` (two columns, the number and its square); ``groups`` are numbers of streamlines by name.
    """
    import trx.trx_file_memmap as tmm

    count = sum(map(len, streamlines))
    made = tmm.TrxFile(nb_vertices=count, nb_streamlines=len(streamlines))
    made.header["VOXEL_TO_RASMM"] = affine()
    made.header["DIMENSIONS"] = np.array([91, 109, 91], np.uint16)
    points = np.concatenate(streamlines).astype(np.float32)
    made.streamlines._data = points
    made.streamlines._lengths = np.array(list(map(len, streamlines)), np.uint32)
    made.streamlines._offsets = np.concatenate([[0], np.cumsum(made.streamlines._lengths)]).astype(np.uint64)[:-1]
    sequence = nib.streamlines.ArraySequence
    made.data_per_vertex = {"height": sequence(s[:, 2:3] for s in streamlines), "place": sequence(streamlines)}
    numbers = np.arange(len(streamlines), dtype=np.float32)[:, None]
    made.data_per_streamline = {"number": numbers, "pair": np.hstack([numbers, numbers**2])}
    made.groups = {name: np.array(members, np.uint32) for name, members in (groups or {}).items()}
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    tmm.save(made, str(path.with_suffix("") if folder else path), compression_standard=kind)
    if folder:
        path.with_suffix("").rename(path)
    made.close()
    return path


def save_vtk(path: Path, streamlines: Streamlines, title: str = "lines") -> Path:
    """Write polylines by VTK itself."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkIOLegacy import vtkPolyDataWriter
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    points, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    joined = np.concatenate(streamlines)
    points.SetData(numpy_to_vtk(joined, deep=True))
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in streamlines])])
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(np.arange(len(joined)), deep=True)
    )
    data.SetPoints(points)
    data.SetLines(cells)
    writer = vtkXMLPolyDataWriter() if path.suffix == ".vtp" else vtkPolyDataWriter()
    if path.suffix != ".vtp":
        writer.SetFileTypeToBinary()
        writer.SetHeader(title)
    writer.SetFileName(str(path))
    writer.SetInputData(data)
    assert writer.Write() == 1
    return path


def raw_tck(
    path: Path,
    streamlines: Streamlines,
    datatype: str = "Float32LE",
    count: int | None = None,
    end: bool = True,
    timestamp: str = "",
) -> Path:
    """Write a .tck by hand: any data type, any promise, with or without its end."""
    dtype = {"Float32LE": "<f4", "Float32BE": ">f4", "Float64LE": "<f8", "Float64BE": ">f8"}[datatype]
    rows = [row for s in streamlines for row in (s, np.full((1, 3), np.nan))]
    rows += [np.full((1, 3), np.inf)] * end
    promise = len(streamlines) if count is None else count
    stamp = f"timestamp: {timestamp}\n" if timestamp else ""
    header = f"mrtrix tracks\n{stamp}count: {promise}\ndatatype: {datatype}\nfile: . 200\nEND\n".encode()
    path.write_bytes(header.ljust(200, b"\0") + np.concatenate(rows).astype(dtype).tobytes())
    return path


def save_tsf(path: Path, values: Streamlines, datatype: str = "Float32LE", end: bool = False, **fields: object) -> Path:
    """Write a .tsf by hand, by default as MRtrix 3.0.4 writes it: without infinity at its end."""
    dtype = {"Float32LE": "<f4", "Float32BE": ">f4", "Float64LE": "<f8", "Float64BE": ">f8"}[datatype]
    numbers = [part for one in values for part in (one, [np.nan])] + [[np.inf]] * end
    told = {"count": len(values), "datatype": datatype, "file": ". 200", **fields}
    lines = "".join(f"{name}: {value}\n" for name, value in told.items())
    header = f"mrtrix track scalars    \n{lines}END\n".encode().ljust(200, b"\0")
    data = header + np.concatenate([*numbers, []]).astype(dtype).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def save_head(path: Path, order: str = "RAS", voxel: float = 4.0, dtype: str = "i2", **more: object) -> Path:
    """Write an image of a head: an ellipsoid that is brighter in front and on the left, and asymmetric inside.

    ``slope`` and the like go to the header; ``nan`` puts not-a-numbers outside the head.
    """
    shape = tuple(round(side / voxel) for side in (182, 218, 182))
    matrix = affine(order, voxel, shape)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(grid @ matrix[:3, :3].T + matrix[:3, 3], -1, 0)
    inside = (x / 70) ** 2 + ((y + 18) / 88) ** 2 + ((z - 18) / 70) ** 2 < 1
    values = np.where(inside, 500 + 0.5 * y - 0.75 * x, np.nan if more.get("nan") else 0)
    values[(np.abs(x + 40) < 12) & (np.abs(y - 20) < 12) & (np.abs(z - 30) < 12)] = 700
    nib.Nifti1Image(values.astype(dtype), matrix).to_filename(path)
    return path


def save_labels(
    path: Path, balls: Mapping[int, tuple[Sequence[float], float]], matrix: np.ndarray, shape: tuple[int, ...]
) -> Path:
    """Write an image of balls, each a label, a centre and a radius in mm, on any grid."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    world = grid @ matrix[:3, :3].T + matrix[:3, 3]
    labels = np.zeros(shape, np.int16)
    for label, (center, radius) in balls.items():
        labels[np.linalg.norm(world - center, axis=-1) < radius] = label
    nib.Nifti1Image(labels, matrix).to_filename(path)
    return path


def head_affine(order: str, voxel: float) -> np.ndarray:
    """The affine of :func:`save_head`."""
    return affine(order, voxel, tuple(round(side / voxel) for side in (182, 218, 182)))
