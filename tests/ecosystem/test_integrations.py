"""The configurations for workflow tools, each tried by its tool, or said where the tool couldn't be had."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import phantoms
import pytest

from conftest import ROOT
from tractcap import __version__

pytestmark = pytest.mark.ecosystem

Call = Callable[..., subprocess.CompletedProcess[str]]
INTEGRATIONS = ROOT / "integrations"
DASHED = __version__.replace(".", "-")


def blocks(name: str) -> list[str]:
    """What a README shows as code, each block without its indent."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", (INTEGRATIONS / name / "README.md").read_text(), re.MULTILINE)
    return [re.sub("^    ", "", block.strip("\n"), flags=re.MULTILINE) + "\n" for block in found]


@pytest.fixture
def tractograms(tmp_path: Path) -> Path:
    folder = tmp_path / "tractograms"
    for participant in ("01", "02"):
        path = folder / f"sub-{participant}/dwi/sub-{participant}_bundle-AFL_streamlines.tck"
        path.parent.mkdir(parents=True)
        phantoms.save(path, phantoms.asymmetric_bundle(5))
    described = {"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    (folder / "dataset_description.json").write_text(json.dumps(described))
    return folder


@pytest.fixture
def shell(call: Call, apptainer: Path, tmp_path: Path) -> Callable[..., str]:
    """Run commands as a README shows them, with DataLad on PATH; the image is a file."""
    (tmp_path / "tractcap.sif").touch()
    call("git-annex", "version")  # says where it is missing
    home = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    programs = [Path(sys.executable).parent, ROOT / ".venv-ecosystem-older/bin", os.environ["PATH"]]
    environ = {**os.environ, **home, "HOME": str(tmp_path), "PATH": os.pathsep.join(map(str, programs))}
    environ["IMAGE"] = str(tmp_path / "tractcap.sif")

    def run(script: str, folder: Path, *arguments: str) -> str:
        command = ["bash", "-euc", script, "script", *arguments]
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return done.stdout + done.stderr

    return run


def test_babs(shell: Callable[..., str], tractograms: Path, tmp_path: Path) -> None:
    """BABS makes a project as README.md says, and what it runs in a job draws one participant's tractograms."""
    shell("datalad create --force tractograms && datalad save -d tractograms", tmp_path)
    text = (INTEGRATIONS / "babs/tractcap.yaml").read_text().replace("/path/to/tractograms", str(tractograms))
    (tmp_path / "tractcap.yaml").write_text(text)
    (script,) = blocks("babs")
    shell(script.replace("/images/tractcap.sif", str(tmp_path / "tractcap.sif")), tmp_path)

    (tmp_path / "programs/7z").write_text(f'#!/bin/sh\nexec {sys.executable} -m zipfile -c "$2" "$3"\n')
    (tmp_path / "programs/7z").chmod(0o755)
    shell("datalad get inputs/data/BIDS", tmp_path / "project/analysis")
    shell(f"bash code/tractcap-{DASHED}_zip.sh sub-02", tmp_path / "project/analysis")
    archive = tmp_path / f"project/analysis/sub-02_tractcap-{DASHED}.zip"
    names = shell(f"{sys.executable} -m zipfile -l {archive}", tmp_path)
    assert "tractcap/sub-02/figures/sub-02_bundle-AFL_streamlines_mosaic.png" in names
    assert "sub-01" not in names


def test_repronim_containers(shell: Callable[..., str], tractograms: Path, apptainer: Path, tmp_path: Path) -> None:
    """The commands of README.md, in a dataset with a script of the name that ReproNim/containers has."""
    dataset = tmp_path / "containers"
    (dataset / "scripts").mkdir(parents=True)
    (dataset / "scripts/singularity_cmd").write_text('#!/bin/sh\nexec singularity "$@"\n')
    (dataset / "scripts/singularity_cmd").chmod(0o755)
    tractograms.rename(dataset / "tractograms")
    shell("datalad create --force . && datalad save", dataset)
    for script in blocks("repronim"):
        shell(script, dataset)
    assert len(list((dataset / "pictures").glob("sub-*/figures/*_mosaic.png"))) == 2
    assert f"run images/bids/bids-tractcap--{__version__}.sif tractograms pictures" in apptainer.read_text()
    assert "Draw the tractograms" in shell("git log -1", dataset)


def test_snakemake_module(call: Call, tractograms: Path, tmp_path: Path) -> None:
    (script, *_) = blocks("snakemake")
    (tmp_path / "Snakefile").write_text(script.replace("/path/to/tractcap", str(ROOT)))
    done = call("snakemake", "--cores", 1, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tractcap_share" in done.stderr
    assert (tmp_path / "pictures/group.html").is_file()
    assert len(list((tmp_path / "pictures").glob("sub-*/figures/*_mosaic.png"))) == 2


def test_the_nextflow_modules_script(shell: Callable[..., str], tractograms: Path, tmp_path: Path) -> None:
    """Nextflow is on no package index with all it needs: its variables are filled in here, and bash runs the script."""
    text = (INTEGRATIONS / "nextflow/main.nf").read_text()
    script = text.split('"""')[1]
    values = {"prefix": "sub-01", "task.memory.toMega()": "1500", "task.cpus": "1", "anatomy": ""}
    values |= {"args": "--size 64", "task.process": "TRACTCAP"}
    script = re.sub(r"(?<!\\)\$\{([^}]*)\}", lambda found: values[found[1]], script).replace("\\$", "$")
    tractograms.joinpath("sub-01/dwi").rename(tmp_path / "in")
    shell("\n".join(line.strip() for line in script.splitlines()), tmp_path)
    assert len(list((tmp_path / "sub-01").rglob("*_mosaic.png"))) == 1
    assert f"tractcap: {__version__}" in (tmp_path / "versions.yml").read_text()


def test_nireports(call: Call, tractograms: Path, tmp_path: Path) -> None:
    """The script of README.md makes a page of the mosaics, each once, and of the methods text."""
    name = "sub-01_coordsys-RASMM_trkmethod-probCSD_desc-LeftArcuate_tractography.tck"  # pyAFQ's
    for other in (name, "sub-01_bundle-CSTR_streamlines.tck"):
        phantoms.save(tractograms / "sub-01/dwi" / other, phantoms.asymmetric_bundle(5))
    command = [sys.executable, "-m", "tractcap", tractograms, tmp_path / "pictures", "participant", "--overview"]
    subprocess.run([*map(str, command), "--size", "64"], capture_output=True, check=True)
    (tmp_path / "reports-spec.yml").write_text((INTEGRATIONS / "nireports/reports-spec.yml").read_text())
    (script,) = blocks("nireports")
    done = call("python", "-c", script, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "pictures/nireports.html").read_text()
    shown = [src.rpartition("/")[2] for src in re.findall(r'<img [^>]*src="([^"]*)"', page)]
    mosaics = {path.name for path in (tmp_path / "pictures/sub-01/figures").glob("*_mosaic.png")}
    assert shown[0] == "sub-01_desc-overview_mosaic.png"
    assert sorted(shown) == sorted(mosaics)
    assert len(mosaics) == 4
    for link in re.findall(r'<img [^>]*src="([^"]*)"', page):
        assert (tmp_path / "pictures" / link).is_file()
    assert "were drawn with tractcap" in page
    assert r"~\citep{vtk}" in page
    assert "@misc{vtk," in page


def test_each_is_described_in_few_lines() -> None:
    listed = (INTEGRATIONS / "README.md").read_text()
    for folder in (path for path in INTEGRATIONS.iterdir() if path.is_dir()):
        assert f"({folder.name}/README.md)" in listed
        assert len((folder / "README.md").read_text().splitlines()) <= 20
