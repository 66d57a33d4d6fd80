"""Whatever goes wrong of one file, at whatever place and in whatever way, costs that one alone, and is told of."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import left_files
import nibabel as nib
import numpy as np
import phantoms
import pytest
import standin
from fiber_images import save_nifti

from tractcap.limits import Watch, settle
from tractcap.records.worker_requests import Headers, WrittenFiles
from tractcap.work.prepare_jobs import prepare
from tractcap.work.run import Run
from tractcap.work.settings import Settings

FAULTS = Path(__file__).parents[1] / "helpers/faults"
OPTIONS = ("--size", "64", "--views", "left", "--checks", "shape", "--nprocs", "2", "--timeout", "8")

PLACES = ("header", "image", "outline", "measure", "read", "draw", "check", "page")
KINDS = {
    "hang": "it hung: nothing was heard",
    "raise": "UnforeseenError",
    "KILL": "SIGKILL",
    "segv": "SIGSEGV",
    "memory": "MemoryError",
}
OF_BUNDLE = ("header", "measure", "read", "draw")
"""Where a bundle fails."""
OF_FILE = ("header", "read")
"""Where it is the file that is read."""


def dataset(root: Path) -> Path:
    """A participant for each place, and one of whom nothing goes wrong; a second bundle where the first is to fail."""
    for who in (*PLACES, "good"):
        folder = root / f"sub-{who}/dwi"
        folder.mkdir(parents=True)
        for seed, bundle in enumerate(("AF", "CC") if who in OF_BUNDLE else ("AF",)):
            name = f"sub-{who}_space-ACPC_bundle-{bundle}_streamlines.tck"
            phantoms.save(folder / name, phantoms.asymmetric_bundle(8, seed=seed))
        (folder.parent / "anat").mkdir()
        phantoms.save_head(folder.parent / f"anat/sub-{who}_space-ACPC_T1w.nii.gz", voxel=8.0)
    return root


def fault(place: str, kind: str, once: str = "") -> str:
    """Of the participant that is there for this place."""
    what = {"page": "page", "image": "sub-image_", "outline": "sub-outline_"}
    named = what.get(place, f"sub-{place}_space-ACPC_bundle-AF")
    return f"{place}-{kind}:{named}" + (f":{once}" if once else "")


def run(data: Path, out: Path, *arguments: str, faults: str = "") -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, [str(FAULTS), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "FAULT": faults}
    command = [sys.executable, "-m", "tractcap", str(data), str(out), *(arguments or ("participant", *OPTIONS))]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def files(out: Path, *participants: str) -> dict[str, bytes]:
    """All files of some participants, or of everyone."""
    return {
        name: content
        for name, content in left_files.files(out).items()
        if not participants or name.split("/")[0].removesuffix(".html").removeprefix("sub-") in participants
    }


def record(out: Path, who: str, bundle: str = "AF") -> dict[str, Any]:
    return dict(
        json.loads((out / f"sub-{who}/figures/sub-{who}_space-ACPC_bundle-{bundle}_streamlines.json").read_text())
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset(tmp_path_factory.mktemp("isolation") / "in")


@pytest.fixture(scope="module")
def undisturbed(data: Path) -> Path:
    out = data.parent / "undisturbed"
    done = run(data, out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_each_place_costs_one_thing(data: Path, undisturbed: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    done = run(data, out, faults=",".join(fault(place, kind) for place in PLACES))
    assert done.returncode == 1, done.stderr
    assert files(out, "good") == files(undisturbed, "good"), "who has nothing to do with it doesn't notice"
    assert f"{len(PLACES) + 1} drawn" in done.stderr
    assert "4 failed" in done.stderr
    said = done.stderr.splitlines()

    for place in OF_BUNDLE:
        told = record(out, place)
        assert (told["Status"] in ("failed", "damaged"), told.get("Pictures", [])) == (True, [])
        assert f"sub-{place}_space-ACPC_bundle-AF" in told["Why"]
        assert KINDS[kind] in told["Why"]
        assert ("defect of tractcap" in told["Why"]) == (kind == "raise" and place not in OF_FILE)
        assert record(out, place, "CC")["Status"] == "drawn"
        assert told["Why"] in done.stderr
    for place in OF_FILE:
        assert (record(out, place)["Status"] == "damaged") == (kind in ("raise", "segv"))
        if kind == "segv":
            assert "the file is damaged, most likely; this machine is not the cause" in record(out, place)["Why"]
    for place in ("image", "outline"):
        told = record(out, place)
        assert told["Made"]["Reference"] is None
        assert any(f"sub-{place}_space-ACPC_T1w" in note for note in told["Notes"])
        assert any(KINDS[kind] in line and f"sub-{place}_space-ACPC_T1w.nii.gz" in line for line in said)
    for who in ("check", "page"):
        beside = ("_check-", "/CITATION.")  # what is written with the page and the checks
        pictures = {
            name: content
            for name, content in files(undisturbed, who).items()
            if "/" in name and not any(part in name for part in beside)
        }
        assert pictures.items() <= files(out, who).items()
    check = json.loads(
        (out / "sub-check/figures/sub-check_space-ACPC_bundle-AF_streamlines_check-shape.json").read_text()
    )
    assert (check["Status"], KINDS[kind] in check["Why"]) == ("failed", True)
    assert not (out / "sub-page.html").exists()
    assert all((out / f"sub-{place}.html").is_file() for place in PLACES if place != "page")
    assert any("the page of sub-page" in line and KINDS[kind] in line for line in said)
    assert not list(out.rglob("*.part"))


def test_a_death_at_each_place_is_made_up_for(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Each worker dies once: one retry gives the same bytes."""
    out, once = tmp_path / "out", tmp_path / "once"
    once.mkdir()
    done = run(data, out, faults=",".join(fault(place, "KILL", str(once / place)) for place in PLACES))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in once.iterdir()} == set(PLACES)
    assert files(out) == files(undisturbed)


