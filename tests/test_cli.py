"""The command line, run as a user runs it."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import phantoms
import pytest
from PIL import Image

from tractcap.cli import tractcap
from tractcap.cli_options import OPTIONS, PARAMETERS, repeat_options

SMALL = ("--size", "100")
VIEWS = ("left", "anterior", "superior", "right", "posterior", "inferior")


def run(
    *arguments: object, env: dict[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run tractcap with nothing in the environment that would settle the cap."""
    environ = {k: v for k, v in os.environ.items() if k != "MAX_MEMORY_MB"} | (env or {})
    command = [*prefix, sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def one_sentence(found: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert found.returncode == status, found.stderr
    assert "Traceback" not in found.stderr
    for word in words:
        assert word in found.stderr


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    phantoms.save(folder / "AF_L.trk", phantoms.asymmetric_bundle())
    phantoms.save(folder / "CST_R.tck", phantoms.asymmetric_bundle(seed=3))
    return folder


def heavy_modules(code: str) -> set[str]:
    listing = f"{code}\nimport sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    found = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.splitlines()[-1].split())
    return loaded & {"numpy", "vtkmodules", "vtk", "nibabel", "PIL", "dipy", "fury", "scipy", "matplotlib", "trx"}


def test_help_loads_nothing_heavy_and_is_cheap() -> None:
    code = "from tractcap.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert not heavy_modules(code)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = run("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found.returncode == 0
    assert "Exit status" in found.stdout
    # of the processor, not of the clock: how long it is kept waiting says nothing of it
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_the_supervisor_never_loads_anything_heavy(bundles: Path, tmp_path: Path) -> None:
    arguments = [str(bundles), str(tmp_path), "participant", "--size", "64"]
    code = (
        f"from tractcap.cli import main\ntry:\n    main({arguments})\nexcept SystemExit as e:\n    assert e.code == 0"
    )
    assert not heavy_modules(code)
    assert list(tmp_path.rglob("*_mosaic.png"))


def test_a_folder_is_drawn(bundles: Path, tmp_path: Path) -> None:
    found = run(bundles, tmp_path, "participant", *SMALL)
    assert found.returncode == 0, found.stderr
    names = {
        f"{stem}_{kind}.png" for stem in ("AF_L", "CST_R") for kind in (*(f"view-{view}" for view in VIEWS), "mosaic")
    }
    assert {path.name for path in (tmp_path / "figures").iterdir()} == names | {
        "AF_L.json", "CST_R.json", "CITATION.md", "CITATION.tex", "CITATION.bib",
    }  # fmt: skip
    made = [*(f"figures/{stem}_mosaic.png" for stem in ("AF_L", "CST_R")), "index.html"]
    assert found.stdout.split() == [str(tmp_path / name) for name in made]
    told = json.loads((tmp_path / "figures/AF_L.json").read_text())
    assert (told["Streamlines"], told["StreamlinesDrawn"], told["Sources"]) == (30, 30, ["AF_L.trk"])
    for picture in (tmp_path / "figures").glob("*.png"):
        with Image.open(picture) as image:
            assert np.asarray(image).std() > 1
            assert image.width == (300 if "mosaic" in picture.name else 100)
            assert image.height > 200 if "mosaic" in picture.name else image.height == 100
    assert json.loads((tmp_path / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(("verbose", "kept", "memory"), [((), 0, False), (("-v",), 2, False), (("-vv",), 2, True)])
def test_details_are_logged_where_asked_for(
    bundles: Path, tmp_path: Path, verbose: tuple[str, ...], kept: int, memory: bool
) -> None:
    small = ("participant", "--size", "64", "--views", "left")
    assert run(bundles, tmp_path, *small).returncode == 0
    again = run(bundles, tmp_path, *small, *verbose)
    assert len(re.findall(r"^tractcap: kept (AF_L|CST_R)", again.stderr, re.MULTILINE)) == kept, again.stderr
    # how much memory is in use is logged from time to time, so not in runs that take no time
    code = "import logging, sys; from tractcap.terminal import log_to_stderr; log_to_stderr(int(sys.argv[1]))"
    code += "; logging.getLogger('tractcap.memory').debug('memory: workers 1 MB')"
    count = str(sum(word.count("v") for word in verbose))
    logged = subprocess.run([sys.executable, "-c", code, count], capture_output=True, text=True, check=True)
    assert ("memory: workers" in logged.stderr) == memory, logged.stderr


def test_workers_import_nothing_from_the_current_folder(
    bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    code = "import sys; del sys.path[0]; from tractcap.cli import main; main()"  # as the installed command has it
    command = [sys.executable, "-c", code, str(bundles), "out", "participant", "--size", "64"]
    done = subprocess.run([*command, "--views", "left"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_one_file_and_the_same_bytes_again(bundles: Path, tmp_path: Path) -> None:
    for out in ("a", "b"):
        assert run(bundles / "AF_L.trk", tmp_path / out, "participant", *SMALL).returncode == 0
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / out).rglob("*") if p.suffix != ".jsonl" and p.is_file()}
        for out in ("a", "b")
    ]
    assert files[0] == files[1]


def test_one_scale_for_a_participant(tmp_path: Path) -> None:
    for name, seed, who in (("a", 0, "01"), ("b", 1, "01"), ("c", 2, "02")):
        path = tmp_path / f"in/sub-{who}/ses-1/dwi/sub-{who}_ses-1_{name}.tck"
        path.parent.mkdir(parents=True, exist_ok=True)
        phantoms.save(path, [s * (3 if name == "b" else 1) for s in phantoms.asymmetric_bundle(seed=seed)])
    assert run(tmp_path / "in", tmp_path / "out", "participant", *SMALL).returncode == 0
    told = [json.loads(p.read_text()) for p in sorted((tmp_path / "out").rglob("sub-*.json"))]
    scales = [one["MillimetresPerPixel"] for one in told]
    assert scales[0] == scales[1] > 2 * scales[2]
    assert (tmp_path / "out/sub-01/ses-1/figures/sub-01_ses-1_a_mosaic.png").is_file()


def test_colors_of_bundles_and_the_background(tmp_path: Path) -> None:
    """A bundle has the same colour in all participants, and words can be read on white."""
    for who in ("1", "2"):
        for bundle in ("AF_L", "CST_R"):
            path = tmp_path / f"in/sub-{who}/sub-{who}_{bundle}.tck"
            path.parent.mkdir(parents=True, exist_ok=True)
            phantoms.save(path, phantoms.asymmetric_bundle(3))
    options = ("--color", "bundle", "--background", "white", "--views", "left")
    found = run(tmp_path / "in", tmp_path / "out", "participant", *SMALL, *options)
    assert found.returncode == 0, found.stderr
    told = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out").rglob("sub-*.json")}
    colors = {name: one["Colorings"][0]["color"] for name, one in told.items()}
    assert colors["sub-1_AF_L"] == colors["sub-2_AF_L"] != colors["sub-1_CST_R"]
    with Image.open(tmp_path / "out/sub-1/figures/sub-1_AF_L_mosaic.png") as image:
        picture = np.asarray(image)
    assert np.median(picture) == 255
    assert picture.min() < 60
    again = run(tmp_path / "in", tmp_path / "out", "participant", *SMALL, *options[2:], "--color", "#ff0000")
    assert "4 drawn" in again.stderr, "another colour is another picture"


def test_data_has_one_range_for_a_participant(tmp_path: Path) -> None:
    """And a rerun keeps what is there, unless the range is another."""
    for who, bundle, high in (("1", "a", 1.0), ("1", "b", 3.0), ("2", "a", 1.0)):
        lines = phantoms.asymmetric_bundle(3)
        data = {"fa": [np.linspace(0, high, len(line), dtype="f4")[:, None] for line in lines]}
        path = tmp_path / f"in/sub-{who}/{bundle}.trk"
        path.parent.mkdir(parents=True, exist_ok=True)
        phantoms.save(path, lines, data_per_point=data)
    call = (tmp_path / "in", tmp_path / "out", "participant", *SMALL, "--views", "left", "--color", "data:fa")
    assert run(*call).returncode == 0
    told = {
        str(path.relative_to(tmp_path / "out")): json.loads(path.read_text()) for path in tmp_path.rglob("[ab].json")
    }
    ranges = {name: one["Colorings"][0]["limits"] for name, one in told.items()}
    assert ranges["sub-1/figures/a.json"] == ranges["sub-1/figures/b.json"]
    assert ranges["sub-1/figures/b.json"][1] == pytest.approx(3, abs=0.1)
    assert ranges["sub-2/figures/a.json"][1] == pytest.approx(1, abs=0.1)
    assert {(one["Colorings"][0]["kind"], one["Colorings"][0]["name"]) for one in told.values()} == {("data", "fa")}
    assert "0 drawn, 3 kept" in run(*call).stderr
    assert "3 drawn" in run(*call, "--color-range", "0,1").stderr
    assert "3 drawn" in run(*call, "--color-range", "group").stderr
    grouped = [json.loads(path.read_text())["Colorings"][0]["limits"] for path in tmp_path.rglob("[ab].json")]
    assert grouped == [ranges["sub-1/figures/b.json"]] * 3
    one_sentence(run(*call, "--color-range", "1,0"), 2, "--color-range")
    one_sentence(run(*call[:3], "--color-range", "0,1"), 2, "--color data:NAME")


@pytest.mark.parametrize("labels", [("01", "03"), ("sub-01", "sub-03")])
def test_participants_are_chosen(tmp_path: Path, labels: tuple[str, ...]) -> None:
    for who in ("01", "02", "03"):
        (tmp_path / f"in/sub-{who}").mkdir(parents=True)
        phantoms.save(tmp_path / f"in/sub-{who}/AF.tck", phantoms.asymmetric_bundle(3))
    found = run(
        tmp_path / "in", tmp_path / "out", "participant", *SMALL, "--participant_label", *labels, "--views", "left"
    )
    assert found.returncode == 0, found.stderr
    assert sorted(p.name for p in (tmp_path / "out").glob("sub-*/")) == ["sub-01", "sub-03"]
    one_sentence(
        run(tmp_path / "in", tmp_path / "out", "participant", "--participant-label", "99"), 3, "participant 99"
    )


def test_equal_names_in_two_folders_and_formats_do_not_meet(tmp_path: Path) -> None:
    for name in ("sub-1/tracts/AF.trk", "sub-1/bundles/AF.trk", "sub-1/bundles/AF.tck", "sub-1/CST.trk"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        phantoms.save(tmp_path / "in" / name, phantoms.asymmetric_bundle(3))
    assert run(tmp_path / "in", tmp_path / "out", "participant", *SMALL, "--views", "left").returncode == 0
    assert sorted(p.name for p in (tmp_path / "out").rglob("*_mosaic.png")) == [
        "CST_mosaic.png",
        "sub-1+bundles+AF.tck_mosaic.png",
        "sub-1+bundles+AF.trk_mosaic.png",
        "sub-1+tracts+AF.trk_mosaic.png",
    ]


def test_bad_input_leaves_the_good_beside_it_alone(tmp_path: Path) -> None:
    data = tmp_path / "in"
    data.mkdir()
    good = phantoms.asymmetric_bundle(5)
    phantoms.save(data / "good.trk", good)
    whole = (data / "good.trk").read_bytes()
    (data / "words.tck").write_text("no tractogram")
    (data / "cut.trk").write_bytes(whole[:-100])
    (data / "zero.trx").write_bytes(b"")
    (data / "dangling.tck").symlink_to(tmp_path / "nowhere")
    phantoms.save(data / "none.trk", [])
    (data / "billions.trk").write_bytes(whole[:988] + (2_000_000_000).to_bytes(4, "little") + whole[992:])
    (data / "voxels.trk").write_bytes(whole[:12] + bytes(4) + whole[16:])
    phantoms.save(data / "nan.trk", [*good, np.full((5, 3), np.nan, np.float32)])
    found = run(data, tmp_path / "out", "participant", *SMALL)
    one_sentence(found, 1, "2 drawn, 1 empty, 6 failed", f"{data / 'none.trk'} holds no streamlines")
    assert {p.name for p in (tmp_path / "out").rglob("*_mosaic.png")} == {"good_mosaic.png", "nan_mosaic.png"}
    errors = [line for line in found.stderr.splitlines() if str(data) in line]
    summary = [line for line in errors if line.startswith("tractcap: failed: ")]
    assert len(errors) == 1 + 12, found.stderr
    assert len({line.split(str(data))[1].split()[0] for line in summary}) == 6, (
        "each is named as it fails and at the end"
    )
    assert "nan.trk: left out 1 of 6 streamlines" in found.stderr


def test_an_unreadable_file_and_output(tmp_path: Path) -> None:
    """Root may read anything, so it gives that up."""
    data, locked = tmp_path / "in", tmp_path / "locked"
    data.mkdir()
    locked.mkdir(mode=0o555)
    phantoms.save(data / "good.trk", phantoms.asymmetric_bundle(5))
    phantoms.save(data / "secret.trk", phantoms.asymmetric_bundle(5)).chmod(0)
    drop = "-dac_override,-dac_read_search"
    plain = ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}") if os.getuid() == 0 else ()
    found = run(data, tmp_path / "out", "participant", *SMALL, prefix=plain)
    one_sentence(found, 1, "secret.trk can't be read: Permission denied", "1 drawn, 1 failed")
    one_sentence(run(data, locked, "participant", *SMALL, prefix=plain), 2, str(locked), "Permission denied")


def test_a_missing_input_and_one_that_holds_nothing(tmp_path: Path) -> None:
    one_sentence(run(tmp_path / "nowhere", tmp_path, "participant"), 2, "nowhere doesn't exist")
    (tmp_path / "empty").mkdir()
    one_sentence(run(tmp_path / "empty", tmp_path, "participant"), 3, "holds no tractogram")
    one_sentence(run(tmp_path / "empty", tmp_path / "empty/file/below", "participant"), 3)
    (tmp_path / "file").touch()
    one_sentence(run(tmp_path / "empty", tmp_path / "file", "participant"), 2, "can't be written")


@pytest.mark.parametrize("cap", ["0", "-5", "1.5G", "lots", ""])
def test_a_cap_that_is_none(bundles: Path, tmp_path: Path, cap: str) -> None:
    one_sentence(run(bundles, tmp_path, "participant", env={"MAX_MEMORY_MB": cap}), 2, "MAX_MEMORY_MB")
    one_sentence(run(bundles, tmp_path, "participant", "--mem", cap), 2, "--mem")


def test_the_option_beats_the_variable(bundles: Path, tmp_path: Path) -> None:
    found = run(bundles, tmp_path, "participant", "--dry-run", "--mem_mb", "700", env={"MAX_MEMORY_MB": "500"})
    assert found.returncode == 0
    assert "Budget: memory 700 MB, bound by --mem" in found.stdout
    assert not list(tmp_path.iterdir()), "a dry run writes nothing"


def test_a_cap_that_is_too_small_says_what_would_do(bundles: Path, tmp_path: Path) -> None:
    found = run(bundles, tmp_path, "participant", "--mem", "100")
    one_sentence(found, 4, "can be drawn in 100 MB", "give at least")
    found = run(bundles, tmp_path, "participant", "--mem", found.stderr.split("give at least ")[1].split(" MB")[0])
    one_sentence(found, 4, "AF_L.trk can't be drawn in", "it takes")
    enough = found.stderr.split("it takes ")[1].split(" MB")[0]
    assert "edges not smoothed" in run(bundles, tmp_path, "participant", "--mem", enough, "--dry-run").stdout
    found = run(bundles / "AF_L.trk", tmp_path, "participant", "--mem", enough)
    assert found.returncode == 0, found.stderr
    told = json.loads((tmp_path / "figures/AF_L.json").read_text())
    assert told["SamplesPerPixel"] == 1
    assert "edges are not smoothed" in told["Notes"][0]
    assert "AF_L.trk: edges are not smoothed" in found.stderr


def test_what_a_job_takes_can_be_said(bundles: Path, tmp_path: Path) -> None:
    options = ("participant", "--dry-run", "--json", "--mem", "1000", "--safety-margin", "0.5")
    plan = json.loads(run(bundles, tmp_path, *options, "--mem-per-job", "400M").stdout)
    assert [job["need"] for job in plan["jobs"]] == [400 * 2**20] * 2
    assert plan["workers"]["workers"] == 1
    assert plan["room"] == 468 * 2**20
    one_sentence(run(bundles, tmp_path, *options, "--mem-per-job", "900M"), 4, "it takes 1864 MB")


def test_memory_that_allows_fewer_workers_is_a_warning(bundles: Path, tmp_path: Path) -> None:
    found = run(bundles, tmp_path, "participant", "--mem", "400", "--nprocs", "2", "--dry-run")
    assert "memory allows 1 worker at once instead of 2" in found.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--views", "left,behind"),
        ("--nprocs", "0"),
        ("--size", "5"),
        ("--color", "mauve"),
        ("--background", "#12"),
        ("--no-such-option",),
    ],
)
def test_bad_options(bundles: Path, tmp_path: Path, option: tuple[str, ...]) -> None:
    one_sentence(run(bundles, tmp_path, "participant", *option), 2, option[0])


def test_demo(tmp_path: Path) -> None:
    found = run("demo", tmp_path / "out", "participant", "--participant-label", "1", *SMALL)
    assert found.returncode == 0, found.stderr
    assert len(list((tmp_path / "out/sub-1/figures").glob("*_mosaic.png"))) == 3
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        ".bidsignore",
        "README.md",
        "dataset_description.json",
        "logs",
        "sub-1",
        "sub-1.html",
    ]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_nothing_behind(tmp_path: Path, number: int, status: int) -> None:
    phantoms.save(tmp_path / "large.trk", phantoms.ragged(200) * 500)
    command = [sys.executable, "-m", "tractcap", tmp_path / "large.trk", tmp_path / "out", "participant"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
        assert child.stderr is not None
        while "worker" not in child.stderr.readline():
            assert child.poll() is None
        workers = list(Path("/proc").glob(f"{child.pid}/task/*/children"))
        while not (pids := " ".join(p.read_text() for p in workers).split()):
            time.sleep(0.01)
        child.send_signal(number)
        assert child.wait(5) == status
        assert "interrupted" in child.stderr.read()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "in out participant --participant-label 1 2",
            "in out participant --participant-label 1 --participant-label 2",
        ),
        ("--participant-label 1 in out participant", "--participant-label 1 in out participant"),
        ("in out participant --mem 500 -v", "in out participant --mem 500 -v"),
        (
            "in out participant --session-id=a b --dry-run --participant_label x y",
            "in out participant --session-id=a --session-id b --dry-run --participant_label x --participant_label y",
        ),
        *(
            (
                f"{before} in out participant {before} --participant-label 1 2",
                f"{before} in out participant {before} --participant-label 1 --participant-label 2",
            )
            for before in ("-vvv", "-vv", "-v -v", "-w/dir", "-w dir", "-vw dir", "-vvw/dir", "--work_dir dir", "--fit")
        ),
        ("-w/dir in out participant --layout a b", "-w/dir in out participant --layout a --layout b"),
        ("in out participant --tract-label A -- --b c", "in out participant --tract-label A -- --b c"),
        ("in out participant --metric FA=a MD --overwrite", "in out participant --metric FA=a --metric MD --overwrite"),
    ],
)
def test_several_labels_behind_one_option(given: str, expected: str) -> None:
    assert repeat_options(given.split(), PARAMETERS) == expected.split()


