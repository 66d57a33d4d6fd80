"""What lies beside the streamlines, from the command line to pictures, records, pages and the plan."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import phantoms
import pytest
from nibabel.freesurfer import write_geometry
from PIL import Image
from vtkmodules.vtkFiltersSources import vtkSphereSource

from tractcap.color_names import parse_color
from tractcap.errors import SettingsError
from tractcap.limits import MB
from tractcap.records.options import ROI, SURFACE, Overlay, RenderSettings
from tractcap.records.worker_requests import OverlayHeader
from tractcap.viz import TractographyVisualizer
from tractcap.work import memory_plan, overlay_options

CENTER = (-33.0, 0.0, -8.0)
SMALL = ("--views", "left,anterior", "--size", "200")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return phantoms.save(tmp_path / "AF_L.trk", phantoms.asymmetric_bundle())


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    return phantoms.save_labels(tmp_path / "ball.nii.gz", {1: (CENTER, 12.0)}, phantoms.affine(), (91, 109, 91))


def record(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "figures/AF_L.json").read_text())
    return found


def orange(out: Path) -> int:
    """How many pixels of the left view are of the region's colour."""
    picture = np.asarray(Image.open(out / "figures/AF_L_view-left.png")).astype(int)
    red, green, blue = np.moveaxis(picture, -1, 0)
    return int(((red > 60) & (red > green + 15) & (blue < 30)).sum())


def test_a_region_is_drawn_recorded_and_named_and_a_rerun_draws_what_changed(
    tmp_path: Path, bundle: Path, ball: Path
) -> None:
    out = tmp_path / "out"
    arguments = (bundle, out, "participant", "--roi", f"seed={ball}:vermillion", *SMALL)
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert orange(out) > 200
    (shown,) = record(out)["Overlays"]
    assert shown["Name"] == "seed"
    assert shown["Path"] == str(ball)
    assert shown["Voxels"] == np.count_nonzero(nib.load(ball).get_fdata())
    assert shown["Triangles"] > 1000
    assert shown["Space"] == "sform, aligned"
    assert "FURY" in record(out)["Software"]
    page = (out / "index.html").read_text()
    assert f"seed (roi): {ball}" in page
    assert "Regions of interest are shown beside the streamlines" in page
    assert "FURY: advanced scientific visualization" in page

    again = run(*arguments)
    assert "1 kept" in again.stderr
    plain = run(bundle, out, "participant", *SMALL)
    assert "1 drawn" in plain.stderr
    assert orange(out) == 0
    assert "FURY" not in record(out)["Software"]
    run(*arguments)
    nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), phantoms.affine()).to_filename(ball)
    changed = run(*arguments)
    assert "1 drawn" in changed.stderr, "the file is another one"
    assert record(out)["Overlays"][0]["Voxels"] == 8


def test_labels_stand_in_the_legend_by_name_and_number(tmp_path: Path, bundle: Path) -> None:
    balls = {4: (CENTER, 12.0), 9: ((-28.0, 45.0, 35.0), 10.0)}
    path = phantoms.save_labels(tmp_path / "two.nii.gz", balls, phantoms.affine(), (91, 109, 91))
    out = tmp_path / "out"
    assert run(bundle, out, "participant", "--roi", path, *SMALL).returncode == 0
    (overlay,) = record(out)["Made"]["Overlays"]
    assert list(overlay["colors"]) == ["4", "9"]
    assert overlay["colors"]["4"] != overlay["colors"]["9"]
    assert record(out)["Overlays"][0]["Labels"] == 2
    mosaic = np.asarray(Image.open(out / "figures/AF_L_mosaic.png"))
    for color in overlay["colors"].values():
        assert (mosaic[-30:] == color).all(axis=2).sum() > 20, "a swatch below the pictures"


def test_labels_that_share_a_colour_are_said(tmp_path: Path, bundle: Path) -> None:
    balls = {1 + number: ((-60.0 + 5 * number, 0.0, 30.0), 2.5) for number in range(24)}
    path = phantoms.save_labels(tmp_path / "many.nii.gz", balls, phantoms.affine(), (91, 109, 91))
    done = run(bundle, tmp_path / "out", "participant", "--roi", path, *SMALL)
    notes = record(tmp_path / "out")["Notes"]
    (sentence,) = (note for note in notes if "share" in note)
    assert sentence.startswith("the 24 labels of many have 2")
    assert sentence in done.stderr
    with Image.open(tmp_path / "out/figures/AF_L_mosaic.png") as picture:
        assert sentence in picture.info["Description"]