def overlays(folder: Path) -> dict[str, Path]:
    """One of each kind, one that is spoiled only as it is drawn, and one of which nothing goes wrong."""
    grid, shape = phantoms.affine(voxel=8.0), (20, 24, 20)
    ball = {1: ((-32.0, 0.0, 0.0), 16.0)}
    found = {
        name: phantoms.save_labels(folder / f"{name}.nii.gz", ball, grid, shape) for name in ("roi", "drawn", "good")
    }
    found["peaks"] = save_nifti(folder / "peaks.nii.gz", np.ones((*shape, 3), np.float32), grid)
    found["odf"] = save_nifti(folder / "odf.nii.gz", np.ones((*shape, 6), np.float32), grid)
    found["surface"] = folder / "surface.vtk"
    found["surface"].write_text(
        "# vtk DataFile Version 3.0\nSPACE=RAS\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n-30 0 0 -20 0 0 -30 9 0\n"
        "POLYGONS 1 4\n3 0 1 2\n"
    )
    return found


def given(files: dict[str, Path]) -> list[str]:
    kinds = {"drawn": "roi", "good": "roi"}
    return [word for name, path in files.items() for word in (f"--{kinds.get(name, name)}", str(path))]


BESIDE = ("participant", "--size", "64", "--views", "left")


@pytest.mark.parametrize("kind", KINDS)
def test_an_overlay_costs_itself_alone_wherever_it_fails(tmp_path: Path, kind: str) -> None:
    """Pictures without it are kept by a rerun, which says again what they are without."""
    bundle = phantoms.save(tmp_path / "AF_L.trk", phantoms.asymmetric_bundle(8))
    beside, out = overlays(tmp_path), tmp_path / "out"
    bad, options = [name for name in beside if name != "good"], BESIDE
    if kind == "hang":  # each twice for as long as the timeout
        bad, options = ["odf", "drawn"], (*BESIDE, "--timeout", "8")
        beside = {name: beside[name] for name in (*bad, "good")}
    faults = ",".join(f"{'show' if name == 'drawn' else 'load'}-{kind}:{name}" for name in bad)
    done = run(bundle, out, *options, *given(beside), faults=faults)
    assert (done.returncode, "1 drawn" in done.stderr) == (0, True), done.stderr
    told = json.loads((out / "figures/AF_L.json").read_text())
    assert [shown["Name"] for shown in told["Overlays"]] == ["good"]
    again = run(bundle, out, *BESIDE, *given(beside))
    assert (again.returncode, "1 kept" in again.stderr) == (0, True), again.stderr
    for name in bad:
        (note,) = (note for note in told["Notes"] if note.startswith(f"{name} isn't shown: "))
        assert (beside[name].name in note, KINDS[kind] in note) == (True, True)
        assert ("--overwrite tries it again" in note) == (kind != "raise")
        for log in (done.stderr, again.stderr):
            assert f"AF_L.trk: {note}\n" in log
        assert f"{name} isn&#39;t shown: " in (out / "index.html").read_text().lower()
    beside["odf"].write_bytes(save_nifti(tmp_path / "b.nii.gz", np.ones((4, 4, 4, 15)), np.eye(4)).read_bytes())
    assert "1 drawn" in run(bundle, out, *BESIDE, *given(beside)).stderr, "it is another file now"


