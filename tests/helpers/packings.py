"""The same streamlines in every format and packing that is read, by writers that aren't tractcap's.

Each holds the height (z) of each point as ``height``, and of each streamline its number as ``number``, where its
format carries such data.
"""

import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dsi_studio
import numpy as np
import phantoms
from nibabel.streamlines.trk import header_2_dtype

Write = Callable[[Path, phantoms.Streamlines], object]


@dataclass(frozen=True)
class Packing:
    """A way to write: the file's ``name``, and the data that it carries."""

    name: str
    write: Write
    per_point: tuple[str, ...] = ()
    per_streamline: tuple[str, ...] = ()


def exact(count: int = 40, seed: int = 5) -> phantoms.Streamlines:
    """Streamlines whose coordinates are the same numbers in half, single and double precision, and as text."""
    random = np.random.default_rng(seed)
    lengths = random.integers(2, 30, count)
    start = np.array([-30, 0, 10])
    return [
        (start + np.cumsum(random.integers(-6, 7, (n, 3)), axis=0) / 4).clip(-100, 100).astype(np.float32)
        for n in lengths
    ]


def _numbers(streamlines: phantoms.Streamlines) -> np.ndarray:
    return np.arange(len(streamlines), dtype=np.float32)


def trk(path: Path, streamlines: phantoms.Streamlines, *, order: str = "<", packed: bool = False) -> None:
    """Write by nibabel, and turn the bytes of each number round for the other order."""
    data = {"height": [one[:, 2:] for one in streamlines]}
    plain = path.with_name("plain.trk")
    phantoms.save(
        plain,
        streamlines,
        data_per_point=data if streamlines else {},
        data_per_streamline={"number": _numbers(streamlines)[:, None]} if streamlines else {},
    )
    raw = plain.read_bytes()
    plain.unlink()
    if order == ">":
        header = np.frombuffer(raw[:1000], header_2_dtype.newbyteorder("<")).astype(header_2_dtype.newbyteorder(">"))
        raw = header.tobytes() + np.frombuffer(raw[1000:], "<i4").astype(">i4").tobytes()
    path.write_bytes(gzip.compress(raw) if packed else raw)


def tck(path: Path, streamlines: phantoms.Streamlines, *, datatype: str = "Float32LE", packed: bool = False) -> None:
    """Write by hand, with a ``.tsf`` beside it."""
    phantoms.raw_tck(path, streamlines, datatype)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    scalars = path.name.partition(".")[0] + "_height.tsf" + ".gz" * packed
    phantoms.save_tsf(path.with_name(scalars), [one[:, 2] for one in streamlines], datatype)


def trx(
    path: Path,
    streamlines: phantoms.Streamlines,
    *,
    dtype: str = "float32",
    offsets: str = "uint32",
    method: int | None = zipfile.ZIP_STORED,
) -> None:
    """Write by hand, as the specification has it; without a ``method``, as a folder."""
    points = np.concatenate([np.empty((0, 3), dtype), *(one.astype(dtype) for one in streamlines)])
    starts = np.cumsum([0, *map(len, streamlines)])
    told = {"DIMENSIONS": [91, 109, 91], "VOXEL_TO_RASMM": np.eye(4).tolist()}
    told |= {"NB_VERTICES": len(points), "NB_STREAMLINES": len(streamlines)}
    members = {
        "header.json": json.dumps(told).encode(),
        f"positions.3.{dtype}": points.tobytes(),
        f"offsets.{offsets}": starts.astype(offsets).tobytes(),
        f"dpv/height.{dtype}": points[:, 2].tobytes(),
        f"dps/number.{dtype}": _numbers(streamlines).astype(dtype).tobytes(),
    }
    if method is not None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def poly(streamlines: phantoms.Streamlines, dtype: str = "f4") -> object:
    """VTK's polylines."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    joined = np.concatenate([np.empty((0, 3), dtype), *streamlines]).astype(dtype)
    points.SetData(numpy_to_vtk(joined, deep=True))
    starts = np.cumsum([0, *map(len, streamlines)])
    ids = np.arange(len(joined))
    cells.SetData(numpy_to_vtkIdTypeArray(starts, deep=True), numpy_to_vtkIdTypeArray(ids, deep=True))
    data.SetPoints(points)
    data.SetLines(cells)
    for where, name, values in (
        (data.GetPointData(), "height", joined[:, 2].copy()),
        (data.GetCellData(), "number", _numbers(streamlines)),
    ):
        array = numpy_to_vtk(values, deep=True)
        array.SetName(name)
        where.AddArray(array)
    return data


def space_field(data: object, space: str) -> object:
    """Say a space as 3D Slicer does in field data."""
    from vtkmodules.vtkCommonCore import vtkStringArray

    array = vtkStringArray()
    array.SetName("SPACE")
    array.InsertNextValue(space)
    data.GetFieldData().AddArray(array)
    return data


def legacy(
    path: Path,
    streamlines: phantoms.Streamlines,
    *,
    version: int = 42,
    text: bool = False,
    dtype: str = "f4",
    space: str = "",
    title: str = "lines",
) -> None:
    """Write a legacy file by VTK."""
    from vtkmodules.vtkIOLegacy import vtkPolyDataWriter

    data = poly(streamlines, dtype)
    writer = vtkPolyDataWriter()
    writer.SetFileVersion(version)
    writer.SetHeader(title)
    (writer.SetFileTypeToASCII if text else writer.SetFileTypeToBinary)()
    _write(writer, space_field(data, space) if space else data, path)


def xml(
    path: Path,
    streamlines: phantoms.Streamlines,
    *,
    mode: str = "Appended",
    packer: str = "ZLib",
    encoded: bool = False,
    big: bool = False,
    dtype: str = "f4",
    space: str = "",
) -> None:
    """Write an XML file by VTK."""
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    data = poly(streamlines, dtype)
    writer = vtkXMLPolyDataWriter()
    getattr(writer, f"SetDataModeTo{mode}")()
    getattr(writer, f"SetCompressorTypeTo{packer}")()
    writer.SetEncodeAppendedData(encoded)
    if big:
        writer.SetByteOrderToBigEndian()
    _write(writer, space_field(data, space) if space else data, path)


def _write(writer: object, data: object, path: Path) -> None:
    writer.SetFileName(str(path))
    writer.SetInputData(data)
    assert writer.Write() == 1


def tt(path: Path, streamlines: phantoms.Streamlines, *, tracks: int = 1, after: bool = False) -> None:
    """Write by scipy, with the streamlines' numbers as their clusters; ``after``: where they lie stands behind them."""
    found = dsi_studio.matrices(streamlines, tracks=tracks)
    if streamlines:
        found = {"cluster": np.arange(len(streamlines), dtype="u2")[:, None], **found}
    dsi_studio.save(path, dict(reversed(found.items())) if after and tracks == 1 else found)