@pytest.mark.parametrize(
    ("option", "text", "expected"),
    [
        ("--participant-label", "01,sub-02", ["01", "sub-02"]),
        ("--session-label", "1,2", ["1", "2"]),
        ("--tract-label", "AF,CST,", ["AF", "CST"]),
        ("--tract-label", "", [""]),
        ("--metric", "FA,MD=/a,b/md.nii,RD", ["FA", "MD=/a,b/md.nii", "RD"]),
        ("--scalar", "FA=a,b/fa.nii,MD=md.nii", ["FA=a,b/fa.nii", "MD=md.nii"]),
        ("--roi", "a,b/s.nii:red,left=t.nii", ["a,b/s.nii:red", "left=t.nii"]),
        ("--surface", "lh.pial,right=rh.pial", ["lh.pial", "right=rh.pial"]),
        ("--peaks", "a,b/p.nii:voxel,x=q.nii", ["a,b/p.nii:voxel", "x=q.nii"]),
        ("--label-names", "a=a.tsv,lut.txt", ["a=a.tsv", "lut.txt"]),
        ("--odf", "wmfod.mif.gz,b=a,b/o.nii:mrtrix", ["wmfod.mif.gz", "b=a,b/o.nii:mrtrix"]),
        ("--group-by", "site,scanner", ["site", "scanner"]),
        ("--layout", "{participant}/a,b/{bundle},x/{participant}", ["{participant}/a,b/{bundle}", "x/{participant}"]),
    ],
)
def test_commas_between_what_an_option_takes(option: str, text: str, expected: list[str]) -> None:
    """Every option that takes several understands them; a test of another fails here until it is told of."""
    several = {one.opts[0]: one for one in tractcap.params if isinstance(one, click.Option) and one.multiple}
    assert set(several) == {
        "--participant-label",
        "--session-label",
        "--tract-label",
        "--metric",
        "--scalar",
        "--roi",
        "--label-names",
        "--surface",
        "--peaks",
        "--odf",
        "--layout",
        "--group-by",
    }
    context = tractcap.make_context("tractcap", ["in", "out", "participant", option, text])
    values = context.params[several[option].name or ""]
    assert [getattr(value, "text", value) for value in values] == expected