def test_a_death_at_an_overlay_is_made_up_for(tmp_path: Path) -> None:
    bundle = phantoms.save(tmp_path / "AF_L.trk", phantoms.asymmetric_bundle(8))
    options = (*BESIDE, *given(overlays(tmp_path)))
    run(bundle, tmp_path / "undisturbed", *options)
    for name in ("roi", "odf"):
        once = tmp_path / f"once-{name}"
        done = run(bundle, tmp_path / name, *options, faults=f"load-KILL:{name}:{once}")
        assert (done.returncode, once.exists()) == (0, True), done.stderr
        assert files(tmp_path / name) == files(tmp_path / "undisturbed")


def test_an_overlay_that_is_cut_off_after_its_header_costs_itself_alone(tmp_path: Path) -> None:
    """Of the bundles and of their overview."""
    (tmp_path / "in").mkdir()
    for name in ("AF_L", "CST_L"):
        phantoms.save(tmp_path / f"in/{name}.trk", phantoms.asymmetric_bundle(8))
    beside, out = overlays(tmp_path), tmp_path / "out"
    for path in beside.values():
        raw = path.read_bytes()
        path.write_bytes(raw if path.stem == "good.nii" else raw[: len(raw) * 2 // 3])
    done = run(tmp_path / "in", out, *BESIDE, "--overview", *given(beside))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "2 drawn" in done.stderr
    for record_file in ("figures/AF_L.json", "figures/CST_L.json", "figures/desc-overview.json"):
        told = json.loads((out / record_file).read_text())
        assert [shown["Name"] for shown in told["Overlays"]] == ["good"]
        absent = [note for note in told["Notes"] if " isn't shown: " in note]
        assert {note.partition(" ")[0] for note in absent} == set(beside) - {"good"}


@pytest.mark.parametrize("kind", ["raise", "KILL"])
def test_the_group_is_told_of_with_its_cause(undisturbed: Path, kind: str) -> None:
    done = run(undisturbed, undisturbed, "group", faults=f"group-{kind}:")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert (
        f"the group's page can't be made: {'an unexpected error' if kind == 'raise' else 'the worker'}" in done.stderr
    )
    assert KINDS[kind] in done.stderr


def test_an_image_that_was_given_is_no_chance_find(data: Path, tmp_path: Path) -> None:
    """It was meant: without it there would be other pictures than were asked for."""
    head = tmp_path / "t1.nii.gz"
    shutil.copy(data / "sub-good/anat/sub-good_space-ACPC_T1w.nii.gz", head)
    for kind in ("raise", "segv"):
        options = ("participant", *OPTIONS, "--reference", str(head))
        done = run(data, tmp_path / "out", *options, faults=f"image-{kind}:t1.nii.gz")
        assert done.returncode == 2, done.stderr
        assert f"{head}" in done.stderr
        assert KINDS[kind] in done.stderr
        assert not list((tmp_path / "out").rglob("*.png"))


def test_one_of_many_in_a_folder_costs_itself_alone(tmp_path: Path) -> None:
    """More than a worker looks at between two answers; two of them kill it, one hangs."""
    (tmp_path / "in").mkdir()
    first = phantoms.save(tmp_path / "in/n000.tck", phantoms.straight_bundle(2)).read_bytes()
    for number in range(1, 120):
        (tmp_path / f"in/n{number:03}.tck").write_bytes(first)
    faults = "header-segv:n010,header-segv:n011,header-hang:n077,header-raise:n118"
    done = run(tmp_path / "in", tmp_path / "out", "participant", *OPTIONS, "--dry-run", "--json", faults=faults)
    assert done.returncode == 1, done.stderr
    plan = json.loads(done.stdout)
    assert len(plan["jobs"]) == 116
    assert [Path(one["path"]).stem for one in plan["failed"]] == ["n010", "n011", "n077", "n118"]
    assert [one["status"] for one in plan["failed"]] == ["damaged", "damaged", "failed", "damaged"]


def test_a_damaged_image_header_of_one_participant(tmp_path: Path) -> None:
    """As public bug reports have it: nibabel raises HeaderDataError, which isn't an OSError."""
    data = tmp_path / "in"
    for who in ("01", "02"):
        folder = data / f"sub-{who}/dwi"
        folder.mkdir(parents=True)
        phantoms.save(folder / f"sub-{who}_space-T1w_bundle-UF_streamlines.tck", phantoms.asymmetric_bundle(5))
        image = data / f"sub-{who}/anat/sub-{who}_space-T1w_T1w.nii"
        image.parent.mkdir()
        nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.float32), np.diag([20.0, 20, 20, 1])), image)
    raw = bytearray(image.read_bytes())
    raw[70:72] = (4096).to_bytes(2, "little")
    image.write_bytes(raw)
    done = run(data, tmp_path / "out", "participant", "--size", "64", "--views", "left")
    assert done.returncode == 0, done.stderr
    assert "2 drawn" in done.stderr
    assert "sub-02_space-T1w_T1w.nii" in done.stderr


