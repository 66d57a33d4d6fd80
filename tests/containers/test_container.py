"""The image in a real container, under real limits."""

import json
import signal
import subprocess
import time
from pathlib import Path

import golden
import large
import numpy as np
import phantoms
import pytest
import scenes
from fiber_images import mrtrix_coefficients, save_nifti
from PIL import Image

from conftest import Run, call, engine
from tractcap.drawing.views import Frame

pytestmark = [
    pytest.mark.container,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("default::golden.GoldenWarning"),
]

MB = 2**20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    tmp_path.chmod(0o755)
    return folder


def mosaics(folder: Path) -> dict[str, np.ndarray]:
    return {str(path): np.asarray(Image.open(path)) for path in folder.rglob("*_mosaic.png")}


def test_the_demo(contained: Run, data: Path, tmp_path: Path) -> None:
    done = contained(data, "demo", "/out", "participant")
    assert done.status == 0, done.stderr
    assert "memory 512 MB, bound by /sys/fs/cgroup" in done.stderr
    assert len(mosaics(tmp_path / "out")) == 15
    assert 0 < done.peak <= 512 * MB


def test_without_any_right(contained: Run, image: str, data: Path, tmp_path: Path) -> None:
    """As a user whom nobody knows, without capabilities, which nothing in the image could bring back."""
    nothing = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    done = contained(data, "demo", "/out", "participant", "--checks", "shape", options=nothing, user="12345:54321")
    assert done.status == 0, done.stderr
    assert len(mosaics(tmp_path / "out")) == 15
    find = ("run", "--rm", "--user", "0", "--entrypoint", "find", image)
    assert call(*find, "/", "-xdev", "-perm", "/6000", "-type", "f") == ""


def test_every_style_in_a_small_container(contained: Run, data: Path, tmp_path: Path) -> None:
    """All that a picture can have, at once, in 512 MB: anatomy, layers, a turntable in each format, an overview."""
    for name in ("AF_L", "CST_R"):
        phantoms.save(data / f"{name}.trk", phantoms.asymmetric_bundle())
    head = phantoms.save_head(data / "head.nii.gz", voxel=1.0)
    options = ("--reference", f"/data/{head.name}", "--opacity", "0.5", "--overview", "--views", "six,in-slice")
    done = contained(data, "/data", "/out", "participant", *options, "--animation", "gif,webp,mp4", memory="512m")
    assert done.status == 0, done.stderr
    assert not done.oom_killed
    assert "tried again" not in done.stderr
    assert len(mosaics(tmp_path / "out")) == 3
    assert {path.suffix for path in (tmp_path / "out").rglob("*_turntable.*")} == {".gif", ".webp", ".mp4"}


def test_a_file_larger_than_the_container(contained: Run, data: Path, tmp_path: Path) -> None:
    """The peak, page cache and all, is below the limit and hardly grows with the file."""
    small = large.write_trk(data / "small.trk", 100 * MB)
    first = contained(data, "/data/small.trk", "/out", "participant")
    small.unlink()
    large.write_trk(data / "large.trk", 600 * MB)
    second = contained(data, "/data/large.trk", "/out", "participant")
    for done in (first, second):
        assert done.status == 0, done.stderr
        assert not done.oom_killed
        assert 0 < done.peak <= 512 * MB
    assert second.peak <= 1.1 * first.peak
    told = json.loads((tmp_path / "out/figures/large.json").read_text())
    assert told["Streamlines"] == told["StreamlinesDrawn"] > 300_000
    assert all(picture.std() > 10 for picture in mosaics(tmp_path / "out").values())


def test_the_smallest_cap_for_a_gigabyte(contained: Run, data: Path, tmp_path: Path) -> None:
    """Six views of 800 pixels of a 1 GiB file in 256 MB; the estimate holds here too."""
    large.write_trk(data / "large.trk", 1024 * MB)
    done = contained(data, "/data/large.trk", "/out", "participant", memory="256m")
    assert done.status == 0, done.stderr
    assert not done.oom_killed
    assert 0 < done.peak <= 256 * MB
    assert "tried again" not in done.stderr
    told = json.loads((tmp_path / "out/figures/large.json").read_text())
    assert told["Streamlines"] == told["StreamlinesDrawn"] > 600_000
    assert told["SamplesPerPixel"] == 4, "not even smoothing was given up"
    (mosaic,) = mosaics(tmp_path / "out").values()
    assert mosaic.shape[1] == 2400
    assert_estimated(tmp_path / "out")