def test_labels_have_the_names_and_colours_of_a_table(tmp_path: Path, bundle: Path) -> None:
    """Of one beside the image, unless another is given; a rerun draws what a table calls otherwise."""
    balls = {4: (CENTER, 12.0), 9: ((-28.0, 45.0, 35.0), 10.0)}
    path = phantoms.save_labels(tmp_path / "x_dseg.nii.gz", balls, phantoms.affine(), (91, 109, 91))
    out, table = tmp_path / "out", tmp_path / "x_dseg.tsv"
    table.write_text("index\tname\tcolor\n4\tThalamus\t#ff0080\n")
    arguments = (bundle, out, "participant", "--roi", f"seg={path}", *SMALL)
    assert run(*arguments).returncode == 0
    (overlay,), (shown,) = record(out)["Made"]["Overlays"], record(out)["Overlays"]
    assert overlay["colors"]["4"] == [255, 0, 128]
    assert overlay["colors"]["9"] != [255, 0, 128]
    assert shown["LabelNames"] == {"4": "Thalamus"}
    assert shown["LabelTable"] == str(table)
    assert "seg: 1 of 2 labels have no name in x_dseg.tsv" in record(out)["Notes"]
    mosaic = np.asarray(Image.open(out / "figures/AF_L_mosaic.png"))
    assert (mosaic[-30:] == [255, 0, 128]).all(axis=2).sum() > 20, "a swatch below the pictures"
    assert "1 kept" in run(*arguments).stderr
    table.write_text("index\tname\tcolor\n4\tCaudate\t#ff0080\n9\tPutamen\t#00ff00\n")
    assert "1 drawn" in run(*arguments).stderr
    assert record(out)["Overlays"][0]["LabelNames"] == {"4": "Caudate", "9": "Putamen"}
    assert not np.array_equal(mosaic, np.asarray(Image.open(out / "figures/AF_L_mosaic.png"))), "its legend"

    lut = tmp_path / "lut.txt"
    lut.write_text("4 Left-Lateral-Ventricle 120 18 134 0\n")
    for given in (f"seg={lut}", lut):
        assert run(*arguments, "--label-names", given).returncode == 0
        assert record(out)["Overlays"][0]["LabelNames"] == {"4": "Left-Lateral-Ventricle"}
    table.write_bytes(b"\xff\xfe")
    assert run(*arguments).returncode == 0
    assert "LabelNames" not in record(out)["Overlays"][0]
    assert any(note.startswith("seg: its labels have no names: ") for note in record(out)["Notes"])


def test_tables_of_names_that_are_for_nothing_are_refused(tmp_path: Path, bundle: Path, ball: Path) -> None:
    for given, why in (
        (tmp_path / "no.txt", "there is no file"),
        (f"other={bundle}", "there isn't a region called other"),
    ):
        done = run(bundle, tmp_path / "out", "participant", "--roi", ball, "--label-names", given)
        assert done.returncode == 2
        assert why in done.stderr