_ONE = {"per_point": ("height",), "per_streamline": ("number",)}

PACKINGS: dict[str, Packing] = {
    "trk": Packing("a.trk", trk, **_ONE),
    "trk, big endian": Packing("a.trk", partial(trk, order=">"), **_ONE),
    "trk.gz": Packing("a.trk.gz", partial(trk, packed=True), **_ONE),
    "trk.gz, big endian": Packing("a.trk.gz", partial(trk, order=">", packed=True), **_ONE),
    **{
        f"tck{'.gz' * packed}, {kind}": Packing(
            f"a.tck{'.gz' * packed}", partial(tck, datatype=kind, packed=packed), per_point=("height",)
        )
        for kind in ("Float32LE", "Float32BE", "Float64LE", "Float64BE")
        for packed in (False, True)
    },
    **{
        f"trx, {dtype}, {name}": Packing("a.trx", partial(trx, dtype=dtype, offsets=offsets, method=method), **_ONE)
        for dtype, offsets in (("float16", "uint64"), ("float32", "uint32"), ("float64", "uint64"))
        for name, method in (
            ("stored", zipfile.ZIP_STORED),
            ("deflated", zipfile.ZIP_DEFLATED),
            ("LZMA", zipfile.ZIP_LZMA),
            ("bzip2", zipfile.ZIP_BZIP2),
            ("folder", None),
        )
    },
    **{
        f"{ending}, {version}, {'text' if text else 'binary'}, {dtype}": Packing(
            f"a.{ending}", partial(legacy, version=version, text=text, dtype=dtype), **_ONE
        )
        for ending in ("vtk", "fib")
        for version in (42, 51)
        for text in (False, True)
        for dtype in ("f4", "f8")
    },
    "vtp, text": Packing("a.vtp", partial(xml, mode="Ascii"), **_ONE),
    **{
        f"vtp, {mode}, {packer}, {dtype}, {'big' if big else 'little'} endian": Packing(
            "a.vtp", partial(xml, mode=mode, packer=packer, dtype=dtype, big=big), **_ONE
        )
        for mode in ("Binary", "Appended")
        for packer in ("None", "ZLib", "LZ4", "LZMA")
        for dtype, big in (("f4", False), ("f8", True))
    },
    "vtp, appended as text": Packing("a.vtp", partial(xml, encoded=True), **_ONE),
    "fib that is XML inside": Packing("a.fib", xml, **_ONE),
    "vtk that is XML inside": Packing("a.vtk", xml, **_ONE),
    "vtp that is legacy inside": Packing("a.vtp", legacy, **_ONE),
    "tt": Packing("a.tt", tt, per_streamline=("cluster",)),
    "tt.gz": Packing("a.tt.gz", tt, per_streamline=("cluster",)),
    "tt.gz, three matrices": Packing("a.tt.gz", partial(tt, tracks=3), per_streamline=("cluster",)),
    "tt.gz, place last": Packing("a.tt.gz", partial(tt, after=True), per_streamline=("cluster",)),
}
"""By what they are."""
