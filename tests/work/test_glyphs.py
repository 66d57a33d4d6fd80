"""Peaks and orientation distributions, from the command line to pictures, records, pages and the plan."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import phantoms
import pytest
from fiber_images import mrtrix_coefficients, save_mif, save_nifti
from PIL import Image

from tractcap.errors import SettingsError
from tractcap.limits import MB
from tractcap.records.options import ODF, PEAKS, Overlay
from tractcap.records.worker_requests import OverlayHeader
from tractcap.viz import Overlay as PythonOverlay
from tractcap.viz import TractographyVisualizer
from tractcap.work import memory_plan, overlay_options

SHAPE = (91, 109, 91)
SMALL = ("--views", "left,axial", "--size", "300")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return phantoms.save(tmp_path / "AF_L.trk", phantoms.asymmetric_bundle())


def peaks(path: Path, vector: tuple[float, ...] = (1, 0, 0)) -> Path:
    """Peaks along the scanner's x axis."""
    data = np.broadcast_to(np.array(vector, np.float32), (*SHAPE, 3))
    return save_nifti(path, data, phantoms.affine())


def record(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "figures/AF_L.json").read_text())
    return found


def red(out: Path, view: str = "axial") -> int:
    """How many pixels of a view are red."""
    picture = np.asarray(Image.open(out / f"figures/AF_L_view-{view}.png")).astype(int)
    return int(((picture[..., 0] > 100) & (picture[..., 1] < 30) & (picture[..., 2] < 30)).sum())


def test_peaks_are_drawn_recorded_and_named_and_a_rerun_draws_what_changed(tmp_path: Path, bundle: Path) -> None:
    path, out = peaks(tmp_path / "peaks.nii.gz"), tmp_path / "out"
    arguments = (bundle, out, "participant", "--peaks", f"model={path}", *SMALL)
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert red(out) > 300
    found = record(out)
    (shown,) = found["Overlays"]
    assert (shown["Kind"], shown["Name"], shown["Path"], shown["Axes"]) == ("peaks", "model", str(path), "world")
    assert shown["Space"] == "sform, scanner"
    assert 100 < shown["Glyphs"] < shown["GlyphsInSlices"]
    note = "model: the file doesn't say its peaks' axes: the scanner's are taken, as by MRtrix"
    assert note in found["Notes"]
    assert note in done.stderr
    assert "FURY" not in found["Software"], "lines need none of it"
    text = Image.open(out / "figures/AF_L_mosaic.png").text["Description"]
    assert f"{shown['Glyphs']:,} of {shown['GlyphsInSlices']:,} voxels with peaks of model" in text
    assert f"model (peaks): {path}" in (out / "index.html").read_text()

    assert "1 kept" in run(*arguments).stderr
    assert "1 drawn" in run(*arguments[:-4], f"--peaks={path}:voxel", *SMALL).stderr
    peaks(path, (0, 0, 1))
    assert "1 drawn" in run(*arguments).stderr, "the file is another one"
    assert red(out) == 0


def test_odfs_are_drawn_from_an_image_of_mrtrix_without_a_word_on_its_basis(tmp_path: Path, bundle: Path) -> None:
    data = np.broadcast_to(mrtrix_coefficients(np.array([1.0, 0.01, 0.01]), 4), (*SHAPE, 15))
    path, out = tmp_path / "wmfod.mif.gz", tmp_path / "out"
    save_mif(path, data, phantoms.affine(), "-1,+2,+3,+0")
    done = run(bundle, out, "participant", "--odf", path, "--fit", *SMALL)
    assert done.returncode == 0, done.stderr
    assert red(out) > 100
    (shown,) = record(out)["Overlays"]
    assert (shown["Kind"], shown["Axes"], shown["Basis"]) == ("odf", "world", "tournier07")
    assert record(out)["Notes"] == []
    assert "FURY" in record(out)["Software"]
    assert "ODFs of wmfod" in Image.open(out / "figures/AF_L_mosaic.png").text["Description"]