def assert_estimated(out: Path) -> int:
    """Every worker's peak lies between 0.6 and 1.0 times its estimate; returns how many were drawn.

    Pictures of small bundles are drawn one by one, where few of their points are needed: no header tells.
    """
    lines = [json.loads(line) for path in (out / "logs").glob("*.jsonl") for line in path.read_text().splitlines()]
    ratios = {line["source"]: line["peak"] / line["need"] for line in lines if line["event"] == "drawn"}
    lowest = {source: 0.35 if source.startswith("small") else 0.6 for source in ratios}
    wrong = {source: ratio for source, ratio in ratios.items() if not lowest[source] <= ratio <= 1.0}
    assert not wrong
    return len(ratios)


@pytest.mark.parametrize(
    "options",
    [
        ("--size", "800"),
        ("--size", "200", "--views", "left"),
        ("--size", "1600", "--views", "left,anterior,superior"),
        ("--size", "400", "--views", "left,anterior"),
        ("--size", "400", "--views", "left,anterior", "--reference", "/data/head.nii.gz"),
        ("--size", "400", "--views", "left,axial", "--reference", "/data/head.nii.gz", "--opacity", "0.3"),
        ("--size", "400", "--views", "left,anterior", "--roi", "/data/balls.nii.gz"),
        ("--size", "800", "--views", "left,axial", "--odf", "/data/fod.nii:mrtrix", "--reference", "/data/head.nii.gz"),
        ("--size", "200", "--views", "left", "--animation", "mp4,webp,gif", "--frames", "12"),
        ("--size", "400", "--views", "left", "--color", "density"),
    ],
    ids=" ".join,
)
def test_the_estimate_is_calibrated(contained: Run, data: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Over all formats, at 1 MB (tubes) and 20 MB (lines)."""
    for count, name in ((1_000, "small"), (15_000, "large")):
        bundle = phantoms.asymmetric_bundle(count, 100)
        for ending in phantoms.ENDINGS:
            phantoms.save(data / f"{name}-{ending.replace('.', '')}.{ending}", bundle)
    phantoms.save_head(data / "head.nii.gz", voxel=1.0)
    balls = {1: ((-33.0, 0.0, -8.0), 20.0), 2: ((30.0, -20.0, 40.0), 40.0)}
    shape = (182, 218, 182)
    if "--odf" in options:
        save_fod(data / "fod.nii", 2.0, (91, 109, 91))
    phantoms.save_labels(data / "balls.nii.gz", balls, phantoms.affine(voxel=1.0, shape=shape), shape)
    done = contained(data, "/data", "/out", "participant", *options, "--nprocs", "1", memory="1g")
    assert done.status == 0, done.stderr
    assert assert_estimated(tmp_path / "out") == 2 * len(phantoms.ENDINGS)


def save_fod(path: Path, voxel: float, shape: tuple[int, int, int]) -> None:
    """The same fibre in each voxel."""
    fod = np.broadcast_to(mrtrix_coefficients(np.array([0.0, 1.0, 0.2])).astype(np.float32), (*shape, 45))
    save_nifti(path, fod, phantoms.affine(voxel=voxel, shape=shape))


def test_the_distributions_of_a_whole_brain(contained: Run, data: Path, tmp_path: Path) -> None:
    """660 MB of them beside a bundle, in 512: only the shown slices are read."""
    save_fod(data / "fod.nii", 1.25, (145, 174, 145))
    phantoms.save(data / "bundle.trk", phantoms.asymmetric_bundle(1_000, 100))
    options = ("--size", "400", "--views", "left,axial", "--odf", "/data/fod.nii:mrtrix")
    done = contained(data, "/data/bundle.trk", "/out", "participant", *options, memory="512m")
    assert done.status == 0, done.stderr
    assert not done.oom_killed
    told = json.loads((tmp_path / "out/figures/bundle.json").read_text())
    assert told["Overlays"][0]["GlyphsInSlices"] > 20_000


UNLOCKED = ("-m", "tractcap")
"""Not through the image's door, which lets no other Python code in, such as that which makes workers fail."""


def faulty(fault: str) -> tuple[str, ...]:
    """Options with which a worker fails."""
    faults = Path(__file__).parents[1] / "helpers/faults"
    variables = ("-e", "PYTHONPATH=/faults", "-e", f"FAULT={fault}")
    return ("-v", f"{faults}:/faults:ro", *variables, "--entrypoint", "/opt/tractcap/bin/python")


def test_the_hosts_python_and_locale_are_not_looked_at(contained: Run, data: Path, tmp_path: Path) -> None:
    phantoms.save(data / "Größe_束.tck", phantoms.asymmetric_bundle())
    (tmp_path / "foreign/numpy").mkdir(parents=True)
    (tmp_path / "foreign/numpy/__init__.py").write_text("raise ImportError('of another Python')")
    host = {"PYTHONPATH": "/foreign", "PYTHONHOME": "/nowhere", "LC_ALL": "de_DE.ISO-8859-1", "GALLIUM_DRIVER": "swr"}
    variables = [word for name, value in host.items() for word in ("-e", f"{name}={value}")]
    options = (*variables, "-v", f"{tmp_path}/foreign:/foreign:ro")
    done = contained(data, "/data", "/out", "participant", "--size", "100", options=options)
    assert done.status == 0, done.stderr
    assert [Path(one).name for one in mosaics(tmp_path / "out")] == ["Größe_束_mosaic.png"]
    by_name = contained(data, "--version", options=(*options, "--entrypoint", "tractcap"))
    assert by_name.stdout.startswith("tractcap "), by_name.stderr


@pytest.mark.parametrize("once", [True, False])
def test_the_kernels_oom_killer(contained: Run, data: Path, tmp_path: Path, once: bool) -> None:
    """A worker takes shared pages, which no rlimit counts, until the kernel kills it: the job alone pays."""
    for number in range(4):
        phantoms.save(data / f"b{number}.tck", phantoms.asymmetric_bundle(seed=number))
    options = faulty("shared:b1:/out/once" if once else "shared:b1")
    arguments = (*UNLOCKED, "/data", "/out", "participant", "--size", "200", "--nprocs", "1")
    done = contained(data, *arguments, options=options)
    assert done.status == (0 if once else 1), done.stderr
    assert "SIGKILL: the kernel's OOM killer, for want of memory" in done.stderr
    assert len(mosaics(tmp_path / "out")) == (4 if once else 3)
    assert ("4 drawn, 1 tried again" if once else "3 drawn, 1 tried again, 1 failed") in done.stderr


def test_a_limit_that_shrinks_while_it_runs(image: str, data: Path, tmp_path: Path) -> None:
    """A worker hangs while the limit is lowered: what is tried again keeps to the new one."""
    out = tmp_path / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    phantoms.save(data / "b1.tck", phantoms.asymmetric_bundle())
    mounts = ("-v", f"{data}:/data:ro", "-v", f"{out}:/out")
    arguments = (*UNLOCKED, "/data", "/out", "participant", "--size", "100", "--timeout", "15")
    options = ("-d", "-m", "600m", "--memory-swap", "600m", *mounts, *faulty("hang:b1:/out/once"))
    container = call("run", *options, image, *arguments)
    try:
        while not (out / "once").exists():
            time.sleep(0.2)
            assert call("inspect", "--format", "{{.State.Running}}", container) == "true"
        call("update", "--memory", "400m", "--memory-swap", "400m", container)
        assert call("wait", container) == "0"
        logs = subprocess.run([*engine(), "logs", container], capture_output=True, text=True, check=True).stderr
        assert "the memory limit changed: 600 MB before, now memory 400 MB" in logs
        assert "1 drawn, 1 tried again" in logs
    finally:
        call("rm", "-f", container)


@pytest.mark.parametrize("user", ["0:0", "1000:1000", "12345:54321"])
def test_any_user(contained: Run, data: Path, tmp_path: Path, user: str) -> None:
    phantoms.save(data / "a.tck", phantoms.asymmetric_bundle())
    done = contained(data, "/data", "/out", "participant", "--views", "left", user=user)
    assert done.status == 0, done.stderr
    assert len(mosaics(tmp_path / "out")) == 1


def test_the_variable_and_the_container_are_checked_against_each_other(contained: Run, data: Path) -> None:
    phantoms.save(data / "a.tck", phantoms.asymmetric_bundle())
    arguments = ("/data", "/out", "participant", "--dry-run")
    below = contained(data, *arguments, options=("-e", "MAX_MEMORY_MB=400"))
    assert "memory 400 MB, bound by MAX_MEMORY_MB" in below.stderr
    above = contained(data, *arguments, options=("-e", "MAX_MEMORY_MB=4000"))
    assert "MAX_MEMORY_MB asks for 4000 MB" in above.stderr
    assert "512 MB is used" in above.stderr
    wrong = contained(data, *arguments, options=("-e", "MAX_MEMORY_MB=lots"))
    assert wrong.status == 2


def test_the_quota_of_processors_is_seen(contained: Run, data: Path) -> None:
    phantoms.save(data / "a.tck", phantoms.asymmetric_bundle())
    done = contained(data, "/data", "/out", "participant", "--dry-run", options=("--cpus", "1.0"))
    assert "; 1 CPU\n" in done.stderr


def test_stop(contained: Run, data: Path, tmp_path: Path, image: str) -> None:
    """As PID 1, where a signal without a handler does nothing."""
    large.write_trk(data / "large.trk", 300 * MB)
    out = tmp_path / "out"
    container = call(
        "run", "-d", "-m", "512m", "-v", f"{data}:/data:ro", "-v", f"{out}:/out", image, "/data", "/out", "participant"
    )
    try:
        with subprocess.Popen([*engine(), "logs", "-f", container], stderr=subprocess.PIPE, text=True) as logs:
            assert logs.stderr is not None
            while "worker" not in logs.stderr.readline():
                assert logs.poll() is None
            logs.send_signal(signal.SIGKILL)
        started = time.monotonic()
        call("stop", "-t", "20", container)
        assert time.monotonic() - started < 15, "it ended by itself, not when the engine's patience did"
        assert call("inspect", "--format", "{{.State.ExitCode}}", container) == "143"
        assert not list(out.rglob("*.part"))
    finally:
        call("rm", "-f", container)


def test_what_is_inside(image: str) -> None:
    labels = json.loads(call("image", "inspect", "--format", "{{json .Config.Labels}}", image))
    assert labels["org.opencontainers.image.title"] == "tractcap"
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert call("image", "inspect", "--format", "{{.Config.User}}", image) == "1000:1000"
    folders = "find / -xdev -type d \\( -name tests -o -name .cache \\) -not -path '/proc/*' 2>/dev/null"
    looks = f"command -v gcc cc g++ clang pip pip3; {folders}; ls -A /var/lib/apt 2>/dev/null || true"
    assert call("run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", looks) == ""


def test_the_same_pixels_as_outside(contained: Run, data: Path, tmp_path: Path) -> None:
    """Another Mesa, another Python: lines may differ by a step of brightness, not by a place."""
    path = phantoms.save(data / "a.tck", phantoms.asymmetric_bundle())
    options = ("--size", "300", "--style", "lines", "--width", "1")
    done = contained(data, "/data/a.tck", "/out", "participant", *options)
    assert done.status == 0, done.stderr
    told = json.loads((tmp_path / "out/figures/a.json").read_text())
    here = scenes.drawn(path, Frame(*map(tuple, told["Made"]["Frame"])), views=("left",), size=300, width=1.0)["left"]
    there = np.asarray(Image.open(tmp_path / "out/figures/a_view-left.png"))
    inside = slice(60, 240)
    assert there[inside, inside].std() > 10
    difference = np.abs(here.astype(int) - there)[inside, inside]
    assert difference.mean() < 1


def test_golden_pictures_in_the_image(contained: Run, data: Path, tmp_path: Path) -> None:
    """The image's Mesa draws what the golden pictures show."""
    golden.inputs(data)
    for name in golden.CASES:
        done = contained(data, "/data/bundle.trk", "/out", "participant", *golden.options(name, "/data"))
        assert done.status == 0, done.stderr
        golden.check(name, tmp_path / "out/figures/bundle_mosaic.png")


def test_every_check_of_a_hundred_thousand_streamlines(contained: Run, data: Path, tmp_path: Path) -> None:
    """All checks at once below 1 GB: each worker takes no more than was estimated, and samples are told."""
    large.write_trk(data / "AF_L.trk", 150 * MB)
    large.write_trk(data / "AF_R.trk", 30 * MB)
    for name in ("atlas", "before"):
        (tmp_path / name).mkdir()
        large.write_trk(tmp_path / name / "AF_L.trk", 30 * MB, seed=1)
    head = phantoms.save_head(tmp_path / "head.nii.gz", voxel=1.0)
    mounts = [f"{tmp_path / name}:/{name}:ro" for name in ("atlas", "before", head.name)]
    asked = ("--checks", "all", "--atlas", "/atlas", "--before", "/before", "--metric", f"FA=/{head.name}")
    done = contained(
        data, "/data", "/out", "participant", "--views", "left", *asked, "--reference", f"/{head.name}",
        memory="1000m", options=tuple(word for mount in mounts for word in ("-v", mount)),
    )  # fmt: skip
    assert done.status == 0, done.stderr
    assert "checks: 12 done, 2 missing" in done.stderr
    assert not done.oom_killed
    assert done.peak < 1000 * MB
    (log,) = (tmp_path / "out/logs").glob("*.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    needs = {line["source"]: line["peak"] / line["need"] for line in lines if line["event"] == "checked"}
    assert len(needs) == 12
    assert all(0.2 < share <= 1 for share in needs.values()), needs
    told = json.loads((tmp_path / "out/figures/AF_L_check-cci.json").read_text())
    assert told["Measures"]["Sampled"] == 2000
    assert told["Measures"]["Streamlines"] > 95_000
    assert any(note.startswith("cluster confidence is of 2,000 of") for note in told["Notes"])
