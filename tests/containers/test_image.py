"""What is in the image, and what is not; the tests of the project, run with what is in the image."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, call, engine

pytestmark = [pytest.mark.container, pytest.mark.timeout(3600)]

MOST_MB = 700
LANES = "not container and not cluster and not browser and not ecosystem"
SUBSET = ("tests/drawing", "tests/inputs", "tests/limits", "tests/test_cli.py")
TOOLS = (
    *("pytest", "pytest-timeout", "pytest-xdist", "execnet", "iniconfig", "pluggy", "pygments", "hypothesis"),
    *("sortedcontainers", "trx-python", "deepdiff", "orderly-set", "cachebox", "typer", "rich", "shellingham"),
    *("annotated-doc", "typing-extensions", "tqdm", "markdown-it-py", "mdurl", "attrs"),
)
"""What the tests need beside the image; what the image has too is taken from the image."""

OURS = ("-W", "ignore:Setting the shape on a NumPy array:DeprecationWarning")
"""VTK's own, with the NumPy of the image."""

PYTEST = "import sys; sys.path.append('/beside'); import pytest; sys.exit(pytest.main(sys.argv[1:]))"

MAPPED = """
import sys
from pathlib import Path
for statement in sys.stdin.read().splitlines():
    exec(statement)
folder = Path(sys.modules["vtkmodules"].__file__).parent
loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
loaded |= {module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
there = [str(path) for path in folder.rglob("*") if path.suffix == ".py" or ".so" in path.name]
print("\\n".join(path for path in there if path not in loaded))
"""


def inside(image: str, *command: str, told: str = "") -> str:
    """What a command in the image prints."""
    arguments = ("run", "-i", "--rm", "--user", "0", "--network", "none", "--entrypoint", command[0], image)
    done = subprocess.run(
        [*engine(), *arguments, *command[1:]], input=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_size(image: str) -> None:
    assert int(inside(image, "du", "-xsm", "/").split()[0]) <= MOST_MB


def test_no_file_of_vtk_is_there_that_is_not_used(image: str) -> None:
    """What tractcap's sources import, and what that loads, is all that there is."""
    nodes = [node for path in (ROOT / "src/tractcap").rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    statements = [statement for statement in imports if "vtkmodules" in statement]
    assert statements
    assert inside(image, "/opt/tractcap/bin/python", "-c", MAPPED, told="\n".join(statements)).split() == []


def test_nothing_is_left_of_the_build(image: str) -> None:
    names = "for name in pip ld strip as apt-get perl; do command -v $name; done; ls /opt; ls -A /tmp /var/cache"
    assert inside(image, "sh", "-c", f"({names}) 2>&1 || true").split() == ["tractcap", "/tmp:", "/var/cache:"]


def test_every_library_is_found(image: str) -> None:
    told = inside(image, "sh", "-c", "find /opt/tractcap /usr/lib -name '*.so*' -type f -exec ldd {} + 2>&1")
    assert "not found" not in told


def test_the_bill_of_materials(image: str) -> None:
    bill = json.loads(inside(image, "cat", "/opt/tractcap/share/sbom.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "tractcap"
    addresses = {part.get("purl", "").split("@")[0] for part in bill["components"]}
    assert {"pkg:pypi/vtk", "pkg:pypi/numpy", "pkg:pypi/dipy", "pkg:deb/debian/libosmesa6"} <= addresses
    assert "pkg:pypi/fury" not in addresses
    installed = inside(image, "sh", "-c", "ls -d /opt/tractcap/lib/python3*/site-packages/*.dist-info").split()
    assert len(installed) == sum(address.startswith("pkg:pypi/") or not address for address in addresses)


def test_labels(image: str) -> None:
    labels = json.loads(call("image", "inspect", "--format", "{{json .Config.Labels}}", image))
    wanted = {"title", "description", "version", "licenses", "vendor", "base.name"}
    assert {f"org.opencontainers.image.{name}" for name in wanted} <= labels.keys()


def test_both_recipes_take_the_same_steps() -> None:
    step = re.compile(r"/opt/src/container/install (\w+(?: /opt/src)?)$", re.MULTILINE)
    docker, apptainer = (step.findall((ROOT / name).read_text()) for name in ("Dockerfile", "apptainer.def"))
    assert docker == apptainer == ["system", "dependencies /opt/src", "project /opt/src", "close /opt/src"]
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
