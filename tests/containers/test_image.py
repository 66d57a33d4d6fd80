"""What is in the image, and what is not; the tests of the project, run with what is in the image."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from reach import NEVER_IMPORTED, reach

import tractcap
from conftest import ROOT, call, engine

pytestmark = [pytest.mark.container, pytest.mark.timeout(3600)]

MOST_BYTES = 795_000_000
LANES = "not container and not cluster and not browser and not ecosystem"
SUBSET = (
    *("tests/drawing", "tests/inputs", "tests/limits", "tests/test_cli.py"),
    "--ignore=tests/drawing/test_peer.py",  # FURY's windows are shown there, which tractcap doesn't use
    # scipy reads MATLAB's matrices there, by its module io, which tractcap doesn't use
    "--deselect=tests/inputs/test_peers.py::test_scipy_reads_steps_of_all_sizes_as_we_do",
    "--deselect=tests/inputs/test_peers.py::test_peers_read_our_tests_files_as_we_do[tt",
)
"""What is run each time; docs/image.md tells how to run all."""

TOOLS = (
    *("pytest", "pytest-timeout", "pytest-xdist", "execnet", "iniconfig", "pluggy", "pygments", "hypothesis"),
    *("sortedcontainers", "trx-python", "deepdiff", "orderly-set", "cachebox", "typer", "rich", "shellingham"),
    *("annotated-doc", "typing-extensions", "tqdm", "markdown-it-py", "mdurl"),
)
"""What the tests need beside the image; what the image has too is taken from the image."""

OURS = ("-W", "ignore:Setting the shape on a NumPy array:DeprecationWarning")
"""VTK's own, with the NumPy of the image."""

PYTEST = "import sys; sys.path.append('/beside'); import pytest; sys.exit(pytest.main(sys.argv[1:]))"

LEFT = """
import sys
from pathlib import Path
for statement in sys.stdin.read().splitlines():
    exec(statement)
folder = Path(sys.modules["vtkmodules"].__file__).parent
loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
print("\\n".join(path for path in map(str, folder.glob("*.so*")) if path not in loaded))
"""
"""Prints the compiled files of VTK that the statements given don't load."""


