"""The doors, as Docker, Apptainer, a shell and pip open them: nothing of the host's Python or locale leaks in."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import phantoms
import pytest

ROOT = Path(__file__).parents[1]
ENTRYPOINT = str(ROOT / "entrypoint.py")

BAD = "raise ImportError('a module of the host')\n"
LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def here(words: list[str]) -> list[str]:
    """A command of the image, with this tree's files."""
    places = {"/opt/tractcap/bin/python": sys.executable, "/opt/tractcap/entrypoint.py": ENTRYPOINT}
    return [places.get(word, word) for word in words]


def docker() -> list[str]:
    line = re.search("^ENTRYPOINT (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert line
    return here(json.loads(line[1]))


def apptainer() -> list[str]:
    line = re.search("^ *exec (.*)$", (ROOT / "apptainer.def").read_text(), re.MULTILINE)
    assert line
    return here(shlex.split(line[1])[:-1])


def by_name() -> list[str]:
    """The first line that the file has in the image."""
    line = re.search(r"1s\|\.\*\|#!(.*?)\|", (ROOT / "container/install").read_text())
    assert line
    return [*here(line[1].split()), ENTRYPOINT]


DOORS = {"docker": docker, "apptainer": apptainer, "by name": by_name, "by hand": lambda: [sys.executable, ENTRYPOINT]}


@pytest.fixture
def host(tmp_path: Path) -> dict[str, str]:
    """Variables of a host on which another Python is set up."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    user = tmp_path / f"user/lib/{version}/site-packages"
    for folder in (tmp_path / "foreign", user):
        for name in ("numpy", "click", "json", "vtkmodules"):
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").write_text(BAD)
    (user / "usercustomize.py").write_text(BAD)
    return {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "foreign"),
        "PYTHONUSERBASE": str(tmp_path / "user"),
        "PYTHONSTARTUP": "/nowhere.py",
        "PYTHONWARNINGS": "error",
        "PYTHONIOENCODING": "ascii",
        **LOCALE,
    }


def pictures(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.rglob("*.png")}


@pytest.mark.parametrize("door", DOORS)
def test_the_hosts_python_and_locale_do_not_leak_in(tmp_path: Path, host: dict[str, str], door: str) -> None:
    data, out = tmp_path / "Größe", tmp_path / "束"
    data.mkdir()
    phantoms.save(data / "Größe_束.trk", phantoms.asymmetric_bundle())
    if door != "by hand":  # a Python that isn't told to look away ends before it reads a line of ours
        host["PYTHONHOME"] = "/nowhere"
    command = [*DOORS[door](), str(data), str(out), "participant", "--size", "64", "--views", "left"]
    done = subprocess.run(command, env=host, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines()[0] == str(out / "figures/Größe_束_mosaic.png")
    assert pictures(out).keys() == {"Größe_束_view-left.png", "Größe_束_mosaic.png"}


@pytest.mark.parametrize("locale", [{}, LOCALE], ids=["utf-8", "ascii"])
@pytest.mark.parametrize("way", ["command line", "library"])
def test_a_locale_that_is_not_utf8(tmp_path: Path, locale: dict[str, str], way: str) -> None:
    path = phantoms.save(tmp_path / "Größe.trk", phantoms.asymmetric_bundle())
    out = tmp_path / "束"
    code = f"""import os
from tractcap.viz import TractographyVisualizer
path, out = os.fsdecode({os.fsencode(path)!r}), os.fsdecode({os.fsencode(out)!r})
found = TractographyVisualizer(out).run_quality_check_workflow({{"1": {{"AF_L": path}}}}, size=64, skip_checks="all")
assert found["1"]["AF_L"], found"""
    ways = {
        "library": ["-c", code],
        "command line": ["-m", "tractcap", str(path), str(out), "participant", "--size", "64", "--views", "left"],
    }
    done = subprocess.run([sys.executable, *ways[way]], env={**os.environ, **locale}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    if way == "command line":
        assert (out / "figures/Größe_mosaic.png").is_file()
        assert "Größe" in (out / "index.html").read_text(encoding="utf-8")
    else:
        assert [path.name for path in out.rglob("*_mosaic.png")] == ["AF_L_mosaic.png"]


def test_what_was_started_with_the_hosts_modules_keeps_them(tmp_path: Path) -> None:
    """A development's PYTHONPATH is handed on: nothing is shut off that the user's own Python isn't."""
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nif 'tractcap.work.worker' in sys.orig_argv: open({str(tmp_path / 'seen')!r}, 'w').close()\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))}
    subprocess.run([sys.executable, "-m", "tractcap", "--self-test"], env=env, capture_output=True, check=True)
    assert (tmp_path / "seen").exists()


@pytest.mark.parametrize("flags", [[], ["-I"], ["-E"], ["-s"], ["-P"], ["-B"], ["-I", "-B"]], ids=" ".join)
def test_another_python_is_started_as_this_one_was(flags: list[str]) -> None:
    code = "from tractcap import python_interpreter; print(*python_interpreter.command()[1:])"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([sys.executable, *flags, "-c", code], env=clean, capture_output=True, text=True, check=True)
    told = done.stdout.split()
    assert set(flags) <= set(told)
    assert told[-2:] == ["-X", "utf8=1"]
    assert len(told) == (2 + len(flags) if "-I" not in flags else 5 + len(flags)), "-I is -E, -s and -P too"
