"""The tutorial's commands, one after the other, on trees as the tools leave them, up to a rated study."""

import csv
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trees

TUTORIAL = Path(__file__).parents[1] / "docs/tutorial.md"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    people = ("01", "02")
    trees.pyafq(tmp_path / "derivatives/afq", people)
    trees.qsirecon(tmp_path / "derivatives/qsirecon", ("01",))
    for person in people:
        trees.tractseg(tmp_path / "tractseg" / person)
    return tmp_path


@pytest.mark.ecosystem
@pytest.mark.timeout(900)  # eight runs of the program, on a machine that others use too
def test_its_commands_lead_to_a_rated_study(data: Path) -> None:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(), re.DOTALL) for line in block.splitlines()
    ]
    assert len(commands) == 8
    for command in commands:
        if command.endswith(" group"):  # after pages were rated, as the text says: this is what they save
            now = datetime.now(UTC)
            ratings = "participant_id\tsession_id\ttractogram\tbundle\trating\tnote\trater\trated_at\n"
            record = "sub-01/ses-1/dwi/bundles/sub-01_ses-1_desc-LeftArcuate_tractography.trk"
            ratings += f"sub-01\tses-1\t{record}\tArcuateFasciculus_L\tfail\tcut off\tanna\t{now:%Y-%m-%dT%H:%M:%SZ}\n"
            (data / "pictures/afq/sub-01_desc-ratings.tsv").write_text(ratings)
        small = command.replace(" participant", " participant --size 64")  # which takes a tenth of the time
        done = subprocess.run(["bash", "-c", small], cwd=data, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    pictures = {
        tool: len(list((data / "pictures" / tool).rglob("*_mosaic.png"))) for tool in ("afq", "tractseg", "qsirecon")
    }
    assert all(pictures.values()), pictures
    with (data / "pictures/afq/group_tractograms.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    (rated,) = [row for row in rows if row["participant_id"] == "sub-01" and "LeftArcuate" in row["tractogram"]]
    assert "fail" in rated.values()
    assert (data / "pictures/afq/group_checks.tsv").is_file()
    assert (data / "pictures/afq/sub-01/figures/CITATION.tex").is_file()