def inside(image: str, *command: str, told: str = "") -> str:
    """What a command in the image prints."""
    arguments = ("run", "-i", "--rm", "--user", "0", "--network", "none", "--entrypoint", command[0], image)
    done = subprocess.run(
        [*engine(), *arguments, *command[1:]], input=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_size(image: str) -> None:
    """As the engine gives it."""
    assert int(call("image", "inspect", "--format", "{{.Size}}", image)) <= MOST_BYTES


def test_no_import_leads_to_what_is_not_there(image: str) -> None:
    """Each module that tractcap's sources reach, in the versions that the image has, can be imported."""
    mount = ("-v", f"{ROOT}:/tree:ro", "--entrypoint", "/opt/tractcap/bin/python")
    printed = call("run", "--rm", "--network", "none", *mount, image, "/tree/tests/containers/reach.py")
    result = json.loads(printed)
    assert result["count"] > 700
    assert result["missing"] == []
    assert set(result["stopped"]) == set(NEVER_IMPORTED)


def test_files_of_debians_packages_are_as_debian_made_them(image: str) -> None:
    """Some are left out, none is replaced."""
    verified = inside(image, "sh", "-c", "dpkg --verify || true").splitlines()
    assert any(line.startswith("missing") for line in verified), "documentation is left out"
    assert [line for line in verified if not line.startswith("missing")] == []
    packages = inside(image, "sh", "-c", "dpkg-query --search /usr/lib/*/libz3.so.4 /usr/lib/*/libLLVM.so.*")
    assert re.findall(r"^(\w+)", packages, re.MULTILINE) == ["libz3", "libllvm19"]


def test_no_compiled_module_of_vtk_is_there_that_is_not_used(image: str) -> None:
    """What tractcap's sources reach by imports, FURY's among them, and what that loads, is all that there is."""
    reached, _ = reach()
    statements = [f"import {name}" for name in sorted(reached) if name.startswith("vtkmodules.")]
    assert statements
    assert inside(image, "/opt/tractcap/bin/python", "-c", LEFT, told="\n".join(statements)).split() == []


def test_nothing_is_left_of_the_build(image: str) -> None:
    names = "for name in pip ld strip as apt-get perl; do command -v $name; done; ls -A /opt /root /tmp /var/cache"
    told = inside(image, "sh", "-c", f"({names}) 2>&1 || true").split()
    assert [word for word in told if word not in {".bashrc", ".profile"}] == [
        *("/opt:", "tractcap", "/root:", "/tmp:", "/var/cache:")
    ]


def test_every_library_is_found(image: str) -> None:
    told = inside(image, "sh", "-c", "find /opt/tractcap /usr/lib -name '*.so*' -type f -exec ldd {} + 2>&1")
    assert "not found" not in told


def test_the_bill_of_materials(image: str) -> None:
    """It names what is there: each of Python's distributions, each of Debian's packages, nothing else."""
    bill = json.loads(inside(image, "cat", "/opt/tractcap/share/sbom.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    own = {"type": "container", "name": "tractcap", "version": tractcap.__version__}
    assert bill["metadata"]["component"] == own
    debian = {part["name"] for part in bill["components"] if part.get("purl", "").startswith("pkg:deb/debian/")}
    python = {re.sub(r"[-_.]+", "_", part["name"].lower()) for part in bill["components"]} - debian
    assert debian == set(inside(image, "dpkg-query", "-Wf", "${Package}\n").split()) > {"libosmesa6", "python3"}
    site = inside(image, "sh", "-c", "ls -d /opt/tractcap/lib/python3*/site-packages/*.dist-info").split()
    names = {re.sub(r"[-_.]+", "_", path.split("/")[-1].split("-")[0].lower()) for path in site}
    assert {name for name in python if name in names} == names > {"vtk", "numpy", "dipy", "tractcap"}
    assert len(bill["components"]) == len(debian) + len(names)


def test_labels(image: str) -> None:
    """Apptainer's are those that this prints."""
    install = ("sh", str(ROOT / "container/install"), "labels", str(ROOT))
    printed = subprocess.run(install, capture_output=True, text=True, check=True).stdout
    wanted = dict(line.split(" ", 1) for line in printed.splitlines())
    labels = json.loads(call("image", "inspect", "--format", "{{json .Config.Labels}}", image))
    ours = {name: value for name, value in labels.items() if name.startswith("org.opencontainers.image.")}
    assert ours == wanted
    names = {name.removeprefix("org.opencontainers.image.") for name in wanted}
    assert names == {"title", "description", "version", "licenses", "vendor", "base.name"}
    assert wanted["org.opencontainers.image.version"] == tractcap.__version__


def test_both_recipes_take_the_same_steps() -> None:
    step = re.compile(r"/opt/src/container/install (\w+(?: /opt/src)?)(?: >>.*)?$", re.MULTILINE)
    docker, apptainer = (step.findall((ROOT / name).read_text()) for name in ("Dockerfile", "apptainer.def"))
    steps = ["system", "dependencies /opt/src", "project /opt/src", "slim /opt/src"]
    assert docker == steps
    assert apptainer == ["labels /opt/src", *steps]
    for recipe in ("Dockerfile", "apptainer.def"):
        assert f"TRACTCAP_CONTAINER_TAG=tractcap:{tractcap.__version__}\n" in (ROOT / recipe).read_text()
    commands = (ROOT / "apptainer.def").read_text().split("%post\n")[1].split("%environment")[0].split("\n")
    assert all(step.search(line) for line in commands if line.strip()), "Apptainer does nothing else"
    runs = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("RUN")]
    assert all(step.search(line) for line in runs), "nor does Docker"


def test_the_projects_tests_in_the_image(image: str, tmp_path: Path) -> None:
    """tractcap and all that it needs is the image's; pytest and what writes the tests' inputs lie beside it."""
    version = inside(image, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    locked = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE))
    install = ("-m", "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target")
    wanted = [f"{name}=={locked[name]}" for name in TOOLS if name in locked]
    beside = tmp_path / "beside"
    subprocess.run([sys.executable, *install, str(beside), "--python-version", version, *wanted], check=True)
    tmp_path.chmod(0o755)
    mounts = ("-v", f"{ROOT}:/tree:ro", "-v", f"{beside}:/beside:ro", "-w", "/tree")
    settings = ("--network", "none", "-e", "HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis")
    python = ("--entrypoint", "/opt/tractcap/bin/python", image, "-c", PYTEST)
    command = (*engine(), "run", "--rm", *mounts, *settings, *python, "-p", "no:cacheprovider", "-q", "-n", "2", *OURS)
    done = subprocess.run([*command, "-m", LANES, *SUBSET], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
