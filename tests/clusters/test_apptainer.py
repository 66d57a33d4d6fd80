"""The image that ``apptainer.def`` makes, as clusters run it: read-only, contained, with no home and no network.

``APPTAINER`` is the command, which may start containers without network and as another user, as root's may. ``SIF`` is
the image.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import phantoms
import pytest
import slurm
from engines import command
from waiting import processes, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

FAULTS = Path(__file__).parents[1] / "helpers/faults"
HOOK = "import os; p = '/faults/sitecustomize.py'; os.path.exists(p) and exec(open(p).read(), {})\n"
"""Makes workers fail where such faults are bound: the image looks at no PYTHONPATH."""
CONTAINED = ("--containall", "--no-home", "--net", "--network", "none")
SOMEONE = ("--security", "uid:12345", "--security", "gid:12345")
SMALL = ("--size", "64", "--views", "left", "--nprocs", "1")


def apptainer(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Apptainer."""
    called = [*command("APPTAINER"), *map(str, arguments)]
    return subprocess.run(called, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image as a folder, which runs as the file does: a file that can't be mounted is unpacked each time."""
    folder = tmp_path_factory.mktemp("image") / "unpacked"
    done = apptainer("build", "--sandbox", folder, *command("SIF"))
    assert done.returncode == 0, done.stderr
    (site,) = folder.glob("opt/tractcap/lib/python3*/site-packages")
    (site / "faults.pth").write_text(HOOK)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder that is the containers' /scratch, with two bundles in it, that any user may write to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "in").mkdir()
    for number in range(2):
        phantoms.save(folder / f"in/b{number}.tck", phantoms.asymmetric_bundle(seed=number))
    return folder


def at(scratch: Path) -> tuple[str, ...]:
    """The options of a container that sees the folder. Its processes are found by the variable."""
    return (*CONTAINED, "--bind", f"{scratch}:/scratch", "--env", f"MARK={scratch}")


DRAW = ("/scratch/in", "/scratch/out", "participant", *SMALL)


def mosaics(scratch: Path) -> list[str]:
    return sorted(path.name for path in scratch.rglob("*_mosaic.png"))


def test_the_demo_in_256_mb(scratch: Path) -> None:
    """The file itself, as root: the home is the image's, and can't be written."""
    demo = ("demo", "/scratch/out", "participant", "--size", "100", "--views", "left")
    done = apptainer("run", *at(scratch), "--env", "MAX_MEMORY_MB=256", *command("SIF"), *demo)
    assert done.returncode == 0, done.stderr
    assert "memory 256 MB, bound by MAX_MEMORY_MB" in done.stderr
    assert len(mosaics(scratch)) == 15


def test_another_user_and_the_status_of_each_failure(unpacked: Path, scratch: Path) -> None:
    """This user has no name, and a home that it may not enter."""
    run = ("run", *at(scratch), *SOMEONE, unpacked)
    whole = (scratch / "in/b0.tck").read_bytes()
    (scratch / "in/b0.tck").write_bytes(whole[:-200])
    broken = apptainer(*run, *DRAW, "--mem", "256")
    assert broken.returncode == 1, broken.stderr
    assert "memory 256 MB, bound by --mem" in broken.stderr
    assert "failed: /scratch/in/b0.tck" in broken.stderr
    assert mosaics(scratch) == ["b1_mosaic.png"]
    assert (scratch / "out/figures/b1_mosaic.png").stat().st_uid == 12345
    assert apptainer(*run, *DRAW, "--views", "behind").returncode == 2
    (scratch / "empty").mkdir()
    assert apptainer(*run, "/scratch/empty", "/scratch/out", "participant").returncode == 3
    assert apptainer(*run, *DRAW, "--mem", "20").returncode == 4


def test_the_hosts_python_and_locale_are_not_looked_at(unpacked: Path, scratch: Path) -> None:
    (scratch / "foreign/numpy").mkdir(parents=True)
    (scratch / "foreign/numpy/__init__.py").write_text("raise ImportError('of another Python')")
    host = "PYTHONPATH=/scratch/foreign,PYTHONHOME=/nowhere,LC_ALL=de_DE.ISO-8859-1,GALLIUM_DRIVER=swr"
    done = apptainer("run", *at(scratch), "--env", host, unpacked, *DRAW)
    assert done.returncode == 0, done.stderr
    assert len(mosaics(scratch)) == 2
    by_name = apptainer("exec", *at(scratch), "--env", host, unpacked, "tractcap", "--version")
    assert by_name.stdout.startswith("tractcap "), by_name.stderr


def test_stop(unpacked: Path, scratch: Path) -> None:
    child = subprocess.Popen([*command("APPTAINER"), "run", *never_ending(scratch), str(unpacked), *DRAW])
    try:
        assert_it_ends(scratch, child.terminate)
        assert child.wait(60) == 143
    finally:
        child.kill()
    assert_it_goes_on(unpacked, scratch)


def test_an_instance(unpacked: Path, scratch: Path) -> None:
    name = f"tractcap-{os.getpid()}"
    started = apptainer("instance", "run", *never_ending(scratch), unpacked, name, *DRAW)
    assert started.returncode == 0, started.stderr
    assert_it_ends(scratch, lambda: apptainer("instance", "stop", name))
    assert_it_goes_on(unpacked, scratch)


def never_ending(scratch: Path) -> tuple[str, ...]:
    """Options with which the second bundle's first file is never ended."""
    return (*at(scratch), "--bind", f"{FAULTS}:/faults:ro", "--env", "FAULT=unsynced:b1")


def alive(scratch: Path) -> list[str]:
    return processes(f"MARK={scratch}\0".encode(), b"/opt/tractcap/bin/python")


def assert_it_ends(scratch: Path, stop: Callable[[], object]) -> None:
    """While a file is being written, it is stopped: within 5 seconds neither process nor file is left."""
    until(lambda: list(scratch.rglob(".b1*.part")), "a file that is being written")
    assert len(alive(scratch)) >= 2
    stop()
    until(lambda: not alive(scratch), "the container to end", 5)
    assert not list(scratch.rglob(".*.part"))
    assert mosaics(scratch) == ["b0_mosaic.png"]


def assert_it_goes_on(image: Path, scratch: Path) -> None:
    again = apptainer("run", *at(scratch), image, *DRAW)
    assert again.returncode == 0, again.stderr
    assert "1 drawn, 1 kept from an earlier run" in again.stderr
    assert mosaics(scratch) == ["b0_mosaic.png", "b1_mosaic.png"]


def test_the_examples_array(unpacked: Path, scratch: Path, tmp_path: Path) -> None:
    """Slurm's example with an image: the limit of the task is seen in the container."""
    assert command("SBATCH")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/apptainer"
    program.write_text(f'#!/bin/bash\nexec {" ".join(command("APPTAINER"))} "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    array = slurm.submit(unpacked, scratch / "in", scratch / "out", SMALL, TASKS="1", PATH=path)
    assert slurm.wait(array.group) == "COMPLETED", array.log(1)
    assert slurm.state(array.task(1)) == "COMPLETED", array.log(1)
    assert "memory 600 MB, bound by /sys/fs/cgroup" in array.log(1)
    assert mosaics(scratch) == ["b0_mosaic.png", "b1_mosaic.png"]
    assert (scratch / "out/group.html").exists()