def test_slices_lead_through_the_bundle_or_where_they_are_asked_for(tmp_path: Path, bundle: Path) -> None:
    path = peaks(tmp_path / "peaks.nii.gz")
    run(bundle, tmp_path / "a", "participant", "--peaks", path, "--views", "left", "--size", "300")
    assert record(tmp_path / "a")["Made"]["SlicesAt"] == pytest.approx([-32.5, 0, 0], abs=12)
    run(bundle, tmp_path / "b", "participant", "--peaks", path, "--slices-at", "500,0,0", "--size", "300")
    assert "peaks shows nothing in the slices through 500, 0, 0 mm" not in record(tmp_path / "b")["Notes"]
    run(bundle, tmp_path / "c", "participant", "--peaks", path, "--slices-at", "500,500,500", "--size", "300")
    assert "peaks shows nothing in the slices through 500, 500, 500 mm" in record(tmp_path / "c")["Notes"]


def test_pictures_dont_grow_to_the_whole_image(tmp_path: Path, bundle: Path) -> None:
    run(bundle, tmp_path / "a", "participant", *SMALL)
    run(bundle, tmp_path / "b", "participant", "--peaks", peaks(tmp_path / "peaks.nii.gz"), *SMALL)
    assert record(tmp_path / "a")["Made"]["Frame"] == record(tmp_path / "b")["Made"]["Frame"]


@pytest.mark.parametrize("kind", ["--peaks", "--odf"])
def test_bad_images_cost_themselves_alone_and_are_said(tmp_path: Path, bundle: Path, kind: str) -> None:
    affine, ones = phantoms.affine(), np.ones((*SHAPE[:2], 9, 6), np.float32)
    affine[2, 3] += 60
    bad = {
        "3d": ones[..., 0],
        "volumes": np.ones((*SHAPE[:2], 9, 44), np.float32),
        "nan": ones * np.nan,
        "zeros": ones * 0,
        "cut": ones,
        "none": ones,
    }
    paths = {name: save_nifti(tmp_path / f"{name}.nii.gz", data, affine) for name, data in bad.items()}
    paths["cut"].write_bytes(paths["cut"].read_bytes()[:400])
    paths["none"].write_bytes(b"x" * 5000)
    out, options = tmp_path / "out", [word for path in paths.values() for word in (kind, path)]
    done = run(bundle, out, "participant", *options, "--roi", ball(tmp_path), *SMALL)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert record(out)["StreamlinesDrawn"] == 30
    for name in bad:
        assert any(note.startswith(name) and len(note) > 30 for note in record(out)["Notes"]), name
    assert "ball" in [shown["Name"] for shown in record(out)["Overlays"]]


def ball(folder: Path) -> Path:
    return phantoms.save_labels(folder / "ball.nii.gz", {1: ((-33.0, 0.0, -8.0), 12.0)}, phantoms.affine(), SHAPE)


def test_an_image_that_is_not_there_ends_the_run(tmp_path: Path, bundle: Path) -> None:
    done = run(bundle, tmp_path / "out", "participant", "--odf", tmp_path / "no.nii.gz")
    assert done.returncode == 2
    assert f"{tmp_path}/no.nii.gz doesn't exist" in done.stderr


def test_without_fury_peaks_are_drawn_and_odfs_refused(tmp_path: Path, bundle: Path) -> None:
    block = tmp_path / "blocked/sitecustomize.py"
    block.parent.mkdir()
    block.write_text("import sys\nsys.modules['fury'] = None\n")
    odf = save_nifti(tmp_path / "fod.nii.gz", np.ones((9, 9, 9, 6), np.float32), phantoms.affine())
    lines, out = peaks(tmp_path / "peaks.nii.gz"), tmp_path / "out"
    command = [sys.executable, "-m", "tractcap", bundle, out, "participant", "--peaks", lines, "--odf", odf, *SMALL]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env={"PYTHONPATH": str(block.parent)}
    )
    assert done.returncode == 0, done.stderr
    assert "fod.nii.gz isn't drawn, since FURY is not installed: pip install" in done.stderr
    assert [shown["Name"] for shown in record(out)["Overlays"]] == ["peaks"]
    assert red(out) > 300