@pytest.mark.parametrize("name", ["--mem-mb", "--mem_mb", "--work_dir", "--dry_run", "--n_cpus", "--tract_label"])
def test_names_with_underscores_are_understood(name: str) -> None:
    parameter = next(one for one in tractcap.params if name.replace("_", "-") in one.opts)
    value = [] if isinstance(parameter, click.Option) and parameter.is_flag else ["7"]
    context = tractcap.make_context("tractcap", ["in", "out", "participant", name, *value])
    assert context.params[parameter.name or ""] not in (None, (), False)


def test_help_shows_all_options_in_groups() -> None:
    text = tractcap.get_help(tractcap.make_context("tractcap", ["in", "out", "participant"]))
    for title, options in OPTIONS.items():
        section = text.split(f"\n{title}:\n")[1].split("\n\n")[0]
        assert [option.opts[0] for option in options if f"  {option.opts[0]}" not in section] == []
    about = text.split("\nAbout tractcap:\n")[1]
    assert [name for name in ("--self-test", "--version", "--help") if name not in about] == []
    assert about.count("--") == 3


NAMES = [
    b"new\nline",
    b"<script>alert(1)<",
    b"not-utf-8-\xff",
    b"-dash",
    "\u05e9\u05dc\u05d5\u05dd \U0001f9e0".encode(),
    b"x" * 251,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_kinds(tmp_path: Path, name: str) -> None:
    data, out = tmp_path / "in", tmp_path / "out"
    data.mkdir()
    phantoms.save(data / "plain.trk", phantoms.asymmetric_bundle(3)).rename(data / os.fsdecode(name + b".trk"))
    command = [sys.executable, "-m", "tractcap", data, out, "participant", *SMALL, "--views", "left"]
    for words in (b"1 drawn", b"0 drawn, 1 kept"):
        found = subprocess.run(command, capture_output=True, check=False)
        assert found.returncode == 0, found.stderr
        assert words in found.stderr
        assert all(line.startswith(b"tractcap: ") for line in found.stderr.splitlines()), "a message is one line"
    (mosaic,) = out.rglob("*_mosaic.png")
    (sidecar,) = (out / "figures").glob("*.json")
    told = json.loads(sidecar.read_text())
    assert os.fsencode(told["Sources"][0]) == name + b".trk"
    assert told["Pictures"][-1] == mosaic.name


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(bundles: Path, tmp_path: Path, closed: str) -> None:
    arguments = f"{bundles / 'AF_L.trk'} {tmp_path} participant --size 64 --views left"
    assert subprocess.run(f"{sys.executable} -m tractcap {arguments} {closed}", shell=True, check=False).returncode == 0
    assert list(tmp_path.rglob("*_mosaic.png"))


def test_a_file_that_may_not_grow_is_named(bundles: Path, tmp_path: Path) -> None:
    found = run(
        bundles, tmp_path, "participant", "--size", "400", prefix=("bash", "-c", 'ulimit -f 10; exec "$@"', "-")
    )
    one_sentence(found, 1, "AF_L_view-left.png can't be read or written: File too large", "2 failed")
    assert not list(tmp_path.rglob("*.part"))


def test_a_changed_tsf_is_another_picture(tmp_path: Path) -> None:
    bundle = phantoms.asymmetric_bundle(5)
    (tmp_path / "in").mkdir()
    phantoms.save(tmp_path / "in/a.tck", bundle)
    call = (tmp_path / "in", tmp_path / "out", "participant", *SMALL, "--views", "left", "--color", "data:fa")
    for high, words in ((1.0, "1 drawn"), (1.0, "1 kept"), (2.0, "1 drawn")):
        if words == "1 drawn":
            values = [np.linspace(0, high, len(s)).astype("f4") for s in bundle]
            phantoms.save_tsf(tmp_path / "in/a_fa.tsf", values)
        assert words in run(*call).stderr


def test_a_reference_in_another_space_is_said_in_picture_log_and_sidecar(tmp_path: Path) -> None:
    shifted = [s + np.float32([0, 0, 150]) for s in phantoms.asymmetric_bundle(5)]
    phantoms.save(tmp_path / "a.trk", shifted)
    head = phantoms.save_head(tmp_path / "t1.nii.gz")
    found = run(tmp_path / "a.trk", tmp_path / "out", "participant", *SMALL, "--reference", head)
    assert found.returncode == 0
    assert "100.0 % of the points lie outside t1.nii.gz" in found.stderr
    told = json.loads((tmp_path / "out/figures/a.json").read_text())
    assert told["PointsOutsideReference"] == 1
    with Image.open(tmp_path / "out/figures/a_view-left.png") as image:
        assert "100.0 % of the points lie outside t1.nii.gz" in image.text["Description"]
        assert image.text["Software"].startswith("tractcap ")
        assert image.info["dpi"][0] == pytest.approx(25.4 / told["MillimetresPerPixel"], rel=0.01)


def test_an_overview_says_what_is_not_in_it(bundles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(bundles, folder)
    phantoms.save(folder / "bad.trk", phantoms.asymmetric_bundle(30))
    cut = (folder / "bad.trk").read_bytes()
    (folder / "bad.trk").write_bytes(cut[:-200])
    out = tmp_path / "out"
    found = run(folder, out, "participant", *SMALL, "--overview")
    assert found.returncode == 1
    told = json.loads((out / "figures/desc-overview.json").read_text())
    assert len(told["Sources"]) == 2
    assert told["Streamlines"] == 60
    assert "not in the picture: bad" in told["Notes"]
    again = run(folder, out, "participant", *SMALL, "--overview")
    assert "0 drawn, 2 kept" in again.stderr
    assert "bundles together" not in again.stderr, "the overview is kept too"


def test_an_overview_of_the_only_bundle_that_could_be_drawn(tmp_path: Path) -> None:
    """It is not taken for that bundle's own pictures: both are told of, and the page is made."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("bad", "good"):
        phantoms.save(folder / f"{name}.trk", phantoms.asymmetric_bundle(30))
    (folder / "bad.trk").write_bytes((folder / "bad.trk").read_bytes()[:-200])
    found = run(folder, out, "participant", *SMALL, "--overview")
    assert found.returncode == 1
    made = [Path(line).name for line in found.stdout.splitlines()]
    assert made == ["good_mosaic.png", "desc-overview_mosaic.png", "index.html"]
    assert "drew 1 bundle together" in found.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--reference", "nowhere.nii"), "nowhere.nii doesn't exist"),
        (("--scalar", "fa"), "--scalar is 'fa'"),
        (("--color", "scalar:md", "--scalar", "fa=fa.nii"), "--scalar md=IMAGE"),
        (("--anatomy", "bones"), "--anatomy names 'bones'"),
        (("--animation", "avi"), "--animation names 'avi'"),
        (("--slices-at", "1,2"), "--slices-at is '1,2'"),
        (("--color", "density", "--color-range", "group", "--batch-size", "1"), "leave out --batch-size"),
        (("--color", "position", "--color-range", "0,1"), "--color-range is for the colours of values"),
    ],
)
def test_what_is_asked_for_wrongly(bundles: Path, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    one_sentence(run(bundles, tmp_path, "participant", *options), 2, words)


def test_the_journal_begins_with_the_command_line(bundles: Path, tmp_path: Path) -> None:
    assert run(bundles, tmp_path / "out", "participant", *SMALL, "--tract-label", "AF left").returncode == 0
    (journal,) = (tmp_path / "out/logs").glob("*.jsonl")
    first = json.loads(journal.read_text().splitlines()[0])
    assert first["command"] == f"tractcap {bundles} {tmp_path}/out participant --size 100 --tract-label 'AF left'"
