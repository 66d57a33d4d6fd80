"""The JSON Schema of the records: it is that of the classes, what runs leave keeps to it, and docs/records.md works."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fiber_images
import numpy as np
import phantoms
import pytest

from conftest import ROOT

SCHEMA = ROOT / "docs/records.schema.json"

Call = Callable[..., subprocess.CompletedProcess[str]]


def test_it_is_of_the_classes_that_are_there() -> None:
    made = subprocess.run([sys.executable, ROOT / "scripts/record_schema.py"], capture_output=True, check=True)
    assert SCHEMA.read_bytes() == made.stdout, "make schema renews it"
    assert {"DrawnRecord", "UndrawnRecord", "CheckRecord"} <= json.loads(made.stdout)["$defs"].keys()


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves of bundles with anatomy, a region, a map and checks, an empty and a damaged one."""
    folder = tmp_path_factory.mktemp("study")
    bundles = folder / "in/sub-01/ses-1/dwi"
    bundles.mkdir(parents=True)
    for name, count in (("AF_L", 30), ("AF_R", 30), ("CST_L", 0)):
        phantoms.save(bundles / f"{name}.trk", phantoms.asymmetric_bundle(count))
    (bundles / "bad.trk").write_bytes(b"no tractogram")
    fiber_images.save_nifti(folder / "image.nii.gz", np.pad(np.ones((4, 4, 4), np.uint8), 2), fiber_images.turned())
    image = folder / "image.nii.gz"
    command = [sys.executable, "-m", "tractcap", folder / "in", folder / "pictures", "participant", "--size", "64"]
    command += ["--overview", "--checks", "all", "--reference", image, "--roi", image, "--scalar", f"FA={image}"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return folder


def check(call: Call, output: Path) -> subprocess.CompletedProcess[str]:
    records = [path for path in output.rglob("*.json") if path.parent.name == "figures"]
    return call("check-jsonschema", "--schemafile", SCHEMA, *records)


@pytest.mark.ecosystem
def test_what_a_run_leaves_keeps_to_it(call: Call, output: Path) -> None:
    statuses = {json.loads(path.read_text())["Status"] for path in output.glob("pictures/**/figures/*.json")}
    assert {"drawn", "empty", "damaged", "done", "missing"} <= statuses
    done = check(call, output)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.ecosystem
@pytest.mark.parametrize(
    "change",
    [
        {"Streamlines": "many"},
        {"Streamlines": None},
        {"Status": "half"},
        {"Lengths": {"Mean": "long"}},
        {"Extent": {"low": [0, 0]}},
        {"Points": -1},
    ],
    ids=str,
)
def test_what_does_not_is_found(call: Call, output: Path, tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "figures").mkdir()
    record = json.loads((output / "pictures/sub-01/ses-1/figures/AF_L.json").read_text()) | change
    record = {key: value for key, value in record.items() if value is not None}
    (tmp_path / "figures/AF_L.json").write_text(json.dumps(record))
    done = check(call, tmp_path)
    assert done.returncode == 1
    assert "AF_L.json" in done.stdout


@pytest.mark.ecosystem
def test_the_example_of_the_documentation(output: Path) -> None:
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", (ROOT / "docs/records.md").read_text(), re.MULTILINE)
    (script,) = (block for block in blocks if "import json" in block)
    command = [sys.executable, "-c", re.sub("^    ", "", script.strip("\n"), flags=re.MULTILINE)]
    done = subprocess.run(command, cwd=output, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"01 ArcuateFasciculus_L \d+\.\d+\n01 ArcuateFasciculus_R \d+\.\d+\n", done.stdout), done.stdout