@pytest.mark.parametrize("action", ["headers", "measure"])
def test_an_answer_that_nobody_understands_costs_one_participant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """A defect of our own, whose sentence says so; all else of that participant is told of too."""
    usual = standin.ANSWERS[action]

    def odd(request: Any) -> Any:
        """Headers without those of a participant, or an answer of another kind."""
        if action == "measure":
            return WrittenFiles() if "sub-00001" in request.path else usual(request)
        answer = usual(request)
        return Headers(
            {path: one for path, one in answer.tractograms.items() if "sub-00001" not in path}, answer.images
        )

    monkeypatch.setitem(standin.ANSWERS, action, odd)
    settings = Settings(tmp_path / "in", tmp_path / "out")
    watch = Watch(settle, settle(), 0.2)
    planned = prepare(settings, watch, standin.StandIn(), standin.sources(30))
    outcome = Run(settings, planned, watch, standin.StandIn()).carry_out()
    assert (outcome.drawn, len(outcome.failed), outcome.whole) == (20, 10, False)
    assert all("a defect of tractcap" in why and "sub-00001" in why for why in outcome.failed.first)


def test_a_death_amid_all_checks_is_made_up_for_by_each(tmp_path: Path) -> None:
    """Checks of a bundle that are made together die together: then each is made by itself, and none is lost."""
    (tmp_path / "in").mkdir()
    phantoms.save(tmp_path / "in/CC.tck", phantoms.straight_bundle())
    options = ("--size", "64", "--views", "left", "--checks", "shape,segments")
    done = run(tmp_path / "in", tmp_path / "out", "participant", *options, faults="checks-KILL:CC")
    assert done.returncode == 0, done.stderr
    assert "the checks of CC.tck: " in done.stderr
    assert "each is tried again by itself" in done.stderr
    assert "checks: 2 done" in done.stderr


def test_a_check_that_fails_amid_others_costs_itself_alone(tmp_path: Path) -> None:
    """The others of the same bundle are there."""
    (tmp_path / "in").mkdir()
    phantoms.save(tmp_path / "in/CC.tck", phantoms.straight_bundle())
    image = tmp_path / "fa.nii"
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 9), np.float32), np.eye(4)), image)
    options = ("--size", "64", "--views", "left", "--checks", "shape,profile,segments", "--metric", f"FA={image}")
    done = run(tmp_path / "in", tmp_path / "out", "participant", *options)
    assert done.returncode == 1, done.stderr
    assert "the check profile of CC.tck: " in done.stderr
    assert "checks: 2 done, 1 failed" in done.stderr