def test_what_lies_outside_the_reference_or_the_picture_is_said(tmp_path: Path, bundle: Path, ball: Path) -> None:
    head = phantoms.save_head(tmp_path / "head.nii.gz")
    edge = phantoms.save_labels(
        tmp_path / "edge.nii.gz", {1: ((-90.0, 0.0, 0.0), 12.0)}, phantoms.affine() - np.eye(4, k=3) * 20, (91, 109, 91)
    )
    far = phantoms.affine()
    far[0, 3] += 1000
    away = phantoms.save_labels(tmp_path / "away.nii.gz", {1: ((967.0, 0.0, -8.0), 12.0)}, far, (91, 109, 91))
    out = tmp_path / "out"
    done = run(
        bundle, out, "participant", "--reference", head, "--roi", edge, "--roi", away, "--roi", ball, *SMALL
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    notes = record(out)["Notes"]
    (share,) = [note for note in notes if "of edge lies outside head.nii.gz" in note]
    assert 40 < float(share.partition(" ")[0]) < 60
    assert "100.0 % of away lies outside head.nii.gz" in notes
    assert "away lies outside the picture" in notes
    assert not any("ball" in note for note in notes)
    assert "away lies outside the picture" in done.stderr


def test_a_region_beside_a_bundle_is_in_the_frame(tmp_path: Path, bundle: Path) -> None:
    path = phantoms.save_labels(tmp_path / "r.nii.gz", {1: ((40.0, 60.0, 50.0), 9.0)}, phantoms.affine(), (91, 109, 91))
    assert run(bundle, tmp_path / "out", "participant", "--roi", path, *SMALL).returncode == 0
    low, high = record(tmp_path / "out")["Made"]["Frame"]
    assert high == pytest.approx([49, 69, 59], abs=1.5)
    assert low[0] < -40


def test_a_surface_is_drawn_recorded_and_kept_apart_from_one_without_faces(tmp_path: Path, bundle: Path) -> None:
    """FreeSurfer's, of a volume whose middle lies elsewhere; it is where it belongs, to two pixels."""
    source = vtkSphereSource()
    source.SetRadius(20)
    source.SetThetaResolution(40)
    source.SetPhiResolution(40)
    source.Update()
    points = np.asarray(source.GetOutput().GetPoints().GetData()) + CENTER
    triangles = np.asarray(source.GetOutput().GetPolys().GetConnectivityArray()).reshape(-1, 3)
    middle = np.array([10.0, -20.0, 30.0])
    volume = {
        "head": np.array([2, 0, 20], np.int32), "valid": "1", "filename": "x", "volume": np.array([256, 256, 256]),
        "voxelsize": np.ones(3), "xras": np.array([-1.0, 0, 0]), "yras": np.array([0.0, 0, -1]),
        "zras": np.array([0.0, 1, 0]), "cras": middle,
    }  # fmt: skip
    write_geometry(tmp_path / "lh.pial", points - middle, triangles, volume_info=volume)
    write_geometry(tmp_path / "rh.pial", points, triangles[:0], volume_info=volume)
    out = tmp_path / "out"
    surfaces = ("--surface", f"{tmp_path}/lh.pial:vermillion", "--surface", tmp_path / "rh.pial")
    done = run(bundle, out, "participant", *surfaces, *SMALL)
    assert done.returncode == 0, done.stderr
    (shown,) = record(out)["Overlays"]
    assert (shown["Kind"], shown["Name"], shown["Triangles"]) == ("surface", "lh.pial", len(triangles))
    assert shown["Space"] == "FreeSurfer's, moved by its volume's geometry"
    assert any("rh.pial has no triangles" in note for note in record(out)["Notes"])
    low, high = (np.array(corner) for corner in record(out)["Made"]["Frame"])
    pixel = record(out)["MillimetresPerPixel"]
    picture = np.asarray(Image.open(out / "figures/AF_L_view-left.png")).astype(int)
    rows, columns = np.nonzero((picture[..., 0] > 40) & (picture[..., 1] < picture[..., 0] / 2))
    y, z = (low[1] + high[1]) / 2 + (99.5 - columns) * pixel, (low[2] + high[2]) / 2 + (99.5 - rows) * pixel
    inside = np.hypot(y - CENTER[1], z - CENTER[2]) < 30  # else it is the legend
    y, z = y[inside], z[inside]
    assert [y.min(), y.max(), z.min(), z.max()] == pytest.approx([-20, 20, -28, 12], abs=2 * pixel)


def test_bad_masks_cost_themselves_alone_and_are_said(tmp_path: Path, bundle: Path, ball: Path) -> None:
    empty = np.zeros((91, 109, 91), np.float32)
    unknown = empty.copy()
    unknown[4] = np.nan
    bad = {"empty": empty, "nan": unknown, "four": np.stack([empty + 1] * 2, axis=-1), "none": empty}
    paths = [tmp_path / f"{name}.nii.gz" for name in bad]
    for path, values in zip(paths, bad.values(), strict=True):
        nib.Nifti1Image(values, phantoms.affine()).to_filename(path)
    paths[-1].write_bytes(b"x" * 5000)
    out, options = tmp_path / "out", [word for path in paths for word in ("--roi", path)]
    done = run(bundle, out, "participant", *options, "--roi", f"seed={ball}:vermillion", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert orange(out) > 200
    for path, name in zip(paths, bad, strict=True):
        assert f"{path} " in done.stderr
        assert any(note.startswith(f"{name} isn't shown: {name}.nii.gz ") for note in record(out)["Notes"]), name
    assert [shown["Name"] for shown in record(out)["Overlays"]] == ["seed"]


def test_a_mask_that_is_not_there_ends_the_run(tmp_path: Path, bundle: Path) -> None:
    done = run(bundle, tmp_path / "out", "participant", "--roi", tmp_path / "no.nii.gz")
    assert done.returncode == 2
    assert f"{tmp_path}/no.nii.gz doesn't exist" in done.stderr


def test_without_fury_an_overlay_is_refused_with_what_to_install_and_all_else_is_drawn(
    tmp_path: Path, bundle: Path, ball: Path
) -> None:
    block = tmp_path / "blocked/sitecustomize.py"
    block.parent.mkdir()
    block.write_text("import sys\nsys.modules['fury'] = None\n")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "tractcap", bundle, out, "participant", "--roi", ball, *SMALL]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env={"PYTHONPATH": str(block.parent)}
    )
    assert done.returncode == 0, done.stderr
    assert "FURY is not installed: pip install" in done.stderr
    assert record(out)["StreamlinesDrawn"] == 30
    assert any("FURY is not installed" in note for note in record(out)["Notes"])
    assert "FURY" not in record(out)["Software"]


