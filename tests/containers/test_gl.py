"""Systems without OSMesa: with EGL, which draws in its place, and with none that can draw."""

import subprocess
from pathlib import Path

import numpy as np
import phantoms
import pytest
from conftest import call, engine
from PIL import Image

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]

SYSTEM = """
FROM docker.io/library/debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 libegl1 libegl-mesa0
COPY --from={image} /opt/tractcap /opt/tractcap
ENTRYPOINT ["/opt/tractcap/bin/python", "/opt/tractcap/entrypoint.py"]
"""


@pytest.fixture(scope="module")
def with_egl(image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A system that has EGL and no OSMesa."""
    folder = tmp_path_factory.mktemp("egl")
    (folder / "Dockerfile").write_text(SYSTEM.format(image=image))
    call("build", "--network", "host", "-t", "tractcap-test-egl", str(folder))
    return "tractcap-test-egl"


def draw(folder: Path, image: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Draw a bundle in a container."""
    (folder / "in").mkdir(exist_ok=True)
    phantoms.save(folder / "in/a.tck", phantoms.asymmetric_bundle())
    command = [*engine(), "run", "--rm", "--network", "none", "--user", "0", "-v", f"{folder}:/here", *options, image]
    arguments = ("/here/in", f"/here/{image.split('/')[-1]}", "participant", "--size", "300", "--n-cpus", "2")
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_egl_draws_the_same(image: str, with_egl: str, tmp_path: Path) -> None:
    assert draw(tmp_path, image).returncode == 0
    done = draw(tmp_path, with_egl)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("libEGL.so.1 draws in its place") == 1
    pictures = sorted((tmp_path / image).rglob("*.png"))
    assert len(pictures) == 7
    for path in pictures:
        ours, other = (np.asarray(Image.open(one)).astype(int) for one in (path, swap(path, image, with_egl)))
        assert np.abs(ours - other).max() <= 2, path.name


def swap(path: Path, image: str, other: str) -> Path:
    """The same picture of another image."""
    return Path(str(path).replace(f"/{image}/", f"/{other}/"))


def test_an_egl_that_can_not_draw(with_egl: str, tmp_path: Path) -> None:
    assert_told(draw(tmp_path, with_egl, "-e", "__EGL_VENDOR_LIBRARY_DIRS=/nowhere"))


def test_neither(image: str, tmp_path: Path) -> None:
    library = call("run", "--rm", "--entrypoint", "sh", image, "-c", "ls /usr/lib/*/libOSMesa.so.8.0.0")
    assert_told(draw(tmp_path, image, "-v", f"/dev/null:{library}:ro"))


def assert_told(done: subprocess.CompletedProcess[str]) -> None:
    """A sentence, once for the bundle and not of a crash."""
    assert done.returncode == 1
    assert "nor can libEGL.so.1 draw in its place" in done.stderr
    assert "install Debian's package libosmesa6" in done.stderr
    assert "SIGSEGV" not in done.stderr
    assert "defect" not in done.stderr