@pytest.mark.parametrize(
    ("peaks", "odfs", "expected"),
    [
        (["a/peaks.nii.gz"], [], Overlay(PEAKS, "peaks", "a/peaks.nii.gz")),
        (["x=peaks.nii:bvec"], [], Overlay(PEAKS, "x", "peaks.nii", frame="bvec")),
        ([], ["fod.mif.gz"], Overlay(ODF, "fod", "fod.mif.gz")),
        ([], ["a:b/fod.nii:descoteaux07"], Overlay(ODF, "fod", "a:b/fod.nii", None, "voxel", "descoteaux07")),
        (
            [],
            ["w=fod.nii:world:descoteaux07_legacy"],
            Overlay(ODF, "w", "fod.nii", None, "world", "descoteaux07_legacy"),
        ),
    ],
)
def test_what_is_asked_for_is_read(peaks: list[str], odfs: list[str], expected: Overlay) -> None:
    assert overlay_options.parse({PEAKS: peaks, ODF: odfs}) == (expected,)


@pytest.mark.parametrize(
    ("peaks", "odfs", "words"),
    [
        (
            ["peaks.nii:mrtrix"],
            [],
            "--peaks peaks.nii:mrtrix: 'mrtrix' isn't known; after the image may stand axes of world",
        ),
        (
            [],
            ["fod.nii:blue"],
            "--odf fod.nii:blue: 'blue' isn't known; after the image may stand axes of world, voxel",
        ),
        ([], ["=fod.nii"], "--odf is '=fod.nii': give a file"),
        (["a/x.nii"], ["b/x.nii"], "two overlays are called 'x': give each a name"),
    ],
)
def test_what_cannot_be_understood_is_refused(peaks: list[str], odfs: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match="^" + words):
        overlay_options.parse({PEAKS: peaks, ODF: odfs})


def test_glyphs_are_in_the_plan_by_the_values_of_their_slices() -> None:
    header = OverlayHeader(1, 1, ((0, 0, 0), (1, 1, 1)), values=3 * 174 * 145 * 45)
    assert 60 * MB < memory_plan.geometry([header]) < 200 * MB
    assert memory_plan.geometry([header, header]) > memory_plan.geometry([header]) + 3 * 174 * 145 * 45 * 8


def test_python_takes_peaks_and_odfs(tmp_path: Path, bundle: Path) -> None:
    odf = save_nifti(tmp_path / "fod.nii.gz", np.ones((9, 9, 9, 6), np.float32), phantoms.affine(voxel=20))
    overlays = [
        PythonOverlay("peaks", peaks(tmp_path / "p.nii.gz"), axes="world"),
        PythonOverlay("odf", odf, name="model", basis="descoteaux07", axes="world"),
        PythonOverlay("roi", ball(tmp_path), color="vermillion"),
    ]
    visualizer = TractographyVisualizer(tmp_path / "out", overlays=overlays, n_jobs=1)
    results = visualizer.run_quality_check_workflow({"1": {"AF_L": bundle}}, size=128, skip_checks=["all"])
    assert results["1"]["AF_L"], results
    found = json.loads((tmp_path / "out/sub-1/figures/AF_L.json").read_text())
    said = [(one["Kind"], one["Name"], one.get("Axes"), one.get("Basis")) for one in found["Overlays"]]
    assert said == [
        ("roi", "ball", None, None),
        ("peaks", "p", "world", None),
        ("odf", "model", "world", "descoteaux07"),
    ]
    assert found["Made"]["Overlays"][2]["colors"] == {"": [213, 94, 0]}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"kind": "peak"}, "x.nii can't be an overlay of the kind 'peak': give roi, surface, peaks, odf"),
        ({"kind": "peaks", "color": "red"}, "x.nii is an overlay of the kind peaks, which has no color"),
        ({"kind": "peaks", "basis": "mrtrix"}, "x.nii is an overlay of the kind peaks, which has no basis"),
        ({"kind": "roi", "axes": "world"}, "x.nii is an overlay of the kind roi, which has no axes"),
        ({"kind": "roi", "color": "redish"}, "the color of x.nii is 'redish': give #rrggbb"),
        ({"kind": "odf", "axes": "mrtrix"}, "the overlay x.nii: 'mrtrix' isn't known"),
        ({"kind": "odf", "basis": "voxel"}, "the overlay x.nii: voxel names axes, and no basis"),
    ],
)
def test_python_refuses_what_an_overlay_cannot_be(words: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match="^" + why):
        PythonOverlay(path="x.nii", **words)
