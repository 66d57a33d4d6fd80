"""Counts, extents and lengths agree with other readers, whatever the streamlines and their grid are."""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import dsi_studio
import nibabel as nib
import numpy as np
import packings
import phantoms
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel.streamlines import Field

from tractcap.drawing.extent import measure
from tractcap.errors import InputError
from tractcap.inputs.tractograms import open_tractogram

coordinates = st.floats(-300, 300, width=32, allow_subnormal=False)
streamlines_of_any_kind = st.lists(
    st.integers(1, 12).flatmap(lambda n: arrays(np.float32, (n, 3), elements=coordinates)), min_size=1, max_size=12
)
orders = st.sampled_from(["".join(axes) for axes in itertools.product(*(("LR"), ("PA"), ("IS")))])
grids = st.tuples(
    st.permutations(range(3)), st.tuples(*[st.sampled_from([-1, 1])] * 3), st.tuples(*[st.floats(0.5, 4)] * 3)
)
peers = settings(max_examples=40, deadline=None, derandomize=True)


def agree(path: Path, theirs: list[np.ndarray], tolerance: float = 1e-3) -> None:
    """Our reader's points, and what is measured of them, against a peer's streamlines."""
    tractogram = open_tractogram(path)
    chunks = list(tractogram.chunks(50))
    assert sum(chunk.started for chunk in chunks) == len(theirs)
    assert len(theirs) <= tractogram.header.streamlines
    found = np.concatenate([chunk.points[chunk.new] for chunk in chunks])
    np.testing.assert_allclose(found, np.concatenate(theirs), atol=tolerance)
    drawable = [one.astype(np.float64) for one in theirs if len(one) > 1]
    if not drawable:
        with pytest.raises(InputError, match="can't be drawn"):
            measure(tractogram, 50, lambda points: None)
        return
    extent = measure(tractogram, 50, lambda points: None)
    points = np.concatenate(drawable)
    np.testing.assert_allclose(extent.low, points.min(axis=0), atol=tolerance)
    np.testing.assert_allclose(extent.high, points.max(axis=0), atol=tolerance)
    lengths = [np.linalg.norm(np.diff(one, axis=0), axis=1).sum() for one in drawable]
    told = extent.lengths.dump()
    assert told["Minimum"] == pytest.approx(min(lengths), abs=0.01)
    assert told["Maximum"] == pytest.approx(max(lengths), abs=0.01)
    assert extent.tally.mean_length == pytest.approx(np.mean(lengths), abs=0.01)


@peers
@given(streamlines=streamlines_of_any_kind, grid=grids, order=orders, ending=st.sampled_from(["trk", "tck"]))
def test_nibabel_writes_and_reads(streamlines: list[np.ndarray], grid: tuple, order: str, ending: str) -> None:
    """On grids of any orientation, whose header may say another order than their matrix."""
    axes, signs, sizes = grid
    matrix = np.eye(4)
    matrix[:3, :3] = (np.diag(signs) @ np.diag(sizes))[:, list(axes)]
    matrix[:3, 3] = [-20, 30, 7]
    header = {
        Field.VOXEL_TO_RASMM: matrix,
        Field.VOXEL_SIZES: np.linalg.norm(matrix[:3, :3], axis=0),
        Field.DIMENSIONS: (50, 60, 70),
        Field.VOXEL_ORDER: order,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        nib.streamlines.save(nib.streamlines.Tractogram(streamlines, affine_to_rasmm=np.eye(4)), path, header=header)
        agree(path, list(nib.streamlines.load(path).streamlines), 2e-3)


@peers
@given(streamlines=streamlines_of_any_kind, packed=st.booleans(), folder=st.booleans())
def test_trx_python_writes_and_reads(streamlines: list[np.ndarray], packed: bool, folder: bool) -> None:
    import trx.trx_file_memmap as tmm

    with tempfile.TemporaryDirectory() as place:
        path = phantoms.save_trx(Path(place) / "a.trx", streamlines, compressed=packed, folder=folder)
        theirs = tmm.load(str(path))
        agree(path, [np.array(one) for one in theirs.streamlines])
        theirs.close()


@peers
@given(streamlines=streamlines_of_any_kind, text=st.booleans(), name=st.sampled_from(["a.vtk", "a.vtp", "a.fib"]))
def test_vtk_writes_and_reads(streamlines: list[np.ndarray], text: bool, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if path.suffix == ".vtp":
            packings.xml(path, streamlines, mode="Ascii" if text else "Appended")
        else:
            packings.legacy(path, streamlines, text=text)
        agree(path, by_vtk(path), 1e-3 if not text else 2e-3)


def by_vtk(path: Path) -> list[np.ndarray]:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOLegacy import vtkPolyDataReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    reader = vtkXMLPolyDataReader() if path.suffix == ".vtp" else vtkPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    data = reader.GetOutput()
    points = vtk_to_numpy(data.GetPoints().GetData())
    found = []
    for number in range(data.GetNumberOfCells()):
        cell = data.GetCell(number)  # VTK fills the same one again
        found.append(points[[cell.GetPointId(at) for at in range(cell.GetNumberOfPoints())]])
    return found


def by_nibabel(path: Path) -> list[np.ndarray]:
    return list(nib.streamlines.load(path).streamlines)


def by_trx_python(path: Path) -> list[np.ndarray]:
    import trx.trx_file_memmap as tmm

    theirs = tmm.load(str(path))
    found = [np.array(one) for one in theirs.streamlines]
    theirs.close()
    return found


def test_scipy_reads_steps_of_all_sizes_as_we_do(tmp_path: Path) -> None:
    """From -127 to 127 of 32 a voxel in each direction, on an oblique grid."""
    random = np.random.default_rng(3)
    turned = np.linalg.qr(random.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turned * [1.5, 2, 1.25], [-20, 30, 7]
    steps = [
        np.cumsum(np.vstack([random.integers(-3000, 3000, (1, 3)), random.integers(-127, 128, (n, 3))]), 0)
        for n in (0, 1, 5, 400, 0, 90)
    ]
    lines = [one / 32 @ affine[:3, :3].T + affine[:3, 3] for one in steps]
    path = dsi_studio.save(tmp_path / "a.tt.gz", dsi_studio.matrices(lines, affine, tracks=2))
    agree(path, dsi_studio.load(path))
    agree(path, lines)


READ_BY: list[tuple[str, Callable[[Path], list[np.ndarray]]]] = [
    ("trk", by_nibabel),
    ("trk, big endian", by_nibabel),
    ("tck, Float32LE", by_nibabel),
    ("tck, Float32BE", by_nibabel),
    ("trx, float16, stored", by_trx_python),
    ("trx, float32, deflated", by_trx_python),
    ("trx, float64, stored", by_trx_python),
    ("trx, float32, folder", by_trx_python),
    *((what, dsi_studio.load) for what in packings.PACKINGS if what.startswith("tt")),
    *((what, by_vtk) for what in packings.PACKINGS if what.startswith(("vtk, ", "vtp, ", "fib, "))),
]


@pytest.mark.parametrize(("what", "peer"), READ_BY, ids=lambda one: one if isinstance(one, str) else "")
def test_peers_read_our_tests_files_as_we_do(
    tmp_path: Path, what: str, peer: Callable[[Path], list[np.ndarray]]
) -> None:
    """What the tests of formats write by hand is what these formats are."""
    path = tmp_path / packings.PACKINGS[what].name
    packings.PACKINGS[what].write(path, packings.exact())
    agree(path, peer(path), 0)
