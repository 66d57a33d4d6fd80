"""Surfaces lie where their files say, whatever the file's own space; what a file doesn't say is taken and said."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.freesurfer import write_geometry
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkIOLegacy import vtkPolyDataWriter
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from tractcap.errors import InputError
from tractcap.inputs.overlay_surfaces import SurfaceFile, read_surface

CENTER = np.array([-30.0, 25.0, 40.0])

VOLUME = {
    "head": np.array([2, 0, 20], np.int32),
    "valid": "1  # volume info valid",
    "filename": "x.mgz",
    "volume": np.array([256, 256, 256]),
    "voxelsize": np.array([1.0, 1, 1]),
    "xras": np.array([-1.0, 0, 0]),
    "yras": np.array([0.0, 0, -1]),
    "zras": np.array([0.0, 1, 0]),
    "cras": np.array([3.5, -17.25, 21.0]),
}
"""A volume of FreeSurfer's, whose middle lies off the scanner's."""


def ball() -> vtkPolyData:
    source = vtkSphereSource()
    source.SetCenter(*CENTER)
    source.SetRadius(20)
    source.SetThetaResolution(12)
    source.SetPhiResolution(10)
    source.Update()
    return source.GetOutput()


def points_and_triangles() -> tuple[np.ndarray, np.ndarray]:
    data = ball()
    return (
        np.asarray(data.GetPoints().GetData()).copy(),
        np.asarray(data.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32),
    )


def save_gifti(path: Path, points: np.ndarray, triangles: np.ndarray, space: int = 0, **meta: str) -> Path:
    system = nib.gifti.GiftiCoordSystem(space, space, np.diag([9.0, 9, 9, 1]))
    arrays = [
        nib.gifti.GiftiDataArray(
            points.astype(np.float32), "NIFTI_INTENT_POINTSET", coordsys=system, meta=nib.gifti.GiftiMetaData(meta)
        ),
        nib.gifti.GiftiDataArray(triangles.astype(np.int32), "NIFTI_INTENT_TRIANGLE"),
    ]
    nib.gifti.GiftiImage(darrays=arrays).to_filename(path)
    return path


def save_vtk(path: Path, title: str = "surface", flip: bool = False) -> Path:
    data = ball()
    if flip:
        points = np.asarray(data.GetPoints().GetData())
        points[:, :2] *= -1
    writer = vtkXMLPolyDataWriter() if path.suffix == ".vtp" else vtkPolyDataWriter()
    if path.suffix == ".vtk":
        writer.SetHeader(title)
    writer.SetFileName(str(path))
    writer.SetInputData(data)
    assert writer.Write() == 1
    return path


def check(surface: SurfaceFile, space: str, note: str = "") -> None:
    points, triangles = points_and_triangles()
    assert np.abs(surface.points - points).max() < 1e-4
    assert np.array_equal(surface.triangles, triangles)
    assert (surface.space, surface.note) == (space, note)
    assert np.allclose(surface.box, [points.min(axis=0), points.max(axis=0)], atol=1e-4)


VOLUME_META = {
    "VolGeomWidth": "256", "VolGeomHeight": "256", "VolGeomDepth": "256",
    **{f"VolGeom{side}size": "1.0" for side in "XYZ"},
    **{
        f"VolGeom{side}_{axis}": str(value)
        for side in "XYZ" for axis, value in zip("RAS", VOLUME[f"{side.lower()}ras"], strict=True)
    },
    **{f"VolGeomC_{axis}": str(value) for axis, value in zip("RAS", VOLUME["cras"], strict=True)},
}  # fmt: skip

TAKEN = "doesn't say its space: RAS+ mm is taken"
MOVED = "FreeSurfer's, moved by its volume's geometry"


@pytest.mark.parametrize("ending", ["gii", "surf.gii", "gii.gz"])
@pytest.mark.parametrize(("code", "space"), [(1, "scanner"), (2, "aligned"), (3, "talairach"), (4, "mni")])
def test_a_gifti_lies_where_its_numbers_say_in_the_space_that_it_names(
    tmp_path: Path, ending: str, code: int, space: str
) -> None:
    check(read_surface(save_gifti(tmp_path / f"a.{ending}", *points_and_triangles(), code)), space)


def test_a_gifti_of_no_space_is_taken_as_ras_and_that_is_said(tmp_path: Path) -> None:
    path = save_gifti(tmp_path / "a.gii", *points_and_triangles())
    check(read_surface(path), "RAS+ mm, as it doesn't say", TAKEN)


def test_a_gifti_that_is_cut_off_is_refused_in_plain_words(tmp_path: Path) -> None:
    path = save_gifti(tmp_path / "a.gii", *points_and_triangles())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"a\.gii can't be read as a surface: its XML is cut off or damaged\.$"):
        read_surface(path)


def test_a_gifti_of_several_surfaces_says_that_the_first_is_drawn(tmp_path: Path) -> None:
    path = save_gifti(tmp_path / "a.gii", *points_and_triangles(), space=1)
    image = nib.load(path)
    nib.gifti.GiftiImage(darrays=[*image.darrays, *image.darrays]).to_filename(path)
    surface = read_surface(path)
    check(surface, "scanner", note="holds 2 surfaces: the first is drawn")


def test_a_gifti_by_freesurfer_is_moved_from_its_volumes_middle_unless_it_is_in_the_scanners_space(
    tmp_path: Path,
) -> None:
    points, triangles = points_and_triangles()
    for meta in (VOLUME_META, {key: value for key, value in VOLUME_META.items() if key.startswith("VolGeomC")}):
        path = save_gifti(tmp_path / "a.gii", points - VOLUME["cras"], triangles, 0, **meta)
        check(read_surface(path), MOVED)
    check(read_surface(save_gifti(tmp_path / "b.gii", points, triangles, 1, **VOLUME_META)), "scanner")


def save_freesurfer(path: Path, points: np.ndarray, volume: dict[str, Any] | None) -> Path:
    write_geometry(path, points, points_and_triangles()[1], volume_info=volume)
    return path


def test_a_surface_of_freesurfer_is_moved_from_its_volumes_middle(tmp_path: Path) -> None:
    points, _ = points_and_triangles()
    check(read_surface(save_freesurfer(tmp_path / "lh.pial", points - VOLUME["cras"], VOLUME)), MOVED)


def test_a_surface_of_freesurfer_turns_with_a_volume_that_is_stored_otherwise(tmp_path: Path) -> None:
    """One whose voxels run to the right, front and top: by voxels, as FreeSurfer defines both spaces."""
    stored = VOLUME | {
        "volume": np.array([180, 200, 220]), "voxelsize": np.array([1.0, 0.9, 0.8]),
        "xras": np.array([1.0, 0, 0]), "yras": np.array([0.0, 1, 0]), "zras": np.array([0.0, 0, 1]),
    }  # fmt: skip
    points, _ = points_and_triangles()
    sides, middle = stored["voxelsize"], stored["volume"] / 2
    voxels = (points - VOLUME["cras"]) / sides + middle
    away = (voxels - middle) * sides
    in_volume = np.stack([-away[:, 0], away[:, 2], -away[:, 1]], axis=1)
    check(read_surface(save_freesurfer(tmp_path / "lh.white", in_volume, stored)), MOVED)


def test_a_surface_of_freesurfer_of_the_scanner_or_without_its_volume(tmp_path: Path) -> None:
    points, _ = points_and_triangles()
    real = save_freesurfer(tmp_path / "a", points, VOLUME)
    tags = np.array([[2, 0, 20], [2, 1, 20]], ">i4")
    real.write_bytes(real.read_bytes().replace(tags[0].tobytes(), tags[1].tobytes()))
    check(read_surface(real), "FreeSurfer's, of the scanner")
    unknown = "doesn't say where its volume lies: RAS+ mm is taken, which may be centimetres off"
    lost = "FreeSurfer's, where its volume lies is unknown"
    check(read_surface(save_freesurfer(tmp_path / "b", points, None)), lost, unknown)
    check(read_surface(save_freesurfer(tmp_path / "c", points, VOLUME | {"valid": "0"})), lost, unknown)


@pytest.mark.parametrize("ending", ["vtk", "vtp"])
def test_polygons_of_vtk_lie_as_they_say_or_as_is_said_of_them(tmp_path: Path, ending: str) -> None:
    path = save_vtk(tmp_path / f"a.{ending}")
    check(read_surface(path), "RAS+ mm, as it doesn't say", TAKEN)
    check(read_surface(path, "RAS"), "RAS mm")
    check(read_surface(save_vtk(tmp_path / f"b.{ending}", flip=True), "LPS"), "LPS mm")
    if ending == "vtk":
        check(read_surface(save_vtk(tmp_path / "c.vtk", "x SPACE=LPS", flip=True), "RAS"), "LPS mm")
        with pytest.raises(InputError, match="says that its space is MNI: it must be RAS or LPS"):
            read_surface(save_vtk(tmp_path / "d.vtk", "x SPACE=MNI"))


def test_polygons_of_many_corners_are_parted_into_triangles(tmp_path: Path) -> None:
    path = tmp_path / "a.vtk"
    path.write_text(
        "# vtk DataFile Version 3.0\nSPACE=RAS\nASCII\nDATASET POLYDATA\nPOINTS 5 float\n"
        "0 0 0 9 0 0 9 9 0 0 9 0 4 4 9\nPOLYGONS 2 9\n4 0 1 2 3\n3 0 1 4\n"
    )
    surface = read_surface(path)
    assert len(surface.triangles) == 3
    assert {tuple(sorted(row)) for row in surface.triangles.tolist()} > {(0, 1, 4)}


def no_faces(path: Path) -> Path:
    return save_gifti(path / "a.gii", points_and_triangles()[0], np.zeros((0, 3), np.int32))


def not_finite(path: Path) -> Path:
    points, triangles = points_and_triangles()
    points[3] = np.nan
    return save_gifti(path / "a.gii", points, triangles)


def beyond(path: Path) -> Path:
    points, triangles = points_and_triangles()
    return save_gifti(path / "a.gii", points[:-1], triangles)


def other_data(path: Path) -> Path:
    array = nib.gifti.GiftiDataArray(np.zeros(9, np.float32), "NIFTI_INTENT_SHAPE")
    nib.gifti.GiftiImage(darrays=[array]).to_filename(path / "a.gii")
    return path / "a.gii"


def cut_off(path: Path) -> Path:
    whole = save_freesurfer(path / "lh.pial", points_and_triangles()[0], VOLUME)
    whole.write_bytes(whole.read_bytes()[:800])
    return whole


def cut_off_vtk(path: Path) -> Path:
    whole = save_vtk(path / "a.vtp")
    whole.write_bytes(whole.read_bytes()[:1500])
    return whole


def no_surface(path: Path) -> Path:
    (path / "lh.thickness").write_bytes(b"abc" * 100)
    return path / "lh.thickness"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_faces, r"a\.gii has no triangles: give a surface"),
        (not_finite, r"a\.gii has 1 points that are no numbers"),
        (beyond, r"a\.gii is damaged: its triangles name points that it doesn't have"),
        (other_data, r"a\.gii holds no points and triangles, but other data"),
        (cut_off, r"lh\.pial is damaged: it promises more points and triangles than it can hold"),
        (cut_off_vtk, r"a\.vtp is damaged: VTK can't read it as polygons; it may be cut off"),
        (no_surface, r"lh\.thickness is not a surface that is known here: give a surface"),
        (lambda path: path / "no.gii", r"no\.gii doesn't exist: give a surface"),
    ],
)
def test_what_is_no_surface_is_refused_with_a_sentence(tmp_path: Path, make: Any, words: str) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError, match=words) as refused:
        read_surface(path)
    assert str(path) in str(refused.value)