def test_fury_is_loaded_only_where_it_is_needed() -> None:
    code = "import sys, tractcap.work.worker_actions, tractcap.drawing.canvas; print('fury' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/seed.nii.gz", Overlay(ROI, "seed", "a/seed.nii.gz")),
        ("left=seed.nii", Overlay(ROI, "left", "seed.nii")),
        ("left=seed.mgz:orange", Overlay(ROI, "left", "seed.mgz", (230, 159, 0))),
        ("seed.nii.gz:#010203", Overlay(ROI, "seed", "seed.nii.gz", (1, 2, 3))),
        ("subjects/1/surf/lh.pial", Overlay(SURFACE, "lh.pial", "subjects/1/surf/lh.pial")),
        ("hemi-L_white.surf.gii:white", Overlay(SURFACE, "hemi-L_white", "hemi-L_white.surf.gii", (255, 255, 255))),
        ("a=b/c:d/seed.nii.gz", Overlay(ROI, "a", "b/c:d/seed.nii.gz")),
        ("/data/x=1/seed.nii.gz", Overlay(ROI, "seed", "/data/x=1/seed.nii.gz")),
    ],
)
def test_what_is_asked_for_is_read(text: str, expected: Overlay) -> None:
    assert overlay_options.parse({expected.kind: [text]}) == (expected,)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["seed.nii.gz:pink"], "--roi is 'pink': give #rrggbb, or one of"),
        (["=seed.nii.gz"], "--roi is '=seed.nii.gz': give a file"),
        (["left="], "--roi is 'left=': give a file"),
        (["a/seed.nii.gz", "b/seed.nii.gz"], "two overlays are called 'seed'"),
    ],
)
def test_what_cannot_be_understood_is_refused(texts: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match="^" + words.replace("(", r"\(")):
        overlay_options.parse({ROI: texts})


@pytest.mark.parametrize("path", ["study=1/seed.nii.gz", "a:b/seed.nii.gz", "a=b:c/lh:pial", "lh:pial"])
@pytest.mark.parametrize("color", ["", ":orange"])
@pytest.mark.parametrize("name", ["", "left="])
def test_files_whose_paths_hold_the_signs_of_options_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, color: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).touch()
    (overlay,) = overlay_options.parse({ROI: [name + path + color]})
    assert overlay.path == path
    assert overlay.color == (parse_color("orange", "") if color else None)
    assert overlay.name == (name[:-1] or Path(path).name.removesuffix(".nii.gz"))


def test_python_takes_files_and_actors(tmp_path: Path, bundle: Path, ball: Path) -> None:
    """An actor of FURY, moved by its own matrix, lies where that puts it, in its colours; the caller's process draws
    nothing."""
    from fury.actor import sphere

    balls = sphere(np.array([[0.0, 0, 0], [0, 40, 40]]), colors=np.array([[1.0, 0, 0], [0, 0, 1]]), radii=10)
    balls.SetPosition(*CENTER)
    subjects = {"sub-1": {"AF_L": str(bundle)}}
    mesh = tmp_path / "m.vtk"
    mesh.write_text(
        "# vtk DataFile Version 3.0\nSPACE=RAS\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0 9 0 0 9 9 0\n"
        "POLYGONS 1 4\n3 0 1 2\n"
    )
    files = [f"seed={ball}:vermillion", mesh, balls]

    def draw() -> dict[str, Any]:
        visualizer = TractographyVisualizer(tmp_path / "out", overlays=files, n_jobs=1)
        results = visualizer.run_quality_check_workflow(subjects, size=200, skip_checks=["all"])
        assert results["sub-1"]["AF_L"], results
        found: dict[str, Any] = json.loads((tmp_path / "out/sub-1/figures/AF_L.json").read_text())
        return found | {"status": results["sub-1"]["AF_L"].status}

    told = draw()
    assert [(shown["Kind"], shown["Name"]) for shown in told["Overlays"]] == [
        ("roi", "seed"), ("surface", "m"), ("surface", "actor 3"),
    ]  # fmt: skip
    assert told["Made"]["Overlays"][2]["box"] == [
        pytest.approx([-43, -10, -18], abs=0.2), pytest.approx([-23, 50, 42], abs=0.2),
    ]  # fmt: skip
    picture = np.asarray(Image.open(tmp_path / "out/sub-1/figures/AF_L_view-superior.png")).astype(int)
    assert ((picture[..., 2] > 40) & (picture[..., 0] < 10) & (picture[..., 1] < 10)).sum() > 50, "the blue one"
    assert draw()["status"] == "kept"


def test_python_refuses_a_file_given_twice_and_one_that_is_no_list(tmp_path: Path, ball: Path) -> None:
    with pytest.raises(SettingsError, match="two overlays are called 'ball': give each a name"):
        TractographyVisualizer(tmp_path / "out", overlays=[ball, ball])
    with pytest.raises(SettingsError, match=r"overlays is '.*': give a list"):
        TractographyVisualizer(tmp_path / "out", overlays=ball)


def test_an_actor_that_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  actors need it
    from vtkmodules.vtkFiltersSources import vtkLineSource
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    line, mapper, source = vtkActor(), vtkPolyDataMapper(), vtkLineSource()
    mapper.SetInputConnection(source.GetOutputPort())
    line.SetMapper(mapper)
    with pytest.raises(SettingsError, match="the overlay actor 1 has no polygons"):
        TractographyVisualizer(tmp_path, overlays=[line])
    with pytest.raises(SettingsError, match="the overlay actor 1 is 7: give a file, or an actor of FURY or VTK"):
        TractographyVisualizer(tmp_path, overlays=[7])


def test_what_does_not_fit_into_memory_is_left_out_and_said(tmp_path: Path, bundle: Path) -> None:
    """The bundle fits into the cap, the surface of a large region with it doesn't."""
    values = np.zeros((150, 150, 150), np.uint8)
    values[2:-2:2, 2:-2, 2:-2] = 1
    nib.Nifti1Image(values, phantoms.affine(voxel=1.0)).to_filename(tmp_path / "large.nii.gz")
    out = tmp_path / "out"
    done = run(bundle, out, "participant", "--roi", tmp_path / "large.nii.gz", "--mem", "400", *SMALL)
    assert done.returncode == 0, done.stderr
    (note,) = [note for note in record(out)["Notes"] if "large" in note]
    assert note.startswith("large isn't shown: there is no memory for it: give ")
    assert record(out)["Overlays"] == []
    assert note in done.stderr


def test_overlays_are_in_the_plan_and_merged_not_drawn_in_pieces() -> None:
    render = RenderSettings(20_000, (2, 2))
    header = OverlayHeader(1, 1, ((0, 0, 0), (1, 1, 1)), voxels=10**6, block=10**6, triangles=100_000)
    plain = memory_plan.Workload(4, (800, 800, 800, 800), 10**6)
    with_two = memory_plan.Workload(
        4, plain.sizes, plain.points, sheets=4, geometry=memory_plan.geometry([header, header])
    )
    more = memory_plan.need(with_two, render) - memory_plan.need(plain, render)
    buffers = 4 * 1600 * 1600 * memory_plan.BYTES_PER_SAMPLE
    assert buffers + 60 * MB < more < buffers + 120 * MB
    pieces = [memory_plan.of_piece(workload, render, range(2)) for workload in (plain, with_two)]
    assert memory_plan.need(*pieces[0]) == memory_plan.need(*pieces[1])
    assert memory_plan.geometry([]) == memory_plan.making([]) == 0
    small = memory_plan.Workload(1, (64,), 100, making=300 * MB)
    assert memory_plan.need(small, RenderSettings(20_000, (1,))) > 300 * MB, (
        "surfaces are made before anything is drawn"
    )
